"""What a partner had brought before an order: the counters of tiers, caps and bonuses. Pure.

They are read in the order in which orders are worked on, under the lock of the program's books, and stored in the
trace. A later change never rates another order again.
"""

from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from affiliate.commissions.terms import Period

_MONTHS_A_QUARTER = 3
_MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True)
class Tally:
    """Orders that count, the sum of their bases, and what was earned for them, in minor units."""

    orders: int = 0
    base_minor: int = 0
    earned_minor: int = 0

    def plus(self, *, base_minor: int, earned_minor: int) -> "Tally":
        """The tally after one more order."""
        return Tally(self.orders + 1, self.base_minor + base_minor, self.earned_minor + earned_minor)


Before = dict[Period, Tally]
"""What was counted before an order, by period."""


def bounds(period: Period, *, at: datetime, zone: str) -> tuple[datetime, datetime] | None:
    """The half-open period that holds an instant, cut at midnight of the time zone; None for a lifetime."""
    if period is Period.LIFETIME:
        return None
    there = ZoneInfo(zone)
    day = at.astimezone(there).date()
    if period is Period.DAY:
        following = day.fromordinal(day.toordinal() + 1)
        return datetime.combine(day, time(), there), datetime.combine(following, time(), there)
    months = _MONTHS_A_QUARTER if period is Period.QUARTER else 1
    start = day.replace(day=1, month=day.month - (day.month - 1) % months)
    years, month = divmod(start.month - 1 + months, _MONTHS_A_YEAR)
    end = start.replace(year=start.year + years, month=month + 1)
    return datetime.combine(start, time(), there), datetime.combine(end, time(), there)
