"""What a partner costs outside of the ledger: flat fees, samples, hours of an agency. Written down so that its return is real."""

from datetime import date, datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import days, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.money import AMOUNT_MINOR_MAX, Money
from affiliate.partners import queries as partners
from affiliate.payouts.holding import changed
from affiliate.payouts.models import CostKind, PartnerCost
from affiliate.payouts.steps import given, person
from affiliate.programs.models import Program

N_ = str  # marks a sentence for the translators


class UnknownPartner(NotFound):
    """The partner is not in this program."""


class UnknownCost(NotFound):
    """The partner has no such cost in this program."""


class AlreadyRemoved(Conflict):
    """Somebody has removed this cost."""

    code = "already_removed"


def enter_cost(
    session: Session, *, program_id: UUID, partner_id: UUID, kind: CostKind, spent_on: date, amount: Money, note: str,
    actor: Actor, now: datetime,
) -> PartnerCost:  # fmt: skip
    """Write down what a partner has cost on a day.

    Raises:
        UnknownPartner: it is not in this program.
        Invalid: names each wrong field.
        NotAPerson: the actor is not a person.
    """
    person_id = person(actor)
    if partners.enrollment_of(session, program_id=program_id, partner_id=partner_id) is None:
        raise UnknownPartner(N_("There is no such partner in this program."))
    errors = {}
    if amount.currency != session.get_one(Program, program_id).currency:
        errors["amount"] = [N_("The amount is not in the program's currency.")]
    elif not 0 < amount.amount_minor <= AMOUNT_MINOR_MAX:
        errors["amount"] = [N_("Write an amount above zero.")]
    if not days.FIRST <= spent_on <= now.date() + timedelta(days=1):
        errors["spent_on"] = [N_("Write a day that is not in the future.")]
    if errors:
        raise Invalid(errors)
    cost = PartnerCost(
        id=ids.new_at(now), program_id=program_id, partner_id=partner_id, kind=kind, spent_on=spent_on,
        amount_minor=amount.amount_minor, currency=amount.currency, note=given(note),
        entered_by_id=person_id, entered_at=now,
    )  # fmt: skip
    session.add(cost)
    session.flush()
    _record(session, "partner.enter_cost", cost, actor, now)
    return cost


def remove_cost(
    session: Session, *, cost_id: UUID, program_id: UUID, partner_id: UUID, actor: Actor, now: datetime
) -> None:
    """It was a mistake: from now on the cost does not count. The row stays as history.

    Raises:
        UnknownCost: the partner has none of this id in the program.
        AlreadyRemoved: it is gone.
        NotAPerson: the actor is not a person.
    """
    cost = session.get(PartnerCost, cost_id)
    if cost is None or (cost.program_id, cost.partner_id) != (program_id, partner_id):
        raise UnknownCost(N_("There is no such entry."))
    still = (PartnerCost.id == cost_id, PartnerCost.removed_at.is_(None))
    removed = sa.update(PartnerCost).where(*still).values(removed_at=now, removed_by_id=person(actor))
    if changed(session, removed) != 1:
        raise AlreadyRemoved(N_("This cost was removed before."))
    _record(session, "partner.remove_cost", cost, actor, now)


def _record(session: Session, action: str, cost: PartnerCost, actor: Actor, now: datetime) -> None:
    facts = {"kind": cost.kind.value, "amount_minor": cost.amount_minor, "partner_id": str(cost.partner_id)}
    audit.record(
        session, actor=actor, action=action, subject_kind="partner_cost", subject_id=cost.id,
        program_id=cost.program_id, details=facts | {"spent_on": cost.spent_on.isoformat()}, now=now,
    )  # fmt: skip
