"""Entries by hand: bonuses, make-goods, corrections and write-offs, each with a reason, and a second person above a limit.

A posted entry is never edited; what was wrong is corrected by another one.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.attribution import publishing
from affiliate.errors import Conflict, Forbidden, Invalid, NotFound
from affiliate.ledger import postings as ledger
from affiliate.ledger import service as ledger_service
from affiliate.money import AMOUNT_MINOR_MAX, Money
from affiliate.partners import queries as partners
from affiliate.partners.models import EnrollmentStatus
from affiliate.payouts import entry_queries, limits, queries
from affiliate.payouts.holding import changed
from affiliate.payouts.models import Adjustment, AdjustmentKind, AdjustmentStatus
from affiliate.payouts.steps import AboveLimit, given, person
from affiliate.programs.models import Program

N_ = str  # marks a sentence for the translators
LIMIT_PERIOD = timedelta(days=30)
"""Whoever splits an entry into many small ones needs the second person all the same."""

ENTERED = frozenset(set(AdjustmentKind) - {AdjustmentKind.VOLUME, AdjustmentKind.CREDIT})
"""What a person enters by itself: not what is reckoned, nor what an order's credit is."""


class UnknownEntry(NotFound):
    """There is no such entry, or no such partner, in this program."""


class SecondPersonWanted(Forbidden):
    """Who made an entry cannot approve it."""

    code = "same_person"


class AlreadyDecided(Conflict):
    """The entry was approved or declined before; `status` says which."""

    code = "already_decided"

    def __init__(self, status: AdjustmentStatus) -> None:
        super().__init__(N_("Somebody has decided on this entry in the meantime."))
        self.status = status


class NothingOwed(Conflict):
    """The partner owes less than would be written off."""

    code = "nothing_owed"


class StillHere(Conflict):
    """Only the debt of a partner that has left is written off: any other is netted by its next payouts."""

    code = "still_here"


def enter(
    session: Session, *, program_id: UUID, partner_id: UUID, kind: AdjustmentKind, amount: Money, reason: str,
    actor: Actor, now: datetime,
) -> Adjustment:  # fmt: skip
    """Give a partner money or take some away, with a reason that it reads. Above the program's limit it waits for a second person.

    Raises:
        UnknownEntry: the partner is not in this program.
        Invalid: the amount or the reason is wrong.
        StillHere, NothingOwed: there is nothing to write off.
        NotAPerson: the actor is not a person.
    """
    person_id = person(actor)
    why = given(reason)
    ledger_service.lock_books(session, program_ids=[program_id])
    if kind not in ENTERED:
        raise Invalid({"kind": [N_("Entries of this kind come of an order or are reckoned: nobody types them.")]})
    _check_amount(session.get_one(Program, program_id), kind, amount)
    if partners.enrollment_of(session, program_id=program_id, partner_id=partner_id) is None:
        raise UnknownEntry(N_("There is no such partner in this program."))
    if kind is AdjustmentKind.WRITE_OFF:
        _check_debt(session, program_id, partner_id, amount)
    entry = Adjustment(
        id=ids.new_at(now), program_id=program_id, partner_id=partner_id, kind=kind, status=AdjustmentStatus.PROPOSED,
        amount_minor=amount.amount_minor, currency=amount.currency, reason=why, entered_by_id=person_id, entered_at=now,
    )  # fmt: skip
    return _entered(session, entry, actor, now)


def credit(
    session: Session, *, program_id: UUID, partner_id: UUID, conversion_id: UUID, amount: Money, reason: str,
    actor: Actor, now: datetime,
) -> Adjustment:  # fmt: skip
    """Credit an order to a partner by hand, for which it would earn this amount, above zero. The limit holds as for `enter`.

    Raises:
        Invalid: the amount or the reason is wrong, or the partner does not take part.
        UnknownOrder: not in this program.
        NotAPerson: the actor is not a person.
    """
    person_id = person(actor)
    why = given(reason)
    ledger_service.lock_books(session, program_ids=[program_id])
    _check_amount(session.get_one(Program, program_id), AdjustmentKind.CREDIT, amount)
    publishing.check_credit(
        session, program_id=program_id, conversion_id=conversion_id, partner_id=partner_id, note=why
    )
    entry = Adjustment(
        id=ids.new_at(now), program_id=program_id, partner_id=partner_id, kind=AdjustmentKind.CREDIT,
        status=AdjustmentStatus.PROPOSED, amount_minor=amount.amount_minor, currency=amount.currency, reason=why,
        conversion_id=conversion_id, entered_by_id=person_id, entered_at=now,
    )  # fmt: skip
    return _entered(session, entry, actor, now)


