"""Tax papers in the console: settings and rules, invoices accepted and refused, what waits, the year as a file."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from console_cast import Cast, public, text_of
from flask import Flask
from flask.testing import FlaskClient
from tax_cast import IT_VAT, PDF, make_profile

from affiliate import clock, db, ids
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import User
from affiliate.mailer import OutboxMail
from affiliate.money import Money
from affiliate.papers import jobs, service
from affiliate.papers.models import FiledInvoice, Paper
from affiliate.papers.service import Typed
from affiliate.payouts.models import PaperState, Payout, PayoutRun
from affiliate.taxes import queries
from affiliate.taxes.figures import PaperKind
from affiliate.taxes.models import TaxRule

PAPERS = "/console/casa/papers"
BUYER = {"legal_name": "Casa Ondera S.r.l.", "address": "Via 1", "country": "IT", "vat_id": IT_VAT}


def propose(browser: FlaskClient, cast: Cast) -> PayoutRun:
    total = 12_20
    browser.post("/console/casa/payouts", data={"total_minor": total})
    return cast.session.scalars(sa.select(PayoutRun)).one()


def file_invoice(cast: Cast) -> FiledInvoice:
    payout = cast.session.scalars(sa.select(Payout)).one()
    filed = service.file_invoice(
        cast.session, program=cast.program, payout_id=payout.id, partner_id=cast.partner.id, content=PDF, actor=SYSTEM,
        typed=Typed("7", clock.now().date() - timedelta(days=1), Money(12_20, "EUR"), "IT12345670017"), now=clock.now(),
    )  # fmt: skip
    cast.session.commit()
    return filed


def decide(browser: FlaskClient, filed: FiledInvoice, what: str, **form: str) -> Any:
    return browser.post(f"{PAPERS}/filed/{public('inv', filed)}/{what}", data=form, follow_redirects=True)


def test_the_buyer_is_entered_and_a_wrong_number_is_said_at_its_field(finn: FlaskClient, cast: Cast) -> None:
    assert "Nobody has entered the buyer's data yet" in text_of(finn.get(PAPERS))
    wrong = finn.post(f"{PAPERS}/buyer", data=BUYER | {"vat_id": "IT1"})
    assert (wrong.status_code, 'id="vat_id-error"' in wrong.text) == (422, True)
    assert finn.post(f"{PAPERS}/buyer", data=BUYER | {"demands_profile": "y"}).status_code == 303
    stored = queries.settings_of(cast.session, program_id=cast.program.id)
    assert stored is not None
    assert (stored.vat_id, stored.demands_profile, stored.offers_self_billing) == (IT_VAT, True, False)


def test_examples_are_marked_until_an_accountant_has_confirmed_them(finn: FlaskClient, cast: Cast) -> None:
    page = finn.post(f"{PAPERS}/rules/examples", follow_redirects=True).text
    assert page.count("To be confirmed by your accountant") == 6
    rule = cast.session.scalars(sa.select(TaxRule).where(TaxRule.code == "it_agent")).one()
    cast.session.commit()
    page = finn.post(f"{PAPERS}/rules/{public('txr', rule)}/confirm", follow_redirects=True).text
    assert page.count("To be confirmed by your accountant") == 5


def test_a_rule_is_added_with_its_day_and_a_wrong_one_names_its_field(finn: FlaskClient, cast: Cast) -> None:
    rule = {"code": "de_person", "name": "Germany", "country": "DE", "valid_from": "2026-01-01"}
    rule |= {"base_share": "50", "rate": "23.5", "vat": "19", "stamp": "2.00", "stamp_above": "77.47"}
    for name, value in (("rate", "x"), ("rate", "101"), ("code", "DE!"), ("stamp", "-1"), ("country", "")):
        answer = finn.post(f"{PAPERS}/rules", data=rule | {name: value})
        assert (answer.status_code, f'id="{name}-error"' in answer.text) == (422, True), name
    assert finn.post(f"{PAPERS}/rules", data=rule).status_code == 303
    assert finn.post(f"{PAPERS}/rules", data=rule).status_code == 409
    stored = cast.session.scalars(sa.select(TaxRule)).one()
    assert (stored.rate_bps, stored.stamp_minor, stored.stamp_above_minor) == (23_50, 2_00, 77_47)


def test_a_payout_waits_visibly_until_its_invoice_is_accepted(
    mara: FlaskClient, finn: FlaskClient, taxed: Cast
) -> None:
    run = propose(mara, taxed)
    address = f"/console/casa/payouts/{public('run', run)}"
    assert "Has not sent its invoice yet" in text_of(mara.get("/console/casa/payouts"))
    assert "Waits for the partner's invoice" in text_of(finn.get(address))
    taxed.session.commit()
    refused = finn.post(f"{address}/approve", data={"total": "12.20", "seen-first": "1"})
    assert refused.status_code == 409
    filed = file_invoice(taxed)
    assert "taxable €10.00, VAT €2.20, withheld €1.15" in text_of(finn.get(PAPERS))
    assert "waits no more" in decide(finn, filed, "accept").text
    assert decide(finn, filed, "refuse", reason="Late.").status_code == 409
    assert finn.post(f"{address}/approve", data={"total": "12.20", "seen-first": "1"}).status_code == 303
    assert "€1.15 withheld for the state" in text_of(finn.get(address))
    taxed.assert_proven()


def test_a_refused_invoice_tells_its_partner_why_and_another_can_be_sent(
    mara: FlaskClient, finn: FlaskClient, taxed: Cast
) -> None:
    propose(mara, taxed)
    taxed.session.commit()
    filed = file_invoice(taxed)
    assert "Say why" in decide(finn, filed, "refuse").text
    decide(finn, filed, "refuse", reason="The address is the old one.")
    mails = taxed.session.scalars(sa.select(OutboxMail.subject)).all()
    assert "Your invoice 7 needs a change" in mails
    assert taxed.session.scalars(sa.select(Payout.paper)).all() == [PaperState.AWAITED]
    taxed.session.commit()
    again = file_invoice(taxed)
    decide(finn, again, "accept")
    assert taxed.session.scalars(sa.select(Payout.paper)).all() == [PaperState.ACCEPTED]


def test_a_self_billed_payout_gets_its_paper_and_the_year_its_file(
    mara: FlaskClient, finn: FlaskClient, taxed: Cast
) -> None:
    make_profile(taxed.session, taxed.program, taxed.partner.id, paper=PaperKind.SELF_BILLING)
    taxed.session.commit()
    run = propose(mara, taxed)
    taxed.session.commit()
    address = f"/console/casa/payouts/{public('run', run)}"
    finn.post(f"{address}/approve", data={"total": "12.20", "seen-first": "1"})
    finn.post(f"{address}/paid")
    assert (jobs.issue(), jobs.render()) == (1, 1)
    paper = taxed.session.scalars(sa.select(Paper)).one()
    taxed.session.commit()
    assert "Self-billed invoice SB-" in finn.get(PAPERS).text
    assert finn.get(f"{PAPERS}/{public('ppr', paper)}.pdf").data.startswith(b"%PDF-")
    year = clock.now().year
    line = finn.get(f"{PAPERS}/{year}.csv").text.splitlines()[1]
    assert line.startswith(f"{year},Slow Kitchen,ptn_")
    assert line.endswith("IT,IT12345670017,,1,10.00,2.20,0.00,1.15,11.05,EUR")
    assert finn.get(f"{PAPERS}/1999.csv").status_code == 404


def test_the_taxes_of_a_partner_are_shown_and_vies_is_off_unless_an_operator_wants_it(
    finn: FlaskClient, taxed: Cast
) -> None:
    address = f"{PAPERS}/partners/{public('ptn', taxed.partner)}"
    page = text_of(finn.get(address))
    assert "23 % of 50 %" in page.replace("\u00a0", " ")
    assert "Ask VIES" not in page
    assert finn.post(f"{address}/vies").status_code == 404


def test_papers_of_another_program_are_not_there(
    app: Flask, mara: FlaskClient, taxed: Cast, browser_of: Callable[[User], FlaskClient]
) -> None:
    propose(mara, taxed)
    taxed.session.commit()
    filed = file_invoice(taxed)
    ada = browser_of(taxed.ada)
    elsewhere = f"/console/altra/papers/filed/{public('inv', filed)}"
    assert ada.get(f"{elsewhere}.pdf").status_code == 404
    assert ada.post(f"{elsewhere}/accept").status_code == 404
    assert ada.get(f"/console/altra/papers/partners/{ids.public('ptn', taxed.partner.id)}").status_code == 404
    with db.reading() as session:
        assert session.scalars(sa.select(FiledInvoice.decided_at)).all() == [None]
