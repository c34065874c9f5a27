"""Alembic's entry: the address comes from our settings, or from the connection that a test hands in."""

from alembic import context

from affiliate import db, settings, tables
from affiliate.ingest import partitions


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """The months of clicks are made by a job, and belong to no model."""
    return kind != "table" or not partitions.is_partition(name)


def _run(connection: object) -> None:
    context.configure(
        connection=connection,
        target_metadata=tables.metadata,
        include_name=_is_ours,
        render_as_batch=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    with db.make_engine(settings.current().database_url).connect() as own:
        _run(own)
