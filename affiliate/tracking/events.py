"""From a body that has the right shape to an event: amounts in the currency that it names, else the program's, ids derived, click tokens read.

The fingerprint covers what the sender said and nothing that we added, so that the same body has the same one at any time.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from affiliate import ids, money, signing
from affiliate.tracking.body import BadFields
from affiliate.tracking.codec import ConversionEvent, OrderStageEvent, RefundEvent, Trust
from affiliate.tracking.facts import ProgramFacts
from affiliate.tracking.keys import Keys, email_hash

FUTURE_MAX = timedelta(days=1)
OCCURRED_MIN = datetime(2000, 1, 1, tzinfo=UTC)
TAMPERED_CLICK_ID = "tampered_click_id"

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who reports an event, and how far it is believed."""

    source: str
    trust: Trust
    is_test: bool = False
    visitor_id: UUID | None = None


def conversion(body: Body, *, program: ProgramFacts, sender: Sender, keys: Keys, now: datetime) -> ConversionEvent:
    """The sale in a body of `NewConversionSchema`.

    Raises:
        BadFields: a currency or an amount that is none, an impossible time, an archived program.
    """
    if program.is_archived:
        raise BadFields({"program": ["This program is archived and takes no orders any more."]})
    reading = _Reading(body, program, now)
    click_text = body.get("click_id")
    click_id = _click(click_text, program=program, keys=keys)
    email = body.get("email_sha256")
    coupon = body.get("coupon")
    facts: dict[str, Any] = {
        "kind": body["kind"],
        "order_id": body["order_id"],
        "is_test": body["test"] or sender.is_test,
        "amount_minor": reading.amount(body, "amount"),
        "tax_minor": reading.amount(body, "tax"),
        "shipping_minor": reading.amount(body, "shipping"),
        "discount_minor": reading.amount(body, "discount"),
        "currency": reading.currency,
        "coupon": coupon.strip().upper() if coupon else None,
        "customer_id": body.get("customer_id"),
        "email_hash": email_hash(keys, email) if email else None,
        "new_customer": body.get("new_customer"),
        "channel": body.get("channel"),
        "payment_method": body.get("payment_method"),
        "items": reading.items(body),
    }
    given_at = reading.occurred_at(body)
    reading.check()
    return ConversionEvent(
        delivery_id=ids.new_at(now),
        conversion_id=ids.conversion(program_id=program.id, kind=body["kind"], order_id=body["order_id"]),
        program_id=program.id,
        trust=sender.trust,
        source=sender.source,
        click_id=click_id,
        click_refusal=TAMPERED_CLICK_ID if click_text and click_id is None else None,
        visitor_id=sender.visitor_id,
        fingerprint=_fingerprint(facts | {"click": click_text, "occurred_at": given_at}),
        occurred_at=given_at or now,
        received_at=now,
        **facts,
    )


def order_stage(body: Body, *, order_id: str, program: ProgramFacts, sender: Sender, now: datetime) -> OrderStageEvent:
    """What became of an order, from a body of `NewOrderEventSchema`.

    Raises:
        BadFields: totals without `amended` or `amended` without totals, and what makes a conversion wrong.
    """
    reading = _Reading(body, program, now)
    totals = {name: body.get(name) for name in ("amount", "tax", "shipping")}
    given = [name for name, text in totals.items() if text is not None]
    if body["type"] == "amended" and not given:
        reading.errors["amount"] = ["Say what has changed: amount, tax or shipping."]
    if body["type"] != "amended":
        reading.errors |= {name: ["Only an event of the type amended carries totals."] for name in given}
    facts: dict[str, Any] = {
        "order_id": order_id,
        "event_id": body["event_id"],
        "type": body["type"],
        "amount_minor": reading.amount_or_null(body, "amount"),
        "tax_minor": reading.amount_or_null(body, "tax"),
        "shipping_minor": reading.amount_or_null(body, "shipping"),
        "currency": reading.currency if given else None,
        "is_test": body["test"] or sender.is_test,
    }
    given_at = reading.occurred_at(body)
    reading.check()
    return OrderStageEvent(
        delivery_id=ids.new_at(now),
        order_event_id=ids.order_event(program_id=program.id, order_id=order_id, event_id=body["event_id"]),
        conversion_id=ids.conversion(program_id=program.id, kind=body["kind"], order_id=order_id),
        program_id=program.id,
        fingerprint=_fingerprint(facts | {"kind": body["kind"], "occurred_at": given_at}),
        occurred_at=given_at or now,
        received_at=now,
        **facts,
    )


