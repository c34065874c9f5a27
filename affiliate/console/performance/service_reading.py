"""Numbers about service as people write them, in the form and in tables, and as pages print them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from affiliate import amounts, days, imports
from affiliate.amounts import BadNumber
from affiliate.errors import Invalid
from affiliate.imports import Line
from affiliate.reports import service_quality
from affiliate.reports.service_measures import HUNDREDTHS, MEASURES, ServiceMeasure, ServiceUnit
from affiliate.reports.service_quality import Said

REQUIRED = ("measure", "number", "first", "last")
OPTIONAL = ("partner", "source", "note")
ROWS_MAX = 500
BYTES_MAX = 100_000
"""What is shown before it is taken travels with the page."""
N_ = str  # marks a sentence for the translators
_NO_DAY = N_("Write the day as 2026-11-30.")
_NO_MEASURE = N_("Write one of the measures.")
_NO_PARTNER = N_("There is no partner of this name in the program.")
_SEVERAL = N_("Several partners have this name. Write the id instead.")


class WrongPartner(BadNumber):
    """The name is of no partner of the program, or of several."""


@dataclass(frozen=True, slots=True)
class Read:
    """A row of a table: what it says, or (`said` null) why it cannot be taken, in the reader's language."""

    number: int
    partner: str
    measure: str
    said: Said | None
    problem: str = ""


def number_of(measure: ServiceMeasure, text: str) -> int:
    """What was typed, as it is stored.

    Raises:
        BadNumber: it cannot be read.
    """
    unit = MEASURES[measure].unit
    if unit is ServiceUnit.COUNT:
        return amounts.read_count(text)
    return amounts.read_percent(text)  # two decimals at most, as hundredths: hours, percents and grades alike


def partner_of(text: str, called: Mapping[str, Sequence[UUID]]) -> UUID | None:
    """The partner that was typed, by its name or id; empty is the program.

    Raises:
        WrongPartner: it is none, or several.
    """
    if not text:
        return None
    found = called[text.lower()]
    if len(found) != 1:
        raise WrongPartner(_SEVERAL if found else _NO_PARTNER)
    return found[0]


def plain(measure: ServiceMeasure, number: int) -> Decimal | int:
    """A stored number as files have it, and take it again."""
    return number if MEASURES[measure].unit is ServiceUnit.COUNT else Decimal(number) / HUNDREDTHS


def read(session: Session, content: bytes, *, program_id: UUID, today: date) -> list[Read]:
    """The rows of a CSV, each with what it says or why it cannot be taken.

    Raises:
        BadTable: the file cannot be read at all.
    """
    lines = imports.read(content, required=REQUIRED, optional=OPTIONAL, rows_max=ROWS_MAX, bytes_max=BYTES_MAX)
    names = sorted({line.cells["partner"] for line in lines if line.cells.get("partner")})
    called = service_quality.partners_called(session, program_id=program_id, names=names)
    return [_row(line, called, today) for line in lines]


def _row(line: Line, called: Mapping[str, Sequence[UUID]], today: date) -> Read:
    cells = {name: line.cells.get(name, "") for name in (*REQUIRED, *OPTIONAL)}
    try:
        said = _said(cells, called)
        service_quality.check(said, today=today)
    except BadNumber as wrong:
        return Read(line.number, cells["partner"], cells["measure"], None, _(str(wrong)))
    except Invalid as wrong:
        told = " ".join(_(sentence) for sentences in wrong.errors.values() for sentence in sentences)
        return Read(line.number, cells["partner"], cells["measure"], None, told)
    return Read(line.number, cells["partner"], cells["measure"], said)


def _said(cells: Mapping[str, str], called: Mapping[str, Sequence[UUID]]) -> Said:
    if cells["measure"].lower() not in set(ServiceMeasure):
        raise BadNumber(_NO_MEASURE)
    measure = ServiceMeasure(cells["measure"].lower())
    first, last = (_day(cells[name]) for name in ("first", "last"))
    return Said(
        partner_id=partner_of(cells["partner"], called),
        measure=measure,
        number=number_of(measure, cells["number"]),
        starts_on=first,
        ends_on=last + timedelta(days=1),
        note=cells["note"],
        source=cells["source"],
    )


def _day(text: str) -> date:
    try:
        return days.read(text)
    except ValueError:
        raise BadNumber(_NO_DAY) from None
