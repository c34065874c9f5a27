"""Recounting the steps: their rollups computed again from the steps and the clicks that are kept, and every place where they differ."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.db import UtcDateTime
from affiliate.ingest import partitions
from affiliate.ingest.clickrules import RETENTION, ClickVerdict
from affiliate.ingest.devices import device
from affiliate.ingest.models import Click
from affiliate.ingest.recount import Difference
from affiliate.ingest.rollup_models import LABEL_LENGTH_MAX
from affiliate.ingest.step_models import STEP_ROLLUPS, VisitStep


def recount(session: Session, *, limit: int, now: datetime) -> list[Difference]:
    """Compare every rollup of steps with the steps, hour by hour; at most `limit` differences of each."""
    since = partitions.month_of(now - RETENTION, later=1)
    return [found for rollup in STEP_ROLLUPS for found in _differences(session, rollup, since, limit)]


def _differences(session: Session, rollup: Any, since: datetime, limit: int) -> list[Difference]:
    key = (*rollup.DIMENSIONS, "hour", "verdict")
    counted = sa.select(
        *(getattr(rollup, name) for name in key), sa.literal(0).label("steps"), rollup.clicks.label("counted")
    ).where(rollup.hour >= since)
    both = sa.union_all(_recounted(session, key, since), counted).subquery()
    sums = [sa.func.sum(both.c[name]) for name in ("steps", "counted")]
    columns = [both.c[name] for name in key]
    found = sa.select(*columns, *sums).group_by(*columns).having(sums[0] != sums[1]).order_by(*columns).limit(limit)
    return [
        Difference(rollup.__tablename__, dict(zip(key, map(str, row[:-2]), strict=True)), int(row[-2]), int(row[-1]))
        for row in session.execute(found)
    ]


def _recounted(session: Session, key: tuple[str, ...], since: datetime) -> sa.Select[Any]:
    """The counted steps themselves under the columns of a rollup."""
    if session.get_bind().dialect.name == "sqlite":
        hour: Any = sa.func.strftime("%Y-%m-%d %H:00:00.000000", Click.occurred_at)
    else:
        hour = sa.func.date_trunc("hour", Click.occurred_at, "UTC")
    columns: dict[str, Any] = {
        "program_id": Click.program_id,
        "partner_id": Click.partner_id,
        "device": device(),
        "source": sa.func.substr(Click.referrer_host, 1, LABEL_LENGTH_MAX),
        "step": VisitStep.step,
        "hour": sa.type_coerce(hour, UtcDateTime),
        "verdict": Click.verdict,
    }
    steps = (
        sa.select(*(columns[name].label(name) for name in key))
        .join(Click, Click.id == VisitStep.click_id)
        .where(VisitStep.counted_at.is_not(None), Click.occurred_at >= since, Click.verdict != ClickVerdict.TEST)
        .subquery()
    )
    return sa.select(*steps.c, sa.literal(1).label("steps"), sa.literal(0).label("counted"))
