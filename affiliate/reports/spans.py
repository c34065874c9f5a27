"""What each approved partner brought in two spans of days side by side: what momentum is judged by."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.commissions.models import Commission
from affiliate.ingest.models import ClickVerdict
from affiliate.ingest.rollup_models import PartnerClickHour
from affiliate.partners.models import Enrollment, EnrollmentStatus
from affiliate.reports.momentum import Span
from affiliate.reports.periods import Period
from affiliate.reports.queries import NOT_COUNTED


@dataclass(frozen=True, slots=True)
class Spans:
    """One partner's two spans; `ever` whether it has brought anything at all, `revenue_minor` that of the span before.

    `earned_minor` is its commission in both spans, less what was taken back.
    """

    partner_id: UUID
    approved_at: datetime
    now: Span
    before: Span
    ever: bool
    revenue_minor: int
    earned_minor: int


def spans_of(
    session: Session, *, program_id: UUID, now: Period, limit: int, after: UUID | None = None
) -> Iterator[Spans]:
    """Approved partners of the program with the days of `now` and as many before them: up to `limit` of them, by their ids, behind `after`."""
    before = now.before
    clicks = _clicks(program_id, now, before).subquery()
    sales = _sales(program_id, now, before).subquery()
    clicked = sa.exists().where(PartnerClickHour.program_id == program_id, PartnerClickHour.partner_id == Enrollment.partner_id, PartnerClickHour.verdict == ClickVerdict.VALID)  # fmt: skip
    sold = sa.exists().where(Commission.program_id == program_id, Commission.partner_id == Enrollment.partner_id, Commission.is_live, Commission.status.not_in(NOT_COUNTED))  # fmt: skip
    quiet = sa.and_(clicks.c.partner_id.is_(None), sales.c.partner_id.is_(None))
    ever = sa.case((quiet, sa.or_(clicked, sold)), else_=sa.true())
    since = sa.func.coalesce(Enrollment.decided_at, Enrollment.created_at)
    behind = () if after is None else (Enrollment.partner_id > after,)
    rows = (
        sa.select(
            Enrollment.partner_id, since.label("since"), clicks.c.now, clicks.c.before, sales.c.now, sales.c.before,
            ever, sales.c.revenue, sales.c.earned,
        )
        .outerjoin(clicks, clicks.c.partner_id == Enrollment.partner_id)
        .outerjoin(sales, sales.c.partner_id == Enrollment.partner_id)
        .where(Enrollment.program_id == program_id, Enrollment.status == EnrollmentStatus.APPROVED, *behind)
        .order_by(Enrollment.partner_id)
        .limit(limit)
    )  # fmt: skip
    for partner_id, at, clicks_now, clicks_before, sales_now, sales_before, known, revenue, earned in session.execute(
        rows
    ):
        this, last = Span(int(clicks_now or 0), sales_now or 0), Span(int(clicks_before or 0), sales_before or 0)
        yield Spans(partner_id, at, this, last, bool(known), int(revenue or 0), int(earned or 0))


def _clicks(program_id: UUID, now: Period, before: Period) -> sa.Select[*tuple[Any, ...]]:
    hour, clicks = PartnerClickHour.hour, PartnerClickHour.clicks
    this = sa.func.sum(sa.case((hour >= now.starts_at, clicks), else_=0)).label("now")
    last = sa.func.sum(sa.case((hour < now.starts_at, clicks), else_=0)).label("before")
    here = (PartnerClickHour.program_id == program_id, PartnerClickHour.verdict == ClickVerdict.VALID)
    counted = sa.select(PartnerClickHour.partner_id, this, last).where(*here)
    return counted.where(hour >= before.starts_at, hour < now.ends_at).group_by(PartnerClickHour.partner_id)


def _sales(program_id: UUID, now: Period, before: Period) -> sa.Select[*tuple[Any, ...]]:
    at = Commission.earned_at
    in_now = at >= now.starts_at
    this = sa.func.count(sa.case((in_now, Commission.conversion_id)).distinct()).label("now")
    last = sa.func.count(sa.case((sa.not_(in_now), Commission.conversion_id)).distinct()).label("before")
    revenue = sa.func.sum(sa.case((sa.not_(in_now), Commission.revenue_minor), else_=0)).label("revenue")
    earned = sa.func.sum(Commission.amount_minor - Commission.reversed_minor).label("earned")
    counted = sa.select(Commission.partner_id, this, last, revenue, earned)
    here = (Commission.program_id == program_id, Commission.is_live, Commission.status.not_in(NOT_COUNTED))
    return counted.where(*here, at >= before.starts_at, at < now.ends_at).group_by(Commission.partner_id)
