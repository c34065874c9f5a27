"""Papers that we write: numbered once their payout is approved, and taken back by corrections when it fails.

One transaction claims the payout, counts its series up and writes the paper. Whatever breaks it off gives the number back.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.ledger import service as ledger
from affiliate.papers import documents, queries
from affiliate.papers.models import DocumentKind, Paper, PaperSeries
from affiliate.payouts.holding import changed
from affiliate.payouts.models import PaperState, Payout, PayoutStatus
from affiliate.programs.models import Program
from affiliate.taxes.figures import Figures, read_figures

_APPROVED = (PayoutStatus.APPROVED, PayoutStatus.PAID)
_FAILED = (PayoutStatus.FAILED, PayoutStatus.CANCELLED)


def issue_due(session: Session, *, limit: int, now: datetime) -> int:
    """Write the papers of up to `limit` approved payouts: an invoice or receipt, and a correction for each one it takes from."""
    waiting = queries.payouts_in(session, paper=PaperState.DUE, statuses=_APPROVED, limit=limit)
    days = _locked(session, waiting, now)
    for payout in waiting:
        if not _claim(session, payout, PaperState.DUE, _APPROVED, PaperState.ISSUED):
            continue
        notice: dict[str, Any] = payout.notice or {}
        kind = documents.kind_of(notice)
        figures = read_figures(notice["invoice"])
        if figures.taxable_minor:
            _write(session, payout, kind, figures, cause=kind, day=days[payout.program_id], now=now)
        for part in notice["corrections"]:
            original = queries.original_of(session, payout_id=ids.parse("pay", part["payout"]))
            cause, taken = f"correction of {part['payout']}", documents.negated(part)
            _write(session, payout, kind, taken, cause=cause, corrects=original, day=days[payout.program_id], now=now)
    return len(waiting)


def take_back(session: Session, *, limit: int, now: datetime) -> int:
    """Correct to nothing the papers of up to `limit` payouts that were cancelled or did not arrive."""
    failed = queries.payouts_in(session, paper=PaperState.ISSUED, statuses=_FAILED, limit=limit)
    days = _locked(session, failed, now)
    for payout in failed:
        papers = queries.papers_of_payout(session, payout_id=payout.id)
        if not _claim(session, payout, PaperState.ISSUED, _FAILED, PaperState.CANCELLED):
            continue
        for paper in papers:
            figures = -Figures(paper.taxable_minor, paper.vat_minor, paper.stamp_minor, paper.withheld_minor)
            root = paper if paper.corrects_id is None else session.get_one(Paper, paper.corrects_id)
            kind, cause = documents.kind_of(paper.document), f"against {paper.id}"
            _write(session, payout, kind, figures, cause=cause, corrects=root, day=days[payout.program_id], now=now)
    return len(failed)


def next_number(session: Session, *, program_id: UUID, series: str, year: int) -> int:
    """Count a series up. Who else wants a number of it waits until this transaction ends, and gets the next one then."""
    start = {"program_id": program_id, "series": series, "year": year, "last_number": 0}
    db.insert_new(session, PaperSeries, [start])
    mine = (PaperSeries.program_id == program_id, PaperSeries.series == series, PaperSeries.year == year)
    counted = sa.update(PaperSeries).where(*mine).values(last_number=PaperSeries.last_number + 1)
    number: int = session.execute(
        counted.returning(PaperSeries.last_number), execution_options={"synchronize_session": False}
    ).scalar_one()
    return number


def _locked(session: Session, payouts: Sequence[Payout], now: datetime) -> Mapping[UUID, Any]:
    """Lock the books of these payouts' programs; gives the present day of each."""
    program_ids = {payout.program_id for payout in payouts}
    ledger.lock_books(session, program_ids=program_ids)
    zones = sa.select(Program.id, Program.time_zone).where(Program.id.in_(program_ids))
    return {key: now.astimezone(ZoneInfo(zone)).date() for key, zone in session.execute(zones)}


def _claim(
    session: Session, payout: Payout, before: PaperState, statuses: Sequence[PayoutStatus], after: PaperState
) -> bool:
    still = (Payout.id == payout.id, Payout.paper == before, Payout.status.in_(statuses))
    return changed(session, sa.update(Payout).where(*still).values(paper=after)) == 1


def _write(
    session: Session, payout: Payout, kind: str, figures: Figures, *, cause: str, day: Any, now: datetime,
    corrects: Paper | None = None,
) -> None:  # fmt: skip
    series = (documents.SERIES if corrects is None else documents.CORRECTION_SERIES)[kind]
    number = next_number(session, program_id=payout.program_id, series=series, year=day.year)
    named = None if corrects is None else {name: corrects.document[name] for name in ("number", "issued_on")}
    of = DocumentKind(kind) if corrects is None else DocumentKind.CORRECTION
    document = documents.document(
        payout.notice or {}, kind=of.value, issued_on=day, payout=ids.public("pay", payout.id), figures=figures,
        number=documents.number_text(series=series, year=day.year, number=number), corrects=named,
    )  # fmt: skip
    session.add(
        Paper(
            id=ids.derived(payout.id, "paper", cause),
            program_id=payout.program_id,
            partner_id=payout.partner_id,
            payout_id=payout.id,
            kind=of,
            series=series,
            year=day.year,
            number=number,
            corrects_id=None if corrects is None else corrects.id,
            currency=payout.currency,
            taxable_minor=figures.taxable_minor,
            vat_minor=figures.vat_minor,
            stamp_minor=figures.stamp_minor,
            withheld_minor=figures.withheld_minor,
            document=document,
            issued_at=now,
        )
    )
    session.flush()
