"""What has arrived of a test: its click, its order, and an order that was no test."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.attribution.models import Attribution
from affiliate.commissions.models import Commission
from affiliate.ingest.models import Click, ClickVerdict, Conversion
from affiliate.links.models import Link
from affiliate.programs.arrival import Sight, TestOrder

SPAN = timedelta(days=1)
"""Older things are of an earlier try; and a page may not look through a year of orders for a test."""


def sight(session: Session, *, program_id: UUID, link_id: UUID, refused_at: datetime | None, now: datetime) -> Sight:
    """What there is to see of the program's newest test. `refused_at` is known from the log of requests."""
    click = _click(session, program_id, link_id, now - SPAN)
    return Sight(
        click_id=click.id if click else None,
        clicked_at=click.occurred_at if click else None,
        order=_test_order(session, program_id, now - SPAN),
        counted_at=_counted_at(session, program_id, now - SPAN),
        refused_at=refused_at,
    )


def _click(session: Session, program_id: UUID, link_id: UUID, since: datetime) -> Any | None:
    owner = sa.select(Link.partner_id).where(Link.id == link_id).scalar_subquery()
    here = (Click.program_id == program_id, Click.partner_id == owner, Click.occurred_at >= since)
    mine = (*here, Click.link_id == link_id, Click.verdict == ClickVerdict.TEST)
    newest = sa.select(Click.id, Click.occurred_at).where(*mine).order_by(Click.occurred_at.desc())
    return session.execute(newest.limit(1)).one_or_none()


def _counted_at(session: Session, program_id: UUID, since: datetime) -> datetime | None:
    here = (Conversion.program_id == program_id, Conversion.occurred_at >= since, ~Conversion.is_test)
    newest = sa.select(Conversion.received_at).where(*here).order_by(Conversion.occurred_at.desc())
    return session.scalar(newest.limit(1))


def _test_order(session: Session, program_id: UUID, since: datetime) -> TestOrder | None:
    found = (
        sa.select(Conversion, Attribution.id, Attribution.reason, Commission.id, Commission.amount_minor)
        .outerjoin(Attribution, sa.and_(Attribution.conversion_id == Conversion.id, Attribution.is_current))
        .outerjoin(
            Commission,
            sa.and_(Commission.conversion_id == Conversion.id, Commission.is_live, Commission.level == 1),
        )
        .where(Conversion.program_id == program_id, Conversion.occurred_at >= since, Conversion.is_test)
        .order_by(Conversion.occurred_at.desc(), Conversion.id)
    )
    row = session.execute(found.limit(1)).one_or_none()
    if row is None:
        return None
    order, attribution_id, reason, commission_id, amount_minor = row
    has_touch = any((order.click_id, order.visitor_id, order.coupon))
    return TestOrder(
        order.order_id, order.received_at, has_touch, order.click_refusal is not None, attribution_id is not None,
        reason, commission_id is not None, amount_minor,
    )  # fmt: skip
