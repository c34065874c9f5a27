"""What a replay found, for lists."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.console import paging
from affiliate.ingest.models import Conversion
from affiliate.replay.models import ReplayChange


def changes(
    session: Session, *, replay_id: UUID, cursor: paging.Cursor | None, size: int = paging.PAGE_SIZE
) -> paging.Page:
    """The orders that would go to somebody else, the oldest first, each with its number and what it earns whom."""
    columns = (
        ReplayChange.conversion_id.label("id"), ReplayChange.occurred_at.label("at"), ReplayChange.today, ReplayChange.tomorrow,
        Conversion.order_id,
    )  # fmt: skip
    found = sa.select(*columns).join(Conversion, Conversion.id == ReplayChange.conversion_id)
    return paging.page_of(
        session, found.where(ReplayChange.replay_id == replay_id), by=ReplayChange.occurred_at,
        identifier=ReplayChange.conversion_id, cursor=cursor, size=size, ascending=True,
    )  # fmt: skip
