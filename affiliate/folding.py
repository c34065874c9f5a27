"""Texts compared without the case of their letters, by the database: whole alphabets, on SQLite, too."""

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class casefold(FunctionElement[str]):  # noqa: N801 - it reads as the functions of SQL do
    """A text without the case of its letters, to be compared with others of this kind.

    SQLite's own `lower` knows plain letters alone: there it is a function that `db` gives each connection.
    """

    type = sa.Text()
    inherit_cache = True


@compiles(casefold, "sqlite")
def _by_our_function(element: Any, compiler: Any, **options: Any) -> str:
    return f"casefold({compiler.process(element.clauses, **options)})"


@compiles(casefold, "postgresql")
def _by_its_locale(element: Any, compiler: Any, **options: Any) -> str:
    return f"lower({compiler.process(element.clauses, **options)})"


def holds(text: Any, part: str) -> sa.ColumnElement[bool]:
    """Whether a text holds a part, whatever the case of their letters; `%` and `_` are found as themselves."""
    escaped = sa.literal(re.sub("([/%_])", r"/\1", part))
    return casefold(text).contains(casefold(escaped), escape="/")  # folded by the database, as the text is
