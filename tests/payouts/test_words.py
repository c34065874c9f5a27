"""Reasons that no person wrote are codes and facts: each reader gets them in the own language."""

import pytest
from flask import Flask
from flask_babel import force_locale

from affiliate.payouts import words
from affiliate.payouts.models import ReasonCode

STEP = {"plan": "Standard", "first": "2026-10-01", "last": "2026-10-31"}


def test_a_step_of_a_plan_is_told_with_its_days_as_the_reader_writes_them(app: Flask) -> None:
    with app.test_request_context():
        assert words.entry_reason("By hand.", None) == "By hand."
        assert words.entry_reason("raw", STEP) == "Standard: a step was reached, Oct 1, 2026 to Oct 31, 2026"
        with force_locale("it"):
            assert "1 ott 2026" in words.entry_reason("raw", STEP)


@pytest.mark.parametrize(
    ("reason", "code", "said"),
    [
        (None, None, None),
        ("We are asking them.", None, "We are asking them."),
        (None, ReasonCode.RETURNED, "La banca l’ha rimandato indietro."),
        ("Closed.", ReasonCode.RETURNED, "Closed."),
    ],
)
def test_a_reason_is_what_somebody_said_or_ours_in_the_readers_language(
    app: Flask, reason: str | None, code: ReasonCode | None, said: str | None
) -> None:
    with app.test_request_context(), force_locale("it"):
        assert words.payout_reason(reason, code) == said


def test_each_code_of_ours_and_the_banks_commonest_have_words(app: Flask) -> None:
    with app.test_request_context():
        assert all(words.payout_reason(None, code) for code in ReasonCode)
        assert words.payout_reason("AC04", ReasonCode.RETURNED) == "The account is closed (AC04)."
        assert words.payout_reason("XY99", ReasonCode.RETURNED) == "XY99"
