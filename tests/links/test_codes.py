"""Codes of links and coupons."""

import pytest

from affiliate.links.codes import CodeProblem, code_problem, coupon_problem, random_code


def test_a_random_code_is_a_valid_one_without_look_alikes() -> None:
    drawn = {random_code() for _ in range(2_000)}
    assert len(drawn) == 2_000
    assert not any(set(code) & set("0o1li") for code in drawn)
    assert all(code_problem(code) is None for code in drawn)


@pytest.mark.parametrize("code", ["marta", "marta-ghisa", "2026", "a1b", "x" * 40])
def test_a_plain_word_may_be_a_code(code: str) -> None:
    assert code_problem(code) is None


@pytest.mark.parametrize(
    "code", ["", "ab", "-ab", "ab-", "a b", "a/b", "a.b", "Marta", "ragù", "x" * 41, "ab\n", "../x"]
)
def test_a_code_of_another_shape_is_refused(code: str) -> None:
    assert code_problem(code) is CodeProblem.SHAPE


@pytest.mark.parametrize("code", ["admin", "login", "api", "robots"])
def test_a_word_of_the_system_is_refused(code: str) -> None:
    assert code_problem(code) is CodeProblem.RESERVED


@pytest.mark.parametrize("code", ["MARTA5", "A", "X_1-2.3"])
def test_a_coupon_is_letters_digits_and_a_few_signs(code: str) -> None:
    assert coupon_problem(code) is None


@pytest.mark.parametrize("code", ["", "A B", "É", "A" * 61, "-A", "marta5"])
def test_another_coupon_is_refused(code: str) -> None:
    assert coupon_problem(code) is CodeProblem.SHAPE
