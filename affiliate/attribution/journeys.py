"""All touches of a batch of orders, refused ones too, from a fixed number of queries."""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.attribution import customers, lookups
from affiliate.attribution.customers import Bond, Person
from affiliate.attribution.lookups import ClickRow, Look, Standing
from affiliate.attribution.policy import Policy
from affiliate.attribution.touches import Step, Touch, TouchRefusal
from affiliate.partners.classes import PartnerClass

WINDOWS_BACK = 2
"""Clicks up to this many windows old are considered, so that the trace can tell whoever came too late by how much."""

_SITE = "site"

HashEmail = Callable[[str], str]
"""From the SHA-256 of a normalised address, in hexadecimal digits, to what is stored with orders."""


@dataclass(frozen=True, slots=True)
class Order:
    """What of an order says who may have brought it."""

    id: UUID
    program_id: UUID
    kind: str
    occurred_at: datetime
    click_id: UUID | None
    click_refusal: str | None
    visitor_id: UUID | None
    coupon: str | None
    customer_id: str | None
    email_hash: str | None
    new_customer: bool | None
    channel: str | None
    is_test: bool


@dataclass(frozen=True, slots=True)
class Journey:
    """The touches of an order, and whether its customer had ordered before."""

    touches: list[Touch]
    has_earlier: bool


@dataclass(frozen=True, slots=True)
class _Found:
    named: Mapping[UUID, ClickRow]
    seen: Mapping[UUID, Mapping[UUID, ClickRow]]
    coupons: Mapping[tuple[UUID, str], Any]
    manual: Mapping[UUID, Any]
    bonds: Mapping[Step, Mapping[UUID, list[Bond]]]
    channels: Mapping[UUID, list[Any]]  # by order
    channels_by_click: Mapping[UUID, list[Any]]
    returning: Collection[UUID]


@dataclass(frozen=True, slots=True)
class _Partners:
    standings: Mapping[tuple[UUID, UUID], Standing]
    hashes: Mapping[UUID, Collection[str]]  # of the addresses of their people


def load(
    session: Session, *, orders: Sequence[Order], policies: Mapping[UUID, Policy], hash_email: HashEmail | None = None
) -> dict[UUID, Journey]:
    """The journey of each order, by its id. `policies` is by order id.

    Without `hash_email` a partner's own purchases are not known.
    """
    found = _find(session, orders, policies)
    raw = {order.id: list(_touches(order, found)) for order in orders}
    partners = _partners(session, orders, raw, hash_email)
    return {
        order.id: Journey([_judged(touch, order, partners) for touch in raw[order.id]], order.id in found.returning)
        for order in orders
    }


def _find(session: Session, orders: Sequence[Order], policies: Mapping[UUID, Policy]) -> _Found:
    program_ids = {order.program_id for order in orders}
    people = [_person(order) for order in orders if order.customer_id or order.email_hash]
    click_ids = {order.click_id for order in orders if order.click_id}
    looks = _looks(session, orders, policies, program_ids)
    channels, channels_by_click = lookups.channel_touches(session, looks=looks, click_ids=click_ids)
    return _Found(
        named=lookups.named_clicks(session, click_ids=click_ids),
        seen=lookups.visitor_clicks(session, looks=looks),
        channels=channels,
        channels_by_click=channels_by_click,
        coupons=lookups.coupons(
            session, program_ids=program_ids, codes={order.coupon.upper() for order in orders if order.coupon}
        ),
        manual=lookups.manual_credits(session, conversion_ids=[order.id for order in orders]),
        bonds={
            step: customers.bonds(session, people=_known_by(step, people, policies), by=step.value)
            for step in (Step.CUSTOMER, Step.EMAIL)
        },
        returning=customers.returning(session, people=people),
    )


def _looks(
    session: Session, orders: Sequence[Order], policies: Mapping[UUID, Policy], program_ids: Collection[UUID]
) -> list[Look]:
    promised = lookups.longest_promises(session, program_ids=program_ids)
    found = []
    for order in orders:
        if order.visitor_id is not None:
            policy = policies[order.id]
            days = max(policy.kind_windows.get(order.kind, policy.window_days), promised.get(order.program_id, 0))
            since = order.occurred_at - timedelta(days=WINDOWS_BACK * days)
            found.append(Look(order.id, order.program_id, order.visitor_id, since, order.occurred_at))
    return found


def _person(order: Order) -> Person:
    return Person(order.id, order.program_id, order.kind, order.occurred_at, order.customer_id, order.email_hash)


def _known_by(step: Step, people: Sequence[Person], policies: Mapping[UUID, Policy]) -> list[Person]:
    """Those that carry what the step asks for, where the policy asks."""
    return [
        person
        for person in people
        if step in policies[person.order_id].ladder and getattr(person, step.value) is not None
    ]


def _touches(order: Order, found: _Found) -> Iterator[Touch]:
    """What was found for one order, before it is known whose partner is what."""
    yield from _clicks(order, found)
    yield from _coupon(order, found)
    if (word := found.manual.get(order.id)) is not None:
        yield Touch("manual", order.occurred_at, (Step.MANUAL,), id=word.id, partner_id=word.partner_id)
    yield from _bound(order, found)
    yield from _channels(order, found)


