"""The risk map: how likely something goes wrong, and how much it would hurt, from the program's figures. Pure.

Both sides are steps from 1 to 5. Each risk names the figure that it was read from, so that a step can be asked for its reason.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

STEPS = 5


class RiskKind(enum.StrEnum):
    """What can go wrong."""

    ONE_PARTNER = "one_partner"  # the best partner leaves
    REVERSALS = "reversals"  # orders come back
    FRAUD = "fraud"
    OVERDUE = "overdue"  # people wait longer than was promised
    TRACKING = "tracking"  # orders are lost or refused


@dataclass(frozen=True, slots=True)
class Figures:
    """What the map reads, over the same days. Shares are basis points, null where there is nothing to divide by."""

    revenue_minor: int
    top_share_bps: int | None  # of the best partner in the revenue
    reversal_bps: int | None  # of commission that was taken back
    fraud_bps: int | None  # of judged orders that were flagged or rejected
    waiting: int  # decisions that wait
    overdue: int  # of them longer than promised
    refused_events: int
    orders: int
    unstored_events: int


@dataclass(frozen=True, slots=True)
class Risk:
    """A place on the map, and the number that it was read from (basis points or things)."""

    kind: RiskKind
    likelihood: int
    effect: int
    figure: int | None

    @property
    def weight(self) -> int:
        """By what risks are ordered."""
        return self.likelihood * self.effect


def risks(figures: Figures) -> list[Risk]:
    """Every risk of the program, the heaviest first."""
    lost = figures.refused_events + figures.unstored_events
    lost_bps = lost * 10_000 // (figures.orders + lost) if lost else 0
    found = [
        # The likelihood that one of several partners leaves is about the same for all: what counts is how much hangs on it.
        Risk(RiskKind.ONE_PARTNER, _step(figures.top_share_bps, (1_500, 3_000, 5_000, 7_500)), _step(figures.top_share_bps, (1_000, 2_500, 4_000, 6_000)), figures.top_share_bps),
        Risk(RiskKind.REVERSALS, _step(figures.reversal_bps, (300, 800, 1_500, 3_000)), _step(figures.reversal_bps, (500, 1_000, 2_000, 4_000)), figures.reversal_bps),
        Risk(RiskKind.FRAUD, _step(figures.fraud_bps, (100, 300, 800, 2_000)), _step(figures.fraud_bps, (200, 500, 1_000, 2_500)), figures.fraud_bps),
        Risk(RiskKind.OVERDUE, _step(figures.overdue * 10_000 // figures.waiting if figures.waiting else 0, (1, 1_000, 2_500, 5_000)), _step(figures.overdue, (1, 3, 10, 30)), figures.overdue),
        Risk(RiskKind.TRACKING, _step(lost_bps, (50, 200, 500, 1_500)), STEPS if figures.unstored_events else _step(lost_bps, (50, 200, 1_000, 3_000)), lost),
    ]  # fmt: skip
    return sorted(found, key=lambda risk: (-risk.weight, risk.kind))


def _step(value: int | None, bounds: Sequence[int]) -> int:
    """How many of the bounds the value has reached, counted from one; unknown is the lowest step."""
    return 1 if value is None else 1 + sum(value >= bound for bound in bounds)
