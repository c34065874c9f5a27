"""What another tracker's postback says, in the names of the big ones. Pure.

Several systems give one name two meanings (`transaction_id` is a click to some and an order to others): our click ids are
known by their shape, so that a value counts as what it is. What a tracker leaves out has an honest default: the order is
then named after its click, which can convert once, and the amount is zero.
"""

import enum
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from affiliate import ids, signing

_CLICK_NAMES = (
    "click_id", "clickid", "click-id", "aff_click", "cid", "subid", "irclickid", "cks", "transaction_id",
)  # fmt: skip
_ORDER_NAMES = (
    "txid", "order_id", "orderid", "order_ref", "tid", "ref", "adv_unique1", "conversion_id", "transaction_id",
)  # fmt: skip
_OTHERS = {
    "token": ("token", "security_token", "verification_token"),
    "amount": ("amount", "sale_amount", "revenue", "payout", "value"),
    "currency": ("currency", "cr", "cur"),
    "coupon": ("coupon", "coupon_code", "promo_code", "voucher", "vc"),
    "customer_id": ("customer_id",),
    "email_sha256": ("email_sha256",),
    "kind": ("kind", "et"),
    "status": ("status", "conversion_status"),
    "test": ("test", "testmode", "is_test"),
}
_CLICK_PREFIX = "clk_"


class Verdict(enum.StrEnum):
    """What the other tracker says about the order."""

    PENDING = "pending"
    APPROVED = "approved"
    PAID = "paid"
    REJECTED = "rejected"
    REFUNDED = "refunded"


_VERDICTS = {
    **dict.fromkeys(("", "1", "sale", "approved", "approve", "confirmed", "accepted", "success"), Verdict.APPROVED),
    **dict.fromkeys(("0", "lead", "pending", "hold", "open", "new"), Verdict.PENDING),
    **dict.fromkeys(("paid",), Verdict.PAID),
    **dict.fromkeys(
        ("2", "rejected", "reject", "declined", "cancelled", "canceled", "trash", "invalid", "void"), Verdict.REJECTED
    ),
    **dict.fromkeys(("refunded", "refund", "chargeback", "returned", "reversed"), Verdict.REFUNDED),
}
_TRUE = frozenset({"1", "true", "yes"})
_SALE, _SALES = "sale", frozenset({"purchase", "order", "checkout_completed"})
_NO_LETTERS = re.compile("[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Postback:
    """A postback in our own words. `verdict` is null when the status is a word that we do not know."""

    token: str
    order_id: str
    verdict: Verdict | None
    is_test: bool
    facts: dict[str, str]  # fields of a conversion, as text


def read(parameters: Iterable[tuple[str, str]]) -> Postback:
    """What the parameters say; the first of equal names counts, and among names of one meaning the first in our list."""
    given: dict[str, str] = {}
    for name, value in parameters:
        given.setdefault(name.lower(), value.strip())
    found = {meaning: _first(given, names) for meaning, names in _OTHERS.items()}
    click_id, order_id = _click_and_order(given)
    status = found.pop("status").lower()
    token, is_test = found.pop("token"), found.pop("test").lower() in _TRUE
    facts = {name: value for name, value in (found | {"click_id": click_id}).items() if value}
    if "kind" in facts:
        facts["kind"] = _plain_kind(facts["kind"])
    facts["amount"] = _plain_amount(facts.get("amount", "0"))
    return Postback(token, order_id, _VERDICTS.get(status), is_test, facts)


def program_named(token: str) -> str:
    """The public id of the program in a token; whether the token is right, `is_token` says."""
    return token.partition(".")[0]


def hash_of(token: str) -> str:
    """What is kept in memory of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def is_token(token: str, *, expected_hash: str) -> bool:
    """Whether this is the token with that hash, in a time that says nothing about how much of it was right."""
    return signing.same(hash_of(token), expected_hash)


def _click_and_order(given: Mapping[str, str]) -> tuple[str, str]:
    """A value that looks like a click id of ours is one, under whichever of the names it comes."""
    clicks = [(name, given[name]) for name in _CLICK_NAMES if given.get(name)]
    ours = [pair for pair in clicks if pair[1].startswith(_CLICK_PREFIX)]
    click_name, click_id = (ours or clicks or [("", "")])[0]
    orders = [given[name] for name in _ORDER_NAMES if given.get(name) and name != click_name]
    order_id = next((text for text in orders if not text.startswith(_CLICK_PREFIX)), "")
    return click_id, order_id or _order_of_click(click_id)


def _order_of_click(click_id: str) -> str:
    """The order id of a click that converts without one: without the signature, which is nobody's name."""
    public = click_id.partition(".")[0]
    try:
        return ids.public("clk", ids.parse("clk", public))
    except ids.BadPublicId:
        return ""


def _first(given: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((given[name] for name in names if given.get(name)), "")


def _plain_kind(text: str) -> str:
    """The kind in our letters: trackers name their events as they like. Each word for a purchase is a sale."""
    kind = _NO_LETTERS.sub("_", text.lower()).strip("_")
    return _SALE if kind in _SALES else kind


def _plain_amount(text: str) -> str:
    """The amount without zeros that say nothing: trackers write four decimals for every currency."""
    whole, point, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0')}".rstrip(".") if point else text
