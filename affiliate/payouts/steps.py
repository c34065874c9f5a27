"""What the steps of a run share: their refusals, the lock, the guarded moves, and the audit row."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.errors import Conflict, Forbidden, Invalid, NotFound
from affiliate.ledger import service as ledger_service
from affiliate.money import Money
from affiliate.payouts import queries
from affiliate.payouts.holding import changed
from affiliate.payouts.models import Payout, PayoutRun, PayoutStatus, ReasonCode

N_ = str  # marks a sentence for the translators
REASON_LENGTH_MAX = 500


class UnknownRun(NotFound):
    """There is no such run in this program."""


class NothingToPay(Conflict):
    """No partner can be paid now; the preview says why for each."""

    code = "nothing_to_pay"


class SumChanged(Conflict):
    """The sum is not the one that the person saw."""

    code = "sum_changed"

    def __init__(self, total: Money) -> None:
        super().__init__(N_("The sum has changed while you looked. Look again."))
        self.total = total


class SamePerson(Forbidden):
    """Who proposed a run cannot approve it: it needs a second person."""

    code = "same_person"


class AboveLimit(Forbidden):
    """The run is larger than what this person may approve."""

    code = "above_limit"


class NotAPerson(Forbidden):
    """Only a signed-in person proposes, approves, settles or cancels; keys and jobs cannot."""

    code = "not_a_person"


class WrongStatus(Conflict):
    """The run is not in the status from which this step starts: somebody was faster."""

    code = "wrong_status"

    def __init__(self, status: PayoutStatus) -> None:
        super().__init__(N_("This run has moved on in the meantime. Look at where it stands now."))
        self.status = status


class PartlySettled(Conflict):
    """Some of the run's money has arrived: what is left can fail one by one, the run cannot be taken back."""

    code = "partly_settled"


def person(actor: Actor) -> UUID:
    """The person behind the actor.

    Raises:
        NotAPerson: there is none.
    """
    if actor.kind != "user" or actor.id is None:
        raise NotAPerson(N_("Only a signed-in person can do this."))
    return actor.id


def said(reason: str, code: ReasonCode | None) -> dict[str, Any]:
    """Why, as columns: in a person's words, or by a code with what a file added to it.

    Raises:
        Invalid: there is neither, or a very long reason.
    """
    if code is None:
        return {"reason": given(reason), "reason_code": None}
    return {"reason": reason.strip()[:REASON_LENGTH_MAX] or None, "reason_code": code}


def given(reason: str) -> str:
    """The reason, trimmed.

    Raises:
        Invalid: there is none, or a very long one.
    """
    if not 0 < len(reason.strip()) <= REASON_LENGTH_MAX:
        raise Invalid({"reason": [N_("Say why, in up to 500 characters.")]})
    return reason.strip()


def locked(session: Session, run_id: UUID, program_id: UUID) -> PayoutRun:
    """The run as it stands, with its program's books locked.

    Raises:
        UnknownRun: not in this program.
    """
    ledger_service.lock_books(session, program_ids=[program_id])
    run = queries.run_of(session, run_id=run_id, program_id=program_id)
    if run is None:
        raise UnknownRun(N_("There is no such payout run."))
    return run


def record(session: Session, action: str, run: PayoutRun, actor: Actor, now: datetime, **details: Any) -> None:
    """Write down who did what to a run."""
    facts = {"total_minor": run.total_minor, "currency": run.currency} | details
    audit.record(
        session, actor=actor, action=action, subject_kind="payout_run", subject_id=run.id,
        program_id=run.program_id, details=facts, now=now,
    )  # fmt: skip


def move(session: Session, run: PayoutRun, before: PayoutStatus, status: PayoutStatus, **facts: Any) -> None:
    """Move a run to the next status, if and only if it is still where it was.

    Raises:
        WrongStatus: it is not.
    """
    guarded = sa.update(PayoutRun).where(PayoutRun.id == run.id, PayoutRun.status == before)
    if changed(session, guarded.values(status=status, **facts)) != 1:
        raise WrongStatus(run.status)
    session.refresh(run)


def move_payouts(
    session: Session, run: PayoutRun, before: PayoutStatus, *, only: Sequence[UUID] | None = None, **values: Any
) -> Sequence[Any]:
    """Move the payouts of a run that are still where they were, and give them in the order of ids."""
    guarded = sa.update(Payout).where(Payout.run_id == run.id, Payout.status == before)
    if only is not None:
        guarded = guarded.where(db.among(session, Payout.id, only))
    columns = (
        "id",
        "program_id",
        "partner_id",
        "currency",
        "amount_minor",
        "clawed_back_minor",
        "withheld_minor",
        "vat_minor",
        "stamp_minor",
    )
    moved = guarded.values(values).returning(*(getattr(Payout, name) for name in columns))
    rows = session.execute(moved, execution_options={"synchronize_session": False}).all()
    return sorted(rows, key=lambda row: row.id)


def of(run: PayoutRun, status: PayoutStatus) -> sa.Select[UUID]:
    """The ids of a run's payouts in a status."""
    return sa.select(Payout.id).where(Payout.run_id == run.id, Payout.status == status)


def whose(payout: Any) -> dict[str, UUID]:
    """Whose money it is, for a posting."""
    return {"program_id": payout.program_id, "partner_id": payout.partner_id}


def sent(payout: Any) -> Money:
    """What goes to the partner: what is left after tax was withheld."""
    return Money(payout.amount_minor - payout.withheld_minor, payout.currency)


def added(payout: Any) -> Money:
    """What the paper adds to the commissions: VAT and stamp duty."""
    return Money(payout.vat_minor + payout.stamp_minor, payout.currency)


def withheld(payout: Any) -> Money:
    """What goes to the state."""
    return Money(payout.withheld_minor, payout.currency)
