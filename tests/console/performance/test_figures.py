"""What the console's files, the portal and the API tell of one story: the figures of its rows, counted by plain Python."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import figure_cast
import pytest
from accounts_cast import give, make_person, sign_in
from console_cast import text_of
from figure_cast import GONE, ZONE, Rows, Story, month_of, months_between, part_bps
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.accounts import service as accounts
from affiliate.accounts.actors import SYSTEM, Actor
from affiliate.accounts.models import GrantRole
from affiliate.ingest.models import Click, OrderEventType
from affiliate.reports import campaigning, jobs
from affiliate.reports.campaign_facts import WHOLE, Parts
from affiliate.reports.campaigning import Draft
from affiliate.reports.periods import Period

SIX = ("clicks_raw", "clicks_valid", "conversions", "revenue", "earnings")
Reader = Callable[[str], list[dict[str, str]]]
Api = Callable[[str], Any]


@dataclass(frozen=True)
class Told:
    """The story, its rows, and who asks for them: a manager, a partner, the program's own key and the partner's."""

    story: Story
    rows: Rows
    period: Period
    campaigns: dict[str, Parts]
    console: Reader
    portal: Reader
    api: Api
    own: Api
    manager: FlaskClient

    @property
    def days(self) -> str:
        """The days of the period, as pages are asked for them."""
        return f"first={self.period.first}&last={self.period.days[-1]}"

    @property
    def between(self) -> str:
        """The same, as the API is asked for them."""
        return f"from={self.period.first}&to={self.period.days[-1]}"


@pytest.fixture(params=["read", "counted"])
def told(app: Flask, app_session: Session, request: pytest.FixtureRequest) -> Told:
    """A story of these days: read from its rows, and counted by the jobs, then changed and counted in part."""
    now = clock.now()
    people = [make_person(app_session, name) for name in ("Mara", "Marta")]
    story = Story(app_session, now=now, person=people[1])
    give(app_session, people[0], GrantRole.MANAGER, story.program)
    story.begin()
    parts = {"All": WHOLE, "Hers": Parts(partners=frozenset({story.ewa.id}))}
    for name, each in parts.items():
        draft = Draft(name, "", story.at(5).date(), story.at(2).date(), 5_00, each)
        campaigning.begin(app_session, program_id=story.program.id, currency="EUR", draft=draft, actor=SYSTEM, now=now)
    _settle(app_session, people, story)
    if request.param == "counted":
        for count in (jobs.count_late_visitors, jobs.count_late_landings, jobs.count_days, jobs.count_spans):
            count()
    story.go_on()
    _settle(app_session, people, story)
    jobs.count_late_visitors()
    jobs.count_late_landings()
    manager, partner = app.test_client(), app.test_client()
    for browser, person in zip((manager, partner), people, strict=True):
        sign_in(browser, person)
    rows = Rows(app_session, story.program)
    keys = [_key(app_session, story, whose, people[0]) for whose in (None, story.marta.id)]
    _settle(app_session, people, story)
    today = now.astimezone(ZoneInfo(ZONE)).date()
    return Told(
        story, rows, Period(today - timedelta(days=8), today + timedelta(days=1), ZONE), parts,
        lambda path: _csv(manager, f"/console/casa/{path}"), lambda path: _csv(partner, f"/portal/casa/{path}"),
        *(_asks(app, key) for key in keys), manager,
    )  # fmt: skip


def _settle(session: Session, people: list[Any], story: Story) -> None:
    """Read again what tests look at, and end the transaction: SQLite lets nobody else write before."""
    session.flush()
    for row in (*people, story.program, story.marta, story.ewa, story.coupon, *story.links):
        session.refresh(row)
    session.commit()


def _key(session: Session, story: Story, partner_id: Any, person: Any) -> str:
    actor = Actor(kind="user", id=person.id)
    told: dict[str, Any] = {"program_id": story.program.id, "partner_id": partner_id, "name": "Test"}
    return accounts.create_api_key(session, **told, scopes=["reports:read"], actor=actor, now=story.now)[1]


def _asks(app: Flask, secret: str) -> Api:
    def ask(path: str) -> Any:
        answer = app.test_client().get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == 200, answer.text
        return answer.json

    return ask


def _csv(browser: FlaskClient, path: str) -> list[dict[str, str]]:
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def minor(told: Any) -> int:
    """An amount of a file or of the API, in minor units."""
    return int(Decimal(told["amount"] if isinstance(told, dict) else told).scaleb(2))


def five(row: Any) -> tuple[int, ...]:
    """A row's clicks, sales and money."""
    return *(int(row.get(name) or 0) for name in SIX[:3]), *(minor(row[name]) for name in SIX[3:])


