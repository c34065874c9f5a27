"""The newest changes of a program's settings, as they stand beside the form that makes them."""

from typing import Any

from flask import g

from affiliate.console.money import book_sheets
from affiliate.console.queries import trail
from affiliate.web import orm

SHOWN = 6


def last_changes(*actions: str, kind: str = "program") -> list[dict[str, Any]]:
    """What was done to the program last, or to its things of another kind, from the history: these acts, or any."""
    here: dict[str, Any] = {"program_id": g.program.id, "subject_kind": kind}
    if kind == "program":
        here["subject_id"] = g.program.id
    page = trail.events(orm.session, **here, actions=actions, cursor=None, size=SHOWN)
    return book_sheets.events(page.rows)
