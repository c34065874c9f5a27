"""The file of the European Central Bank's reference rates: a CSV, mostly inside a ZIP, one line a day. Pure."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date

from affiliate.currencies.convert import DayRates

N_ = str  # marks a sentence for the translators
SOURCE = "ecb"
BYTES_MAX = 20_000_000
_RATE = re.compile(r"[0-9]{1,12}(\.[0-9]{1,10})?")
_CURRENCY = re.compile(r"[A-Z]{3}")


class BadRates(ValueError):  # noqa: N818 - read as a kind
    """The file is no list of the bank's rates; the message says why."""


def read(content: bytes, *, since: date) -> list[DayRates]:
    """The days from `since` on, oldest first; a currency without a rate on a day is left out there.

    Raises:
        BadRates: no such file, or too large.
    """
    rows = csv.reader(io.StringIO(_text(content)))
    head = [name.strip() for name in next(rows, [])]
    if not head or head[0] != "Date":
        raise BadRates(N_("This is no file of the European Central Bank's rates."))
    return sorted(_days(rows, head, since), key=lambda rates: rates.day)


def _text(content: bytes) -> str:
    if not content.startswith(b"PK"):
        return content[:BYTES_MAX].decode("utf-8-sig", errors="replace")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open(archive.namelist()[0]) as file:
            inside = file.read(BYTES_MAX + 1)
    except (zipfile.BadZipFile, IndexError) as error:
        raise BadRates(N_("This is no file of the European Central Bank's rates.")) from error
    if len(inside) > BYTES_MAX:
        raise BadRates(N_("The file of rates is too large."))
    return inside.decode("utf-8-sig", errors="replace")


def _days(rows: Iterator[list[str]], head: list[str], since: date) -> Iterator[DayRates]:
    for row in rows:
        try:
            day = date.fromisoformat(row[0].strip()) if row else None
        except ValueError as error:
            raise BadRates(N_("This is no file of the European Central Bank's rates.")) from error
        if day is not None and day >= since:
            pairs = zip(head[1:], (text.strip() for text in row[1:]), strict=False)
            yield DayRates(day, SOURCE, {name: text for name, text in pairs if _is_rate(name, text)})


def _is_rate(name: str, text: str) -> bool:
    return bool(_CURRENCY.fullmatch(name) and _RATE.fullmatch(text)) and float(text) > 0
