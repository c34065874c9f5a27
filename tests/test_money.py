"""Money: read and printed without loss, never mixed, rounded once and half to even."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affiliate import money
from affiliate.money import AMOUNT_MINOR_MAX, BadAmount, MixedCurrencies, Money, parse_amount

minor = st.integers(-AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX)
currency = st.sampled_from(["EUR", "USD", "PLN", "JPY", "KWD"])


@pytest.mark.parametrize(
    ("text", "currency", "amount_minor"),
    [
        ("49.90", "EUR", 49_90),
        ("49.9", "EUR", 49_90),
        ("49", "EUR", 49_00),
        (49, "EUR", 49_00),
        ("0", "EUR", 0),
        ("-3.05", "EUR", -3_05),
        ("0.05", "PLN", 5),
        ("120", "JPY", 120),
        ("1.250", "KWD", 1_250),
        ("10000000000000", "EUR", AMOUNT_MINOR_MAX),
    ],
)
def test_an_amount_is_read_in_minor_units_of_its_currency(text: object, currency: str, amount_minor: int) -> None:
    assert parse_amount(text, currency) == Money(amount_minor, currency)


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        (49.9, "EUR"),
        (True, "EUR"),
        (None, "EUR"),
        ("", "EUR"),
        (" 1", "EUR"),
        ("1 ", "EUR"),
        ("1\n", "EUR"),
        ("+1", "EUR"),
        ("1,50", "EUR"),
        ("1_000", "EUR"),
        ("1e3", "EUR"),
        ("0x10", "EUR"),
        ("007", "EUR"),
        (".5", "EUR"),
        ("5.", "EUR"),
        ("--1", "EUR"),
        ("NaN", "EUR"),
        ("Infinity", "EUR"),
        ("\N{FULLWIDTH DIGIT ONE}", "EUR"),
        ("\N{ARABIC-INDIC DIGIT ONE}", "EUR"),
        ("1.234", "EUR"),
        ("1.9", "JPY"),
        ("1.0", "JPY"),
        ("1.2345", "KWD"),
        ("10000000000000.01", "EUR"),
        ("9" * 17, "EUR"),
        ("1", "EURO"),
        ("1", "eur"),
        ("1", ""),
    ],
)
def test_what_is_no_plain_amount_of_the_currency_is_refused(text: object, currency: str) -> None:
    with pytest.raises(BadAmount):
        parse_amount(text, currency)


@given(amount=minor, currency=currency)
def test_what_is_printed_is_read_back_as_the_same(amount: int, currency: str) -> None:
    assert parse_amount(Money(amount, currency).text(), currency) == Money(amount, currency)


@given(amount=minor, currency=currency)
def test_an_amount_is_printed_with_exactly_the_decimals_of_its_currency(amount: int, currency: str) -> None:
    _, _, fraction = Money(amount, currency).text().partition(".")
    assert len(fraction) == money.exponent(currency)


@given(st.text(max_size=12), currency)
def test_any_text_is_read_or_refused_and_nothing_else(text: str, currency: str) -> None:
    try:
        amount = parse_amount(text, currency)
    except BadAmount:
        return
    assert Decimal(text) == amount.decimal()


@pytest.mark.parametrize("amount", [1.0, "1", None, True, Decimal(1)])
def test_minor_units_are_integers(amount: Any) -> None:
    with pytest.raises(TypeError):
        Money(amount, "EUR")


def test_two_currencies_never_meet() -> None:
    euro, zloty = Money(1, "EUR"), Money(1, "PLN")
    for meet in (lambda: euro + zloty, lambda: euro - zloty, lambda: euro < zloty):
        with pytest.raises(MixedCurrencies):
            meet()
    assert euro != zloty


def test_amounts_of_one_currency_add_up() -> None:
    assert Money(2_50, "EUR") + Money(-50, "EUR") == Money(2_00, "EUR")
    assert Money(2_50, "EUR") - Money(3_00, "EUR") == -Money(50, "EUR")
    assert Money(1, "EUR") < Money(2, "EUR")
    assert not Money(0, "EUR")


@pytest.mark.parametrize(
    ("numerator", "denominator", "quotient"),
    [(5, 10, 0), (15, 10, 2), (25, 10, 2), (-5, 10, 0), (-15, 10, -2), (26, 10, 3), (24, 10, 2), (0, 7, 0)],
)
def test_halves_go_to_the_even_neighbour(numerator: int, denominator: int, quotient: int) -> None:
    assert money.divide_half_even(numerator, denominator) == quotient


@given(numerator=st.integers(-(10**27), 10**27), denominator=st.integers(1, 10**9))
def test_division_is_the_half_even_of_exact_decimals(numerator: int, denominator: int) -> None:
    # Twice the value in whole numbers first: decimals of thirds do not end.
    whole, rest = divmod(numerator, denominator)
    digit = Decimal("0.5") if rest * 2 == denominator else Decimal("0.25" if rest * 2 < denominator else "0.75")
    exact = Decimal(whole) + (digit if rest else 0)
    assert money.divide_half_even(numerator, denominator) == int(exact.quantize(Decimal(1), ROUND_HALF_EVEN))


def test_nothing_is_divided_by_nothing_or_less() -> None:
    for denominator in (0, -1):
        with pytest.raises(ValueError, match="above zero"):
            money.divide_half_even(1, denominator)


@given(amount=st.integers(0, 10**15), whole=st.integers(0, 10**15), data=st.data())
def test_a_larger_part_never_takes_less_and_the_whole_takes_all(amount: int, whole: int, data: st.DataObject) -> None:
    first, second = sorted(data.draw(st.tuples(st.integers(0, whole), st.integers(0, whole))))

    def taken(part: int) -> int:
        return money.proportion(amount_minor=amount, part=part, whole=whole)

    assert 0 <= taken(first) <= taken(second) <= amount
    assert taken(0) == 0
    assert taken(whole) == (amount if whole else 0)


def test_of_a_whole_of_nothing_any_part_takes_all() -> None:
    assert money.proportion(amount_minor=5_00, part=1, whole=0) == 5_00


@given(amount=st.integers(0, 10**15), bps=st.integers(0, 10_000))
def test_a_share_and_the_rest_differ_from_the_whole_by_at_most_a_cent(amount: int, bps: int) -> None:
    whole = Money(amount, "EUR")
    parts = whole.share(bps) + whole.share(money.BPS_PER_UNIT - bps)
    assert abs(parts.amount_minor - amount) <= 1