def by_label(rows: list[dict[str, str]], name: str) -> dict[str, tuple[int, ...]]:
    """The rows of a table by their first column, without those of nothing; what came without a partner has no earnings."""
    return {row[name]: five(row) for row in rows if row["earnings"] and any(five(row))}


def told_by(name: str) -> tuple[Callable[[figure_cast.Sale], str], Callable[[Click], str]]:
    """What a sale and a click say of a thing."""
    return lambda sale: sale.told(name), lambda click: figure_cast.told(click, name)


def short(found: dict[Any, figure_cast.Six]) -> dict[Any, tuple[int, ...]]:
    """Without what came back, which tables show as a share."""
    return {label: numbers[:5] for label, numbers in found.items() if any(numbers[:5])}


ORIGINS = {"country": "country", "referrer": "referrer_host", "device": "device", "creative": "creative"}


def check_tables(told: Told) -> None:
    """What the table of performance tells by origin, partner, day, product."""
    for by, name in ORIGINS.items():
        rows = told.console(f"performance.csv?by={by}&{told.days}&columns={','.join(SIX)}")
        assert by_label(rows, by) == short(told.rows.by(told.period, *told_by(name))), by
    partners = told.console(f"performance.csv?by=partner&{told.days}&columns={','.join(SIX)}")
    of_rows = told.rows.by(told.period, lambda sale: sale.row.partner_id, lambda click: click.partner_id)
    assert by_label(partners, "partner") == {ids.public("ptn", key): sums for key, sums in short(of_rows).items()}
    days = told.console(f"performance.csv?by=day&{told.days}&columns={','.join(SIX)}")
    assert by_label(days, "day") == _days(told)
    for by, key in (("product", "sku"), ("category", "group")):
        rows = told.console(f"performance.csv?by={by}&{told.days}&columns={','.join(SIX)}")
        expected = told.rows.items(told.period, key)
        assert by_label(rows, by) == {label: (0, 0, *numbers[:3]) for label, numbers in expected.items()}


def _days(told: Told, partner: Any = None) -> dict[str, tuple[int, ...]]:
    found = told.rows.by(
        told.period, lambda sale: told.period.day_of(sale.order.occurred_at), lambda click: told.period.day_of(click.occurred_at),
        partner=partner,
    )  # fmt: skip
    return {day.isoformat(): numbers for day, numbers in short(found).items()}


