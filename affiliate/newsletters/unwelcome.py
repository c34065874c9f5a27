"""Which mails of an issue must not leave any more, though their readers were written down when it was released."""

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


def unwelcome(session: Session, *, issue_id: UUID) -> sa.ColumnElement[bool]:
    """Whether a delivery must not leave any more: a condition on NewsletterDelivery.

    Its reader said stop, the address is suppressed, the person works for the partner no more or may not sign in, or the partner
    is none any more whom the issue goes to by its status. What else was chosen stands from the release on.
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
        sa.and_(NewsletterDelivery.user_id.is_not(None), ~_still_reading(issue)),
        _suppressed_reader(User, NewsletterDelivery.user_id),
        _suppressed_reader(Prospect, NewsletterDelivery.prospect_id),
    )


def _still_reading(issue: NewsletterIssue) -> sa.Exists:
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
            Enrollment.status.in_(segments.read(issue.segment).statuses),
        )
    )
    return sa.exists(found.correlate(NewsletterDelivery))


def _suppressed_reader(table: Any, reader_id: Any) -> sa.Exists:
    found = (
        sa.select(sa.literal(1))
        .select_from(SuppressedAddress)
        .join(table, table.email == SuppressedAddress.address)
        .where(table.id == reader_id)
    )
    return sa.exists(found.correlate(NewsletterDelivery))
