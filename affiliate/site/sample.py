"""A sale as a partner would see it, computed by the program's own plan with the code that computes real ones."""

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from affiliate import formats
from affiliate.commissions import examples
from affiliate.commissions.models import CommissionPlan
from affiliate.commissions.rates import Order, Share, rate
from affiliate.money import Money, divide_half_even, exponent
from affiliate.programs.models import Program
from affiliate.reports import plan_words

_PAID = 129  # whole units of the currency, a hundred times as many where it has no smaller coin
_TAX_PERCENT = 22


@dataclass(frozen=True, slots=True)
class Sample:
    """The lines from what the reader pays to what the partner earns."""

    rows: list[dict[str, Any]]
    base: Money
    rate: str
    earned: Money


def sale(program: Program, plan: CommissionPlan) -> Sample:
    """One order of 129 with the tax in it, under this plan and in its currency."""
    currency = plan.terms.get("currency") or program.currency
    paid = _PAID * 10 ** (exponent(currency) or 2)
    tax = divide_half_even(paid * _TAX_PERCENT, 100 + _TAX_PERCENT)
    order = Order(amount_minor=paid, tax_minor=tax, shipping_minor=0, currency=currency)
    terms = examples.as_plan(plan.id, plan.name, plan.terms)
    rated = rate(order=order, share=Share(), plan=terms, currency=currency)
    rows = [
        {"label": _("Paid by your reader"), "amount": Money(paid, currency)},
        {"label": _("Tax in it (%(rate)s)", rate=formats.percent_bps(_TAX_PERCENT * 100)), "amount": Money(-tax, currency)},
    ]  # fmt: skip
    return Sample(
        rows,
        Money(rated.base_minor, currency),
        plan_words.in_a_word(plan.terms, currency),
        Money(rated.amount_minor, currency),
    )
