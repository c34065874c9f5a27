"""What was typed into a form whose sending asked for the password first: kept in the person's own cookie until its page shows it again.

Only fields that a view names are kept, so that nothing secret is. The cookie is signed, not encrypted: whoever uses the same
browser could decode it, but no page shows it to anybody else than who typed.
"""

from collections.abc import Collection

from flask import request, session
from flask.sessions import session_json_serializer
from flask_login import current_user
from werkzeug.datastructures import MultiDict

_COOKIE_KEY = "typed"
_BYTES_MAX = 1_600
"""As the session writes it, before it is compressed. A browser drops a cookie of more than 4,096 bytes without a word: this
becomes a third longer in it, and leaves 1,900 for the sign-in, the messages and the cookie's own words."""


def keep(names: Collection[str]) -> None:
    """Keep these fields of the form that was sent here; too much is not kept."""
    fields = {name: request.form.getlist(name) for name in names if name in request.form}
    kept = {"person": _person(), "path": request.path, "fields": fields}
    if fields and len(session_json_serializer.dumps(kept)) <= _BYTES_MAX:
        session[_COOKIE_KEY] = kept


def take(path: str) -> MultiDict[str, str] | None:
    """What this person typed into the form that is sent to this path, once; null if nothing is kept of it."""
    kept = session.get(_COOKIE_KEY)
    if not kept or (kept["person"], kept["path"]) != (_person(), path):
        return None
    del session[_COOKIE_KEY]
    return MultiDict(kept["fields"])


def _person() -> str:
    return str(current_user.id)  # somebody else may sign in with the same browser
