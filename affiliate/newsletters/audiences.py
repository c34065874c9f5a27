"""Every SELECT on who reads: segments and their size, what people refuse and agree to, addresses whose mail comes back."""

from collections.abc import Collection, Sequence
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
    OpeningConsent,
    Prospect,
    ProspectRefusal,
    ProspectStatus,
    SuppressedAddress,
)
from affiliate.newsletters.segments import Performance, Segment
from affiliate.partners.models import Enrollment, EnrollmentStatus, Member
from affiliate.relations.care_models import PartnerTag
from affiliate.reports.momentum import Momentum
from affiliate.reports.queries import NOT_COUNTED
from affiliate.steering import choosing
from affiliate.steering.models import PartnerMomentum

SHOWN_MAX = 100
GROUPS_MAX = 200


@dataclass(frozen=True, slots=True)
class Audience:
    """How many people match a segment, and how many of them get nothing: they said no, or their mail comes back.

    Nobody matches where the saved choice of the segment was deleted: then `lacks_choice`.
    """

    matching: int
    refusing: int
    suppressed: int
    lacks_choice: bool = False

    @property
    def readers(self) -> int:
        """To how many it goes."""
        return self.matching - self.refusing - self.suppressed


def lacks_choice(session: Session, *, program_id: UUID, segment: Segment) -> bool:
    """Whether the saved choice that a segment names was deleted: whom its writer meant is not known any more, so it means nobody."""
    return bool(segment.choice) and choosing.of_saved(session, program_id, segment.choice) is None


def matching(
    session: Session, *, program_id: UUID, segment: Segment, language: str, now: datetime
) -> sa.Select[*tuple[Any, ...]]:
    """People who match a segment: `user_id`, `partner_id`, `email`, `time_zone`. One row for each membership."""
    found = (
        sa.select(User.id.label("user_id"), Enrollment.partner_id, User.email, User.time_zone)
        .join(Member, Member.user_id == User.id)
        .join(Enrollment, Enrollment.partner_id == Member.partner_id)
        .where(Enrollment.program_id == program_id, Enrollment.status.in_(segment.statuses), User.active)
    )
    if segment.languages:
        found = found.where(sa.func.coalesce(User.locale, language).in_(segment.languages))
    if segment.groups:
        found = found.where(_exists(PartnerTerms, program_id, PartnerTerms.group_name.in_(segment.groups)))
    if segment.tags:
        found = found.where(_exists(PartnerTag, program_id, PartnerTag.tag.in_(segment.tags)))
    if segment.momentum:
        found = found.where(
            _exists(PartnerMomentum, program_id, PartnerMomentum.momentum == Momentum(segment.momentum))
        )
    if segment.choice:
        found = found.where(*choosing.narrowed(session, program_id, {"segment": segment.choice}))
    since = now - timedelta(days=segment.days)
    return found.where(*_performing(segment.performance, program_id, since))


def prospects(session: Session, *, program_id: UUID, segment: Segment) -> sa.Select[*tuple[Any, ...]]:
    """Prospects who match a segment: `prospect_id`, `email`. Who is a partner's by now is none any more."""
    joined = (
        sa.select(sa.literal(1))
        .select_from(User)
        .join(Member, Member.user_id == User.id)
        .join(Enrollment, Enrollment.partner_id == Member.partner_id)
        .where(
            User.email == Prospect.email,
            Enrollment.program_id == program_id,
            Enrollment.status != EnrollmentStatus.REJECTED,
        )
    )
    found = sa.select(Prospect.id.label("prospect_id"), Prospect.email).where(
        Prospect.program_id == program_id, Prospect.status == ProspectStatus.CONFIRMED,
        ~sa.exists(joined.correlate(Prospect)),
    )  # fmt: skip
    if not segment.prospects or lacks_choice(session, program_id=program_id, segment=segment):
        return found.where(sa.false())
    return found.where(Prospect.locale.in_(segment.languages)) if segment.languages else found


def _performing(performance: Performance, program_id: UUID, since: datetime) -> list[sa.ColumnElement[bool]]:
    clicked = _exists(ClickHour, program_id, ClickHour.hour >= since, ClickHour.verdict == ClickVerdict.VALID)
    counted = (Commission.is_live, Commission.status.not_in(NOT_COUNTED))
    sold = _exists(Commission, program_id, Commission.earned_at >= since, *counted)
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


def refuses(user_id: Any, program_id: Any, kind: Any) -> sa.Exists:
    """Whether a person of a partner wants no newsletters of a kind from a program."""
    refused = (
        NewsletterRefusal.user_id == user_id, NewsletterRefusal.program_id == program_id, NewsletterRefusal.kind == kind,
    )  # fmt: skip
    return sa.exists(
        sa.select(sa.literal(1)).select_from(NewsletterRefusal).where(*refused).correlate_except(NewsletterRefusal)
    )


