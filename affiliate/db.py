"""The database: declarative base, column types, engine options for SQLite and PostgreSQL, and the one transaction per job.

SQLite: WAL, `synchronous=FULL`, foreign keys, 5 s busy timeout. Writers `BEGIN IMMEDIATE`; readers plain `BEGIN` with
`query_only`, so that a page never waits behind a batch of writes.
"""

import contextlib
import enum
import logging
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Annotated, Any, TypeVar, cast
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection, CursorResult, Dialect, Engine
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, sessionmaker
from sqlalchemy.sql.functions import FunctionElement

from affiliate import settings

_BUSY_TIMEOUT_MS = 5_000
_LOG_PAGES = 4_000  # 16 MB of changes until they are carried into the file: a batch of clicks changes thousands of pages, often the same
_PRAGMAS = [
    *("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"),
    *(f"busy_timeout={_BUSY_TIMEOUT_MS}", f"wal_autocheckpoint={_LOG_PAGES}"),
]
_LOCK_TIMEOUT_MS = 10_000
_RANDOM_PAGE_COST = 1.1  # of a page in order; the usual 4 is for disks that turn
_KEPT_ALIVE = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
"""A machine that is gone without a word is found out within half a minute, whoever waits for it."""
_AWAY = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_FULL")
log = logging.getLogger(__name__)
_read_only: ContextVar[bool] = ContextVar("read_only", default=False)


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An aware instant. Naive values are refused; SQLite stores UTC and gets its zone back."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive instant and turn an aware one into UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("a naive datetime cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


E = TypeVar("E", bound=enum.StrEnum)


def enum_column(members: type[E]) -> sa.Enum:
    """A closed set of words, stored by value in a plain text column with a CHECK."""
    return sa.Enum(
        members,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda cls: [member.value for member in cls],
        name=re.sub(r"(?<!^)(?=[A-Z])", "_", members.__name__).lower(),
    )


Json = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
"""A JSON document; jsonb on PostgreSQL."""

PrimaryKey = Annotated[UUID, mapped_column(sa.Uuid, primary_key=True)]


def table_of_sums(*key: str, sums: str, indexes: Sequence[sa.Index] = ()) -> tuple[Any, ...]:
    """What a table of sums has beside its columns: kept by its key, so that SQLite has one tree to change and PostgreSQL one to read.

    The rows of one owner lie hours apart: two months are some tens of pages of the index, or one of the table for each hour.
    """
    return (sa.PrimaryKeyConstraint(*key, postgresql_include=[sums]), *indexes, {"sqlite_with_rowid": False})


