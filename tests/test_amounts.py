"""Numbers as people type them in three languages."""

import pytest
from flask import Flask

from affiliate import amounts
from affiliate.money import Money


@pytest.mark.parametrize(
    ("language", "text", "minor"),
    [
        ("en", "12758.55", 12_758_55),
        ("en", "12,758.55", 12_758_55),
        ("en", " 12,758.55 EUR ", 12_758_55),
        ("en", "EUR 10", 10_00),
        ("en", "0", 0),
        ("it", "12.758,55", 12_758_55),
        ("it", "12758,55", 12_758_55),
        ("it", "12758.55", 12_758_55),
        ("it", "1.204", 1_204_00),
        ("pl", "12 758,55", 12_758_55),
        ("pl", "12\u00a0758,55", 12_758_55),
    ],
)
def test_an_amount_is_read_plainly_or_by_the_readers_language(app: Flask, language: str, text: str, minor: int) -> None:
    with app.test_request_context(headers={"Accept-Language": language}):
        assert amounts.read(text, "EUR") == Money(minor, "EUR")


@pytest.mark.parametrize("text", ["", "ten", "49,9O", "1.005", "1e5", "NaN", "Infinity", "9" * 40, "1_000", "--1"])
def test_anything_else_is_refused(app: Flask, text: str) -> None:
    with app.test_request_context(headers={"Accept-Language": "en"}), pytest.raises(amounts.BadNumber):
        amounts.read(text, "EUR")


def test_a_currency_without_decimals_takes_none(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert amounts.read("1,204", "JPY") == Money(1204, "JPY")
        with pytest.raises(amounts.BadNumber):
            amounts.read("1.5", "JPY")


@pytest.mark.parametrize(("text", "bps"), [("8", 800), ("7.5", 750), ("7.5 %", 750), ("0.01", 1), ("100", 10_000)])
def test_a_percentage_becomes_basis_points(app: Flask, text: str, bps: int) -> None:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert amounts.read_percent(text) == bps


def test_a_percentage_has_two_decimals_and_a_count_none(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert amounts.read_count("1,200") == 1200
        for wrong in (
            lambda: amounts.read_percent("7.555"),
            lambda: amounts.read_count("1.5"),
            lambda: amounts.read_count("many"),
        ):
            with pytest.raises(amounts.BadNumber):
                wrong()
