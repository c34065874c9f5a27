"""Alembic's entry: the address comes from our settings, or from the connection that a test hands in."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alembic import context
from sqlalchemy.engine import Connection

from affiliate import db, settings, tables
from affiliate.ingest import partitions

_SHOWN = 5


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """The months of clicks are made by a job, and belong to no model."""
    return kind != "table" or not partitions.is_partition(name)


@contextmanager
def _rows_stay(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by building another and dropping the first, which would delete, or refuse, the rows that refer to it.

    The switch has no effect inside a transaction, so it is turned on the driver's connection before there is one.

    Raises:
        RuntimeError: there is one.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    if connection.in_transaction():
        raise RuntimeError("a migration begins its own transaction")
    switch: Any = connection.connection.driver_connection
    switch.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        connection.rollback()  # Alembic's last question has begun one
        switch.execute("PRAGMA foreign_keys=ON")


def _require_whole(ctx: Any, step: Any, **_more: object) -> None:
    """In the transaction of each migration, so that one that leaves rows without what they refer to is taken back.

    Raises:
        RuntimeError: there are such rows.
    """
    if ctx.connection.dialect.name == "sqlite":
        lost = ctx.connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(_SHOWN)
        if lost:
            named = ", ".join(f"{row} of {table} to {parent}" for table, row, parent, _ in lost)
            raise RuntimeError(f"{step.up_revision_id} would leave rows that refer to nothing: {named}")


def _run(connection: Connection) -> None:
    with _rows_stay(connection):
        context.configure(
            connection=connection,
            target_metadata=tables.metadata,
            include_name=_is_ours,
            render_as_batch=True,
            compare_type=True,
            on_version_apply=_require_whole,
        )
        with context.begin_transaction():
            context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    with db.make_engine(settings.current().database_url).connect() as own:
        _run(own)
