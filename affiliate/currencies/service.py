"""Every write of exchange rates."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from affiliate import db
from affiliate.currencies import queries
from affiliate.currencies.convert import AGE_MAX, DayRates
from affiliate.currencies.models import ExchangeRate

HISTORY = timedelta(days=400)
"""How far back rates are kept at hand: an order may be told late."""

_AT_ONCE = 1_000


def since(session: Session, *, now: datetime) -> date:
    """The first day whose rates are still worth reading from a file."""
    newest = queries.newest_day(session)
    wanted = (now - HISTORY).date()
    return wanted if newest is None else max(wanted, newest - AGE_MAX)


def store(session: Session, *, days: Sequence[DayRates], now: datetime) -> int:
    """Keep rates; those that are known stay as they are. Gives how many are new."""
    rows = [
        {"currency": currency, "day": rates.day, "per_euro": text, "source": rates.source, "stored_at": now}
        for rates in days
        for currency, text in sorted(rates.per_euro.items())
    ]
    return sum(
        len(db.insert_new(session, ExchangeRate, rows[start : start + _AT_ONCE], returning=ExchangeRate.currency))
        for start in range(0, len(rows), _AT_ONCE)
    )
