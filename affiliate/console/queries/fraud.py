"""The orders under review, a page at a time, and what stands behind a verdict."""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.commissions.models import Commission
from affiliate.console import paging
from affiliate.fraud import lists
from affiliate.fraud.models import FraudVerdict

Pair = tuple[UUID, UUID]
"""A conversion and the partner who is credited for it."""


def queue(
    session: Session,
    *,
    program_id: UUID,
    appealed: bool,
    cursor: paging.Cursor | None,
    size: int = paging.PAGE_SIZE,
) -> tuple[list[lists.Waiting], paging.Page]:
    """A page of the orders that wait, the soonest promise first, with its neighbours; the first begins with appeals against rejections."""
    found = lists.under_review(program_id=program_id, appealed=appealed)
    told = len(found.selected_columns)
    found = found.add_columns(FraudVerdict.answer_by.label("at"), FraudVerdict.id.label("id"))
    by, identifier = FraudVerdict.answer_by, FraudVerdict.id
    page = paging.page_of(session, found, by=by, identifier=identifier, cursor=cursor, size=size, ascending=True)
    rows = [lists.Waiting(*row[:told]) for row in page.rows]
    if page.newer is None:
        rows = lists.appealed_rejections(session, program_id=program_id, limit=paging.PAGE_SIZE) + rows
    return rows, page


def commission_id(session: Session, *, conversion_id: UUID, partner_id: UUID) -> UUID | None:
    """The commission in force of a partner for an order."""
    mine = (Commission.conversion_id == conversion_id, Commission.partner_id == partner_id)
    return session.scalar(sa.select(Commission.id).where(*mine, Commission.is_live).order_by(Commission.level).limit(1))


def known(session: Session, *, program_id: UUID, pairs: Collection[Pair]) -> set[Pair]:
    """Those of the pairs on which somebody gave a verdict in this program."""
    if not pairs:
        return set()
    orders = db.among(session, FraudVerdict.conversion_id, {conversion_id for conversion_id, _ in pairs})
    judged = sa.select(FraudVerdict.conversion_id, FraudVerdict.partner_id).distinct()
    rows = session.execute(judged.where(FraudVerdict.program_id == program_id, orders))
    return {(row[0], row[1]) for row in rows} & set(pairs)
