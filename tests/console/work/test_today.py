"""The work list: what waits, the late first, each line one step from its act."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from console_cast import Cast, public, text_of
from flask.testing import FlaskClient

from affiliate import clock, ids
from affiliate.accounts.models import User
from affiliate.canary.models import CanaryRun, CanaryState
from affiliate.commissions.maturity import Milestone
from affiliate.ingest.models import RejectedEvent, RejectReason
from affiliate.partners.models import Enrollment, EnrollmentStatus
from affiliate.steering import service as steering


def waiting_since(cast: Cast, days: int) -> None:
    """The applicant has waited so many days."""
    wait = sa.update(Enrollment).where(Enrollment.partner_id == cast.applicant.id)
    cast.session.execute(wait.values(created_at=clock.now() - timedelta(days=days)))
    cast.session.commit()


def test_an_application_is_late_after_three_days(cast: Cast, mara: FlaskClient) -> None:
    waiting_since(cast, 1)
    assert "Late" not in text_of(mara.get("/console/casa/"))
    waiting_since(cast, 4)
    page = text_of(mara.get("/console/casa/"))
    assert "1 decision waits for you" in page
    assert "1 is late." in page
    assert "4 days" in page


def test_approving_in_place_comes_back_to_the_list(cast: Cast, mara: FlaskClient) -> None:
    page = mara.get("/console/casa/").text
    action = next(each.split('"')[0] for each in page.split('action="') if each.split('"')[0].endswith("/approve"))
    response = mara.post(action, data={"from": "today"}, follow_redirects=True)
    assert response.request.path == "/console/casa/"
    assert "Ferro e Fuoco is in." in text_of(response)
    assert "Nothing waits for you" in text_of(response)


def test_money_comes_up_when_it_can_be_paid_proposed_and_approved(
    cast: Cast, mara: FlaskClient, finn: FlaskClient
) -> None:
    cast.approved_sale("1")
    assert "€10.00 can be paid to 1 partner" in text_of(mara.get("/console/casa/"))
    mara.post("/console/casa/payouts", data={"total_minor": 10_00})
    assert "Proposed by you. Another person must approve it." in text_of(mara.get("/console/casa/"))
    page = text_of(finn.get("/console/casa/"))
    assert "Proposed by Mara Example. It waits for a second person." in page
    assert "can be paid" not in page


def test_commissions_that_mature_within_a_week_come_up_with_their_sum(cast: Cast, mara: FlaskClient) -> None:
    cast.sale("soon", days_ago=25)
    cast.sale("later", days_ago=10)
    page = text_of(mara.get("/console/casa/"))
    assert "1 commission is validated within 7 days, €10.00" in page
    assert '?status=pending&due=7"' in page


def test_what_awaits_its_order_is_never_said_to_be_approved_by_itself(
    cast: Cast, mara: FlaskClient, finn: FlaskClient
) -> None:
    soon, waiting = cast.sale("soon", days_ago=31), cast.sale("waiting", days_ago=40)
    waiting.awaits = Milestone.PAID
    cast.session.commit()
    page = text_of(mara.get("/console/casa/"))
    assert "1 commission is validated within 7 days, €10.00" in page
    assert f"approved by themselves from {clock.now():%-d %b %Y} on" in page  # due since yesterday
    assert "2 commissions to validate this month, €20.00" in page
    assert "1 of them waits for its order to be paid, shipped or delivered" in page
    assert 'href="/console/casa/validation"' in page
    listed = text_of(mara.get("/console/casa/commissions?status=pending"))
    assert listed.count("It waits until the order is paid.") == 1
    assert listed.count("Validation period ends") == 1
    assert public("com", waiting) not in mara.get("/console/casa/commissions?status=pending&due=7").text
    assert public("com", soon) in mara.get("/console/casa/commissions?status=pending&due=7").text
    tiles = text_of(finn.get("/console/casa/views/finance"))
    tile = tiles[tiles.index("Approved within 30 days") :]
    assert "€10.00" in tile[: tile.index("€") + 6]


def test_refused_events_of_the_week_stand_in_one_line(cast: Cast, mara: FlaskClient, finn: FlaskClient) -> None:
    for days in (1, 2, 9):
        row = RejectedEvent(
            id=ids.new(), program_id=cast.program.id, kind="refund", reason=RejectReason.BAD_FIELDS, payload={}
        )
        row.received_at = clock.now() - timedelta(days=days)
        cast.session.add(row)
    cast.session.commit()
    assert "2 events were refused in 7 days" in text_of(mara.get("/console/casa/"))
    assert "refused in 7 days" not in text_of(finn.get("/console/casa/"))


def test_a_shop_that_reports_twice_gives_nobody_work(cast: Cast, mara: FlaskClient) -> None:
    overruled = RejectedEvent(
        id=ids.new(), program_id=cast.program.id, kind="conversion", reason=RejectReason.LOWER_TRUST, payload={}
    )
    overruled.received_at = clock.now()
    cast.session.add(overruled)
    cast.session.commit()
    assert "refused in 7 days" not in text_of(mara.get("/console/casa/"))


def test_finance_is_not_asked_about_applications(cast: Cast, finn: FlaskClient) -> None:
    assert "Ferro e Fuoco" not in text_of(finn.get("/console/casa/"))


def test_a_goal_behind_the_line_comes_up(cast: Cast, mara: FlaskClient) -> None:
    first, last = clock.now().date() - timedelta(days=10), clock.now().date() + timedelta(days=10)
    form = {"metric": "sales", "target": "100", "starts_on": first.isoformat(), "last_on": last.isoformat()}
    mara.post("/console/casa/goals", data=form)
    assert "Goal “Sales”: Behind the line" in text_of(mara.get("/console/casa/"))


def test_the_list_is_narrowed_by_kind_and_counts_stay(cast: Cast, mara: FlaskClient) -> None:
    cast.sale("soon", days_ago=31)
    page = text_of(mara.get("/console/casa/?kind=commission"))
    assert "is validated within 7 days" in page
    assert "to validate this month" in page
    assert "Application: Ferro e Fuoco" not in page
    assert "3 decisions wait for you" in page


def test_everything_decided_is_said(cast: Cast, mara: FlaskClient, browser_of: Callable[[User], FlaskClient]) -> None:
    decided = sa.update(Enrollment).values(status=EnrollmentStatus.APPROVED)
    cast.session.execute(decided)
    cast.session.commit()
    assert "Nothing waits for you" in text_of(mara.get("/console/casa/"))
    assert "All decided" in text_of(browser_of(cast.ada).get("/console/altra/"))


def test_a_test_order_that_stopped_on_its_way_is_an_alarm_for_who_manages_everything(
    cast: Cast, browser_of: Callable[[User], FlaskClient], mara: FlaskClient
) -> None:
    moment = clock.now()
    run = CanaryRun(
        id=ids.new(), program_id=cast.program.id, partner_id=cast.partner.id, conversion_id=ids.new(), order_id="canary",
        state=CanaryState.FAILED, finding="does ingest run?", started_at=moment, stepped_at=moment,
    )  # fmt: skip
    cast.session.add(run)
    cast.session.commit()
    assert "does ingest run?" in browser_of(cast.ada).get("/console/casa/").text
    assert "does ingest run?" not in mara.get("/console/casa/").text


def test_the_first_page_takes_at_most_twenty_statements_whatever_waits(
    cast: Cast, mara: FlaskClient, count_queries: Any
) -> None:
    cast.sale("soon", days_ago=25)
    cast.approved_sale("1")
    steering.compute_momentum(cast.session, program=cast.program, now=clock.now())
    cast.session.commit()
    for metric in ("sales", "revenue", "cost"):
        mara.post("/console/casa/goals/usual", data={"metric": metric})
    task = {"task": "Two posts", "side": "partner", "cadence": "monthly", "first_on": clock.now().date().isoformat()}
    mara.post(f"/console/casa/partners/{public('ptn', cast.partner)}/duties", data=task)
    for path in ("", "goals", "kpis", "partners"):
        mara.get(f"/console/casa/{path}")  # what the first request of a process asks once
        with count_queries() as counter:
            assert mara.get(f"/console/casa/{path}").status_code == 200
        told = [
            statement[:40] + " … " + statement[statement.find("FROM") :][:60].replace(chr(10), " ")
            for statement in counter.statements
            if statement.startswith(("SELECT", "WITH"))
        ]
        assert len(told) <= 20, (path, len(told))
