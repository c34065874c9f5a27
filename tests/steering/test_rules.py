"""Thresholds and the risk map: the pure rules."""

import pytest

from affiliate.steering import riskmap, thresholds
from affiliate.steering.riskmap import Figures, RiskKind
from affiliate.steering.thresholds import Side, Threshold

CALM = Figures(
    revenue_minor=100_00, top_share_bps=None, reversal_bps=None, fraud_bps=None, waiting=0, overdue=0, refused_events=0,
    orders=10, unstored_events=0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("side", "value", "volume", "crossed"),
    [
        (Side.BELOW, 99, 10, True),
        (Side.BELOW, 100, 10, False),
        (Side.ABOVE, 100, 10, False),
        (Side.ABOVE, 101, 10, True),
        (Side.ABOVE, 101, 9, None),
        (Side.BELOW, None, 10, None),
    ],
)
def test_a_figure_crosses_its_threshold_only_with_enough_behind_it(
    side: Side, value: int | None, volume: int, crossed: bool | None
) -> None:
    assert thresholds.crossed(Threshold(side, 100, volume_min=10), value=value, volume=volume) is crossed


def test_each_wrong_part_of_a_watch_is_named() -> None:
    assert set(thresholds.problems(threshold=None, look_back_days=91, volume_min=-1)) == {
        "threshold", "look_back_days", "volume_min",
    }  # fmt: skip
    assert thresholds.problems(threshold=0, look_back_days=90, volume_min=0) == {}


def test_a_calm_program_has_every_risk_at_the_lowest_step() -> None:
    assert {(risk.likelihood, risk.effect) for risk in riskmap.risks(CALM)} == {(1, 1)}
    assert {risk.kind for risk in riskmap.risks(CALM)} == set(RiskKind)


@pytest.mark.parametrize(
    ("figures", "kind", "place"),
    [
        ({"top_share_bps": 62_00}, RiskKind.ONE_PARTNER, (4, 5)),
        ({"reversal_bps": 9_00}, RiskKind.REVERSALS, (3, 2)),
        ({"fraud_bps": 30_00}, RiskKind.FRAUD, (5, 5)),
        ({"waiting": 10, "overdue": 4}, RiskKind.OVERDUE, (4, 3)),
        ({"refused_events": 1, "orders": 99}, RiskKind.TRACKING, (2, 2)),
        ({"unstored_events": 1, "orders": 999}, RiskKind.TRACKING, (1, 5)),
    ],
)
def test_the_heaviest_risk_stands_first(figures: dict[str, int], kind: RiskKind, place: tuple[int, int]) -> None:
    first = riskmap.risks(Figures(**{name: getattr(CALM, name) for name in Figures.__slots__} | figures))[0]
    assert (first.kind, (first.likelihood, first.effect)) == (kind, place)
