"""Events for tests of ingest and attribution: one program's clicks and orders, with sane defaults."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from affiliate import ids
from affiliate.tracking.codec import ClickEvent, ConversionEvent, OrderStageEvent, RefundEvent, RejectedEvent, Trust

NOW = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
PROGRAM_ID = UUID("01998f00-0000-7000-8000-0000000000b1")
PARTNER_ID = UUID("01998f00-0000-7000-8000-0000000000b2")
LINK_ID = UUID("01998f00-0000-7000-8000-0000000000b3")
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"


def numbered(number: int, *, version: int = 7) -> UUID:
    """A UUID that is the same in every run."""
    return UUID(int=(0x01998F00 << 96) | (version << 76) | (2 << 62) | number)


def click(number: int = 1, *, seconds: float = 0, **changes: Any) -> ClickEvent:
    """A person's click on the link, `seconds` after an hour before NOW."""
    occurred_at = NOW - timedelta(hours=1) + timedelta(seconds=seconds)
    values: dict[str, Any] = {
        "click_id": numbered(number),
        "program_id": PROGRAM_ID,
        "partner_id": PARTNER_ID,
        "link_id": LINK_ID,
        "occurred_at": occurred_at,
        "source": "redirect",
        "link_state": "active",
        "method": "GET",
        "purpose": None,
        "fetch_dest": "document",
        "visitor_id": None,
        "subs": {},
        "landing_url": "https://www.shop.example/",
        "referrer": None,
        "user_agent": BROWSER,
        "address_prefix": "192.0.2.0/24",
        "address_hash": f"{number:064x}",
    }
    return ClickEvent(**values | changes)


def sale(order_id: str = "1001", *, seconds: float = 0, delivery: int = 1, **changes: Any) -> ConversionEvent:
    """An order of 100.00 told by the shop's server, `seconds` after NOW. The body's fingerprint follows its amount."""
    moment = NOW + timedelta(seconds=seconds)
    values: dict[str, Any] = {
        "delivery_id": numbered(delivery),
        "conversion_id": ids.conversion(program_id=PROGRAM_ID, kind="sale", order_id=order_id),
        "program_id": PROGRAM_ID,
        "kind": "sale",
        "order_id": order_id,
        "trust": Trust.SERVER.value,
        "source": "api",
        "is_test": False,
        "amount_minor": 100_00,
        "tax_minor": 0,
        "shipping_minor": 0,
        "discount_minor": 0,
        "currency": "EUR",
        "click_id": None,
        "click_refusal": None,
        "visitor_id": None,
        "coupon": None,
        "customer_id": None,
        "email_hash": None,
        "new_customer": None,
        "channel": None,
        "payment_method": None,
        "items": [],
        "occurred_at": moment,
        "received_at": moment,
    }
    values |= changes
    values.setdefault("fingerprint", f"{values['amount_minor']:064x}")
    return ConversionEvent(**values)


def stage(
    event_id: str = "e1", *, order_id: str = "1001", seconds: float = 0, delivery: int = 1, **changes: Any
) -> OrderStageEvent:
    """The order was paid, `seconds` after NOW."""
    moment = NOW + timedelta(seconds=seconds)
    values: dict[str, Any] = {
        "delivery_id": numbered(delivery),
        "order_event_id": ids.order_event(program_id=PROGRAM_ID, order_id=order_id, event_id=event_id),
        "conversion_id": ids.conversion(program_id=PROGRAM_ID, kind="sale", order_id=order_id),
        "program_id": PROGRAM_ID,
        "order_id": order_id,
        "event_id": event_id,
        "type": "paid",
        "amount_minor": None,
        "currency": None,
        "tax_minor": None,
        "shipping_minor": None,
        "fingerprint": "0" * 64,
        "is_test": False,
        "occurred_at": moment,
        "received_at": moment,
    }
    return OrderStageEvent(**values | changes)


def amendment(event_id: str = "a1", *, amount_minor: int | None = 80_00, **changes: Any) -> OrderStageEvent:
    """The order's amounts changed."""
    return stage(
        event_id, type="amended", amount_minor=amount_minor, currency=changes.pop("currency", "EUR"), **changes
    )


def refund(
    refund_id: str = "r1", *, order_id: str = "1001", seconds: float = 0, delivery: int = 1, **changes: Any
) -> RefundEvent:
    """The customer got 30.00 back, `seconds` after NOW."""
    moment = NOW + timedelta(seconds=seconds)
    values: dict[str, Any] = {
        "delivery_id": numbered(delivery),
        "refund_uuid": ids.refund(program_id=PROGRAM_ID, order_id=order_id, refund_id=refund_id),
        "conversion_id": ids.conversion(program_id=PROGRAM_ID, kind="sale", order_id=order_id),
        "program_id": PROGRAM_ID,
        "order_id": order_id,
        "refund_id": refund_id,
        "amount_minor": 30_00,
        "currency": "EUR",
        "items": [],
        "reason": None,
        "fingerprint": "0" * 64,
        "is_test": False,
        "occurred_at": moment,
        "received_at": moment,
    }
    return RefundEvent(**values | changes)


def rejection(delivery: int = 1, **changes: Any) -> RejectedEvent:
    """A pixel with a wrong signature."""
    values: dict[str, Any] = {
        "delivery_id": numbered(delivery),
        "program_id": PROGRAM_ID,
        "kind": "conversion",
        "reason": "bad_signature",
        "payload": {"order_id": "1001"},
        "received_at": NOW,
    }
    return RejectedEvent(**values | changes)
