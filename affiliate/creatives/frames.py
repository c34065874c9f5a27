"""A snippet inside a page: in a frame of its own, where nothing runs, nothing is sent, and only our own pictures load."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from affiliate import web

View = TypeVar("View", bound=Callable[..., Any])

_policy = web.talisman(
    frame_options="SAMEORIGIN",
    content_security_policy={
        "default-src": "'none'",
        "img-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'self'",
        "sandbox": "",
    },
)


def framed(view: View) -> View:
    """Mark a view that answers with the HTML of a snippet."""
    return cast("View", _policy(view))


def page(snippet: str) -> str:
    """A cleaned snippet as a page for the frame."""
    return f'<!doctype html><html><head><meta charset="utf-8"><title>-</title></head><body>{snippet}</body></html>'
