"""Partners from a table: what a row says, and whether it can be taken. Pure: who is known already is handed in.

A row is known by its e-mail address: the same file again finds everybody there and changes nothing.
"""

import enum
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from affiliate import imports
from affiliate.imports import Line
from affiliate.programs import rules

N_ = str  # marks a sentence for the translators

ROWS_MAX = 500
BYTES_MAX = 200_000
TAGS_MAX = 10
LANGUAGES = ("en", "it", "pl")
REQUIRED = ("name", "email")
OPTIONAL = ("person", "website", "country", "language", "group", "tags")
ALIASES = {
    "partner": "name", "company": "name", "partner_name": "name", "affiliate": "name", "publisher": "name", "e-mail": "email",
    "mail": "email", "email_address": "email", "contact": "person", "url": "website", "site": "website", "locale": "language",
    "lang": "language", "country_code": "country", "tag": "tags", "partner_group": "group",
}  # fmt: skip
"""What other systems, and our own export, call a column."""

_NAME_MAX = 120
_WORD_MAX = 40
_EMAIL_MAX = 255
_EMAIL = re.compile(r"[^@\s<>,;\"]{1,64}@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.[a-z]{2,}")
_COUNTRY = re.compile(r"[A-Z]{2}")


class Outcome(enum.StrEnum):
    """What a row comes to."""

    NEW = "new"
    KNOWN = "known"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Row:
    """A partner as a table tells of it. Texts are empty, and null for an address or country, where nothing is said."""

    number: int
    name: str
    email: str
    person: str
    website: str | None
    country: str | None
    language: str | None
    group: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A row with what it comes to; `why` is an English source for gettext, of a refused one."""

    row: Row
    outcome: Outcome
    why: str = ""


def read(content: bytes) -> list[Row]:
    """The rows of a CSV.

    Raises:
        BadTable: too large, no table, or a column is missing.
    """
    lines = imports.read(
        content, required=REQUIRED, optional=OPTIONAL, aliases=ALIASES, rows_max=ROWS_MAX, bytes_max=BYTES_MAX
    )
    return [_row(line) for line in lines]


def judged(rows: Sequence[Row], *, inside: Collection[str], elsewhere: Collection[str]) -> list[Judged]:
    """Each row with its outcome. `inside` are addresses of people whose partner is in the program, `elsewhere` of all others."""
    found: list[Judged] = []
    seen: set[str] = set()
    for row in rows:
        found.append(_judged(row, seen, inside, elsewhere))
        seen.add(row.email)
    return found


def _judged(row: Row, seen: Collection[str], inside: Collection[str], elsewhere: Collection[str]) -> Judged:
    if why := _problem(row):
        return Judged(row, Outcome.REFUSED, why)
    if row.email in seen:
        return Judged(row, Outcome.REFUSED, N_("The address stands in an earlier row."))
    if row.email in inside:
        return Judged(row, Outcome.KNOWN)
    if row.email in elsewhere:
        return Judged(
            row,
            Outcome.REFUSED,
            N_("Somebody with this address has an account here. Send an invitation: they join themselves."),
        )
    return Judged(row, Outcome.NEW)


def _problem(row: Row) -> str:
    """The first thing that is wrong with a row by itself."""
    checks = (
        (0 < len(row.name) <= _NAME_MAX, N_("Write a name of at most 120 characters.")),
        (len(row.email) <= _EMAIL_MAX and _EMAIL.fullmatch(row.email), N_("This is no e-mail address.")),
        (len(row.person) <= _NAME_MAX, N_("Write a name of at most 120 characters.")),
        (row.website is None or not rules.address_problem(row.website), N_("The website is no full address.")),
        (row.country is None or _COUNTRY.fullmatch(row.country), N_("Write the country as two letters, for example IT.")),
        (row.language is None or row.language in LANGUAGES, N_("Write the language as en, it or pl.")),
        (len(row.group) <= _WORD_MAX, N_("Write a name of at most 40 characters.")),
        (len(row.tags) <= TAGS_MAX and all(len(tag) <= _WORD_MAX for tag in row.tags), N_("Write up to 10 tags of at most 40 characters.")),
    )  # fmt: skip
    return next((sentence for fine, sentence in checks if not fine), "")


def _row(line: Line) -> Row:
    cells = {name: line.cells.get(name, "") for name in (*REQUIRED, *OPTIONAL)}
    tags = tuple(dict.fromkeys(tag for part in cells["tags"].split(",") if (tag := " ".join(part.lower().split()))))
    return Row(
        line.number, " ".join(cells["name"].split()), cells["email"].lower(), " ".join(cells["person"].split()),
        _website(cells["website"]), cells["country"].upper() or None, cells["language"].lower() or None,
        " ".join(cells["group"].split()), tags,
    )  # fmt: skip


def _website(text: str) -> str | None:
    """The address with its scheme, where it was left out."""
    return (text if "://" in text else f"https://{text}") if text else None
