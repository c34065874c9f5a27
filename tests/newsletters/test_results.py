"""What came through an issue is found by its label, on both databases, and by an index of its own."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from factories import make_click
from newsletter_cast import make_issue

from affiliate import db, ids
from affiliate.links.models import Link
from affiliate.newsletters import results
from affiliate.programs.models import Program


def test_clicks_with_the_label_of_an_issue_are_counted(program: Program, now: datetime) -> None:
    with db.transaction() as session:
        issue = make_issue(session, program=program, now=now)
        assert results.own_links(session, issue=issue) == 0  # it never left
        issue.release_at = now
        [link] = session.scalars(sa.select(Link))
        for subs in ({"sub10": ids.public("nws", issue.id)}, {"sub10": "mine"}, {}):
            make_click(session, link=link, subs=subs, occurred_at=now + timedelta(hours=1))
        session.flush()
        assert results.own_links(session, issue=issue) == 1


def test_the_count_reads_clicks_with_a_label_alone(program: Program, now: datetime) -> None:
    """A program has millions of others."""
    with db.transaction() as session:
        issue = make_issue(session, program=program, now=now)
        issue.release_at = now
        asked = str(
            results.counting(session, issue=issue).compile(session.get_bind(), compile_kwargs={"literal_binds": True})
        )
        if session.get_bind().dialect.name == "postgresql":
            session.execute(sa.text("SET LOCAL enable_seqscan = off"))
            plan = session.scalars(sa.text(f"EXPLAIN {asked}")).all()
        else:
            plan = [row.detail for row in session.execute(sa.text(f"EXPLAIN QUERY PLAN {asked}"))]
        assert "ix_clicks_labelled" in "".join(plan) or "program_id_occurred_at_idx" in "".join(plan)
