"""A plan in words: one for a badge, or a sentence for each of its lines, in the reader's language."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate import formats
from affiliate.commissions import precedence, terms
from affiliate.commissions.terms import Base, Caps, Counts, Customer, Pay, Period, Rule, Terms, TierMode, Tiers, When
from affiliate.money import Money

Names = Mapping[UUID, str]
"""Names of partners, links and coupons that rules speak of."""


def in_a_word(document: Mapping[str, Any], currency: str) -> str:
    """What most orders earn: “8 %”, “€5.00”, “8 % + €5.00”; `currency` is the program's."""
    return pay(terms.headline(document), document.get("currency") or currency)


def pay(paid: Pay, currency: str) -> str:
    """What is paid, without saying of what."""
    parts = [formats.percent_bps(paid.rate_bps)] if paid.rate_bps is not None else []
    if paid.fixed_minor is not None and (paid.fixed_minor or not parts):
        parts.append(formats.money(Money(paid.fixed_minor, currency)))
    return " + ".join(parts)


def sentences(document: Mapping[str, Any], currency: str, names: Names | None = None) -> list[str]:
    """Every line of a plan as a sentence: the most specific rule first, as it is applied. `currency` is the program's."""
    said, of_program = terms.read(document), currency
    currency = said.currency or of_program
    rules = sorted(said.rules, key=lambda rule: precedence.rank(rule.when))
    found = [sentence for rule in rules for sentence in _rule(rule, currency, names or {})]
    found += [base(said.base), *_caps(said.caps, currency), *_extras(said, currency)]
    if currency != of_program:
        found.append(str(_("Amounts are in %(plan)s; partners are paid in %(program)s, by the rate of the order's day.", plan=currency, program=of_program)))  # fmt: skip
    return found


def why(group: Mapping[str, Any]) -> str:
    """Why a group of an order was paid by its rule: on which lines of the list it was the most specific."""
    if "bonus_orders" in group:
        return _bonus_name(int(group["bonus_orders"]))
    told = {
        "kind": _("for this kind of act"),
        "coupon": _("for this coupon"),
        "link": _("for this link"),
        "partner": _("for this partner"),
        "group": _("for this group of partners"),
        "sku": _("for these articles"),
        "category": _("for category %(names)s", names=", ".join(group.get("categories", ()))),
        "customer": _("for new or returning customers"),
        "customer_months_max": _("for the customer's first months"),
        "everybody": _("for every order"),
    }
    return ", ".join(told[one] for one in group.get("why", ()) if one in told)


def _rule(rule: Rule, currency: str, names: Names) -> list[str]:
    condition = _when(rule.when, names)
    paid = _paid(rule.pay, currency)
    first = f"{paid} {condition}" if condition else paid
    return [f"{first}.", *(_tiers(rule.tiers, currency) if rule.tiers else [])]


def _paid(paid: Pay, currency: str) -> str:
    if not paid.rate_bps and not paid.fixed_minor:
        return str(_("Nothing"))
    if not paid.fixed_minor:
        return str(_("%(rate)s of the base", rate=formats.percent_bps(paid.rate_bps)))
    amount = formats.money(Money(paid.fixed_minor, currency))
    if not paid.rate_bps:
        return str(_("%(amount)s an order", amount=amount))
    return str(
        _("%(rate)s of the base and %(amount)s an order", rate=formats.percent_bps(paid.rate_bps), amount=amount)
    )


def _when(when: When, names: Names) -> str:
    parts = [_("for %(kind)s", kind=when.kind)] if when.kind else []
    parts += _who(when, names)
    if when.skus:
        parts.append(_("for articles %(names)s", names=", ".join(when.skus)))
    if when.categories:
        parts.append(_("for category %(names)s", names=", ".join(when.categories)))
    if when.customer is not None:
        parts.append(_("from new customers") if when.customer is Customer.NEW else _("from returning customers"))
    if when.customer_months_max is not None:
        months = when.customer_months_max
        parts.append(ngettext("in a customer's first %(num)s month", "in a customer's first %(num)s months", months))
    return " ".join(str(part) for part in parts)


