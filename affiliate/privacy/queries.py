"""Every SELECT of privacy: the rows of a partner in each table, what is owed, and what was asked for."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from affiliate.accounts.models import AuditEvent, Grant, GrantRole, User
from affiliate.accounts.roles import MemberRole
from affiliate.db import Base
from affiliate.joining.models import ApplicationDraft, DraftState
from affiliate.ledger import queries as ledger
from affiliate.ledger.models import AccountName, LedgerAccount
from affiliate.partners.models import Enrollment, Member, Partner
from affiliate.privacy import inventory
from affiliate.privacy.inventory import Entry, Of
from affiliate.privacy.models import DataCopy, ErasureRequest, ErasureStatus
from affiliate.programs.models import Program

_OWED = (AccountName.PENDING, AccountName.APPROVED, AccountName.IN_TRANSIT, AccountName.CLAWBACK)
_BY_NAME = {entry.table: entry for entry in inventory.ENTRIES}
_KEPT_BY_ONE = frozenset({"saved_reports", "notice_reads"})
"""Rows beside a partner's that are one person's own all the same, by `user_id`."""
_PAGE = 500


def table_of(entry: Entry) -> sa.Table:
    """The table behind an entry."""
    return Base.metadata.tables[entry.table]


def is_a_persons(entry: Entry) -> bool:
    """Whether rows of a table may be one person's own, whatever becomes of the partner."""
    above = _BY_NAME.get(entry.parent[1])
    hangs_on_one = entry.of is Of.PARENT and above is not None and above.of is Of.PERSON
    return entry.of is Of.PERSON or entry.table in _KEPT_BY_ONE or hangs_on_one


def mine(entry: Entry, *, partner_id: UUID | None, person_ids: Collection[UUID]) -> sa.ColumnElement[bool]:
    """Which rows of a table are the partner's, or its people's; without a partner those of the people alone."""
    columns = table_of(entry).c
    if partner_id is None and entry.table in _KEPT_BY_ONE:
        return cast("sa.ColumnElement[bool]", columns.user_id.in_(person_ids))
    if partner_id is None and not is_a_persons(entry):
        return sa.false()
    if entry.of is Of.ITSELF:
        return columns.id == partner_id
    if entry.of is Of.PARTNER:
        return columns.partner_id == partner_id
    column, parent = entry.parent
    ways = []
    if entry.of is Of.PERSON:
        ways.append((columns.id if entry.table == "users" else columns.user_id).in_(person_ids))
    if parent:
        above = _BY_NAME[parent]
        rows = sa.select(table_of(above).c.id).where(mine(above, partner_id=partner_id, person_ids=person_ids))
        ways.append(columns[column].in_(rows))
    return sa.or_(*ways)


def rows_of(
    session: Session, *, entry: Entry, partner_id: UUID | None, person_ids: Collection[UUID], limit: int
) -> tuple[list[str], Iterator[Sequence[Any]]]:
    """The names of the columns that a copy shows, and the rows, streamed."""
    table = table_of(entry)
    columns = [column for column in table.c if column.name not in (entry.hidden or ())]
    found = sa.select(*columns).where(mine(entry, partner_id=partner_id, person_ids=person_ids)).limit(limit)
    rows = session.execute(found, execution_options={"yield_per": _PAGE})
    return [column.name for column in columns], (tuple(row) for row in rows)


def acts_of(session: Session, *, person_ids: Collection[UUID], limit: int) -> Sequence[AuditEvent]:
    """What these people did, newest first."""
    theirs = sa.select(AuditEvent).where(AuditEvent.actor_id.in_(person_ids))
    return session.scalars(theirs.order_by(AuditEvent.position.desc()).limit(limit)).all()


def draft_files(session: Session, *, partner_id: UUID, person_ids: Collection[UUID]) -> Sequence[dict[str, Any]]:
    """The files of the drafts that became the partner's applications, and of those of its people."""
    theirs = mine(_BY_NAME["application_drafts"], partner_id=partner_id, person_ids=person_ids)
    return session.scalars(sa.select(ApplicationDraft.files).where(theirs)).all()


def events_about(session: Session, *, partner_id: UUID, subject_ids: Collection[UUID]) -> Sequence[UUID]:
    """The audit rows that tell of the partner, of these people and stories, or of its membership in programs."""
    enrolled = sa.select(Enrollment.id).where(Enrollment.partner_id == partner_id)
    about = sa.or_(
        AuditEvent.subject_id == partner_id, AuditEvent.subject_id.in_(subject_ids), AuditEvent.subject_id.in_(enrolled)
    )
    return session.scalars(sa.select(AuditEvent.id).where(about, AuditEvent.salt.is_not(None))).all()


def events_about_person(session: Session, *, person_id: UUID) -> Sequence[UUID]:
    """The audit rows that tell of this person."""
    about = (AuditEvent.subject_id == person_id, AuditEvent.salt.is_not(None))
    return session.scalars(sa.select(AuditEvent.id).where(*about)).all()


def memberships_of(session: Session, *, person_id: UUID, limit: int) -> list[tuple[Member, str]]:
    """For which partners a person works, with their names."""
    found = sa.select(Member, Partner.name).join(Partner, Partner.id == Member.partner_id)
    rows = session.execute(found.where(Member.user_id == person_id).order_by(Member.id).limit(limit))
    return [(row[0], row[1]) for row in rows]


