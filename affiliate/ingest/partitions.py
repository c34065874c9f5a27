"""Clicks on PostgreSQL lie in a table for each month, by range of the id, whose head is the time; what fits nowhere in a default one.

So an old month goes by dropping a table, which costs nothing, and a query that knows its time reads one table. The key stays
the id alone. On SQLite all of this does nothing: there clicks are one table.
"""

import logging
import re
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

MONTHS_AHEAD = 3
DEFAULT = "clicks_default"

_NAME = re.compile(r"clicks_(?:default|(?P<year>\d{4})_(?P<month>\d{2}))")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

log = logging.getLogger(__name__)


def initial(dialect: str) -> list[str]:
    """What a migration adds to the table of clicks."""
    return [f"CREATE TABLE {DEFAULT} PARTITION OF clicks DEFAULT"] if dialect == "postgresql" else []


def is_partition(table: str | None) -> bool:
    """Whether the table is a part of clicks, and no table of the models."""
    return table is not None and _NAME.fullmatch(table) is not None


def first_id(moment: datetime) -> UUID:
    """Below every UUIDv7 of this instant and later, above all earlier ones."""
    return UUID(int=int((moment - _EPOCH).total_seconds() * 1000) << 80)


def month_of(moment: datetime, *, later: int = 0) -> datetime:
    """The beginning of the month in UTC, `later` months after that of `moment`."""
    months = moment.astimezone(UTC).year * 12 + moment.astimezone(UTC).month - 1 + later
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)


def ensure(session: Session, *, now: datetime) -> list[str]:
    """Make the tables of this month and the next ones; clicks of theirs that lie in the default one move over."""
    if not _is_postgresql(session):
        return []
    there, made = set(_partitions(session)), []
    for later in range(MONTHS_AHEAD + 1):
        month = month_of(now, later=later)
        if month not in there:
            made.append(_make(session, month))
    return made


def _make(session: Session, month: datetime) -> str:
    name = f"clicks_{month:%Y_%m}"
    bounds = {"first": first_id(month), "end": first_id(month_of(month, later=1))}
    session.execute(sa.text(f"LOCK TABLE {DEFAULT} IN ACCESS EXCLUSIVE MODE"))  # nothing comes in between
    session.execute(sa.text(f"CREATE TABLE {name} (LIKE clicks INCLUDING ALL)"))
    session.execute(
        sa.text(
            f"WITH moved AS (DELETE FROM {DEFAULT} WHERE id >= :first AND id < :end RETURNING *)"  # noqa: S608 - our names
            f" INSERT INTO {name} SELECT * FROM moved"
        ),
        bounds,
    )
    session.execute(
        sa.text(
            f"ALTER TABLE clicks ATTACH PARTITION {name} FOR VALUES FROM ('{bounds['first']}') TO ('{bounds['end']}')"
        )
    )
    log.info("made %s", name)
    return name


def drop_before(session: Session, *, moment: datetime) -> list[str]:
    """Drop the tables of all months that ended at this instant or before."""
    if not _is_postgresql(session):
        return []
    past = [month for month in _partitions(session) if month_of(month, later=1) <= moment]
    names = [f"clicks_{month:%Y_%m}" for month in past]
    for name in names:
        session.execute(sa.text(f"DROP TABLE {name}"))
        log.info("dropped %s", name)
    return names


def _partitions(session: Session) -> list[datetime]:
    """The months that have a table, oldest first."""
    names = session.scalars(
        sa.text("SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'clicks'::regclass")
    )
    found = [match for name in names if (match := _NAME.fullmatch(name)) and match["year"]]
    return sorted(datetime(int(match["year"]), int(match["month"]), 1, tzinfo=UTC) for match in found)


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
