"""A plan's document as the data of its form: what stands in the fields when a draft is opened."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from affiliate.console.rules.plan_forms import BLANK_RULES, CAPS
from affiliate.money import Money


def shown(document: Mapping[str, Any], *, name: str, currency: str, names: Mapping[UUID, str]) -> dict[str, Any]:
    """The data of a form that says what a document says. The first row is the rule that is about everything.

    `currency` is the program's.
    """
    currency = document.get("currency") or currency
    rules = sorted(document["rules"], key=lambda rule: bool(rule.get("when")))
    if rules[0].get("when"):
        rules = [{}, *rules]

    def money(minor: int | None) -> str:
        return "" if minor is None else Money(minor, currency).text()

    caps, tiers = document.get("caps", {}), rules[0].get("tiers", {})
    volume = str if tiers.get("counts") == "orders" else money
    bonuses = {bonus["orders"]: bonus["amount_minor"] for bonus in document.get("bonuses", ())}
    first_bonus = bonuses.pop(1, None)
    milestone = next(iter(bonuses), None)
    return {
        "name": name,
        "currency": document.get("currency") or "",
        **_pay(rules[0], money),
        **document.get("base", {}),
        **{key: (str(caps[key]) if key.endswith("_orders") else money(caps[key])) for key in CAPS if key in caps},
        **{key: tiers[key] for key in ("counts", "period", "mode") if key in tiers},
        "steps": [_pay(step, money) | {"above": volume(step["above"])} for step in tiers.get("steps", ())],
        "rules": [_row(rule, money, names) for rule in rules[1:]] + [{}] * BLANK_RULES,
        "first_bonus": money(first_bonus),
        "milestone": "" if milestone is None else str(milestone),
        "milestone_bonus": money(bonuses.get(milestone)) if milestone else "",
        "recruiter": _percent(document.get("recruiter_bps")),
        **{
            f"recruiter_{place}": _percent(bps)
            for place, bps in enumerate(document.get("further_recruiters_bps", ()), 2)
        },
    }


def _row(rule: Mapping[str, Any], money: Any, names: Mapping[UUID, str]) -> dict[str, Any]:
    when = rule.get("when", {})
    who = next((name for name in ("partner", "group", "link", "coupon") if name in when), "")
    what = next((name for name in ("categories", "skus") if name in when), "")
    named = when.get(who, "") if who == "group" else names.get(UUID(when[who]), "") if who else ""
    months = when.get("customer_months_max")
    return _pay(rule, money) | {
        "who": who, "who_named": named, "what": what, "what_named": ", ".join(when.get(what, ())),
        "customer": when.get("customer", ""), "kind": when.get("kind", ""), "months": "" if months is None else str(months),
    }  # fmt: skip


def _pay(row: Mapping[str, Any], money: Any) -> dict[str, str]:
    return {"rate": _percent(row.get("rate_bps")), "fixed": money(row.get("fixed_minor"))}


def _percent(bps: int | None) -> str:
    return "" if bps is None else f"{Decimal(bps).scaleb(-2).normalize():f}"
