"""Tables that people upload as CSV: read as spreadsheets write them, bounded, with one clear sentence for what is wrong. Pure."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

BYTES_MAX = 2_000_000
ROWS_MAX = 10_000
_DELIMITERS = ",;\t"
_FORMULA_STARTS = ("=", "+", "-", "@")
N_ = str  # marks a sentence for the translators


class BadTable(ValueError):  # noqa: N818 - read as a kind
    """The file cannot be read. `sentence` is an English source for gettext, with the values in `values`."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence % values)
        self.sentence, self.values = sentence, values


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the file by its columns, without surrounding spaces; empty where nothing stands. `number` is the line in the file."""

    number: int
    cells: dict[str, str]


def read(
    content: bytes,
    *,
    required: Sequence[str],
    optional: Sequence[str] = (),
    aliases: Mapping[str, str] | None = None,
    rows_max: int = ROWS_MAX,
    bytes_max: int = BYTES_MAX,
) -> list[Line]:
    """The rows of a CSV in UTF-8 with a line of column names, parted by comma, semicolon or tab; empty rows are left out.

    Columns may stand in any order and have capitals; those that nobody asked for are passed over. `aliases` are other names
    of a column, as other systems write them. An apostrophe that an
    export of ours put before a formula is taken away again.

    Raises:
        BadTable: too large, not UTF-8, no CSV, a column is missing or there twice.
    """
    if len(content) > bytes_max:
        raise BadTable(N_("The file is larger than %(size)s MB."), size=f"{bytes_max / 1_000_000:g}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadTable(N_("The file is not written in UTF-8. Save it as “CSV UTF-8”.")) from error
    if "\0" in text:
        raise BadTable(N_("The file is no CSV table."))
    wanted = {*required, *optional}
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
        names = _names(next(rows, []), wanted=wanted, required=required, aliases=aliases or {})
        return _lines(((rows.line_num, row) for row in rows), names, rows_max)
    except csv.Error as error:
        raise BadTable(N_("The file is no CSV table.")) from error


def _delimiter(text: str) -> str:
    """The one that parts the line of names most often; a comma where none does."""
    head = text.partition("\n")[0]
    return max(_DELIMITERS, key=head.count)


def _names(head: Sequence[str], *, wanted: set[str], required: Sequence[str], aliases: Mapping[str, str]) -> list[str]:
    plain = [name.strip().lower().replace(" ", "_") for name in head]
    names = [aliases.get(name, name) for name in plain]
    missing = [name for name in required if name not in names]
    if missing:
        raise BadTable(N_("The file has no column “%(name)s”."), name=missing[0])
    twice = [name for name in names if name in wanted and names.count(name) > 1]
    if twice:
        raise BadTable(N_("The file has two columns “%(name)s”."), name=twice[0])
    return [name if name in wanted else "" for name in names]


def _lines(rows: Iterable[tuple[int, list[str]]], names: Sequence[str], rows_max: int) -> list[Line]:
    found: list[Line] = []
    for number, row in rows:
        cells = {name: _cell(text) for name, text in zip(names, row, strict=False) if name}
        if not any(cells.values()):
            continue
        if len(found) == rows_max:
            raise BadTable(N_("The file has more than %(count)s rows."), count=rows_max)
        found.append(Line(number, dict.fromkeys(filter(None, names), "") | cells))
    return found


def _cell(text: str) -> str:
    text = text.strip()
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA_STARTS) else text
