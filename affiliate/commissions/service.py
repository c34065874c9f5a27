"""Every write on commissions. A batch is read and written under the lock of its programs' books."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import InstrumentedAttribute, Session

from affiliate import db
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.attribution.models import Attribution
from affiliate.commissions import changed_days, facts, life, losses, maturity, queries, reversals, set_aside
from affiliate.commissions.commissioning import commission_credits
from affiliate.commissions.life import AdjustmentSource, CommissionStatus, DeclineReason, Taking
from affiliate.commissions.models import Commission
from affiliate.commissions.queries import Standing, Waiting
from affiliate.commissions.takings import Changes, declined, take, write
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.fraud import counting as fraud
from affiliate.ingest.models import OrderEvent, Refund
from affiliate.ledger import postings as ledger
from affiliate.ledger import service as ledger_service
from affiliate.ledger.postings import Posting
from affiliate.money import Money

N_ = str  # marks a sentence for the translators
NOTE_LENGTH_MAX = 500


class UnknownCommission(NotFound):
    """There is no such commission in this program."""


class WrongStatus(Conflict):
    """The commission is not in a status from which this step starts."""

    code = "wrong_status"

    def __init__(self, status: CommissionStatus) -> None:
        super().__init__(N_("This commission can no longer be decided. Look at where it stands now."))
        self.status = status


def commission_waiting(session: Session, *, limit: int, now: datetime) -> int:
    """Turn up to `limit` attributions into commissions, and give their number.

    What an older attribution of the same order earned is reversed first (or owed back, if it is in a payout). Then each
    credit gets its commission, also of nothing, with the reason; refunds that came before are taken at once, so that no
    moment shows more than the order is worth.
    """
    waiting = queries.attributions_waiting(session, limit=limit)
    if not waiting:
        return 0
    ledger_service.lock_books(session, program_ids={row.program_id for row in waiting})
    claimed = _claim(session, Attribution.id, Attribution.commissioned_at, waiting, now)
    conversion_ids = {row.conversion_id for row in waiting}
    postings = _supersede(session, conversion_ids, now)
    postings += commission_credits(session, conversion_ids=conversion_ids, now=now)
    postings += take_losses(session, conversion_ids=conversion_ids, now=now)
    ledger_service.post(session, postings=postings, now=now)
    return claimed


def reverse_waiting(session: Session, *, limit: int, now: datetime) -> int:
    """Take up to `limit` refunds and as many cancellations from the commissions of their orders; gives their number."""
    refunds = queries.refunds_waiting(session, limit=limit)
    cancellations = queries.cancellations_waiting(session, limit=limit)
    waiting = refunds + cancellations
    if not waiting:
        return 0
    ledger_service.lock_books(session, program_ids={row.program_id for row in waiting})
    claimed = _claim(session, Refund.id, Refund.taken_at, refunds, now)
    fraud.note_refunds(session, conversion_ids={row.conversion_id for row in refunds})
    claimed += _claim(session, OrderEvent.id, OrderEvent.taken_at, cancellations, now)
    postings = take_losses(session, conversion_ids={row.conversion_id for row in waiting}, now=now)
    ledger_service.post(session, postings=postings, now=now)
    return claimed


def release_awaiting(session: Session, *, limit: int) -> int:
    """Set the validation period of up to `limit` commissions whose order was paid, shipped or delivered at last."""
    waiting = queries.commissions_released(session, limit=limit)
    if not waiting:
        return 0
    ledger_service.lock_books(session, program_ids={row.program_id for row in waiting})
    events = facts.events_of(session, conversion_ids={row.conversion_id for row in waiting})
    changes = []
    for row in facts.awaiting(session, commission_ids=[row.id for row in waiting]):
        matures = maturity.maturity(row.terms, events=events.get(row.conversion_id, {}))
        if (matures.matures_at, matures.awaits) != (row.matures_at, row.awaits):
            changes.append({"id": row.id, "matures_at": matures.matures_at, "awaits": matures.awaits})
    if changes:
        session.execute(sa.update(Commission), changes)
    return len(changes)


def approve_due(session: Session, *, limit: int, now: datetime) -> int:
    """Approve up to `limit` pending commissions whose validation period is over, and give their number."""
    due = queries.commissions_maturing(session, limit=limit, now=now)
    if not due:
        return 0
    ledger_service.lock_books(session, program_ids={row.program_id for row in due})
    return _approve(session, db.among(session, Commission.id, [row.id for row in due]), now)


def approve(session: Session, *, commission_id: UUID, program_id: UUID, actor: Actor, now: datetime) -> None:
    """Approve a pending commission before its validation period is over.

    Raises:
        UnknownCommission: not in this program.
        WrongStatus: it is not pending.
    """
    ledger_service.lock_books(session, program_ids=[program_id])
    mine = sa.and_(Commission.id == commission_id, Commission.program_id == program_id)
    if not _approve(session, mine, now):
        raise WrongStatus(_known(session, commission_id, program_id).worth.status)
    _record(session, "commission.approve", "commission", commission_id, program_id, actor=actor, now=now)


def decline(
    session: Session,
    *,
    commission_id: UUID,
    program_id: UUID,
    reason: str,
    why: DeclineReason = DeclineReason.OTHER,
    actor: Actor,
    now: datetime,
) -> None:
    """Take all that is left of a pending or approved commission, for a reason that the partner will read.

    Raises:
        UnknownCommission: not in this program.
        WrongStatus: it is neither pending nor approved.
        Invalid: there is no reason, or a very long one.
    """
    if not 0 < len(reason.strip()) <= NOTE_LENGTH_MAX:
        raise Invalid({"reason": [N_("Say why, in up to 500 characters. The partner will read it.")]})
    ledger_service.lock_books(session, program_ids=[program_id])
    standing = _known(session, commission_id, program_id)
    if standing.worth.status not in life.WITH_US:
        raise WrongStatus(standing.worth.status)
    changes = Changes()
    take(changes, standing, [declined(standing, note=reason.strip(), reason=why)], now=now)
    ledger_service.post(session, postings=write(session, changes), now=now)
    details = {
        "reason": reason.strip(),
        "why": why,
        "left_minor": standing.worth.left_minor,
        "currency": standing.currency,
    }
    _record(
        session, "commission.decline", "commission", commission_id, program_id, actor=actor, details=details, now=now
    )


def take_losses(session: Session, *, conversion_ids: Collection[UUID], now: datetime) -> list[Posting]:
    """Take every loss of these orders that was not taken yet from each of their live commissions, and give the postings.

    Under the lock of the books, by whoever knows of new losses.
    """
    standings = queries.standings_of(session, conversion_ids=conversion_ids)
    lost = losses.losses_of(session, conversion_ids=conversion_ids)
    set_aside.mark(session, conversion_ids=conversion_ids, without_rate=lost.without_rate)
    losses.keep(session, turned=lost.turned)
    taken = queries.sources_taken(session, commission_ids=[standing.id for standing in standings])
    originals = queries.original_amounts(session, conversion_ids=conversion_ids)
    changes = Changes()
    for standing in standings:
        of_order, done = lost.of(standing.conversion_id), taken.get(standing.id, set())
        takings = reversals.takings(
            reversals.parts_of(
                standing.trace,
                amount_minor=standing.worth.amount_minor,
                original_minor=originals[standing.conversion_id],
            ),
            reversed_minor=standing.worth.reversed_minor,
            known=[loss for loss in of_order if loss.source_id in done],
            fresh=[loss for loss in of_order if loss.source_id not in done],
        )
        take(changes, standing, takings, now=now)
    return write(session, changes)


def approve_orders(session: Session, *, conversion_ids: Collection[UUID], now: datetime) -> int:
    """Approve the pending commissions of these orders, whatever is left of their validation period."""
    if not conversion_ids:
        return 0
    return _approve(
        session, sa.and_(db.among(session, Commission.conversion_id, conversion_ids), Commission.is_live), now
    )


def _claim(
    session: Session,
    key: InstrumentedAttribute[UUID],
    mark: InstrumentedAttribute[datetime | None],
    waiting: Sequence[Waiting],
    now: datetime,
) -> int:
    """Mark the waiting rows as taken into account; gives how many nobody had marked before."""
    rows = sa.and_(db.among(session, key, [row.id for row in waiting]), mark.is_(None))
    change = sa.update(key.class_).where(rows).values({mark.key: now})
    result = session.execute(change, execution_options={"synchronize_session": False})
    return cast("CursorResult[Any]", result).rowcount


def _supersede(session: Session, conversion_ids: Collection[UUID], now: datetime) -> list[Posting]:
    """End the commissions of attributions that are no longer in force."""
    changes = Changes()
    for standing, attribution_id in queries.superseded(session, conversion_ids=conversion_ids):
        rest = Taking(AdjustmentSource.ATTRIBUTION, attribution_id, standing.worth.left_minor)
        take(changes, standing, [rest], now=now, stays_live=False)
    return write(session, changes)


def _approve(session: Session, which: sa.ColumnElement[bool], now: datetime) -> int:
    """Approve those of the commissions that are pending, and move what is left of them."""
    change = (
        sa.update(Commission)
        .where(which, Commission.status == CommissionStatus.PENDING)
        .values(status=CommissionStatus.APPROVED, approved_at=now)
        .returning(
            Commission.id, Commission.program_id, Commission.partner_id, Commission.currency,
            Commission.amount_minor - Commission.reversed_minor,
        )
    )  # fmt: skip
    rows = session.execute(change, execution_options={"synchronize_session": False}).all()
    if rows:
        changed_days.note(session, db.among(session, Commission.id, [row.id for row in rows]))
    postings = []
    for commission_id, program_id, partner_id, currency, left_minor in rows:
        amount = Money(left_minor, currency)
        postings += ledger.approve(
            program_id=program_id, partner_id=partner_id, commission_id=commission_id, amount=amount
        )
    ledger_service.post(session, postings=postings, now=now)
    return len(rows)


def _known(session: Session, commission_id: UUID, program_id: UUID) -> Standing:
    standing = queries.standing(session, commission_id=commission_id, program_id=program_id)
    if standing is None:
        raise UnknownCommission(N_("There is no such commission."))
    return standing


def _record(
    session: Session,
    action: str,
    kind: str,
    subject_id: UUID,
    program_id: UUID,
    *,
    actor: Actor,
    details: dict[str, Any] | None = None,
    now: datetime,
) -> None:
    audit.record(
        session, actor=actor, action=action, subject_kind=kind, subject_id=subject_id,
        program_id=program_id, details=details, now=now,
    )  # fmt: skip
