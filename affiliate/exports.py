"""Lists as CSV for spreadsheets: bounded, and with no cell that a spreadsheet would run as a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from flask import Response

from affiliate.money import Money

ROWS_MAX = 20_000
"""The most rows of one export; a query behind one asks for no more."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_BYTE_ORDER_MARK = "\ufeff"  # without it some spreadsheets read UTF-8 as something else
Cell = str | int | bool | datetime | Money | UUID | None


def neutral(text: str) -> str:
    """The text, with an apostrophe in front when a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def csv_text(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """The table as RFC 4180 text. Times in ISO 8601, amounts as plain decimals; text cells are neutralised, numbers stay."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([neutral(name) for name in head])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return _BYTE_ORDER_MARK + buffer.getvalue()


def csv_response(filename: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """The table as a download called `filename` (our own words, no input)."""
    headers = {"Content-Disposition": f'attachment; filename="{filename}"', "Cache-Control": "no-store"}
    return Response(csv_text(head, rows), mimetype="text/csv", headers=headers)


def _cell(value: Cell) -> str | int:
    if value is None:
        return ""
    if isinstance(value, Money):
        return value.text()  # digits and at most a sign: a number, whatever it begins with
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, int) else neutral(str(value))
