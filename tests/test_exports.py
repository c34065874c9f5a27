"""Exports hold what the page shows, and nothing that a spreadsheet would run."""

import csv
import io
import re
import tracemalloc
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from xml.etree import ElementTree as ET

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


def _sheet(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return book.read("xl/worksheets/sheet1.xml").decode()


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "https://evil.example/", "{=1}", "a\x01b", "<b>&amp;"])
def test_text_in_a_workbook_is_text_whatever_it_looks_like(text: str) -> None:
    sheet = _sheet(exports.workbook(["name"], [[text]]))
    assert 'r="A2" t="inlineStr"' in sheet
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet
    ET.fromstring(sheet)  # noqa: S314 - our own file


def test_amounts_and_counts_in_a_workbook_are_numbers() -> None:
    moment = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
    sheet = _sheet(exports.workbook(["a"] * 6, [[3, Money(-4990, "EUR"), Decimal("0.363"), moment, None, True]]))
    for cell in ("<v>3</v>", "<v>-49.90</v>", "<v>0.363</v>", "2026-11-16T12:00:00+00:00", "yes"):
        assert cell in sheet


def test_a_list_comes_as_what_its_address_ends_with() -> None:
    assert (
        exports.response("xlsx", "sales", ["a"], []).headers["Content-Disposition"]
        == 'attachment; filename="sales.xlsx"'
    )
    assert exports.response("csv", "sales", ["a"], []).mimetype == "text/csv"
    with pytest.raises(exports.NoSuchFormat):
        exports.response("exe", "sales", ["a"], [])


def test_a_list_of_any_length_needs_the_same_memory() -> None:
    exports.response("csv", "list", ["number"], [[1]]).close()  # what is loaded the first time
    peaks = []
    for rows in (10_000, 40_000):  # files of one and of four million bytes; up to one stays in memory
        tracemalloc.start()
        answer = exports.response("csv", "list", ["number"], ([f"{number:0100}"] for number in range(rows)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        answer.close()
    assert peaks[1] < peaks[0] + 200_000


def test_a_list_that_is_longer_than_a_sheet_goes_on_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "_SHEET_ROWS_MAX", 2)
    content = exports.workbook(["n"], [[number] for number in range(5)])
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        sheets = [book.read(f"xl/worksheets/sheet{number}.xml").decode() for number in (1, 2, 3)]
        assert "xl/worksheets/sheet4.xml" not in book.namelist()
    assert [re.findall(r"<v>(\d+)</v>", sheet) for sheet in sheets] == [["0", "1"], ["2", "3"], ["4"]]
