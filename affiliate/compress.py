"""Answers leave compressed where the caller takes gzip: pages each time, static files once for each content.

A page that holds a secret beside what the caller chose could be guessed at by its length, by somebody who makes the victim's
browser ask again and again. Our cookies are SameSite=Lax: such requests come without them, and see nobody's page.
"""

import gzip
from functools import lru_cache
from http import HTTPStatus

from flask import Flask, Response, request

_LEAST_BYTES = 1_000  # less fits into one packet anyway
_MOST_BYTES = 8 * 1024 * 1024
_KEPT = 64
_QUICK, _BEST = 5, 9
_TEXTS = frozenset({
    "text/html", "text/css", "text/csv", "text/javascript", "text/plain", "text/xml", "application/javascript",
    "application/json", "application/xml", "image/svg+xml",
})  # fmt: skip


def init_app(app: Flask) -> None:
    """Compress what this app answers."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    if response.status_code != HTTPStatus.OK or response.mimetype not in _TEXTS or response.content_encoding:
        return response
    response.vary.add("Accept-Encoding")
    if request.accept_encodings.quality("gzip") <= 0 or not _fits(response):
        return response
    is_static = request.endpoint == "static"
    response.direct_passthrough = False  # a file is read like any other answer
    body = response.get_data()
    response.set_data(_kept(body) if is_static else gzip.compress(body, _QUICK, mtime=0))
    response.content_encoding = "gzip"
    if (tag := response.get_etag()[0]) is not None:
        response.set_etag(tag, weak=True)  # other bytes, the same content
    return response


def _fits(response: Response) -> bool:
    if response.is_streamed and not response.direct_passthrough:
        return False  # it is made bit by bit, and its length is not known
    return _LEAST_BYTES <= (response.content_length or response.calculate_content_length() or 0) <= _MOST_BYTES


@lru_cache(maxsize=_KEPT)
def _kept(body: bytes) -> bytes:
    return gzip.compress(body, _BEST, mtime=0)