class Base(DeclarativeBase):
    """All tables. Constraint names follow one convention, so that migrations can name them."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: UtcDateTime,
        UUID: sa.Uuid,
        int: sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
        dict[str, Any]: Json,
        list[Any]: Json,
    }


def engine_options(url: str) -> dict[str, Any]:
    """What `create_engine` needs for this address; also given to Flask-SQLAlchemy-Lite."""
    common: dict[str, Any] = {
        "hide_parameters": True,  # an error in the log tells the statement, never whose data it was about
        "json_serializer": lambda value: orjson.dumps(value).decode(),
        "json_deserializer": orjson.loads,
    }
    if url.startswith("sqlite"):
        # No implicit BEGIN of the driver: `_begin` below says which kind each transaction is.
        return common | {"connect_args": {"isolation_level": None, "timeout": _BUSY_TIMEOUT_MS / 1000}}
    # Without compiling statements: it takes longer than any of ours, and an estimate alone sets it off. And by the price of memory and
    # solid disks: by that of turning ones the sales of a partner were joined by reading the credits of all, more with each order of the program.
    # Each on one processor: to start helpers takes longer than they save, and they take the processors of those who wait beside.
    planned = f"-c jit=off -c random_page_cost={_RANDOM_PAGE_COST} -c max_parallel_workers_per_gather=0"
    limits = {"connect_timeout": 5, "options": f"-c lock_timeout={_LOCK_TIMEOUT_MS} {planned}"}
    return common | {"pool_pre_ping": True, "pool_size": 5, "max_overflow": 5, "connect_args": limits | _KEPT_ALIVE}


@sa.event.listens_for(Engine, "connect")
def _prepare_sqlite(dbapi_connection: Any, _record: Any) -> None:
    if type(dbapi_connection).__module__.startswith("sqlite3"):
        cursor = dbapi_connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        dbapi_connection.create_function("casefold", 1, lambda text: text and text.casefold(), deterministic=True)


def hold_pages(kib: int) -> None:
    """Let each connection that this process opens from now on hold so much of an SQLite file in memory; else it is two megabytes."""
    _PRAGMAS.append(f"cache_size=-{kib}")


@sa.event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    read_only = _read_only.get()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA query_only={'ON' if read_only else 'OFF'}")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
    elif read_only:
        # One snapshot for all queries of a page or a proof, as SQLite's readers have it.
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


@contextlib.contextmanager
def read_only(on: bool = True) -> Iterator[None]:  # noqa: FBT001, FBT002 - a switch
    """Transactions begun inside only read (or write again, with `on=False` inside a reading edge)."""
    token = _read_only.set(on)
    try:
        yield
    finally:
        _read_only.reset(token)


def is_away(error: sa.exc.OperationalError) -> bool:
    """Whether the database did not answer or could not take it now, so that trying again helps; else the statement is wrong."""
    name = getattr(error.orig, "sqlite_errorname", None)
    return name is None or name.startswith(_AWAY)


def make_engine(url: str) -> Engine:
    """An engine with the options above."""
    return sa.create_engine(url, **engine_options(url))


@lru_cache(maxsize=1)
def _sessions() -> sessionmaker[Session]:
    return sessionmaker(make_engine(settings.current().database_url), expire_on_commit=False)


def dispose() -> None:
    """Forget the engine (tests, forks)."""
    if _sessions.cache_info().currsize:
        _sessions().kw["bind"].dispose()
    _sessions.cache_clear()


@contextlib.contextmanager
def transaction() -> Iterator[Session]:
    """One writing transaction, for jobs and commands: committed at the end, rolled back on an error."""
    with _sessions()() as session, session.begin():
        yield session


@contextlib.contextmanager
def reading() -> Iterator[Session]:
    """One reading transaction: never waits for writers, and the database refuses a write in it."""
    with read_only(), _sessions()() as session, session.begin():
        yield session


@contextlib.contextmanager
def asking() -> Iterator[tuple[Any, str]]:
    """A cursor of the driver and the dialect's name, for one short question outside of any transaction: a session costs many times as much.

    Raises:
        OperationalError: the database does not answer, or refuses.
    """
    engine: Engine = _sessions().kw["bind"]
    try:
        connection = engine.raw_connection()  # the driver's own error, where nobody answers
        try:
            cursor = connection.cursor()
            yield cursor, engine.dialect.name
            cursor.close()
        finally:
            connection.close()  # back into the pool
    except engine.dialect.loaded_dbapi.Error as error:
        raise sa.exc.OperationalError("a short question", None, error) from error


def among(session: Session, column: Any, values: Collection[Any]) -> sa.ColumnElement[bool]:
    """Whether the column is one of these values, for long lists.

    PostgreSQL takes them as one array: reading a thousand parameters costs its driver more than the query does. Ids it takes
    as one text, which the driver writes in a fifth of the time.
    """
    if session.get_bind().dialect.name != "postgresql":
        return cast("sa.ColumnElement[bool]", column.in_(values))
    array = postgresql.ARRAY(column.type)
    told: sa.ColumnElement[Any]
    if isinstance(column.type, sa.Uuid):
        # Without a type of its own: as a text that is turned into ids it would be read again for each row that is looked at.
        told = sa.cast(sa.literal(f"{{{','.join(one.hex for one in values)}}}", sa.types.NullType()), array)
    else:
        told = sa.literal(list(values), array)
    return cast("sa.ColumnElement[bool]", column == sa.any_(told))


def rows_of(session: Session, name: str, rows: Iterable[Mapping[str, Any]], /, **types: Any) -> sa.FromClause:
    """Rows that a statement brings along, to be joined, with columns of these types: one document for the driver, however many they are."""
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    written = _instant if is_postgresql else _stored_instant
    told = orjson.dumps([*rows], default=written, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()
    columns = [sa.column(key, kind) for key, kind in types.items()]
    if is_postgresql:
        document = sa.cast(sa.literal(told, sa.Text), sa.JSON)
        return sa.func.json_to_recordset(document).table_valued(*columns, name=name).render_derived(with_types=True)
    each = sa.func.json_each(sa.literal(told, sa.Text)).table_valued("value", name=f"{name}_each").c.value
    read = (sa.type_coerce(sa.func.json_extract(each, f"$.{one.name}"), one.type).label(one.name) for one in columns)
    return sa.select(*read).subquery(name)


def _instant(value: datetime | date) -> str:
    return value.isoformat()


def _stored_instant(value: datetime | date) -> str:
    """As SQLAlchemy stores it on SQLite."""
    if not isinstance(value, datetime):
        return value.isoformat()
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def announce(session: Session, what: str) -> None:
    """Say that this transaction writes `what`, until it ends: `wait_for` waits for it. Any number may at once."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(sa.func.hashtextextended(what, 0))))


