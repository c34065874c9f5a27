"""Momentum: whether a partner rises, holds, fades, sleeps or needs support, with the reason. Pure.

Two spans of `SPAN_DAYS` whole days are compared, today left out: the last ones, and those just before. The first rule that
fits decides, in this order:

1. never a valid click or sale: `needs_support` once the partner has been in for `START_DAYS` days, else `steady` (it has just begun);
2. neither in the last span: `dormant`;
3. `CLICKS_MIN` or more valid clicks and no sale in the last span: `needs_support`;
4. `CLICKS_MIN` or more valid clicks of which less than `FAR_BELOW_PERCENT` of the usual sales came, and `SALES_STEP` sales at
   least are missing: `needs_support`, unless its sales fade, which rule 5 tells. Usual is the middle conversion rate of the
   program's partners (`usual_rate`);
5. sales where the two spans have `SALES_MIN` together, else valid clicks where they have `CLICKS_MIN`: `rising` from
   `CHANGE_PERCENT` more, `fading` from as much less, but only if it is more than chance: `SALES_STEP` sales or `CLICKS_STEP`
   clicks at least; else `steady`;
6. less than that: `steady`, for there is too little to tell.
"""

import enum
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from affiliate.money import divide_half_even

SPAN_DAYS = 28
START_DAYS = 14
CLICKS_MIN = 100
SALES_MIN = 10
CHANGE_PERCENT = 25
FAR_BELOW_PERCENT = 25
SALES_STEP = 5
CLICKS_STEP = 25


class Momentum(enum.StrEnum):
    """Where a partner is heading."""

    RISING = "rising"
    STEADY = "steady"
    FADING = "fading"
    DORMANT = "dormant"
    NEEDS_SUPPORT = "needs_support"


class Reason(enum.StrEnum):
    """Which rule spoke."""

    NEVER_STARTED = "never_started"
    JUST_BEGUN = "just_begun"
    SILENT = "silent"
    CLICKS_WITHOUT_SALES = "clicks_without_sales"
    FEW_SALES = "few_sales"
    SALES_CHANGED = "sales_changed"
    CLICKS_CHANGED = "clicks_changed"
    TOO_LITTLE = "too_little"


AT_RISK = (Momentum.FADING, Momentum.DORMANT, Momentum.NEEDS_SUPPORT)
"""Who should be looked after."""


@dataclass(frozen=True, slots=True)
class Span:
    """What one span brought."""

    clicks: int = 0
    sales: int = 0


@dataclass(frozen=True, slots=True)
class History:
    """What the rule reads: the last span, the one before, whether there was ever anything, and since how many days the partner is in.

    `usual_rate` is the program's, in sales for each click; none where too few clicks came to tell.
    """

    now: Span
    before: Span
    ever: bool
    days_in: int
    usual_rate: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A partner's momentum and why; `now` and `before` are the numbers that were compared: of `FEW_SALES`, its sales and the usual ones."""

    momentum: Momentum
    reason: Reason
    now: int
    before: int


def usual_rate(spans: Iterable[Span]) -> Fraction | None:
    """The middle conversion rate of partners in one span, in sales for each click; none where nobody has `CLICKS_MIN` valid clicks.

    The middle, not the whole: one partner with most of the clicks, or one that sells by coupon without any, would be the whole.
    """
    rates = [Fraction(span.sales, span.clicks) for span in spans if span.clicks >= CLICKS_MIN]
    return statistics.median(rates) if rates else None


def judge(history: History) -> Verdict:
    """The momentum of a partner with this history."""
    now, before = history.now, history.before
    if not history.ever:
        started = history.days_in < START_DAYS
        found = (Momentum.STEADY, Reason.JUST_BEGUN) if started else (Momentum.NEEDS_SUPPORT, Reason.NEVER_STARTED)
        return Verdict(*found, 0, 0)
    if not now.clicks and not now.sales:
        return Verdict(Momentum.DORMANT, Reason.SILENT, 0, before.sales or before.clicks)
    too_little = Verdict(Momentum.STEADY, Reason.TOO_LITTLE, now.sales, before.sales)
    return _in_need(history) or _by_sales(now, before) or _by_clicks(now, before) or too_little


def _in_need(history: History) -> Verdict | None:
    """Many clicks, and no sale of them or far fewer than usual."""
    now, before = history.now, history.before
    if now.clicks < CLICKS_MIN:
        return None
    if not now.sales:
        return Verdict(Momentum.NEEDS_SUPPORT, Reason.CLICKS_WITHOUT_SALES, now.clicks, before.clicks)
    usual, by_sales = _usual_sales(now.clicks, history.usual_rate), _by_sales(now, before)
    fades = by_sales is not None and by_sales.momentum is Momentum.FADING
    too_few = now.sales * 100 < usual * FAR_BELOW_PERCENT and usual - now.sales >= SALES_STEP
    return Verdict(Momentum.NEEDS_SUPPORT, Reason.FEW_SALES, now.sales, usual) if too_few and not fades else None


def _usual_sales(clicks: int, rate: Fraction | None) -> int:
    return 0 if rate is None else divide_half_even(clicks * rate.numerator, rate.denominator)


def _by_sales(now: Span, before: Span) -> Verdict | None:
    if now.sales + before.sales < SALES_MIN:
        return None
    return Verdict(_trend(now.sales, before.sales, SALES_STEP), Reason.SALES_CHANGED, now.sales, before.sales)


def _by_clicks(now: Span, before: Span) -> Verdict | None:
    if now.clicks + before.clicks < CLICKS_MIN:
        return None
    return Verdict(_trend(now.clicks, before.clicks, CLICKS_STEP), Reason.CLICKS_CHANGED, now.clicks, before.clicks)


def _trend(now: int, before: int, step: int) -> Momentum:
    if abs(now - before) < step:
        return Momentum.STEADY
    if now * 100 >= before * (100 + CHANGE_PERCENT):
        return Momentum.RISING
    return Momentum.FADING if now * 100 <= before * (100 - CHANGE_PERCENT) else Momentum.STEADY
