"""What the second person is told to look at before a run is approved."""

from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from affiliate import ids
from affiliate.console import payout_warnings
from affiliate.payouts.queries import Review

PARTNER = ids.new()


def payout(**facts: Any) -> SimpleNamespace:
    """One like the last one, to the same account."""
    usual = {"id": ids.new(), "partner": "Sobota", "partner_id": PARTNER, "amount_minor": 10_00, "before_minor": 10_00}
    usual |= {"taken_out_at": None, "details_changed_at": None, "masked": "IT60 •••• 3456"}
    return SimpleNamespace(**usual | facts)


@pytest.mark.parametrize(
    ("facts", "reviews", "said"),
    [
        ({}, [], []),
        ({"amount_minor": 30_00}, [], []),
        ({"amount_minor": 30_01}, [], ["Sobota gets €30.01, 3 times the last payout."]),
        ({"before_minor": None}, [], ["1 partner gets its first payout, €10.00."]),
        ({"details_changed_at": "now"}, [], ["Sobota has changed its payment details since the run was proposed."]),
        ({}, [Review(PARTNER, "Sobota", 2, 5_00)], ["2 other sales of Sobota are under review."]),
        ({"amount_minor": 90_00, "taken_out_at": "now"}, [Review(PARTNER, "Sobota", 2, 5_00)], []),
    ],
)
def test_what_is_unlike_other_runs_is_a_note_to_tick(
    app: Flask, facts: dict[str, Any], reviews: list[Review], said: list[str]
) -> None:
    with app.test_request_context():
        notes = payout_warnings.notes([payout(**facts)], "EUR", reviews)
    assert [note["title"] for note in notes] == said
