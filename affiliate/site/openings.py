"""The picture in a mail to a reader who agreed to tell of openings: it tells once that the mail was opened, and nothing else.

Nothing that goes wrong here shows in a mail: whatever is asked, and whatever fails, the picture is the answer.
"""

import contextlib
from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa
from flask import Blueprint, Flask, Response, current_app, request
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.accounts import access
from affiliate.newsletters import fetchers, openings, queries, tokens
from affiliate.settings import Settings
from affiliate.tracking import exchange
from affiliate.tracking.views import GIF
from affiliate.web import orm

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PATH = "/n/opened/"

blueprint = Blueprint("openings", __name__)


class Nameless:
    """Takes the cookies from requests for a picture: who is signed in here is not looked up, and no cookie goes back."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Pass the request on."""
        if environ.get("PATH_INFO", "").startswith(_PATH):
            environ.pop("HTTP_COOKIE", None)
        return self._app(environ, start_response)


def init_app(app: Flask) -> None:
    """Answer for pictures of mails."""
    app.register_blueprint(blueprint)
    app.wsgi_app = Nameless(app.wsgi_app)  # type: ignore[method-assign]


@blueprint.get(f"{_PATH}<path:token>")
@access.public
def picture(token: str) -> Response:
    """The picture. The first fetch for a reader is recorded, where there is something to record it on."""
    purpose = exchange.purpose_of(request.headers.get, exchange.PURPOSES)
    agent = request.headers.get("User-Agent", "")
    if request.method == "GET" and fetchers.is_reader(user_agent=agent, purpose=purpose):
        settings: Settings = current_app.extensions["affiliate_settings"]
        with contextlib.suppress(tokens.BadToken):
            _record(tokens.read_opening(settings.secret_key, token))
    return Response(GIF, mimetype="image/gif", headers={"Cache-Control": "no-store"})


def _record(delivery_id: UUID) -> None:
    """Asked many times, it writes once: it looks first whether there is anything to record."""
    try:
        is_awaited = queries.awaits_opening(orm.session, delivery_id=delivery_id)
        orm.session.rollback()  # its reading transaction ends before the writing one begins
        if is_awaited:
            with db.read_only(on=False), Session(orm.engine) as session, session.begin():
                openings.record(session, delivery_id=delivery_id)
    except sa.exc.SQLAlchemyError as error:
        current_app.logger.warning("an opening could not be recorded: %s", type(error).__name__)
