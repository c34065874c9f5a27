"""Jobs of papers: number what is due, take back what failed, and render PDFs where the system can."""

import logging
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from affiliate import clock, db
from affiliate.papers import issuing, pdf, queries, service

_BATCH = 100
_RENDERED_AT_ONCE = 20

log = logging.getLogger(__name__)


def issue() -> int:
    """Write the papers of approved payouts, and correct those of payouts that failed; gives the number of payouts."""
    with db.transaction() as session:
        done = issuing.issue_due(session, limit=_BATCH, now=clock.now())
    with db.transaction() as session:
        return done + issuing.take_back(session, limit=_BATCH, now=clock.now())


def render() -> int:
    """Make the PDFs of a few papers, outside of any transaction; without the system library they go on waiting.

    They are drawn in a process that ends with them: the worker would keep the forty megabytes of the library for ever.
    """
    if pdf.missing() is not None:
        return 0
    with db.reading() as session:
        waiting = [(paper.id, paper.document) for paper in queries.unrendered(session, limit=_RENDERED_AT_ONCE)]
    if not waiting:
        return 0
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as drawing:
        for paper_id, document in waiting:
            content = drawing.submit(pdf.render, document).result()
            with db.transaction() as session:
                service.join_pdf(
                    session, paper_id=paper_id, name=f"{document['number']}.pdf", content=content, now=clock.now()
                )
    return len(waiting)