def _clicks(order: Order, found: _Found) -> Iterator[Touch]:
    """The click that the order names, or why its name was not believed, and those of its visitor. Each once."""
    seen = dict(found.seen.get(order.id, {}))
    if order.click_refusal is not None:
        yield Touch("click", order.occurred_at, (Step.CLICK_ID,), flaw=TouchRefusal.TAMPERED_CLICK_ID)
    elif order.click_id is not None:
        named = found.named.get(order.click_id)
        if named is None or named.program_id != order.program_id:
            unknown = TouchRefusal.UNKNOWN_CLICK
            yield Touch("click", order.occurred_at, (Step.CLICK_ID,), id=order.click_id, flaw=unknown)
        else:
            both = seen.pop(named.id, None) is not None
            yield _click(named, (Step.CLICK_ID, Step.VISITOR) if both else (Step.CLICK_ID,), order)
    for click in seen.values():
        yield _click(click, (Step.VISITOR,), order)


def _click(click: ClickRow, steps: tuple[Step, ...], order: Order) -> Touch:
    flaw = None if lookups.is_creditable(click.verdict, is_test=order.is_test) else TouchRefusal.NOT_VALID
    if click.source == _SITE:  # whoever carries it, all that tells its partner is the page it came from
        steps = (Step.SITE,)
    return Touch(
        "click", click.occurred_at, steps, id=click.id, partner_id=click.partner_id, link_id=click.link_id, flaw=flaw
    )


def _coupon(order: Order, found: _Found) -> Iterator[Touch]:
    if not order.coupon:
        return
    code = order.coupon.upper()
    coupon = found.coupons.get((order.program_id, code))
    if coupon is None:
        yield Touch("coupon", order.occurred_at, (Step.COUPON,), code=code, flaw=TouchRefusal.UNKNOWN_COUPON)
    else:
        yield Touch("coupon", order.occurred_at, (Step.COUPON,), id=coupon.id, code=code, partner_id=coupon.partner_id)


def _bound(order: Order, found: _Found) -> Iterator[Touch]:
    """The earlier orders that bind the customer; one that both the id and the address find is one touch."""
    steps: dict[UUID, tuple[Step, ...]] = {}
    bonds: dict[UUID, Bond] = {}
    for step, by_order in found.bonds.items():
        for bond in by_order.get(order.id, ()):
            bonds[bond.order_id] = bond
            steps[bond.order_id] = (*steps.get(bond.order_id, ()), step)
    for order_id, bond in bonds.items():
        yield Touch("binding", bond.at, steps[order_id], id=order_id, partner_id=bond.partner_id)


def _channels(order: Order, found: _Found) -> Iterator[Touch]:
    """The contacts with other paid channels: the shop's word in the order, and what its pages saw."""
    if order.channel:
        yield Touch("channel", order.occurred_at, channel=order.channel.lower())
    seen = [*found.channels.get(order.id, ()), *found.channels_by_click.get(order.click_id or order.id, ())]
    for touch in {one.id: one for one in seen if one.program_id == order.program_id}.values():
        yield Touch("channel", touch.occurred_at, id=touch.id, channel=touch.channel.lower())


def _partners(
    session: Session, orders: Sequence[Order], raw: Mapping[UUID, Sequence[Touch]], hash_email: HashEmail | None
) -> _Partners:
    named = {touch.partner_id for touches in raw.values() for touch in touches if touch.partner_id}
    standings = lookups.standings(session, program_ids={order.program_id for order in orders}, partner_ids=named)
    asked = {touch.partner_id for order in orders if order.email_hash for touch in raw[order.id] if touch.partner_id}
    if hash_email is None or not asked:
        return _Partners(standings, {})
    people = lookups.addresses(session, partner_ids=asked)
    return _Partners(
        standings, {key: {hash_email(_digest(email)) for email in emails} for key, emails in people.items()}
    )


def _digest(email: str) -> str:
    """As shops hash an address: trimmed and in small letters."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()


def _judged(touch: Touch, order: Order, partners: _Partners) -> Touch:
    """The touch with what its partner is to the program and to the customer."""
    if touch.partner_id is None:
        return touch
    standing = partners.standings.get((order.program_id, touch.partner_id))
    flaw = touch.flaw
    if flaw is None and (standing is None or not standing.took_part(order.occurred_at)):
        flaw = TouchRefusal.PARTNER_INACTIVE
    elif flaw is None and order.email_hash in partners.hashes.get(touch.partner_id, ()):
        flaw = TouchRefusal.OWN_PURCHASE
    return Touch(
        touch.kind, touch.at, touch.steps, id=touch.id, code=touch.code, partner_id=touch.partner_id,
        link_id=touch.link_id, flaw=flaw,
        partner_class=standing.partner_class if standing else PartnerClass.STANDARD,
        window_days=standing.window_days if standing else None,
    )  # fmt: skip
