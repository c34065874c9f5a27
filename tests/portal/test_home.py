"""The home page: numbers equal to their rows, a fixed number of queries, and who is let in."""

import gzip
import html
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from accounts_cast import make_person, sign_in
from factories import make_clicks, make_commission, make_link, make_partner, make_payout, make_program, make_user
from flask import Flask
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session
from tax_cast import make_buyer, make_profile, make_rule

from affiliate import clock, ids
from affiliate.commissions.models import AdjustmentSource, CommissionAdjustment, CommissionStatus
from affiliate.ingest.models import ClickVerdict
from affiliate.partners.models import Enrollment, EnrollmentStatus
from affiliate.payouts.models import PayoutPolicy, PayoutStatus
from affiliate.payouts.schedule import Cadence
from affiliate.portal.dashboard import greeting
from affiliate.reports import jobs, medians
from affiliate.reports.models import ProgramFigures


@pytest.fixture
def today() -> datetime:
    """An hour ago: the pages read the real clock."""
    return clock.now().replace(minute=0, second=0, microsecond=0)


def test_the_numbers_equal_the_rows(marta: FlaskClient, app_session: Session, cast: Cast, today: datetime) -> None:
    common: dict[str, Any] = {"program": cast.program, "partner": cast.partner}
    make_clicks(app_session, link=cast.link, hour=today, clicks=40)
    make_clicks(app_session, link=cast.link, hour=today, clicks=2, verdict=ClickVerdict.BOT)
    make_commission(app_session, **common, amount_minor=7_20, earned_at=today)
    make_commission(app_session, **common, amount_minor=5_00, reversed_minor=1_00, earned_at=today)
    make_commission(app_session, **common, amount_minor=3_33, earned_at=today, status=CommissionStatus.APPROVED)
    make_payout(app_session, **common, proposer=cast.person, amount_minor=41_26)
    make_payout(
        app_session, **common, proposer=cast.person, amount_minor=99_00, status=PayoutStatus.PAID, paid_at=today
    )
    make_commission(app_session, program=cast.program, partner=cast.other, amount_minor=1_000_00, earned_at=today)
    app_session.commit()
    page = marta.get("/portal/casa/").text
    assert "€14.53" in page  # 7.20 + 4.00 + 3.33 earned today and this month
    for amount in ("€11.20", "€3.33", "€41.26", "€99.00"):  # pending, approved, in payout, paid
        assert amount in page
    assert ">42</a>" in page
    [clicks] = re.findall(r'href="([^"]+)"[^>]*>42</a>', page)
    assert "by=link" in clicks
    assert ">42<" in marta.get(html.unescape(clicks)).text  # of the same days
    assert "2 not counted: bots, repeats" in page
    assert "7.5\u00a0%" in page  # 3 sales of 40 valid clicks
    assert "€0.363" in page  # 14.53 / 40
    assert "€1,000.00" not in page


def test_the_number_of_queries_does_not_grow_with_the_rows(
    marta: FlaskClient, app_session: Session, cast: Cast, today: datetime, count_queries: Any
) -> None:
    def add(times: int) -> None:
        for number in range(times):
            earned_at = today - timedelta(days=number)
            link = make_link(app_session, program=cast.program, partner=cast.partner)
            make_clicks(app_session, link=link, hour=earned_at, clicks=1)
            make_commission(app_session, program=cast.program, partner=cast.partner, link=link, earned_at=earned_at)
        app_session.commit()

    add(1)
    with count_queries() as few:
        marta.get("/portal/casa/")
    add(12)
    with count_queries() as many:
        assert marta.get("/portal/casa/").status_code == 200
    assert len(many) == len(few)
    assert len(many) <= 15


@pytest.mark.parametrize(("others", "told"), [(8, False), (9, True)])
def test_the_programs_median_is_told_once_enough_partners_stand_behind_it(
    marta: FlaskClient, app_session: Session, cast: Cast, today: datetime, *, others: int, told: bool
) -> None:
    make_clicks(app_session, link=cast.link, hour=today, clicks=500)
    for number in range(others):
        partner = make_partner(app_session, program=cast.program, name=f"Partner {number}")
        link = make_link(app_session, program=cast.program, partner=partner)
        make_clicks(app_session, link=link, hour=today, clicks=121 + number)
    app_session.commit()
    assert jobs.compute_figures() == 1
    assert jobs.compute_figures() == 0  # within the hour
    page = marta.get("/portal/casa/").text
    assert ("Median of all partners: 130" in page) is told  # 125 or 126 and a half, to two digits
    assert page.count("once 10 partners have it") == 1  # of sales there is none in either case


def test_nothing_is_said_of_medians_where_each_number_has_one(
    marta: FlaskClient, app_session: Session, cast: Cast, today: datetime
) -> None:
    told = dict.fromkeys(medians.KEYS, "1")
    app_session.add(ProgramFigures(program_id=cast.program.id, medians=told, computed_at=today))
    app_session.commit()
    assert "partners have it" not in marta.get("/portal/casa/").text


