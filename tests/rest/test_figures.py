"""Clicks, ledger and reports by key: one program's, in pages, by the metrics of the pages."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import factories
import pytest
from factories import NOW
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.accounts import service as accounts
from affiliate.accounts.actors import Actor
from affiliate.ingest.models import ClickVerdict
from affiliate.ledger import postings
from affiliate.ledger import service as ledger
from affiliate.money import Money
from affiliate.programs.models import Program
from affiliate.reports.models import ShopDay

Get = Callable[..., Any]


@pytest.fixture
def program(app_session: Session) -> Program:
    return factories.make_program(app_session)


@pytest.fixture
def get(client: FlaskClient, app_session: Session, program: Program) -> Get:
    scopes = ["reports:read", "payouts:read", "partners:read", "links:read", "links:write"]
    actor = Actor(kind="user", id=factories.make_user(app_session).id)
    _key, secret = accounts.create_api_key(
        app_session, program_id=program.id, name="Test", scopes=scopes, actor=actor, now=NOW
    )
    app_session.commit()

    def call(path: str, method: str = "GET", **arguments: Any) -> Any:
        return client.open(f"/api/v1{path}", method=method, headers={"Authorization": f"Bearer {secret}"}, **arguments)

    return call


def test_clicks_are_those_of_the_program_and_can_be_narrowed(get: Get, app_session: Session, program: Program) -> None:
    partner = factories.make_partner(app_session, program=program)
    link, other = (factories.make_link(app_session, program=program, partner=partner) for _ in range(2))
    kept = factories.make_click(app_session, link=link, subs={"sub1": "post"}, address_hash="secret")
    bot = factories.make_click(app_session, link=link, verdict=ClickVerdict.BOT)
    factories.make_click(app_session, link=other)
    elsewhere = factories.make_program(app_session)
    stranger = factories.make_partner(app_session, program=elsewhere)
    factories.make_click(app_session, link=factories.make_link(app_session, program=elsewhere, partner=stranger))
    app_session.commit()
    assert len(get("/clicks").json) == 3
    of_link = get(f"/clicks?link={ids.public('lnk', link.id)}").json
    assert {row["id"]: row["verdict"] for row in of_link} == {
        ids.public("clk", kept.id): "valid",
        ids.public("clk", bot.id): "bot",
    }
    valid = get(f"/clicks?link={ids.public('lnk', link.id)}&verdict=valid")
    assert [row["subs"] for row in valid.json] == [{"sub1": "post"}]
    assert "secret" not in valid.text
    assert get("/clicks?verdict=nonsense").status_code == 422


def test_a_report_by_day_adds_up_and_speaks_the_metrics_of_the_pages(
    get: Get, app_session: Session, program: Program
) -> None:
    partner = factories.make_partner(app_session, program=program)
    link = factories.make_link(app_session, program=program, partner=partner)
    hour = clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=2)
    factories.make_clicks(app_session, link=link, hour=hour, clicks=40)
    factories.make_clicks(app_session, link=link, hour=hour, clicks=10, verdict=ClickVerdict.BOT)
    factories.make_commission(app_session, program=program, partner=partner, link=link, earned_at=hour)
    app_session.commit()
    report = get("/reports/days").json
    assert len(report["rows"]) == 30
    assert report["total"] == {
        "clicks_raw": 50,
        "clicks_valid": 40,
        "conversions": 1,
        "conversion_rate_bps": 250,
        "epc": {"amount": "0.250", "currency": "EUR"},
        "aov": {"amount": "100.00", "currency": "EUR"},
        "revenue": {"amount": "100.00", "currency": "EUR"},
        "earnings": {"amount": "10.00", "currency": "EUR"},
        "cost": {"amount": "10.00", "currency": "EUR"},
        "rpc": {"amount": "2.500", "currency": "EUR"},
        "ecpa": {"amount": "10.00", "currency": "EUR"},
        "roas_bps": 100_000,
        "roi_bps": 90_000,
        "margin": None,
        "reversal_rate_bps": 0,
        "new_share_bps": None,
        "new_customers": 0,
        "rating": None,
    }
    assert sum(row["clicks_raw"] for row in report["rows"]) == 50
    assert report["rows"][0]["epc"] is None
    assert report["without_partner"] is None
    told = {"orders": 5, "revenue_minor": 500_00, "visitors": 140, "currency": "EUR", "updated_at": hour}
    app_session.add(ShopDay(program_id=program.id, day=hour.date(), **told))
    app_session.commit()
    assert get("/reports/days").json["without_partner"] == {
        "days_told": 1, "clicks_valid": 100, "conversions": 4, "conversion_rate_bps": 400, "new_share_bps": None,
        "aov": {"amount": "100.00", "currency": "EUR"}, "revenue": {"amount": "400.00", "currency": "EUR"},
    }  # fmt: skip


def test_a_report_by_partner_comes_in_pages_best_earner_first(get: Get, app_session: Session, program: Program) -> None:
    for amount in (5_00, 20_00, 10_00):
        partner = factories.make_partner(app_session, program=program, name=f"Earns {amount}")
        factories.make_commission(app_session, program=program, partner=partner, amount_minor=amount)
    app_session.commit()
    day = NOW.date().isoformat()
    first = get(f"/reports/partners?from={day}&to={day}&limit=2")
    assert [row["partner"] for row in first.json["rows"]] == ["Earns 2000", "Earns 1000"]
    assert 'rel="next"' in first.headers["Link"]
    second = get(f"/reports/partners?from={day}&to={day}&limit=2&page=2")
    assert [row["earnings"]["amount"] for row in second.json["rows"]] == ["5.00"]
    assert "Link" not in second.headers


def test_days_are_cut_in_the_zone_that_is_named(get: Get, app_session: Session, program: Program) -> None:
    partner = factories.make_partner(app_session, program=program)
    late = datetime(2026, 11, 3, 2, 30, tzinfo=UTC)  # half past nine in the evening of the second in New York
    factories.make_commission(app_session, program=program, partner=partner, earned_at=late)
    app_session.commit()
    asked = "/reports/days?from=2026-11-02&to=2026-11-03"
    for zone, day in (("", "2026-11-03"), ("&time_zone=America/New_York", "2026-11-02")):
        report = get(f"{asked}{zone}").json
        assert report["time_zone"] == (zone.partition("=")[2] or program.time_zone)
        assert [row["day"] for row in report["rows"] if row["conversions"]] == [day]
    for path in ("days", "partners", "funnel", "products"):
        answer = get(f"/reports/{path}?time_zone=Mars/Olympus")
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["time_zone"])
    for zone, sales in (("&time_zone=America/New_York", 1), ("", 0)):
        (row,) = get(f"/reports/partners?from=2026-11-02&to=2026-11-02{zone}").json["rows"]
        assert row["conversions"] == sales


@pytest.mark.parametrize(
    "days",
    ["from=2026-11-02&to=2026-11-01", "from=2020-01-01&to=2026-01-01", "from=0001-01-01", "to=9999-12-31", "from=x"],
)
def test_days_that_make_no_report_are_named(get: Get, days: str) -> None:
    answer = get(f"/reports/days?{days}")
    assert answer.status_code == 422
    assert set(answer.json["errors"]) & {"from", "to"}


def test_the_ledger_is_read_newest_first_in_pages(get: Get, app_session: Session, program: Program) -> None:
    partner = factories.make_partner(app_session, program=program)
    commissions = [factories.make_commission(app_session, program=program, partner=partner) for _ in range(3)]
    for number, commission in enumerate(commissions):
        moved = postings.accrue(
            program_id=program.id,
            partner_id=partner.id,
            commission_id=commission.id,
            amount=Money(10_00, "EUR"),
        )
        ledger.post(app_session, postings=moved, now=NOW + timedelta(minutes=number))
    app_session.commit()
    page = get("/ledger?limit=2")
    assert [row["kind"] for row in page.json] == ["accrue", "accrue"]
    assert page.json[0]["posted_at"] > page.json[1]["posted_at"]
    assert page.json[0]["partner_id"] == ids.public("ptn", partner.id)
    link = page.headers["Link"]
    rest = get(link[1 : link.index(">")].split("/api/v1", 1)[1])
    assert len(rest.json) == 1
    assert {row["id"] for row in rest.json}.isdisjoint(row["id"] for row in page.json)


def test_a_coupon_is_bound_once_and_listed(get: Get, app_session: Session, program: Program) -> None:
    partner = factories.make_partner(app_session, program=program)
    app_session.commit()
    wanted = {"partner_id": ids.public("ptn", partner.id), "code": "marta10"}
    made = get("/coupons", method="POST", json=wanted)
    assert (made.status_code, made.json["code"]) == (201, "MARTA10")
    assert get("/coupons", method="POST", json=wanted).json["code"] == "code_taken"
    assert [row["id"] for row in get("/coupons").json] == [made.json["id"]]


def test_a_coupon_for_another_programs_partner_is_not_found(get: Get, app_session: Session) -> None:
    stranger = factories.make_partner(app_session, program=factories.make_program(app_session))
    app_session.commit()
    wanted = {"partner_id": ids.public("ptn", stranger.id), "code": "MARTA10"}
    assert get("/coupons", method="POST", json=wanted).status_code == 404


def test_enrollments_are_narrowed_by_status(get: Get, app_session: Session, program: Program) -> None:
    partner = factories.make_partner(app_session, program=program)
    app_session.commit()
    assert [row["partner_id"] for row in get("/enrollments?status=approved").json] == [ids.public("ptn", partner.id)]
    assert get("/enrollments?status=pending").json == []
