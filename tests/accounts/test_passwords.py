"""Good passwords pass, whatever signs they use; short and guessable ones do not."""

import pytest
import warm
from argon2 import PasswordHasher

from affiliate.accounts import passwords
from affiliate.accounts.passwords import PasswordProblem

ALICE = ("alice.meadow@shop.example", "Alice Meadow")


@pytest.mark.parametrize(
    "password",
    [
        "four pale otters in the rain",
        "xkq8rj2mvwpz5td",
        "zażółć gęślą jaźń!",
        "    lots of space    ok",
        "K" + "ä7" * 20 + "xyq",
    ],
)
def test_a_long_password_of_ones_own_is_good(password: str) -> None:
    assert passwords.problem(password, about=ALICE) is None


def test_fifteen_characters_are_the_least_and_128_the_most() -> None:
    assert passwords.problem("h7j2k9x4m1q8w3") is PasswordProblem.TOO_SHORT
    assert passwords.problem("h7j2k9x4m1q8w3e") is None
    assert passwords.problem("h7j2k9x4m1q8w3e-" * 8) is not PasswordProblem.TOO_LONG
    assert passwords.problem("h7j2k9x4m1q8w3e-" * 8 + "x") is PasswordProblem.TOO_LONG


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "Password12345678",
        "aaaaaaaaaaaaaaaaaa",
        "123456789012345",
        "qwertyuiopasdfghjkl",
        "1qaz2wsx3edc4rfv",
        "abcabcabcabcabcabc",
        "tree1tree1tree1tree1",
        "alice.meadow@shop.example",
        "Alice-Meadow-2026",
        "--------------------",
        "iloveyouiloveyou!!",
    ],
)
def test_what_everybody_tries_first_is_refused(password: str) -> None:
    assert passwords.problem(password, about=ALICE) is PasswordProblem.COMMON


def test_a_hash_is_argon2id_and_fits_the_same_password_typed_on_another_keyboard() -> None:
    hashed = passwords.hash_of("caffè con panna montata")
    assert hashed.startswith("$argon2id$")
    assert PasswordHasher().verify(hashed, passwords.normalize("caffe\u0300 con panna montata"))


def test_a_hash_costs_what_owasp_advises_where_no_test_makes_it_cheap() -> None:
    assert warm.PASSWORD_COST == (2, 19_456)
