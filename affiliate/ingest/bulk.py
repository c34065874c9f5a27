"""Writing many clicks at once. The ORM's way costs many times the insert itself, so each database gets its own best one."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.orm import Session

from affiliate.ingest.models import Click, ClickHour

Row = dict[str, Any]

_CLICKS = Click.metadata.tables[Click.__tablename__]
_HOURS = ClickHour.metadata.tables[ClickHour.__tablename__]
_CLICK_NAMES = ", ".join(column.name for column in _CLICKS.columns)
_HOUR_NAMES = ", ".join(column.name for column in _HOURS.columns)
_HOUR_KEY = ", ".join(column.name for column in _HOURS.primary_key)
_ADD = f"ON CONFLICT ({_HOUR_KEY}) DO UPDATE SET clicks = click_hours.clicks + excluded.clicks"


def insert_new_clicks(session: Session, rows: Sequence[Row]) -> set[UUID]:
    """Insert the clicks that are not stored yet; give their ids. The ids of `rows` are distinct and sorted."""
    if not rows:
        return set()
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        return _insert_postgresql(connection, rows)
    return _insert_sqlite(connection, rows)


def add_click_hours(session: Session, rows: Sequence[Row]) -> None:
    """Add to the counts. The keys of `rows` are distinct, and sorted so that two batches never wait for one another crosswise."""
    if not rows:
        return
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        arrays = {column.name: [row[column.name] for row in rows] for column in _HOURS.columns}
        connection.execute(_add_postgresql(), arrays)
    else:
        _executemany_sqlite(connection, _HOURS, rows, suffix=_ADD)


def _insert_sqlite(connection: Connection, rows: Sequence[Row]) -> set[UUID]:
    """SQLite has one writer, so what is not there before the insert is what the insert adds."""
    known = set(connection.scalars(sa.select(_CLICKS.c.id).where(_CLICKS.c.id.in_([row["id"] for row in rows]))))
    new = [row for row in rows if row["id"] not in known]
    if new:
        _executemany_sqlite(connection, _CLICKS, new)
    return {row["id"] for row in new}


def _executemany_sqlite(connection: Connection, table: sa.Table, rows: Sequence[Row], *, suffix: str = "") -> None:
    writers = _writers(table, connection.dialect)
    marks = ", ".join("?" * len(writers))
    names = ", ".join(name for name, _ in writers)
    tuples = [tuple([write(row[name]) if write else row[name] for name, write in writers]) for row in rows]
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks}) {suffix}", tuples)  # noqa: S608 - our names


@lru_cache(maxsize=4)
def _writers(table: sa.Table, dialect: Dialect) -> list[tuple[str, Callable[[Any], Any] | None]]:
    """How SQLAlchemy itself would write each column, without its cost per statement."""
    return [(column.name, column.type.dialect_impl(dialect).bind_processor(dialect)) for column in table.columns]


def _insert_postgresql(connection: Connection, rows: Sequence[Row]) -> set[UUID]:
    """COPY to a table of this session, then one insert that says what was new: three quarters of the speed of a bare COPY."""
    connection.exec_driver_sql("CREATE TEMPORARY TABLE IF NOT EXISTS new_clicks (LIKE clicks) ON COMMIT DELETE ROWS")
    names = [column.name for column in _CLICKS.columns]
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        with cursor.copy(f"COPY new_clicks ({_CLICK_NAMES}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([row[name] if name != "subs" else orjson.dumps(row[name]).decode() for name in names])
        cursor.execute(
            f"INSERT INTO clicks ({_CLICK_NAMES}) SELECT {_CLICK_NAMES} FROM new_clicks ON CONFLICT DO NOTHING RETURNING id"  # noqa: S608 - our names
        )
        return {row[0] for row in cursor}


@lru_cache(maxsize=1)
def _add_postgresql() -> sa.TextClause:
    """One array for each column: a single short statement, however many hours."""
    types = {"hour": "timestamptz[]", "verdict": "text[]", "clicks": "bigint[]"}
    arrays = ", ".join(f"CAST(:{column.name} AS {types.get(column.name, 'uuid[]')})" for column in _HOURS.columns)
    return sa.text(f"INSERT INTO click_hours ({_HOUR_NAMES}) SELECT * FROM unnest({arrays}) {_ADD}")  # noqa: S608 - our names
