"""Leafing through a table of figures: the address names the row beside which a page stands, and the ways to the pages beside it."""

from collections.abc import Callable
from typing import Any

from flask import request
from flask_babel import gettext as _

from affiliate import formats
from affiliate.reports.beside import Beside, Leaf
from affiliate.reports.partner_ranking import Towards

PAGE_SIZE = 50
_TOWARDS: tuple[Towards, ...] = ("after", "before")


def beside(table: str = "") -> Beside | None:
    """The row that the page begins after, or ends before; a key may be empty, as that of visits from no page.

    `table` begins the arguments of a second table on the same page.
    """
    return next((Beside(request.args[table + name], name) for name in _TOWARDS if table + name in request.args), None)


def pager(found: Leaf[Any], address: Callable[..., str], *, table: str = "") -> dict[str, str | None] | None:
    """The addresses beside this page, and which rows these are; null where all stand on it. `address` takes further arguments."""
    rows, last = found.rows, found.first + len(found.rows)
    if not found.first and last >= found.number:
        return None
    counted = {"first": found.first + 1, "last": last, "total": found.number}
    shown = {name: formats.number(number) for name, number in counted.items()}
    return {
        "newer_url": address(**{f"{table}before": found.key(rows[0])}) if found.first else None,
        "older_url": address(**{f"{table}after": found.key(rows[-1])}) if last < found.number else None,
        "text": _("%(first)s to %(last)s of %(total)s", **shown),
    }
