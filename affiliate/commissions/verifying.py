"""A manager vouches for an order that no trusted source has confirmed: bounded, audited, and a higher source still overrules it.

All managers of a program together may vouch for as much, in thirty days, as a twentieth of what its shop confirmed in
them, and always for 500 units of its currency.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.attribution import service as attribution
from affiliate.commissions.models import OrderVerification
from affiliate.currencies import queries as currencies
from affiliate.errors import Conflict, Forbidden, Invalid, NotFound
from affiliate.ingest import beliefs
from affiliate.ingest.models import Conversion, ConversionRevision, Trust
from affiliate.ledger import service as ledger_service
from affiliate.money import Money, divide_half_even, exponent
from affiliate.programs.models import Program

N_ = str  # marks a sentence for the translators
NOTE_LENGTH_MAX = 500
PERIOD = timedelta(days=30)
ONE_OF = 20
ALWAYS_UNITS = 500


class UnknownOrder(NotFound):
    """There is no such order in the program."""


class NotToVerify(Conflict):
    """The order is verified already, or a test."""

    code = "not_to_verify"


class AboveLimit(Forbidden):
    """More than managers may vouch for."""

    code = "above_limit"


def verify(session: Session, *, conversion_id: UUID, program_id: UUID, note: str, actor: Actor, now: datetime) -> None:
    """Believe an order as if a signed source had told it. A new version of its attribution follows, and its commissions.

    Raises:
        UnknownOrder: not in this program.
        NotToVerify: it is verified, or a test.
        Invalid: no reason was given.
        AboveLimit: together with what was vouched for before it is too much; or its currency has no rate.
    """
    if not 0 < len(note.strip()) <= NOTE_LENGTH_MAX:
        raise Invalid({"reason": [N_("Say why, in up to 500 characters.")]})
    ledger_service.lock_books(session, program_ids=[program_id])  # so that two managers share one limit
    mine = sa.select(Conversion).where(Conversion.id == conversion_id, Conversion.program_id == program_id)
    order = session.scalar(mine.with_for_update())
    if order is None:
        raise UnknownOrder(N_("There is no such order."))
    if order.is_test or beliefs.is_verified(order.trust):
        raise NotToVerify(N_("This order needs no word of yours: it is verified, or a test."))
    amount = _worth(session, order)
    if amount is None or amount.amount_minor > room(session, program_id=program_id, now=now).amount_minor:
        raise AboveLimit(N_("This is more than may be verified by hand. Let the shop's server confirm the order."))
    session.add(
        OrderVerification(
            conversion_id=order.id, program_id=program_id, amount_minor=amount.amount_minor, note=note.strip(),
            verified_by_id=actor.id if actor.kind == "user" else None, verified_at=now,
        )
    )  # fmt: skip
    _believe(session, order, now)
    audit.record(
        session, actor=actor, action="conversion.verify", subject_kind="conversion", subject_id=order.id,
        program_id=program_id, details={"amount_minor": amount.amount_minor, "reason": note.strip()}, now=now,
    )  # fmt: skip


def room(session: Session, *, program_id: UUID, now: datetime) -> Money:
    """How much may still be verified by hand now."""
    program = session.get_one(Program, program_id)
    since = now - PERIOD
    confirmed = sa.select(sa.func.coalesce(sa.func.sum(Conversion.amount_minor), 0)).where(
        Conversion.program_id == program_id,
        Conversion.occurred_at >= since,
        Conversion.trust >= Trust.SIGNED,
        ~Conversion.is_test,
        Conversion.currency == program.currency,
        ~sa.exists().where(OrderVerification.conversion_id == Conversion.id),
    )
    by_hand = sa.select(sa.func.coalesce(sa.func.sum(OrderVerification.amount_minor), 0)).where(
        OrderVerification.program_id == program_id, OrderVerification.verified_at > since
    )
    limit = max(divide_half_even(int(session.scalar(confirmed) or 0), ONE_OF), ALWAYS_UNITS * 10 ** exponent(program.currency))  # fmt: skip
    return Money(max(0, limit - int(session.scalar(by_hand) or 0)), program.currency)


def _worth(session: Session, order: Conversion) -> Money | None:
    """The order in its program's currency."""
    currency = session.get_one(Program, order.program_id).currency
    if order.currency == currency:
        return Money(order.amount_minor, currency)
    known = currencies.rates(session, currencies={order.currency, currency}, moments=[order.occurred_at])
    found = known.exchange(currency=order.currency, to=currency, at=order.occurred_at)
    if found is None:
        return None
    exact = order.amount_minor * found.factor
    return Money(divide_half_even(exact.numerator, exact.denominator), currency)


def _believe(session: Session, order: Conversion, now: datetime) -> None:
    """Raise the order's trust, keep what was believed before, and ask for another attribution."""
    facts: dict[str, Any] = {name: getattr(order, name) for name in beliefs.FACT_NAMES}
    session.add(
        ConversionRevision(
            id=ids.derived(order.id, "verification"), conversion_id=order.id, delivery_id=ids.derived(order.id, "verified"),
            revision=order.revision, trust=order.trust, facts=facts, differences={}, replaced_at=now,
        )
    )  # fmt: skip
    order.trust = int(Trust.SIGNED)
    session.flush()
    attribution.ask_again(session, conversion_ids=[order.id])
