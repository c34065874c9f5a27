"""The short way for orders by API, in front of Flask: half of what a call costs is what a browser needs, and no shop's server does.

Only a call that nothing is wrong with is answered here: a key that the memory knows and whose use is noted, a body that is
taken or known, or conflicts. Everything else goes on to Flask as if it had not been looked at: nothing was stored yet.
Both ways call the same `Intake`.
"""

import io
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException

from affiliate import clock, errors, web
from affiliate.accounts.bearer import BearerKey
from affiliate.tracking.body import LIST_BYTES_MAX, read
from affiliate.tracking.buffer import ConflictingBody
from affiliate.tracking.intake import Answer, Intake
from affiliate.tracking.tracker import Tracker

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_HEADERS = [
    ("Content-Type", "application/json"),
    ("Cache-Control", "private, no-store"),
    ("X-Content-Type-Options", "nosniff"),
]
_REASONS = {200: "200 OK", 202: "202 ACCEPTED", 409: "409 CONFLICT"}
_WAYS: dict[str, Callable[[Intake, Any], Answer]] = {
    "/api/v1/conversions": Intake.conversions,
    "/api/v1/refunds": Intake.refund,
}

KeyAtHand = Callable[[str, datetime], BearerKey | None]
"""The key in this `Authorization` header at this moment, if it may write conversions and nobody has to ask SQL about it."""


class Shortcut:
    """Takes orders itself, or lets the request pass."""

    def __init__(self, app: "WSGIApplication", *, tracker: Tracker, key_at_hand: KeyAtHand) -> None:
        self._app = app
        self._tracker = tracker
        self._key_at_hand = key_at_hand

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a call that is in order, or let the request pass."""
        way = _WAYS.get(environ.get("PATH_INFO", ""))
        if way is not None and (length := _length(environ)):
            payload = environ["wsgi.input"].read(length)
            environ["wsgi.input"] = io.BytesIO(payload)  # for Flask, should it come to that
            if len(payload) == length and (answer := self._answer(environ, payload, way)) is not None:
                body = answer.body()
                start_response(_REASONS[answer.status], [*_HEADERS, ("Content-Length", str(len(body)))])
                return [body]
        return self._app(environ, start_response)

    def _answer(
        self, environ: "WSGIEnvironment", payload: bytes, way: Callable[[Intake, Any], Answer]
    ) -> Answer | None:
        try:
            now = clock.now()
            key = self._key_at_hand(environ.get("HTTP_AUTHORIZATION", ""), now)
            return None if key is None else way(Intake(self._tracker, key, now=now), read(payload))
        except ConflictingBody as error:
            return Answer(409, web.error_body(error.code, str(error)))
        except (errors.DomainError, HTTPException):
            return None


def _length(environ: "WSGIEnvironment") -> int:
    """How long the body is, if all that comes before it is as usual; else 0."""
    if environ["REQUEST_METHOD"] != "POST" or environ.get("CONTENT_TYPE") not in _MEDIA_TYPES:
        return 0
    length = environ.get("CONTENT_LENGTH", "")
    is_fair = length.isascii() and length.isdigit() and "HTTP_TRANSFER_ENCODING" not in environ
    return int(length) if is_fair and int(length) <= LIST_BYTES_MAX else 0


_MEDIA_TYPES = frozenset({"application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8"})
