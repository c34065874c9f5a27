"""What the partner in the middle has, for the others to compare themselves with, without telling anybody's figures. Pure."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal

from affiliate.money import Money
from affiliate.reports.metrics import METRICS, Facts, Unit, Value

PARTNERS_MIN = 10
"""From so many partners on a median is told; with fewer one could guess whose it is."""
_DIGITS = Context(prec=2, rounding=ROUND_HALF_EVEN)  # the middle one of an odd number is somebody's own figure
KEYS = ("clicks_raw", "clicks_valid", "conversions", "conversion_rate", "epc", "aov")


def medians(facts: Iterable[Facts]) -> dict[str, str]:
    """The median of each metric over the partners for whom it is known, rounded to two digits; none where they are too few.

    A partner without any click or sale counts nowhere: it has not begun, or has stopped.
    """
    active = [one for one in facts if one.clicks_valid or one.conversions]
    found = {key: _median([_number(METRICS[key].of(one)) for one in active]) for key in KEYS}
    return {key: str(value) for key, value in found.items() if value is not None}


def value(key: str, text: str, *, currency: str) -> Value:
    """A median as the metric's own kind of value."""
    number, unit = Decimal(text), METRICS[key].unit
    if unit is Unit.MONEY:
        return Money(int(number), currency)
    return number if unit is Unit.FINE_MONEY else int(number)


def _median(numbers: Sequence[Decimal | None]) -> Decimal | None:
    known = sorted(number for number in numbers if number is not None)
    if len(known) < PARTNERS_MIN:
        return None
    middle = len(known) // 2
    exact = known[middle] if len(known) % 2 else (known[middle - 1] + known[middle]) / 2
    return Decimal(f"{_DIGITS.plus(exact):f}")


def _number(known: Value) -> Decimal | None:
    if known is None:
        return None
    return Decimal(known.amount_minor) if isinstance(known, Money) else Decimal(known)