def is_staff(session: Session, *, person_id: UUID) -> bool:
    """Whether a person has a role in a program, or in all."""
    held = sa.exists().where(Grant.user_id == person_id, Grant.role != GrantRole.PARTNER)
    return session.scalar(sa.select(held)) or False


def owned_alone(session: Session, *, person_id: UUID, limit: int) -> Sequence[Any]:
    """The partners of which a person is the only owner: id, name, and whether they wait to be forgotten."""
    other = aliased(Member)
    owners = (other.partner_id == Member.partner_id, other.role == MemberRole.OWNER, other.id != Member.id)
    alone = (Member.user_id == person_id, Member.role == MemberRole.OWNER, ~sa.exists().where(*owners))
    waits = sa.exists().where(ErasureRequest.partner_id == Partner.id, ErasureRequest.status == ErasureStatus.ASKED)
    found = sa.select(Partner.id, Partner.name, waits.label("waits")).join(Member, Member.partner_id == Partner.id)
    return session.execute(found.where(*alone).order_by(Partner.name, Partner.id).limit(limit)).all()


def program_of(session: Session, *, partner_id: UUID) -> Program | None:
    """The program with which a partner began."""
    first = sa.select(Program).join(Enrollment, Enrollment.program_id == Program.id)
    return session.scalars(first.where(Enrollment.partner_id == partner_id).order_by(Enrollment.id).limit(1)).first()


def unreceived_files(session: Session, *, person_id: UUID) -> Sequence[dict[str, Any]]:
    """The files of a person's drafts that no program has received."""
    waiting = (ApplicationDraft.user_id == person_id, ApplicationDraft.state != DraftState.RECEIVED)
    return session.scalars(sa.select(ApplicationDraft.files).where(*waiting)).all()


def owed(session: Session, *, partner_id: UUID) -> dict[UUID, int]:
    """What is on its way to a partner or back from it, by program, in minor units: while there is any, nobody is forgotten."""
    programs = sa.select(LedgerAccount.program_id).where(LedgerAccount.partner_id == partner_id).distinct()
    found = {}
    for program_id in session.scalars(programs):
        balances = ledger.balances_of(session, program_id=program_id, partner_id=partner_id)
        if any(balances[name] for name in _OWED):
            found[program_id] = sum(balances[name] for name in _OWED)
    return found


def is_beyond(session: Session, *, partner_id: UUID, program_id: UUID, person_id: UUID | None) -> bool:
    """Whether a partner belongs to a program, beside this one, that the person does not manage."""
    managing = (Grant.user_id == person_id, Grant.role.in_((GrantRole.MANAGER, GrantRole.ADMIN)))
    managed = sa.exists().where(
        *managing, sa.or_(Grant.program_id.is_(None), Grant.program_id == Enrollment.program_id)
    )
    others = (Enrollment.partner_id == partner_id, Enrollment.program_id != program_id, ~managed)
    return session.scalar(sa.select(sa.exists().where(*others))) or False


def only_here(session: Session, *, partner_id: UUID) -> Sequence[User]:
    """The partner's people who are nobody else's, and no staff: their accounts go with it."""
    elsewhere = aliased(Member)
    other = sa.exists().where(elsewhere.user_id == User.id, elsewhere.partner_id != partner_id)
    staff = sa.exists().where(Grant.user_id == User.id, Grant.role != GrantRole.PARTNER)
    found = sa.select(User).join(Member, Member.user_id == User.id).where(Member.partner_id == partner_id)
    return session.scalars(found.where(~other, ~staff).order_by(User.id)).all()


def copies(session: Session, *, partner_id: UUID, person_id: UUID, limit: int) -> Sequence[DataCopy]:
    """The newest copies of a partner that a person asked for: each holds that person's own rows as well."""
    theirs = (DataCopy.partner_id == partner_id, DataCopy.asked_by_id == person_id)
    found = sa.select(DataCopy).where(*theirs)
    return session.scalars(found.order_by(DataCopy.asked_at.desc()).limit(limit)).all()


def copy_of(session: Session, *, copy_id: UUID, partner_id: UUID, person_id: UUID) -> DataCopy | None:
    """One copy, if it is this partner's and this person asked for it."""
    theirs = (DataCopy.partner_id == partner_id, DataCopy.asked_by_id == person_id)
    return session.scalar(sa.select(DataCopy).where(DataCopy.id == copy_id, *theirs))


def open_request(session: Session, *, partner_id: UUID) -> ErasureRequest | None:
    """The wish that waits for a decision."""
    waiting = (ErasureRequest.partner_id == partner_id, ErasureRequest.status == ErasureStatus.ASKED)
    return session.scalar(sa.select(ErasureRequest).where(*waiting))


def latest_request(session: Session, *, partner_id: UUID) -> ErasureRequest | None:
    """The newest wish, decided or not."""
    found = sa.select(ErasureRequest).where(ErasureRequest.partner_id == partner_id)
    return session.scalar(found.order_by(ErasureRequest.asked_at.desc()).limit(1))


def request_in(session: Session, *, request_id: UUID, program_id: UUID) -> ErasureRequest | None:
    """One wish, if it was said in this program's portal."""
    here = (ErasureRequest.id == request_id, ErasureRequest.program_id == program_id)
    return session.scalar(sa.select(ErasureRequest).where(*here).execution_options(populate_existing=True))
