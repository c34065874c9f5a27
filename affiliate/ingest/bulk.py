"""Writing many rows at once. The ORM's way costs many times the insert itself, so each database gets its own best one."""

import enum
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from affiliate.ingest.models import Click

Values = tuple[Any, ...]

_CLICKS = Click.metadata.tables[Click.__tablename__]
CLICK_COLUMNS = tuple(column.name for column in _CLICKS.columns)
"""The order of the values in a row given to `insert_new_clicks`."""

_CLICK_NAMES = ", ".join(CLICK_COLUMNS)
_INSTANTS = slice(CLICK_COLUMNS.index("occurred_at"), CLICK_COLUMNS.index("received_at") + 1)  # side by side
_EXECUTEMANY_MAX = 500
_LOCK_CLASSES = 64  # a batch that touches every link still holds few locks


def insert_new_clicks(session: Session, rows: Sequence[Values]) -> set[UUID]:
    """Insert the clicks that are not stored yet; give the ids of those that were. `rows` are distinct and sorted by id.

    Ids are given as their digits, JSON columns as their text.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        return _insert_postgresql(connection, rows)
    head, tail = slice(_INSTANTS.start), slice(_INSTANTS.stop, None)
    return _insert_sqlite(connection, [(*row[head], *map(_instant, row[_INSTANTS]), *row[tail]) for row in rows])


def _insert_postgresql(connection: Connection, rows: Sequence[Values]) -> set[UUID]:
    """COPY straight into the table, for almost always all are new; where one is not, all take the longer way."""
    import psycopg  # here, because with SQLite nobody needs the driver, and it is nine megabytes

    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        cursor.execute("SAVEPOINT all_new")
        try:
            _copy(cursor, "clicks", rows)
        except psycopg.errors.UniqueViolation:
            cursor.execute("ROLLBACK TO SAVEPOINT all_new")
            return _insert_around_known(cursor, rows)
        cursor.execute("RELEASE SAVEPOINT all_new")
    return set()


def _insert_around_known(cursor: Any, rows: Sequence[Values]) -> set[UUID]:
    """COPY to a table of this session, then one insert that passes over what is there, and tells it."""
    cursor.execute("CREATE TEMPORARY TABLE IF NOT EXISTS new_clicks (LIKE clicks) ON COMMIT DELETE ROWS")
    _copy(cursor, "new_clicks", rows)
    cursor.execute(
        f"WITH inserted AS (INSERT INTO clicks ({_CLICK_NAMES}) SELECT {_CLICK_NAMES} FROM new_clicks"  # noqa: S608 - our names
        " ON CONFLICT DO NOTHING RETURNING id) SELECT id FROM new_clicks WHERE id NOT IN (SELECT id FROM inserted)"
    )
    return {row[0] for row in cursor}


def _copy(cursor: Any, table: str, rows: Sequence[Values]) -> None:
    with cursor.copy(f"COPY {table} ({_CLICK_NAMES}) FROM STDIN") as copy:
        write = copy.write_row
        for row in rows:
            write(row)


def _insert_sqlite(connection: Connection, rows: Sequence[Values]) -> set[UUID]:
    """Here too, all at once; SQLite has one writer, so what is there before the second try is all that can be."""
    try:
        with connection.begin_nested():
            _executemany(connection, _CLICKS, CLICK_COLUMNS, rows)
    except sa.exc.IntegrityError:
        known = set(connection.scalars(sa.select(_CLICKS.c.id).where(_CLICKS.c.id.in_([UUID(row[0]) for row in rows]))))
        _executemany(connection, _CLICKS, CLICK_COLUMNS, [row for row in rows if UUID(row[0]) not in known])
        return known
    return set()


def add_counts(session: Session, table: sa.Table, names: Sequence[str], rows: Sequence[Values]) -> None:
    """Add to counts, given by the columns `names`; ids as their digits.

    The keys of `rows` are distinct, and sorted so that two batches never wait for one another crosswise.
    """
    _insert(session, table, names, rows, suffix=_adding(table))


def insert_new_labels(session: Session, table: sa.Table, names: Sequence[str], rows: Sequence[Values]) -> None:
    """Insert short rows that are not stored yet; ids as their digits, days as their text."""
    _insert(session, table, names, rows, suffix="ON CONFLICT DO NOTHING")


def _insert(session: Session, table: sa.Table, names: Sequence[str], rows: Sequence[Values], *, suffix: str) -> None:
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        document = orjson.dumps([dict(zip(names, row, strict=True)) for row in rows]).decode()
        connection.execute(_from_document(table, suffix), {"rows": document})
    else:
        if "hour" in names:
            at = names.index("hour")
            rows = [(*row[:at], _instant(row[at]), *row[at + 1 :]) for row in rows]
        _executemany(connection, table, names, rows, suffix=suffix)


def _executemany(
    connection: Connection, table: sa.Table, names: Sequence[str], rows: Sequence[Values], *, suffix: str = ""
) -> None:
    """Straight to the driver: half of what a row cost went through SQLAlchemy's layers."""
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) {suffix}"  # noqa: S608 - our names
    for start in range(0, len(rows), _EXECUTEMANY_MAX):
        connection.exec_driver_sql(statement, list(rows[start : start + _EXECUTEMANY_MAX]))


def _instant(moment: datetime) -> str:
    """As SQLAlchemy writes it on SQLite. Events are in UTC already: to ask again would take longer than to write."""
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return in_utc.isoformat(" ", "microseconds").removesuffix("+00:00")


def _adding(table: sa.Table) -> str:
    key = ", ".join(column.name for column in table.primary_key)
    return f"ON CONFLICT ({key}) DO UPDATE SET clicks = {table.name}.clicks + excluded.clicks"


@lru_cache(maxsize=16)
def _from_document(table: sa.Table, suffix: str) -> sa.TextClause:
    """One document for all rows: a single short statement, however many hours, and one value for the driver to write."""
    rows = f"json_populate_recordset(CAST(NULL AS {table.name}), CAST(:rows AS json))"
    return sa.text(f"INSERT INTO {table.name} SELECT * FROM {rows} {suffix}")  # noqa: S608 - our names


@enum.unique
class Lock(enum.IntEnum):
    """What transactions queue for, in the order in which one of them takes several."""

    CLICKS = 1  # before the locks of labels, and those before any row of a rollup
    LABELS = 2
    VISITORS = 3
    LANDINGS = 4
    ACTIVITY = 5
    ORDERS = 6  # after those of clicks
    SPANS = 7  # before that of activity: whoever stores a day takes both


def lock(session: Session, what: Lock, numbers: Collection[int]) -> None:
    """Queue behind every transaction that has locked one of these numbers (or one of its class) for the same purpose.

    On PostgreSQL until the end of the transaction, in a fixed order; SQLite has one writer, and nothing to wait for.
    """
    if session.get_bind().dialect.name == "postgresql" and numbers:
        classes = sorted({number % _LOCK_CLASSES for number in numbers})
        session.execute(
            sa.text("SELECT count(pg_advisory_xact_lock(:what, class)) FROM unnest(CAST(:classes AS int[])) AS class"),
            {"what": what.value, "classes": classes},
        )
