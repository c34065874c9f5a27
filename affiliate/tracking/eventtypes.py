"""What the tracker has to tell: one frozen value for each kind of event. Pure.

Named tuples rather than dataclasses: half a million of them are made and packed in a minute, and a frozen dataclass
costs a call for each field. Amounts are minor units, instants aware UTC.
"""

import enum
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

ClickSource = Literal["redirect", "tag", "site"]
"""Through a link of ours; by a link's code in the shop's own address; from a partner's confirmed site, without any code."""
LinkState = Literal["active", "link_paused", "link_expired", "partner_inactive", "program_inactive"]
Network = Literal["datacentre", "tor", "mobile"]
Consent = Literal["given", "refused", "default", "none"]
Step = Literal["product", "cart", "checkout"]
"""How far a visitor has come in the shop, in the order in which one comes there."""

_NOTHING: dict[str, str] = {}  # nobody changes an event, so all may share it


class Trust(enum.IntEnum):
    """How far the source of a conversion is believed."""

    OPEN = 1  # unsigned tag or pixel
    SIGNED = 2  # signed pixel, postback with token
    SERVER = 3  # API, store webhook, import, a manager


class ClickEvent(NamedTuple):
    """An arrival on a partner's link, with the facts from which ingest decides whether it counts.

    The address is truncated and hashed before it gets here; `visitor_id` exists only with consent.
    """

    click_id: UUID
    program_id: UUID
    partner_id: UUID
    link_id: UUID
    occurred_at: datetime
    source: ClickSource
    link_state: LinkState
    method: str
    purpose: str | None  # Sec-Purpose, Purpose or X-Moz: prefetch, prerender, preview
    fetch_dest: str | None  # Sec-Fetch-Dest
    visitor_id: UUID | None
    subs: dict[str, str]
    landing_url: str
    referrer: str | None
    user_agent: str | None
    address_prefix: str | None
    address_hash: str | None
    creative: str | None = None
    ad_ids: dict[str, str] = _NOTHING  # gclid and its like, by name
    utm: dict[str, str] = _NOTHING  # by name without the prefix: source, medium, campaign, term, content
    country: str | None = None  # ISO 3166, two letters
    network: Network | None = None
    consent: Consent = "none"
    fetch_site: str | None = None  # Sec-Fetch-Site
    fetch_user: str | None = None  # Sec-Fetch-User
    fetch_mode: str | None = None  # Sec-Fetch-Mode
    is_own_team: bool = False
    is_test: bool = False


class TouchEvent(NamedTuple):
    """A visitor came by another paid channel. `evidence` is the parameter that tells, as `gclid`; the click id is a partner's."""

    touch_id: UUID
    program_id: UUID
    occurred_at: datetime
    channel: str
    evidence: str
    visitor_id: UUID | None
    click_id: UUID | None


class StepEvent(NamedTuple):
    """The visit that began with a partner's click came this far. Click and step are its id: told again, it is the same."""

    click_id: UUID
    program_id: UUID
    step: Step
    is_test: bool
    received_at: datetime


class ConversionEvent(NamedTuple):
    """One delivery of a sale. Amounts are minor units of `currency`; `fingerprint` is of the body at this trust."""

    delivery_id: UUID
    conversion_id: UUID
    program_id: UUID
    kind: str
    order_id: str
    trust: int
    source: str
    is_test: bool
    amount_minor: int
    tax_minor: int
    shipping_minor: int
    discount_minor: int
    currency: str
    click_id: UUID | None
    click_refusal: str | None
    visitor_id: UUID | None
    coupon: str | None
    customer_id: str | None
    email_hash: str | None
    new_customer: bool | None
    channel: str | None
    payment_method: str | None
    items: list[dict[str, Any]]
    fingerprint: str
    occurred_at: datetime
    received_at: datetime


class OrderStageEvent(NamedTuple):
    """What became of an order. `amended` carries new totals in minor units; null means unchanged."""

    delivery_id: UUID
    order_event_id: UUID
    conversion_id: UUID
    program_id: UUID
    order_id: str
    event_id: str
    type: str
    amount_minor: int | None
    currency: str | None
    tax_minor: int | None
    shipping_minor: int | None
    fingerprint: str
    is_test: bool
    occurred_at: datetime
    received_at: datetime


class RefundEvent(NamedTuple):
    """Money given back to a customer, in minor units. A null amount means all that is left."""

    delivery_id: UUID
    refund_uuid: UUID
    conversion_id: UUID
    program_id: UUID
    order_id: str
    refund_id: str
    amount_minor: int | None
    currency: str | None
    items: list[dict[str, Any]]
    reason: str | None
    fingerprint: str
    is_test: bool
    occurred_at: datetime
    received_at: datetime


class RejectedEvent(NamedTuple):
    """A delivery that was understood and refused, kept with its reason and without personal data."""

    delivery_id: UUID
    program_id: UUID | None
    kind: str
    reason: str
    payload: dict[str, Any]
    received_at: datetime


Event = ClickEvent | TouchEvent | StepEvent | ConversionEvent | OrderStageEvent | RefundEvent | RejectedEvent
