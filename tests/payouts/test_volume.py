"""Steps for all units, on both databases: the difference of a period that is over, once, when its orders are validated."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from factories import make_plan, make_refund
from hypothesis import given
from hypothesis import strategies as st
from money_cast import Books, open_books
from sqlalchemy.orm import Session

from affiliate.commissions import rates, terms
from affiliate.commissions import volume as steps
from affiliate.commissions.counters import Tally
from affiliate.commissions.models import CommissionPlan
from affiliate.commissions.orders import Order
from affiliate.commissions.terms import Period, Plan
from affiliate.currencies.convert import DayRates, Rates
from affiliate.money import divide_half_even
from affiliate.payouts import volume
from affiliate.payouts.models import Adjustment, AdjustmentKind, AdjustmentStatus

OCTOBER = datetime(2026, 10, 5, 12, tzinfo=UTC)
VALIDATED = OCTOBER + timedelta(days=70)
LIMIT = 100


def document(mode: str = "all", **more: Any) -> dict[str, Any]:
    step = {"above": 2, "rate_bps": 20_00}
    return {"rules": [{"rate_bps": 10_00, "tiers": {"counts": "orders", "period": "month", "mode": mode, "steps": [step]}}], **more}  # fmt: skip


def shop(session: Session, terms_: dict[str, Any] | None = None) -> Books:
    books = open_books(session)
    session.execute(sa.delete(CommissionPlan))
    make_plan(session, program=books.program, terms=terms_ or document())
    return books


def sell(books: Books, number: int, **fields: Any) -> list[Any]:
    found = [books.order(occurred_at=OCTOBER + timedelta(days=day), **fields) for day in range(number)]
    books.work(now=OCTOBER + timedelta(days=20))
    return found


def entries(books: Books) -> list[tuple[str, int]]:
    rows = list(books.session.scalars(sa.select(Adjustment)))
    assert {(one.kind, one.status) for one in rows} == {(AdjustmentKind.VOLUME, AdjustmentStatus.POSTED)}
    return [(one.reason, one.amount_minor) for one in rows]


def test_earlier_orders_get_the_difference_when_the_period_is_over_and_validated_and_only_once(
    session: Session,
) -> None:
    books = shop(session)
    sell(books, 4)  # the third and the fourth are paid by the step at once
    assert volume.post_due(session, limit=LIMIT, now=OCTOBER + timedelta(days=20)) == 0  # October goes on
    assert volume.post_due(session, limit=LIMIT, now=datetime(2026, 11, 1, 0, 1, tzinfo=UTC)) == 0  # not validated
    books.work(now=VALIDATED)
    earned = books.balances()
    assert earned == {"approved": 60_00}
    assert volume.post_due(session, limit=LIMIT, now=VALIDATED) == 1
    assert volume.post_due(session, limit=LIMIT, now=VALIDATED) == 0
    assert entries(books) == [("Standard, 2026-10-01 – 2026-10-31", 20_00)]
    (facts,) = books.session.scalars(sa.select(Adjustment.facts))
    assert facts == {"plan": "Standard", "first": "2026-10-01", "last": "2026-10-31"}
    assert books.balances() == {"approved": 80_00}
    books.assert_proven()


def test_a_refund_lowers_the_difference_and_a_period_below_the_step_has_none(session: Session) -> None:
    books = shop(session)
    first, *_rest = sell(books, 3)
    make_refund(session, conversion=first, amount_minor=50_00)
    books.work(now=VALIDATED)
    volume.post_due(session, limit=LIMIT, now=VALIDATED)
    assert [amount for _, amount in entries(books)] == [5_00 + 10_00]
    books.assert_proven()


@pytest.mark.parametrize(
    ("terms_", "orders"),
    [
        (document(), 2),
        (document(mode="above"), 4),
        (document(caps={"order_minor": 15_00}), 2),
        ({"rules": [{"rate_bps": 10_00}]}, 4),
    ],
    ids=["below the step", "above only", "capped", "no steps"],
)
def test_nothing_is_owed(session: Session, terms_: dict[str, Any], orders: int) -> None:
    books = shop(session, terms_)
    sell(books, orders)
    books.work(now=VALIDATED)
    assert volume.post_due(session, limit=LIMIT, now=VALIDATED) == 0


def test_a_step_in_another_currency_is_reached_in_it_and_its_difference_paid_in_the_programs() -> None:
    step = {"above": 200_00, "rate_bps": 10_00, "fixed_minor": 5_00}
    tiers = {"counts": "amount", "period": "month", "mode": "all", "steps": [step]}
    said = terms.read({"rules": [{"rate_bps": 5_00, "tiers": tiers}], "currency": "USD"})
    plan, known = (
        Plan(UUID(int=10), "Steps", said, OCTOBER),
        Rates([DayRates(date(2026, 10, 4), "ecb", {"USD": "1.25"})]),
    )
    tally, earned = Tally(), []
    for _ in range(2):  # 125 dollars each
        order = Order(100_00, 0, 0, "EUR", placed_at=OCTOBER)
        how = rates.exchanges(known, order=order, plan=plan, currency="EUR")
        before = {Period.MONTH: tally}
        rated = rates.rate(order=order, share=rates.Share(), plan=plan, currency="EUR", before=before, **how)
        tally = tally.plus(base_minor=rated.counted.base_minor, earned_minor=rated.counted.amount_minor)
        earned.append(steps.Earned(rated.trace, rated.amount_minor, rated.amount_minor))
    assert [one.amount_minor for one in earned] == [5_00, 10_00 + 4_00]
    assert tally == Tally(2, 250_00, 6_25 + 17_50)
    assert steps.missing(said, period=Period.MONTH, tally=tally, orders=earned) == 5_00 + 4_00


@given(st.lists(st.integers(1, 10**6), min_size=1, max_size=8), st.integers(1, 100_00), st.integers(0, 100_00))
def test_with_the_difference_every_order_is_paid_by_the_step_that_was_reached(
    amounts: Sequence[int], above: int, bps: int
) -> None:
    """In sum, up to the rounding of each order by itself."""
    step = {"above": above, "rate_bps": bps}
    tiers = {"counts": "amount", "period": "month", "mode": "all", "steps": [step]}
    said = terms.read({"rules": [{"rate_bps": 1_00, "tiers": tiers}]})
    plan = Plan(UUID(int=10), "Steps", said, OCTOBER)
    tally, earned = Tally(), []
    for minor in amounts:
        rated = rates.rate(
            order=Order(minor, 0, 0, "EUR"),
            share=rates.Share(),
            plan=plan,
            currency="EUR",
            before={Period.MONTH: tally},
        )
        tally = tally.plus(base_minor=rated.base_minor, earned_minor=rated.amount_minor)
        earned.append(steps.Earned(rated.trace, rated.amount_minor, rated.amount_minor))
    owed = steps.missing(said, period=Period.MONTH, tally=tally, orders=earned)
    reached = bps if sum(amounts) > above else 1_00
    wanted = divide_half_even(sum(amounts) * reached, 10_000)
    exact = sum((Fraction(one.trace["exact"]) * 100 for one in earned), Fraction())
    if bps >= 1_00:
        assert abs(owed + exact - wanted) <= 1
    else:
        assert owed == 0
