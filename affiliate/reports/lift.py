"""What a campaign changed, as far as figures can tell: its days against as many before, and against what came without it. Pure.

The days before and after are as many as those of the campaign and the same weekdays: they lie as many whole weeks away as the
campaign is long. While it runs, the days so far are held against as many. What would have come anyway is what came before,
grown as the rest of the program grew in the same days. Every reason not to believe the difference is named.
"""

import enum
import math
from dataclasses import dataclass
from datetime import date, timedelta

from affiliate.money import BPS_PER_UNIT, divide_half_even
from affiliate.reports.periods import Period

DAYS_MAX = 120
"""The longest campaign: with the days before and after it is less than the longest report."""
SALES_MIN = 20
"""Fewer sales in both spans together say nothing."""
DEVIATIONS = 2
_WEEK = 7


class Doubt(enum.StrEnum):
    """Why the figures of a campaign do not say what it did."""

    NOT_BEGUN = "not_begun"
    RUNNING = "running"
    AFTER_OPEN = "after_open"
    TOO_FEW = "too_few"
    LIKE_CHANCE = "like_chance"
    OTHERS_TOO = "others_too"  # the rest changed as much
    NOTHING_BESIDE = "nothing_beside"  # no sales beside it to compare with
    OVERLAPS = "overlaps"  # another campaign in these days
    NO_MARGIN = "no_margin"


@dataclass(frozen=True, slots=True)
class Spans:
    """The days that are held against one another; null is a span of which no day is over yet."""

    before: Period | None
    during: Period | None
    after: Period | None
    is_running: bool
    is_after_open: bool


@dataclass(frozen=True, slots=True)
class Sold:
    """Sales before and during: of the campaign, and of the rest of the program (null where there is no rest)."""

    before: int
    during: int
    others_before: int | None
    others_during: int | None


@dataclass(frozen=True, slots=True)
class Lift:
    """What came, what would have come anyway (null: cannot be said), and why one may doubt it."""

    change_bps: int | None
    others_bps: int | None
    expected: int | None
    doubts: tuple[Doubt, ...]

    def gained(self, during: int) -> int | None:
        """Sales more than would have come anyway."""
        return None if self.expected is None else during - self.expected


def spans(first: date, end: date, *, zone: str, today: date) -> Spans:
    """The spans of a campaign of these days (half-open) as they are today; a day counts once it is over."""
    shift = timedelta(days=-(-(end - first).days // _WEEK) * _WEEK)
    until = min(end, today)
    after_first, after_until = first + shift, min(end + shift, today)
    begun = until > first
    return Spans(
        before=Period(first - shift, until - shift, zone) if begun else None,
        during=Period(first, until, zone) if begun else None,
        after=Period(after_first, after_until, zone) if after_until > after_first else None,
        is_running=first < today < end,
        is_after_open=end <= today < end + shift,
    )


def judge(sold: Sold, found: Spans, *, overlaps: bool, has_margin: bool) -> Lift:
    """What the figures say, with every doubt."""
    if found.during is None:
        return Lift(None, None, None, (Doubt.NOT_BEGUN,))
    change, others = _change(sold.before, sold.during), _change(sold.others_before, sold.others_during)
    expected = sold.before if others is None else divide_half_even(sold.before * (BPS_PER_UNIT + others), BPS_PER_UNIT)
    too_few = sold.before + sold.during < SALES_MIN
    raised = {
        Doubt.RUNNING: found.is_running,
        Doubt.AFTER_OPEN: found.is_after_open,
        Doubt.TOO_FEW: too_few,
        Doubt.LIKE_CHANCE: not too_few and _is_chance(sold.during - expected, sold.during + sold.before),
        Doubt.OTHERS_TOO: change is not None and others is not None and 0 < abs(change) <= abs(others) and change * others > 0,
        Doubt.NOTHING_BESIDE: others is None,
        Doubt.OVERLAPS: overlaps,
        Doubt.NO_MARGIN: not has_margin,
    }  # fmt: skip
    return Lift(change, others, None if too_few else expected, tuple(doubt for doubt, is_so in raised.items() if is_so))


def _change(before: int | None, during: int | None) -> int | None:
    if not before or during is None:
        return None
    return divide_half_even((during - before) * BPS_PER_UNIT, before)


def _is_chance(difference: int, counted: int) -> bool:
    """Whether counts as large as these differ as much without any cause, one time in twenty."""
    return abs(difference) < DEVIATIONS * math.isqrt(counted)
