"""Addresses with macros: what is refused, and what they become."""

import pytest

from affiliate.notifications import macros
from affiliate.notifications.macros import Problem, Refused


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("http://track.example/p", Problem.NOT_HTTPS),
        ("ftp://track.example/p", Problem.NOT_HTTPS),
        ("track.example/p?cid={sub1}", Problem.NOT_HTTPS),
        ("https:///p", Problem.NO_HOST),
        ("https://track.example:port/p", Problem.NO_HOST),
        ("https://{sub1}.example/p", Problem.MACRO_IN_HOST),
        ("https://me:secret@track.example/p", Problem.HAS_PASSWORD),
        ("https://track.example/p#{sub1}", Problem.HAS_FRAGMENT),
        ("https://track.example/p?a b", Problem.NOT_PRINTABLE),
        ("https://track.example/p?\r\nHost: inside", Problem.NOT_PRINTABLE),
        ("https://track.example/è", Problem.NOT_PRINTABLE),
        ("https://track.example/p?c={sub11}", Problem.UNKNOWN_MACRO),
        ("https://track.example/p?c={Sub1}", Problem.UNKNOWN_MACRO),
        ("https://track.example/p?c={}", Problem.UNKNOWN_MACRO),
        ("https://track.example/p?c={ip}", Problem.PRIVATE_MACRO),
        ("https://track.example/p?c={sub1", Problem.STRAY_BRACE),
        ("https://track.example/p?c={{sub1}}", Problem.STRAY_BRACE),
        ("https://track.example/" + "a" * 1_000, Problem.TOO_LONG),
    ],
)
def test_an_address_that_cannot_work_is_refused_with_its_reason(address: str, problem: Problem) -> None:
    found = macros.check(address)
    assert found is not None
    assert found.problem is problem


def test_the_refusal_names_every_unknown_macro() -> None:
    address = "https://track.example/p?a={aff_id}&b={sub1}&c={Click}"
    assert macros.check(address) == Refused(Problem.UNKNOWN_MACRO, "{Click}, {aff_id}")


def test_an_address_copied_from_a_browser_is_read_with_its_braces() -> None:
    address = macros.normalised(" https://track.example/p?cid=%7bsub1%7D ")
    assert address == "https://track.example/p?cid={sub1}"
    assert macros.check(address) is None


def test_values_are_encoded_and_cannot_add_anything_to_the_address() -> None:
    expanded = macros.expand(
        "https://track.example/{sub1}?p={payout}&o={order_id}&n={sub2}",
        {"sub1": "../admin?x=1#", "payout": "4.99", "order_id": "A&B=1 {sub1}"},
    )
    assert expanded == "https://track.example/..%2Fadmin%3Fx%3D1%23?p=4.99&o=A%26B%3D1%20%7Bsub1%7D&n="


def test_every_macro_that_is_explained_exists() -> None:
    from affiliate.notifications import postback_words

    with_context = macros._MACRO.findall(" ".join(name for name, _text in _explained(postback_words)))
    assert with_context
    assert set(with_context) <= macros.MACROS


def _explained(words: object) -> list[tuple[str, str]]:
    from flask import Flask
    from flask_babel import Babel

    app = Flask(__name__)
    Babel(app)
    with app.test_request_context():
        return words.explained()  # type: ignore[attr-defined,no-any-return]
