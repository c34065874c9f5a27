"""Papers as PDF: tagged, in the partner's language, with what the document says, made once."""

import hashlib
import io
from datetime import date
from typing import Any

import pypdf
import pytest
import sqlalchemy as sa
from factories import make_partner, make_payout, make_program, make_user

from affiliate import clock, db, ids
from affiliate.files import StoredFile
from affiliate.papers import documents, jobs, pdf, queries, service
from affiliate.papers.models import DocumentKind, Paper
from affiliate.settings import Settings
from affiliate.taxes.figures import PaperKind, Terms, VatStatus, figures

TERMS = Terms(PaperKind.SELF_BILLING, VatStatus.DOMESTIC, 22_00, 50_00, 23_00)
PARTY = {"address": "Vicolo Stretto 3\n40125 Bologna", "country": "IT", "tax_number": None}


def document(**facts: Any) -> dict[str, Any]:
    notice = {
        "currency": "EUR", "text": "Casa Ondera", "terms": TERMS.plain(), "rule": {"note": "Art. 25-bis DPR 600/1973"},
        "buyer": PARTY | {"legal_name": "Casa Ondera S.r.l.", "vat_id": "IT00743110157"},
        "seller": PARTY | {"legal_name": "Żółty Garnek <b>", "vat_id": "IT12345670017", "locale": "it"},
    }  # fmt: skip
    usual = {"kind": "invoice", "number": "SB-2026-00001", "issued_on": date(2026, 11, 22), "payout": "pay_1"}
    return documents.document(notice, figures=figures(TERMS, taxable_minor=1_234_56), **usual | facts)


def test_a_paper_is_a_tagged_pdf_that_says_what_its_document_says() -> None:
    assert pdf.missing() is None
    reader = pypdf.PdfReader(io.BytesIO(pdf.render(document())))
    root: Any = reader.trailer["/Root"]
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"], "/StructTreeRoot" in root) == ("it", True, True)
    assert b"pdfuaid" in root["/Metadata"].get_data()
    text = " ".join(reader.pages[0].extract_text().split())
    for said in ("SB-2026-00001", "22 novembre 2026", "Żółty Garnek <b>", "IT00743110157", "Art. 25-bis"):
        assert said in text
    for amount in ("1.234,56 €", "271,60 €", "1.506,16 €", "−141,97 €", "1.364,19 €"):
        assert amount in text.replace("\u00a0", " ")


def test_a_correction_names_the_paper_that_it_changes() -> None:
    made = document(
        kind="correction", number="SBC-2026-00001", corrects={"number": "SB-2026-00001", "issued_on": "2026-11-01"}
    )
    said = pdf.html(made)
    assert "SB-2026-00001" in said
    assert "1 novembre 2026" in said


def test_no_text_on_a_paper_makes_this_machine_read_anything() -> None:
    with pytest.raises(ValueError, match="fetch nothing"):
        pdf._fetcher().fetch("file:///etc/passwd")
    assert "&lt;b&gt;" in pdf.html(document())


@pytest.fixture
def paper(sqlite_settings: Settings) -> Paper:
    with db.transaction() as session:
        program = make_program(session)
        partner = make_partner(session, program=program)
        payout = make_payout(session, program=program, partner=partner, proposer=make_user(session))
        row = Paper(
            id=ids.new(), program_id=program.id, partner_id=partner.id, payout_id=payout.id, kind=DocumentKind.INVOICE,
            series="SB", year=2026, number=1, currency="EUR", taxable_minor=1_234_56, vat_minor=271_60, stamp_minor=0,
            withheld_minor=141_97, document=document(), issued_at=clock.now(),
        )  # fmt: skip
        session.add(row)
    return row


def test_the_job_makes_each_pdf_once_and_keeps_its_hash(paper: Paper) -> None:
    assert (jobs.render(), jobs.render()) == (1, 0)
    with db.transaction() as session:
        stored = session.scalars(sa.select(StoredFile)).one()
        assert (stored.name, stored.media_type) == ("SB-2026-00001.pdf", "application/pdf")
        assert session.get_one(Paper, paper.id).sha256 == hashlib.sha256(stored.content).hexdigest()
        assert not service.join_pdf(session, paper_id=paper.id, name="x.pdf", content=b"other", now=clock.now())


def test_without_the_system_library_papers_wait_and_readiness_says_so(
    paper: Paper, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "missing", lambda: "pango")
    assert jobs.render() == 0
    with db.reading() as session:
        assert queries.unrendered_count(session) == 1
    said = app.test_client().get("/readyz").json["checks"]["optional"]
    assert said == {"status": "degraded", "waits": {"pango": "PDF papers"}, "papers": 1}
