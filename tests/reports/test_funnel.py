"""Funnels as shares: each stage against the one before it, and what a shop that does not tell its steps sees."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import factories
import pytest
from event_cast import NOW, click
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.ingest import service as ingest
from affiliate.ingest.models import ClickVerdict, Conversion
from affiliate.reports import funnel_queries, goods_queries, landings, periods, visitors
from affiliate.reports.funnel import Funnel, Stage, incomplete, lines
from affiliate.reports.funnel_queries import Visits
from affiliate.reports.landing_models import LandingHour
from affiliate.reports.periods import Period
from affiliate.tracking.codec import StepEvent


def shares(funnel: Funnel) -> list[tuple[int | None, int | None, int | None, int | None]]:
    """Number, share of the visits, share of the stage before, and what was abandoned, for each stage."""
    return [(line.number, line.of_visits_bps, line.of_before_bps, line.abandoned_bps) for line in lines(funnel)]


def test_each_stage_is_a_share_of_the_one_before() -> None:
    funnel = Funnel(visit=200, product=100, cart=50, checkout=20, order=10, kept=4, waiting=3)
    assert shares(funnel) == [
        (200, 100_00, None, None),
        (100, 50_00, 50_00, 50_00),
        (50, 25_00, 50_00, 50_00),
        (20, 10_00, 40_00, 60_00),
        (10, 5_00, 50_00, 50_00),
        (4, 2_00, 57_14, 42_86),  # of the seven that are validated
    ]
    assert [line.left for line in lines(funnel)] == [None, 100, 50, 30, 10, 3]


def test_without_any_step_told_orders_are_held_against_visits() -> None:
    found = shares(Funnel(visit=100, order=10, kept=10))
    assert found[1:4] == [(None, None, None, None)] * 3
    assert found[4:] == [(10, 10_00, 10_00, 90_00), (10, 10_00, 100_00, 0)]


def test_a_step_that_some_pages_do_not_tell_is_passed_over_and_named() -> None:
    funnel = Funnel(visit=100, product=50, cart=20, checkout=5, order=10)
    assert incomplete(funnel) == [Stage.CHECKOUT]
    assert shares(funnel)[4] == (10, 10_00, 50_00, 50_00)
    assert shares(Funnel(visit=100, product=50, cart=20, order=10))[3] == (None, None, None, None)


def test_a_step_where_nobody_came_is_a_zero_and_no_gap() -> None:
    assert shares(Funnel(visit=100, product=50, cart=20))[3:5] == [(0, 0, 0, 100_00), (0, 0, 0, 100_00)]
    assert incomplete(Funnel(visit=100, product=50, cart=20)) == []


@pytest.mark.parametrize("funnel", [Funnel(), Funnel(order=3, kept=1)], ids=["nothing", "orders-without-visits"])
def test_nothing_is_divided_by_nothing(funnel: Funnel) -> None:
    assert [line.of_visits_bps for line in lines(funnel)] == [None] * 6
    assert lines(funnel)[4].of_before_bps is None


def test_both_databases_answer_every_question_of_the_pages(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    program = factories.make_program(session)
    partner = factories.make_partner(session, program=program, name="Slow Kitchen")
    link = factories.make_link(session, program=program, partner=partner)
    at = NOW - timedelta(days=2)
    visit = click(
        1, program_id=program.id, partner_id=partner.id, link_id=link.id, occurred_at=at, referrer="https://blog.example/",
    )._replace(click_id=ids.new_at(at))  # fmt: skip
    paid = StepEvent(visit.click_id, program.id, "checkout", is_test=False, received_at=at)
    ingest.store_batch(session, events=[visit, paid, paid._replace(is_test=True)], now=NOW)
    sold = factories.make_commission(session, program=program, partner=partner, earned_at=at)
    factories.tell_origin(session, sold, click_id=visit.click_id)
    session.get_one(Conversion, sold.conversion_id).items = [{"sku": "pan", "quantity": 1, "amount_minor": 100_00}]
    for stretch in visitors.stale(session, since=NOW - timedelta(days=9), limit=10):
        visitors.count(session, stretch=stretch)
    for beginnings in landings.stale(session, since=NOW - timedelta(days=9), limit=10):
        landings.count(session, stretch=beginnings)
    session.flush()
    days = periods.last_days(7, now=NOW, zone="Europe/Rome")
    whole = Visits(program.id)
    wanted = Funnel(visit=1, product=1, cart=1, checkout=1, order=1, kept=0, waiting=1)
    narrowings: list[dict[str, Any]] = [
        {}, {"partner_id": partner.id}, {"device": "computer"}, {"source": "blog.example"},
        {"partner_id": partner.id, "source": "blog.example"},
    ]  # fmt: skip
    for narrowed in narrowings:
        visits = replace(whole, **narrowed)
        assert funnel_queries.funnel(session, visits=visits, period=days) == wanted, narrowed
        assert funnel_queries.sources(session, visits=visits, period=days, limit=5) == ["blog.example"]
    [line] = funnel_queries.by_partner(session, program_id=program.id, period=days, limit=5)
    assert (line.name, line.funnel) == ("Slow Kitchen", wanted)
    tests = funnel_queries.last_tests(session, program_id=program.id, limit=5)
    assert {one.step.value for one in tests} == {"product", "cart", "checkout"}
    asked: dict[str, Any] = {"program_id": program.id, "period": days, "currency": "EUR"}
    assert goods_queries.bought(session, by="sku", **asked)["pan"].revenue_minor == 100_00
    assert goods_queries.landed(session, **asked) == [goods_queries.Landing("www.shop.example", 1, 1, 100_00)]
    other = {"page": "a.shop.example", "verdict": ClickVerdict.VALID, "clicks": 9}
    session.add(LandingHour(program_id=program.id, hour=at.replace(minute=0, second=0, microsecond=0), **other))
    session.flush()
    monkeypatch.setattr(goods_queries, "PAGES_MAX", 1)  # what was sold elsewhere is there with its visits
    assert [(one.page, one.visits, one.orders) for one in goods_queries.landed(session, **asked)] == [
        ("a.shop.example", 9, 0), ("www.shop.example", 1, 1),
    ]  # fmt: skip


def test_where_a_day_begins_at_half_past_visits_and_their_orders_are_of_the_same_day(session: Session) -> None:
    program = factories.make_program(session)
    partner = factories.make_partner(session, program=program)
    link = factories.make_link(session, program=program, partner=partner)
    at = datetime(2026, 11, 9, 18, 40, tzinfo=UTC)  # in Kolkata on the 10th, in an hour that began on the 9th
    factories.make_clicks(session, link=link, hour=at.replace(minute=0), clicks=1)
    visit = factories.make_click(session, link=link, occurred_at=at)
    sold = factories.make_commission(session, program=program, partner=partner, earned_at=at)
    factories.tell_origin(session, sold, click_id=visit.id)
    session.flush()
    ninth, tenth = (Period(date(2026, 11, day), date(2026, 11, day + 1), "Asia/Kolkata") for day in (9, 10))
    found = [funnel_queries.funnel(session, visits=Visits(program.id), period=day) for day in (ninth, tenth)]
    assert [(one.visit, one.order) for one in found] == [(1, 1), (0, 0)]
