"""The Flask application: composition of all packages. It alone, beside `worker` and `cli`, knows everybody."""

from importlib.metadata import version

from flask import Blueprint, Flask, Response, redirect, request, session
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import accounts, api, compress, formats, health, web
from affiliate.accounts import access, limits
from affiliate.accounts.resolvers import Resolvers
from affiliate.console import views as console
from affiliate.demo import shop
from affiliate.fraud import sightings
from affiliate.ingest import known
from affiliate.partners import queries as partners
from affiliate.portal import acting
from affiliate.portal import mailed as mailed_reports
from affiliate.portal import views as portal
from affiliate.privacy import views as privacy
from affiliate.programs import queries as programs
from affiliate.rest import docs as manual
from affiliate.rest import views as rest
from affiliate.settings import Settings
from affiliate.site import applications as joining
from affiliate.site import articles, bounces, found, hosts, news, senders, shared
from affiliate.site import newsletters as mail
from affiliate.site import openings as opened
from affiliate.site import views as site
from affiliate.tracking import api as tracking_api
from affiliate.tracking import postback_view as postbacks
from affiliate.tracking import tracker
from affiliate.tracking import views as tracking

shell = Blueprint("shell", __name__)


def create_app(settings: Settings) -> Flask:
    """The application with these settings. It opens no connection until the first request."""
    app = Flask("affiliate", static_folder=str(web.STATIC), static_url_path="/static")
    app.extensions["affiliate_settings"] = settings
    app.config.update(api.config(title="Affiliate", version=version("affiliate")))
    compress.init_app(app)  # first, so that it sees an answer last
    web.init_app(app, settings)
    formats.init_app(app)
    hosts.init_app(app)  # before anybody is asked to sign in: that may be another host's to do
    tracked = tracker.init_app(app, settings, lookup=known.lookup)
    resolvers = Resolvers(programs.program_by_slug, acting.membership, partners.is_welcome, tracked.key_in_memory)
    accounts.init_app(app, settings, resolvers=resolvers)
    sightings.init_app(app)
    opened.init_app(app)  # before the short way of calls, which stands around it
    _add_api(app)
    for blueprint in (tracking.blueprint, postbacks.blueprint):
        app.register_blueprint(blueprint)
        web.csrf.exempt(blueprint)  # browsers and machines of strangers call it, and nobody is signed in there
    app.register_blueprint(shell)
    app.register_blueprint(health.blueprint)
    app.register_blueprint(site.blueprint)
    limits.limit_feeds(app, "site.product_feed")
    for blueprint in (joining.blueprint, articles.blueprint, found.blueprint, shared.blueprint, senders.blueprint):
        app.register_blueprint(blueprint)
    limits.limit_applications(
        app, "joining.send", saved_by=("joining.save", "joining.answer", "joining.confirm"),
        begun_by=("joining.send", "joining.save"),
    )  # fmt: skip
    app.register_blueprint(mail.blueprint)
    app.register_blueprint(news.blueprint)
    app.register_blueprint(bounces.blueprint)
    limits.limit_sign_ups(app, "news.sign_up")
    app.register_blueprint(privacy.blueprint)
    app.register_blueprint(portal.blueprint)
    limits.limit_tests(app, links="portal.try_link", postbacks="portal.act_on_postback")
    app.register_blueprint(mailed_reports.blueprint)
    app.register_blueprint(console.blueprint)
    if settings.env != "production":
        shop.init_app(app, settings)
    return app


def _add_api(app: Flask) -> None:
    """The API's blueprints in one OpenAPI document, and its manual."""
    rest_api = api.DescribedApi()
    rest_api.init_app(app)
    for blueprint in (rest.blueprint, tracking_api.blueprint):
        rest_api.register_blueprint(blueprint)
        web.csrf.exempt(blueprint)  # a key speaks for the caller, never a cookie
    access.declare(app, "api-docs.openapi_json", access.public)
    declared = {name: access.declaration_of(app, name, "GET") for name in app.view_functions}
    limits.limit_partner_keys(app, [name for name, found in declared.items() if found and found.partners_too])
    app.extensions[manual.EXTENSION] = rest_api
    app.register_blueprint(manual.docs)


@shell.post("/language")
@access.public
def language() -> BaseResponse:
    """Switch the language of this browser and go back to where the person was."""
    chosen = request.form.get("language", "")
    if chosen in formats.LANGUAGES:
        session["language"] = chosen
    target = request.form.get("next", "")
    return redirect(target if web.is_own_path(target) else "/")


@shell.get("/favicon.ico")
@access.public
def favicon() -> Response:
    """Nothing, without a 404 in the log."""
    return Response(status=204)
