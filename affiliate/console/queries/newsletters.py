"""Newsletters of a program, page by page."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.console import paging
from affiliate.newsletters import queries
from affiliate.newsletters.models import (
    DeliveryStatus,
    IssueStatus,
    NewsletterDelivery,
    NewsletterIssue,
    Prospect,
    ProspectStatus,
)


def issues(
    session: Session, *, program_id: UUID, status: IssueStatus | None, cursor: paging.Cursor | None
) -> paging.Page:
    """Issues of one status or of all, newest first, each as `NewsletterIssue`."""
    statement = sa.select(
        NewsletterIssue, NewsletterIssue.id.label("id"), NewsletterIssue.created_at.label("at")
    ).where(NewsletterIssue.program_id == program_id)
    if status is not None:
        statement = statement.where(NewsletterIssue.status == status)
    return paging.page_of(
        session, statement, by=NewsletterIssue.created_at, identifier=NewsletterIssue.id, cursor=cursor
    )


def undelivered(session: Session, *, issue_id: UUID, cursor: paging.Cursor | None) -> paging.Page:
    """Mails of an issue that a manager should look at, uncertain ones first; rows of `newsletters.queries.undelivered`."""
    is_uncertain = sa.cast(NewsletterDelivery.status == DeliveryStatus.UNCERTAIN, sa.Integer)
    found = queries.undelivered(issue_id).add_columns(is_uncertain.label("at"), NewsletterDelivery.id.label("id"))
    return paging.page_of(session, found, by=is_uncertain, identifier=NewsletterDelivery.id, cursor=cursor)


def prospects(
    session: Session, *, program_id: UUID, status: ProspectStatus | None, cursor: paging.Cursor | None,
    size: int = paging.PAGE_SIZE,
) -> paging.Page:  # fmt: skip
    """People who asked for news, of one status or of all, newest first, each as `Prospect`."""
    statement = sa.select(Prospect, Prospect.id.label("id"), Prospect.asked_at.label("at"))
    statement = statement.where(Prospect.program_id == program_id)
    if status is not None:
        statement = statement.where(Prospect.status == status)
    return paging.page_of(session, statement, by=Prospect.asked_at, identifier=Prospect.id, cursor=cursor, size=size)