def test_the_next_payout_is_told_with_its_day_and_amount(
    marta: FlaskClient, app_session: Session, cast: Cast, today: datetime
) -> None:
    policy = {"program_id": cast.program.id, "cadence": Cadence.MONTHLY, "net_days": 0, "is_one_person": False}
    app_session.add(PayoutPolicy(**policy, updated_at=today))
    mine: dict[str, Any] = {"program": cast.program, "partner": cast.partner, "status": CommissionStatus.APPROVED}
    make_commission(app_session, **mine, amount_minor=24_99, approved_at=today)
    app_session.commit()
    assert "Payable:" not in marta.get("/portal/casa/").text  # the program pays from 25.00 on
    make_commission(app_session, **mine, amount_minor=1, approved_at=today)
    app_session.commit()
    page = marta.get("/portal/casa/").text
    payable = r'<a class="b" href="/portal/casa/commissions\?status=approved">Payable: €25\.00, next payout on 1 \w+ \d{4}</a>'
    assert re.search(payable, page)
    approved = marta.get("/portal/casa/commissions?status=approved").text
    assert "€25.00" in approved


def test_each_number_of_the_money_leads_to_its_rows(
    marta: FlaskClient, app_session: Session, cast: Cast, today: datetime
) -> None:
    common: dict[str, Any] = {"program": cast.program, "partner": cast.partner, "proposer": cast.person}
    for amount_minor, status, paid_at in (
        (11_00, PayoutStatus.PROPOSED, None),
        (12_00, PayoutStatus.APPROVED, None),
        (13_00, PayoutStatus.PAID, today),
        (14_00, PayoutStatus.PAID, today - timedelta(days=400)),
        (15_00, PayoutStatus.CANCELLED, None),
    ):
        make_payout(app_session, **common, amount_minor=amount_minor, status=status, paid_at=paid_at)
    app_session.commit()
    page = marta.get("/portal/casa/").text
    links = {
        amount: unescape(url) for url, amount in re.findall(r'href="(/portal/casa/payouts[^"]+)">(€[\d.]+)<', page)
    }
    links |= {amount: unescape(url) for url, amount in re.findall(r'href="(/portal/casa/payouts[^"]+)"><span class="closed">(€[\d.]+)<', page)}  # fmt: skip
    listed = {sum_: re.findall(r'<a class="why b"[^>]*>(€[\d.]+)<', marta.get(url).text) for sum_, url in links.items()}
    assert {sum_: sorted(amounts) for sum_, amounts in listed.items()} == {
        "€23.00": ["€11.00", "€12.00"], "€13.00": ["€13.00"],
    }  # fmt: skip
    assert "A payout that is being prepared" in page


def test_what_came_back_stands_beside_the_approved_sales(
    marta: FlaskClient, app_session: Session, cast: Cast, today: datetime
) -> None:
    sold = make_commission(
        app_session, program=cast.program, partner=cast.partner, order_id="OLD", status=CommissionStatus.PAID
    )
    facts: dict[str, Any] = {"program_id": cast.program.id, "partner_id": cast.partner.id, "commission_id": sold.id}
    facts |= {"source_kind": AdjustmentSource.REFUND, "currency": "EUR", "is_clawback": True, "created_at": today}
    for payout_id, amount_minor in ((None, 4_00), (ids.new(), 3_00)):
        taken = CommissionAdjustment(id=ids.new(), source_id=ids.new(), payout_id=payout_id, amount_minor=amount_minor, **facts)  # fmt: skip
        app_session.add(taken)
    app_session.commit()
    page = marta.get("/portal/casa/commissions?status=approved").text
    assert ">OLD</a>" in page
    assert "−€4.00" in page
    assert "−€3.00" not in page
    assert "OLD" not in marta.get("/portal/casa/commissions?status=pending").text


def test_the_first_paint_is_light_and_charts_come_later(marta: FlaskClient, cast: Cast) -> None:
    answer = marta.get("/portal/casa/", headers={"Accept-Encoding": "gzip"})
    page = gzip.decompress(answer.data).decode()
    at_once = {path for path in re.findall(r'(?:href|src)="(/static/[^"#]+)', page) if "data-echarts" not in path}
    assert not [path for path in at_once if "echarts" in path]
    files = [marta.get(path.replace("&amp;", "&"), headers={"Accept-Encoding": "gzip"}).data for path in at_once]
    assert len(files) > 6
    assert len(answer.data) + sum(map(len, files)) < 250 * 1024


