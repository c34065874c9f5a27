"""The shop's totals from a table: each row a day, read as people and spreadsheets write numbers."""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _

from affiliate import amounts, imports
from affiliate.amounts import BadNumber
from affiliate.imports import Line
from affiliate.reports import shop_days
from affiliate.reports.shop import Told
from affiliate.reports.shop_days import BadDay

REQUIRED = ("day", "orders", "revenue")
OPTIONAL = ("visitors", "new_customers", "costs")
N_ = str  # marks a sentence for the translators
_NO_DAY = N_("Write the day as 2026-11-30.")
_TWICE = N_("This day stands in the table twice.")
_NEGATIVE = N_("Write a number of zero or more.")


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was not taken: its line in the file, its day as typed, and why, in the reader's language."""

    number: int
    day: str
    problem: str


def read(content: bytes, *, currency: str, today: date) -> tuple[dict[date, Told], list[Refused]]:
    """The days of a CSV, and the rows that cannot be taken.

    Raises:
        BadTable: the file cannot be read at all.
    """
    lines = imports.read(content, required=REQUIRED, optional=OPTIONAL, rows_max=shop_days.DAYS_MAX)
    days: dict[date, Told] = {}
    refused: list[Refused] = []
    for line in lines:
        try:
            day, told = _day(line, days), _told(line, currency)
            shop_days.check(day, told, today=today)
            days[day] = told
        except BadNumber as wrong:
            refused.append(Refused(line.number, line.cells["day"], _(str(wrong))))
        except BadDay as wrong:
            refused.append(Refused(line.number, line.cells["day"], _told_wrong(wrong.errors.items())))
    return days, refused


def _day(line: Line, before: Container[date]) -> date:
    try:
        day = date.fromisoformat(line.cells["day"])
    except ValueError:
        raise BadNumber(_NO_DAY) from None
    if day in before:
        raise BadNumber(_TWICE)
    return day


def _told(line: Line, currency: str) -> Told:
    cells = {name: line.cells.get(name, "") for name in (*REQUIRED, *OPTIONAL)}
    return Told(
        orders=_count(cells["orders"]),
        revenue_minor=_minor(cells["revenue"], currency),
        visitors=_count(cells["visitors"]) if cells["visitors"] else None,
        new_customers=_count(cells["new_customers"]) if cells["new_customers"] else None,
        costs_minor=_minor(cells["costs"], currency) if cells["costs"] else None,
    )


def _count(text: str) -> int:
    return _at_least_zero(amounts.read_count(text))


def _minor(text: str, currency: str) -> int:
    return _at_least_zero(amounts.read(text, currency).amount_minor)


def _at_least_zero(number: int) -> int:
    if number < 0:
        raise BadNumber(_NEGATIVE)
    return number


def _told_wrong(errors: Iterable[tuple[str, list[str]]]) -> str:
    return " ".join(f"{name}: {_(sentence)}" for name, sentences in errors for sentence in sentences)
