"""The clicks of a visitor are found by index, in every month's partition: what an order costs does not grow with the table."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from event_cast import numbered
from factories import NOW, make_click, make_link, make_partner, make_program
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate.attribution import lookups
from affiliate.attribution.lookups import Look

CLICKS = 2_000
COPIES = """
    INSERT INTO clicks SELECT (jsonb_populate_record(clicks, jsonb_build_object(
        'id', overlay(clicks.id::text PLACING lpad(to_hex(n), 12, '0') FROM 25)::uuid,
        'visitor_id', md5(n::text)::uuid))).*
    FROM clicks, generate_series(1, :copies) AS n
"""


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_no_lookup_of_a_visitors_clicks_reads_a_table_of_clicks_whole(engine: Engine, session: Session) -> None:
    program = make_program(session)
    link = make_link(session, program=program, partner=make_partner(session, program=program))
    make_click(session, link=link, visitor_id=numbered(1), occurred_at=NOW - timedelta(days=1))
    session.execute(sa.text(COPIES), {"copies": CLICKS})
    session.commit()
    session.execute(sa.text("ANALYZE clicks"))
    looks = [Look(numbered(n), program.id, numbered(n), NOW - timedelta(days=60), NOW) for n in range(100)]
    statements: list[tuple[str, Any]] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *call: statements.append((call[2], call[3])))
    assert list(lookups.visitor_clicks(session, looks=looks)) == [numbered(1)]
    statement, parameters = statements[0]
    plan = session.connection().exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars().all()
    assert any("Index Scan" in line and "visitor_id" in line for line in plan)
    assert [line for line in plan if "Seq Scan on clicks" in line] == []
