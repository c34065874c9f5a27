"""Every SELECT on cases, and what the system knows about an order that a case is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts import queries as accounts
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import Grant, GrantRole, User
from affiliate.attribution.models import Attribution, Credit
from affiliate.files import StoredFile
from affiliate.ingest.models import Conversion
from affiliate.ingest.rollup_models import PartnerClickHour
from affiliate.partners.models import Partner
from affiliate.relations.models import WAITING, Case, CaseKind, CaseMessage, CaseStatus, Side

MESSAGES_READ_MAX = 1_000  # of a case: those of the partner (`service.MESSAGES_MAX`) and room for the program's
_CLICKS_WITHIN = timedelta(days=30)
_FOUND_MAX = 5


@dataclass(frozen=True, slots=True)
class Line:
    """A case in a list."""

    case: Case
    partner_name: str


def case_in(session: Session, *, program_id: UUID, case_id: UUID, partner_id: UUID | None = None) -> Case | None:
    """One case of the program, of this partner when one is given; always as it stands now."""
    mine = [Case.id == case_id, Case.program_id == program_id]
    if partner_id is not None:
        mine.append(Case.partner_id == partner_id)
    return session.scalar(sa.select(Case).where(*mine).execution_options(populate_existing=True))


def cases(
    session: Session,
    *,
    program_id: UUID,
    partner_id: UUID | None = None,
    waiting: bool = False,
    limit: int,
    offset: int = 0,
) -> list[Line]:
    """Cases of a program or of one partner in it: with `waiting` those that are not over, the soonest promise first; else the newest."""
    found = _cases(program_id)
    if partner_id is not None:
        found = found.where(Case.partner_id == partner_id)
    if waiting:
        found = found.where(Case.status.in_(WAITING)).order_by(*_WAITING_ORDER)
    else:
        found = found.order_by(Case.id.desc())
    return [Line(case, name) for case, name in session.execute(found.limit(limit).offset(offset))]


def claims_waiting(session: Session, *, program_id: UUID, partner_id: UUID) -> int:
    """How many cases of a partner are not over, but for appeals."""
    mine = (Case.program_id == program_id, Case.partner_id == partner_id)
    waiting = (Case.status.in_(WAITING), Case.kind != CaseKind.FRAUD_APPEAL)
    return session.scalar(sa.select(sa.func.count()).where(*mine, *waiting)) or 0


_WAITING_ORDER = (sa.case((Case.status == CaseStatus.OPEN, 0), else_=1), Case.answer_by, Case.id)
"""What waits for the program stands first: its clock is ours."""


def waiting_cases(program_id: UUID, *, limit: int) -> sa.Select[*tuple[Any, ...]]:
    """Those that are not over, as `Line` takes them, with their `place`: a statement to be asked beside others."""
    place = sa.func.row_number().over(order_by=_WAITING_ORDER).label("place")
    found = _cases(program_id).add_columns(place).where(Case.status.in_(WAITING))
    return found.order_by(*_WAITING_ORDER).limit(limit)


def _cases(program_id: UUID) -> sa.Select[*tuple[Any, ...]]:
    found = sa.select(Case, Partner.name.label("partner_name")).join(Partner, Partner.id == Case.partner_id)
    return found.where(Case.program_id == program_id)


def messages_of(session: Session, *, case_id: UUID) -> Sequence[CaseMessage]:
    """What was said, in order; of more than a thousand messages the newest, so that the end of a case is always there."""
    newest = (CaseMessage.said_at.desc(), CaseMessage.id.desc())
    found = sa.select(CaseMessage).where(CaseMessage.case_id == case_id).order_by(*newest).limit(MESSAGES_READ_MAX)
    return session.scalars(found).all()[::-1]


def message_count(session: Session, *, case_id: UUID, side: Side | None = None) -> int:
    """How often something was said, by this side when one is given."""
    mine = [CaseMessage.case_id == case_id]
    if side is not None:
        mine.append(CaseMessage.side == side)
    return session.scalar(sa.select(sa.func.count()).where(*mine)) or 0


def proof_of(session: Session, *, case_id: UUID, message_id: UUID) -> UUID | None:
    """The file of a message of this case."""
    mine = (CaseMessage.id == message_id, CaseMessage.case_id == case_id)
    return session.scalar(sa.select(CaseMessage.file_id).where(*mine))


def documents_among(session: Session, *, messages: Sequence[CaseMessage]) -> set[UUID]:
    """Which of these messages have a document as proof, and no picture."""
    file_ids = [one.file_id for one in messages if one.file_id is not None]
    if not file_ids:
        return set()
    found = sa.select(StoredFile.id).where(StoredFile.id.in_(file_ids), ~StoredFile.media_type.startswith("image/"))
    papers = set(session.scalars(found))
    return {one.id for one in messages if one.file_id in papers}


def to_remind(session: Session, *, now: datetime, soon: datetime, limit: int) -> Sequence[Case]:
    """Cases whose promised answer is due before `soon`, and about which nobody has been reminded."""
    due = sa.select(Case).where(Case.status.in_(WAITING), Case.answer_by < soon, Case.reminded_at.is_(None))
    # A promise of less than a day would remind at once: only what has stood for a while.
    due = due.where(Case.updated_at < now - timedelta(hours=1))
    return session.scalars(due.order_by(Case.answer_by, Case.id).limit(limit)).all()


def managers_of(session: Session, *, program_id: UUID, kind: MailKind | None = None) -> Sequence[User]:
    """The people who manage this very program; those who manage all of them where there is none.

    `kind`: only those of them who want mails of it.
    """
    wanted = sa.true() if kind is None else accounts.wants(kind)
    people = sa.select(User, wanted.label("wanted")).join(Grant, Grant.user_id == User.id).where(User.active)
    manages = people.where(Grant.role == GrantRole.MANAGER, Grant.program_id == program_id)
    own = session.execute(manages.distinct().order_by(User.id)).all()
    roles = Grant.role.in_([GrantRole.MANAGER, GrantRole.ADMIN])
    everywhere = people.where(roles, Grant.program_id.is_(None))
    found = own or session.execute(everywhere.distinct().order_by(User.id)).all()
    return [row.User for row in found if row.wanted]


def appeal_waiting(
    session: Session, *, program_id: UUID, partner_id: UUID, conversion_id: UUID, locked: bool = False
) -> Case | None:
    """The open appeal of a partner about an order; when `locked`, nobody else moves it before the transaction ends."""
    about = (Case.program_id == program_id, Case.partner_id == partner_id, Case.conversion_id == conversion_id)
    waiting = (Case.kind == CaseKind.FRAUD_APPEAL, Case.status.in_(WAITING))
    found = sa.select(Case).where(*about, *waiting).execution_options(populate_existing=True)
    return session.scalar(found.with_for_update() if locked else found)


def late_payment_waiting(
    session: Session, *, program_id: UUID, partner_id: UUID, payout_id: UUID | None
) -> Case | None:
    """The open case of a partner about a payout, or about what is in none yet; one that names an order is about that."""
    about = (
        Case.program_id == program_id,
        Case.partner_id == partner_id,
        Case.payout_id.is_not_distinct_from(payout_id),
    )
    waiting = (Case.kind == CaseKind.LATE_PAYMENT, Case.status.in_(WAITING), Case.order_id == "")
    return session.scalar(sa.select(Case).where(*about, *waiting).limit(1))


def conversions_named(session: Session, *, program_id: UUID, order_id: str) -> Sequence[Conversion]:
    """The conversions of an order, but for tests."""
    named = (Conversion.program_id == program_id, Conversion.order_id == order_id, sa.not_(Conversion.is_test))
    return session.scalars(sa.select(Conversion).where(*named).order_by(Conversion.id).limit(_FOUND_MAX)).all()


def trace(
    session: Session, *, program_id: UUID, partner_id: UUID, order_id: str, around: datetime
) -> tuple[UUID | None, dict[str, Any]]:
    """What is known of an order and of the partner's clicks in the 30 days before: the order's id, and a JSON document.

    It names other partners, so it is for managers.
    """
    orders = conversions_named(session, program_id=program_id, order_id=order_id) if order_id else []
    found: dict[str, Any] = {"orders": [_order(session, order) for order in orders]}
    clicks = (
        sa.select(PartnerClickHour.verdict, sa.func.sum(PartnerClickHour.clicks))
        .where(
            PartnerClickHour.program_id == program_id,
            PartnerClickHour.partner_id == partner_id,
            PartnerClickHour.hour > around - _CLICKS_WITHIN,
            PartnerClickHour.hour <= around,
        )
        .group_by(PartnerClickHour.verdict)
    )
    found["clicks"] = {verdict.value: int(count) for verdict, count in session.execute(clicks) if count}
    return (orders[0].id if orders else None), found


def _order(session: Session, order: Conversion) -> dict[str, Any]:
    current = sa.select(Attribution.id).where(Attribution.conversion_id == order.id, Attribution.is_current)
    credited = (
        sa.select(Partner.name).join(Credit, Credit.partner_id == Partner.id).where(Credit.attribution_id.in_(current))
    )
    return {
        "conversion_id": str(order.id),
        "occurred_at": order.occurred_at.isoformat(),
        "credited": list(session.scalars(credited.order_by(Partner.name).limit(_FOUND_MAX))),
    }
