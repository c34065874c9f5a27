"""Goals: counted as reports count, against the straight line, in the program's own days."""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest
import sqlalchemy as sa
from console_cast import Cast, text_of
from factories import make_attribution, make_clicks, make_conversion, make_link
from flask.testing import FlaskClient
from money_cast import open_books
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.accounts.models import AuditEvent, User
from affiliate.ingest.models import ClickVerdict
from affiliate.payouts.models import CostKind, PartnerCost
from affiliate.programs import pace
from affiliate.programs.models import Goal, GoalMetric
from affiliate.reports import metrics, reaching
from affiliate.reports import queries as reports
from affiliate.reports.periods import Period
from affiliate.reports.reaching import Measure

NOVEMBER = (date(2026, 11, 1), date(2026, 12, 1))


def test_each_metric_is_counted_in_its_period_and_nothing_else(session: Session) -> None:
    books = open_books(session, time_zone="Europe/Rome")
    first = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)  # 00:30 on the first of November in Rome
    books.order(order_id="1", occurred_at=first, amount_minor=100_00, new_customer=True)
    books.order(order_id="2", occurred_at=first + timedelta(days=10), amount_minor=50_00)
    books.order(order_id="before", occurred_at=first - timedelta(hours=2))
    books.order(order_id="after", occurred_at=first + timedelta(days=30))
    books.order(order_id="test", occurred_at=first, is_test=True)
    books.order(order_id="open", occurred_at=first, trust=1)
    make_attribution(
        session, conversion=make_conversion(session, program=books.program, occurred_at=first), partner=None
    )
    books.work()
    link = make_link(session, program=books.program, partner=books.partner)
    make_clicks(session, link=link, hour=datetime(2026, 11, 2, 10, tzinfo=UTC), clicks=7)
    make_clicks(session, link=link, hour=datetime(2026, 11, 2, 10, tzinfo=UTC), clicks=9, verdict=ClickVerdict.BOT)
    make_clicks(session, link=link, hour=datetime(2026, 10, 31, 22, tzinfo=UTC), clicks=5)
    november = Period(*NOVEMBER, "Europe/Rome")
    measures = [Measure(metric, books.program.id, november, "EUR") for metric in GoalMetric]
    found = reaching.reached(session, measures=measures)
    assert {one.metric.value: reached.value for one, reached in zip(measures, found, strict=True)} == {
        "sales": 2, "revenue": 150_00, "new_customers": 1, "clicks": 7, "subscribers": 0, "active_partners": 1,
        "new_customer_share": 50_00, "cost": 15_00,
    }  # fmt: skip


def test_the_numbers_of_goals_are_those_of_reports(session: Session) -> None:
    books = open_books(session)
    moment = datetime(2026, 11, 2, tzinfo=UTC)
    books.order(order_id="1", occurred_at=moment, kind="signup", amount_minor=10_00)
    books.order(order_id="2", occurred_at=moment, amount_minor=90_00)
    books.work()
    cost = PartnerCost(
        id=ids.new(), program_id=books.program.id, partner_id=books.partner.id, kind=CostKind.FLAT_FEE, amount_minor=7_00,
        currency="EUR", spent_on=date(2026, 11, 3), note="", entered_at=moment, entered_by_id=books.alice.id,
    )  # fmt: skip
    session.add(cost)
    session.flush()
    period = Period(*NOVEMBER, "UTC")
    asked = (GoalMetric.SALES, GoalMetric.REVENUE, GoalMetric.COST, GoalMetric.SUBSCRIBERS)
    for partner_id in (None, books.partner.id):
        here = {"program_id": books.program.id, "partner_id": partner_id, "period": period, "currency": "EUR"}
        facts = metrics.total(reports.facts_by_day(session, **here).values(), currency="EUR")
        found = reaching.reached(session, measures=[Measure(metric, **here) for metric in asked])
        cost_minor = facts.earned_minor + facts.spent_minor
        assert [one.value for one in found] == [facts.conversions, facts.revenue_minor, cost_minor, 1]


def test_no_goals_ask_nothing(session: Session) -> None:
    assert reaching.reached(session, measures=[]) == []


