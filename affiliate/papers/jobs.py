"""Jobs of papers: number what is due, take back what failed, and render PDFs where the system can."""

import logging

from affiliate import clock, db
from affiliate.papers import issuing, pdf, queries, service

_BATCH = 100
_RENDERED_AT_ONCE = 5

log = logging.getLogger(__name__)


def issue() -> int:
    """Write the papers of approved payouts, and correct those of payouts that failed; gives the number of payouts."""
    with db.transaction() as session:
        done = issuing.issue_due(session, limit=_BATCH, now=clock.now())
    with db.transaction() as session:
        return done + issuing.take_back(session, limit=_BATCH, now=clock.now())


def render() -> int:
    """Make the PDFs of a few papers, outside of any transaction; without the system library they go on waiting."""
    if pdf.missing() is not None:
        return 0
    with db.reading() as session:
        waiting = [(paper.id, paper.document) for paper in queries.unrendered(session, limit=_RENDERED_AT_ONCE)]
    for paper_id, document in waiting:
        content = pdf.render(document)
        with db.transaction() as session:
            service.join_pdf(
                session, paper_id=paper_id, name=f"{document['number']}.pdf", content=content, now=clock.now()
            )
    return len(waiting)