def check_portal(told: Told) -> None:
    """What the portal and the partner's own key tell of it."""
    marta = told.story.marta
    for by, name in (ORIGINS | {"sub": "sub1"}).items():
        rows = told.portal(f"statistics.csv?by={by}&{told.days}&columns={','.join(SIX)}")
        assert by_label(rows, by) == short(told.rows.by(told.period, *told_by(name), partner=marta)), by
    for by, key in (("product", "sku"), ("category", "group")):
        rows = told.portal(f"statistics.csv?by={by}&{told.days}")
        expected = told.rows.items(told.period, key, marta)
        assert by_label(rows, by) == {label: (0, 0, *numbers[:3]) for label, numbers in expected.items()}
    links = {link.id: f"/r/{link.code}" for link in told.story.links} | {None: ""}
    of_links = told.rows.by(told.period, lambda sale: sale.row.link_id, lambda click: click.link_id, partner=marta)
    rows = told.portal(f"statistics.csv?by=link&{told.days}&columns={','.join(SIX)}")
    assert by_label(rows, "link") == {links[key]: numbers for key, numbers in short(of_links).items()}
    of_key = told.own(f"reports/days?{told.between}")["rows"]
    of_page = told.portal(f"statistics.csv?by=day&{told.days}&columns={','.join(SIX)}")
    assert by_label(of_key, "day") == by_label(of_page, "day") == _days(told, marta)
    funnel = told.own(f"reports/funnel?{told.between}")
    assert _stages(funnel["rows"]) == told.rows.funnel(told.period, of=lambda click: click.partner_id == marta.id)[:6]


def _stages(rows: Any) -> tuple[int, ...]:
    return tuple(int(row["visits"]) for row in rows)


def check_key(told: Told) -> None:
    """What the program's own key tells by day and partner."""
    assert by_label(told.api(f"reports/days?{told.between}")["rows"], "day") == _days(told)
    partners = {row["partner_id"]: row for row in told.api(f"reports/partners?{told.between}")["rows"]}
    of_rows = told.rows.by(told.period, lambda sale: sale.row.partner_id, lambda click: click.partner_id)
    assert {key: five(row) for key, row in partners.items()} == {ids.public("ptn", key): sums for key, sums in short(of_rows).items()}  # fmt: skip
    for partner in (told.story.marta, told.story.ewa):
        row, mine = partners[ids.public("ptn", partner.id)], {partner.id}
        _raw, _valid, _orders, revenue, earned, _back = of_rows[partner.id]
        cost, margin = earned + told.rows.spent(told.period, mine), told.rows.shop_margin(told.period)
        assert margin is not None
        assert (minor(row["cost"]), row["roi_bps"]) == (cost, part_bps(revenue - cost, cost))
        assert minor(row["margin"]) == figure_cast.rounded(Decimal(revenue * margin) / 10_000) - cost


def check_funnel(told: Told) -> None:
    """The funnel: its file and the key, narrowed in each way."""
    expected = told.rows.funnel(told.period)
    rows = told.console(f"performance/funnel.csv?{told.days}")
    answer = told.api(f"reports/funnel?{told.between}")
    assert _stages(rows) == _stages(answer["rows"]) == expected[:6]
    assert answer["waiting"] == expected[6]
    before = [expected[0], *expected[:4], expected[4] - expected[6]]
    for place, (of_file, of_key) in enumerate(zip(rows, answer["rows"], strict=True)):
        share = part_bps(expected[place], before[place]) if place else None
        if place != 4:  # orders stand beside the last stage that is not smaller
            assert of_key["of_stage_before_bps"] == share
            assert of_key["abandoned_bps"] == (None if share is None else 10_000 - share)
        assert str(of_key["abandoned_bps"] or "0") == (of_file["abandoned_bps"] or "0")
    for wanted, of in (
        ({"device": "phone"}, lambda click: figure_cast.told(click, "device") == "phone"),
        ({"source": "blog.example"}, lambda click: click.referrer_host == "blog.example"),
        ({"partner": ids.public("ptn", told.story.ewa.id)}, lambda click: click.partner_id == told.story.ewa.id),
    ):
        [(name, value)] = wanted.items()
        narrowed = told.rows.funnel(told.period, of=of)[:6]
        assert _stages(told.console(f"performance/funnel.csv?{told.days}&{name}={value}")) == narrowed, wanted
        assert _stages(told.api(f"reports/funnel?{told.between}&{name}={value}")["rows"]) == narrowed, wanted


