"""Statistics of any days: three tables that add up to the same, exports, and reasons for what did not count."""

import csv
import io
import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from console_cast import text_of
from factories import give_click, make_click, make_clicks, make_commission, make_link, tell_origin
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.attribution.models import Credit
from affiliate.ingest.models import ClickVerdict
from affiliate.links.models import Coupon, LinkStatus
from affiliate.reports import asked, dimensions
from affiliate.reports.asked import PARTNERS_OWN, Against, By
from affiliate.reports.dimensions import Scope
from affiliate.reports.metrics import change_bps
from affiliate.reports.models import ShopDay
from affiliate.reports.sheet import sheet


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
    give_click(app_session, credit=credit, click_id=click.id)
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


def test_what_the_shop_told_of_itself_is_none_of_a_partners_business(
    marta: FlaskClient, app_session: Session, busy: Cast, hour: datetime
) -> None:
    told = {"orders": 10, "revenue_minor": 1_000_00, "currency": "EUR", "updated_at": hour}
    app_session.add(ShopDay(program_id=busy.program.id, day=hour.date(), **told))
    app_session.commit()
    assert not any("without" in row["day"] for row in _table(marta, "by=day"))
    assert "Without a partner" not in marta.get("/portal/casa/statistics?by=day").text


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


@pytest.mark.parametrize("by", list(PARTNERS_OWN))
def test_every_report_asks_a_fixed_number_of_queries(
    marta: FlaskClient, busy: Cast, app_session: Session, count_queries: Any, by: str
) -> None:
    address = f"/portal/casa/statistics?by={by}&compare=before"
    with count_queries() as few:
        marta.get(address)
    for number in range(8):
        link = make_link(app_session, program=busy.program, partner=busy.partner)
        hour = clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=number)
        make_clicks(app_session, link=link, hour=hour, clicks=3, sub=f"s{number}", creative=f"c{number}")
        make_commission(app_session, program=busy.program, partner=busy.partner, link=link, earned_at=hour)
    app_session.commit()
    with count_queries() as many:
        assert marta.get(address).status_code == 200
    assert len(many) == len(few) <= 15


@pytest.mark.parametrize("by", ["sub", "creative", "country", "device", "referrer", "coupon"])
def test_a_row_leads_to_its_sales(
    marta: FlaskClient, busy: Cast, app_session: Session, hour: datetime, by: str
) -> None:
    click = make_click(app_session, link=busy.link, occurred_at=hour, subs={"sub1": "a & b"}, creative="c7", country="IT", referrer_host="blog.example")  # fmt: skip
    sold = make_commission(app_session, program=busy.program, partner=busy.partner, link=busy.link, earned_at=hour)
    coupon = Coupon(id=ids.new(), program_id=busy.program.id, partner_id=busy.partner.id, code="SLOW", status=LinkStatus.ACTIVE, created_at=hour)  # fmt: skip
    app_session.add(coupon)
    app_session.flush()
    tell_origin(app_session, sold, click_id=click.id, device="phone", coupon_id=coupon.id)
    app_session.commit()
    rows = [row for row in _table(marta, f"by={by}") if row["conversions"] not in {"", "0"}]
    found = marta.get(f"/portal/casa/statistics?by={by}").text
    addresses = [unescape(one) for one in re.findall(r'<th scope="row"><a[^>]*href="(/portal/casa/commissions[^"]*)"', found)]  # fmt: skip
    led = [marta.get(address.replace("commissions?", "commissions.csv?")).text.count("\n") - 1 for address in addresses]
    counted = [int(row["conversions"]) for row in rows if by != "coupon" or row[by]]
    assert sorted(led) == sorted(counted) != []


def test_rows_are_found_by_name_and_the_total_is_theirs(marta: FlaskClient, busy: Cast) -> None:
    page = text_of(marta.get("/portal/casa/statistics?by=link&q=SECOND"))
    assert "Second" in page
    assert "Without a link" not in page
    assert _table(marta, "by=link&q=second")[0]["clicks_raw"] == "10"
    assert "No row has this name" in marta.get("/portal/casa/statistics?by=link&q=nothing").text


