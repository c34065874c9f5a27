"""Reading a body without the library's walk: the same fields, the same words for what is wrong."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError

from affiliate.tracking import loading, schemas

SALE: dict[str, Any] = {"program": "ondera", "order_id": "1001", "amount": "49.90", "currency": "EUR"}
ITEM: dict[str, Any] = {"sku": "pot", "amount": "45.00"}
CONVERSION = schemas.NewConversionSchema()
REFUND = schemas.NewRefundSchema()


def outcome(load: Any, body: Any) -> Any:
    """What was read, or the library's words for what is wrong."""
    try:
        return load(body)
    except ValidationError as error:
        return error.messages


def swiftly(schema: Schema, body: Any) -> Any:
    """By our way."""
    return outcome(lambda value: loading.load(schema, value), body)


@pytest.mark.parametrize(
    "body",
    [
        SALE,
        SALE | {"kind": "lead", "test": True, "new_customer": False, "coupon": None, "items": None},
        SALE | {"items": [ITEM, ITEM | {"quantity": 2, "name": None}], "occurred_at": "2026-11-01T10:00:00+01:00"},
        SALE | {"state": "paid", "amount": 50},
        {"program": "ondera"},
        SALE | {"unknown": 1},
        SALE | {"program": None},
        SALE | {"amount": 1.5},
        SALE | {"state": "lost"},
        SALE | {"new_customer": 1},
        SALE | {"items": [ITEM | {"quantity": 0}]},
        SALE | {"items": [ITEM, {}, 5, None]},
        SALE | {"items": {}},
        SALE | {"items": [ITEM] * 501},
        SALE | {"occurred_at": "yesterday"},
        SALE | {"order_id": "a\nb"},
        [SALE],
        None,
        "text",
    ],
)
def test_a_body_is_read_as_the_library_reads_it(body: Any) -> None:
    assert swiftly(CONVERSION, body) == outcome(CONVERSION.load, body)


_values = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 3), st.floats(), st.text(max_size=5), st.sampled_from(["1.00", "EUR", "paid", "r1"]),
    st.lists(st.sampled_from([ITEM, ITEM | {"quantity": -1}, ITEM | {"x": 1}, 3]), max_size=2),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from([*REFUND.fields, "extra"]), _values))
def test_whatever_is_sent_is_read_as_the_library_reads_it(body: dict[str, Any]) -> None:
    sent = {"program": "ondera", "order_id": "1", "refund_id": "r1"} | body
    assert swiftly(REFUND, sent) == outcome(REFUND.load, sent)


def test_what_is_read_shares_nothing_with_the_schema() -> None:
    loading.load(CONVERSION, SALE)["kind"] = "changed"
    assert loading.load(CONVERSION, SALE)["kind"] == "sale"
