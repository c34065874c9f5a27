"""The queues of the stage stay cheap however long the history is: each is read from the index of what waits."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from factories import NOW
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.commissions import queries


@pytest.mark.parametrize(
    ("queue", "index"),
    [
        (lambda session: queries.attributions_waiting(session, limit=9), "ix_attributions_waiting"),
        (lambda session: queries.refunds_waiting(session, limit=9), "ix_refunds_waiting"),
        (lambda session: queries.cancellations_waiting(session, limit=9), "ix_order_events_waiting"),
        (lambda session: queries.commissions_maturing(session, limit=9, now=NOW), "ix_commissions_maturing"),
    ],
)
def test_a_queue_is_read_from_its_index(sqlite_url: str, queue: Callable[[Session], Any], index: str) -> None:
    engine = db.make_engine(sqlite_url)
    statements: list[tuple[str, Any]] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *call: statements.append((call[2], call[3])))
    with Session(engine) as session:
        queue(session)
        statement, parameters = next(one for one in statements if one[0].startswith("SELECT"))
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        assert index in " ".join(str(row) for row in plan)
    engine.dispose()
