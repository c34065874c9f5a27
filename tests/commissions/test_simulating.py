"""A plan tried on the past: the same code as production, in batches that a killed job goes on from."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from factories import NOW, make_partner, make_refund
from money_cast import Books, open_books
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate.commissions import plans, recruiting, simulating
from affiliate.commissions.models import Commission, PlanSimulation
from affiliate.commissions.terms import simple
from affiliate.errors import Invalid
from affiliate.ingest.models import Trust

DAY = timedelta(days=1)


@pytest.fixture
def books(session: Session) -> Books:
    return open_books(session)


def try_out(books: Books, terms: dict[str, Any], *, limit: int = 2) -> PlanSimulation:
    facts: dict[str, Any] = {"actor": books.alice, "now": NOW}
    plan = plans.draft(books.session, program_id=books.program.id, name="Bold", terms=terms, **facts)
    asked = simulating.start(books.session, plan=plan, starts_at=NOW, ends_at=NOW + DAY, **facts)
    while simulating.advance(books.session, limit=limit, now=NOW):
        books.session.expire_all()
    return asked


def found(books: Books, simulation: PlanSimulation) -> list[tuple[str, int, int, int]]:
    outcomes = simulating.outcomes(books.session, simulation=simulation)
    return [(one.name, one.orders, one.today_minor, one.then_minor) for one in outcomes]


def history(books: Books) -> str:
    """Five orders of two partners, and four that do not count."""
    other = make_partner(books.session, program=books.program, name="Other")
    for minute in range(3):
        books.order(occurred_at=NOW + timedelta(minutes=minute))
    refunded = [books.order(partner=other, occurred_at=NOW + timedelta(hours=hour)) for hour in (1, 2)]
    make_refund(books.session, conversion=refunded[0], amount_minor=None)
    books.order(occurred_at=NOW - timedelta(seconds=1))
    books.order(occurred_at=NOW + DAY)
    books.order(is_test=True)
    books.order(trust=Trust.OPEN)
    books.work()
    return books.partner.name


def test_the_present_plan_on_the_past_is_the_past(books: Books) -> None:
    mine = history(books)
    simulation = try_out(books, simple(rate_bps=10_00))
    assert found(books, simulation) == [("Other", 2, 20_00, 20_00), (mine, 3, 30_00, 30_00)]
    assert (simulation.orders_done, simulation.orders_total, simulation.finished_at) == (5, 5, NOW)
    assert simulation.state["base_minor"] == 500_00


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_counters_run_through_the_batches_and_nothing_is_written(books: Books, limit: int) -> None:
    mine = history(books)
    before = books.session.scalar(sa.select(sa.func.count()).select_from(Commission))
    steps = {"counts": "orders", "period": "month", "mode": "above", "steps": [{"above": 2, "rate_bps": 50_00}]}
    terms = {"rules": [{"rate_bps": 1_00, "tiers": steps}], "caps": {"total_minor": 40_00}}
    simulation = try_out(books, terms, limit=limit)
    assert found(books, simulation) == [("Other", 2, 20_00, 2_00), (mine, 3, 30_00, 1_00 + 1_00 + 38_00)]
    assert books.session.scalar(sa.select(sa.func.count()).select_from(Commission)) == before
    books.assert_proven()


def test_a_job_that_dies_counts_nothing_and_two_at_once_count_each_order_once(engine: Engine, books: Books) -> None:
    facts: dict[str, Any] = {"actor": books.alice, "now": NOW}
    mine = history(books)
    plan = plans.draft(books.session, program_id=books.program.id, name="Bold", terms=simple(rate_bps=20_00), **facts)
    asked = simulating.start(books.session, plan=plan, starts_at=NOW, ends_at=NOW + DAY, **facts)
    books.session.commit()
    with Session(engine) as dying:
        assert simulating.advance(dying, limit=2, now=NOW) == 2
        dying.rollback()  # killed before the commit

    def work() -> None:
        for _ in range(20):
            with Session(engine) as session, session.begin():
                simulating.advance(session, limit=1, now=NOW)

    with ThreadPoolExecutor(2) as pool:
        for worker in [pool.submit(work) for _ in range(2)]:
            worker.result(60)
    books.session.expire_all()
    assert (asked.orders_done, asked.finished_at) == (5, NOW)
    assert found(books, asked) == [("Other", 2, 20_00, 40_00), (mine, 3, 30_00, 60_00)]


def test_recruiters_are_part_of_the_cost(books: Books) -> None:
    history(books)
    recruiter = make_partner(books.session, program=books.program, name="Recruiter")
    facts: dict[str, Any] = {"program_id": books.program.id, "actor": books.alice, "now": NOW}
    recruiting.set_partner_terms(
        books.session, partner_id=books.partner.id, group_name=None, recruiter_id=recruiter.id, **facts
    )
    simulation = try_out(books, simple(rate_bps=10_00) | {"recruiter_bps": 10_00})
    assert ("Recruiter", 0, 0, 3_00) in found(books, simulation)


def test_a_period_that_is_empty_is_refused(books: Books) -> None:
    facts: dict[str, Any] = {"actor": books.alice, "now": NOW}
    plan = plans.draft(books.session, program_id=books.program.id, name="Bold", terms=simple(rate_bps=1), **facts)
    with pytest.raises(Invalid):
        simulating.start(books.session, plan=plan, starts_at=NOW, ends_at=NOW, **facts)