def prospect_refuses(prospect_id: Any, kind: Any) -> sa.Exists:
    """Whether a prospect wants no newsletters of a kind."""
    refused = sa.exists().where(ProspectRefusal.prospect_id == prospect_id, ProspectRefusal.kind == kind)
    return refused.correlate_except(ProspectRefusal)


def _suppressed(email: Any) -> sa.Exists:
    found = sa.select(sa.literal(1)).select_from(SuppressedAddress).where(SuppressedAddress.address == email)
    return sa.exists(found.correlate_except(SuppressedAddress))


def audience(
    session: Session, *, program_id: UUID, segment: Segment, language: str, kind: IssueKind, now: datetime
) -> Audience:
    """How many people a segment holds now."""
    if lacks_choice(session, program_id=program_id, segment=segment):
        return Audience(0, 0, 0, lacks_choice=True)
    found = matching(session, program_id=program_id, segment=segment, language=language, now=now)
    people = found.with_only_columns(User.id, User.email).distinct().subquery()
    refusing = refuses(people.c.id, program_id, kind)
    of_partners = _counted(session, people, refusing)
    if not segment.prospects:
        return Audience(*of_partners)
    also = prospects(session, program_id=program_id, segment=segment).subquery()
    of_prospects = _counted(session, also, prospect_refuses(also.c.prospect_id, kind))
    people_in_all, refused, suppressed = (one + other for one, other in zip(of_partners, of_prospects, strict=True))
    return Audience(people_in_all, refused, suppressed)


def _counted(session: Session, people: Any, refusing: Any) -> tuple[int, int, int]:
    """How many there are, how many of them refuse, and how many of the rest are suppressed."""
    suppressed_too = sa.and_(~refusing, _suppressed(people.c.email))
    counted = sa.select(
        sa.func.count(),
        sa.func.coalesce(sa.func.sum(sa.case((refusing, 1), else_=0)), 0),
        sa.func.coalesce(sa.func.sum(sa.case((suppressed_too, 1), else_=0)), 0),
    ).select_from(people)
    matching, refused, suppressed = session.execute(counted).one()
    return int(matching), int(refused), int(suppressed)


def readers_after(
    session: Session, *, issue: NewsletterIssue, segment: Segment, after: UUID | None, limit: int, now: datetime
) -> Sequence[Any]:
    """The next people who get an issue, in the order of their ids. A person of two partners may come twice in a row."""
    found = _reading(session, issue, segment, now)
    if after is not None:
        found = found.where(User.id > after)
    return session.execute(found.order_by(User.id, Member.id).limit(limit)).all()


def has_readers_of(
    session: Session, *, issue: NewsletterIssue, segment: Segment, partner_id: UUID, now: datetime
) -> bool:
    """Whether somebody of a partner gets an issue as things stand."""
    found = _reading(session, issue, segment, now).where(Enrollment.partner_id == partner_id)
    return bool(session.scalar(sa.select(found.exists())))


def _reading(session: Session, issue: NewsletterIssue, segment: Segment, now: datetime) -> sa.Select[*tuple[Any, ...]]:
    found = matching(session, program_id=issue.program_id, segment=segment, language=issue.language, now=now)
    return found.where(~refuses(User.id, issue.program_id, issue.kind), ~_suppressed(User.email))


def prospects_after(
    session: Session, *, issue: NewsletterIssue, segment: Segment, after: UUID | None, limit: int
) -> Sequence[Any]:
    """The next prospects who get an issue, in the order of their ids."""
    found = prospects(session, program_id=issue.program_id, segment=segment)
    found = found.where(~prospect_refuses(Prospect.id, issue.kind), ~_suppressed(Prospect.email))
    if after is not None:
        found = found.where(Prospect.id > after)
    return session.execute(found.order_by(Prospect.id).limit(limit)).all()


def refused_kinds(session: Session, *, user_id: UUID) -> set[tuple[UUID, IssueKind]]:
    """What a person does not want, as (program, kind)."""
    found = sa.select(NewsletterRefusal.program_id, NewsletterRefusal.kind).where(NewsletterRefusal.user_id == user_id)
    return {(row.program_id, row.kind) for row in session.execute(found)}


def told_of_openings(session: Session, *, user_id: UUID) -> set[UUID]:
    """The programs that a person lets know when it opens their newsletters."""
    return set(session.scalars(sa.select(OpeningConsent.program_id).where(OpeningConsent.user_id == user_id)))


def prospect_tells(session: Session, *, prospect_id: UUID) -> bool:
    """Whether a prospect lets its program know when it opens newsletters."""
    return bool(session.scalar(sa.select(sa.exists().where(OpeningConsent.prospect_id == prospect_id))))