def test_the_year_before_sets_the_pace_where_it_has_one(cast: Cast, mara: FlaskClient) -> None:
    today = clock.now().date()
    begun = today - timedelta(days=30)
    for number in range(12):  # last year most came after this day
        moment = datetime.combine(pace.year_before(today) + timedelta(days=number % 10), time(12), UTC)
        cast.books.order(order_id=f"last-{number}", occurred_at=moment, received_at=moment)
        cast.books.work(now=moment)
    cast.settle()
    form = {"metric": "sales", "target": "40", "starts_on": begun, "last_on": today + timedelta(days=29)}
    page = text_of(mara.post("/console/casa/goals", data=form, follow_redirects=True))
    assert "By the season of the year before it would be 0; that is what counts." in page
    assert "Behind the line" not in page


def test_a_goal_that_runs_tells_where_it_leads(cast: Cast, mara: FlaskClient) -> None:
    """Sales of today are reached, but no whole day yet; the year before had a third of its sales by this day."""
    today = clock.now().date()
    then = pace.year_before(today)
    days = (
        [today - timedelta(days=2)] * 4 + [today] * 2 + [then - timedelta(days=2)] * 5 + [then + timedelta(days=2)] * 10
    )
    for number, day in enumerate(days):
        moment = datetime.combine(day, time(0), UTC)
        cast.books.order(order_id=f"order-{number}", occurred_at=moment, received_at=moment)
        cast.books.work(now=moment)
    cast.settle()
    goal = {"target": "40", "starts_on": today - timedelta(days=10), "last_on": today + timedelta(days=9)}
    page = text_of(mara.post("/console/casa/goals", data=goal | {"metric": "sales"}, follow_redirects=True))
    assert "6 of 40" in page
    assert "At this pace: 8 by the last day." in page
    assert "With the season of the year before: 12 by the last day." in page
    for metric in ("new_customer_share", "active_partners"):
        page = text_of(mara.post("/console/casa/goals", data=goal | {"metric": metric}, follow_redirects=True))
        assert page.count("by the last day.") == 2
    later = {"starts_on": today, "last_on": today + timedelta(days=9)}
    page = text_of(mara.post("/console/casa/goals", data=goal | later | {"metric": "sales"}, follow_redirects=True))
    assert page.count("by the last day.") == 2
    page = text_of(mara.post("/console/casa/goals", data=goal | {"metric": "cost"}, follow_redirects=True))
    assert "At this pace: €80.00 by the last day." in page


def test_one_click_takes_a_goal_and_the_program_may_go_live(cast: Cast, mara: FlaskClient) -> None:
    assert "Sales: 100 in 90 days" in text_of(mara.get("/console/casa/goals"))
    page = text_of(mara.post("/console/casa/goals/usual", data={"metric": "revenue"}, follow_redirects=True))
    assert "Goal added: Revenue, €5,000.00." in page
    goal = cast.session.scalars(sa.select(Goal)).one()
    assert (goal.owner_id, (goal.ends_on - goal.starts_on).days) == (cast.mara.id, 90)
    cast.session.commit()


def test_goals_that_end_soon_stay_on_today_beside_many_that_end_later(cast: Cast, mara: FlaskClient) -> None:
    today = clock.now().date()
    for place in range(35):
        late = {"metric": "revenue", "target": 1_00, "starts_on": today, "ends_on": today + timedelta(days=60 + place)}
        cast.session.add(Goal(id=ids.new(), program_id=cast.program.id, created_at=clock.now(), **late))
    for days, target in ((1, 7), (-1, 8)):  # one is over tomorrow, one was yesterday
        soon = {"metric": "sales", "target": target, "starts_on": today - timedelta(days=20)}
        soon["ends_on"] = today + timedelta(days=days)
        cast.session.add(Goal(id=ids.new(), program_id=cast.program.id, created_at=clock.now(), **soon))
    cast.session.commit()
    assert "0 of 7." in text_of(mara.get("/console/casa/"))
    page = text_of(mara.get("/console/casa/goals"))
    assert page.index("0 of 7<") < page.index("€0.00 of €1.00<") < page.index("0 of 8<")


def test_the_last_goal_of_a_program_that_runs_stays(cast: Cast, mara: FlaskClient) -> None:
    for metric in ("sales", "clicks"):
        mara.post("/console/casa/goals/usual", data={"metric": metric})
    first, last = cast.session.scalars(sa.select(Goal.id).order_by(Goal.id))
    cast.session.commit()
    assert mara.post(f"/console/casa/goals/{first}/remove").status_code == 303
    assert "keeps at least one goal" in text_of(mara.post(f"/console/casa/goals/{last}/remove"))
    assert mara.post(f"/console/casa/goals/{first}/remove").status_code == 404


