"""What came of an issue: clicks with the label of the links that it handed out, sales by these, and openings of who agreed. Every SELECT of it."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.commissions.models import Commission
from affiliate.ingest.models import LABELLED, Click, ClickVerdict
from affiliate.newsletters.mailroom import PREFIX
from affiliate.newsletters.models import DeliveryStatus, NewsletterDelivery, NewsletterIssue, NewsletterOpening
from affiliate.newsletters.rendering import MARKER_SUB
from affiliate.reports.queries import NOT_COUNTED

DAYS = 90
"""For how long after its release the clicks and sales of an issue are counted."""


def own_links(session: Session, *, issue: NewsletterIssue) -> int:
    """How many valid clicks of the days after its release came by links of readers that an issue handed out."""
    return 0 if issue.release_at is None else session.scalar(counting(session, issue=issue)) or 0


def counting(session: Session, *, issue: NewsletterIssue) -> sa.Select[int]:
    """The question of `own_links`, of an issue that was released."""
    since = issue.release_at or issue.created_at
    return sa.select(sa.func.count()).where(
        Click.program_id == issue.program_id,
        Click.occurred_at >= since,
        Click.occurred_at < since + timedelta(days=DAYS),
        sa.text(LABELLED[session.get_bind().dialect.name]),  # in the words of the index
        Click.subs[MARKER_SUB].as_string() == ids.public(PREFIX, issue.id),
        Click.verdict == ClickVerdict.VALID,
    )


@dataclass(frozen=True, slots=True)
class Sales:
    """Conversions, and in minor units of the program's currency their revenue and what partners earn by them."""

    conversions: int = 0
    revenue_minor: int = 0
    earned_minor: int = 0


AGREED_MIN = 3


@dataclass(frozen=True, slots=True)
class Openings:
    """How many readers got an issue who agreed to tell when they open it, and how many of these opened it."""

    agreed: int = 0
    opened: int = 0

    @property
    def names_nobody(self) -> bool:
        """Whether these are enough readers for a number not to tell who of them it is about."""
        return self.agreed >= AGREED_MIN


def openings(session: Session, *, issue_id: UUID) -> Openings:
    """The openings of an issue. A mail that was opened has arrived, whatever became of the talk with the server."""
    arrived = sa.or_(NewsletterDelivery.status == DeliveryStatus.SENT, NewsletterOpening.is_opened)
    opened = sa.case((NewsletterOpening.is_opened, 1))
    found = (
        sa.select(sa.func.count(), sa.func.count(opened))
        .select_from(NewsletterOpening)
        .join(NewsletterDelivery, NewsletterDelivery.id == NewsletterOpening.delivery_id)
        .where(NewsletterDelivery.issue_id == issue_id, arrived)
    )
    return Openings(*session.execute(found).one())


def sales(session: Session, *, issue: NewsletterIssue, currency: str) -> Sales:
    """The sales that came through an issue. It reads commissions of the days after the release, and their clicks alone."""
    if issue.release_at is None:
        return Sales()
    in_it = sa.case((Commission.currency == currency, Commission.revenue_minor), else_=0)
    found = (
        sa.select(
            sa.func.count(Commission.conversion_id.distinct()),
            sa.func.coalesce(sa.func.sum(in_it), 0),
            sa.func.coalesce(sa.func.sum(Commission.amount_minor - Commission.reversed_minor), 0),
        )
        .select_from(Commission)
        .join(Click, Click.id == Commission.click_id)
        .where(
            Commission.program_id == issue.program_id,
            Commission.is_live,
            Commission.status.not_in(NOT_COUNTED),
            Commission.earned_at >= issue.release_at,
            Commission.earned_at < issue.release_at + timedelta(days=DAYS),
            Click.subs[MARKER_SUB].as_string() == ids.public(PREFIX, issue.id),
        )
    )
    conversions, revenue, earned = session.execute(found).one()
    return Sales(conversions, int(revenue), int(earned))
