"""Orders that earn nothing because their day had no exchange rate: attributed anew, and so paid, once it is known."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.attribution import service as attribution
from affiliate.commissions.life import CommissionReason
from affiliate.commissions.models import Commission
from affiliate.currencies import queries as currencies
from affiliate.currencies.convert import EURO, Rates
from affiliate.currencies.models import ExchangeRate
from affiliate.ingest.models import Conversion

_MET = (Conversion.currency, Commission.counted_currency, Commission.currency)


def look_again(session: Session, *, limit: int) -> int:
    """Ask for another version of all orders whose rate is known now, looked at by `limit` at once; how many."""
    asked, after = 0, UUID(int=0)
    while rows := _waiting(session, after, limit):
        known = currencies.rates(
            session, currencies={currency for row in rows for currency in row[3:]}, moments=[row[2] for row in rows]
        )
        found = {row[1] for row in rows if _is_known(known, row[2], row[3:])}
        asked += attribution.ask_again(session, conversion_ids=sorted(found))
        after = rows[-1][0]
    return asked


def _waiting(session: Session, after: UUID, limit: int) -> Sequence[Any]:
    rated = sa.select(ExchangeRate.currency)
    return session.execute(
        sa.select(Commission.id, Conversion.id, Conversion.occurred_at, *_MET)
        .join(Commission, Commission.conversion_id == Conversion.id)
        .where(Commission.is_live, Commission.reason == CommissionReason.NO_EXCHANGE_RATE, Commission.id > after)
        .where(*(sa.or_(currency == EURO, currency.in_(rated)) for currency in _MET))
        .order_by(Commission.id)
        .limit(limit)
    ).all()


def _is_known(known: Rates, at: datetime, chain: Sequence[str]) -> bool:
    """Whether an order can be turned into its plan's currency, and that into its program's."""
    return all(one == other or known.exchange(currency=one, to=other, at=at) for one, other in pairwise(chain))
