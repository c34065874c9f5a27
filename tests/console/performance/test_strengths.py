"""Strengths and weaknesses: the page says in sentences what the figures say, why, and since when; the same as a file."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from console_cast import Cast, main_of, text_of
from factories import make_clicks, make_commission, make_link, make_partner
from flask.testing import FlaskClient

from affiliate import clock, ids
from affiliate.accounts.actors import SYSTEM
from affiliate.commissions.models import CommissionStatus
from affiliate.programs.models import Goal, GoalMetric
from affiliate.reports import remarks, strength_readings
from affiliate.reports.metrics import Facts
from affiliate.reports.models import ProgramFigures
from affiliate.reports.momentum import Momentum, Reason
from affiliate.reports.periods import Period
from affiliate.reports.strengths import Topic
from affiliate.steering.models import PartnerMomentum

ADDRESS = "/console/casa/performance/strengths"


def sell(cast: Cast, days_ago: int, number: int, **fields: Any) -> None:
    """So many sales of the partner on one day."""
    at = clock.now() - timedelta(days=days_ago)
    for _ in range(number):
        make_commission(cast.session, program=cast.program, partner=cast.partner, earned_at=at, **fields)


def rows(mara: FlaskClient, days: int = 7) -> dict[str, dict[str, str]]:
    """The findings of the file by their topic."""
    answer = mara.get(f"{ADDRESS}.csv?days={days}")
    assert answer.status_code == 200
    return {row["topic"]: row for row in csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))}


def test_a_program_without_sales_is_told_what_will_stand_here(mara: FlaskClient, cast: Cast) -> None:
    page = main_of(mara.get(ADDRESS))
    assert "Too little to tell yet" in page
    assert "strengths.csv" not in page


def test_sentences_say_what_the_figures_say_and_what_they_are_held_against(mara: FlaskClient, cast: Cast) -> None:
    sell(cast, 3, 20)
    sell(cast, 3, 5, status=CommissionStatus.REVERSED, reversed_minor=10_00)
    sell(cast, 10, 50)
    cast.session.commit()
    page = text_of(mara.get(f"{ADDRESS}?days=7"))
    assert "The best partner brings 100\u00a0% of the revenue." in page
    assert "Held against the level from which it is a weakness: 50\u00a0%." in page
    assert "20\u00a0% of commissions were taken back. " in page
    assert "Worse than in the days before: 0\u00a0% then." in page
    assert "Partners brought 25 sales." in page
    assert "Held against the days before: 50." in page
    assert "See which products come back" in page
    told = rows(mara)
    assert {name: row["side"] for name, row in told.items() if name in {"sales", "reversals", "one_partner", "basket"}} == {
        "sales": "weak", "reversals": "weak", "one_partner": "weak", "basket": "neither",
    }  # fmt: skip
    assert told["sales"] | {"spans": ""} == {
        "topic": "sales", "side": "weak", "figure": "25", "of": "50", "against": "before", "compared": "50", "spans": "",
        "before": "50", "change": "worse",
    }  # fmt: skip
    assert mara.get(f"{ADDRESS}.xlsx?days=7").status_code == 200


def test_a_fall_to_nothing_is_told_and_spans_before_the_first_sale_are_none(mara: FlaskClient, cast: Cast) -> None:
    for days_ago in (10, 17, 24):
        sell(cast, days_ago, 12)
    cast.session.commit()
    found = rows(mara)["sales"]
    assert [found[name] for name in ("side", "figure", "against", "compared", "spans")] == [
        "weak",
        "0",
        "middle",
        "12",
        "3",
    ]


def test_today_is_not_over_and_counts_nowhere(mara: FlaskClient, cast: Cast) -> None:
    sell(cast, 3, 10)
    sell(cast, 0, 30)
    cast.session.commit()
    assert rows(mara)["sales"]["figure"] == "10"


def test_what_waits_how_partners_do_and_goals_speak_too(mara: FlaskClient, cast: Cast) -> None:
    sell(cast, 3, 10)
    now = clock.now()
    today = now.date()
    mine: dict[str, Any] = {"program_id": cast.program.id, "computed_at": now, "since": now}
    for number in range(6):
        one = make_partner(cast.session, program=cast.program)
        state = Momentum.DORMANT if number < 3 else Momentum.STEADY
        cast.session.add(
            PartnerMomentum(**mine, partner_id=one.id, momentum=state, reason=Reason.SILENT, now=0, before=0, weight_minor=0)
        )  # fmt: skip
    begun = {"starts_on": today - timedelta(days=50), "ends_on": today + timedelta(days=5)}
    later = {"starts_on": today + timedelta(days=5), "ends_on": today + timedelta(days=9)}
    for metric, target, days in ((GoalMetric.SALES, 5_000, begun), (GoalMetric.REVENUE, 1, begun), (GoalMetric.CLICKS, 9, later)):  # fmt: skip
        cast.session.add(
            Goal(id=ids.new_at(now), program_id=cast.program.id, metric=metric, target=target, created_at=now, **days)
        )
    cast.session.add(
        ProgramFigures(program_id=cast.program.id, medians={}, validation_seconds=61 * 86_400, creatives=[], computed_at=now)
    )  # fmt: skip
    cast.session.commit()
    page = text_of(mara.get(f"{ADDRESS}?days=7"))
    assert "50\u00a0% of 6 partners fade, sleep or need support." in page
    assert "Goals that are behind: 1 of 2." in page
    assert "Half of the commissions are approved within 61 days of the order." in page
    told = rows(mara)
    assert {told[topic]["side"] for topic in ("momentum", "goals", "approval")} == {"weak"}


def test_a_note_can_be_the_reason_of_a_change(mara: FlaskClient, finn: FlaskClient, cast: Cast) -> None:
    sell(cast, 3, 30)
    sell(cast, 10, 20)
    cast.session.commit()
    page = text_of(mara.get(f"{ADDRESS}?days=7"))
    [address] = re.findall(r'href="([^"]*about=sales)"', page)
    form = mara.get(address).text
    assert '<option selected value="sales">' in form
    day = (clock.now() - timedelta(days=8)).date().isoformat()
    for about, text in (("sales", "Bonus for each sale"), ("", "The courier was on strike")):
        assert finn.post(address.partition("?")[0], data={"day": day, "text": text, "about": about}).status_code == 303
    page = text_of(mara.get(f"{ADDRESS}?days=7"))
    of_sales = page.partition("Partners brought 30 sales.")[2].partition("<h3>")[0]
    assert "Bonus for each sale" in of_sales
    assert "courier" not in of_sales
    assert page.count("Bonus for each sale") == 1
    assert "The courier was on strike" in page.partition("What happened in these days and in those before")[2]
    assert "The reason for: Sales" in text_of(mara.get(address))
    wrong = mara.post(address.partition("?")[0], data={"day": day, "text": "x", "about": "weather"})
    assert wrong.status_code == 422


def test_what_is_rare_is_named_so_where_it_is_a_strength(mara: FlaskClient, cast: Cast) -> None:
    sell(cast, 3, 20)
    cast.session.commit()
    page = main_of(mara.get(f"{ADDRESS}?days=7"))
    assert re.search(r"<h3>(?:<a [^>]*>)?Few orders come back<", page)
    assert not re.search(r"<h3>(?:<a [^>]*>)?Orders come back<", page)
    assert "Strong: Few orders come back" in text_of(mara.get(f"{ADDRESS}?days=7"))
    sell(cast, 3, 20, status=CommissionStatus.REVERSED, reversed_minor=10_00)
    cast.session.commit()
    assert re.search(r"<h3>(?:<a [^>]*>)?Orders come back<", main_of(mara.get(f"{ADDRESS}?days=7")))


def test_of_too_many_notes_the_latest_are_told(mara: FlaskClient, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remarks, "MARKS_MAX", 2)
    sell(cast, 3, 30)
    for days_ago, text in ((12, "The shop moved"), (4, "New basket"), (2, "Bonus for each sale")):
        day = (clock.now() - timedelta(days=days_ago)).date()
        remarks.note(
            cast.session, program_id=cast.program.id, day=day, text=text, actor=SYSTEM, now=clock.now(), about=Topic.SALES
        )  # fmt: skip
    cast.session.commit()
    page = text_of(mara.get(f"{ADDRESS}?days=7"))
    assert "The shop moved" not in page
    assert 0 < page.index("New basket") < page.index("Bonus for each sale")


@pytest.mark.parametrize("days", [7, 90])
def test_the_page_asks_no_more_than_twenty_times_however_much_there_is(
    mara: FlaskClient, cast: Cast, count_queries: Any, days: int
) -> None:
    link = make_link(cast.session, program=cast.program, partner=cast.partner)
    make_clicks(cast.session, link=link, hour=clock.now() - timedelta(days=3), clicks=200)
    for days_ago in (3, 10, 100):
        sell(cast, days_ago, 10)
    today = clock.now().date()
    for metric in (GoalMetric.SALES, GoalMetric.REVENUE, GoalMetric.COST):
        cast.session.add(
            Goal(
                id=ids.new_at(clock.now()), program_id=cast.program.id, metric=metric, target=100, starts_on=today - timedelta(days=9),
                ends_on=today + timedelta(days=9), created_at=clock.now(),
            )
        )  # fmt: skip
    cast.session.commit()
    with count_queries() as asked:
        assert mara.get(f"{ADDRESS}?days={days}").status_code == 200
    assert len(asked) <= 20


def test_nothing_of_another_program_is_told(mara: FlaskClient, cast: Cast) -> None:
    at = clock.now() - timedelta(days=3)
    foreign = make_partner(cast.session, program=cast.other)
    for _ in range(20):
        make_commission(cast.session, program=cast.other, partner=foreign, earned_at=at)
    cast.session.commit()
    assert "Too little to tell yet" in main_of(mara.get(f"{ADDRESS}?days=7"))


def test_as_many_spans_are_asked_as_fit_into_a_report() -> None:
    end = clock.now().date()
    lengths = {
        days: len(strength_readings.spans(Period(end - timedelta(days=days), end, "UTC"))) for days in (7, 30, 90, 200, 300)
    }  # fmt: skip
    assert lengths == {7: 7, 30: 7, 90: 4, 200: 2, 300: 2}


def test_orders_of_shares_are_figures_of_what_they_are_a_part_of() -> None:
    now = Facts("EUR", clicks_valid=200, conversions=4, revenue_minor=400_00, earned_minor=40_00, known_customers=3, new_customers=1)  # fmt: skip
    found = {one.topic: one for one in strength_readings.by_sums([now, Facts("EUR", conversions=9), Facts("EUR")])}
    told = {topic: (one.now.value, one.now.of) for topic, one in found.items()}
    assert told == {
        Topic.REVENUE: (400_00, 9), Topic.SALES: (4, 9), Topic.CONVERSION_RATE: (2_00, 200), Topic.BASKET: (100_00, 4),
        Topic.ROI: (9 * 100_00, 4), Topic.NEW_CUSTOMERS: (33_33, 3), Topic.REVERSALS: (0, 4),
    }  # fmt: skip
    assert {len(one.earlier) for one in found.values()} == {1}
