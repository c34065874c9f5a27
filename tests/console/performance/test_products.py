"""Products: what was bought, what came back, and where visits began, against figures counted by hand."""

import csv
import html
import io
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from console_cast import Cast, text_of
from factories import make_click, make_clicks, make_commission, make_refund, tell_origin
from flask.testing import FlaskClient

from affiliate import clock
from affiliate.commissions.models import CommissionStatus
from affiliate.console import leafing
from affiliate.ingest.day_models import DayPart
from affiliate.ingest.models import ClickVerdict, Conversion, Refund
from affiliate.links.models import Link
from affiliate.reports import day_counting, jobs, mailing, stretches, timetable
from affiliate.reports.day_counting import Due
from affiliate.reports.models import SavedReport
from affiliate.steering import choosing

PAN = {"sku": "pan", "name": "Iron pan", "group": "iron", "quantity": 2, "amount_minor": 60_00}
POT = {"sku": "pot", "group": "iron", "quantity": 1, "amount_minor": 40_00}
BOWL = {"sku": "bowl", "name": "Bowl", "quantity": 1, "amount_minor": 100_00}


def _sell(cast: Cast, *items: Any, days: int = 2, **fields: Any) -> Conversion:
    """A sale of 100.00 with a commission of 10.00."""
    at = clock.now() - timedelta(days=days)
    sold = make_commission(cast.session, program=cast.program, partner=cast.partner, earned_at=at, **fields)
    order = cast.session.get_one(Conversion, sold.conversion_id)
    order.items = list(items)
    return order


@pytest.fixture
def busy(cast: Cast) -> Cast:
    """Five orders: one of two things, one given back by item, one by half without items, one of nothing named, one a test."""
    _sell(cast, PAN, POT)
    by_item = _sell(cast, PAN, POT)
    make_refund(
        cast.session,
        conversion=by_item,
        amount_minor=40_00,
        items=[{"sku": "pot", "quantity": 1, "amount_minor": 40_00}],
    )
    half = _sell(cast, BOWL, reversed_minor=5_00)
    make_refund(cast.session, conversion=half, amount_minor=50_00)
    _sell(cast)
    _sell(cast, PAN, status=CommissionStatus.TEST)
    _sell(cast, BOWL, days=40)
    cast.session.commit()
    return cast


def _rows(browser: FlaskClient, query: str, table: str = "goods") -> dict[str, dict[str, str]]:
    answer = browser.get(f"/console/casa/performance/products/{table}.csv?{query}")
    assert answer.status_code == 200
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    return {row["name" if table == "goods" else "page"]: row for row in rows}


def _figures(rows: dict[str, dict[str, str]], *names: str) -> dict[str, list[str]]:
    return {label: [row[name] for name in names] for label, row in rows.items()}


def test_each_product_has_what_it_brought_and_what_came_back(mara: FlaskClient, busy: Cast) -> None:
    rows = _rows(mara, "")
    wanted = ("orders", "pieces", "revenue", "revenue_compared", "earnings", "came_back", "came_back_bps")
    assert _figures(rows, *wanted) == {
        "pan": ["2", "4", "120.00", "0.00", "12.00", "0.00", "0"],
        "": ["1", "0", "100.00", "0.00", "10.00", "0.00", "0"],
        "bowl": ["1", "1", "100.00", "100.00", "5.00", "50.00", "5000"],
        "pot": ["2", "2", "80.00", "0.00", "8.00", "40.00", "5000"],
    }
    assert list(rows) == ["pan", "", "bowl", "pot"]
    assert list(_rows(mara, "sort=back")) == ["bowl", "pot", "", "pan"]


def test_days_that_are_counted_say_the_same_as_their_orders(mara: FlaskClient, busy: Cast, count_queries: Any) -> None:
    """Of orders with several lines, some given back; the whole in as many questions as before."""
    session = busy.session
    link = session.query(Link).filter_by(code="ragu").one()
    click = make_click(session, link=link, landing_url="https://shop.example/pan?x=1")
    sold = make_commission(
        session, program=busy.program, partner=busy.partner, earned_at=clock.now() - timedelta(days=3)
    )
    tell_origin(session, sold, click_id=click.id)
    session.commit()
    asked = (("", "goods"), ("by=category", "goods"), ("", "pages"))
    orders = [_rows(mara, query, table) for query, table in asked]
    assert _figures(orders[2], "orders", "revenue") == {"shop.example/pan": ["1", "100.00"]}
    for number in range(1, 60):
        day = clock.now().date() - timedelta(days=number)
        due = Due(busy.program.id, DayPart.SALES, day, stretches.begin(day + timedelta(days=1)))
        counted = day_counting.count(session, due=due)
        assert counted is not None
        assert day_counting.save(session, counted=counted, now=clock.now())
    session.execute(sa.update(Conversion).values(items=[]))
    session.execute(sa.delete(Refund))
    session.commit()
    assert [_rows(mara, query, table) for query, table in asked] == orders
    with count_queries() as counter:
        assert "Iron pan" in mara.get("/console/casa/performance/products").text
    assert len(counter) <= 20


def test_products_of_one_category_are_one_order(mara: FlaskClient, busy: Cast) -> None:
    rows = _rows(mara, "by=category")
    assert _figures(rows, "orders", "pieces", "revenue", "came_back", "orders_with_returns") == {
        "": ["2", "1", "200.00", "50.00", "1"],
        "iron": ["2", "6", "200.00", "40.00", "1"],
    }


