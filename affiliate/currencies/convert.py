"""From one currency to another by the rates of one day, exactly: nothing is rounded here. Pure."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from affiliate.money import exponent

EURO = "EUR"
AGE_MAX = timedelta(days=30)
"""How much older than its order a rate may be: longer than any holiday, and than a machine should be without fresh ones."""

_SHOWN = Decimal("0.00000001")


@dataclass(frozen=True, slots=True)
class DayRates:
    """What one euro was worth on a day, in other currencies, as the source wrote it."""

    day: date
    source: str
    per_euro: Mapping[str, str] = field(default_factory=dict)

    def of(self, currency: str) -> Fraction | None:
        """Units of the currency for a euro; None where the source has none."""
        if currency == EURO:
            return Fraction(1)
        text = self.per_euro.get(currency)
        return None if text is None else Fraction(text)


@dataclass(frozen=True, slots=True)
class Exchange:
    """How an order's currency was turned into the one that its program pays in."""

    currency: str
    to: str
    day: date
    source: str
    rate: Fraction  # units of `to` for one unit of `currency`

    @property
    def factor(self) -> Fraction:
        """Minor units of `to` for one minor unit of `currency`."""
        return self.rate * Fraction(10) ** (exponent(self.to) - exponent(self.currency))

    def told(self) -> dict[str, Any]:
        """As a trace names it. The rate is cut to eight decimals here; what is paid follows from the exact one."""
        shown = (Decimal(self.rate.numerator) / Decimal(self.rate.denominator)).quantize(_SHOWN)
        text = f"{shown:f}".rstrip("0").rstrip(".")
        return {
            "from": self.currency, "to": self.to, "rate": text, "exact": str(self.rate),
            "day": self.day.isoformat(), "source": self.source,
        }  # fmt: skip

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> "Exchange":
        """The exchange that was told so."""
        day = date.fromisoformat(told["day"])
        return cls(told["from"], told["to"], day, told["source"], Fraction(told["exact"]))


@dataclass(frozen=True, slots=True)
class Rates:
    """The days that are known, oldest first."""

    days: Sequence[DayRates] = ()

    def exchange(self, *, currency: str, to: str, at: datetime) -> Exchange | None:
        """By the newest rates of a day before the order's own (UTC), or None where there are none that are not too old.

        The day's own rates come in its afternoon: taking them would pay an order otherwise when it is worked on late.
        """
        today = at.astimezone(UTC).date()
        place = bisect_left(self.days, today, key=lambda rates: rates.day)
        for rates in reversed(self.days[:place]):
            if today - rates.day > AGE_MAX:
                return None
            own, other = rates.of(currency), rates.of(to)
            if own and other:
                return Exchange(currency, to, rates.day, rates.source, other / own)
        return None
