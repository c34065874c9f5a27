"""How many pages are made at once: the server has more threads than that, for clicks, which touch no database, and for orders, which ask it a few at a time."""

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

COUNT = 8  # the process has more connections to the database


class Places:
    """Lets so many requests at once into the app behind; the others wait in line."""

    def __init__(self, app: "WSGIApplication", count: int = COUNT) -> None:
        self._app = app
        self._free = threading.BoundedSemaphore(count)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Pass the request on. What is sent after this returns holds no connection to the database."""
        with self._free:
            return self._app(environ, start_response)
