"""Pinned examples: orders with the commission that a plan must pay for them. Pure.

An example names its currency (none: the program's), in which the order is placed and the commission expected. A plan in
another currency is held to it by the rates of the day of the check.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from affiliate.commissions import rates, terms
from affiliate.commissions.orders import Item, Order
from affiliate.commissions.rates import Share
from affiliate.commissions.terms import Plan
from affiliate.currencies.convert import Rates
from affiliate.money import AMOUNT_MINOR_MAX

N_ = str  # marks a sentence for the translators
_AMOUNTS = ("amount_minor", "tax_minor", "shipping_minor", "discount_minor")


class Example(Protocol):
    """What is known of an example."""

    id: Any
    name: Any
    order: Any
    expected_minor: Any


@dataclass(frozen=True, slots=True)
class Checked:
    """What a plan pays for an example, beside what was promised, in minor units."""

    id: UUID
    name: str
    expected_minor: int
    paid_minor: int
    currency: str

    @property
    def holds(self) -> bool:
        """Whether the promise is kept."""
        return self.expected_minor == self.paid_minor


def as_plan(plan_id: UUID, name: str, document: Mapping[str, Any]) -> Plan:
    """A stored plan as the rates read it, in force from the beginning of time."""
    return Plan(plan_id, name, terms.read(document), datetime.min.replace(tzinfo=UTC))


def currency_of(order: Mapping[str, Any], of_program: str) -> str:
    """In which currency an example speaks."""
    return order.get("currency") or of_program


def check(examples: Sequence[Example], *, plan: Plan, currency: str, known: Rates, at: datetime) -> list[Checked]:
    """What this plan pays for each example, for a partner who brought nothing before; `currency` is the program's."""
    own = replace(plan, terms=replace(plan.terms, currency=plan.currency(currency)))  # whatever an example speaks in
    return [_checked(one, own, currency_of(one.order, currency), known, at) for one in examples]


def problems(order: Mapping[str, Any]) -> dict[str, list[str]]:
    """What is wrong with the order of an example, by field."""
    amounts = [order.get(name, 0) for name in _AMOUNTS] + [item["amount_minor"] for item in order.get("items", ())]
    if all(type(minor) is int and 0 <= minor <= AMOUNT_MINOR_MAX for minor in amounts):
        return {}
    return {"amount": [N_("Write an amount of zero or more.")]}


def order_of(stored: Mapping[str, Any], *, currency: str, at: datetime) -> Order:
    """The order of an example as the rates read it."""
    partner = stored.get("partner")
    return Order(
        amount_minor=stored.get("amount_minor", 0),
        tax_minor=stored.get("tax_minor", 0),
        shipping_minor=stored.get("shipping_minor", 0),
        currency=currency,
        discount_minor=stored.get("discount_minor", 0),
        items=tuple(Item(one["sku"], one.get("group"), one["amount_minor"]) for one in stored.get("items", ())),
        kind=stored.get("kind") or "sale",
        partner_id=UUID(partner) if partner else None,
        partner_group=stored.get("group"),
        is_new_customer=stored.get("new_customer"),
        placed_at=at,
    )


def _checked(one: Example, plan: Plan, currency: str, known: Rates, at: datetime) -> Checked:
    order = order_of(one.order, currency=currency, at=at)
    exchanges = rates.exchanges(known, order=order, plan=plan, currency=currency)
    paid = rates.rate(order=order, share=Share(), plan=plan, currency=currency, **exchanges)
    return Checked(one.id, one.name, one.expected_minor, paid.amount_minor, currency)
