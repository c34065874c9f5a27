"""Exports hold what the page shows, and nothing that a spreadsheet would run."""

import csv
import io
from datetime import UTC, datetime

import pytest

from affiliate import exports
from affiliate.money import Money


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert exports.neutral(text) == "'" + text
    assert list(csv.reader(io.StringIO(exports.csv_text(["name"], [[text]]).lstrip("\ufeff"), newline="")))[1] == [
        "'" + text
    ]


def test_names_and_numbers_stay_as_they_are() -> None:
    moment = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
    row = ["Ferro, Fuoco", 3, -3, Money(-4990, "EUR"), moment, None, True]
    text = exports.csv_text(["a", "b", "c", "d", "e", "f", "g"], [row])
    assert text.splitlines()[1] == '"Ferro, Fuoco",3,-3,-49.90,2026-11-16T12:00:00+00:00,,yes'


def test_the_download_has_a_name_and_is_not_kept_by_caches() -> None:
    response = exports.csv_response("partners.csv", ["name"], [])
    assert response.headers["Content-Disposition"] == 'attachment; filename="partners.csv"'
    assert response.headers["Cache-Control"] == "no-store"
    assert response.mimetype == "text/csv"
