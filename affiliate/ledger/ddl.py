"""Triggers that make rows append-only, for migrations: the database itself refuses UPDATE and DELETE."""

_SQLITE = """
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
"""

_POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
"""

_POSTGRESQL = """
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""


def append_only(dialect: str, table: str) -> list[str]:
    """The statements that make `table` append-only on this dialect."""
    if dialect == "postgresql":
        return [_POSTGRESQL_FUNCTION, _POSTGRESQL.format(table=table)]
    return [_SQLITE.format(table=table, verb=verb) for verb in ("UPDATE", "DELETE")]