def check_products(told: Told) -> None:
    """Products and categories."""
    rows = {row["name"]: row for row in told.console(f"performance/products/goods.csv?{told.days}")}
    expected = told.rows.goods(told.period, "sku")
    names = ("orders", "pieces", "revenue", "earnings", "came_back", "orders_with_returns")
    for found, read in (
        (rows, str),
        ({row["product"]: row for row in told.api(f"reports/products?by=product&{told.between}")["rows"]}, None),
    ):
        assert {
            label: tuple(minor(row[name]) if name in {"revenue", "earnings", "came_back"} else int(row[name]) for name in names)
            for label, row in found.items()
        } == expected, read  # fmt: skip
    categories = told.api(f"reports/products?by=category&{told.between}")["rows"]
    assert {row["category"]: (row["orders"], minor(row["revenue"])) for row in categories} == {
        label: (numbers[0], numbers[2]) for label, numbers in told.rows.goods(told.period, "group").items()
    }


def check_customers(told: Told) -> None:
    """Customers by their first order, and new against returning ones."""
    first: dict[str, Any] = {}
    known = sorted((sale for sale in told.rows.sold if sale.order.customer_id), key=lambda sale: sale.order.occurred_at)
    for sale in known:
        first.setdefault(sale.order.customer_id or "", month_of(sale.order.occurred_at))
    cells: dict[tuple[str, int], tuple[int, int]] = {}
    for cohort in set(first.values()):
        for month in {month_of(sale.order.occurred_at) for sale in known}:
            mine = [
                s for s in known if (first[s.order.customer_id or ""], month_of(s.order.occurred_at)) == (cohort, month)
            ]
            stays = {sale.order.id for sale in mine if sale.row.status not in GONE}
            _raw, _valid, orders, revenue, *_rest = told.rows.six(mine)
            if orders:
                cells[f"{cohort[0]}-{cohort[1]:02}", months_between(cohort, month)] = (orders, revenue)
                assert len(stays) <= orders
    rows = told.console("performance/customers-by-first-order.csv")
    of_file = {(row["month"], int(row["months_after"])): (int(row["orders"]), minor(row["revenue"])) for row in rows}
    answer = told.api("reports/cohorts?of=customers")["rows"]
    of_key = {
        (row["month"], after): (cell["orders"], minor(cell["revenue"]))
        for row in answer for after, cell in enumerate(row["months"])
    }  # fmt: skip
    assert {key: numbers for key, numbers in of_file.items() if any(numbers)} == cells
    assert {key: numbers for key, numbers in of_key.items() if any(numbers)} == cells
    for row in told.console("performance/customers.csv"):
        is_new = {"new": True, "returning": False, "unknown": None}[row["customers"]]
        mine = [s for s in told.rows.sold if f"{s.order.occurred_at.astimezone(ZoneInfo(ZONE)):%Y-%m}" == row["month"] and s.is_new is is_new]  # fmt: skip
        assert five(row) == (0, 0, *told.rows.six(mine)[2:5]), row


def check_margins(told: Told) -> None:
    """What a month left, by partner."""
    first = told.story.at(5).astimezone(ZoneInfo(ZONE)).date().replace(day=1)
    month = Period(first, (first + timedelta(days=31)).replace(day=1), ZONE)
    expected = {ids.public("ptn", key): numbers for key, numbers in told.rows.margin(month).items()}
    names = ("orders", "list_price", "discounts", "returns", "tax_and_shipping", "goods", "commission", "other_costs")
    for found in (
        {row["partner"]: row for row in told.console(f"performance/margin.csv?month={first:%Y-%m}")},
        {row["partner_id"]: row for row in told.api(f"reports/margin?month={first:%Y-%m}")["rows"]},
    ):
        assert {key: (int(row["orders"]), *(minor(row[name]) for name in names[1:])) for key, row in found.items()} == expected  # fmt: skip
        for key, row in found.items():
            _orders, listed, discount, returned, tax, goods, earned, spent = expected[key]
            net = listed - discount - returned - tax
            left = net - goods - earned - spent
            assert (minor(row["net"]), minor(row["left"])) == (net, left)
            assert (int(row["left_bps"]), int(row["roi_bps"])) == (part_bps(left, net), part_bps(left, earned + spent))