def test_the_board_compares_every_figure_and_stands_in_files_with_the_risks(cast: Cast, mara: FlaskClient) -> None:
    for days_ago in (2, 10):
        cast.sale(f"{days_ago} days ago", days_ago=days_ago)
    text = mara.get("/console/casa/kpis.csv?days=7").text.lstrip("\ufeff")
    rows = {row["key"]: row for row in csv.DictReader(text.splitlines())}
    assert [rows["revenue"][name] for name in ("unit", "now", "before")] == ["money", "10000", "10000"]
    for key, value in (("top_share", "10000"), ("reversal_rate", "0"), ("fraud_rate", "0")):
        assert (rows[key]["now"], rows[key]["before"]) == (value, value), key
    assert (rows["one_partner"]["unit"], rows["one_partner"]["now"]) == ("risk", "10000")
    assert rows["one_partner"]["likelihood"] in "12345"
    assert mara.get("/console/casa/kpis.xlsx?days=7").data.startswith(b"PK")
    page = mara.get("/console/casa/kpis?days=7").text
    assert "/console/casa/kpis.csv?days=7" in page
    kept = mara.post("/console/casa/performance/kept", data={"page": "kpis", "days": "90", "name": "Board"})
    assert kept.status_code == 303
    assert "/console/casa/kpis?days=90" in mara.get("/console/casa/performance/kept").text


def test_a_limit_of_cost_is_kept_by_staying_below_it(cast: Cast, mara: FlaskClient) -> None:
    cast.sale("1")
    today = clock.now().date()
    for target, word in (("10.50", "Too fast"), ("100", "On course"), ("9", "Passed")):
        form = {
            "metric": "cost",
            "target": target,
            "starts_on": today - timedelta(days=3),
            "last_on": today + timedelta(days=60),
        }
        page = text_of(mara.post("/console/casa/goals", data=form, follow_redirects=True))
        assert word in page


def test_a_goal_of_revenue_takes_an_amount_and_is_shown_as_one(cast: Cast, mara: FlaskClient) -> None:
    form = {"metric": "revenue", "target": "2,000", "starts_on": "2026-11-01", "last_on": "2026-11-30"}
    page = text_of(mara.post("/console/casa/goals", data=form, follow_redirects=True))
    assert "Goal added: Revenue, €2,000.00." in page
    assert "1 Nov 2026 – 30 Nov 2026" in page


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"target": "0"}, "A goal needs a target above zero."),
        ({"target": "some"}, "Write a whole number"),
        ({"last_on": "2026-10-01"}, "The period ends before it begins."),
        ({"last_on": "2028-10-01"}, "A goal covers at most 400 days."),
        ({"metric": "luck"}, "Not a valid choice"),
        ({"metric": "new_customer_share", "target": "101"}, "A share is 100 percent at most."),
    ],
)
def test_a_wrong_goal_is_said_at_its_field(cast: Cast, mara: FlaskClient, form: dict[str, str], told: str) -> None:
    data = {"metric": "sales", "target": "100", "starts_on": "2026-11-01", "last_on": "2026-11-30"} | form
    response = mara.post("/console/casa/goals", data=data)
    assert response.status_code == 422
    assert told in text_of(response)


def test_a_goal_is_owned_by_whom_the_form_names_and_by_nobody_from_elsewhere(cast: Cast, mara: FlaskClient) -> None:
    form = {"metric": "sales", "target": "100", "starts_on": "2026-11-01", "last_on": "2026-11-30"}
    page = text_of(mara.post("/console/casa/goals", data=form | {"owner": str(cast.max.id)}, follow_redirects=True))
    assert "1 Nov 2026 – 30 Nov 2026 · Max Example" in page
    assert mara.post("/console/casa/goals", data=form | {"owner": str(cast.finn.id)}).status_code == 422
    goal = cast.session.scalars(sa.select(Goal)).one()
    assert goal.owner_id == cast.max.id
    cast.session.commit()


