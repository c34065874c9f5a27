"""Every SELECT on issues, their readers, deliveries, refusals, consents and addresses that are suppressed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import folding
from affiliate.accounts.models import User
from affiliate.links import queries as links
from affiliate.links.models import Link
from affiliate.newsletters.models import (
    ConsentStatus,
    DeliveryStatus,
    IssueStatus,
    NewsletterDelivery,
    NewsletterIssue,
    NewsletterLink,
    NewsletterOpening,
    OpeningConsent,
    Prospect,
    StoryConsent,
)
from affiliate.partners.models import Enrollment, Partner, PartnerTerms
from affiliate.programs.models import Program

NAMES_MAX = 200
PUBLISHED = (IssueStatus.SENDING, IssueStatus.STOPPED, IssueStatus.SENT)


def issue_in(session: Session, *, issue_id: UUID, program_id: UUID) -> NewsletterIssue | None:
    """One issue, if it is this program's; as it stands in the database now."""
    found = sa.select(NewsletterIssue).where(NewsletterIssue.id == issue_id, NewsletterIssue.program_id == program_id)
    return session.scalar(found.execution_options(populate_existing=True))


def last_readers(session: Session, *, issue_id: UUID) -> tuple[UUID | None, UUID | None]:
    """The last person of a partner and the last prospect who have a delivery of an issue: where its release goes on."""
    mine = NewsletterDelivery.issue_id == issue_id
    user_id, prospect_id = (
        session.scalar(sa.select(column).where(mine, column.is_not(None)).order_by(column.desc()).limit(1))
        for column in (NewsletterDelivery.user_id, NewsletterDelivery.prospect_id)
    )
    return user_id, prospect_id


def to_release(session: Session, *, now: datetime) -> NewsletterIssue | None:
    """The issue whose readers must be written down next."""
    found = sa.select(NewsletterIssue).where(
        NewsletterIssue.status.in_((IssueStatus.SCHEDULED, IssueStatus.SENDING)),
        NewsletterIssue.released_at.is_(None),
        NewsletterIssue.release_at <= now,
    )
    return session.scalar(found.order_by(NewsletterIssue.release_at, NewsletterIssue.id).limit(1))


def due(session: Session, *, limit: int, now: datetime) -> Sequence[Any]:
    """Deliveries to make now, oldest first: `NewsletterDelivery`, and of its reader `reader_id`, `email`, `name`, `locale`, `partner_name`.

    `consent_id` is the reader's consent to tell the program of openings, or null; `quiet_zone` the zone of a reader who is not
    written to at night, null where the issue may come at any hour.
    """
    quiet_zone = sa.case((NewsletterIssue.keeps_quiet_hours, _ZONE)).label("quiet_zone")
    found = (
        _with_readers(NewsletterDelivery, _consent_of_reader().label("consent_id"), quiet_zone)
        .join(NewsletterIssue, NewsletterIssue.id == NewsletterDelivery.issue_id)
        .join(Program, Program.id == NewsletterIssue.program_id)
        .where(
            NewsletterDelivery.status == DeliveryStatus.WAITING,
            NewsletterDelivery.due_at <= now,
            NewsletterIssue.status == IssueStatus.SENDING,
            sa.or_(NewsletterIssue.held_until.is_(None), NewsletterIssue.held_until <= now),
        )
        .order_by(NewsletterDelivery.due_at, NewsletterDelivery.id)
    )
    return session.execute(found.limit(limit)).all()


def _consent_of_reader() -> sa.ScalarSelect[UUID]:
    of_reader = sa.or_(
        OpeningConsent.user_id == NewsletterDelivery.user_id,
        OpeningConsent.prospect_id == NewsletterDelivery.prospect_id,
    )
    found = sa.select(OpeningConsent.id).where(of_reader, OpeningConsent.program_id == NewsletterIssue.program_id)
    return found.correlate(NewsletterDelivery, NewsletterIssue).scalar_subquery()


def zones_of_next(session: Session, *, issue_id: UUID, limit: int, now: datetime) -> Sequence[Any]:
    """The next deliveries of an issue that are due, oldest first: `id`, and the `zone` of its reader; none where it may come at any hour."""
    found = (
        sa.select(NewsletterDelivery.id, _ZONE.label("zone"))
        .join(NewsletterIssue, NewsletterIssue.id == NewsletterDelivery.issue_id)
        .join(Program, Program.id == NewsletterIssue.program_id)
        .outerjoin(User, User.id == NewsletterDelivery.user_id)
        .where(
            NewsletterDelivery.issue_id == issue_id,
            NewsletterDelivery.status == DeliveryStatus.WAITING,
            NewsletterDelivery.due_at <= now,
            NewsletterIssue.keeps_quiet_hours,
        )
        .order_by(NewsletterDelivery.due_at, NewsletterDelivery.id)
    )
    return session.execute(found.limit(limit)).all()


_ZONE = sa.func.coalesce(sa.func.nullif(User.time_zone, ""), Program.time_zone)


