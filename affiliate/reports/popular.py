"""Creatives that partners do well with: found once an hour, and suggested to who has not used them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.creatives import queries as creatives
from affiliate.creatives.models import Creative
from affiliate.creatives.queries import Reader
from affiliate.ingest.models import ClickVerdict
from affiliate.ingest.rollup_models import CreativeClickHour
from affiliate.programs.models import Program
from affiliate.reports import breakdown, periods

DAYS = 30
PARTNERS_MIN = 3
"""From so many partners with a click by it on, it is no one partner's own success."""
SALES_MIN = 3
KEPT = 10
_PRECISION = 1_000  # of what a click earns, in parts of a minor unit


def popular(session: Session, *, program: Program, now: datetime) -> list[str]:
    """The creatives (public ids) that earned the most per click in thirty days, the best first."""
    period = periods.last_days(DAYS, now=now, zone=program.time_zone)
    found = breakdown.facts_by_own_creative(
        session, program_id=program.id, partner_id=None, period=period, currency=program.currency
    )
    used = _used_by_many(session, program.id, period.starts_at)
    good = {
        name: facts.earned_minor * _PRECISION // facts.clicks_valid
        for name, facts in found.items()
        if name in used and facts.clicks_valid and facts.conversions >= SALES_MIN
    }
    return sorted(good, key=lambda name: (-good[name], name))[:KEPT]


def _used_by_many(session: Session, program_id: UUID, since: datetime) -> set[str]:
    table = CreativeClickHour
    counted = (table.program_id == program_id, table.hour >= since, table.verdict == ClickVerdict.VALID)
    many = sa.func.count(table.partner_id.distinct()) >= PARTNERS_MIN
    named = sa.select(table.creative).where(*counted).group_by(table.creative).having(many)
    return {name for name in session.scalars(named) if _is_ours(name)}


def _is_ours(name: str) -> bool:
    """Whether a click named a creative, and no word of somebody's own."""
    return ids.read("crv", name) is not None


def unused(
    session: Session, *, program_id: UUID, reader: Reader, names: Sequence[str], now: datetime
) -> Creative | None:
    """The best of these creatives that is offered to the reader now and that brought it no click yet."""
    by_id = {ids.parse("crv", name): name for name in names}
    name = sa.case(by_id, value=Creative.id, else_="")
    mine = (CreativeClickHour.program_id == program_id, CreativeClickHour.partner_id == reader.partner_id)
    used = sa.exists().where(*mine, CreativeClickHour.creative == name)
    offered = (creatives.is_offered(program_id, reader, now), Creative.id.in_(by_id))
    rows = session.scalars(sa.select(Creative).where(*offered, sa.not_(used))).all()
    return min(rows, key=lambda row: names.index(by_id[row.id]), default=None)
