"""Old clicks go: on PostgreSQL month by month with their table, else in bounded steps. The rollups stay.

What an order was credited for stands in the trace of its attribution, so no page and no dispute needs the raw click; but as long
as orders wait for their attribution nothing goes.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.ingest import partitions, queries
from affiliate.ingest.clickrules import RETENTION
from affiliate.ingest.models import Click
from affiliate.ingest.rollup_models import ClickLabel

WAITING_MAX = timedelta(days=1)
"""An order that waits longer than this for its attribution holds old clicks back."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Expired:
    """What went: whole months, single clicks."""

    months: list[str]
    clicks: int = 0


def expire_clicks(session: Session, *, limit: int, now: datetime) -> Expired:
    """Let clicks go whose term is over: all months that are past it, and up to `limit` clicks outside of months."""
    if queries.attribution_waits_since_before(session, moment=now - WAITING_MAX):
        log.warning("orders wait for their attribution: no old click goes before they have it")
        return Expired([])
    moment = now - RETENTION
    months = partitions.drop_before(session, moment=moment)
    is_partitioned = session.get_bind().dialect.name == "postgresql"
    clicks = sa.table(partitions.DEFAULT if is_partitioned else Click.__tablename__, sa.column("id", sa.Uuid))
    oldest = sa.select(clicks.c.id).where(clicks.c.id < partitions.first_id(moment)).order_by(clicks.c.id).limit(limit)
    gone = session.execute(sa.delete(clicks).where(clicks.c.id.in_(oldest)).returning(clicks.c.id)).all()
    first_day = sa.select(sa.func.min(ClickLabel.day)).scalar_subquery()
    session.execute(
        sa.delete(ClickLabel).where(ClickLabel.day == first_day, ClickLabel.day < moment.date() - timedelta(days=31))
    )
    return Expired(months, len(gone))