def address_of(session: Session, *, delivery_id: UUID) -> str | None:
    """The address of the reader of a delivery."""
    found = (
        sa.select(sa.func.coalesce(User.email, Prospect.email))
        .select_from(NewsletterDelivery)
        .outerjoin(User, User.id == NewsletterDelivery.user_id)
        .outerjoin(Prospect, Prospect.id == NewsletterDelivery.prospect_id)
    )
    return session.scalar(found.where(NewsletterDelivery.id == delivery_id))


def last_delivery_to(session: Session, *, address: str, since: datetime) -> UUID | None:
    """The newest newsletter that left for an address since then: what a bounce without a Message-ID is about."""
    people = sa.select(User.id).where(User.email == address)
    asking = sa.select(Prospect.id).where(Prospect.email == address)
    theirs = sa.or_(NewsletterDelivery.user_id.in_(people), NewsletterDelivery.prospect_id.in_(asking))
    found = sa.select(NewsletterDelivery.id).where(theirs, NewsletterDelivery.claimed_at >= since)
    return session.scalar(found.order_by(NewsletterDelivery.claimed_at.desc()).limit(1))


def prospect_by_email(session: Session, *, program_id: UUID, email: str) -> Prospect | None:
    """The prospect of a program with this address, as it stands in the database now."""
    found = sa.select(Prospect).where(Prospect.program_id == program_id, Prospect.email == email)
    return session.scalar(found.execution_options(populate_existing=True))


def prospects_by_email(session: Session, *, emails: Collection[str]) -> Sequence[Prospect]:
    """The prospects of all programs with these addresses."""
    return session.scalars(sa.select(Prospect).where(Prospect.email.in_(emails))).all()


def kinds_of_prospect(session: Session, *, prospect_id: UUID) -> list[IssueKind]:
    """What a prospect wants to hear of."""
    refused = sa.select(ProspectRefusal.kind).where(ProspectRefusal.prospect_id == prospect_id)
    gone = set(session.scalars(refused))
    return [kind for kind in IssueKind if kind not in gone]


def prospect_in(session: Session, *, prospect_id: UUID, program_id: UUID) -> Prospect | None:
    """One prospect, if it is this program's."""
    found = sa.select(Prospect).where(Prospect.id == prospect_id, Prospect.program_id == program_id)
    return session.scalar(found.execution_options(populate_existing=True))


def nobodys(session: Session, *, emails: Collection[str]) -> list[str]:
    """Those of these addresses that no prospect and no account has."""
    used = sa.select(Prospect.email).where(Prospect.email.in_(emails))
    used_too = sa.select(User.email).where(User.email.in_(emails))
    known = set(session.scalars(used)) | set(session.scalars(used_too))
    return [email for email in emails if email not in known]


def unconfirmed(session: Session, *, before: datetime, limit: int) -> Sequence[UUID]:
    """Prospects who were asked before then and have not confirmed."""
    waiting = (Prospect.status == ProspectStatus.ASKED, Prospect.asked_at <= before)
    return session.scalars(sa.select(Prospect.id).where(*waiting).order_by(Prospect.asked_at).limit(limit)).all()


def bounce_codes(session: Session, *, address: str, since: datetime) -> list[str]:
    """The codes of the bounces of an address since then."""
    found = sa.select(MailBounce.code).where(MailBounce.address == address, MailBounce.occurred_at >= since)
    return list(session.scalars(found))


def suppressed(session: Session, *, program_id: UUID, limit: int = SHOWN_MAX) -> Sequence[Any]:
    """Addresses of a program's readers that get no newsletters: `address`, `name`, `reason`, `suppressed_at`."""
    member = sa.exists().where(
        Member.user_id == User.id, Member.partner_id == Enrollment.partner_id, Enrollment.program_id == program_id
    )
    here = sa.and_(Prospect.email == SuppressedAddress.address, Prospect.program_id == program_id)
    found = (
        sa.select(
            SuppressedAddress.address,
            sa.func.coalesce(User.name, Prospect.name).label("name"),
            SuppressedAddress.reason,
            SuppressedAddress.suppressed_at,
        )
        .outerjoin(User, User.email == SuppressedAddress.address)
        .outerjoin(Prospect, here)
        .where(sa.or_(member, Prospect.id.is_not(None)))
        .order_by(SuppressedAddress.suppressed_at.desc(), SuppressedAddress.address)
    )
    return session.execute(found.limit(limit)).all()


def groups(session: Session, *, program_id: UUID) -> Sequence[str]:
    """The groups that partners of a program are in."""
    named = (PartnerTerms.program_id == program_id, PartnerTerms.group_name.is_not(None))
    found = sa.select(PartnerTerms.group_name).where(*named).distinct().order_by(PartnerTerms.group_name)
    return [name for name in session.scalars(found.limit(GROUPS_MAX)) if name]
