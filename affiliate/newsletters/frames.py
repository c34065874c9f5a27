"""A newsletter inside a page: in a frame of its own, where nothing runs, nothing is fetched, and styles cannot reach the page."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from affiliate import web

View = TypeVar("View", bound=Callable[..., Any])

_policy = web.talisman(
    frame_options="SAMEORIGIN",
    content_security_policy={
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",  # mail programs know no style sheets, so a mail carries its styles
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'self'",
        "sandbox": "",
    },
)


def framed(view: View) -> View:
    """Mark a view that answers with the HTML of a mail."""
    return cast("View", _policy(view))