def _entered(session: Session, entry: Adjustment, actor: Actor, now: datetime) -> Adjustment:
    """Keep a new entry; within the limit it counts at once."""
    session.add(entry)
    session.flush()
    _record(session, "adjustment.enter", entry, actor, now)
    if _is_within_limit(session, entry, now):
        _post(session, entry, actor, now, is_single_handed=True)
    return entry


def write_off(
    session: Session, *, program_id: UUID, partner_id: UUID, reason: str, actor: Actor, now: datetime
) -> Adjustment:
    """Give up the whole debt of a partner that has left.

    Raises:
        UnknownEntry, StillHere, NothingOwed, Invalid, NotAPerson: as for `enter`.
    """
    ledger_service.lock_books(session, program_ids=[program_id])
    debt = Money(_debt(session, program_id, partner_id), session.get_one(Program, program_id).currency)
    if debt.amount_minor <= 0:
        raise NothingOwed(N_("This partner owes nothing."))
    return enter(
        session, program_id=program_id, partner_id=partner_id, kind=AdjustmentKind.WRITE_OFF, amount=debt,
        reason=reason, actor=actor, now=now,
    )  # fmt: skip


def approve(session: Session, *, adjustment_id: UUID, program_id: UUID, actor: Actor, now: datetime) -> Adjustment:
    """The second person's yes: from now on the entry counts.

    Raises:
        UnknownEntry: not in this program.
        SecondPersonWanted: the actor made it, and the program wants two people.
        AboveLimit: more than the actor may approve.
        AlreadyDecided: somebody was faster.
        StillHere, NothingOwed: there is nothing to write off any more.
        Invalid: the partner of a credit does not take part any more.
        NotAPerson: the actor is not a person.
    """
    person_id = person(actor)
    entry = _locked(session, adjustment_id, program_id)
    is_own = entry.entered_by_id == person_id
    if is_own and not queries.policy_of(session, program_id=program_id).is_one_person:
        raise SecondPersonWanted(N_("You made this entry. Ask a second person to approve it."))
    limit = limits.approval_limit(session, user_id=person_id, program_id=program_id)
    if limit is not None and abs(entry.amount_minor) > limit:
        raise AboveLimit(N_("This entry is above the amount that you may approve. Ask somebody with a higher limit."))
    if entry.status is AdjustmentStatus.PROPOSED and entry.kind is AdjustmentKind.WRITE_OFF:
        _check_debt(session, program_id, entry.partner_id, Money(entry.amount_minor, entry.currency))
    _post(session, entry, actor, now, is_single_handed=is_own)
    return entry


def decline(session: Session, *, adjustment_id: UUID, program_id: UUID, actor: Actor, now: datetime) -> Adjustment:
    """The second person's no, or the first one's second thought: the entry never counts.

    Raises:
        UnknownEntry: not in this program.
        AlreadyDecided: somebody was faster.
        NotAPerson: the actor is not a person.
    """
    person(actor)
    entry = _locked(session, adjustment_id, program_id)
    _move(session, entry, AdjustmentStatus.DECLINED, actor, now)
    _record(session, "adjustment.decline", entry, actor, now)
    return entry


def debt_of(session: Session, *, program_id: UUID, partner_id: UUID) -> Money | None:
    """What a partner that has left owes, which can be written off; nothing of any other."""
    enrollment = partners.enrollment_of(session, program_id=program_id, partner_id=partner_id)
    if enrollment is None or enrollment.status is EnrollmentStatus.APPROVED:
        return None
    minor = _debt(session, program_id, partner_id)
    return Money(minor, session.get_one(Program, program_id).currency) if minor > 0 else None


