"""The database's tables against the migrations: where it stands, where it should stand, and the way there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.orm import Session

from affiliate import db, errors

_PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"


class NotMigrated(errors.Unavailable):
    """The tables are older than this program."""

    def __init__(self, *, current: str | None, head: str | None) -> None:
        where = f"stands at {current}" if current else "has no tables yet"
        super().__init__(f"The database {where}, this version needs {head}: run `affiliate db upgrade`.")


class TooNew(errors.Unavailable):
    """The tables are newer than this program."""

    def __init__(self, *, current: str) -> None:
        super().__init__(
            f"The database stands at {current}, which this version does not know: "
            "a newer version has migrated it. Install that version, or restore a backup."
        )


def _config() -> Config:
    return Config(toml_file=str(_PYPROJECT))


def head() -> str | None:
    """The revision that this program needs."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def current(session: Session) -> str | None:
    """The revision of the database, or None for an empty one."""
    return MigrationContext.configure(session.connection()).get_current_revision()


def check(session: Session) -> None:
    """Make sure that the tables are the ones this program was written for.

    Raises:
        NotMigrated: they are older, or not there.
        TooNew: they are newer.
    """
    found, wanted = current(session), head()
    if found == wanted:
        return
    if found is not None and not _is_known(found):
        raise TooNew(current=found)
    raise NotMigrated(current=found, head=wanted)


def upgrade() -> str | None:
    """Run the migrations that are missing and give the revision reached.

    Raises:
        TooNew: the database knows migrations that this program does not.
    """
    with db.reading() as session:
        found = current(session)
    if found is not None and not _is_known(found):
        raise TooNew(current=found)
    if found != head():
        command.upgrade(_config(), "head")
    return head()


def _is_known(revision: str) -> bool:
    return any(script.revision == revision for script in ScriptDirectory.from_config(_config()).walk_revisions())
