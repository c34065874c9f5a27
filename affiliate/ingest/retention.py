"""Old clicks go, and with them the touches of other channels and the steps of visits: on PostgreSQL month by month with their table, else in bounded steps. The rollups stay.

What an order was credited for stands in the trace of its attribution, so no page and no dispute needs the raw click; but as long
as orders wait for their attribution nothing goes.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.ingest import partitions, queries, steps
from affiliate.ingest.clickrules import RETENTION
from affiliate.ingest.models import ChannelTouch, Click
from affiliate.ingest.rollup_models import ClickLabel

WAITING_MAX = timedelta(days=1)
"""An order that waits longer than this for its attribution holds old clicks back."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Expired:
    """What went: whole months, single clicks, touches of other channels, steps of visits."""

    months: list[str]
    clicks: int = 0
    touches: int = 0
    steps: int = 0


def expire_clicks(session: Session, *, limit: int, now: datetime) -> Expired:
    """Let go what is past its term: all months of clicks, and up to `limit` clicks outside of months and touches each."""
    if queries.attribution_waits_since_before(session, moment=now - WAITING_MAX):
        log.warning("orders wait for their attribution: no old click goes before they have it")
        return Expired([])
    moment = now - RETENTION
    months = partitions.drop_before(session, moment=moment)
    is_partitioned = session.get_bind().dialect.name == "postgresql"
    gone = _drop_oldest(session, partitions.DEFAULT if is_partitioned else Click.__tablename__, limit, moment)
    touches = _drop_oldest(session, ChannelTouch.__tablename__, limit, moment)
    first_day = sa.select(sa.func.min(ClickLabel.day)).scalar_subquery()
    session.execute(
        sa.delete(ClickLabel).where(ClickLabel.day == first_day, ClickLabel.day < moment.date() - timedelta(days=31))
    )
    return Expired(months, gone, touches, steps.drop_oldest(session, moment=moment, limit=limit))


def _drop_oldest(session: Session, name: str, limit: int, moment: datetime) -> int:
    """Delete up to `limit` rows whose id, which begins with their time, is from before this moment."""
    table = sa.table(name, sa.column("id", sa.Uuid))
    oldest = sa.select(table.c.id).where(table.c.id < partitions.first_id(moment)).order_by(table.c.id).limit(limit)
    return len(session.execute(sa.delete(table).where(table.c.id.in_(oldest)).returning(table.c.id)).all())
