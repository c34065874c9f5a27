"""What of each line of an order came back: by name, and spread; never more than was there."""

from fractions import Fraction
from typing import Any

import pytest
from factories import NOW, make_commission, make_partner, make_program, tell_origin
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.commissions.life import AdjustmentSource, Loss
from affiliate.ingest.models import Conversion
from affiliate.reports import goods_queries
from affiliate.reports.goods import returned
from affiliate.reports.periods import last_days
from affiliate.reports.products import CATEGORY, facts_by_item

LINES = {"pan": 60_00, "pot": 40_00}


def loss(amount_minor: int | None, *items: tuple[str, int]) -> Loss:
    """Money given back."""
    return Loss(AdjustmentSource.REFUND, ids.new(), amount_minor, items)


@pytest.mark.parametrize(
    ("losses", "pan", "pot"),
    [
        ([], 0, 0),
        ([loss(30_00, ("pan", 30_00))], Fraction(1, 2), 0),
        ([loss(60_00, ("pan", 60_00))], 1, 0),
        ([loss(None)], 1, 1),
        ([loss(110_00)], 1, 1),
        ([loss(55_00)], Fraction(1, 2), Fraction(1, 2)),
        ([loss(60_00, ("pan", 60_00)), loss(25_00)], 1, Fraction(1, 2)),
        ([loss(25_00), loss(60_00, ("pan", 60_00))], 1, Fraction(1, 2)),
        ([loss(10_00, ("lid", 10_00))], Fraction(1, 11), Fraction(1, 11)),  # an item that the order never had
        ([loss(500_00, ("pot", 40_00))], 1, 1),  # more than was paid
        ([loss(20_00, ("pan", 60_00))], Fraction(2, 11), Fraction(2, 11)),  # items beyond the amount are not believed
    ],
)
def test_what_came_back(losses: list[Loss], pan: Any, pot: Any) -> None:
    assert returned(LINES, losses, paid_minor=110_00) == {"pan": pan, "pot": pot}  # ten for shipping


amounts = st.integers(0, 150_00)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(amounts, st.sampled_from(["pan", "pot", "lid", None])), max_size=4), st.integers(100_00, 130_00)
)
def test_no_line_comes_back_more_than_once_and_one_more_refund_takes_nothing_away(
    told: list[tuple[int, str | None]], paid: int
) -> None:
    losses = [loss(amount, *([(sku, amount)] if sku else [])) for amount, sku in told]
    before = dict.fromkeys(LINES, Fraction(0))
    for number in range(len(losses) + 1):
        found = returned(LINES, losses[:number], paid_minor=paid)
        assert all(before[sku] <= part <= 1 for sku, part in found.items())
        before = found
    assert returned(LINES, losses, paid_minor=paid) == returned(LINES, losses[::-1], paid_minor=paid)


def test_a_category_has_as_much_revenue_as_in_the_report_by_category(session: Session) -> None:
    program = make_program(session)
    sold = make_commission(session, program=program, partner=make_partner(session, program=program), earned_at=NOW)
    items = [
        {"sku": sku, "group": group, "amount_minor": 1} for sku, group in (("a", "iron"), ("b", "wood"), ("c", "iron"))
    ]
    session.get_one(Conversion, sold.conversion_id).items = items
    session.flush()
    days: dict[str, Any] = {"program_id": program.id, "period": last_days(7, now=NOW, zone="UTC"), "currency": "EUR"}
    found = goods_queries.bought(session, by=CATEGORY, **days)
    reported = facts_by_item(session, by=CATEGORY, partner_id=None, **days)
    amounts = {label: (good.revenue_minor, good.earned_minor) for label, good in found.items()}
    assert amounts == {label: (one.revenue_minor, one.earned_minor) for label, one in reported.items()}
    assert amounts["iron"] == (66_67, 6_67)


def test_an_order_whose_click_is_past_its_term_is_of_no_page(session: Session) -> None:
    program = make_program(session)
    sold = make_commission(session, program=program, partner=make_partner(session, program=program), earned_at=NOW)
    tell_origin(session, sold, click_id=ids.new())
    days: dict[str, Any] = {"program_id": program.id, "period": last_days(7, now=NOW, zone="UTC"), "currency": "EUR"}
    assert goods_queries.landed(session, **days) == []