def check_campaigns(told: Told) -> None:
    """Campaigns in their list, on their pages and by key."""
    first = told.story.at(5).date()
    listed = {row["campaign"]: row for row in told.console("campaigns.csv")}
    for one in told.api("campaigns"):
        parts, answer = told.campaigns[one["name"]], told.api(f"campaigns/{one['id']}")
        spans = {row["span"]: row for row in told.console(f"campaigns/{one['id']}.csv")}
        for name, begin in (("before", first - timedelta(days=7)), ("during", first)):
            period = Period(begin, begin + timedelta(days=3), ZONE)
            expected = _brought(told, period, parts, 5_00 if name == "during" else 0)
            assert _figures(spans[name]) == _figures(answer["spans"][name]["figures"]) == expected, (one["name"], name)
            if name == "during":
                assert _figures(listed[one["name"]]) == _figures(one["figures"]) == expected


def _brought(told: Told, period: Period, parts: Parts, cost: int) -> tuple[Any, ...]:
    """Clicks, sales, money, cost, and what the shop keeps."""
    sales = [one for one in told.rows.sales(period) if parts.is_whole or one.row.partner_id in parts.partners]
    clicks = [one for one in told.rows.arrivals(period) if parts.is_whole or one.partner_id in parts.partners]
    *numbers, _back = told.rows.six(sales, clicks)
    spent = numbers[4] + cost + told.rows.spent(period, parts.partners or None)
    margin = told.rows.shop_margin(period)
    kept = None if margin is None else figure_cast.rounded(Decimal(numbers[3] * margin) / 10_000) - spent
    return (*numbers, spent, kept)


def _figures(row: Any) -> tuple[Any, ...]:
    return (*five(row), minor(row["cost"]), minor(row["margin"]) if row["margin"] else None)


def check_views(told: Told) -> None:
    """The pages for logistics and finance."""
    page, rows = text_of(told.manager.get("/console/casa/views/logistics")), told.rows
    since = Period(told.period.end - timedelta(days=30), told.period.end, ZONE).starts_at
    orders = [one for one in rows.orders.values() if one.occurred_at >= since and not one.is_test]
    assert _tile(page, "Orders") == str(len(orders))
    assert _tile(page, "Returns") == str(len(rows.refunds))
    assert _tile(page, "Cancelled") == str(sum(one.type is OrderEventType.CANCELLED for one in rows.events))
    assert _tile(page, "Being verified") == "1"
    page = text_of(told.manager.get("/console/casa/views/finance"))
    left = {status: sum(one.earned for one in rows.live if one.row.status == status) for status in ("pending", "under_review", "approved")}  # fmt: skip
    assert _tile(page, "Pending commissions") == _euro(left["pending"] + left["under_review"])
    assert _tile(page, "Payable") == _euro(left["approved"])
    spent = {"Flat fee": 12_00, "Samples": 7_00}
    for name, amount in spent.items():
        assert re.search(rf"{name}</[^€]*{re.escape(_euro(amount))}", page), name


def _euro(amount: int) -> str:
    return f"€{Decimal(amount).scaleb(-2):,.2f}"


def _tile(page: str, label: str) -> str:
    found = re.search(rf"<dt[^>]*>{label}</dt>\s*<dd[^>]*>(.*?)</dd>", page, re.DOTALL)
    assert found, label
    return re.sub(r"<[^>]+>", " ", found[1]).split()[0]


def test_console_portal_and_api_tell_what_the_rows_say(told: Told) -> None:
    """One test, for its story takes longer than to read it."""
    checks = (check_tables, check_portal, check_key, check_funnel, check_products, check_customers, check_margins, check_campaigns, check_views)  # fmt: skip
    for check in checks:
        check(told)