def _with_readers(*wanted: Any) -> sa.Select[*tuple[Any, ...]]:
    """Columns of deliveries with their readers: people of partners, and prospects, whose `partner_name` is empty."""
    return (
        sa.select(
            *wanted,
            sa.func.coalesce(NewsletterDelivery.user_id, NewsletterDelivery.prospect_id).label("reader_id"),
            sa.func.coalesce(User.email, Prospect.email).label("email"),
            sa.func.coalesce(User.name, Prospect.name).label("name"),
            sa.func.coalesce(User.locale, Prospect.locale).label("locale"),
            sa.func.coalesce(Partner.name, "").label("partner_name"),
        )
        .select_from(NewsletterDelivery)
        .outerjoin(User, User.id == NewsletterDelivery.user_id)
        .outerjoin(Partner, Partner.id == NewsletterDelivery.partner_id)
        .outerjoin(Prospect, Prospect.id == NewsletterDelivery.prospect_id)
    )


def claimed_since(session: Session, *, since: datetime) -> int:
    """How many mails were handed to the server since then: what the rate counts."""
    counted = sa.select(sa.func.count()).where(NewsletterDelivery.claimed_at >= since)
    return session.scalar(counted) or 0


def is_claimed(session: Session, *, before: datetime) -> bool:
    """Whether a mail is still under way that was claimed before: its sender is dead."""
    of_dead = (NewsletterDelivery.status == DeliveryStatus.CLAIMED, NewsletterDelivery.claimed_at < before)
    return bool(session.scalar(sa.select(sa.exists().where(*of_dead))))


def programs_and_issues(session: Session, *, issue_ids: Sequence[UUID]) -> Sequence[Any]:
    """`NewsletterIssue` and its `Program`, for the issues of a batch."""
    found = sa.select(NewsletterIssue, Program).join(Program, Program.id == NewsletterIssue.program_id)
    return session.execute(found.where(NewsletterIssue.id.in_(issue_ids))).all()


def link_codes(session: Session, *, program_id: UUID, partner_ids: Sequence[UUID], now: datetime) -> Mapping[UUID, str]:
    """The usual link of each partner in a program, by partner: the oldest that counts now, of those that never end if there is one.

    A mail is read for days, so a link whose term ends is only taken where there is no other.
    """
    first = (Link.expires_at.is_not(None), Link.created_at, Link.id)
    place = sa.func.row_number().over(partition_by=Link.partner_id, order_by=first).label("place")
    mine = (Link.program_id == program_id, Link.partner_id.in_(partner_ids), links.is_usable(now))
    ranked = sa.select(Link.partner_id, Link.code, place).where(*mine).subquery()
    found = sa.select(ranked.c.partner_id, ranked.c.code).where(ranked.c.place == 1)
    return {row.partner_id: row.code for row in session.execute(found)}


def groups_of(session: Session, *, program_id: UUID, partner_ids: Sequence[UUID]) -> Mapping[UUID, str]:
    """The group of each partner that is in one, by partner."""
    mine = (PartnerTerms.program_id == program_id, PartnerTerms.partner_id.in_(partner_ids))
    found = sa.select(PartnerTerms.partner_id, PartnerTerms.group_name).where(*mine)
    return {row.partner_id: row.group_name for row in session.execute(found) if row.group_name}


def counts(session: Session, *, issue_id: UUID) -> dict[DeliveryStatus, int]:
    """How many deliveries of an issue stand where; every status is there."""
    counted = (
        sa.select(NewsletterDelivery.status, sa.func.count().label("mails"))
        .where(NewsletterDelivery.issue_id == issue_id)
        .group_by(NewsletterDelivery.status)
    )
    found = {row.status: row.mails for row in session.execute(counted)}
    return {status: found.get(status, 0) for status in DeliveryStatus}


def answers(session: Session, *, issue_id: UUID) -> tuple[int, int]:
    """How many readers unsubscribed by an issue, and how many of its mails came back."""
    counted = sa.select(
        sa.func.count(NewsletterDelivery.unsubscribed_at), sa.func.count(NewsletterDelivery.bounced_at)
    ).where(NewsletterDelivery.issue_id == issue_id)
    unsubscribed, bounced = session.execute(counted).one()
    return unsubscribed, bounced


def undelivered(issue_id: UUID) -> sa.Select[*tuple[Any, ...]]:
    """Deliveries that a manager should look at, without order: `NewsletterDelivery`, `name`, `email`, `partner_name`."""
    wanted = (DeliveryStatus.UNCERTAIN, DeliveryStatus.FAILED, DeliveryStatus.REFUSED)
    mine = (NewsletterDelivery.issue_id == issue_id, NewsletterDelivery.status.in_(wanted))
    return _with_readers(NewsletterDelivery).where(*mine)


def is_busy(session: Session, *, issue_id: UUID) -> bool:
    """Whether any delivery of an issue waits or is under way."""
    open_ones = (DeliveryStatus.WAITING, DeliveryStatus.CLAIMED)
    found = sa.exists().where(NewsletterDelivery.issue_id == issue_id, NewsletterDelivery.status.in_(open_ones))
    return bool(session.scalar(sa.select(found)))


