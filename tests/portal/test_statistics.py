"""Statistics of any days: three tables that add up to the same, exports, and reasons for what did not count."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from console_cast import text_of
from factories import make_click, make_clicks, make_commission, make_link
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate import clock
from affiliate.attribution.models import Credit
from affiliate.ingest.models import ClickVerdict


@pytest.fixture
def hour() -> datetime:
    return clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=3)


@pytest.fixture
def busy(app_session: Session, cast: Cast, hour: datetime) -> Cast:
    """Two links with clicks of a reel and of nothing, one sale through the reel, and one by coupon; somebody else's beside."""
    second = make_link(app_session, program=cast.program, partner=cast.partner, name="Second")
    theirs = make_link(app_session, program=cast.program, partner=cast.other)
    make_clicks(app_session, link=cast.link, hour=hour, clicks=40, sub="reel")
    make_clicks(app_session, link=cast.link, hour=hour, clicks=7, verdict=ClickVerdict.BOT)
    make_clicks(app_session, link=second, hour=hour, clicks=5, sub="reel")
    make_clicks(app_session, link=second, hour=hour, clicks=5)
    make_clicks(app_session, link=theirs, hour=hour, clicks=1_000)
    click = make_click(app_session, link=cast.link, occurred_at=hour, subs={"sub1": "reel"})
    sold = make_commission(
        app_session, program=cast.program, partner=cast.partner, link=cast.link, earned_at=hour, amount_minor=8_00
    )
    credit = app_session.get_one(Credit, sold.credit_id)
    credit.click_id = click.id
    make_commission(app_session, program=cast.program, partner=cast.partner, earned_at=hour, amount_minor=2_00)
    app_session.commit()
    return cast


def _table(browser: FlaskClient, query: str) -> list[dict[str, str]]:
    answer = browser.get(f"/portal/casa/statistics.csv?{query}")
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


@pytest.mark.parametrize("by", ["day", "link", "sub"])
def test_every_table_adds_up_to_the_same(marta: FlaskClient, busy: Cast, by: str) -> None:
    rows = _table(marta, f"by={by}")
    sums = {name: sum(float(row[name] or 0) for row in rows) for name in ("clicks_raw", "clicks_valid", "conversions")}
    assert sums == {"clicks_raw": 57, "clicks_valid": 50, "conversions": 2}
    assert sum(float(row["earnings"]) for row in rows) == 10.0


def test_clicks_and_sales_of_a_sub_id_meet_in_one_row(marta: FlaskClient, busy: Cast) -> None:
    reel, none = _table(marta, "by=sub")
    assert (reel["sub"], reel["clicks_valid"], reel["conversions"], reel["earnings"]) == ("reel", "45", "1", "8.00")
    assert (none["sub"], none["clicks_valid"], none["conversions"], none["earnings"]) == ("", "5", "1", "2.00")


def test_a_sale_without_a_link_has_a_row_of_its_own(marta: FlaskClient, busy: Cast) -> None:
    page = text_of(marta.get("/portal/casa/statistics?by=link"))
    assert "Without a link: by coupon, for example" in page
    assert "Second" in page


def test_reasons_are_told_in_words(marta: FlaskClient, busy: Cast) -> None:
    assert '<td>A program, not a person</td><td class="num">7</td>' in marta.get("/portal/casa/statistics").text


def test_columns_sort_both_ways_and_unknown_values_stand_last(marta: FlaskClient, busy: Cast) -> None:
    names = [row["link"] for row in _table(marta, "by=link&sort=-clicks_valid")]
    assert names[0] == "/r/ragu"
    assert [row["link"] for row in _table(marta, "by=link&sort=clicks_valid")][-1] == "/r/ragu"
    for sort in ("epc", "-epc"):
        assert [row["link"] for row in _table(marta, f"by=link&sort={sort}")][-1] == ""


def test_other_days_are_other_numbers(marta: FlaskClient, busy: Cast) -> None:
    assert _table(marta, "by=link&first=2020-01-01&last=2020-01-31") == []
    assert (
        "Nothing happened in these days"
        in marta.get("/portal/casa/statistics?by=link&first=2020-01-01&last=2020-01-31").text
    )


@pytest.mark.parametrize(
    "days", ["first=soon&last=2026-01-01", "first=2026-01-02&last=2026-01-01", "first=2020-01-01&last=2026-01-01",
             "first=0001-01-01&last=0001-01-05", "first=9999-12-30&last=9999-12-31", "first=2026-01-01"]
)  # fmt: skip
def test_days_that_make_no_period_are_named_and_the_usual_ones_shown(marta: FlaskClient, busy: Cast, days: str) -> None:
    answer = marta.get(f"/portal/casa/statistics?{days}")
    assert answer.status_code == 200
    assert "Choose a first and a last day" in answer.text


def test_a_year_is_shown_against_the_year_before(marta: FlaskClient, busy: Cast, hour: datetime) -> None:
    days = f"first={hour.date() - timedelta(days=360)}&last={hour.date()}"
    answer = marta.get(f"/portal/casa/statistics?{days}")
    assert "Choose a first and a last day" not in answer.text
    assert len(_table(marta, days)) == 361


def test_it_asks_a_fixed_number_of_queries(
    marta: FlaskClient, busy: Cast, app_session: Session, count_queries: Any
) -> None:
    with count_queries() as few:
        marta.get("/portal/casa/statistics?by=link")
    for number in range(20):
        make_clicks(app_session, link=make_link(app_session, program=busy.program, partner=busy.partner),
                    hour=clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=number), clicks=3)  # fmt: skip
    app_session.commit()
    with count_queries() as many:
        marta.get("/portal/casa/statistics?by=link")
    assert len(many) == len(few) <= 15
