"""Funnels and products by key: the same figures as the pages, a partner's key its own alone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import factories
import pytest
from event_cast import click
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.accounts import service as accounts
from affiliate.accounts.actors import Actor
from affiliate.commissions.models import CommissionStatus
from affiliate.ingest import service as ingest
from affiliate.ingest.models import Conversion
from affiliate.links.models import Link
from affiliate.programs.models import Program
from affiliate.tracking.codec import StepEvent

Get = Callable[..., Any]


@pytest.fixture
def program(app_session: Session) -> Program:
    return factories.make_program(app_session)


@pytest.fixture
def get(client: FlaskClient, app_session: Session, program: Program) -> Get:
    actor = Actor(kind="user", id=factories.make_user(app_session).id)

    def call(path: str, partner_id: Any = None) -> Any:
        _key, secret = accounts.create_api_key(
            app_session, program_id=program.id, name="Test", scopes=["reports:read"], partner_id=partner_id, actor=actor,
            now=clock.now(),
        )  # fmt: skip
        app_session.commit()
        return client.get(f"/api/v1/reports/{path}", headers={"Authorization": f"Bearer {secret}"})

    return call


def _visit(session: Session, link: Link, number: int, *steps: Any) -> Any:
    at = clock.now() - timedelta(hours=number + 1)
    arrival = click(
        number, program_id=link.program_id, partner_id=link.partner_id, link_id=link.id, occurred_at=at,
        referrer="https://blog.example/x" if number % 2 else None,
    )._replace(click_id=ids.new_at(at))  # fmt: skip
    told = [StepEvent(arrival.click_id, link.program_id, step, is_test=False, received_at=at) for step in steps]
    ingest.store_batch(session, events=[arrival, *told], now=clock.now())
    return arrival


@pytest.fixture
def links(app_session: Session, program: Program) -> list[Link]:
    """Two partners with visits: of the first one paid, and what it paid for came back in part."""
    partners = [factories.make_partner(app_session, program=program) for _ in range(2)]
    found = [factories.make_link(app_session, program=program, partner=partner) for partner in partners]
    _visit(app_session, found[0], 1, "product")
    bought = _visit(app_session, found[0], 2, "checkout")
    _visit(app_session, found[1], 3, "cart")
    sold = factories.make_commission(
        app_session, program=program, partner=partners[0], earned_at=clock.now(), status=CommissionStatus.APPROVED
    )
    factories.tell_origin(app_session, sold, click_id=bought.click_id)
    order = app_session.get_one(Conversion, sold.conversion_id)
    order.items = [{"sku": "pan", "name": "Iron pan", "group": "iron", "quantity": 2, "amount_minor": 100_00}]
    factories.make_refund(app_session, conversion=order, amount_minor=25_00)
    app_session.commit()
    return found


def _numbers(answer: Any) -> list[int]:
    return [row["visits"] for row in answer.json["rows"]]


def test_a_funnel_is_told_of_all_or_of_one_partner_or_source(get: Get, links: list[Link]) -> None:
    answer = get("funnel")
    assert answer.json["rows"][2] == {
        "stage": "cart", "visits": 2, "of_visits_bps": 66_67, "of_stage_before_bps": 66_67, "left": 1, "abandoned_bps": 33_33,
    }  # fmt: skip
    assert (_numbers(answer), answer.json["waiting"]) == ([3, 3, 2, 1, 1, 1], 0)
    other = ids.public("ptn", links[1].partner_id)
    assert _numbers(get(f"funnel?partner={other}")) == [1, 1, 1, 0, 0, 0]
    assert _numbers(get("funnel?source=blog.example")) == [2, 2, 1, 0, 0, 0]
    assert get("funnel?source=blog.example&device=phone").status_code == 422
    assert get("funnel?device=watch").status_code == 422


def test_a_partners_key_reads_its_own_funnel_and_no_products(get: Get, links: list[Link]) -> None:
    mine, theirs = (link.partner_id for link in links)
    assert _numbers(get("funnel", partner_id=mine)) == [2, 2, 1, 1, 1, 1]
    assert get(f"funnel?partner={ids.public('ptn', theirs)}", partner_id=mine).status_code == 404
    assert get("products", partner_id=mine).status_code == 403


def test_products_are_told_with_what_came_back(get: Get, links: list[Link]) -> None:
    [row] = get("products").json["rows"]
    assert row == {
        "product": "pan", "name": "Iron pan", "orders": 1, "pieces": 2, "orders_with_returns": 1,
        "revenue": {"amount": "100.00", "currency": "EUR"}, "earnings": {"amount": "10.00", "currency": "EUR"},
        "came_back": {"amount": "25.00", "currency": "EUR"},
    }  # fmt: skip
    [row] = get("products?by=category").json["rows"]
    assert (row["category"], row["came_back"]["amount"]) == ("iron", "25.00")
