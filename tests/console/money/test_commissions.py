"""Commissions: listed with filters, explained, approved and declined one by one or together."""

from collections.abc import Callable

from console_cast import Cast, public, text_of
from factories import make_partner
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from affiliate.accounts.models import User
from affiliate.commissions.models import Commission, CommissionStatus
from affiliate.console.queries import named
from affiliate.relations import bulk, jobs


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


def test_what_had_moved_on_is_told_with_its_reason_and_the_rest_is_done(cast: Cast, mara: FlaskClient) -> None:
    one, two = cast.sale("1"), cast.sale("2")
    decide(mara, "approve", one)
    answer = decide(mara, "approve", one, two)
    page = text_of(answer)
    assert "/console/casa/acts/blk_" in answer.request.path
    assert 'href="/console/casa/commissions" aria-current="page"' in answer.text
    assert "2 commissions were chosen." in page
    assert "This commission can no longer be decided." in page
    assert f'/commissions/{public("com", one)}">1</a>' in page
    assert "€10.00" in page
    assert status(cast, two) is CommissionStatus.APPROVED
    rows = mara.get(f"{answer.request.path}.csv").text.splitlines()
    assert [row.split(",")[2:5] for row in rows[1:]] == [
        ["1", public("com", one), "refused"], ["2", public("com", two), "changed"],
    ]  # fmt: skip
    assert rows[2].endswith(",10.00,EUR")


def test_all_that_the_list_shows_is_done_in_batches_beside_the_page_and_can_be_stopped(
    cast: Cast, mara: FlaskClient
) -> None:
    other = make_partner(cast.session, program=cast.program, name="Ewa's Pans")
    orders = [cast.books.order(order_id=str(number)) for number in range(bulk.BATCH + 1)]
    cast.books.work()
    mine = [cast.books.commission(order) for order in orders]
    elsewhere, ready = cast.sale("elsewhere", partner=other), cast.approved_sale("ready")
    shown = {"all": "yes", "partner": public("ptn", cast.partner), "status": "", "page": "x"}
    answer = mara.post("/console/casa/commissions/approve", data=shown)
    assert "50 of 51." in text_of(mara.get(answer.location))
    assert "Stopped. 50 were done before." in text_of(mara.post(f"{answer.location}/stop", follow_redirects=True))
    assert jobs.act_in_bulk() == 0
    cast.settle()
    assert sum(one.status is CommissionStatus.APPROVED for one in mine) == bulk.BATCH
    mara.post("/console/casa/commissions/approve", data=shown)
    cast.settle()
    assert {one.status for one in mine} == {CommissionStatus.APPROVED}
    assert status(cast, elsewhere) is CommissionStatus.PENDING
    assert "Nothing was changed" in text_of(mara.post("/console/casa/commissions/approve", data=shown))
    mara.post("/console/casa/commissions/decline", data=shown | {"status": "approved", "reason": "All came back"})
    assert jobs.act_in_bulk() == 2
    cast.settle()
    assert {one.status for one in (*mine, ready)} == {CommissionStatus.DECLINED}
    cast.assert_proven()


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


def test_the_list_is_searched_by_order_and_by_partner(cast: Cast, mara: FlaskClient) -> None:
    other = make_partner(cast.session, program=cast.program, name="Another Kitchen")
    cast.session.commit()
    cast.sale("first")
    cast.sale("second", partner=other)
    both = ("first", "second")
    assert listed(mara, "?order=first", *both) == ["first"]
    assert listed(mara, "?order=firs", *both) == []
    assert listed(mara, "?name=anoTHER", *both) == ["second"]
    assert listed(mara, "?name=kitchen&status=pending", *both) == ["first", "second"]
    assert listed(mara, "?name=nobody", *both) == []
    page = text_of(mara.get("/console/casa/commissions?name=another&status=pending"))
    assert "All with this status" not in page
    assert '<input type="hidden" name="name" value="another">' in page
    assert mara.get("/console/casa/commissions.csv?name=another").text.count("first") == 0
    stranger = make_partner(cast.session, program=cast.other, name="Another stranger")
    found = named.partners_like(cast.session, program_id=cast.program.id, text="another")
    assert stranger.id not in found
    assert found == [other.id]
    cast.session.commit()


def test_all_that_a_search_found_is_decided_and_nothing_else(cast: Cast, mara: FlaskClient) -> None:
    other = make_partner(cast.session, program=cast.program, name="Another Kitchen")
    cast.session.commit()
    one, two = cast.sale("first"), cast.sale("second", partner=other)
    back = mara.post("/console/casa/commissions/approve", data={"all": "yes", "name": "another"})
    assert back.headers["Location"].endswith("/commissions?name=another")
    assert (status(cast, one), status(cast, two)) == (CommissionStatus.PENDING, CommissionStatus.APPROVED)


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