def _who(when: When, names: Names) -> list[str]:
    if when.coupon:
        return [_("with coupon %(name)s", name=names.get(when.coupon, "?"))]
    if when.link:
        return [_("by link %(name)s", name=names.get(when.link, "?"))]
    if when.partner:
        return [_("for partner %(name)s", name=names.get(when.partner, "?"))]
    return [_("for partners in group %(name)s", name=when.group)] if when.group else []


def _tiers(tiers: Tiers, currency: str) -> list[str]:
    period = {
        Period.DAY: _("a day"),
        Period.MONTH: _("a month"),
        Period.QUARTER: _("a quarter"),
        Period.LIFETIME: _("in all"),
    }[tiers.period]
    only = (
        _("for what lies above")
        if tiers.mode is TierMode.ABOVE
        else _("for every order of that time; what earlier ones miss is added when it is over")
    )
    found = []
    for step in tiers.steps:
        if tiers.counts is Counts.ORDERS:
            volume = ngettext("%(num)s order", "%(num)s orders", step.above)
        else:
            volume = formats.money(Money(step.above, currency))
        found.append(
            str(_("Above %(volume)s %(period)s: %(paid)s, %(only)s.", volume=volume, period=period, paid=_paid(step.pay, currency), only=only))
        )  # fmt: skip
    return found


def base(said: Base) -> str:
    """What percentages are taken of."""
    parts = ((_("tax"), said.with_tax), (_("shipping"), said.with_shipping))
    without = [word for word, is_in in parts if not is_in]
    told = (
        _("On what the customer paid, without %(parts)s.", parts=formats.listed(without))
        if without
        else _("On what the customer paid.")
    )
    return f"{told} " + _("Discounts do not lower it.") if said.before_discount else str(told)


def _caps(caps: Caps, currency: str) -> list[str]:
    limits = {name: getattr(caps, name) for name in Caps.__dataclass_fields__}
    return [cap(name, limit, currency) for name, limit in limits.items() if limit is not None]


def cap(name: str, limit: int, currency: str) -> str:
    """A cap of a plan, by its name in the terms."""
    if name.endswith("_orders"):
        return {
            "day_orders": ngettext("At most %(num)s order a day for one partner.", "At most %(num)s orders a day for one partner.", limit),
            "month_orders": ngettext("At most %(num)s order a month for one partner.", "At most %(num)s orders a month for one partner.", limit),
            "total_orders": ngettext("At most %(num)s order in all for one partner.", "At most %(num)s orders in all for one partner.", limit),
        }[name]  # fmt: skip
    amount = formats.money(Money(limit, currency))
    return {
        "order_minor": _("At most %(amount)s an order.", amount=amount),
        "day_minor": _("At most %(amount)s a day for one partner.", amount=amount),
        "month_minor": _("At most %(amount)s a month for one partner.", amount=amount),
        "total_minor": _("At most %(amount)s in all for one partner.", amount=amount),
    }[name]


def _extras(said: Terms, currency: str) -> list[str]:
    found = [f"{_bonus_name(one.orders)}: {formats.money(Money(one.amount_minor, currency))}." for one in said.bonuses]
    if said.recruiter_bps:
        rate = formats.percent_bps(said.recruiter_bps)
        found.append(str(_("Who recruited the partner gets %(rate)s of the partner's commission on top.", rate=rate)))
    if said.further_recruiters_bps:
        rates = ", ".join(formats.percent_bps(bps) for bps in said.further_recruiters_bps)
        found.append(str(_("Those above the recruiter get, level by level: %(rates)s.", rates=rates)))
    return found


def _bonus_name(orders: int) -> str:
    if orders == 1:
        return str(_("Bonus for the first sale"))
    return str(_("Bonus for sale number %(number)s", number=formats.number(orders)))