def test_a_running_goal_gets_another_owner_and_the_history_tells_it(cast: Cast, mara: FlaskClient) -> None:
    mara.post("/console/casa/goals/usual", data={"metric": "revenue"})
    goal_id, owner_id = cast.session.execute(sa.select(Goal.id, Goal.owner_id)).one()
    cast.session.commit()
    assert owner_id == cast.mara.id
    address = f"/console/casa/goals/{goal_id}/owner"
    page = text_of(mara.post(address, data={"owner": str(cast.max.id)}, follow_redirects=True))
    assert "Max Example answers for this goal now." in page
    for stranger in (str(cast.finn.id), "nobody", ""):
        refused = text_of(mara.post(address, data={"owner": stranger}, follow_redirects=True))
        assert "Choose somebody who manages this program." in refused
    assert (
        mara.post(address.replace(str(goal_id), str(cast.mara.id)), data={"owner": str(cast.max.id)}).status_code == 404
    )
    told = cast.session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "goal.give")).one()
    assert (told.subject_id, told.details["owner_id"], told.details["owner_before_id"]) == (
        goal_id, str(cast.max.id), str(cast.mara.id),
    )  # fmt: skip
    cast.session.commit()
    assert "gave a goal to another owner" in text_of(mara.get("/console/casa/history"))


def test_a_running_goal_is_changed_and_the_history_tells_from_what_to_what(
    cast: Cast, mara: FlaskClient, finn: FlaskClient, browser_of: Callable[[User], FlaskClient]
) -> None:
    today = clock.now().date()
    mara.post("/console/casa/goals/usual", data={"metric": "revenue"})
    goal_id = cast.session.scalars(sa.select(Goal.id)).one()
    cast.session.commit()
    address = f"/console/casa/goals/{goal_id}/change"
    assert 'name="target" type="text" value="5000.00"' in text_of(mara.get("/console/casa/goals"))
    form = {"target": "7500.50", "starts_on": today.isoformat(), "last_on": (today + timedelta(days=9)).isoformat()}
    for wrong in ({"target": "many"}, {"target": "0"}, {"last_on": "x"}, {"last_on": "2020-01-01"}):
        mara.post(address, data=form | wrong)
        assert cast.session.scalars(sa.select(Goal.target)).one() == 5_000_00
        cast.session.commit()
    assert finn.post(address, data=form).status_code == 404
    assert browser_of(cast.ada).post(address.replace("casa", "altra"), data=form).status_code == 404
    assert mara.post(address.replace(str(goal_id), str(cast.mara.id)), data=form).status_code == 404
    for _ in range(2):
        assert "The goal is changed." in text_of(mara.post(address, data=form, follow_redirects=True))
    goal = cast.session.scalars(sa.select(Goal)).one()
    assert (goal.target, goal.starts_on, goal.ends_on) == (7_500_50, today, today + timedelta(days=10))
    assert len(cast.session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "goal.change")).all()) == 1
    cast.session.commit()
    page = text_of(mara.get("/console/casa/history"))
    assert "changed a goal" in page
    assert "Target: €5,000.00 → €7,500.50" in page


def test_what_a_goal_that_is_over_asked_for_stays(cast: Cast, mara: FlaskClient) -> None:
    form = {"metric": "sales", "target": "9", "starts_on": "2025-11-01", "last_on": "2025-11-30"}
    mara.post("/console/casa/goals", data=form)
    goal_id = cast.session.scalars(sa.select(Goal.id)).one()
    cast.session.commit()
    assert "Change…" not in text_of(mara.get("/console/casa/goals"))
    answer = mara.post(f"/console/casa/goals/{goal_id}/change", data=form | {"target": "8"})
    assert (answer.status_code, "This goal is over." in text_of(answer)) == (409, True)
    assert cast.session.scalars(sa.select(Goal.target)).one() == 9
    cast.session.commit()


def test_only_managers_change_the_owner_and_only_of_goals_that_run(
    cast: Cast, mara: FlaskClient, finn: FlaskClient
) -> None:
    form = {"metric": "sales", "target": "9", "starts_on": "2025-11-01", "last_on": "2025-11-30"}
    mara.post("/console/casa/goals", data=form)
    assert "Change the owner…" not in text_of(mara.get("/console/casa/goals"))
    mara.post("/console/casa/goals/usual", data={"metric": "sales"})
    assert text_of(mara.get("/console/casa/goals")).count("Change the owner…") == 1
    goal_id = cast.session.scalars(sa.select(Goal.id)).first()
    cast.session.commit()
    assert finn.post(f"/console/casa/goals/{goal_id}/owner", data={"owner": str(cast.max.id)}).status_code == 404