def test_a_new_partner_is_taught_and_unknown_is_never_zero(
    marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    app_session.execute(sa.text("DELETE FROM links"))
    app_session.commit()
    page = marta.get("/portal/casa/").text
    assert "Your first link" in page
    assert "no valid clicks yet" in page
    assert "no sales yet" in page


@pytest.mark.parametrize("path", ["", "links", "links/new", "commissions", "commissions.csv", "payouts"])
def test_who_waits_sees_one_page_at_every_address(
    marta: FlaskClient, app_session: Session, cast: Cast, path: str
) -> None:
    app_session.execute(sa.update(Enrollment).values(status=EnrollmentStatus.PENDING))
    app_session.commit()
    page = marta.get(f"/portal/casa/{path}")
    assert page.status_code == 200
    assert "Your application is being read" in page.text


def test_who_waits_cannot_make_a_link(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    app_session.execute(sa.update(Enrollment).values(status=EnrollmentStatus.PENDING))
    app_session.commit()
    marta.post("/portal/casa/links", data={"landing_url": "https://www.shop.example/"})
    assert app_session.scalar(sa.text("SELECT count(*) FROM links")) == 1


def test_a_paused_partner_is_told(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    app_session.execute(sa.update(Enrollment).values(status=EnrollmentStatus.PAUSED))
    app_session.commit()
    assert "Your membership is paused" in marta.get("/portal/casa/").text


@pytest.mark.parametrize("status", [EnrollmentStatus.REJECTED, EnrollmentStatus.BANNED])
def test_a_refused_partner_finds_nothing(
    marta: FlaskClient, app_session: Session, cast: Cast, status: EnrollmentStatus
) -> None:
    app_session.execute(sa.update(Enrollment).values(status=status))
    app_session.commit()
    assert marta.get("/portal/casa/").status_code == 404


def test_a_stranger_is_led_to_the_sign_in_and_another_person_finds_nothing(
    app: Flask, client: FlaskClient, app_session: Session, cast: Cast
) -> None:
    answer = client.get("/portal/casa/")
    assert (answer.status_code, answer.location) == (302, "/login?next=/portal/casa/")
    sign_in(client, make_person(app_session, "Bob"))
    assert client.get("/portal/casa/").status_code == 404
    assert client.get("/portal/nothing/").status_code == 404


def test_one_program_opens_by_itself_and_several_are_a_choice(
    marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    assert marta.get("/portal/").location == "/portal/casa/"
    second = make_program(app_session, slug="second", name="Second Shop")
    app_session.add(
        Enrollment(id=second.id, program_id=second.id, partner_id=cast.partner.id, status=EnrollmentStatus.BANNED, created_at=second.created_at, updated_at=second.created_at)
    )  # fmt: skip
    app_session.commit()
    page = marta.get("/portal/").text
    assert 'href="/portal/casa/"' in page
    assert "Second Shop" in page
    assert "/portal/second/" not in page


def test_a_person_in_no_program_is_shown_the_open_ones(client: FlaskClient, app_session: Session) -> None:
    sign_in(client, make_person(app_session, "Bob"))
    assert "You are in no program yet" in client.get("/portal/").text


@pytest.mark.parametrize(
    ("hour", "words"), [(6, "Good morning, Marta"), (12, "Good afternoon, Marta"), (18, "Good evening, Marta")]
)
def test_the_greeting_follows_the_clock_of_the_reader(app: Flask, hour: int, words: str) -> None:
    with app.test_request_context():
        now = datetime(2026, 11, 16, hour - 1, tzinfo=UTC)
        assert greeting("Marta Example", now=now, zone="Europe/Rome") == words


def test_another_program_of_the_same_partner_counts_apart(
    marta: FlaskClient, app_session: Session, cast: Cast, today: datetime
) -> None:
    second = make_program(app_session, slug="second")
    partner = make_partner(app_session, program=second, user=make_user(app_session))
    make_commission(app_session, program=second, partner=partner, amount_minor=77_00, earned_at=today)
    app_session.commit()
    assert "€77.00" not in marta.get("/portal/casa/").text


@pytest.mark.parametrize(
    ("replaced", "other_program", "is_done"), [(False, False, True), (True, False, False), (False, True, False)]
)
def test_a_tax_profile_is_a_first_step_where_the_program_asks_for_one(
    marta: FlaskClient, app_session: Session, cast: Cast, *, replaced: bool, other_program: bool, is_done: bool
) -> None:
    home = f"/portal/{cast.program.slug}/"
    assert "Enter your tax profile" not in marta.get(home).get_data(as_text=True)
    make_buyer(app_session, cast.program)
    app_session.commit()
    assert _tax_step(marta, home) == "to do"
    program = make_program(app_session, slug="other") if other_program else cast.program
    make_rule(app_session, program)
    profile = make_profile(app_session, program, cast.partner.id)
    if replaced:
        profile.replaced_at = clock.now()
    app_session.commit()
    assert _tax_step(marta, home) == ("done" if is_done else "to do")


def _tax_step(browser: FlaskClient, home: str) -> str:
    page = browser.get(home).get_data(as_text=True)
    assert "Enter your tax profile" in page
    return "to do" if re.search(r'papers/profile"[^>]*>Enter your tax profile</a>', page) else "done"
