"""Words, numbers and days in somebody's language where there is no request: for commands and for mails."""

import contextlib
import secrets
from collections.abc import Iterator
from functools import lru_cache

from flask import Flask, g

from affiliate import formats


@lru_cache(maxsize=1)
def _app() -> Flask:
    app = Flask("affiliate")
    app.secret_key = secrets.token_hex()  # nothing is signed here, but the extensions ask for one
    formats.init_app(app)
    return app


@contextlib.contextmanager
def spoken(locale: str | None = None, *, zone: str | None = None) -> Iterator[None]:
    """What is written inside is in this language (English if none is named), with days of this zone."""
    with _app().test_request_context():
        g.user_locale, g.user_time_zone = locale or "en", zone
        yield