def stage_of_conversion(event: ConversionEvent, state: str | None) -> OrderStageEvent | None:
    """The order event that a conversion's `state` stands for; `pending` says nothing that the conversion does not."""
    if state is None or state == "pending":
        return None
    event_id = f"state {state}"
    facts = {"order_id": event.order_id, "event_id": event_id, "type": state, "is_test": event.is_test}
    return OrderStageEvent(
        delivery_id=ids.new_at(event.received_at),
        order_event_id=ids.order_event(program_id=event.program_id, order_id=event.order_id, event_id=event_id),
        conversion_id=event.conversion_id,
        program_id=event.program_id,
        order_id=event.order_id,
        event_id=event_id,
        type=state,
        amount_minor=None,
        currency=None,
        tax_minor=None,
        shipping_minor=None,
        fingerprint=_fingerprint(facts | {"kind": event.kind}),
        is_test=event.is_test,
        occurred_at=event.occurred_at,
        received_at=event.received_at,
    )


def refund(body: Body, *, program: ProgramFacts, sender: Sender, now: datetime) -> RefundEvent:
    """The refund in a body of `NewRefundSchema`. Items without an amount add up to it; neither means all that is left.

    Without a currency its amounts are meant in the order's, which is not known here: they are written with the decimals of
    the program's.

    Raises:
        BadFields: as for a conversion, and an amount of zero.
    """
    reading = _Reading(body, program, now)
    items = reading.items(body)
    amount = reading.amount_or_null(body, "amount")
    if amount is None and items:
        amount = sum(item["amount_minor"] for item in items)
    if amount == 0:
        reading.errors.setdefault("amount", ["A refund gives something back: write an amount above zero."])
    facts: dict[str, Any] = {
        "order_id": body["order_id"],
        "refund_id": body["refund_id"],
        "amount_minor": amount,
        "currency": body.get("currency") and reading.currency if amount is not None else None,
        "items": items,
        "reason": body.get("reason"),
        "is_test": body["test"] or sender.is_test,
    }
    given_at = reading.occurred_at(body)
    reading.check()
    refund_uuid = ids.refund(program_id=program.id, order_id=body["order_id"], refund_id=body["refund_id"])
    return RefundEvent(
        delivery_id=ids.new_at(now),
        refund_uuid=refund_uuid,
        conversion_id=ids.conversion(program_id=program.id, kind=body["kind"], order_id=body["order_id"]),
        program_id=program.id,
        fingerprint=_fingerprint(facts | {"kind": body["kind"], "occurred_at": given_at}),
        occurred_at=given_at or now,
        received_at=now,
        **facts,
    )


class _Reading:
    """Reads what depends on the program and the moment, and collects what is wrong, so that the sender learns all of it at once."""

    def __init__(self, body: Body, program: ProgramFacts, now: datetime) -> None:
        self._now = now
        self.errors: dict[str, Sequence[str]] = {}
        self.currency = body.get("currency") or program.currency
        if self.currency not in money.currencies():
            self.errors["currency"] = ["This is no currency of ISO 4217."]
            self.currency = program.currency

    def check(self) -> None:
        """Raise what was collected."""
        if self.errors:
            raise BadFields(self.errors)

    def amount(self, body: Body, name: str) -> int:
        """An amount in minor units, zero where none is given."""
        return self.amount_or_null(body, name) or 0

    def amount_or_null(self, body: Body, name: str) -> int | None:
        """An amount in minor units, null where none is given."""
        text = body.get(name)
        return None if text is None else self._minor(text, name)

    def items(self, body: Body) -> list[dict[str, Any]]:
        """The lines of the body, each with its amount in minor units, without what is not given."""
        return [
            {name: value for name, value in item.items() if value is not None and name != "amount"}
            | {"amount_minor": self._minor(item["amount"], f"items.{index}.amount")}
            for index, item in enumerate(body.get("items") or [])
        ]

    def occurred_at(self, body: Body) -> datetime | None:
        """When it happened, if the sender says so: not in the future, not before any shop was on the web."""
        given: datetime | None = body.get("occurred_at")
        if given is not None and not OCCURRED_MIN <= given <= self._now + FUTURE_MAX:
            self.errors["occurred_at"] = ["This time is in the future or too long ago."]
            return None
        return None if given is None else given.astimezone(UTC)

    def _minor(self, text: str, field: str) -> int:
        try:
            amount = money.parse_minor(text, self.currency)
        except money.BadAmount as error:
            self.errors[field] = [str(error)]
            return 0
        if amount < 0:
            self.errors[field] = ["An amount cannot be below zero."]
        return amount


def _click(text: str | None, *, program: ProgramFacts, keys: Keys) -> UUID | None:
    """The click behind a token, if we made it for this program."""
    if not text:
        return None
    try:
        return signing.read_click_token(keys.click, text, program_id=program.id)
    except signing.BadToken:
        return None


def _fingerprint(facts: Mapping[str, Any]) -> str:
    """The SHA-256 of what was said, in one order and without what was left out."""
    said = {name: value for name, value in facts.items() if value is not None}
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()
