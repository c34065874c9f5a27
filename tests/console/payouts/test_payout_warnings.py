"""What the second person is told to look at before a run is approved."""

from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from affiliate import ids
from affiliate.console.payouts import payout_warnings
from affiliate.console.queries.money import First
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
        ({"before_minor": None}, [], []),
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


def test_first_payouts_are_one_note_however_many_they_are(app: Flask) -> None:
    with app.test_request_context():
        [note] = payout_warnings.notes(
            [], "EUR", first=First(10_000, 100_000_00, ["Sobota"] * payout_warnings.NAMES_MAX)
        )
        assert payout_warnings.notes([], "EUR", first=First(0, 0, [])) == []
    assert note["title"] == "10,000 partners get their first payout, €100,000.00."
    assert "Sobota…" in note["text"]


def test_more_of_a_kind_than_are_told_one_by_one_are_told_together_and_must_be_ticked(app: Flask) -> None:
    many = [payout(amount_minor=40_00) for _ in range(payout_warnings.NOTES_MAX + 12)]
    run = SimpleNamespace(total_minor=0, currency="EUR")
    with app.test_request_context():
        notes = payout_warnings.notes(many, "EUR")
        ticked = {"total": "0.00"} | {f"seen-{note['id']}": "1" for note in notes[:-1]}
        wrong = payout_warnings.approval_errors(ticked, run, notes)  # type: ignore[arg-type] # the two facts it reads
    assert len(notes) == payout_warnings.NOTES_MAX + 1
    assert notes[-1]["title"] == "12 more as those above: €480.00 in all."
    assert wrong == {"seen": "1 note is not ticked yet."}
