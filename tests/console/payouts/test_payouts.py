"""Payouts: proposed by one person, approved by another who looks and types the total, paid once, taken back with a reason."""

import html
import re
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from console_cast import Cast, public, text_of
from factories import make_partner, make_refund
from flask import Flask
from flask.testing import FlaskClient
from tax_cast import make_buyer, make_profile, make_rule
from werkzeug.test import TestResponse

from affiliate import clock
from affiliate.accounts.models import User
from affiliate.commissions.models import CommissionStatus
from affiliate.console import paging
from affiliate.console.payouts import payout_sheets
from affiliate.console.queries import money
from affiliate.console.queries import payouts as queries
from affiliate.ingest.models import Conversion
from affiliate.ledger import queries as ledger
from affiliate.ledger.models import AccountName
from affiliate.payouts.models import Payout, PayoutRun, PayoutStatus


def propose(browser: FlaskClient, total_minor: int = 10_00) -> TestResponse:
    return browser.post("/console/casa/payouts", data={"total_minor": total_minor}, follow_redirects=True)


def act(browser: FlaskClient, cast: Cast, what: str, **form: str) -> TestResponse:
    return browser.post(f"{address(cast)}/{what}", data=form, follow_redirects=True)


def address(cast: Cast) -> str:
    return f"/console/casa/payouts/{public('run', run_of(cast))}"


def run_of(cast: Cast) -> PayoutRun:
    newest = sa.select(PayoutRun).order_by(PayoutRun.proposed_at.desc()).limit(1)
    run = cast.session.scalars(newest.execution_options(populate_existing=True)).one()
    cast.session.commit()
    return run


def beyond(answer: TestResponse, anchor: str) -> str:
    """The address of the next page of the list that stands there."""
    following = re.search(rf'rel="next" href="([^"]*)#{anchor}"', answer.text)
    assert following is not None
    return html.unescape(following[1])


