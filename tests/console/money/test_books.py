"""The ledger and the history, as they stand on pages and in files."""

from datetime import timedelta

from console_cast import Cast, public, text_of
from factories import make_partner
from flask.testing import FlaskClient

from affiliate import clock
from affiliate.accounts import audit
from affiliate.accounts.actors import SYSTEM, Actor
from affiliate.console.money import book_sheets
from affiliate.ledger import service as ledger


def test_balances_of_the_program_add_up_to_zero_and_postings_open_their_commission(
    cast: Cast, finn: FlaskClient
) -> None:
    commission = cast.approved_sale("1")
    page = text_of(finn.get("/console/casa/ledger"))
    assert "−€10.00" in page
    assert "Commission approved" in page
    assert f"/console/casa/commissions/{public('com', commission)}" in page
    assert "All accounts together are zero" in page


def test_the_postings_of_one_partner(cast: Cast, finn: FlaskClient) -> None:
    other = make_partner(cast.session, program=cast.program, name="Ewa's Pans")
    cast.sale("1")
    cast.sale("2", partner=other, amount_minor=70_00)
    page = text_of(finn.get(f"/console/casa/ledger?partner={public('ptn', other)}"))
    assert "Of Ewa's Pans." in page
    assert "€7.00" in page
    assert "€10.00" not in page


def test_postings_are_paged_without_losing_one(cast: Cast, finn: FlaskClient) -> None:
    for number in range(30):
        cast.approved_sale(str(number))
    first = finn.get("/console/casa/ledger").text
    assert first.count('class="why money"') == book_sheets.PAGE_SIZE
    older = first.split('rel="next" href="')[1].split('"')[0]
    assert finn.get(older).text.count('class="why money"') == 60 - book_sheets.PAGE_SIZE
    assert len(finn.get("/console/casa/ledger.csv").text.splitlines()) == 61


def test_a_finding_stands_on_the_page_in_the_rail_and_first_in_the_work_list(cast: Cast, mara: FlaskClient) -> None:
    ledger.record_proof(cast.session, transfers=2, findings=[], now=clock.now() - timedelta(hours=1))
    cast.session.commit()
    assert "Books balance." in text_of(mara.get("/console/casa/ledger"))
    ledger.record_proof(cast.session, transfers=2, findings=["Transfer led_1 was edited."], now=clock.now())
    cast.session.commit()
    page = text_of(mara.get("/console/casa/ledger"))
    assert "Transfer led_1 was edited." in page
    assert "Books do not balance." in page
    assert "The books do not balance" in text_of(mara.get("/console/casa/"))


def test_the_history_names_people_keys_and_the_system(cast: Cast, mara: FlaskClient) -> None:
    here = {
        "subject_kind": "commission",
        "subject_id": cast.partner.id,
        "program_id": cast.program.id,
        "now": clock.now(),
    }
    person = Actor(kind="user", id=cast.finn.id)
    audit.record(cast.session, actor=person, action="commission.decline", details={"reason": "Own order"}, **here)
    audit.record(cast.session, actor=SYSTEM, action="commission.unheard_of", **here)
    audit.record(cast.session, actor=person, action="commission.approve", **here | {"program_id": cast.other.id})
    cast.session.commit()
    page = text_of(mara.get("/console/casa/history"))
    assert "Finn Example" in page
    assert "declined a commission" in page
    assert "Reason: Own order" in page
    assert "The system" in page
    assert "commission.unheard_of" in page
    assert "approved a commission" not in page


def test_the_history_is_narrowed_by_kind(cast: Cast, mara: FlaskClient) -> None:
    mara.post(f"/console/casa/partners/{public('ptn', cast.applicant)}/approve")
    mara.post("/console/casa/settings/pause")
    assert "paused the program" not in text_of(mara.get("/console/casa/history?kind=enrollment"))
    assert "let a partner in" in text_of(mara.get("/console/casa/history?kind=enrollment"))
    assert "paused the program" in text_of(mara.get("/console/casa/history?kind=program"))


def test_a_partner_of_another_program_is_not_named(cast: Cast, finn: FlaskClient) -> None:
    stranger = make_partner(cast.session, program=cast.other, name="Somebody else's partner")
    cast.session.commit()
    assert "Somebody else" not in text_of(finn.get(f"/console/casa/ledger?partner={public('ptn', stranger)}"))


def test_the_history_speaks_in_words(cast: Cast, mara: FlaskClient) -> None:
    facts = {"kind": "percent", "rate_bps": 800, "effective_from": "2026-11-16T12:00:00+00:00"}
    audit.record(
        cast.session, actor=SYSTEM, action="plan.create", subject_kind="plan", subject_id=cast.program.id,
        program_id=cast.program.id, details=facts, now=clock.now(),
    )  # fmt: skip
    cast.session.commit()
    page = text_of(mara.get("/console/casa/history"))
    assert "Kind: A percentage of the sale" in page
    assert "Percentage: 8\u00a0%" in page
    assert "From: 16 Nov 2026" in page


def test_the_history_tells_a_watched_figure_in_its_unit_and_no_ids(cast: Cast, mara: FlaskClient) -> None:
    watched = {"key": "reversal_rate", "side": "above", "threshold": 15_00, "days": 7}
    lead = {"lead_id": str(cast.mara.id), "order_id": "T-77", "agreed": True, "terms": {"rules": [{"rate_bps": 800}]}}
    for action, kind, facts in (("watch.add", "watch", watched), ("partner.leads", "partner", lead)):
        audit.record(
            cast.session, actor=SYSTEM, action=action, subject_kind=kind, subject_id=cast.program.id,
            program_id=cast.program.id, details=facts, now=clock.now(),
        )  # fmt: skip
    cast.session.commit()
    page = text_of(mara.get("/console/casa/history")).replace("\u00a0", " ")
    assert "at most 15 % in 7 days" in page
    assert "Agreed: yes" in page
    assert "T-77" in page  # the shop's own
    for raw in ("1500", str(cast.mara.id), "rate_bps"):
        assert raw not in page, raw
