"""Pages of a list by keyset: stable while rows arrive, at the same price however far one goes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from affiliate import exports

PAGE_SIZE = 50
EXPORT_SIZE = exports.PART_SIZE
"""The rows of a page that an export reads."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NUMBER_MAX = 2**62  # databases hold no larger ones


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: beside one row, towards older or newer ones."""

    towards: Literal["older", "newer"]
    at: datetime | int
    id: UUID

    def text(self) -> str:
        """The cursor as it stands in an address: small letters begin a moment, capitals a number."""
        if isinstance(self.at, datetime):
            return f"{self.towards[0]}{(self.at - _EPOCH) // _MICROSECOND}.{self.id.hex}"
        return f"{self.towards[0].upper()}{self.at}.{self.id.hex}"


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of a list, and the cursors of its neighbours where there are any; `newer` is that of the page before."""

    rows: list[Any]
    newer: str | None
    older: str | None


def read_cursor(text: str | None) -> Cursor | None:
    """The cursor in an address; a broken one counts as none, so that an old bookmark shows the first page."""
    if not text:
        return None
    mark, _, identifier = text[1:].partition(".")
    try:
        number = int(mark)
        at = _bounded(number) if text[0].isupper() else _EPOCH + number * _MICROSECOND
        return Cursor("newer" if text[0] in "nN" else "older", at, UUID(identifier))
    except (ValueError, OverflowError):
        return None


def _bounded(number: int) -> int:
    if abs(number) > _NUMBER_MAX:
        raise OverflowError(number)
    return number


def page_of(
    session: Session,
    statement: sa.Select[*tuple[Any, ...]],
    *,
    by: Any,
    identifier: InstrumentedAttribute[UUID],
    cursor: Cursor | None,
    size: int = PAGE_SIZE,
    ascending: bool = False,
) -> Page:
    """The page at the cursor, the newest or largest first; with `ascending` the oldest or smallest.

    The statement selects `by` (moments, days or numbers) as `at` and the identifier as `id`, without order or limit.
    """
    asked = asked_for(statement, by=by, identifier=identifier, cursor=cursor, size=size, ascending=ascending)
    return asked.page(session.execute(asked.statement).all())


@dataclass(frozen=True, slots=True)
class Asked:
    """A page as it is asked of the database, perhaps beside others, and how to make it of the rows in the order that was asked for."""

    statement: sa.Select[*tuple[Any, ...]]
    size: int
    has_mark: bool
    backwards: bool
    upwards: bool

    def page(self, found: Sequence[Any]) -> Page:
        """The page of these rows; one more than fit says that there are others."""
        more, rows = len(found) > self.size, list(found[: self.size])
        if self.backwards:
            rows.reverse()
        newer = rows and (more if self.backwards else self.has_mark)
        older = rows and (True if self.backwards else more)
        return Page(rows, _beside("newer", rows[0]) if newer else None, _beside("older", rows[-1]) if older else None)

    def page_of_any_order(self, found: Iterable[Any]) -> Page:
        """The same of rows that came in no order."""
        return self.page(sorted(found, key=lambda row: (row.at, row.id), reverse=not self.upwards))


def asked_for(
    statement: sa.Select[*tuple[Any, ...]],
    *,
    by: Any,
    identifier: Any,
    cursor: Cursor | None,
    size: int = PAGE_SIZE,
    ascending: bool = False,
) -> Asked:
    """The page of `page_of`, to be asked for."""
    backwards = cursor is not None and cursor.towards == "newer"
    upwards = backwards is not ascending
    mark = None if cursor is None else _mark(cursor, by.type.python_type)
    if cursor is not None and mark is not None:
        statement = statement.where(_beyond(by, identifier, mark, cursor.id, upwards=upwards))
    order = (by.asc(), identifier.asc()) if upwards else (by.desc(), identifier.desc())
    return Asked(statement.order_by(*order).limit(size + 1), size, mark is not None, backwards, upwards)


def every_row(read: Callable[[Cursor | None], Page]) -> Iterator[Any]:
    """All rows of a list, a page in memory at a time. `read` gives the page at a cursor, towards older rows."""
    return (row for page in every_page(read) for row in page.rows)


def every_page(read: Callable[[Cursor | None], Page]) -> Iterator[Page]:
    """The pages of a list, one after the other."""
    page = read(None)
    yield page
    while page.older is not None:
        page = read(read_cursor(page.older))
        yield page


def _beside(towards: Literal["older", "newer"], row: Any) -> str:
    is_day = isinstance(row.at, date) and not isinstance(row.at, datetime)
    return Cursor(towards, row.at.toordinal() if is_day else row.at, row.id).text()


def _mark(cursor: Cursor, kind: type) -> datetime | date | int | None:
    """Where the cursor stands among values of this kind; nothing if it is of another list."""
    if issubclass(kind, datetime) or isinstance(cursor.at, datetime):
        return cursor.at if isinstance(cursor.at, kind) else None
    if not issubclass(kind, date):
        return cursor.at if issubclass(kind, int) else None
    return date.fromordinal(cursor.at) if 0 < cursor.at <= date.max.toordinal() else None


def _beyond(
    by: Any, identifier: InstrumentedAttribute[UUID], mark: datetime | date | int, row_id: UUID, *, upwards: bool
) -> sa.ColumnElement[bool]:
    here = sa.tuple_(by, identifier)
    there = sa.tuple_(sa.literal(mark, by.type), sa.literal(row_id, identifier.type))
    return here > there if upwards else here < there
