"""The dictionary of cohorts: what a cell counts, what each measure is called and means, how it follows. Pure.

A cohort is a calendar month of the program's time zone. Month 0 is that month itself, month 1 the next one, and so on; a month
that is not over counts as far as it goes.
"""

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from affiliate.money import BPS_PER_UNIT, Money, divide_half_even
from affiliate.reports.metrics import Unit, Value

N_ = str  # marks a sentence for the translators

MONTHS = 12
"""How many cohorts there are, the present month included."""


class Kind(enum.StrEnum):
    """Whose cohorts."""

    PARTNERS = "partners"  # by the month in which they were let in
    CUSTOMERS = "customers"  # by the month of their first order


@dataclass(frozen=True, slots=True)
class Cell:
    """A month of a cohort. `active` are the partners or customers of the cohort with something in it; amounts in minor units."""

    size: int  # of the cohort
    active: int = 0
    orders: int = 0
    kept: int = 0
    revenue_minor: int = 0
    earned_minor: int = 0


@dataclass(frozen=True, slots=True)
class Cohort:
    """Those who began in a month, `first` its day, and what each month since then brought, from month 0 on."""

    month: str  # 2026-11
    size: int
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class Measure:
    """What a cell shows. `label` and `help_text` are English sources for gettext; `formula` is for people."""

    label: str
    help_text: str
    formula: str
    unit: Unit
    of: Callable[[Cell, str], Value]


def _share(part: int, whole: int) -> int | None:
    return divide_half_even(part * BPS_PER_UNIT, whole) if whole else None


_ORDERS = Measure(
    N_("Orders"), N_("Credited orders of the cohort in this month."), N_("credited orders"), Unit.COUNT,
    lambda cell, _currency: cell.orders,
)  # fmt: skip
_REVENUE = Measure(
    N_("Revenue"), N_("What customers paid for these orders, with tax and shipping, before refunds."),
    N_("sum of orders"), Unit.MONEY, lambda cell, currency: Money(cell.revenue_minor, currency),
)  # fmt: skip
_COMMISSION = Measure(
    N_("Commission"), N_("Commissions on these orders, less what was reversed since."),
    N_("commissions − reversals"), Unit.MONEY, lambda cell, currency: Money(cell.earned_minor, currency),
)  # fmt: skip
_KEPT = Measure(
    N_("Kept orders"), N_("The share of these orders that were neither returned as a whole nor declined."),
    N_("orders that count / orders"), Unit.BPS, lambda cell, _currency: _share(cell.kept, cell.orders),
)  # fmt: skip

MEASURES: Mapping[Kind, Mapping[str, Measure]] = {
    Kind.PARTNERS: {
        "active": Measure(
            N_("Active"), N_("The share of the partners let in that month with a valid click or a sale in this one."),
            N_("partners with a click or sale / partners let in"), Unit.BPS,
            lambda cell, _currency: _share(cell.active, cell.size),
        ),
        "revenue": _REVENUE,
        "commission": _COMMISSION,
        "orders": _ORDERS,
        "kept": _KEPT,
    },
    Kind.CUSTOMERS: {
        "active": Measure(
            N_("Ordered again"),
            N_("The share of the customers whose first order was in that month with an order in this one; in month 0 all of them."),
            N_("customers with an order / customers of the cohort"), Unit.BPS,
            lambda cell, _currency: _share(cell.active, cell.size),
        ),
        "orders": _ORDERS,
        "revenue": _REVENUE,
        "kept": _KEPT,
        "commission": _COMMISSION,
    },
}  # fmt: skip
"""What cells can show, by whose cohorts they are, in the order of pages."""


def heat(values: Sequence[int | None]) -> list[int]:
    """A level from 0 (nothing) to 5 (the highest) for each value, so that the eye finds what the numbers say."""
    top = max((value for value in values if value is not None), default=0)
    return [0 if not value or value <= 0 or top <= 0 else -(-value * 5 // top) for value in values]