@pytest.fixture
def one_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists show one row a page."""
    for read in (paging.page_of, queries.upcoming, money.payouts_page):
        monkeypatch.setitem(read.__kwdefaults__, "size", 1)


def status(cast: Cast) -> PayoutStatus:
    return run_of(cast).status


YES = {"total": "10.00", "seen-first": "1"}


@pytest.fixture
def proposed(cast: Cast, mara: FlaskClient) -> Cast:
    """Mara has proposed a run of 10.00 for one partner."""
    cast.approved_sale("10400")
    propose(mara)
    return cast


def test_the_page_says_who_gets_what_and_who_is_left_out_and_why(cast: Cast, mara: FlaskClient) -> None:
    cast.program.payout_min_minor = 25_00
    cast.session.commit()
    small = make_partner(cast.session, program=cast.program, name="Ewa's Pans")
    cast.approved_sale("1", amount_minor=300_00)
    cast.approved_sale("2", partner=small, amount_minor=100_00)
    page = text_of(mara.get("/console/casa/payouts"))
    assert "Propose €30.00" in page
    assert "Below the minimum of €25.00. €10.00 are carried to the next run." in page


def test_one_list_names_everybody_who_waits_and_why(cast: Cast, mara: FlaskClient) -> None:
    cast.program.payout_min_minor = 5_00
    make_buyer(cast.session, cast.program, demands_profile=True)
    make_rule(cast.session, cast.program)
    small, unsaid = (
        make_partner(cast.session, program=cast.program, can_be_paid=who == "small") for who in ("small", "unsaid")
    )
    make_profile(cast.session, cast.program, unsaid.id)
    for order_id, partner, amount_minor in (("1", small, 10_00), ("2", unsaid, 100_00), ("3", cast.partner, 100_00)):
        cast.approved_sale(order_id, partner=partner, amount_minor=amount_minor)
    cast.sale("4", amount_minor=200_00).status = CommissionStatus.UNDER_REVIEW
    cast.session.commit()
    _head, _mark, listed = text_of(mara.get("/console/casa/payouts")).partition("Left out, and why")
    for said in (
        "Below the minimum of €5.00. €1.00 are carried to the next run.",
        "Has not said yet where the money goes. €12.20 wait.",
        "Has no tax profile yet. €10.00 wait.",
        "1 sale is under review. €20.00 wait for your decision.",
    ):
        assert said in listed


def test_the_preview_compares_with_what_each_partner_was_paid_last(
    cast: Cast, mara: FlaskClient, finn: FlaskClient
) -> None:
    cast.approved_sale("1", amount_minor=300_00)
    page = text_of(mara.get("/console/casa/payouts"))
    assert ("Last payout" in page, "New" in page) == (False, True)
    propose(mara, 30_00)
    act(finn, cast, "approve", **YES | {"total": "30.00"})
    cast.approved_sale("2")
    assert "Last payout" not in text_of(mara.get("/console/casa/payouts"))  # it has not arrived yet
    act(finn, cast, "paid")
    assert "Last payout €30.00, −€20.00" in text_of(mara.get("/console/casa/payouts"))


def test_all_of_a_long_run_is_summed_warned_of_and_reached_though_the_page_shows_a_part(
    cast: Cast, mara: FlaskClient, finn: FlaskClient, one_a_page: None
) -> None:
    cast.approved_sale("1", amount_minor=300_00)
    cast.approved_sale("2", partner=make_partner(cast.session, program=cast.program, name="Ewa's Pans"))
    preview = text_of(mara.get("/console/casa/payouts"))
    for said in ("Propose €40.00", "To 2 partners. The amounts"):
        assert said in preview
    assert "Ewa's Pans" not in preview
    following = text_of(mara.get(beyond(mara.get("/console/casa/payouts"), "now")))
    assert ("Ewa's Pans" in following, "Propose €40.00" in following, "Slow Kitchen" in following) == (
        True,
        True,
        False,
    )
    propose(mara, 40_00)
    page = text_of(finn.get(address(cast)))
    for said in ("To 2 partners.", "2 partners get their first payout, €40.00."):
        assert said in page
    assert "€40.00" in page.split("What approval moves")[1]
    whole = text_of(finn.get(beyond(finn.get(address(cast)), "who")))
    assert ("€10.00" in whole.split("Who gets what")[1], "To 2 partners." in whole) == (True, True)
    found = text_of(finn.get(f"{address(cast)}?name=EWA")).split("Who gets what")[1]
    assert ("Ewa's Pans" in found, "Slow Kitchen" in found.split("Total")[0]) == (True, False)
    assert len(finn.get(f"{address(cast)}.csv?name=ewa").text.splitlines()) == 3
    refused = act(finn, cast, "approve", total="1")
    assert beyond(refused, "who").startswith(f"{address(cast)}?page=")
    assert f'action="{address(cast)}"' in finn.post(f"{address(cast)}/approve?name=ewa", data={"total": "1"}).text
    small = cast.session.scalars(sa.select(Payout).where(Payout.amount_minor == 10_00)).one()
    cast.session.commit()
    assert "Ewa's Pans" in text_of(finn.get(f"{address(cast)}/{public('pay', small)}"))


def test_nothing_to_pay_shows_what_has_to_come_first(cast: Cast, mara: FlaskClient) -> None:
    cast.sale("1")
    page = text_of(mara.get("/console/casa/payouts"))
    assert "Nobody can be paid now" in page
    assert "Propose" not in page.split("<main")[1].split("Runs until now")[0]


def test_proposing_twice_makes_one_run(cast: Cast, mara: FlaskClient) -> None:
    cast.approved_sale("1")
    assert "Payout run of €10.00 proposed. A second person must approve it." in text_of(propose(mara))
    assert "Nobody can be paid now" in text_of(propose(mara))
    assert cast.session.scalar(sa.select(sa.func.count()).select_from(PayoutRun)) == 1


def test_a_sum_that_changed_meanwhile_is_not_proposed_unseen(cast: Cast, mara: FlaskClient) -> None:
    cast.approved_sale("1")
    cast.approved_sale("2")
    assert "The sum has changed while you looked; it is €20.00 now." in text_of(propose(mara, 10_00))
    assert cast.session.scalar(sa.select(sa.func.count()).select_from(PayoutRun)) == 0


def test_the_proposer_sees_the_card_without_the_button_and_is_refused(proposed: Cast, mara: FlaskClient) -> None:
    page = text_of(mara.get(address(proposed)))
    assert "You proposed this run, so another person must approve it." in page
    assert "Type the total to approve" not in page
    assert "You proposed this run. Ask a second person to approve it." in text_of(act(mara, proposed, "approve", **YES))
    assert status(proposed) is PayoutStatus.PROPOSED


def test_a_second_person_approves_and_marks_as_paid(proposed: Cast, finn: FlaskClient) -> None:
    page = text_of(finn.get(address(proposed)))
    assert "Mara Example" in page
    assert "Finn Example (you)" in " ".join(page.replace("</b>", "").split())
    assert "€10.00 approved." in text_of(act(finn, proposed, "approve", **YES))
    assert status(proposed) is PayoutStatus.APPROVED
    proposed.assert_proven()
    assert "€10.00 marked as paid." in text_of(act(finn, proposed, "paid"))
    assert status(proposed) is PayoutStatus.PAID
    balances = ledger.program_balances(proposed.session, program_id=proposed.program.id)
    assert {str(name): minor for name, minor in balances.items() if minor} == {"expense": -10_00, "paid": 10_00}
    proposed.assert_proven()


def test_another_manager_may_be_the_second_person(proposed: Cast, browser_of: Callable[[User], FlaskClient]) -> None:
    act(browser_of(proposed.max), proposed, "approve", **YES)
    assert status(proposed) is PayoutStatus.APPROVED


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"seen-first": "1", "total": "12.00"}, "The run's total is €10.00; you typed €12.00."),
        ({"seen-first": "1", "total": "ten"}, "Write an amount"),
        ({"seen-first": "1"}, "Write an amount"),
        ({"total": "10.00"}, "1 note is not ticked yet."),
    ],
)
def test_nothing_is_approved_before_every_note_is_ticked_and_the_total_typed(
    proposed: Cast, finn: FlaskClient, form: dict[str, str], told: str
) -> None:
    response = act(finn, proposed, "approve", **form)
    assert response.status_code == 422
    assert told in text_of(response)
    assert f'value="{form.get("total", "")}"' in response.text
    assert status(proposed) is PayoutStatus.PROPOSED


def test_the_second_press_tells_that_it_was_approved_already(
    proposed: Cast, finn: FlaskClient, browser_of: Callable[[User], FlaskClient]
) -> None:
    act(finn, proposed, "approve", **YES)
    page = text_of(act(browser_of(proposed.max), proposed, "approve", **YES))
    assert "This run has moved on in the meantime." in page
    assert "Mark €10.00 as paid" in page
    act(finn, proposed, "paid")
    assert "This run has moved on in the meantime." in text_of(act(finn, proposed, "paid"))
    proposed.assert_proven()


def test_a_run_is_taken_back_with_a_reason_and_its_commissions_wait_again(proposed: Cast, finn: FlaskClient) -> None:
    act(finn, proposed, "approve", **YES)
    assert "Say why" in text_of(act(finn, proposed, "cancel", reason=" "))
    assert status(proposed) is PayoutStatus.APPROVED
    page = text_of(act(finn, proposed, "cancel", reason="Bank details changed"))
    assert "€10.00 taken back. The commissions wait for the next run." in page
    assert "Taken back by Finn Example: Bank details changed" in page
    assert "Propose €10.00" in text_of(finn.get("/console/casa/payouts"))
    proposed.assert_proven()


def test_a_paid_run_cannot_be_taken_back(proposed: Cast, finn: FlaskClient) -> None:
    act(finn, proposed, "approve", **YES)
    act(finn, proposed, "paid")
    assert "moved on" in text_of(act(finn, proposed, "cancel", reason="Oh"))
    assert status(proposed) is PayoutStatus.PAID


def test_a_refund_after_the_payout_is_set_off_in_the_next_run(
    proposed: Cast, mara: FlaskClient, finn: FlaskClient
) -> None:
    act(finn, proposed, "approve", **YES)
    act(finn, proposed, "paid")
    first = proposed.session.scalars(sa.select(Conversion)).one()
    make_refund(proposed.session, conversion=first, amount_minor=40_00)
    proposed.books.work(now=clock.now())
    proposed.approved_sale("next")
    propose(mara, 6_00)
    page = text_of(finn.get(address(proposed)))
    assert "€10.00 earned, −€4.00 set off" in page
    assert "−€4.00" in page.split("Who gets what")[1]
    assert "Owed by partners" in page
    act(finn, proposed, "approve", total="6.00")
    assert status(proposed) is PayoutStatus.APPROVED
    proposed.assert_proven()


def test_a_run_of_another_program_is_not_found(proposed: Cast, browser_of: Callable[[User], FlaskClient]) -> None:
    ada = browser_of(proposed.ada)
    elsewhere = address(proposed).replace("/casa/", "/altra/")
    assert ada.get(elsewhere).status_code == 404
    assert ada.post(f"{elsewhere}/approve", data=YES).status_code == 404
    assert status(proposed) is PayoutStatus.PROPOSED


def test_the_file_for_the_bank_holds_each_partner_once(proposed: Cast, finn: FlaskClient) -> None:
    lines = finn.get(f"{address(proposed)}.csv").text.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(f"Slow Kitchen,{public('ptn', proposed.partner)},pay_")
    assert lines[1].endswith(",10.00,0.00,10.00,EUR")


@pytest.mark.parametrize("step", [PayoutStatus.PROPOSED, PayoutStatus.APPROVED])
def test_what_a_step_moves_adds_up_to_the_same_sum(app: Flask, step: PayoutStatus) -> None:
    taxes = {"vat_minor": 1_32, "stamp_minor": 0, "withheld_minor": 1_20}
    payouts = [SimpleNamespace(earned_minor=10_00, clawed_back_minor=4_00, status=step, **taxes)]
    balances = {AccountName.APPROVED: 12_00, AccountName.CLAWBACK: -4_00, AccountName.IN_TRANSIT: 6_00}
    with app.test_request_context():
        moved = payout_sheets.moves(step, payouts, balances, "EUR")
    assert moved is not None
    assert moved["total"]["before"] == moved["total"]["after"]
    assert any(row["before"] != row["after"] for row in moved["rows"])


def test_a_step_that_is_over_moves_nothing() -> None:
    assert payout_sheets.moves(PayoutStatus.PAID, [], {}, "EUR") is None


def test_who_is_too_late_gets_409_and_the_run_as_it_stands(
    proposed: Cast, finn: FlaskClient, mara: FlaskClient
) -> None:
    act(finn, proposed, "approve", **YES)
    late = act(mara, proposed, "cancel", reason="Stop.")
    assert late.status_code == 200  # it was approved, and can still be taken back
    for what in ("cancel", "paid", "approve"):
        answer = finn.post(f"{address(proposed)}/{what}", data=YES | {"reason": "Stop."})
        assert answer.status_code == 409
        assert "This run has moved on in the meantime." in text_of(answer)
        assert "Cancelled" in text_of(answer)
        assert f'name="next" value="{address(proposed)}"' in answer.text  # another language comes back to the page
    again = mara.post("/console/casa/payouts", data={"total_minor": 1})
    assert again.status_code == 409
    assert "The sum has changed while you looked; it is €10.00 now." in text_of(again)
