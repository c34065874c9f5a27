"""Orders that earn nothing because their day had no exchange rate: attributed anew, and so paid, once it is known."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.attribution import service as attribution
from affiliate.commissions.life import CommissionReason
from affiliate.commissions.models import Commission
from affiliate.currencies import queries as currencies
from affiliate.currencies.convert import EURO, Rates
from affiliate.currencies.models import ExchangeRate
from affiliate.ingest.models import Conversion


def look_again(session: Session, *, limit: int) -> int:
    """Ask for another version of up to `limit` orders whose rate is known now; how many."""
    met = (Conversion.currency, Commission.counted_currency, Commission.currency)
    rated = sa.select(ExchangeRate.currency)
    rows = session.execute(
        sa.select(Conversion.id, Conversion.occurred_at, *met)
        .join(Commission, Commission.conversion_id == Conversion.id)
        .where(Commission.is_live, Commission.reason == CommissionReason.NO_EXCHANGE_RATE)
        .where(*(sa.or_(currency == EURO, currency.in_(rated)) for currency in met))
        .order_by(Commission.created_at)
        .limit(limit)
    ).all()
    known = currencies.rates(
        session, currencies={currency for row in rows for currency in row[2:]}, moments=[row[1] for row in rows]
    )
    found = {row[0] for row in rows if _is_known(known, row[1], row[2:])}
    return attribution.ask_again(session, conversion_ids=sorted(found))


def _is_known(known: Rates, at: datetime, chain: Sequence[str]) -> bool:
    """Whether an order can be turned into its plan's currency, and that into its program's."""
    return all(one == other or known.exchange(currency=one, to=other, at=at) for one, other in pairwise(chain))