def wait_for(session: Session, what: str) -> None:
    """Wait until every transaction that has announced `what` before has ended, at most as long as for any lock.

    Nobody is held up afterwards. Call it before the first row is locked: who announced may want that row. SQLite has
    one writer at a time, and nothing to wait for.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    passing = session.begin_nested()
    try:
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(what, 0))))
    except sa.exc.OperationalError:
        log.warning("a transaction that writes %s does not end; going on without it", what)
    finally:
        passing.rollback()  # gives the lock back


def insert_into(session: Session, table: Any) -> Any:
    """An INSERT in the words of this database, which can say what becomes of a row that is there already."""
    return (postgresql.insert if session.get_bind().dialect.name == "postgresql" else _sqlite_insert)(table)


def insert_new(session: Session, table: type[Base], rows: list[dict[str, Any]], *, returning: Any = None) -> list[Any]:
    """Insert the rows that do not exist yet (any unique constraint counts) and give `returning` of the inserted ones.

    The basis of exactly-once: a replay inserts nothing and so counts nothing.
    """
    if not rows:
        return []
    insert = insert_into(session, table)
    key = returning if returning is not None else next(iter(sa.inspect(table).primary_key))
    # Without `render_nulls` rows with nulls in different columns go as statements of their own.
    statement = insert.on_conflict_do_nothing().returning(key).execution_options(render_nulls=True)
    return list(session.scalars(statement, rows))


def insert_missing(session: Session, table: type[Base], rows: list[dict[str, Any]]) -> int:
    """The same where the number of inserted rows is enough: thousands go in a fraction of the time. All rows name the same columns."""
    if not rows:
        return 0
    session.flush()  # they may refer to what is still in the session
    insert = insert_into(session, table.__table__)
    options = {"preserve_rowcount": True}
    result = session.execute(insert.on_conflict_do_nothing(), rows, execution_options=options)
    return cast("CursorResult[Any]", result).rowcount


class whole_second(FunctionElement[int]):  # noqa: N801 - it reads as the functions of SQL do
    """The seconds since 1970 of an instant, without its fraction.

    As an integer: `extract` of PostgreSQL counts in decimal numbers, and days of five thousand sales took five times as long.
    """

    type = sa.BigInteger()
    inherit_cache = True


@compiles(whole_second, "sqlite")
def _second_of_text(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST(strftime('%s', {compiler.process(element.clauses, **options)}) AS INTEGER)"


@compiles(whole_second, "postgresql")
def _second_of_instant(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST(floor(date_part('epoch', {compiler.process(element.clauses, **options)})) AS BIGINT)"


def _sqlite_insert(table: Any) -> Any:
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)