def test_columns_are_those_that_were_chosen_in_page_and_file(marta: FlaskClient, busy: Cast) -> None:
    for query in ("columns=earnings,clicks_valid", "columns=earnings&columns=clicks_valid&columns=made_up"):
        page = marta.get(f"/portal/casa/statistics?by=link&{query}").text
        assert page.count('<th scope="col" class="num') == 5  # with two of the chart and one of the reasons
    assert list(_table(marta, "by=link&columns=earnings,clicks_valid")[0]) == [
        "link",
        "clicks_valid",
        "earnings",
        "currency",
    ]


def test_a_row_tells_how_it_changed_against_other_days(
    marta: FlaskClient, app_session: Session, busy: Cast, hour: datetime
) -> None:
    make_clicks(app_session, link=busy.link, hour=hour - timedelta(days=30), clicks=20, sub="reel")
    make_clicks(app_session, link=busy.link, hour=hour - timedelta(weeks=52), clicks=90, sub="reel")
    app_session.commit()
    before = marta.get("/portal/casa/statistics?by=sub&sort=-clicks_valid&compare=before").text
    assert "Change: Valid clicks" in before
    assert "125\u00a0%" in before  # 45 against 20
    rows = {row["sub"]: row for row in _table(marta, "by=sub&columns=clicks_valid&compare=before")}
    assert (rows["reel"]["clicks_valid"], rows["reel"]["clicks_valid_before"]) == ("45", "20")
    assert "50\u00a0%" in marta.get("/portal/casa/statistics?by=sub&sort=-clicks_valid&compare=year").text


@pytest.mark.parametrize("by", [By.LINK, By.CREATIVE, By.SUB, By.COUNTRY, By.DEVICE, By.REFERRER])
def test_changes_of_sales_are_those_between_the_two_reports(
    app_session: Session, busy: Cast, hour: datetime, by: By
) -> None:
    origin = {"sub1": "reel", "country": "IT", "device": "phone", "referrer_host": "blog.example", "creative": "crv_1"}
    for weeks, minor, told in (
        (0, 3_00, origin),
        (52, 9_00, origin),
        (52, 4_00, {}),
        (52, 1_00, origin | {"sub1": "gone"}),
    ):
        sold = make_commission(
            app_session, program=busy.program, partner=busy.partner, link=busy.link if told else None,
            earned_at=hour - timedelta(weeks=weeks), amount_minor=minor,
        )  # fmt: skip
        tell_origin(app_session, sold, **told)
    app_session.commit()
    asked_for = asked.Asked(by=by, against=Against.YEAR)
    scope = Scope(busy.program, busy.partner.id)
    shown = sheet(app_session, scope=scope, asked_for=asked_for, now=clock.now(), zone="UTC")
    lines = shown.page(size=50).lines
    before = {line.key: line.facts.earned_minor for line in dimensions.lines(app_session, scope, by, shown.other)}
    changes = shown.changes(lines)
    assert changes == {line.key: change_bps(line.facts.earned_minor, before.get(line.key, 0)) for line in lines}
    assert any(changes.values())


def test_a_long_report_comes_in_pages_and_whole_as_a_file(
    marta: FlaskClient, app_session: Session, busy: Cast, hour: datetime
) -> None:
    for number in range(60):
        make_clicks(app_session, link=busy.link, hour=hour, clicks=1, sub=f"sub-{number}")
    app_session.commit()
    first, second = (marta.get(f"/portal/casa/statistics?by=sub&page={page}").text for page in (1, 2))
    assert "1 to 50 of 62" in first
    assert "51 to 62 of 62" in second
    assert len(_table(marta, "by=sub")) == 62
    assert marta.get("/portal/casa/statistics.xlsx?by=sub").data[:2] == b"PK"


@pytest.mark.parametrize("span", ["today", "yesterday", "this_month", "last_month", "365d", "nonsense"])
def test_days_that_move_with_the_calendar_stay_in_the_address(marta: FlaskClient, busy: Cast, span: str) -> None:
    answer = marta.get(f"/portal/casa/statistics?span={span}&by=link")
    assert answer.status_code == 200
    assert (f'name="span" value="{span}"' in answer.text) is (span != "nonsense")
