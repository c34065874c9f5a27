"""How every command begins, and how it refuses. The modules of commands stand above this one."""

import importlib
import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from affiliate.settings import Settings

EXIT_REFUSED = 2


class Refused(click.ClickException):
    """Shown as one line on standard error."""

    exit_code = EXIT_REFUSED


def begin() -> "Settings":
    """The settings of this process, with its logs set up after them. What it writes is for its own user alone."""
    from affiliate import logs, settings

    os.umask(0o077)
    current = settings.current()
    logs.configure(level=current.log_level, form=current.log_format)
    return current


def begin_on_database(*modules: str) -> "Settings":
    """The same for a process that works on rows: a foreign key resolves only when its target's package is loaded.

    `modules` bring the tables of a process that needs few of them; all tables are a tenth of a small machine's memory.
    """
    for module in modules or ("affiliate.tables",):
        importlib.import_module(module)
    return begin()


def require_tables() -> None:
    """Refuse to work on a database that is behind or ahead of this version."""
    from affiliate import db, schema

    with db.reading() as session:
        schema.check(session)
