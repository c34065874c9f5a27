"""Every SELECT on notices: what a person finds in the portal, and how much of it is new."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts.mail_kinds import IN_PORTAL, REQUIRED, roles_of
from affiliate.accounts.models import NoticeRefusal
from affiliate.accounts.roles import MemberRole
from affiliate.partners.models import Member, NoticeRead, PartnerNotice

KEPT_DAYS = 60
SHOWN_MAX = 100


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, for which partner in which program, and in which role there."""

    user_id: UUID
    program_id: UUID
    partner_id: UUID
    role: MemberRole


def unread(session: Session, *, reader: Reader, now: datetime) -> int:
    """How many notices are new to a person, as far as the page shows them."""
    found = _of(reader, now).where(~_is_read(reader)).with_only_columns(PartnerNotice.id).limit(SHOWN_MAX)
    return session.scalar(sa.select(sa.func.count()).select_from(found.subquery())) or 0


def newest_unread(
    session: Session, *, reader: Reader, limit: int, now: datetime
) -> tuple[int, Sequence[PartnerNotice]]:
    """What `unread` gives, and the newest of them, in one trip."""
    there = sa.func.count().over()
    found = _of(reader, now).where(~_is_read(reader)).add_columns(there)
    rows = session.execute(found.order_by(PartnerNotice.created_at.desc(), PartnerNotice.id).limit(limit)).all()
    return min(rows[0][1], SHOWN_MAX) if rows else 0, [row[0] for row in rows]


def of_reader(session: Session, *, reader: Reader, now: datetime) -> Sequence[tuple[PartnerNotice, bool]]:
    """The newest notices, each with whether this person has read it."""
    newest = _of(reader, now).add_columns(_is_read(reader)).order_by(PartnerNotice.created_at.desc(), PartnerNotice.id)
    return [(row[0], row[1]) for row in session.execute(newest.limit(SHOWN_MAX))]


def one(session: Session, *, notice_id: UUID, reader: Reader, now: datetime) -> PartnerNotice | None:
    """One notice, if it is this reader's."""
    return session.scalar(_of(reader, now).where(PartnerNotice.id == notice_id))


def fresh(session: Session, *, limit: int) -> Sequence[PartnerNotice]:
    """Notices of which no chat was told yet, oldest first."""
    found = sa.select(PartnerNotice).where(~PartnerNotice.is_passed_on).order_by(PartnerNotice.id).limit(limit)
    return session.scalars(found).all()


def _of(reader: Reader, now: datetime) -> sa.Select[PartnerNotice]:
    """What a person may see and wants to see, since they belong to the partner."""
    theirs = [kind for kind in IN_PORTAL if reader.role in roles_of(kind)]
    always = [kind for kind in theirs if kind in REQUIRED]
    refused = sa.exists().where(NoticeRefusal.user_id == reader.user_id, NoticeRefusal.kind == PartnerNotice.kind)
    joined_at = sa.select(Member.created_at).where(
        Member.user_id == reader.user_id, Member.partner_id == reader.partner_id
    )
    return sa.select(PartnerNotice).where(
        PartnerNotice.program_id == reader.program_id,
        PartnerNotice.partner_id == reader.partner_id,
        PartnerNotice.created_at > now - timedelta(days=KEPT_DAYS),
        PartnerNotice.created_at >= joined_at.scalar_subquery(),
        PartnerNotice.kind.in_(theirs),
        sa.or_(PartnerNotice.kind.in_(always), ~refused),
    )


def _is_read(reader: Reader) -> sa.Exists:
    return sa.exists().where(NoticeRead.notice_id == PartnerNotice.id, NoticeRead.user_id == reader.user_id)
