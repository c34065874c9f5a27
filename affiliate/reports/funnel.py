"""How far visits come: visit, product, cart, checkout, order, kept order; what share goes on, and what is left behind. Pure.

The visits of some days are followed as far as they came, whenever that was. So a stage is never larger than the one before it, but
where a shop does not tell a step: then the next one is held against the last stage that is at least as large. Kept orders are held
against those of which it is known whether they are kept.
"""

import enum
from dataclasses import dataclass

from affiliate.money import BPS_PER_UNIT, divide_half_even


class Stage(enum.StrEnum):
    """How far a visit came."""

    VISIT = "visit"
    PRODUCT = "product"
    CART = "cart"
    CHECKOUT = "checkout"
    ORDER = "order"
    KEPT = "kept"  # its order was approved, and not taken back


STEPS = (Stage.PRODUCT, Stage.CART, Stage.CHECKOUT)
"""What pages of the shop tell."""


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many visits came to each stage. `waiting` are orders of which nobody knows yet whether they are kept."""

    visit: int = 0
    product: int = 0
    cart: int = 0
    checkout: int = 0
    order: int = 0
    kept: int = 0
    waiting: int = 0

    def of(self, stage: Stage) -> int:
        """The visits that came to this stage."""
        number: int = getattr(self, stage.value)
        return number

    def is_told(self, stage: Stage) -> bool:
        """Whether the number says something: a step of which nothing is told, while later ones happened, does not."""
        if stage not in STEPS or self.of(stage):
            return True
        return bool(self.product) and not self.order

    @property
    def tells_steps(self) -> bool:
        """Whether the shop's pages tell any step."""
        return self.product > 0


@dataclass(frozen=True, slots=True)
class Line:
    """A stage. Shares are in basis points, of all visits and of the stage before; `left` are the visits that ended before it."""

    stage: Stage
    number: int | None  # null: not told
    of_visits_bps: int | None = None
    of_before_bps: int | None = None
    left: int | None = None

    @property
    def abandoned_bps(self) -> int | None:
        """What part of the visits of the stage before ended there."""
        return None if self.of_before_bps is None else BPS_PER_UNIT - self.of_before_bps


def lines(funnel: Funnel) -> list[Line]:
    """The stages in their order."""
    return [_line(funnel, stage) for stage in Stage]


def incomplete(funnel: Funnel) -> list[Stage]:
    """The steps that pages tell less often than a later stage happened."""
    stages = list(Stage)
    return [
        stage
        for stage in STEPS
        if funnel.of(stage) and any(funnel.of(later) > funnel.of(stage) for later in stages[stages.index(stage) + 1 :])
    ]


def _line(funnel: Funnel, stage: Stage) -> Line:
    number = funnel.of(stage)
    if not funnel.is_told(stage):
        return Line(stage, None)
    before = _before(funnel, stage)
    if before is None:
        return Line(stage, number, _part(number, funnel.visit))
    return Line(stage, number, _part(number, funnel.visit), _part(number, before), before - number)


def _before(funnel: Funnel, stage: Stage) -> int | None:
    """The last stage before it that is at least as large; of orders those that are decided."""
    if stage is Stage.KEPT:
        return max(0, funnel.order - funnel.waiting) or None
    stages = list(Stage)
    earlier = [funnel.of(one) for one in stages[: stages.index(stage)] if funnel.is_told(one)]
    return next((number for number in reversed(earlier) if number >= funnel.of(stage) and number), None)


def _part(part: int, whole: int) -> int | None:
    return divide_half_even(part * BPS_PER_UNIT, whole) if whole >= part and whole else None
