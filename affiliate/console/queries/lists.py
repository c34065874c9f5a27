"""Cases, creatives and campaigns of a program, for lists: filtered here, a page at a time."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.console import paging
from affiliate.creatives import queries as creative_queries
from affiliate.creatives.models import Creative
from affiliate.partners.models import Partner
from affiliate.relations.models import WAITING, Case, CaseStatus
from affiliate.reports import campaign_queries
from affiliate.reports.written_models import Campaign


def cases(
    session: Session, *, program_id: UUID, status: CaseStatus | None, name: str = "", cursor: paging.Cursor | None
) -> paging.Page:
    """Cases as rows of `Case` and `partner`: of one status those first whose answer is promised soonest, else the newest."""
    by = Case.opened_at if status is None else Case.answer_by
    found = sa.select(Case, Partner.name.label("partner"), by.label("at"), Case.id.label("id"))
    found = found.join(Partner, Partner.id == Case.partner_id).where(Case.program_id == program_id)
    if status is not None:
        found = found.where(Case.status == status)
    if name:
        found = found.where(_holds(Partner.name, name))
    return paging.page_of(session, found, by=by, identifier=Case.id, cursor=cursor, ascending=status is not None)


def waiting_cases(session: Session, *, program_id: UUID) -> dict[CaseStatus, int]:
    """How many cases wait, by for whom."""
    open_ones = (Case.program_id == program_id, Case.status.in_(WAITING))
    counted = sa.select(Case.status, sa.func.count()).where(*open_ones).group_by(Case.status)
    return {row[0]: row[1] for row in session.execute(counted)}


def creatives(
    session: Session, *, program_id: UUID, wanted: creative_queries.Wanted, now: datetime, cursor: paging.Cursor | None
) -> paging.Page:
    """Creatives of a program whoever they are for, the newest first; rows of `Creative` and `CreativeVersion`."""
    mine = (Creative.program_id == program_id, *creative_queries.matching(wanted, now))
    found = creative_queries.joined().add_columns(Creative.created_at.label("at"), Creative.id.label("id")).where(*mine)
    return paging.page_of(session, found, by=Creative.created_at, identifier=Creative.id, cursor=cursor)


def campaigns(
    session: Session, *, program_id: UUID, name: str = "", cursor: paging.Cursor | None, size: int
) -> paging.Page:
    """Campaigns of a program, the latest first; rows of `Campaign`."""
    found = campaign_queries.of_program(program_id)
    found = found.add_columns(Campaign.starts_on.label("at"), Campaign.id.label("id"))
    if name:
        found = found.where(_holds(Campaign.name, name))
    return paging.page_of(session, found, by=Campaign.starts_on, identifier=Campaign.id, cursor=cursor, size=size)


def _holds(column: Any, text: str) -> sa.ColumnElement[bool]:
    return sa.func.lower(column).contains(text.lower(), autoescape=True)
