"""Every SELECT on who reads: segments and their size, what people refuse, addresses whose mail comes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts.models import User
from affiliate.commissions.models import Commission, PartnerTerms
from affiliate.ingest.models import ClickHour, ClickVerdict
from affiliate.newsletters.models import (
    IssueKind,
    MailBounce,
    NewsletterDelivery,
    NewsletterIssue,
    NewsletterRefusal,
    SuppressedAddress,
)
from affiliate.newsletters.segments import Performance, Segment
from affiliate.partners.models import Enrollment, Member

SHOWN_MAX = 100
GROUPS_MAX = 200


@dataclass(frozen=True, slots=True)
class Audience:
    """How many people match a segment, and how many of them get nothing: they said no, or their mail comes back."""

    matching: int
    refusing: int
    suppressed: int

    @property
    def readers(self) -> int:
        """To how many it goes."""
        return self.matching - self.refusing - self.suppressed


def matching(*, program_id: UUID, segment: Segment, language: str, now: datetime) -> sa.Select[*tuple[Any, ...]]:
    """People who match a segment: `user_id`, `partner_id`, `email`, `time_zone`. One row for each membership."""
    found = (
        sa.select(User.id.label("user_id"), Enrollment.partner_id, User.email, User.time_zone)
        .join(Member, Member.user_id == User.id)
        .join(Enrollment, Enrollment.partner_id == Member.partner_id)
        .where(Enrollment.program_id == program_id, Enrollment.status.in_(segment.statuses), User.active)
    )
    if segment.languages:
        found = found.where(sa.func.coalesce(User.locale, language).in_(segment.languages))
    if segment.group:
        found = found.where(_exists(PartnerTerms, program_id, PartnerTerms.group_name == segment.group))
    since = now - timedelta(days=segment.days)
    return found.where(*_performing(segment.performance, program_id, since))


def _performing(performance: Performance, program_id: UUID, since: datetime) -> list[sa.ColumnElement[bool]]:
    clicked = _exists(ClickHour, program_id, ClickHour.hour >= since, ClickHour.verdict == ClickVerdict.VALID)
    sold = _exists(Commission, program_id, Commission.earned_at >= since, Commission.is_live)
    conditions: dict[Performance, list[sa.ColumnElement[bool]]] = {
        Performance.ANY: [],
        Performance.SOLD: [sold],
        Performance.CLICKED: [clicked, ~sold],
        Performance.QUIET: [~clicked, ~sold],
    }
    return conditions[performance]


def _exists(table: Any, program_id: UUID, *conditions: Any) -> sa.Exists:
    here = (table.program_id == program_id, table.partner_id == Enrollment.partner_id, *conditions)
    return sa.exists(sa.select(sa.literal(1)).select_from(table).where(*here).correlate(Enrollment))


def _refusing(user_id: Any, program_id: Any, kind: Any) -> sa.Exists:
    refused = (
        NewsletterRefusal.user_id == user_id, NewsletterRefusal.program_id == program_id, NewsletterRefusal.kind == kind,
    )  # fmt: skip
    return sa.exists(
        sa.select(sa.literal(1)).select_from(NewsletterRefusal).where(*refused).correlate_except(NewsletterRefusal)
    )


def _suppressed(email: Any) -> sa.Exists:
    found = sa.select(sa.literal(1)).select_from(SuppressedAddress).where(SuppressedAddress.address == email)
    return sa.exists(found.correlate_except(SuppressedAddress))


def audience(
    session: Session, *, program_id: UUID, segment: Segment, language: str, kind: IssueKind, now: datetime
) -> Audience:
    """How many people a segment holds now."""
    found = matching(program_id=program_id, segment=segment, language=language, now=now)
    people = found.with_only_columns(User.id, User.email).distinct().subquery()
    refusing = _refusing(people.c.id, program_id, kind)
    counted = sa.select(
        sa.func.count(),
        sa.func.coalesce(sa.func.sum(sa.case((refusing, 1), else_=0)), 0),
        sa.func.coalesce(sa.func.sum(sa.case((sa.and_(~refusing, _suppressed(people.c.email)), 1), else_=0)), 0),
    ).select_from(people)
    return Audience(*map(int, session.execute(counted).one()))


def readers_after(
    session: Session, *, issue: NewsletterIssue, segment: Segment, after: UUID | None, limit: int, now: datetime
) -> Sequence[Any]:
    """The next people who get an issue, in the order of their ids. A person of two partners may come twice in a row."""
    found = matching(program_id=issue.program_id, segment=segment, language=issue.language, now=now)
    found = found.where(~_refusing(User.id, issue.program_id, issue.kind), ~_suppressed(User.email))
    if after is not None:
        found = found.where(User.id > after)
    return session.execute(found.order_by(User.id, Member.id).limit(limit)).all()


def unwelcome(session: Session, *, issue_id: UUID) -> sa.Exists:
    """Whether the reader of a delivery said stop, or the address is suppressed: a condition on NewsletterDelivery."""
    issue = session.get_one(NewsletterIssue, issue_id)
    suppressed = (
        sa.select(sa.literal(1))
        .select_from(SuppressedAddress)
        .join(User, User.email == SuppressedAddress.address)
        .where(User.id == NewsletterDelivery.user_id)
        .correlate(NewsletterDelivery)
    )
    refused = _refusing(NewsletterDelivery.user_id, issue.program_id, issue.kind)
    return sa.or_(refused, sa.exists(suppressed))  # type: ignore[return-value] # a condition either way


def refused_kinds(session: Session, *, user_id: UUID) -> set[tuple[UUID, IssueKind]]:
    """What a person does not want, as (program, kind)."""
    found = sa.select(NewsletterRefusal.program_id, NewsletterRefusal.kind).where(NewsletterRefusal.user_id == user_id)
    return {(row.program_id, row.kind) for row in session.execute(found)}


def address_of(session: Session, *, delivery_id: UUID) -> str | None:
    """The address of the reader of a delivery."""
    found = sa.select(User.email).join(NewsletterDelivery, NewsletterDelivery.user_id == User.id)
    return session.scalar(found.where(NewsletterDelivery.id == delivery_id))


def bounce_codes(session: Session, *, address: str, since: datetime) -> list[str]:
    """The codes of the bounces of an address since then."""
    found = sa.select(MailBounce.code).where(MailBounce.address == address, MailBounce.occurred_at >= since)
    return list(session.scalars(found))


def suppressed(session: Session, *, program_id: UUID, limit: int = SHOWN_MAX) -> Sequence[Any]:
    """Addresses of a program's people that get no newsletters: `address`, `name`, `reason`, `suppressed_at`."""
    here = sa.exists().where(
        Member.user_id == User.id, Member.partner_id == Enrollment.partner_id, Enrollment.program_id == program_id
    )
    found = (
        sa.select(SuppressedAddress.address, User.name, SuppressedAddress.reason, SuppressedAddress.suppressed_at)
        .join(User, User.email == SuppressedAddress.address)
        .where(here)
        .order_by(SuppressedAddress.suppressed_at.desc(), SuppressedAddress.address)
    )
    return session.execute(found.limit(limit)).all()


def groups(session: Session, *, program_id: UUID) -> Sequence[str]:
    """The groups that partners of a program are in."""
    named = (PartnerTerms.program_id == program_id, PartnerTerms.group_name.is_not(None))
    found = sa.select(PartnerTerms.group_name).where(*named).distinct().order_by(PartnerTerms.group_name)
    return [name for name in session.scalars(found.limit(GROUPS_MAX)) if name]
