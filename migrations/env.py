"""Alembic's entry: the address comes from our settings, or from the connection that a test hands in."""

from alembic import context

from affiliate import db, settings, tables


def _run(connection: object) -> None:
    context.configure(connection=connection, target_metadata=tables.metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    with db.make_engine(settings.current().database_url).connect() as own:
        _run(own)
