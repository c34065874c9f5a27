"""Payouts to accounts in another currency: what leaves is turned once, when it is proposed, by a rate that the payout names.

The books stay in the program's currency: that is what the partner earned, and what is settled.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.currencies import queries as currencies
from affiliate.money import Money, divide_half_even
from affiliate.payouts.models import Payout, PayoutMethod


def turned(session: Session, *, rows: Sequence[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """New payouts with what is paid of each in its account's currency, by the newest rates of a day before this one.

    Without a rate it is paid in the program's currency, as to any other account; so is what would be turned into nothing.
    """
    accounts = db.among(session, PayoutMethod.id, {row["method_id"] for row in rows})
    wanted = sa.select(PayoutMethod.id, PayoutMethod.currency).where(accounts, PayoutMethod.currency.is_not(None))
    account_in = {row[0]: str(row[1]) for row in session.execute(wanted)}
    met = {*account_in.values(), *(row["currency"] for row in rows)}
    known = currencies.rates(session, currencies=met, moments=[now] if len(met) > 1 else [])
    found = []
    for row in rows:
        paid_in = account_in.get(row["method_id"], row["currency"])
        rate = None if paid_in == row["currency"] else known.exchange(currency=row["currency"], to=paid_in, at=now)
        paid: dict[str, Any] = {"paid_currency": None, "paid_minor": None, "exchange": None}
        if rate is not None:
            exact = (row["amount_minor"] - row["withheld_minor"]) * rate.factor
            minor = divide_half_even(exact.numerator, exact.denominator)
            if minor:
                paid = {"paid_currency": paid_in, "paid_minor": minor, "exchange": rate.told()}
        found.append(row | paid)
    return found


def amount_paid(payout: Payout) -> Money:
    """What goes to the account."""
    if payout.paid_currency is None or payout.paid_minor is None:
        return Money(payout.to_pay_minor, payout.currency)
    return Money(payout.paid_minor, payout.paid_currency)
