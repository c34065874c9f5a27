"""The people and things of the tracker's tests: one program, one partner, one link, and a request for it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from affiliate import ids
from affiliate.tracking.codec import ConversionEvent, Trust
from affiliate.tracking.decide import RequestFacts
from affiliate.tracking.facts import LinkFacts, ProgramFacts, View
from affiliate.tracking.keys import Keys

NOW = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
KEYS = Keys.of("a-secret-that-only-tests-know-0123456789")
PROGRAM_ID = UUID("01998f00-0000-7000-8000-0000000000a1")
PARTNER_ID = UUID("01998f00-0000-7000-8000-0000000000a2")
LINK_ID = UUID("01998f00-0000-7000-8000-0000000000a3")
CLICK_ID = UUID("01998f00-0000-7000-8000-0000000000a4")
VISITOR_ID = UUID("01998f00-0000-4000-8000-0000000000a5")
COOKIE_NAME = ids.public("aff_v", PROGRAM_ID)


def program(**changes: Any) -> ProgramFacts:
    """A live program in euro."""
    values: dict[str, Any] = {
        "id": PROGRAM_ID,
        "slug": "ondera",
        "is_live": True,
        "currency": "EUR",
        "shop_url": "https://www.shop.example/",
        "allowed_hosts": ("www.shop.example", "shop.example"),
        "fallback_url": None,
        "click_parameter": "aff_click",
        "cookie_by_default": False,
        "cookie_name": COOKIE_NAME,
        "attribution_window_days": 30,
        "pixel_secret": "the-secret-of-the-pixel",
    }
    return ProgramFacts(**values | changes)


def link(**changes: Any) -> LinkFacts:
    """A link to the shop's shoes."""
    values: dict[str, Any] = {
        "id": LINK_ID,
        "program_id": PROGRAM_ID,
        "partner_id": PARTNER_ID,
        "landing_url": "https://www.shop.example/shoes?colour=red#new",
        "subs": {},
        "is_paused": False,
        "expires_at": None,
    }
    return LinkFacts(**values | changes)


def view(*, of: ProgramFacts | None = None, link_facts: LinkFacts | None = None, approved: bool = True) -> View:
    """What the tracker knows: the program and the link under the code `anna`."""
    known = of or program()
    return View(
        programs={known.id: known},
        links={"anna": link_facts or link()},
        approved={(known.id, PARTNER_ID): LINK_ID} if approved else {},
        keys={},
        program_ids={known.slug: known.id},
    )


def request(**changes: Any) -> RequestFacts:
    """A person's browser opens the link."""
    values: dict[str, Any] = {
        "method": "GET",
        "code": "anna",
        "query": "",
        "is_secure": False,
        "address": "203.0.113.77",
        "cookies": "",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64)",
        "referrer": "https://blog.example/",
        "purpose": "",
        "fetch_dest": "document",
        "has_opted_out": False,
    }
    return RequestFacts(**values | changes)


def conversion(**changes: Any) -> ConversionEvent:
    """A sale of 49.90 euro, reported by the shop's server."""
    order_id = changes.get("order_id", "1001")
    values: dict[str, Any] = {
        "delivery_id": ids.new(),
        "conversion_id": ids.conversion(program_id=PROGRAM_ID, kind="sale", order_id=order_id),
        "program_id": PROGRAM_ID,
        "kind": "sale",
        "order_id": order_id,
        "trust": Trust.SERVER,
        "source": "api",
        "is_test": False,
        "amount_minor": 49_90,
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
        "fingerprint": "a" * 64,
        "occurred_at": NOW,
        "received_at": NOW,
    }
    return ConversionEvent(**values | changes)
