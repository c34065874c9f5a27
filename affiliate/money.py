"""Money: integers of minor units with their currency, basis points, and the one rounding there is."""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from babel.numbers import get_currency_precision, list_currencies

BPS_PER_UNIT = 10_000
"""Basis points in a whole: 100 % is 10,000 bps."""

AMOUNT_MINOR_MAX = 10**15
"""The largest amount taken from outside, in minor units: far above any order, far below a 64-bit overflow of sums."""

_DECIMAL = re.compile(r"(?P<sign>-?)(?P<whole>0|[1-9][0-9]{0,15})(?:\.(?P<fraction>[0-9]{1,6}))?")


class BadAmount(ValueError):  # noqa: N818 - read as a kind
    """The text is not an amount in this currency; the message says why, for people."""


class MixedCurrencies(ValueError):  # noqa: N818 - read as a kind
    """Two currencies met in one sum."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the currency's minor unit. Never a float, never without its currency."""

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.amount_minor) is not int:
            raise TypeError(f"minor units are integers, not {type(self.amount_minor).__name__}")

    def _same(self, other: "Money") -> None:
        if other.currency != self.currency:
            raise MixedCurrencies(f"{self.currency} and {other.currency} in one sum")

    def __add__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount_minor + other.amount_minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same(other)
        return Money(self.amount_minor - other.amount_minor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount_minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        self._same(other)
        return self.amount_minor < other.amount_minor

    def __bool__(self) -> bool:
        return self.amount_minor != 0

    def share(self, bps: int) -> "Money":
        """This fraction of the amount, rounded half to even."""
        return Money(divide_half_even(self.amount_minor * bps, BPS_PER_UNIT), self.currency)

    def decimal(self) -> Decimal:
        """The amount in major units, with exactly the currency's decimals: for printing and for the API."""
        return Decimal(self.amount_minor).scaleb(-exponent(self.currency))

    def text(self) -> str:
        """The amount as the API writes it: `49.90`, `-3`, `1.250`."""
        return f"{self.decimal():f}"


def divide_half_even(numerator: int, denominator: int) -> int:
    """The integer quotient, halves to the even neighbour: the only rounding of money in the program."""
    if denominator <= 0:
        raise ValueError("the denominator must be above zero")
    quotient, remainder = divmod(numerator, denominator)
    doubled = remainder * 2
    if doubled > denominator or (doubled == denominator and quotient % 2):
        return quotient + 1
    return quotient


def proportion(*, amount_minor: int, part: int, whole: int) -> int:
    """`amount_minor` times `part` over `whole`, rounded once. A whole of zero takes everything when any part is asked."""
    if whole == 0:
        return amount_minor if part else 0
    return divide_half_even(amount_minor * part, whole)


@lru_cache(maxsize=1)
def currencies() -> frozenset[str]:
    """The ISO 4217 codes that Unicode's CLDR knows."""
    return frozenset(list_currencies())


@lru_cache(maxsize=512)
def exponent(currency: str) -> int:
    """How many decimals the currency has: EUR 2, JPY 0, KWD 3."""
    return get_currency_precision(currency)


@lru_cache(maxsize=512)
def _places(currency: str) -> int:
    if currency not in currencies():
        raise BadAmount(f"{currency!r} is not an ISO 4217 currency code.")
    return exponent(currency)


def parse_amount(text: object, currency: str) -> Money:
    """Read an amount as the API takes it: a string or an integer of whole units, never a float.

    Raises:
        BadAmount: not a plain decimal, too many decimals for the currency, too large, or an unknown currency.
    """
    return Money(parse_minor(text, currency), currency)


def parse_minor(text: object, currency: str) -> int:
    """The same, for who knows the currency: the minor units alone.

    Raises:
        BadAmount: as above.
    """
    places = _places(currency)
    if not isinstance(text, str):
        if type(text) is not int:  # `True` is one for `isinstance`
            raise BadAmount("Write the amount as text, for example “49.90”.")
        text = str(text)
    found = _DECIMAL.fullmatch(text)
    if found is None:
        raise BadAmount("Write a plain decimal number, for example “49.90”.")
    sign, whole, fraction = found.groups(default="")
    if len(fraction) > places:
        raise BadAmount(f"{currency} has {places} decimals, not {len(fraction)}.")
    minor = int(whole + fraction.ljust(places, "0"))
    if minor > AMOUNT_MINOR_MAX:
        raise BadAmount("The amount is too large.")
    return -minor if sign else minor
