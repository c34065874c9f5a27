"""How far a goal has come, against the straight line and against the season of the year before, and where it leads. Pure.

Values are whole numbers in the goal's own unit: things, minor units, or basis points of a share. Days are those of the
program; today counts as not over.
"""

import enum
from dataclasses import dataclass
from datetime import date

from affiliate.money import divide_half_even

BEHIND_BELOW_PERCENT = 90
"""A goal is behind when it has less than this part of what is asked of it today; a limit, when as much too much is used up."""

SEASON_MIN_PERCENT = 20
"""The year before speaks when it moved at least this part of the target: a handful of sales has no season."""

SHARE_OF_MIN = 10
"""A share of fewer things than this says nothing yet."""


AHEAD_FROM_PERCENT = 10
"""Where a goal leads is told once this part of its days is over; by the season, once the year before had this part of its whole."""


class Kind(enum.StrEnum):
    """What becomes of the number of a goal over its days."""

    SUM = "sum"  # grows towards the target
    LIMIT = "limit"  # grows too, and must stay below it
    SHARE = "share"  # is as good as it is, on each day


class State(enum.StrEnum):
    """How a goal stands."""

    TO_COME = "to_come"
    ON_COURSE = "on_course"
    BEHIND = "behind"
    REACHED = "reached"
    MISSED = "missed"


@dataclass(frozen=True, slots=True)
class Span:
    """The days of a goal, half-open, and the present one."""

    starts_on: date
    ends_on: date
    today: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.ends_on - self.starts_on).days

    @property
    def elapsed(self) -> int:
        """How many of its days are over."""
        return min(max((self.today - self.starts_on).days, 0), self.days)

    @property
    def is_over(self) -> bool:
        """Whether the last day has ended."""
        return self.today >= self.ends_on


@dataclass(frozen=True, slots=True)
class Season:
    """What the same days of the year before brought until this day, and in all."""

    until: int
    whole: int


@dataclass(frozen=True, slots=True)
class Course:
    """Where a goal is. `line` is what the straight line asks for today, `season` what the year before does, if it speaks."""

    state: State
    line: int
    season: int | None

    @property
    def asked(self) -> int:
        """What the goal is judged by: the season where there is one."""
        return self.line if self.season is None else self.season


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a goal will have on its last day: at its pace so far, and by the season of the year before; none where it is too early to tell."""

    line: int | None
    season: int | None


def straight_line(*, target: int, span: Span) -> int:
    """What the straight line asks for at the end of yesterday; the whole target once the days are over."""
    return divide_half_even(target * span.elapsed, span.days)


def seasonal(*, target: int, season: Season | None) -> int | None:
    """What the season asks for: the part of the target that the year before had by this day. None if it says too little."""
    if season is None or season.whole <= 0 or season.whole * 100 < target * SEASON_MIN_PERCENT:
        return None
    return divide_half_even(target * min(season.until, season.whole), season.whole)


def outlook(*, kind: Kind, target: int, past: int, reached: int, span: Span, season: Season | None = None) -> Outlook:
    """Where a goal leads. `past` is what it had at the end of yesterday, `reached` with what today brought so far.

    Never less than was reached, and never below zero. A share leads nowhere: it is as good as it is, on each day.
    """
    if kind is Kind.SHARE:
        return Outlook(None, None)
    ahead = Outlook(
        _ahead(past, part=span.elapsed, whole=span.days),
        None if span.is_over else _ahead_by_season(past, target=target, season=season),
    )
    least = max(reached, 0)
    return Outlook(
        None if ahead.line is None else max(ahead.line, least),
        None if ahead.season is None else max(ahead.season, least),
    )


def _ahead_by_season(past: int, *, target: int, season: Season | None) -> int | None:
    if season is None or seasonal(target=target, season=season) is None:
        return None
    return _ahead(past, part=season.until, whole=season.whole)


def _ahead(past: int, *, part: int, whole: int) -> int | None:
    """What the whole brings if this part of it brought the past; none if the part is too small to tell."""
    if part * 100 < whole * AHEAD_FROM_PERCENT:
        return None
    return divide_half_even(past * whole, part)


def course(*, kind: Kind, target: int, reached: int, of: int, span: Span, season: Season | None = None) -> Course:
    """How a goal stands. `of` is the number of things that a share is taken of; of other kinds nothing."""
    if kind is Kind.SHARE:
        return Course(_share(target, reached, of, span), target, None)
    line = straight_line(target=target, span=span)
    found = Course(State.ON_COURSE, line, None if span.is_over else seasonal(target=target, season=season))
    judge = _limit if kind is Kind.LIMIT else _sum
    return Course(judge(target, reached, found.asked, span), found.line, found.season)


def _sum(target: int, reached: int, asked: int, span: Span) -> State:
    if reached >= target:
        return State.REACHED
    if span.today < span.starts_on:
        return State.TO_COME
    if span.is_over:
        return State.MISSED
    return State.BEHIND if reached * 100 < asked * BEHIND_BELOW_PERCENT else State.ON_COURSE


def _limit(target: int, reached: int, asked: int, span: Span) -> State:
    if reached > target:
        return State.MISSED
    if span.today < span.starts_on:
        return State.TO_COME
    if span.is_over:
        return State.REACHED
    # The first days of a limit have hardly a line: a tenth of the whole is always free.
    free = asked + divide_half_even(target * (100 - BEHIND_BELOW_PERCENT), 100)
    return State.BEHIND if reached > free else State.ON_COURSE


def _share(target: int, reached: int, of: int, span: Span) -> State:
    if span.today < span.starts_on:
        return State.TO_COME
    if span.is_over:
        return State.REACHED if reached >= target and of else State.MISSED
    too_low = of >= SHARE_OF_MIN and reached * 100 < target * BEHIND_BELOW_PERCENT
    return State.BEHIND if too_low else State.ON_COURSE


def year_before(day: date) -> date:
    """The same day of the year before; the 28th for a 29th of February."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)
