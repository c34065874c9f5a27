"""What a campaign changed: which days are held against one another, and what may not be concluded."""

from datetime import date, timedelta

import pytest

from affiliate.reports import lift
from affiliate.reports.lift import Doubt, Sold, Spans

ZONE = "Europe/Rome"
MONDAY = date(2026, 9, 7)


def _spans(days: int = 7, *, today: date = date(2028, 1, 1)) -> Spans:
    return lift.spans(MONDAY, MONDAY + timedelta(days=days), zone=ZONE, today=today)


@pytest.mark.parametrize("days", [1, 7, 10, 120])
def test_the_days_before_and_after_are_as_many_and_the_same_weekdays(days: int) -> None:
    found = _spans(days)
    assert found.before
    assert found.during
    assert found.after
    for other in (found.before, found.after):
        assert [day.weekday() for day in other.days] == [day.weekday() for day in found.during.days]
    assert found.before.end <= found.during.first
    assert found.during.end <= found.after.first


def test_while_it_runs_the_days_that_are_over_are_held_against_as_many() -> None:
    found = _spans(10, today=MONDAY + timedelta(days=4))
    assert found.is_running
    assert found.before
    assert found.during
    assert (len(found.during.days), len(found.before.days), found.after) == (4, 4, None)
    assert found.before.first == MONDAY - timedelta(days=14)


def test_on_its_first_day_nothing_is_over() -> None:
    assert lift.judge(Sold(0, 0, 0, 0), _spans(today=MONDAY), overlaps=False, has_margin=True).doubts == (
        Doubt.NOT_BEGUN,
    )


def test_the_days_after_count_as_far_as_they_are_over() -> None:
    found = _spans(7, today=MONDAY + timedelta(days=9))
    assert found.after is not None
    assert (len(found.after.days), found.is_after_open, found.is_running) == (2, True, False)


def test_what_would_have_come_anyway_grows_as_the_rest_did() -> None:
    found = lift.judge(Sold(100, 180, 200, 240), _spans(), overlaps=False, has_margin=True)
    assert (found.change_bps, found.others_bps, found.expected, found.gained(180)) == (8000, 2000, 120, 60)
    assert found.doubts == ()


@pytest.mark.parametrize(
    ("sold", "doubts"),
    [
        (Sold(9, 10, 100, 100), {Doubt.TOO_FEW}),
        (Sold(100, 110, 200, 200), {Doubt.LIKE_CHANCE}),
        (Sold(100, 120, 200, 260), {Doubt.LIKE_CHANCE, Doubt.OTHERS_TOO}),
        (Sold(100, 180, None, None), {Doubt.NOTHING_BESIDE}),
        (Sold(100, 180, 0, 0), {Doubt.NOTHING_BESIDE}),
    ],
)
def test_each_doubt_is_named(sold: Sold, doubts: set[Doubt]) -> None:
    assert set(lift.judge(sold, _spans(), overlaps=False, has_margin=True).doubts) == doubts


def test_an_overlap_and_an_unknown_margin_are_named() -> None:
    found = lift.judge(Sold(100, 180, 200, 200), _spans(), overlaps=True, has_margin=False)
    assert found.doubts == (Doubt.OVERLAPS, Doubt.NO_MARGIN)
