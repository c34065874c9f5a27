"""The Flask application: composition of all packages. It alone, beside `worker` and `cli`, knows everybody."""

from importlib.metadata import version

from flask import Blueprint, Flask, Response, redirect, request, session, url_for
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import accounts, api, formats, health, web
from affiliate.accounts import access
from affiliate.partners import queries as partners
from affiliate.programs import queries as programs
from affiliate.settings import Settings

shell = Blueprint("shell", __name__)


def create_app(settings: Settings) -> Flask:
    """The application with these settings. It opens no connection until the first request."""
    app = Flask("affiliate", static_folder=str(web.STATIC), static_url_path="/static")
    app.extensions["affiliate_settings"] = settings
    app.config.update(api.config(title="Affiliate", version=version("affiliate")))
    web.init_app(app, settings)
    formats.init_app(app)
    accounts.init_app(app, settings, resolvers=access.Resolvers(programs.program_by_slug, partners.membership))
    app.register_blueprint(shell)
    app.register_blueprint(health.blueprint)
    return app


@shell.post("/language")
@access.public
def language() -> BaseResponse:
    """Switch the language of this browser and go back to where the person was."""
    chosen = request.form.get("language", "")
    if chosen in formats.LANGUAGES:
        session["language"] = chosen
    target = request.form.get("next", "")
    # Only a path of our own: `//host` and `/\host` would lead elsewhere.
    safe = target.startswith("/") and not target.startswith(("//", "/\\"))
    return redirect(target if safe else url_for("site.home"))


@shell.get("/favicon.ico")
@access.public
def favicon() -> Response:
    """Nothing, without a 404 in the log."""
    return Response(status=204)
