"""Orders from a table: the same stream and rules as by API, a result for each row, and nothing twice."""

import pytest
from shop_cast import Shop

from affiliate import clock, imports
from affiliate.tracking import order_import, rawlog
from affiliate.tracking.codec import ConversionEvent, OrderStageEvent, Trust
from affiliate.tracking.order_import import RowResult

TABLE = """Order ID;amount;currency;coupon;new_customer;state;occurred_at;test
1001;49.90;EUR;anna10;yes;paid;2026-11-01T10:00:00+01:00;
1002;5;;;;;;true
1003;1.999;EUR;;perhaps;;;
"""


def take(shop: Shop, table: str) -> list[RowResult]:
    """Import a table as somebody uploads it."""
    program = shop.tracker.program("ondera")
    return order_import.import_orders(
        table.encode("utf-8-sig"), program=program, keys=shop.tracker.keys, buffer=shop.tracker.buffer, now=clock.now()
    )


def test_each_row_is_an_order_as_by_api_and_says_what_became_of_it(shop: Shop) -> None:
    results = take(shop, TABLE)
    assert [(result.number, result.order_id, result.status) for result in results] == [
        (2, "1001", "accepted"),
        (3, "1002", "accepted"),
        (4, "1003", "refused"),
    ]
    assert [problem.column for problem in results[2].problems] == ["new_customer"]
    first, second, paid = shop.stored()
    assert isinstance(first, ConversionEvent)
    assert (first.trust, first.source, first.amount_minor, first.coupon) == (Trust.SERVER, "import", 49_90, "ANNA10")
    assert (first.new_customer, first.is_test, first.occurred_at.hour) == (True, False, 9)
    assert (second.is_test, second.currency, second.amount_minor) == (True, "EUR", 5_00)
    assert isinstance(paid, OrderStageEvent)
    assert (paid.type, paid.order_id) == ("paid", "1001")


def test_each_column_that_is_wrong_has_a_sentence(shop: Shop) -> None:
    wrong = {
        "order_id": "x" * 121, "amount": "4.999", "currency": "QQQ", "kind": "A!", "click_id": "c" * 101, "coupon": "c" * 61,
        "customer_id": "c" * 121, "email_sha256": "nobody@example.com", "new_customer": "perhaps", "tax": "-1",
        "shipping": "much", "discount": "1,5", "payment_method": "c" * 41, "state": "lost", "channel": "c" * 41,
        "occurred_at": "yesterday", "test": "no way",
    }  # fmt: skip
    assert [*wrong] == [*order_import.REQUIRED, *order_import.OPTIONAL]
    assert {*order_import.SENTENCES} == {*wrong, "program"}  # an archived one: no column of the table
    for column, text in wrong.items():
        cells = {"order_id": "1001", "amount": "5"} | {column: f'"{text}"'}
        [result] = take(shop, f"{','.join(cells)}\n{','.join(cells.values())}\n")
        assert [problem.column for problem in result.problems] == [column]
        assert result.problem.startswith(f"{column}: ")
    assert shop.stored() == []


def test_the_same_table_again_changes_nothing_and_another_body_is_refused(shop: Shop) -> None:
    take(shop, TABLE)
    before = len(shop.stored())
    assert [result.status for result in take(shop, TABLE)] == ["known", "known", "refused"]
    changed = take(shop, TABLE.replace("49.90", "59.90"))
    assert changed[0].status == "refused"
    assert [problem.sentence for problem in changed[0].problems] == [order_import.OTHER_CONTENT]
    assert len(shop.stored()) == before


def test_an_order_that_came_by_api_is_known_in_the_table(shop: Shop) -> None:
    body = {"program": "ondera", "order_id": "1002", "amount": "5", "currency": "EUR", "test": True}
    assert shop.post("/conversions", body).status_code == 202
    assert [result.status for result in take(shop, TABLE)] == ["accepted", "known", "refused"]


def test_rows_are_shown_among_the_last_requests_without_the_customer(shop: Shop) -> None:
    take(shop, "order_id,amount,customer_id\n1001,5,c-17\n")
    [shown] = rawlog.last(shop.redis_client, program_id=shop.program.id)
    assert (shown.source, shown.summary["order_id"]) == ("import", "1001")
    assert "c-17" not in str(shown)


@pytest.mark.parametrize("table", ["", "order_id\n1001\n", "order_id,amount,amount\n", "order_id,amount\n\0"])
def test_a_file_that_is_no_such_table_is_refused_whole(shop: Shop, table: str) -> None:
    with pytest.raises(imports.BadTable):
        take(shop, table)
    assert shop.stored() == []