def next_due(session: Session, *, issue_id: UUID) -> datetime | None:
    """When the next mail of an issue is due."""
    waiting = (NewsletterDelivery.issue_id == issue_id, NewsletterDelivery.status == DeliveryStatus.WAITING)
    return session.scalar(sa.select(sa.func.min(NewsletterDelivery.due_at)).where(*waiting))


def consents(session: Session, *, issue_id: UUID) -> Mapping[tuple[str, str], StoryConsent]:
    """What partners said to the stories of an issue, by partner and fingerprint."""
    found = session.scalars(sa.select(StoryConsent).where(StoryConsent.issue_id == issue_id))
    return {(str(consent.partner_id), consent.fingerprint): consent for consent in found}


def consents_of(session: Session, *, program_id: UUID, partner_id: UUID, limit: int = 20) -> Sequence[StoryConsent]:
    """The stories about a partner, those that wait for its answer first."""
    found = sa.select(StoryConsent).where(StoryConsent.program_id == program_id, StoryConsent.partner_id == partner_id)
    waiting_first = sa.case((StoryConsent.status == ConsentStatus.ASKED, 0), else_=1)
    return session.scalars(found.order_by(waiting_first, StoryConsent.id.desc()).limit(limit)).all()


def archive(
    session: Session, *, program_id: UUID, user_id: UUID, limit: int, offset: int = 0
) -> Sequence[NewsletterIssue]:
    """The issues that a person may read again, newest first: those for everybody, and those that went to this person."""
    found = sa.select(NewsletterIssue).where(NewsletterIssue.program_id == program_id, _readable(user_id))
    ordered = found.order_by(NewsletterIssue.release_at.desc(), NewsletterIssue.id.desc())
    return session.scalars(ordered.limit(limit).offset(offset)).all()


def archive_size(session: Session, *, program_id: UUID, user_id: UUID) -> int:
    """How many issues a person may read again."""
    mine = (NewsletterIssue.program_id == program_id, _readable(user_id))
    return session.scalar(sa.select(sa.func.count()).select_from(NewsletterIssue).where(*mine)) or 0


def archived(session: Session, *, issue_id: UUID, program_id: UUID, user_id: UUID) -> NewsletterIssue | None:
    """One issue, if this person may read it."""
    mine = (NewsletterIssue.id == issue_id, NewsletterIssue.program_id == program_id, _readable(user_id))
    return session.scalar(sa.select(NewsletterIssue).where(*mine))


def _readable(user_id: UUID) -> sa.ColumnElement[bool]:
    got = sa.exists().where(NewsletterDelivery.issue_id == NewsletterIssue.id, NewsletterDelivery.user_id == user_id)
    return sa.and_(NewsletterIssue.status.in_(PUBLISHED), sa.or_(NewsletterIssue.in_archive, got))


def person(session: Session, *, user_id: UUID) -> User | None:
    """The person behind a token."""
    return session.get(User, user_id)


def delivery_in(session: Session, *, delivery_id: UUID, program_id: UUID) -> NewsletterDelivery | None:
    """One delivery, if its issue is this program's."""
    found = sa.select(NewsletterDelivery).join(NewsletterIssue, NewsletterIssue.id == NewsletterDelivery.issue_id)
    return session.scalar(found.where(NewsletterDelivery.id == delivery_id, NewsletterIssue.program_id == program_id))


def partners_by_name(session: Session, *, program_id: UUID, name: str = "", limit: int = NAMES_MAX) -> Sequence[Any]:
    """Partners of a program, `id` and `name`, whose name holds the text: an exact one first, then by name."""
    found = (
        sa.select(Partner.id, Partner.name)
        .join(Enrollment, Enrollment.partner_id == Partner.id)
        .where(Enrollment.program_id == program_id, folding.holds(Partner.name, name))
        .order_by(sa.case((Partner.name == name, 0), else_=1), Partner.name, Partner.id)
    )
    return session.execute(found.limit(limit)).all()


def sending(session: Session) -> list[UUID]:
    """The issues that are under way."""
    return list(session.scalars(sa.select(NewsletterIssue.id).where(NewsletterIssue.status == IssueStatus.SENDING)))


def links_of(session: Session, *, issue_id: UUID) -> Sequence[NewsletterLink]:
    """Where an issue leads, the most opened first."""
    found = sa.select(NewsletterLink).where(NewsletterLink.issue_id == issue_id)
    return session.scalars(found.order_by(NewsletterLink.clicks.desc(), NewsletterLink.url)).all()


def awaits_opening(session: Session, *, delivery_id: UUID) -> bool:
    """Whether an opening of this mail would be news to us: its reader agreed, and has not opened it."""
    waiting = (NewsletterOpening.delivery_id == delivery_id, NewsletterOpening.is_opened.is_(False))
    return bool(session.scalar(sa.select(sa.exists().where(*waiting))))


def address_behind(session: Session, *, issue_id: UUID, code: str) -> str | None:
    """The address that a counted link of an issue leads to."""
    behind = (NewsletterLink.issue_id == issue_id, NewsletterLink.code == code)
    return session.scalar(sa.select(NewsletterLink.url).where(*behind))
