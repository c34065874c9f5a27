"""Commissions and payout runs of a program, for lists."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from affiliate import db, folding
from affiliate.accounts.models import AuditEvent, User
from affiliate.commissions.models import Commission, CommissionStatus
from affiliate.console import paging
from affiliate.ingest.models import Conversion
from affiliate.partners.models import Partner
from affiliate.payouts.models import PaperState, Payout, PayoutMethod, PayoutRun, PayoutStatus


@dataclass(frozen=True, slots=True)
class Decidable:
    """A commission as an act on many names it."""

    commission_id: UUID
    partner_id: UUID
    conversion_id: UUID


@dataclass(frozen=True, slots=True)
class First:
    """How many partners get their first payout in a run, what these come to in minor units, and the largest by name."""

    number: int
    amount_minor: int
    names: Sequence[str]


_SUMMED = (
    "amount_minor", "earned_minor", "clawed_back_minor", "vat_minor", "stamp_minor", "withheld_minor", "before_minor",
)  # fmt: skip
_DECIDABLE = (Commission.id, Commission.partner_id, Commission.conversion_id)


def commissions(
    session: Session,
    *,
    program_id: UUID,
    status: CommissionStatus | None = None,
    partner_id: UUID | None = None,
    due_before: datetime | None = None,
    order_id: str = "",
    partner_ids: Collection[UUID] | None = None,
    cursor: paging.Cursor | None = None,
    size: int = paging.PAGE_SIZE,
) -> paging.Page:
    """Commissions in force, newest first: of one status, partner or order, of these partners, or soon validated."""
    columns = (
        Commission.id, Commission.earned_at.label("at"), Commission.conversion_id, Commission.partner_id, Commission.status,
        Commission.reason, Commission.amount_minor, Commission.reversed_minor, Commission.currency, Commission.matures_at,
        Commission.awaits, Partner.name.label("partner"), Conversion.order_id,
    )  # fmt: skip
    statement = (
        sa.select(*columns)
        .join(Partner, Partner.id == Commission.partner_id)
        .join(Conversion, Conversion.id == Commission.conversion_id)
        .where(Commission.program_id == program_id, Commission.is_live)
        .where(*_narrowed(program_id, partner_id, due_before, order_id, partner_ids))
    )
    if status is not None:
        statement = statement.where(Commission.status == status)
    return paging.page_of(
        session, statement, by=Commission.earned_at, identifier=Commission.id, cursor=cursor, size=size
    )


def decidable(
    *,
    program_id: UUID,
    statuses: Collection[CommissionStatus],
    partner_id: UUID | None = None,
    due_before: datetime | None = None,
    order_id: str = "",
    partner_ids: Collection[UUID] | None = None,
) -> sa.Select[*tuple[Any, ...]]:
    """All commissions in force of these statuses that the list would show, page by page: for an act on many to find them itself, with their `place`."""
    order = (Commission.earned_at.desc(), Commission.id.desc())
    place = (sa.func.row_number().over(order_by=order) - 1).label("place")
    named = (Commission.partner_id, Commission.conversion_id, Commission.id.label("commission_id"))
    found = sa.select(place, *named).where(Commission.program_id == program_id, Commission.is_live)
    found = found.where(Commission.status.in_(statuses))
    found = found.where(*_narrowed(program_id, partner_id, due_before, order_id, partner_ids))
    return found.order_by(*order)


def is_any(session: Session, found: sa.Select[*tuple[Any, ...]]) -> bool:
    """Whether a statement finds anything."""
    return session.execute(found.limit(1)).first() is not None


def _narrowed(
    program_id: UUID, partner_id: UUID | None, due_before: datetime | None, order_id: str, partner_ids: Collection[UUID] | None
) -> list[sa.ColumnElement[bool]]:  # fmt: skip
    """What the list of commissions is narrowed to, by indexes: one partner or several, one order, what is soon validated."""
    found: list[sa.ColumnElement[bool]] = []
    if partner_id is not None:
        found.append(Commission.partner_id == partner_id)
    if partner_ids is not None:
        found.append(Commission.partner_id.in_(partner_ids))
    if due_before is not None:  # of what awaits something first, nobody knows when it ends
        found += [Commission.matures_at < due_before, Commission.awaits.is_(None)]
    if order_id:
        of_order = sa.select(Conversion.id).where(Conversion.program_id == program_id, Conversion.order_id == order_id)
        found.append(Commission.conversion_id.in_(of_order))
    return found


def these(session: Session, *, program_id: UUID, commission_ids: Sequence[UUID]) -> list[Decidable]:
    """Those of these commissions that are of the program, in their order."""
    found = sa.select(*_DECIDABLE).where(
        Commission.program_id == program_id, db.among(session, Commission.id, commission_ids)
    )
    known = {row.id: Decidable(*row) for row in session.execute(found)}
    return [known[one] for one in commission_ids if one in known]


def runs(session: Session, *, program_id: UUID, cursor: paging.Cursor | None) -> paging.Page:
    """Payout runs, newest first, with who proposed and how many partners."""
    partners = sa.select(sa.func.count()).where(Payout.run_id == PayoutRun.id).scalar_subquery()
    statement = (
        sa.select(
            PayoutRun.id, PayoutRun.proposed_at.label("at"), PayoutRun.status, PayoutRun.total_minor, PayoutRun.currency,
            PayoutRun.paid_at, PayoutRun.reason, PayoutRun.reason_code, User.name.label("proposed_by"), partners.label("partners"),
        )
        .join(User, User.id == PayoutRun.proposed_by_id)
        .where(PayoutRun.program_id == program_id)
    )  # fmt: skip
    return paging.page_of(session, statement, by=PayoutRun.proposed_at, identifier=PayoutRun.id, cursor=cursor)


def run(session: Session, *, program_id: UUID, run_id: UUID) -> Any | None:
    """A run with the names of everybody who had a hand in it; none of another program."""
    proposed, approved, paid, cancelled = (aliased(User) for _ in range(4))
    statement = (
        sa.select(
            PayoutRun, proposed.name.label("proposed_by"), approved.name.label("approved_by"),
            paid.name.label("paid_by"), cancelled.name.label("cancelled_by"),
        )
        .join(proposed, proposed.id == PayoutRun.proposed_by_id)
        .outerjoin(approved, approved.id == PayoutRun.approved_by_id)
        .outerjoin(paid, paid.id == PayoutRun.paid_by_id)
        .outerjoin(cancelled, cancelled.id == PayoutRun.cancelled_by_id)
        .where(PayoutRun.id == run_id, PayoutRun.program_id == program_id)
    )  # fmt: skip
    return session.execute(statement).one_or_none()


def payouts_page(
    session: Session, *, run_id: UUID, name: str = "", cursor: paging.Cursor | None, size: int = paging.PAGE_SIZE
) -> paging.Page:
    """Who gets what in a run, the largest first, with what the partner was paid in the run before: of all, or of partners called so."""
    found = _payouts(run_id).add_columns(Payout.amount_minor.label("at"))
    if name:
        found = found.where(folding.holds(Partner.name, name))
    return paging.page_of(session, found, by=Payout.amount_minor, identifier=Payout.id, cursor=cursor, size=size)


def sums_of(session: Session, *, run_id: UUID) -> Sequence[Any]:
    """What the payouts of a run come to, in minor units: a row for each status, apart those taken out, with how many they are."""
    lines = _payouts(run_id).subquery()
    is_out = lines.c.taken_out_at.is_not(None)
    waits = sa.and_(lines.c.status == PayoutStatus.PROPOSED, lines.c.paper == PaperState.AWAITED)
    counts = (sa.func.count().label("payouts"), sa.func.count().filter(waits).label("waiting"))
    sums = [sa.cast(sa.func.coalesce(sa.func.sum(lines.c[name]), 0), sa.BigInteger).label(name) for name in _SUMMED]
    found = sa.select(lines.c.status, is_out.label("is_out"), *counts, *sums)
    return session.execute(found.group_by(lines.c.status, is_out)).all()


def unlike_before(session: Session, *, run_id: UUID, times: int, partner_ids: Collection[UUID]) -> Sequence[Any]:
    """The payouts of a run that somebody looks at first, the largest first, without what was taken out.

    They are of more than so many times the last one, to an account that has changed, or of these partners; of first ones, which
    may be all of a run, `first_payouts` tells.
    """
    lines = _payouts(run_id).subquery()
    unlike = (
        lines.c.amount_minor > times * lines.c.before_minor,
        lines.c.details_changed_at.is_not(None),
        db.among(session, lines.c.partner_id, partner_ids),
    )
    found = sa.select(lines).where(lines.c.taken_out_at.is_(None), sa.or_(*unlike))
    return session.execute(found.order_by(lines.c.amount_minor.desc(), lines.c.partner)).all()


def first_payouts(session: Session, *, run_id: UUID, names_max: int) -> First:
    """The first payouts of their partners in a run, without what was taken out: summed by the database, so many told by name."""
    lines = _payouts(run_id).subquery()
    in_all = (sa.func.count().over(), sa.func.sum(lines.c.amount_minor).over())
    found = sa.select(lines.c.partner, *in_all).where(lines.c.taken_out_at.is_(None), lines.c.before_minor.is_(None))
    rows = session.execute(found.order_by(lines.c.amount_minor.desc(), lines.c.partner).limit(names_max)).all()
    return First(rows[0][1], int(rows[0][2]), [row[0] for row in rows]) if rows else First(0, 0, [])


def payout_of(session: Session, *, run_id: UUID, payout_id: UUID) -> Any | None:
    """The same of one payout; none of another run."""
    return session.execute(_payouts(run_id).where(Payout.id == payout_id)).one_or_none()


def _payouts(run_id: UUID) -> sa.Select[*tuple[Any, ...]]:
    earlier = aliased(Payout)
    before = (
        sa.select(earlier.amount_minor)
        .where(
            earlier.partner_id == Payout.partner_id,
            earlier.program_id == Payout.program_id,
            earlier.paid_at.is_not(None),
        )
        .where(earlier.run_id != run_id, earlier.created_at < Payout.created_at)
        .order_by(earlier.created_at.desc())
        .limit(1)
        .correlate(Payout)
        .scalar_subquery()
    )
    return (
        sa.select(
            Payout.id, Payout.partner_id, Payout.amount_minor, Payout.earned_minor, Payout.clawed_back_minor, Payout.vat_minor,
            Payout.stamp_minor, Payout.withheld_minor, Payout.paper, Payout.run_id,
            Partner.name.label("partner"), before.label("before_minor"), Payout.status, Payout.reason, Payout.reason_code,
            Payout.taken_out_at, Payout.paid_currency, Payout.paid_minor, Payout.exchange,
            PayoutMethod.kind.label("method"), PayoutMethod.masked, PayoutMethod.replaced_at.label("details_changed_at"),
        )
        .join(Partner, Partner.id == Payout.partner_id)
        .outerjoin(PayoutMethod, PayoutMethod.id == Payout.method_id)
        .where(Payout.run_id == run_id)
    )  # fmt: skip


def exports_of(session: Session, *, run_id: UUID, limit: int = 20) -> Sequence[Any]:
    """The files that left for a run and the results that came back, newest first: who, when, and the file's hash."""
    told = ("payout_run.export", "payout_run.results")
    statement = (
        sa.select(AuditEvent.occurred_at, AuditEvent.action, AuditEvent.details, User.name)
        .outerjoin(User, User.id == AuditEvent.actor_id)
        .where(AuditEvent.subject_kind == "payout_run", AuditEvent.subject_id == run_id, AuditEvent.action.in_(told))
        .order_by(AuditEvent.position.desc())
        .limit(limit)
    )
    return session.execute(statement).all()
