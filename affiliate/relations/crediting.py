"""Crediting an order to a partner by hand: what it would earn decides whether a second person has to agree."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts.actors import Actor
from affiliate.attribution import publishing
from affiliate.attribution.models import Attribution
from affiliate.attribution.rules import CreditShare
from affiliate.attribution.touches import Step, Touch
from affiliate.errors import Conflict, Invalid
from affiliate.ingest.models import Conversion
from affiliate.money import BPS_PER_UNIT, Money
from affiliate.payouts import adjusting, queries
from affiliate.payouts.models import Adjustment, AdjustmentStatus
from affiliate.programs.models import Program
from affiliate.replay import pricing

N_ = str  # marks a sentence for the translators

NOT_KNOWN = N_(
    "What this order would earn is not known yet: it has no amount, or its currency no rate. Wait, or pay an amount."
)
"""Why an order cannot be credited by one person, nor proposed to a second one."""


class WorthMore(Conflict):
    """The order would earn more than what was proposed."""

    code = "worth_more"

    def __init__(self) -> None:
        super().__init__(
            N_("This order would earn more by now than was proposed. Decline the entry, and propose the credit again.")
        )


def worth(session: Session, *, program: Program, conversion_id: UUID, partner_id: UUID) -> Money:
    """What the partner would earn by the whole order as its plan stands, less what was refunded since."""
    order = session.get_one(Conversion, conversion_id)
    touch = Touch("manual", order.occurred_at, (Step.MANUAL,), partner_id=partner_id)
    current = (Attribution.conversion_id == conversion_id, Attribution.is_current)
    is_new = session.scalar(sa.select(Attribution.is_new_customer).where(*current))
    wanted = pricing.Wanted(conversion_id, [CreditShare(partner_id, BPS_PER_UNIT, touch)], is_new)
    earned = pricing.price(session, program=program, wanted=[wanted])[conversion_id]
    return Money(max(0, earned.get(partner_id, 0)), program.currency)


def give(
    session: Session, *, program: Program, conversion_id: UUID, partner_id: UUID, note: str, actor: Actor, now: datetime
) -> Adjustment | None:
    """Credit the order: at once within the limit of what one person may give, else when a second one agrees; gives the entry.

    Null where the order earns nothing: there is nothing to agree to.

    Raises:
        Invalid: what it would earn is not known yet; the partner does not take part; the note is missing.
        UnknownOrder: not in this program.
    """
    about: dict[str, Any] = {"program_id": program.id, "conversion_id": conversion_id, "partner_id": partner_id}
    order = session.get(Conversion, conversion_id)
    if order is None or order.program_id != program.id:
        raise publishing.UnknownOrder
    amount = worth(session, program=program, conversion_id=conversion_id, partner_id=partner_id)
    if amount:
        return adjusting.credit(session, **about, amount=amount, reason=note, actor=actor, now=now)
    is_alone = queries.policy_of(session, program_id=program.id).is_one_person
    if not is_alone and (order.amount_minor == 0 or order.currency != program.currency):
        raise Invalid({"settlement": [NOT_KNOWN]})
    publishing.credit_by_hand(session, **about, note=note, actor=actor, now=now)
    return None


def approve(session: Session, *, program: Program, adjustment_id: UUID, actor: Actor, now: datetime) -> Adjustment:
    """The second person's yes to any entry. An order is credited only for what the two agreed on: it may have been amended since.

    Raises:
        WorthMore. All that `adjusting.approve` raises.
    """
    entry = session.get(Adjustment, adjustment_id)
    if entry is not None and entry.program_id == program.id and entry.status is AdjustmentStatus.PROPOSED:
        order = entry.conversion_id
        if order is not None and _earns(session, program, order, entry.partner_id) > entry.amount_minor:
            raise WorthMore
    return adjusting.approve(session, adjustment_id=adjustment_id, program_id=program.id, actor=actor, now=now)


def _earns(session: Session, program: Program, conversion_id: UUID, partner_id: UUID) -> int:
    return worth(session, program=program, conversion_id=conversion_id, partner_id=partner_id).amount_minor
