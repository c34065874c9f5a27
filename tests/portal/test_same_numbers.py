"""One number is one number: home, every report, the API and the console tell the same to the unit."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import event_cast
import pytest
import sqlalchemy as sa
from accounts_cast import give, make_person, read, sign_in
from console_cast import text_of
from factories import give_click, make_commission, make_link, make_user, tell_origin
from flask import Flask
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.accounts import service as accounts
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import GrantRole, User
from affiliate.attribution.models import Credit
from affiliate.commissions.models import CommissionStatus
from affiliate.ingest import service as ingest
from affiliate.ingest.models import Conversion
from affiliate.links.models import Coupon, Link, LinkStatus
from affiliate.mailer import OutboxMail
from affiliate.reports import jobs, keeping, periods
from affiliate.reports.asked import PARTNERS_OWN, Asked, By, by_sales_alone
from affiliate.reports.keeping import Mailing, Owner
from affiliate.reports.timetable import Every
from affiliate.steering import jobs as steering

CLICKS = ("clicks_raw", "clicks_valid")
SOLD = ("revenue", "earnings")
PLACES = [("IT", "https://blog.example/a"), ("PL", None), ("", "https://other.example/")]
AGENTS = [event_cast.BROWSER, "Mozilla/5.0 (iPhone) Mobile/15E148", "Googlebot/2.1"]


def _event(link: Link, number: int, at: datetime) -> Any:
    country, referrer = PLACES[number % 3]
    return event_cast.click(
        number, program_id=link.program_id, partner_id=link.partner_id, link_id=link.id, click_id=ids.new_at(at),
        occurred_at=at, country=country, referrer=referrer, user_agent=AGENTS[number % 7 % 3],
        subs={"sub1": "reel"} if number % 2 else {}, creative="crv_made_up" if number % 5 == 0 else None,
    )  # fmt: skip


@pytest.fixture
def busy(app_session: Session, cast: Cast) -> Cast:
    """Real clicks of Marta and of Ewa, sales through clicks, by coupon and by nothing, some taken back, and what counts nowhere."""
    now = clock.now()
    theirs = make_link(app_session, program=cast.program, partner=cast.other)
    second = make_link(app_session, program=cast.program, partner=cast.partner)
    events = [
        _event([cast.link, second, theirs][number % 3], number, now - timedelta(hours=7 * number, minutes=5))
        for number in range(40)
    ]
    ingest.store_batch(app_session, events=events, now=now)
    coupon = Coupon(
        id=ids.new(), program_id=cast.program.id, partner_id=cast.partner.id, code="RAGU", status=LinkStatus.ACTIVE, created_at=now
    )  # fmt: skip
    app_session.add(coupon)
    app_session.flush()
    mine = [event for event in events if event.partner_id == cast.partner.id]
    for number, event in enumerate(mine[:9]):
        sold = make_commission(
            app_session, program=cast.program, partner=cast.partner, earned_at=event.occurred_at + timedelta(minutes=1),
            link=cast.link if number % 2 else None, amount_minor=777 + number, revenue_minor=99_99 + number,
            reversed_minor=11 if number == 3 else 0,
            status=CommissionStatus.TEST if number == 8 else CommissionStatus.PENDING,
        )  # fmt: skip
        credit = app_session.get_one(Credit, sold.credit_id)
        give_click(app_session, credit=credit, click_id=event.click_id if number % 3 else None)
        tell_origin(app_session, sold, coupon_id=coupon.id if number % 4 == 0 else None)
        order = app_session.get_one(Conversion, sold.conversion_id)
        order.items = [
            {"sku": f"pan-{each}", "group": f"iron-{each}", "quantity": 1, "amount_minor": 33_33}
            for each in range(number % 3)
        ]
    make_commission(app_session, program=cast.program, partner=cast.other, earned_at=now - timedelta(days=1))
    app_session.commit()
    jobs.count_visitors()
    jobs.count_late_visitors()
    jobs.count_late_landings()
    return cast


def _rows(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def _sum(rows: list[dict[str, str]], *names: str) -> dict[str, float]:
    return {name: round(sum(float(row[name]) for row in rows), 2) for name in names}


@pytest.fixture
def by_days(marta: FlaskClient, busy: Cast) -> dict[str, float]:
    found = _sum(_rows(marta.get("/portal/casa/statistics.csv")), *CLICKS, *SOLD, "conversions")
    assert found["clicks_raw"] > found["clicks_valid"] > 0
    assert found["conversions"] == 8
    return found


def test_every_report_adds_up_to_the_days(marta: FlaskClient, by_days: dict[str, float]) -> None:
    clicked = [by for by in PARTNERS_OWN if not by_sales_alone(by)]
    tables = {by: _rows(marta.get(f"/portal/casa/statistics.csv?by={by}")) for by in clicked}
    sums = {by: _sum(rows, *CLICKS, *SOLD, "conversions") for by, rows in tables.items()}
    assert sums == dict.fromkeys(clicked, by_days)
    assert min(len(rows) for rows in tables.values()) > 1


def test_coupons_and_products_share_out_the_same_money(marta: FlaskClient, by_days: dict[str, float]) -> None:
    sold = [by for by in PARTNERS_OWN if by_sales_alone(by)]
    tables = {by: _rows(marta.get(f"/portal/casa/statistics.csv?by={by}")) for by in sold}
    sums = {by: _sum(rows, *SOLD) for by, rows in tables.items()}
    assert sums == {by: {name: by_days[name] for name in SOLD} for by in sold}
    assert min(len(rows) for rows in tables.values()) > 1


@pytest.mark.parametrize("things", [("day", "link", "sub", "coupon"), ("creative", "country", "device", "referrer")])
def test_a_combined_report_holds_the_report_of_each_of_its_things(
    marta: FlaskClient, by_days: dict[str, float], things: tuple[str, ...]
) -> None:
    period = periods.last_days(30, now=clock.now(), zone="Europe/Rome")
    days = {"first": period.days[0].isoformat(), "last": period.days[-1].isoformat()}
    asked = marta.post("/portal/casa/statistics/combined", data=days | {"thing": list(things)})
    while jobs.combine():
        pass
    rows = _rows(marta.get(f"{asked.location}.csv"))
    assert _sum(rows, *CLICKS, *SOLD, "conversions") == by_days
    for thing in things:
        alone = _rows(marta.get("/portal/casa/statistics.csv", query_string=days | {"by": thing}))
        counted = SOLD if thing == "coupon" else (*CLICKS, *SOLD)  # coupons have no clicks
        expected = {row[thing]: {name: float(row[name]) for name in counted} for row in alone}
        found = {
            label: {name: round(sum(float(row[name]) for row in rows if row[thing] == label), 2) for name in counted}
            for label in {row[thing] for row in rows}
        }
        assert {label: sums for label, sums in found.items() if any(sums.values())} == {
            label: sums for label, sums in expected.items() if any(sums.values())
        }, thing


def test_a_links_sub_ids_add_up_to_the_link(marta: FlaskClient, busy: Cast, by_days: dict[str, float]) -> None:
    assert by_days
    path = f"/portal/casa/links/{ids.public('lnk', busy.link.id)}"
    rows = _rows(marta.get(f"{path}/subs.csv"))
    assert {row["sub"] for row in rows} == {"", "reel"}
    (of_link,) = [row for row in _rows(marta.get("/portal/casa/statistics.csv?by=link")) if row["link"] == "/r/ragu"]
    names = (*CLICKS, *SOLD, "conversions")
    assert _sum(rows, *names) == {name: float(of_link[name]) for name in names}
    page = marta.get(path).text
    assert len(re.findall(r'<th scope="row">(?:<a [^>]*>)?reel<', page)) == 1


def test_home_the_report_the_api_and_the_console_tell_the_same(
    app: Flask, marta: FlaskClient, app_session: Session, busy: Cast, by_days: dict[str, float]
) -> None:
    manager = make_person(app_session, "Mara")
    give(app_session, manager, GrantRole.MANAGER, busy.program)
    browser = app.test_client()
    sign_in(browser, manager)
    partner = ids.public("ptn", busy.partner.id)
    address = f"/console/casa/performance.csv?by=partner&columns={','.join(by_days)}"
    (of_console,) = [row for row in _rows(browser.get(address)) if row["partner"] == partner]
    assert {name: float(of_console[name]) for name in by_days} == by_days

    (of_api,) = [row for row in _from_api(app, app_session, busy) if row["partner_id"] == partner]
    told = {name: float(of_api[name]["amount"] if name in SOLD else of_api[name]) for name in by_days}
    assert told == by_days

    home = marta.get("/portal/casa/").text
    assert f">{int(by_days['clicks_raw'])}</a>" in home
    assert f">{int(by_days['clicks_valid'])}</a>" in home
    report = marta.get("/portal/casa/statistics").text
    for shown in (home, report):
        assert of_api["conversion_rate_bps"] / 100 == pytest.approx(_rate_on(shown))


ZONES = ["Europe/Rome", "America/New_York"]


@pytest.mark.parametrize("zone", ZONES)
def test_wherever_a_person_is_home_the_report_and_the_own_key_tell_the_same_days(
    app: Flask, marta: FlaskClient, app_session: Session, busy: Cast, zone: str
) -> None:
    app_session.execute(sa.update(User).where(User.id == busy.person.id).values(time_zone=zone))
    app_session.commit()
    answer = _own_key(app, app_session, busy)(f"/reports/days?time_zone={zone}")
    by_key = {row["day"]: row for row in answer.json["rows"]}
    of_page = {row["day"]: row for row in _rows(marta.get("/portal/casa/statistics.csv?by=day"))}
    assert by_key.keys() == of_page.keys()
    for day, row in of_page.items():
        told = {
            name: by_key[day][name]["amount"] if name in SOLD else by_key[day][name]
            for name in (*CLICKS, *SOLD, "conversions")
        }
        assert {name: float(text) for name, text in told.items()} == {name: float(row[name]) for name in told}, day
    today = clock.now().astimezone(ZoneInfo(zone)).date()
    assert answer.json["to"] == today.isoformat()
    assert answer.json["total"]["conversions"] == 8

    home, total = text_of(marta.get("/portal/casa/")), answer.json["total"]
    assert _tile(home, "Sales") == str(total["conversions"])
    assert _tile(home, "Per click (EPC)") == f"€{total['epc']['amount']}"
    assert _tile(home, "Basket (AOV)") == f"€{total['aov']['amount']}"
    key = _own_key(app, app_session, busy)
    for name, first in (("today", today), ("month", today.replace(day=1))):
        earned = key(f"/reports/days?time_zone={zone}&from={first}&to={today}").json["total"]["earnings"]["amount"]
        assert _earned(home)[name] == f"€{earned}"


def _own_key(app: Flask, session: Session, cast: Cast) -> Callable[[str], Any]:
    """Asks the API with a key of the partner itself."""
    actor = Actor(kind="user", id=cast.person.id)
    _key, secret = accounts.create_api_key(
        session, program_id=cast.program.id, partner_id=cast.partner.id, name="Own", scopes=["reports:read"], actor=actor,
        now=clock.now(),
    )  # fmt: skip
    session.commit()
    return lambda path: app.test_client().get(f"/api/v1{path}", headers={"Authorization": f"Bearer {secret}"})


def _tile(page: str, label: str) -> str:
    """The number of a tile."""
    tile = page.partition(f"<dt>{label}</dt>")[2].partition('<div class="val n">')[2].partition("</div>")[0]
    return re.sub(r"<[^>]+>", "", tile).strip()


def _earned(home: str) -> dict[str, str]:
    """What the sentence on top says."""
    sentence = re.sub(r"<[^>]+>", "", home)
    found = re.search(r"You have earned (?P<today>\S+) today and (?P<month>\S+) this month", sentence)
    assert found is not None
    return found.groupdict()


def test_a_mailed_report_tells_what_the_page_that_it_leads_to_tells(
    marta: FlaskClient, app_session: Session, busy: Cast
) -> None:
    now, owner = clock.now(), Owner(busy.person.id, busy.program.id, busy.partner.id)
    before = now - timedelta(days=3)
    kept = keeping.keep(app_session, owner=owner, name="Daily", asked=Asked(by=By.LINK), zone="Europe/Rome", now=before)
    app_session.flush()
    daily = Mailing(Every.DAY, 0, "Europe/Rome")
    keeping.mail(app_session, owner=owner, report_id=kept.id, mailing=daily, now=before)
    app_session.commit()
    assert steering.send_reports() == 1
    text = read(app_session, sa.select(OutboxMail.body_text))[0]
    _head, *rows, total = (line.split("  |  ") for line in text.splitlines() if "  |  " in line)
    address = re.search(r"http://localhost(/portal/casa/statistics)(\?\S+)", text)
    assert address is not None
    of_file = _rows(marta.get(f"{address[1]}.csv{address[2]}"))
    sums = _sum(of_file, "clicks_valid", "conversions", "earnings")
    assert sums["earnings"] > 0
    assert len(rows) == len(of_file)
    told = [f"{sums['clicks_valid']:.0f}", f"{sums['conversions']:.0f}", f"€{sums['earnings']:.2f}"]
    assert total == ["=", *told]
    page = marta.get(address[1] + address[2]).text
    assert [each for each in told if each not in page] == []


def _from_api(app: Flask, session: Session, cast: Cast) -> Iterator[dict[str, Any]]:
    actor = Actor(kind="user", id=make_user(session).id)
    _key, secret = accounts.create_api_key(
        session, program_id=cast.program.id, name="Test", scopes=["reports:read"], actor=actor, now=clock.now()
    )
    session.commit()
    answer = app.test_client().get("/api/v1/reports/partners", headers={"Authorization": f"Bearer {secret}"})
    rows: list[dict[str, Any]] = answer.json["rows"]
    return iter(rows)


def _rate_on(page: str) -> float:
    """The conversion rate of a page's tiles."""
    tile = page.partition("<dt>Rate</dt>")[2]
    return float(tile.partition("\u00a0%")[0].rpartition(">")[2])