def _debt(session: Session, program_id: UUID, partner_id: UUID) -> int:
    """What is owed beyond what the partner has earned, in minor units."""
    program = session.get_one(Program, program_id)
    return queries.debt(session, program=program, partner_id=partner_id)


def _check_amount(program: Program, kind: AdjustmentKind, amount: Money) -> None:
    errors = {}
    if amount.currency != program.currency:
        errors["amount"] = [N_("The amount is not in the program's currency.")]
    elif not 0 < abs(amount.amount_minor) <= AMOUNT_MINOR_MAX:
        errors["amount"] = [N_("Write an amount that is not zero.")]
    elif amount.amount_minor < 0 and kind is not AdjustmentKind.CORRECTION:
        errors["amount"] = [N_("Only a correction can take money away.")]
    if errors:
        raise Invalid(errors)


def _check_debt(session: Session, program_id: UUID, partner_id: UUID, amount: Money) -> None:
    enrollment = partners.enrollment_of(session, program_id=program_id, partner_id=partner_id)
    if enrollment is None or enrollment.status is EnrollmentStatus.APPROVED:
        raise StillHere(N_("Pause or ban the partner first: the debt of an active one is set off against its payouts."))
    if _debt(session, program_id, partner_id) < amount.amount_minor:
        raise NothingOwed(N_("This partner owes less by now."))


def _is_within_limit(session: Session, entry: Adjustment, now: datetime) -> bool:
    policy = queries.policy_of(session, program_id=entry.program_id)
    whose = {"program_id": entry.program_id, "partner_id": entry.partner_id}
    before = entry_queries.single_handed(session, **whose, since=now - LIMIT_PERIOD)
    return policy.is_one_person or before + abs(entry.amount_minor) <= policy.adjustment_limit_minor


def _post(session: Session, entry: Adjustment, actor: Actor, now: datetime, *, is_single_handed: bool) -> None:
    if entry.conversion_id is not None:
        _move(session, entry, AdjustmentStatus.CREDITED, actor, now, is_single_handed=is_single_handed)
        publishing.credit_by_hand(
            session, program_id=entry.program_id, conversion_id=entry.conversion_id, partner_id=entry.partner_id,
            note=entry.reason, actor=actor, now=now,
        )  # fmt: skip
        _record(session, "adjustment.post", entry, actor, now, **({"single_handed": True} if is_single_handed else {}))
        return
    _move(session, entry, AdjustmentStatus.POSTED, actor, now, is_single_handed=is_single_handed)
    make = ledger.write_off if entry.kind is AdjustmentKind.WRITE_OFF else ledger.adjust
    amount = Money(entry.amount_minor, entry.currency)
    made = make(program_id=entry.program_id, partner_id=entry.partner_id, manual_id=entry.id, amount=amount)
    ledger_service.post(session, postings=made, now=now)
    _record(session, "adjustment.post", entry, actor, now, **({"single_handed": True} if is_single_handed else {}))


def _locked(session: Session, adjustment_id: UUID, program_id: UUID) -> Adjustment:
    ledger_service.lock_books(session, program_ids=[program_id])
    entry = entry_queries.adjustment_of(session, adjustment_id=adjustment_id, program_id=program_id)
    if entry is None:
        raise UnknownEntry(N_("There is no such entry."))
    return entry


def _move(
    session: Session, entry: Adjustment, status: AdjustmentStatus, actor: Actor, now: datetime, **facts: Any
) -> None:
    guarded = sa.update(Adjustment).where(Adjustment.id == entry.id, Adjustment.status == AdjustmentStatus.PROPOSED)
    if changed(session, guarded.values(status=status, decided_by_id=actor.id, decided_at=now, **facts)) != 1:
        raise AlreadyDecided(entry.status)
    session.refresh(entry)


def _record(session: Session, action: str, entry: Adjustment, actor: Actor, now: datetime, **details: Any) -> None:
    facts = {"kind": entry.kind.value, "amount_minor": entry.amount_minor, "partner_id": str(entry.partner_id)}
    audit.record(
        session, actor=actor, action=action, subject_kind="adjustment", subject_id=entry.id,
        program_id=entry.program_id, details=facts | {"reason": entry.reason} | details, now=now,
    )  # fmt: skip
