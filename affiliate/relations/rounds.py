"""Duties that come round: when the next one is due, and when misses are more than an accident. Pure.

A duty has a cadence: once, on a day; again and again (daily, weekly, monthly, quarterly); or continuous, without any day. A
round ends when it is done, or missed when its day is over. What is to be done once is missed then, too, and stays due: done
after all, it was late.
"""

import calendar
import enum
from collections.abc import Sequence
from datetime import date, timedelta


class Cadence(enum.StrEnum):
    """How often something is to be done."""

    ONCE = "once"
    CONTINUOUS = "continuous"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


class Outcome(enum.StrEnum):
    """What became of a round."""

    DONE = "done"
    LATE = "late"  # done, after its day
    MISSED = "missed"  # never, or not yet


KEPT_MAX = 6
REPEATED_MIN = 2
_MONTHS = {Cadence.MONTHLY: 1, Cadence.QUARTERLY: 3}
_DAYS = {Cadence.DAILY: 1, Cadence.WEEKLY: 7}


def next_due(cadence: Cadence, *, first_on: date, after: date) -> date | None:
    """The first day after `after` on which the duty is due, counted from its first day; none for what has no more rounds.

    Counted from the first day, so that what is due on the 31st comes back to it after February.
    """
    if cadence in _DAYS:
        step = _DAYS[cadence]
        rounds = max((after - first_on).days // step + 1, 0)
        return first_on + timedelta(days=rounds * step)
    if cadence in _MONTHS:
        step = _MONTHS[cadence]
        rounds = max(((after.year - first_on.year) * 12 + after.month - first_on.month) // step, 0)
        found = _months_later(first_on, rounds * step)
        return found if found > after else _months_later(first_on, (rounds + 1) * step)
    return None


def kept(rounds: Sequence[str], outcome: Outcome) -> list[str]:
    """The last rounds with this one, newest last."""
    return [*rounds, outcome.value][-KEPT_MAX:]


def is_repeated(rounds: Sequence[str]) -> bool:
    """Whether deadlines slip again and again: two of the last three rounds were missed or late, or three of those kept."""
    return slipped(rounds[-3:]) >= REPEATED_MIN or slipped(rounds) > REPEATED_MIN


def slipped(rounds: Sequence[str]) -> int:
    """How many of these rounds were missed or late."""
    return sum(outcome != Outcome.DONE for outcome in rounds)


def last_of_each(duties: Sequence[Sequence[str]]) -> list[str]:
    """How the last round of each of these duties ended, in their order: what `is_repeated` judges a partner by, as one duty by its rounds."""
    return [rounds[-1] for rounds in duties if rounds][-KEPT_MAX:]


def _months_later(day: date, months: int) -> date:
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
