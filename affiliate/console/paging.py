"""Pages of a list by keyset: newest (or largest) first, stable while rows arrive, at the same price however far one goes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

PAGE_SIZE = 50
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
    """Rows of a list, newest first, and the cursors of its neighbours where there are any."""

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
) -> Page:
    """The page at the cursor. The statement selects `by` (moments or numbers) as `at` and the identifier as `id`, without order or limit."""
    if cursor is not None and isinstance(cursor.at, int) is not issubclass(by.type.python_type, int):
        cursor = None  # of another list
    backwards = cursor is not None and cursor.towards == "newer"
    if cursor is not None:
        statement = statement.where(_beyond(by, identifier, cursor, newer=backwards))
    order = (by.asc(), identifier.asc()) if backwards else (by.desc(), identifier.desc())
    rows = list(session.execute(statement.order_by(*order).limit(size + 1)))
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    newer = rows and (more if backwards else cursor is not None)
    older = rows and (True if backwards else more)
    return Page(
        rows,
        Cursor("newer", rows[0].at, rows[0].id).text() if newer else None,
        Cursor("older", rows[-1].at, rows[-1].id).text() if older else None,
    )


def _beyond(by: Any, identifier: InstrumentedAttribute[UUID], cursor: Cursor, *, newer: bool) -> sa.ColumnElement[bool]:
    here = sa.tuple_(by, identifier)
    mark = sa.tuple_(sa.literal(cursor.at, by.type), sa.literal(cursor.id, identifier.type))
    return here > mark if newer else here < mark
