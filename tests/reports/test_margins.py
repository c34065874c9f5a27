"""What sales leave the shop: by line of an order, and by partner as counted one by one."""

from contextvars import Context
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest
from factories import make_commission, make_partner, make_plan, make_program, make_refund
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.accounts.actors import SYSTEM
from affiliate.errors import Invalid
from affiliate.ingest.models import Conversion
from affiliate.programs.models import ProgramStatus
from affiliate.reports import jobs, margin_rules, margin_store, margins
from affiliate.reports.margin_rules import Margin, Piece
from affiliate.reports.models import ShopDay
from affiliate.reports.periods import Period
from affiliate.reports.written_models import CountedGrid

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
NOVEMBER = Period(date(2026, 11, 1), date(2026, 12, 1), "Europe/Rome")
_PIECE = Piece("iron", paid_minor=120_00, discount_minor=10_00, tax_minor=20_00)


def test_each_line_goes_by_the_margin_of_its_category_then_all_others_then_the_shop() -> None:
    own, others, shop, nothing = (
        margin_rules.of_piece(_PIECE, known, bps)
        for known, bps in (({"iron": 4000, "": 1000}, 5000), ({"": 1000}, 5000), ({"glass": 4000}, 5000), ({}, None))
    )
    assert [one.goods_minor for one in (own, others, shop)] == [
        60_00,
        90_00,
        40_00,
    ]  # of 100.00 net; half of 120.00 is kept
    assert (nothing.unknown_minor, nothing.left_minor, own.left_minor) == (100_00, None, 40_00)
    assert own.listed_minor - own.discount_minor - own.returned_minor - own.tax_minor == own.net_minor == 100_00


def test_what_came_back_takes_its_tax_and_its_goods_with_it() -> None:
    half = margin_rules.of_piece(Piece("iron", 120_00, 0, 20_00, Fraction(1, 2)), {"iron": 4000}, None)
    assert (half.returned_minor, half.tax_minor, half.net_minor, half.goods_minor) == (60_00, 10_00, 50_00, 30_00)
    all_ = margin_rules.of_piece(Piece("iron", 120_00, 0, 20_00, Fraction(1)), {"iron": 4000}, None)
    assert (all_.net_minor, all_.goods_minor, all_.left_minor) == (0, 0, 0)


def test_partners_cost_is_taken_off_last() -> None:
    found = Margin(listed_minor=100_00, goods_minor=60_00, earned_minor=8_00, spent_minor=2_00)
    assert (found.left_minor, found.left_bps, found.roi_bps) == (30_00, 3000, 30000)
    assert Margin().left_bps is None
    assert Margin().roi_bps is None


def test_sales_of_a_month_add_up_by_partner(session: Session) -> None:
    program = make_program(session)
    first, second = (make_partner(session, program=program) for _ in range(2))
    margins.set_margins(session, program_id=program.id, margins={"iron": 4000}, actor=SYSTEM, now=NOW)
    items = [
        {"sku": "pan", "group": "iron", "quantity": 1, "amount_minor": 75_00},
        {"sku": "lid", "quantity": 1, "amount_minor": 25_00},
    ]
    for partner, lines, refund in ((first, items, None), (first, [], 100_00), (second, items, 25_00)):
        sold = make_commission(session, program=program, partner=partner, earned_at=NOW)
        order = session.get_one(Conversion, sold.conversion_id)
        order.items, order.tax_minor, order.discount_minor = lines, 20_00, 4_00
        if refund:
            make_refund(session, conversion=order, amount_minor=refund)
    make_commission(session, program=program, partner=second, earned_at=NOW.replace(month=10))
    session.flush()
    here: dict[str, Any] = {"program_id": program.id, "currency": "EUR", "period": NOVEMBER}
    found = margins.by_partner(session, **here)
    # 75.00 iron with 15.00 tax: 60.00 net, 36.00 goods; the lid's 20.00 net are of no known margin
    assert found[first.id] == Margin(2, 208_00, 8_00, 100_00, 20_00, 36_00, 20_00, 20_00, 0)
    # a quarter came back: 45.00 net, 27.00 goods; 15.00 unknown
    assert found[second.id] == Margin(1, 104_00, 4_00, 25_00, 15_00, 27_00, 15_00, 10_00, 0)
    session.add(
        ShopDay(
            program_id=program.id, day=NOW.date(), currency="EUR", orders=3, revenue_minor=300_00, costs_minor=150_00,
            updated_at=NOW,
        )
    )  # fmt: skip
    session.flush()
    known = margins.by_partner(session, **here)
    assert (
        known[second.id].goods_minor == 27_00 + 15_00 - 9_38
    )  # 18.75 were paid for the lid and kept, half of it stays
    assert known[second.id].left_minor == 60_00 - 32_62 - 10_00


def test_an_order_that_partners_share_is_one_of_each_and_one_in_all(session: Session) -> None:
    program = make_program(session)
    first, second = (make_partner(session, program=program) for _ in range(2))
    sold, shared = (make_commission(session, program=program, partner=one, earned_at=NOW) for one in (first, second))
    shared.conversion_id = sold.conversion_id
    make_commission(session, program=program, partner=second, earned_at=NOW)
    session.flush()
    found = margins.by_partner(session, program_id=program.id, currency="EUR", period=NOVEMBER)
    assert (found[first.id].orders, found[second.id].orders) == (1, 2)
    assert margin_rules.total(found.values()).distinct_orders == 2