def test_pages_have_the_visits_and_the_orders_of_their_clicks(mara: FlaskClient, busy: Cast) -> None:
    session, hour = busy.session, clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=5)
    link = session.query(Link).filter_by(code="ragu").one()
    urls = ["https://shop.example/pan?x=1", "https://shop.example/pan", "https://shop.example/pot"]
    clicks = [
        make_click(session, link=link, occurred_at=hour + timedelta(minutes=at), landing_url=url)
        for at, url in enumerate(urls)
    ]
    make_click(session, link=link, occurred_at=hour, landing_url=urls[0], verdict=ClickVerdict.BOT)
    make_clicks(session, link=link, hour=hour, clicks=3)
    make_clicks(session, link=link, hour=hour, clicks=1, verdict=ClickVerdict.BOT)
    sold = make_commission(session, program=busy.program, partner=busy.partner, earned_at=_now())
    tell_origin(session, sold, click_id=clicks[0].id)
    session.commit()
    jobs.count_landings()
    assert _figures(_rows(mara, "", "pages"), "visits", "orders", "revenue") == {
        "shop.example/pan": ["2", "1", "100.00"],
        "shop.example/pot": ["1", "0", "0.00"],
    }


def test_it_is_kept_and_mailed_as_every_report(mara: FlaskClient, busy: Cast) -> None:
    assert 'name="page" value="product_pages"' in mara.get("/console/casa/performance/products?by=category").text
    mara.post("/console/casa/performance/kept", data={"name": "Returns", "page": "product_pages", "sort": "back"})
    kept = busy.session.query(SavedReport).filter_by(name="Returns").one()
    kept.every, kept.hour, kept.time_zone = timetable.Every.WEEK, 8, "UTC"
    kept.next_at = clock.now() + timedelta(days=5)
    busy.session.commit()
    outgoing = mailing.written(busy.session, report_id=kept.id, chooser=choosing.narrowed, now=kept.next_at)
    assert outgoing is not None
    assert outgoing.mail is not None
    assert "Iron pan  |  2  |  €120.00  |  €0.00" in outgoing.mail.body_text


def _now() -> datetime:
    return clock.now() - timedelta(minutes=1)


def test_the_page_shows_all_of_it_in_few_questions(mara: FlaskClient, busy: Cast, count_queries: Any) -> None:
    mara.get("/console/casa/performance/products")
    with count_queries() as counter:
        answer = mara.get("/console/casa/performance/products?sort=orders")
    assert len(counter) <= 20
    text = text_of(answer)
    for words in ("Iron pan", "Orders that name no product", "50\u00a0%", "No visits in these days"):
        assert words in text
    assert mara.get("/console/casa/performance/products/goods.xlsx").data[:2] == b"PK"
    assert mara.get("/console/casa/performance/products/goods.pdf").status_code == 404
    busy.session.execute(sa.update(Conversion).values(items=[]))
    busy.session.commit()
    assert "Iron pan" not in mara.get("/console/casa/performance/products").text


def test_products_beyond_a_page_are_a_step_away_and_found_by_a_part_of_their_name(
    mara: FlaskClient, busy: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leafing, "PAGE_SIZE", 1)
    here = "/console/casa/performance/products?sort=back"
    pages = [mara.get(here).text]
    while found := re.search(r'rel="next" href="([^"]*[?&;]after=[^"]*)"', pages[-1]):
        assert found[1].endswith("#goods-h")
        pages.append(mara.get(html.unescape(found[1])).text)
    names = [re.search(r'<tbody><tr><th scope="row">([^<]*)', page.split('aria-label="Products"')[1]) for page in pages]
    assert [name and name[1] for name in names] == ["Bowl", "pot", "Orders that name no product", "Iron pan"]
    assert "2 to 2 of 4" in text_of(mara.get(f"{here}&after=bowl"))
    assert "sort=back" in pages[1]
    narrowed = text_of(mara.get(f"{here}&q=IRON"))
    assert ("Iron pan" in narrowed, "Bowl" in narrowed) == (True, False)
    assert list(_rows(mara, "q=IRON")) == ["pan"]
    assert "Nothing matches" in mara.get(f"{here}&q=spoon").text


def test_pages_of_the_shop_are_leafed_apart_from_products(
    mara: FlaskClient, busy: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = busy.session.query(Link).filter_by(code="ragu").one()
    hour = clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=5)
    for name in ("pan", "pot"):
        make_click(busy.session, link=link, occurred_at=hour, landing_url=f"https://shop.example/{name}")
    make_clicks(busy.session, link=link, hour=hour, clicks=2)
    busy.session.commit()
    jobs.count_landings()
    monkeypatch.setattr(leafing, "PAGE_SIZE", 1)
    first = mara.get("/console/casa/performance/products").text
    assert ("shop.example/pan" in first.split('id="pages-h"')[1], "shop.example/pot</span>" in first) == (True, False)
    following = mara.get("/console/casa/performance/products?pages_after=shop.example/pan").text
    assert ("shop.example/pot</span>" in following, "Iron pan" in following) == (True, True)
    assert list(_rows(mara, "path=pot", "pages")) == ["shop.example/pot"]
