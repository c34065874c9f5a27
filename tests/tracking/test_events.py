"""From bodies to events: what a shop says, in our units, with ids that the same thing always has."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tracking_cast import CLICK_ID, KEYS, NOW, PROGRAM_ID, VISITOR_ID, program

from affiliate import ids, signing
from affiliate.tracking import events, schemas
from affiliate.tracking.body import BadFields, load
from affiliate.tracking.codec import ConversionEvent, OrderStageEvent, RefundEvent, Trust, decode, encode
from affiliate.tracking.events import Sender

SERVER = Sender(source="api", trust=Trust.SERVER)
TOKEN = signing.click_token(KEYS.click, program_id=PROGRAM_ID, click_id=CLICK_ID)
SALE = {"program": "ondera", "order_id": "1001", "amount": "49.90", "currency": "EUR"}
REFUND = {"program": "ondera", "order_id": "1001", "refund_id": "r1"}
SHIPPED = {"program": "ondera", "event_id": "e1", "type": "shipped"}


def sale(*, sender: Sender = SERVER, now: datetime = NOW, **changes: Any) -> ConversionEvent:
    """The sale, with changes."""
    body = load(schemas.NewConversionSchema(), SALE | changes)
    return events.conversion(body, program=program(), sender=sender, keys=KEYS, now=now)


def refund(**changes: Any) -> RefundEvent:
    """The refund, with changes."""
    body = load(schemas.NewRefundSchema(), REFUND | changes)
    return events.refund(body, program=program(), sender=SERVER, now=NOW)


def stage(**changes: Any) -> OrderStageEvent:
    """The order event, with changes."""
    body = load(schemas.NewOrderEventSchema(), SHIPPED | changes)
    return events.order_stage(body, order_id="1001", program=program(), sender=SERVER, now=NOW)


def wrong(make: Any, **changes: Any) -> dict[str, list[str]]:
    """The fields that are named as wrong."""
    with pytest.raises(BadFields) as caught:
        make(**changes)
    return caught.value.errors


def test_a_sale_has_the_id_of_its_order_and_amounts_in_minor_units() -> None:
    event = sale(tax="9.00", shipping="4.90", discount="5", coupon=" anna10 ", kind="lead")
    assert event.conversion_id == ids.conversion(program_id=PROGRAM_ID, kind="lead", order_id="1001")
    assert (event.amount_minor, event.tax_minor, event.shipping_minor, event.discount_minor) == (4990, 900, 490, 500)
    assert event.coupon == "ANNA10"
    assert event.occurred_at == event.received_at == NOW
    assert ids.moment_of(event.delivery_id) == NOW
    assert decode(encode(event)) == event


@pytest.mark.parametrize(("code", "text", "minor"), [("JPY", "4990", 4990), ("KWD", "4.990", 4990), ("EUR", 49, 4900)])
def test_amounts_follow_the_currency_that_the_body_names_whatever_the_programs(
    code: str, text: str, minor: int
) -> None:
    body = load(schemas.NewConversionSchema(), SALE | {"currency": code, "amount": text})
    event = events.conversion(body, program=program(currency="EUR"), sender=SERVER, keys=KEYS, now=NOW)
    assert (event.amount_minor, event.currency) == (minor, code)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": 49.9}, "amount"),
        ({"amount": float("nan")}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": None}, "amount"),
        ({"amount": "-1"}, "amount"),
        ({"amount": "49.901"}, "amount"),
        ({"amount": "1_000"}, "amount"),
        ({"amount": "1e3"}, "amount"),
        ({"amount": " 49.90"}, "amount"),
        ({"amount": "٤٩"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": "9" * 16}, "amount"),
        ({"amount": ["49.90"]}, "amount"),
        ({"tax": "1.999"}, "tax"),
        ({"shipping": 1.0}, "shipping"),
        ({"currency": "QQQ"}, "currency"),
        ({"currency": "eur"}, "currency"),
        ({"currency": "EUR\n"}, "currency"),
        ({"currency": 978}, "currency"),
        ({"order_id": ""}, "order_id"),
        ({"order_id": "a\nb"}, "order_id"),
        ({"order_id": "a\x1fb"}, "order_id"),
        ({"order_id": "x" * 121}, "order_id"),
        ({"order_id": 1001}, "order_id"),
        ({"kind": "Sale!"}, "kind"),
        ({"kind": "sale\n"}, "kind"),
        ({"new_customer": 1}, "new_customer"),
        ({"new_customer": "yes"}, "new_customer"),
        ({"test": "true"}, "test"),
        ({"email_sha256": "anna@example.test"}, "email_sha256"),
        ({"state": "lost"}, "state"),
        ({"items": {}}, "items"),
        ({"items": [{"sku": "a", "amount": "1", "quantity": 1.9}]}, "items.0.quantity"),
        ({"items": [{"sku": "a", "amount": "1", "quantity": 0}]}, "items.0.quantity"),
        ({"items": [{"sku": "a", "amount": "1"}, {"sku": "b", "amount": "1.001"}]}, "items.1.amount"),
        ({"items": [{"sku": "a"}]}, "items.0.amount"),
        ({"items": [{"sku": "a", "amount": "1"}] * 501}, "items"),
        ({"occurred_at": "2026-11-16T12:00:00"}, "occurred_at"),
        ({"occurred_at": "2026-11-18T12:00:00Z"}, "occurred_at"),
        ({"occurred_at": "1999-01-01T00:00:00Z"}, "occurred_at"),
        ({"occurred_at": "9999-12-31T23:59:59-23:59"}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+23:59"}, "occurred_at"),
        ({"occurred_at": 1763294400}, "occurred_at"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_field_of_a_sale_is_named(changes: dict[str, Any], field: str) -> None:
    assert list(wrong(sale, **changes)) == [field]


def test_all_wrong_amounts_are_named_at_once() -> None:
    assert set(wrong(sale, amount="x", tax="y", currency="QQQ")) == {"amount", "tax", "currency"}


def test_a_click_token_is_read_and_a_made_up_one_is_named_as_such() -> None:
    assert (sale(click_id=TOKEN).click_id, sale(click_id=TOKEN).click_refusal) == (CLICK_ID, None)
    assert (sale(click_id="made-up").click_id, sale(click_id="made-up").click_refusal) == (None, "tampered_click_id")
    assert (sale().click_id, sale().click_refusal) == (None, None)


def test_a_hash_of_an_e_mail_address_is_keyed_again() -> None:
    event = sale(email_sha256="AB" * 32)
    assert event.email_hash == sale(email_sha256="ab" * 32).email_hash
    assert "ab" * 32 not in str(event).lower()


def test_items_keep_what_was_said_about_them() -> None:
    event = sale(
        items=[{"sku": "a", "name": None, "amount": "20"}, {"sku": "b", "quantity": 2, "amount": "29.90", "group": "x"}]
    )
    assert event.items == [
        {"sku": "a", "quantity": 1, "amount_minor": 2000},
        {"sku": "b", "quantity": 2, "amount_minor": 2990, "group": "x"},
    ]


@pytest.mark.parametrize(("key_is_test", "body_is_test"), [(True, False), (False, True), (True, True), (False, False)])
def test_a_test_key_or_a_test_order_makes_a_test(*, key_is_test: bool, body_is_test: bool) -> None:
    event = sale(sender=Sender(source="api", trust=Trust.SERVER, is_test=key_is_test), test=body_is_test)
    assert event.is_test == (key_is_test or body_is_test)


def test_the_same_words_have_the_same_fingerprint_at_any_time_and_from_any_browser() -> None:
    later = sale(now=NOW + timedelta(days=1), sender=Sender(source="api", trust=Trust.SERVER, visitor_id=VISITOR_ID))
    assert later.fingerprint == sale().fingerprint
    assert sale(amount="49.9", tax=None, test=False, kind="sale", items=[]).fingerprint == sale().fingerprint
    in_rome = sale(occurred_at="2026-11-16T12:00:00+01:00")
    assert sale(occurred_at="2026-11-16T11:00:00Z").fingerprint == in_rome.fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "49.91"},
        {"tax": "1"},
        {"coupon": "X"},
        {"click_id": TOKEN},
        {"customer_id": "c"},
        {"email_sha256": "ab" * 32},
        {"new_customer": False},
        {"channel": "mail"},
        {"payment_method": "card"},
        {"items": [{"sku": "a", "amount": "1"}]},
        {"occurred_at": "2026-11-16T11:00:00Z"},
        {"test": True},
    ],
)
def test_other_words_have_another_fingerprint(changes: dict[str, Any]) -> None:
    assert sale(**changes).fingerprint != sale().fingerprint


@given(st.text(st.characters(min_codepoint=32, exclude_categories=("Cs", "Cc")), min_size=1, max_size=120))
def test_any_printable_order_id_survives_the_trip(order_id: str) -> None:
    event = sale(order_id=order_id)
    assert event.order_id == order_id
    assert decode(encode(event)) == event


def test_a_state_is_an_order_event_of_its_own_that_does_not_change_the_sale() -> None:
    event = sale(state="paid")
    assert event.fingerprint == sale().fingerprint
    paid = events.stage_of_conversion(event, "paid")
    assert paid is not None
    assert (paid.type, paid.conversion_id, paid.occurred_at) == ("paid", event.conversion_id, NOW)
    assert events.stage_of_conversion(event, "paid").fingerprint == paid.fingerprint  # type: ignore[union-attr]
    assert events.stage_of_conversion(event, "pending") is None
    assert events.stage_of_conversion(event, None) is None


def test_an_order_event_belongs_to_its_order() -> None:
    event = stage(occurred_at="2026-11-15T12:00:00Z")
    assert event.conversion_id == ids.conversion(program_id=PROGRAM_ID, kind="sale", order_id="1001")
    assert event.order_event_id == ids.order_event(program_id=PROGRAM_ID, order_id="1001", event_id="e1")
    assert event.occurred_at == datetime(2026, 11, 15, 12, tzinfo=UTC)
    assert (event.amount_minor, event.currency) == (None, None)


def test_an_amendment_carries_new_totals() -> None:
    event = stage(type="amended", amount="30.00", tax="5")
    assert (event.amount_minor, event.tax_minor, event.shipping_minor, event.currency) == (3000, 500, None, "EUR")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": "amended"}, "amount"),
        ({"type": "lost"}, "type"),
        ({"amount": "1"}, "amount"),
        ({"type": "amended", "amount": "1", "currency": "QQQ"}, "currency"),
        ({"type": "amended", "amount": "1.001"}, "amount"),
        ({"event_id": ""}, "event_id"),
        ({"order_id": "1"}, "order_id"),
    ],
)
def test_a_wrong_field_of_an_order_event_is_named(changes: dict[str, Any], field: str) -> None:
    assert list(wrong(stage, **changes)) == [field]


def test_a_refund_without_an_amount_gives_back_all_that_is_left() -> None:
    event = refund()
    assert (event.amount_minor, event.currency, event.items) == (None, None, [])
    assert event.refund_uuid == ids.refund(program_id=PROGRAM_ID, order_id="1001", refund_id="r1")


def test_the_items_of_a_refund_add_up_unless_an_amount_is_given() -> None:
    items = [{"sku": "a", "amount": "10.00"}, {"sku": "b", "amount": "5.50"}]
    assert refund(items=items).amount_minor == 1550
    assert refund(items=items, amount="12").amount_minor == 1200


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "-5"}, "amount"),
        ({"amount": 5.0}, "amount"),
        ({"amount": "5", "currency": "QQQ"}, "currency"),
        ({"items": [{"sku": "a", "amount": "0"}]}, "amount"),
        ({"refund_id": None}, "refund_id"),
        ({"reason": "x" * 201}, "reason"),
        ({"items": [{"sku": "a", "amount": "x"}]}, "items.0.amount"),
    ],
)
def test_a_wrong_field_of_a_refund_is_named(changes: dict[str, Any], field: str) -> None:
    assert field in wrong(refund, **changes)


def test_an_id_does_not_depend_on_the_moment() -> None:
    assert isinstance(sale(now=NOW + timedelta(days=9)).conversion_id, UUID)
    assert sale(now=NOW + timedelta(days=9)).conversion_id == sale().conversion_id
    assert sale(now=NOW + timedelta(days=9)).delivery_id != sale().delivery_id


def test_a_refund_that_names_no_currency_is_left_to_its_orders() -> None:
    assert (refund(amount="5.50").amount_minor, refund(amount="5.50").currency) == (5_50, None)
    yen = refund(amount="550", currency="JPY")
    assert (yen.amount_minor, yen.currency) == (550, "JPY")


def test_an_archived_program_takes_no_order_and_still_hears_of_those_from_before() -> None:
    closed, body = program(is_archived=True), load(schemas.NewConversionSchema(), SALE)
    with pytest.raises(BadFields) as caught:
        events.conversion(body, program=closed, sender=SERVER, keys=KEYS, now=NOW)
    assert list(caught.value.errors) == ["program"]
    given_back = load(schemas.NewRefundSchema(), REFUND)
    assert events.refund(given_back, program=closed, sender=SERVER, now=NOW).order_id == "1001"
