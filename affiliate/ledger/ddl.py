"""Triggers that make rows append-only, for migrations: the database itself refuses UPDATE and DELETE.

SQLite's `INSERT OR REPLACE` deletes a row without calling its delete trigger, so there an insert over a row that exists
is passed over in silence, as `ON CONFLICT DO NOTHING` would.
"""

from collections.abc import Sequence

_SQLITE = """
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} {when}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END
"""

_SQLITE_NO_REPLACE = """
CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {when}
BEGIN SELECT RAISE(IGNORE); END
"""

_POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
"""

_POSTGRESQL = """
CREATE TRIGGER {table}_append_only BEFORE {verbs} ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""

_POSTGRESQL_ERASABLE = """
CREATE TRIGGER {table}_only_erased BEFORE UPDATE ON {table} FOR EACH ROW
WHEN (NOT ({erases} AND to_jsonb(NEW) - ARRAY[{columns}] = to_jsonb(OLD) - ARRAY[{columns}]))
EXECUTE FUNCTION refuse_change()
"""


def append_only(dialect: str, table: str, *, keys: Sequence[Sequence[str]] = (("id",),)) -> list[str]:
    """The statements that make `table` append-only on this dialect; `keys` are its unique keys."""
    if dialect == "postgresql":
        return [_POSTGRESQL_FUNCTION, _POSTGRESQL.format(table=table, verbs="UPDATE OR DELETE OR TRUNCATE")]
    refusals = [_SQLITE.format(table=table, verb=verb, when="") for verb in ("UPDATE", "DELETE")]
    return [*refusals, _no_replace(table, keys)]


def erasable(
    dialect: str, table: str, *, kept: Sequence[str], erased: dict[str, str], keys: Sequence[Sequence[str]]
) -> list[str]:
    """The same, but for one change: all `erased` columns at once to the value given, and nothing in the `kept` ones."""
    if dialect == "postgresql":
        columns = ", ".join(f"'{name}'" for name in erased)
        erases = " AND ".join(f"NEW.{name} IS NOT DISTINCT FROM {value}" for name, value in erased.items())
        only = _POSTGRESQL_ERASABLE.format(table=table, erases=erases, columns=columns)
        return [_POSTGRESQL_FUNCTION, _POSTGRESQL.format(table=table, verbs="DELETE OR TRUNCATE"), only]
    same = [f"NEW.{name} IS OLD.{name}" for name in kept]
    same += [f"NEW.{name} IS {value}" for name, value in erased.items()]
    when = f"WHEN NOT ({' AND '.join(same)})"
    update = _SQLITE.format(table=table, verb="UPDATE", when=when)
    return [update, _SQLITE.format(table=table, verb="DELETE", when=""), _no_replace(table, keys)]


def _no_replace(table: str, keys: Sequence[Sequence[str]]) -> str:
    exists = (
        f"EXISTS (SELECT 1 FROM {table} WHERE {' AND '.join(f'{name} = NEW.{name}' for name in key)})"  # noqa: S608 - our own names
        for key in keys
    )
    return _SQLITE_NO_REPLACE.format(table=table, when=" OR ".join(exists))


_CAUSE = ("kind", "source_kind", "source_id", "leg")
_AUDIT = (
    "position", "id", "occurred_at", "program_id", "actor_kind", "actor_id", "action", "subject_kind", "subject_id", "details_hash",
)  # fmt: skip


def all_statements(dialect: str) -> list[str]:
    """Every trigger of the books: transfers, accounts, seals, and the audit trail, whose details alone can be erased."""
    nothing = "'{}'::jsonb" if dialect == "postgresql" else "'{}'"
    return [
        *append_only(dialect, "ledger_transfers", keys=[("position",), ("id",), _CAUSE]),
        *append_only(dialect, "ledger_accounts"),
        *append_only(dialect, "ledger_seals", keys=[("id",), ("chain", "number")]),
        *erasable(
            dialect,
            "audit_events",
            kept=_AUDIT,
            erased={"details": nothing, "salt": "NULL"},
            keys=[("position",), ("id",)],
        ),
    ]
