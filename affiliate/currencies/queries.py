"""What is read of exchange rates."""

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.currencies.convert import AGE_MAX, EURO, DayRates, Rates
from affiliate.currencies.models import ExchangeRate


def rates(session: Session, *, currencies: Collection[str], moments: Collection[datetime]) -> Rates:
    """The rates of these currencies that orders of these moments may need. One query, none for none."""
    wanted = sorted({*currencies} - {EURO})
    if not wanted or not moments:
        return Rates()
    first, last = (edge(moments).astimezone(UTC).date() for edge in (min, max))
    rows = session.execute(
        sa.select(ExchangeRate.day, ExchangeRate.source, ExchangeRate.currency, ExchangeRate.per_euro)
        .where(ExchangeRate.currency.in_(wanted), ExchangeRate.day >= first - AGE_MAX, ExchangeRate.day < last)
        .order_by(ExchangeRate.day)
    )
    days: defaultdict[tuple[date, str], dict[str, str]] = defaultdict(dict)
    for row in rows:
        days[row.day, row.source][row.currency] = row.per_euro
    return Rates([DayRates(day, source, found) for (day, source), found in days.items()])


def newest_day(session: Session) -> date | None:
    """The newest day with a rate."""
    return session.scalar(sa.select(sa.func.max(ExchangeRate.day)))


def listed(session: Session) -> list[str]:
    """The currencies that have a rate on the newest day, and the euro, by code; none where there are no rates."""
    newest = sa.select(sa.func.max(ExchangeRate.day)).scalar_subquery()
    found = list(session.scalars(sa.select(ExchangeRate.currency).where(ExchangeRate.day == newest)))
    return sorted([EURO, *found]) if found else []


def currencies(session: Session, *, day: date) -> int:
    """How many currencies have a rate of this day."""
    counted = sa.select(sa.func.count()).select_from(ExchangeRate).where(ExchangeRate.day == day)
    return session.scalar(counted) or 0
