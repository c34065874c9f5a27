"""Lists as CSV and as workbooks, with no cell that a spreadsheet would run as a formula.

Rows are taken one by one and written to a file on disk, so that a list of any length needs the same memory, and is whole before its
first byte leaves: all of it is of one moment, and an error in the middle is no half of a file.
"""

import csv
import enum
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from affiliate.errors import NotFound
from affiliate.money import Money

if TYPE_CHECKING:
    from flask import Response

PART_SIZE = 2_000
"""The rows that an export reads at a time."""

_IN_MEMORY_MAX = 1_000_000  # bytes of a file that never reach the disk
_CELL_LENGTH_MAX = 32_000  # a workbook takes little more
_SHEET_ROWS_MAX = 1_048_575  # below the head; a sheet of Excel has 1,048,576 rows
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_BYTE_ORDER_MARK = "\ufeff"  # without it some spreadsheets read UTF-8 as something else
Row = TypeVar("Row")
Cell = str | int | bool | datetime | Money | Decimal | UUID | None


class Format(enum.StrEnum):
    """What a list can be fetched as, by the end of its address."""

    CSV = "csv"
    XLSX = "xlsx"


class NoSuchFormat(NotFound):
    """The end of the address is none of ours."""

    def __init__(self) -> None:
        super().__init__("Lists come as .csv and as .xlsx.")


def every(read: Callable[[int], Sequence[Row]]) -> Iterator[Row]:
    """All rows of a list, a part in memory at a time. `read` gives PART_SIZE rows after the first so many; fewer end the list.

    Nothing is lost or doubled between parts, for a request that only reads sees the database as it was at one moment.
    """
    first = 0
    while rows := read(first):
        yield from rows
        if len(rows) < PART_SIZE:
            return
        first += len(rows)


def left_out(most: int | None, columns: int) -> list[list[Cell]]:
    """The last row of a list of so many columns of which only the `most` first are read; none where it is whole (null)."""
    if most is None:
        return []
    return [[f"more than {most} rows: those with the fewest clicks and sales are left out", *[None] * (columns - 1)]]


def neutral(text: str) -> str:
    """The text, with an apostrophe in front when a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def csv_text(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """The table as RFC 4180 text. Times in ISO 8601, amounts as plain decimals; text cells are neutralised, numbers stay."""
    buffer = io.StringIO()
    _write_csv(buffer, head, rows)
    return buffer.getvalue()


def _write_csv(file: Any, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    file.write(_BYTE_ORDER_MARK)
    writer = csv.writer(file)
    writer.writerow([neutral(name) for name in head])
    writer.writerows([_cell(value) for value in row] for row in rows)


def csv_response(filename: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> "Response":
    """The table as a download called `filename` (our own words, no input)."""
    file: Any = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_MAX)  # noqa: SIM115 - the answer closes it
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    _write_csv(text, head, rows)
    text.flush()
    text.detach()
    return _download(file, filename, "text/csv")


def _download(file: Any, filename: str, mimetype: str) -> "Response":
    """What was written to a file, from its beginning."""
    from flask import Response  # here, because jobs write tables too, and no worker needs a web stack
    from werkzeug.wsgi import FileWrapper

    length = file.tell()
    file.seek(0)
    headers = {"Content-Disposition": f'attachment; filename="{filename}"', "Cache-Control": "no-store"}
    answer = Response(FileWrapper(file), mimetype=mimetype, headers=headers, direct_passthrough=True)
    answer.content_length = length
    return answer


def response(kind: str, name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> "Response":
    """The table as a download of this kind, called `name` (our own words, no input) and the kind's ending.

    Raises:
        NoSuchFormat: there is no such kind.
    """
    if kind == Format.CSV:
        return csv_response(f"{name}.csv", head, rows)
    if kind != Format.XLSX:
        raise NoSuchFormat
    file: Any = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_MAX)  # noqa: SIM115 - the answer closes it
    _write_workbook(file, head, rows)
    file.seek(0, io.SEEK_END)
    return _download(file, f"{name}.xlsx", _WORKBOOK)


def workbook(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """The table as a workbook: amounts and counts are numbers, all else is text, and text is never a formula or a link."""
    buffer = io.BytesIO()
    _write_workbook(buffer, head, rows)
    return buffer.getvalue()


def _write_workbook(file: Any, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    import xlsxwriter  # here, because most processes never write one

    # One row in memory at a time; the library keeps the others in a file of its own.
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        sheet = _sheet(book, head)
        for number, row in enumerate(rows):
            if number and not number % _SHEET_ROWS_MAX:
                sheet = _sheet(book, head)
            for place, value in enumerate(row):
                _write(sheet, number % _SHEET_ROWS_MAX + 1, place, value)


def _sheet(book: Any, head: Sequence[str]) -> Any:
    """The next sheet, with its head: a list that is longer than a sheet goes on in another."""
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, max(len(head) - 1, 0), 18)
    bold = book.add_format({"bold": True})
    for place, name in enumerate(head):
        sheet.write_string(0, place, name, bold)
    return sheet


def _write(sheet: Any, row: int, place: int, value: Cell) -> None:
    if isinstance(value, Money):
        sheet.write_number(row, place, value.decimal())
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        sheet.write_number(row, place, value)
    elif value is not None:
        text = value.isoformat() if isinstance(value, datetime) else str(value)
        sheet.write_string(
            row, place, ("yes" if value else "no") if isinstance(value, bool) else text[:_CELL_LENGTH_MAX]
        )


def _cell(value: Cell) -> str | int:
    if value is None:
        return ""
    if isinstance(value, Money):
        return value.text()  # digits and at most a sign: a number, whatever it begins with
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return str(value)
    return value if isinstance(value, int) else neutral(str(value))
