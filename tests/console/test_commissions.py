"""Commissions: listed with filters, explained, approved and declined one by one or together."""

from collections.abc import Callable

from console_cast import Cast, public, text_of
from factories import make_partner
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from affiliate.accounts.models import User
from affiliate.commissions.models import Commission, CommissionStatus


def decide(browser: FlaskClient, act: str, *commissions: Commission, **form: str) -> TestResponse:
    data = {"commission": [public("com", each) for each in commissions], **form}
    return browser.post(f"/console/casa/commissions/{act}", data=data, follow_redirects=True)


def listed(browser: FlaskClient, query: str, *orders: str) -> list[str]:
    """Which of these orders stand in the list."""
    page = browser.get(f"/console/casa/commissions{query}").text
    return [order for order in orders if f">{order}<" in page]


def status(cast: Cast, commission: Commission) -> CommissionStatus:
    cast.settle()
    return commission.status


def test_two_commissions_are_approved_together_with_their_sum(cast: Cast, mara: FlaskClient) -> None:
    one, two = cast.sale("1"), cast.sale("2", amount_minor=50_00)
    assert "2 commissions approved, €15.00." in text_of(decide(mara, "approve", one, two))
    assert {status(cast, one), status(cast, two)} == {CommissionStatus.APPROVED}
    cast.assert_proven()


def test_approving_twice_says_that_somebody_was_faster(
    cast: Cast, mara: FlaskClient, browser_of: Callable[[User], FlaskClient]
) -> None:
    one = cast.sale("1")
    decide(mara, "approve", one)
    page = text_of(decide(browser_of(cast.max), "approve", one))
    assert "Nothing was changed: somebody else had decided already" in page
    cast.assert_proven()


def test_what_had_moved_on_is_counted_and_the_rest_is_done(cast: Cast, mara: FlaskClient) -> None:
    one, two = cast.sale("1"), cast.sale("2")
    decide(mara, "approve", one)
    page = text_of(decide(mara, "approve", one, two))
    assert "1 commission approved, €10.00. 1 was not in that state any more" in page
    assert status(cast, two) is CommissionStatus.APPROVED


def test_the_same_commission_ticked_twice_counts_once(cast: Cast, mara: FlaskClient) -> None:
    one = cast.sale("1")
    assert "1 commission approved, €10.00." in text_of(decide(mara, "approve", one, one))


def test_declining_needs_a_reason_and_empties_the_commission(cast: Cast, mara: FlaskClient) -> None:
    one = cast.sale("1")
    assert "Write why you decline" in text_of(decide(mara, "decline", one))
    assert status(cast, one) is CommissionStatus.PENDING
    assert "1 commission declined, €10.00." in text_of(decide(mara, "decline", one, reason="Own order"))
    assert status(cast, one) is CommissionStatus.DECLINED
    cast.assert_proven()


def test_nothing_selected_is_said(cast: Cast, mara: FlaskClient) -> None:
    assert "Select at least one commission first." in text_of(decide(mara, "approve"))
    assert "Select at least one commission first." in text_of(decide(mara, "approve", commission="com_made_up"))


def test_a_commission_of_another_program_stays_as_it_is(cast: Cast, browser_of: Callable[[User], FlaskClient]) -> None:
    one = cast.sale("1")
    data = {"commission": public("com", one)}
    page = browser_of(cast.ada).post("/console/altra/commissions/approve", data=data, follow_redirects=True)
    assert "Nothing was changed" in text_of(page)
    assert status(cast, one) is CommissionStatus.PENDING


def test_one_keeps_the_filters_after_deciding(cast: Cast, mara: FlaskClient) -> None:
    one = cast.sale("1")
    response = decide(mara, "approve", one, status="pending", due="7")
    assert response.request.full_path == "/console/casa/commissions?status=pending&due=7"


def test_the_list_is_narrowed_by_status_partner_and_date(cast: Cast, mara: FlaskClient) -> None:
    other = make_partner(cast.session, program=cast.program, name="Ewa's Pans")
    cast.sale("early", days_ago=28)
    cast.sale("late", partner=other)
    cast.approved_sale("ready")
    assert listed(mara, "", "early", "late", "ready") == ["early", "late", "ready"]
    assert listed(mara, "?status=pending", "early", "late", "ready") == ["early", "late"]
    assert listed(mara, "?status=pending&due=7", "early", "late", "ready") == ["early"]
    assert listed(mara, f"?partner={public('ptn', other)}", "early", "late", "ready") == ["late"]


def test_a_commission_is_explained_for_the_manager_with_its_buttons(cast: Cast, mara: FlaskClient) -> None:
    one = cast.sale("10482")
    page = text_of(mara.get(f"/console/casa/commissions/{public('com', one)}"))
    assert "Why Slow Kitchen earns €10.00 on order 10482" in page
    assert "Approve €10.00" in page
    response = decide(mara, "approve", one, **{"from": "commission"})
    assert response.request.path == f"/console/casa/commissions/{public('com', one)}"
    assert "Approve €10.00" not in text_of(response)
    assert "Decline €10.00" in text_of(response)


def test_finance_reads_the_explanation_without_buttons(cast: Cast, finn: FlaskClient) -> None:
    one = cast.sale("10482")
    page = text_of(finn.get(f"/console/casa/commissions/{public('com', one)}"))
    assert "Why Slow Kitchen earns" in page
    assert "commissions/approve" not in page


def test_the_export_holds_amounts_as_numbers(cast: Cast, mara: FlaskClient) -> None:
    one = cast.sale("10482")
    lines = mara.get("/console/casa/commissions.csv").text.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith(f"{public('com', one)},10482,")
    assert ",Slow Kitchen,pending,10.00,0.00,10.00,EUR," in lines[1]
    assert len(mara.get("/console/casa/commissions.csv?status=paid").text.splitlines()) == 1
