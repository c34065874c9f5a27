"""Goals: counted as reports count, against the straight line, in the program's own days."""

from datetime import UTC, date, datetime, timedelta

import pytest
from console_cast import Cast, text_of
from factories import make_attribution, make_clicks, make_conversion, make_link
from flask.testing import FlaskClient
from money_cast import open_books
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.console import goals
from affiliate.console.queries import goals as queries
from affiliate.ingest.models import ClickVerdict
from affiliate.programs.models import Goal, GoalMetric

NOVEMBER = (date(2026, 11, 1), date(2026, 12, 1))


def goal(metric: GoalMetric, target: int = 100) -> Goal:
    starts_on, ends_on = NOVEMBER
    return Goal(
        id=ids.new(),
        metric=metric,
        target=target,
        starts_on=starts_on,
        ends_on=ends_on,
        created_at=datetime(2026, 11, 1, tzinfo=UTC),
    )


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
    wanted = [goal(metric) for metric in GoalMetric]
    for each in wanted:
        each.program_id = books.program.id
    reached = queries.counted(session, goals=wanted, zone="Europe/Rome")
    assert {each.metric.value: reached[each.id] for each in wanted} == {
        "sales": 2, "revenue": 150_00, "new_customers": 1, "clicks": 7, "active_partners": 1,
    }  # fmt: skip


def test_no_goals_ask_nothing(session: Session) -> None:
    assert queries.counted(session, goals=[], zone="UTC") == {}


@pytest.mark.parametrize(
    ("today", "asked"),
    [(date(2026, 10, 1), 0), (date(2026, 11, 1), 0), (date(2026, 11, 16), 50), (date(2026, 12, 24), 100)],
)
def test_the_straight_line_asks_for_its_part_of_the_days_that_are_over(today: date, asked: int) -> None:
    starts_on, ends_on = NOVEMBER
    assert goals.expected(target=100, starts_on=starts_on, ends_on=ends_on, today=today) == asked


@pytest.mark.parametrize(
    ("today", "reached", "state"),
    [
        (date(2026, 10, 31), 0, "to_come"),
        (date(2026, 11, 1), 0, "on_course"),
        (date(2026, 11, 16), 45, "on_course"),
        (date(2026, 11, 16), 44, "behind"),
        (date(2026, 11, 16), 100, "reached"),
        (date(2026, 12, 1), 99, "missed"),
    ],
)
def test_a_goal_is_behind_below_nine_tenths_of_the_line(today: date, reached: int, state: str) -> None:
    assert goals.state(goal(GoalMetric.SALES), reached, today) == state


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
    ],
)
def test_a_wrong_goal_is_said_at_its_field(cast: Cast, mara: FlaskClient, form: dict[str, str], told: str) -> None:
    data = {"metric": "sales", "target": "100", "starts_on": "2026-11-01", "last_on": "2026-11-30"} | form
    response = mara.post("/console/casa/goals", data=data)
    assert response.status_code == 422
    assert told in text_of(response)
