"""What was typed into a form whose sending asked for the password first: kept in the person's own cookie until its page shows it again.

Only fields that a view names are kept, so that nothing secret is. The cookie is signed, and goes to nobody but who typed.
"""

from collections.abc import Collection

from flask import request, session
from flask_login import current_user
from werkzeug.datastructures import MultiDict

_COOKIE_KEY = "typed"
_CHARACTERS_MAX = 1_000  # a cookie holds 4 KB, with everything else in it


def keep(names: Collection[str]) -> None:
    """Keep these fields of the form that was sent here; too much is not kept."""
    fields = {name: request.form.getlist(name) for name in names if name in request.form}
    if fields and sum(len(text) for texts in fields.values() for text in texts) <= _CHARACTERS_MAX:
        session[_COOKIE_KEY] = {"person": _person(), "path": request.path, "fields": fields}


def take(path: str) -> MultiDict[str, str] | None:
    """What this person typed into the form that is sent to this path, once; null if nothing is kept of it."""
    kept = session.get(_COOKIE_KEY)
    if not kept or (kept["person"], kept["path"]) != (_person(), path):
        return None
    del session[_COOKIE_KEY]
    return MultiDict(kept["fields"])


def _person() -> str:
    return str(current_user.id)  # somebody else may sign in with the same browser