def test_a_month_is_all_of_its_sales_however_many_are_read_at_once(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = make_program(session)
    first, second = (make_partner(session, program=program) for _ in range(2))
    for minute in (0, 0, 0, 0, 0, 1, 2):  # five of one moment, over the edges of batches
        sold = make_commission(session, program=program, partner=first, earned_at=NOW.replace(minute=minute))
    for minute in (0, 59):  # shared with the newest of the first, one of them far from it
        other = make_commission(session, program=program, partner=second, earned_at=NOW.replace(minute=minute))
        other.conversion_id, other.plan_id = (
            sold.conversion_id,
            make_plan(session, program=program, effective_from=other.earned_at).id,
        )
        make_refund(session, conversion=session.get_one(Conversion, sold.conversion_id), amount_minor=10_00)
    session.flush()
    here: dict[str, Any] = {"program_id": program.id, "currency": "EUR", "period": NOVEMBER}
    whole = margins.by_partner(session, **here)
    assert (whole[first.id].orders, whole[first.id].earned_minor, whole[first.id].listed_minor) == (7, 70_00, 700_00)
    assert (whole[second.id].orders, whole[second.id].earned_minor) == (1, 20_00)
    assert margin_rules.total(whole.values()).distinct_orders == 7
    for size in (1, 2, 3, 9):
        monkeypatch.setattr(margins, "BATCH", size)
        assert margins.by_partner(session, **here) == whole


def test_a_month_is_kept_until_margins_change(session: Session) -> None:
    program = make_program(session)
    partner = make_partner(session, program=program)
    make_commission(session, program=program, partner=partner, earned_at=NOW)
    month = margin_store.months(program, now=NOW)[0]
    assert month == date(2026, 11, 1)
    session.add_all(margin_store.grids_of(session, program_id=program.id, month=month, now=NOW))
    session.flush()
    make_commission(session, program=program, partner=partner, earned_at=NOW)

    def orders() -> int:
        by_partner, _at = margin_store.shown(session, program=program, month=month, now=NOW)
        in_sum, _at = margin_store.summed(session, program=program, month=month, now=NOW)
        assert in_sum.total.orders == by_partner[partner.id].orders
        return in_sum.total.orders

    assert orders() == 1
    program.status = ProgramStatus.PAUSED  # its orders still come back
    stale = [one for _id, one in margin_store.stale(session, now=NOW, limit=50) if _id == program.id]
    assert stale == margin_store.months(program, now=NOW)[1:]
    margins.set_margins(session, program_id=program.id, margins={"": 3000}, actor=SYSTEM, now=NOW)
    session.expire_all()
    assert orders() == 2


def test_the_sum_of_a_month_holds_those_who_sold_most(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(margin_store, "FIRST_MAX", 2)
    program = make_program(session)
    for sales in (1, 2, 3):
        partner = make_partner(session, program=program)
        for _ in range(sales):
            make_commission(session, program=program, partner=partner, earned_at=NOW)
    month = margin_store.months(program, now=NOW)[0]
    whole, _at = margin_store.shown(session, program=program, month=month, now=NOW)
    live, _at = margin_store.summed(session, program=program, month=month, now=NOW)
    session.add_all(margin_store.grids_of(session, program_id=program.id, month=month, now=NOW))
    session.flush()
    session.expire_all()
    kept, _at = margin_store.summed(session, program=program, month=month, now=NOW)
    assert kept == live
    assert (kept.total, kept.partners) == (margin_rules.total(whole.values()), 3)
    assert [(key, one.orders) for key, one in kept.first.items()] == [
        (key, number) for number in (3, 2) for key, one in whole.items() if one.orders == number
    ]


def test_a_month_that_was_counted_by_margins_of_before_is_not_kept(
    app_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = make_program(app_session)
    app_session.commit()
    count = margin_store.grids_of

    def grids_of(session: Session, **asked: Any) -> Any:
        """Counted, while somebody writes other margins down."""
        found = count(session, **asked)
        Context().run(write_down)  # as another process: nothing of it is for reading alone
        return found

    def write_down() -> None:
        with db.transaction() as session:
            margins.set_margins(session, program_id=program.id, margins={"": 3000}, actor=SYSTEM, now=NOW)

    monkeypatch.setattr(margin_store, "grids_of", grids_of)
    assert jobs.count_margins() == margin_store.MONTHS
    kept = app_session.query(CountedGrid).filter_by(program_id=program.id).count()
    assert kept == 2 * (margin_store.MONTHS - 1)  # by partner, and in sum


@pytest.mark.parametrize("bps", [-1, 10_001])
def test_a_margin_is_a_share(session: Session, bps: int) -> None:
    program = make_program(session)
    with pytest.raises(Invalid):
        margins.set_margins(session, program_id=program.id, margins={"": bps}, actor=SYSTEM, now=NOW)
