"""Refunds in another currency than their order, of whose day no rate is known: shown, and taken once they can be.

They take nothing while they are set aside. A rate that is stored later lets them go on, and so does a manager's word of what one was
worth in the order's currency.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.commissions import losses
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.ingest.models import Conversion, Refund
from affiliate.money import Money

N_ = str  # marks a sentence for the translators
NOTE_LENGTH_MAX = 500
SHOWN_MAX = 20


class UnknownRefund(NotFound):
    """The order has no such refund in this program."""


class NotSetAside(Conflict):
    """The refund waits for nobody: it was taken, or settled by somebody else."""

    code = "not_set_aside"


def mark(session: Session, *, conversion_ids: Collection[UUID], without_rate: Collection[UUID]) -> None:
    """Set these refunds of the orders aside, and no others of them."""
    of_orders = sa.update(Refund).where(db.among(session, Refund.conversion_id, conversion_ids))
    still = Refund.id.in_(without_rate)
    _do(session, of_orders.where(sa.text("is_set_aside"), ~still).values(is_set_aside=False))
    if without_rate:
        _do(session, of_orders.where(still).values(is_set_aside=True))


def look_again(session: Session, *, limit: int) -> int:
    """Let those refunds go on whose rate is known by now, looked at by `limit` at once; how many."""
    freed, after = list[UUID](), UUID(int=0)
    aside = sa.select(Refund.id).where(sa.text("is_set_aside")).order_by(Refund.id).limit(limit)
    while refund_ids := session.scalars(aside.where(Refund.id > after)).all():
        freed += losses.exchanges(session, refund_ids=refund_ids)
        after = refund_ids[-1]
    free = sa.update(Refund).where(Refund.id.in_(freed), Refund.is_set_aside)
    return _do(session, free.values(is_set_aside=False, taken_at=None)) if freed else 0


def settle(
    session: Session, *, refund_id: UUID, conversion_id: UUID, program_id: UUID, amount: Money, note: str, actor: Actor,
    now: datetime,
) -> None:  # fmt: skip
    """A manager's word of what a refund was worth. The job takes it from the commissions as any other.

    Raises:
        UnknownRefund: it is not of this order, or not of the program.
        NotSetAside: it is not set aside any more.
        Invalid: the amount is below zero or not in the order's currency, or there is no note.
    """
    mine = (Refund.id == refund_id, Refund.conversion_id == conversion_id, Refund.program_id == program_id)
    waits = (*mine, Refund.is_set_aside)
    of_order = sa.select(Conversion.currency, Refund.is_set_aside).join(Refund, Refund.conversion_id == Conversion.id)
    found = session.execute(of_order.where(*mine)).first()
    if found is None:
        raise UnknownRefund(N_("There is no such entry."))
    currency = found.currency
    if not found.is_set_aside:
        raise NotSetAside(N_("This refund waits for nobody any more. Look at the order again."))
    if amount.currency != currency or amount.amount_minor < 0:
        raise Invalid({"amount": [N_("Write the amount in the currency of the order.")]})
    if not 0 < len(note.strip()) <= NOTE_LENGTH_MAX:
        raise Invalid({"reason": [N_("Say why, in up to 500 characters.")]})
    settled = {
        "settled_minor": amount.amount_minor, "settled_currency": currency, "is_set_aside": False, "taken_at": None,
    }  # fmt: skip
    if not _do(session, sa.update(Refund).where(*waits).values(settled)):
        raise NotSetAside(N_("This refund waits for nobody any more. Look at the order again."))
    details = {"amount_minor": amount.amount_minor, "currency": currency, "reason": note.strip()}
    audit.record(
        session, actor=actor, action="refund.settle", subject_kind="refund", subject_id=refund_id,
        program_id=program_id, details=details, now=now,
    )  # fmt: skip


def waiting(session: Session, *, program_id: UUID) -> Sequence[Any]:
    """The orders of the program with a refund that is set aside, the oldest first: id and order number."""
    found = (
        sa.select(Conversion.id, Conversion.order_id)
        .join(Refund, Refund.conversion_id == Conversion.id)
        .where(Refund.program_id == program_id, sa.text("is_set_aside"))
        .group_by(Conversion.id, Conversion.order_id)
    )
    return session.execute(found.order_by(sa.func.min(Refund.received_at), Conversion.id).limit(SHOWN_MAX)).all()


def _do(session: Session, change: sa.Update) -> int:
    result = session.execute(change, execution_options={"synchronize_session": False})
    return int(getattr(result, "rowcount", 0))
