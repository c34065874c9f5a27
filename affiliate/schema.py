"""The database's tables against the migrations: where it stands, where it should stand, and the way there.

Alembic is loaded only to walk that way: with its templates, and with the migrations themselves, it is thirty megabytes that
every process which looks at its tables once would keep.
"""

import re
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, errors

_ROOT = Path(__file__).parent.parent
_NAMED = re.compile(r'^(revision|down_revision)\b[^=]*= *"([^"]+)"', re.MULTILINE)
_VERSION = sa.table("alembic_version", sa.column("version_num"))


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


@lru_cache(maxsize=1)
def _revisions() -> dict[str, str | None]:
    """Each revision of the migrations, and the one before it."""
    found = [dict(_NAMED.findall(path.read_text())) for path in (_ROOT / "migrations" / "versions").glob("*.py")]
    return {names["revision"]: names.get("down_revision") for names in found}


def head() -> str | None:
    """The revision that this program needs."""
    return next(iter(_revisions().keys() - set(_revisions().values())), None)


def current(session: Session) -> str | None:
    """The revision of the database, or None for an empty one."""
    if not sa.inspect(session.connection()).has_table(_VERSION.name):
        return None
    revision: str | None = session.scalar(sa.select(_VERSION.c.version_num))
    return revision


def check(session: Session) -> None:
    """Make sure that the tables are the ones this program was written for.

    Raises:
        NotMigrated: they are older, or not there.
        TooNew: they are newer.
    """
    found, wanted = current(session), head()
    if found == wanted:
        return
    if found is not None and found not in _revisions():
        raise TooNew(current=found)
    raise NotMigrated(current=found, head=wanted)


def upgrade() -> str | None:
    """Run the migrations that are missing and give the revision reached.

    Raises:
        TooNew: the database knows migrations that this program does not.
    """
    with db.reading() as session:
        found = current(session)
    if found is not None and found not in _revisions():
        raise TooNew(current=found)
    if found != head():
        _migrate()
    return head()


def _migrate() -> None:
    from alembic import command
    from alembic.config import Config

    command.upgrade(Config(toml_file=str(_ROOT / "pyproject.toml")), "head")
