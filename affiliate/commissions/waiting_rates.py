"""Orders that earn nothing because their day had no exchange rate: attributed anew, and so paid, once it is known."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.attribution import service as attribution
from affiliate.commissions.life import CommissionReason
from affiliate.commissions.models import Commission
from affiliate.currencies import queries as currencies
from affiliate.currencies.convert import EURO
from affiliate.currencies.models import ExchangeRate
from affiliate.ingest.models import Conversion
from affiliate.programs.models import Program


def look_again(session: Session, *, limit: int) -> int:
    """Ask for another version of up to `limit` orders whose rate is known now; how many."""
    rated = sa.or_(Conversion.currency == EURO, Conversion.currency.in_(sa.select(ExchangeRate.currency)))
    rows = session.execute(
        sa.select(Conversion.id, Conversion.currency, Program.currency, Conversion.occurred_at)
        .join(Commission, Commission.conversion_id == Conversion.id)
        .join(Program, Program.id == Conversion.program_id)
        .where(Commission.is_live, Commission.reason == CommissionReason.NO_EXCHANGE_RATE, rated)
        .order_by(Commission.created_at)
        .limit(limit)
    ).all()
    named = {currency for row in rows for currency in row[1:3]}
    known = currencies.rates(session, currencies=named, moments=[row[3] for row in rows])
    found = {row[0] for row in rows if known.exchange(currency=row[1], to=row[2], at=row[3])}
    return attribution.ask_again(session, conversion_ids=sorted(found))
