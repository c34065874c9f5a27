"""Numbers as people type them: with the signs of their language, or plainly."""

import re
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal

from babel.numbers import NumberFormatError, parse_decimal

from affiliate import formats
from affiliate.money import AMOUNT_MINOR_MAX, BadAmount, Money, exponent, parse_amount

N_ = str  # marks a sentence for the translators
_SPACES = re.compile(r"[\s\u00a0\u202f]")
_PLAIN = re.compile(r"-?[0-9]{1,16}(\.[0-9]{1,6})?")
_GROUPED = re.compile(r"-?[0-9]{1,16}([.,'’][0-9]{1,16})+")  # no 1e5, no 1_000: Python would read them
_TOO_LARGE = N_("This number is too large.")


class BadNumber(ValueError):  # noqa: N818 - read as a kind
    """The text is no number of the wanted kind; the message is an English source, for people."""


def read(text: str, currency: str) -> Money:
    """The amount that was typed: “1204.50”, in Italian “1.204,50”, with or without the currency's code.

    Raises:
        BadNumber: it cannot be read, is too large, or has more decimals than the currency.
    """
    bare = _SPACES.sub("", text).upper().removesuffix(currency).removeprefix(currency)
    places = exponent(currency)
    typed = _number(
        bare, places=places, otherwise=N_("Write an amount, for example 49.90, with the decimals of the currency.")
    )
    try:
        return parse_amount(f"{typed:.{places}f}", currency)
    except BadAmount as error:
        raise BadNumber(_TOO_LARGE) from error


def typed(value: int, *, currency: str = "", is_share: bool = False) -> str:
    """A number as somebody would type it so that it is read again: minor units of a currency, basis points, or a count."""
    if currency:
        return Money(value, currency).text()
    return f"{Decimal(value).scaleb(-2):f}" if is_share else str(value)


def read_percent(text: str) -> int:
    """Basis points of a percentage as typed: “8”, “7.5 %”, in Italian “7,5”.

    Raises:
        BadNumber: no percentage, or more than two decimals.
    """
    otherwise = N_("Write a percentage with at most two decimals, for example 7.5.")
    return int(_number(_SPACES.sub("", text).removesuffix("%"), places=2, otherwise=otherwise).scaleb(2))


def read_count(text: str) -> int:
    """A whole number as typed: “1200”, “1,200”.

    Raises:
        BadNumber: not a whole number.
    """
    return int(_number(_SPACES.sub("", text), places=0, otherwise=N_("Write a whole number, for example 100.")))


def _number(text: str, *, places: int, otherwise: str) -> Decimal:
    """The first reading with at most so many decimals: plainly, then by the signs of the reader's language.

    So “1.204” is 1204 for an Italian who types euro: with three decimals it cannot be meant plainly.
    """
    for typed in _readings(text):
        if abs(typed) > AMOUNT_MINOR_MAX:
            raise BadNumber(_TOO_LARGE)
        if _places(typed) <= places:
            return typed
    raise BadNumber(otherwise)


def _readings(text: str) -> Iterator[Decimal]:
    if _PLAIN.fullmatch(text):
        yield Decimal(text)
    if _GROUPED.fullmatch(text):
        with suppress(NumberFormatError):
            yield parse_decimal(text, locale=formats.locale(), strict=True)


def _places(number: Decimal) -> int:
    """How many decimals a number needs; zeros at its end do not count."""
    place = number.normalize().as_tuple().exponent
    return max(-place, 0) if isinstance(place, int) else 0
