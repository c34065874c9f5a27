"""Every write of the canary: a run begins, moves on, ends; what it left behind is taken away."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.canary.models import CanaryRun, CanaryState
from affiliate.canary.queries import Route
from affiliate.db import Base
from affiliate.ingest.models import Click, Conversion, OrderEvent, Refund

KEPT_FOR = timedelta(days=30)
_FINDING_LENGTH_MAX = 500


def plan(session: Session, *, route: Route, now: datetime) -> CanaryRun:
    """A run over this link, of which nothing is sent yet; runs of last month are forgotten."""
    session.execute(sa.delete(CanaryRun).where(CanaryRun.started_at < now - KEPT_FOR))
    run_id = ids.new_at(now)
    order_id = ids.public("canary", run_id)
    run = CanaryRun(
        id=run_id,
        program_id=route.program_id,
        partner_id=route.partner_id,
        conversion_id=ids.conversion(program_id=route.program_id, kind="sale", order_id=order_id),
        order_id=order_id,
        state=CanaryState.PLANNED,
        started_at=now,
        stepped_at=now,
    )
    session.add(run)
    return run


def note_click(session: Session, *, run_id: UUID, click_id: UUID) -> None:
    """Keep the click of a run, whatever becomes of its order."""
    session.execute(sa.update(CanaryRun).where(CanaryRun.id == run_id).values(click_id=click_id))


def move(
    session: Session, *, run_id: UUID, before: CanaryState, to: CanaryState, now: datetime, finding: str | None = None
) -> bool:
    """Move a run on, unless somebody else has."""
    moved = (
        sa.update(CanaryRun)
        .where(CanaryRun.id == run_id, CanaryRun.state == before)
        .values(state=to, stepped_at=now, finding=(finding or "")[:_FINDING_LENGTH_MAX] or None)
        .returning(CanaryRun.id)
    )
    return session.scalar(moved) is not None


def clear(session: Session, *, run: CanaryRun) -> None:
    """Take away what a test order left: nobody shall find it among orders. It never had a posting in the ledger."""
    order = sa.select(Conversion.id).where(Conversion.id == run.conversion_id, Conversion.is_test)
    doomed: dict[sa.Table, Any] = {Conversion.metadata.tables[Conversion.__tablename__]: order}
    for table in Base.metadata.sorted_tables:
        if table not in doomed and (condition := _hangs_on(table, doomed)) is not None:
            doomed[table] = sa.select(*table.primary_key.columns).where(condition)
    for table, rows in reversed(doomed.items()):
        session.execute(sa.delete(table).where(rows.whereclause))
    for told in (Refund, OrderEvent):
        session.execute(sa.delete(told).where(told.conversion_id == run.conversion_id, told.is_test))
    if run.click_id is not None:
        session.execute(sa.delete(Click).where(Click.id == run.click_id))


def _hangs_on(table: sa.Table, doomed: dict[sa.Table, Any]) -> sa.ColumnElement[bool] | None:
    """What makes a row of the table one that stands on a row that goes; nothing where no key leads there."""
    keys = [key for key in table.foreign_keys if key.column.table in doomed]
    return sa.or_(*(key.parent.in_(doomed[key.column.table]) for key in keys)) if keys else None
