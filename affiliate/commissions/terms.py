"""What a commission plan says, as values: base, rules, tiers, caps, bonuses, the recruiter's share. Pure.

A plan is stored as one document (`schemas.TermsSchema` checks it, `read` reads it). `None` always means "says nothing
about it"; zero means zero.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


class Customer(enum.StrEnum):
    """Whether the program sold to the customer before."""

    NEW = "new"
    RETURNING = "returning"


class Period(enum.StrEnum):
    """How long a counter counts, by the program's time zone."""

    DAY = "day"
    MONTH = "month"
    QUARTER = "quarter"
    LIFETIME = "lifetime"


class Counts(enum.StrEnum):
    """What a volume tier counts: orders, or the sum of their bases."""

    ORDERS = "orders"
    AMOUNT = "amount"


class TierMode(enum.StrEnum):
    """What a higher step pays for: what lies above it, or every order of the period."""

    ABOVE = "above"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """To what a rule applies. Everything that is said must hold; nothing said means everything."""

    kind: str | None = None  # of the conversion, such as `lead`
    coupon: UUID | None = None
    link: UUID | None = None
    partner: UUID | None = None
    group: str | None = None  # of partners
    skus: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    customer: Customer | None = None
    customer_months_max: int | None = None  # since the customer's first order


@dataclass(frozen=True, slots=True, kw_only=True)
class Pay:
    """What is paid: basis points of the base, minor units for each order, or both."""

    rate_bps: int | None = None
    fixed_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is paid above `above` orders, or above that many minor units."""

    above: int
    pay: Pay


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiers:
    """Volume steps, the lowest first."""

    counts: Counts
    period: Period
    mode: TierMode
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of a plan."""

    when: When = field(default_factory=When)
    pay: Pay
    tiers: Tiers | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What percentages are taken of: what the customer paid, with these parts or without them."""

    with_tax: bool = False
    with_shipping: bool = False
    before_discount: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """The most that is paid: for one order, and to one partner in a period (an amount, or a number of orders)."""

    order_minor: int | None = None
    day_minor: int | None = None
    month_minor: int | None = None
    total_minor: int | None = None
    day_orders: int | None = None
    month_orders: int | None = None
    total_orders: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bonus:
    """Minor units for a partner's so manieth order in the program: the first sale, a milestone."""

    orders: int
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Everything a plan says."""

    rules: tuple[Rule, ...]
    base: Base = field(default_factory=Base)
    caps: Caps = field(default_factory=Caps)
    bonuses: tuple[Bonus, ...] = ()
    recruiter_bps: int | None = None  # of the commission of the partner who was recruited
    further_recruiters_bps: tuple[int, ...] = ()  # for the recruiter's own recruiter, that one's, and so on
    currency: str | None = None  # of every amount that the plan names; null: the program's


@dataclass(frozen=True, slots=True)
class Plan:
    """The terms of a program from `effective_from` on."""

    id: UUID
    name: str
    terms: Terms
    effective_from: datetime

    def currency(self, of_program: str) -> str:
        """In which currency its amounts are meant, and counted."""
        return self.terms.currency or of_program


CAP_PERIODS = {"day": Period.DAY, "month": Period.MONTH, "total": Period.LIFETIME}
"""The first word of a cap's name, and the counter that it is held against."""


def simple(*, rate_bps: int | None = None, fixed_minor: int | None = None) -> dict[str, Any]:
    """The document of a plan that pays everybody the same for everything."""
    pay = {"rate_bps": rate_bps, "fixed_minor": fixed_minor}
    return {"rules": [{name: value for name, value in pay.items() if value is not None}]}


def headline(document: Mapping[str, Any]) -> Pay:
    """What the widest rule pays: the one that says the least about when it applies."""
    widest = min(read(document).rules, key=lambda rule: len(_said(rule.when)))
    return widest.pay


def read(document: Mapping[str, Any]) -> Terms:
    """The values of a stored document."""
    return Terms(
        rules=tuple(_rule(rule) for rule in document["rules"]),
        base=Base(**document.get("base", {})),
        caps=Caps(**document.get("caps", {})),
        bonuses=tuple(Bonus(**bonus) for bonus in document.get("bonuses", ())),
        recruiter_bps=document.get("recruiter_bps"),
        further_recruiters_bps=tuple(document.get("further_recruiters_bps", ())),
        currency=document.get("currency"),
    )


def periods(terms: Terms) -> set[Period]:
    """The counters that these terms ask for."""
    wanted = {rule.tiers.period for rule in terms.rules if rule.tiers}
    if terms.bonuses:
        wanted.add(Period.LIFETIME)
    named = {name.partition("_")[0] for name in Caps.__dataclass_fields__ if getattr(terms.caps, name) is not None}
    return wanted | {CAP_PERIODS[name] for name in named if name in CAP_PERIODS}


def recruiting(terms: Terms) -> tuple[int, ...]:
    """What each level of recruiters gets of a partner's commission, the partner's own recruiter first."""
    return () if not terms.recruiter_bps else (terms.recruiter_bps, *terms.further_recruiters_bps)


def asks_about_customers(terms: Terms) -> bool:
    """Whether a rule looks at how long the program has known the customer."""
    return any(rule.when.customer_months_max is not None for rule in terms.rules)


def _said(when: When) -> list[str]:
    return [name for name in When.__dataclass_fields__ if getattr(when, name) not in (None, ())]


def _rule(document: Mapping[str, Any]) -> Rule:
    when = dict(document.get("when", {}))
    for name in ("coupon", "link", "partner"):
        if when.get(name):
            when[name] = UUID(when[name])
    for name in ("skus", "categories"):
        when[name] = tuple(when.get(name, ()))
    if when.get("customer"):
        when["customer"] = Customer(when["customer"])
    tiers = document.get("tiers")
    return Rule(when=When(**when), pay=_pay(document), tiers=_tiers(tiers) if tiers else None)


def _tiers(document: Mapping[str, Any]) -> Tiers:
    return Tiers(
        counts=Counts(document["counts"]),
        period=Period(document["period"]),
        mode=TierMode(document["mode"]),
        steps=tuple(Step(above=step["above"], pay=_pay(step)) for step in document["steps"]),
    )


def _pay(document: Mapping[str, Any]) -> Pay:
    return Pay(rate_bps=document.get("rate_bps"), fixed_minor=document.get("fixed_minor"))
