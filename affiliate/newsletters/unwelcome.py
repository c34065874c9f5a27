"""Which mails of an issue must not leave any more, though their readers were written down when it was released.

Who works for the partner of a mail no more may be a reader through another one still: then the mail is that one's, with its
name and its link, and not a mail less.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts.models import User
from affiliate.newsletters import audiences, segments
from affiliate.newsletters.models import (
    NewsletterDelivery,
    NewsletterIssue,
    Prospect,
    ProspectStatus,
    SuppressedAddress,
)
from affiliate.partners.models import Enrollment, Member
from affiliate.steering import choosing


def unwelcome(session: Session, *, issue_id: UUID) -> sa.ColumnElement[bool]:
    """Whether a delivery must not leave any more: a condition on NewsletterDelivery.

    Its reader said stop, the address is suppressed, the person works for the partner no more or may not sign in, or the partner
    is none any more whom the issue goes to by its status, that of its saved choice included. What else was chosen stands from
    the release on, also where the saved choice was deleted since.
    """
    issue = session.get_one(NewsletterIssue, issue_id)
    stopped = sa.exists().where(
        Prospect.id == NewsletterDelivery.prospect_id, Prospect.status != ProspectStatus.CONFIRMED
    )
    refused = audiences.refuses(NewsletterDelivery.user_id, issue.program_id, issue.kind)
    return sa.or_(
        refused,
        audiences.prospect_refuses(NewsletterDelivery.prospect_id, issue.kind),
        stopped.correlate(NewsletterDelivery),
        sa.and_(NewsletterDelivery.user_id.is_not(None), ~_still_reading(session, issue)),
        _suppressed_reader(User, NewsletterDelivery.user_id),
        _suppressed_reader(Prospect, NewsletterDelivery.prospect_id),
    )


def through_another(session: Session, *, issue_id: UUID, now: datetime) -> tuple[sa.ColumnElement[bool], Any]:
    """Deliveries whose person reads no more through the partner written down, and the partner through whom it does.

    A condition on NewsletterDelivery, and the id of that partner for each. It matches the whole choice of the issue, for
    nothing of it was decided at the release.
    """
    issue = session.get_one(NewsletterIssue, issue_id)
    here: dict[str, Any] = {"program_id": issue.program_id, "segment": segments.read(issue.segment)}
    found = audiences.matching(session, **here, language=issue.language, now=now)
    found = found.where(User.id == NewsletterDelivery.user_id)
    partners = found.with_only_columns(Enrollment.partner_id, maintain_column_froms=True).order_by(Member.id).limit(1)
    other = partners.correlate(NewsletterDelivery).scalar_subquery()
    is_moved = sa.and_(NewsletterDelivery.user_id.is_not(None), ~_still_reading(session, issue), other.is_not(None))
    return is_moved, other


def _still_reading(session: Session, issue: NewsletterIssue) -> sa.Exists:
    """Whether the person of a delivery is an active one of its partner, and the partner has a status that the issue goes to."""
    found = (
        sa.select(sa.literal(1))
        .select_from(Member)
        .join(User, User.id == Member.user_id)
        .join(Enrollment, Enrollment.partner_id == Member.partner_id)
        .where(
            Member.user_id == NewsletterDelivery.user_id,
            Member.partner_id == NewsletterDelivery.partner_id,
            User.active,
            Enrollment.program_id == issue.program_id,
            Enrollment.status.in_(_statuses(session, issue)),
        )
    )
    return sa.exists(found.correlate(NewsletterDelivery))


def _statuses(session: Session, issue: NewsletterIssue) -> list[str]:
    segment = segments.read(issue.segment)
    saved = choosing.statuses_of_saved(session, issue.program_id, segment.choice) if segment.choice else None
    return [status for status in segment.statuses if saved is None or status in saved]


def _suppressed_reader(table: Any, reader_id: Any) -> sa.Exists:
    found = (
        sa.select(sa.literal(1))
        .select_from(SuppressedAddress)
        .join(table, table.email == SuppressedAddress.address)
        .where(table.id == reader_id)
    )
    return sa.exists(found.correlate(NewsletterDelivery))
