"""The web edge: one transaction per request, one handler for errors, security headers, static addresses.

A view parses, calls one service or query, responds. It never commits: a safe method runs in a read-only transaction,
any other one commits here after the view answered with a status below 400, and rolls back otherwise.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from flask import (
    Flask,
    Response,
    current_app,
    g,
    has_request_context,
    jsonify,
    make_response,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_sqlalchemy_lite import SQLAlchemy
from flask_talisman import Talisman
from flask_wtf import CSRFProtect
from werkzeug.exceptions import BadHost, HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter, Map
from werkzeug.routing import ValidationError as RoutingError

from affiliate import api, clock, db, errors, ids, places
from affiliate.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MACHINE_PATHS = ("/api/", "/t/", "/hooks/")  # answered in JSON, without CSRF tokens: no cookie speaks for anybody there
_NEVER_STRANDED = ("/r/", "/t/", "/n/opened/")
"""A visitor's link, a checkout's pixel and a mail's picture answer whatever they were asked."""
STATIC = Path(__file__).parent.parent / "static"
BODY_BYTES_MAX = 5 * 1024 * 1024

STATUS_OF: dict[type[errors.DomainError], HTTPStatus] = {
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Malformed: HTTPStatus.BAD_REQUEST,
    errors.Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
}

View = TypeVar("View", bound=Callable[..., Any])


orm = SQLAlchemy(session_options={"expire_on_commit": False})
csrf = CSRFProtect()
talisman = Talisman()

CONTENT_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": ["'self'", "data:"],
    "object-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "form-action": "'self'",
}


class PublicIdConverter(BaseConverter):
    """A public id in an address: `<public("com"):commission_id>` gives the UUID; anything else is no such address."""

    def __init__(self, url_map: Map, prefix: str) -> None:
        super().__init__(url_map)
        self.prefix = prefix

    def to_python(self, value: str) -> UUID:
        """The UUID."""
        try:
            return ids.parse(self.prefix, value)
        except ids.BadPublicId as error:
            raise RoutingError from error

    def to_url(self, value: UUID) -> str:
        """The public form."""
        return ids.public(self.prefix, value)


def request_now() -> datetime:
    """The instant of this request: the clock is read once, everything in the request happens at that moment."""
    if "now" not in g:
        g.now = clock.now()
    moment: datetime = g.now
    return moment


def is_own_path(target: str) -> bool:
    """Whether a redirect to this address stays here. `//host` leads elsewhere; browsers take a backslash for a slash, and leave tabs out."""
    return target.startswith("/") and not target.startswith("//") and "\\" not in target and target.isprintable()


def is_machine_request() -> bool:
    """Whether the caller is a program and wants JSON."""
    return request.path.startswith(MACHINE_PATHS)


@lru_cache(maxsize=512)
def _version_of(path: str) -> str:
    try:
        return hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]
    except OSError:
        return "0"


def reads_only(view: View) -> View:
    """Mark a view that writes no SQL although its method is not safe (it appends to a stream): it waits for no writer."""
    view.reads_only = True  # type: ignore[attr-defined]
    return view


def _is_reading() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return request.method in SAFE_METHODS or getattr(view, "reads_only", False)


def static_url(path: str) -> str:
    """The address of a static file with its content's version, so that browsers may keep it for a year."""
    return _static_url(path, request.script_root if has_request_context() else "")


@lru_cache(maxsize=512)
def _static_url(path: str, _root: str) -> str:
    """Kept by the root under which we stand: each icon of a page asks for the address of their one file."""
    return url_for("static", filename=path, v=_version_of(path))


def init_app(app: Flask, settings: Settings) -> None:
    """Give the app its database, transactions, errors, headers and proxies."""
    secure = settings.base_url.startswith("https://")
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_ENGINES={"default": {"url": settings.database_url, **db.engine_options(settings.database_url)}},
        MAX_CONTENT_LENGTH=BODY_BYTES_MAX,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        SEND_FILE_MAX_AGE_DEFAULT=31_536_000,
        WTF_CSRF_TIME_LIMIT=None,  # a token lives as long as its session: a form left open overnight still works
        TESTING=settings.env == "test",
    )
    app.wsgi_app = places.Places(app.wsgi_app)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    app.url_map.converters["public"] = PublicIdConverter
    orm.init_app(app)
    if not settings.database_url.startswith("sqlite"):
        from affiliate import postgres

        with app.app_context():
            postgres.give_up(orm.engine)
    # The library's second teardown is a coroutine for sessions of a kind that we never open. Flask would start a thread
    # and an event loop for it after every request: half the time of a short one.
    app.teardown_appcontext_funcs = [each for each in app.teardown_appcontext_funcs if not iscoroutinefunction(each)]
    csrf.init_app(app)
    talisman.init_app(
        app,
        force_https=False,  # the proxy in front owns TLS; health probes and metrics come over plain HTTP
        strict_transport_security=secure,
        content_security_policy=CONTENT_POLICY,
        session_cookie_secure=secure,
        referrer_policy="strict-origin-when-cross-origin",
    )
    app.jinja_env.globals["static_url"] = static_url
    app.before_request(_begin)
    app.after_request(_finish)
    app.teardown_request(_end)
    app.register_error_handler(errors.DomainError, _render_domain_error)
    app.register_error_handler(HTTPException, _render_http_error)
    app.register_error_handler(sa.exc.OperationalError, _render_away)
    app.register_error_handler(Exception, _render_crash)


def _begin() -> None:
    # The context variable belongs to this request; `_end` gives the old value back.
    g.read_only = db.read_only(_is_reading())
    g.read_only.__enter__()
    if not request.path.startswith(_NEVER_STRANDED) and _has_nul():
        raise errors.Malformed("The request holds a NUL in its address or form. Leave it out.")


def _has_nul() -> bool:
    """Whether the address or the form brings a NUL, which nobody means and PostgreSQL cannot keep."""
    form = [] if is_machine_request() else request.form.items(multi=True)
    pairs = [*request.args.items(multi=True), *form]
    return "\0" in request.path or any("\0" in name or "\0" in value for name, value in pairs)


def _finish(response: Response) -> Response:
    if _is_reading() or response.status_code >= HTTPStatus.BAD_REQUEST:
        orm.session.rollback()
    else:
        orm.session.commit()
    return response


def _end(_error: BaseException | None) -> None:
    switch = g.pop("read_only", None)
    if switch is not None:
        switch.__exit__(None, None, None)


def status_of(error: errors.DomainError) -> HTTPStatus:
    """The HTTP status of an error's kind."""
    found = (STATUS_OF[cls] for cls in type(error).__mro__ if cls in STATUS_OF)
    return next(found, HTTPStatus.BAD_REQUEST)


def error_body(code: str, message: str, fields: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """The one shape of an error in the API."""
    return {"code": code, "message": message, "errors": fields or {}}


def _render_domain_error(error: errors.DomainError) -> Response:
    status = status_of(error)
    fields = error.errors if isinstance(error, errors.Invalid) else None
    response = _render(status, error.code, str(error), fields)
    if isinstance(error, errors.Unavailable):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def _render_http_error(error: HTTPException) -> Response:
    if isinstance(
        error, BadHost
    ):  # a page of ours would have to name its style sheet, and there is no address under such a host
        return Response(error.description, HTTPStatus.BAD_REQUEST, mimetype="text/plain")
    if error.response is not None:  # abort(Response): somebody has already decided the answer
        return make_response(error.response)
    if isinstance(cause := getattr(error, "original_exception", None), sa.exc.OperationalError):
        return _render_away(cause)  # the commit failed, after the view had answered
    status = HTTPStatus(error.code or 500)
    data = getattr(error, "data", None) or {}
    if status is HTTPStatus.FOUND or status < HTTPStatus.BAD_REQUEST:
        return make_response(error.get_response(request.environ))  # redirects of the router
    fields = api.field_errors(data["messages"]) if data.get("messages") else None
    response = _render(status, status.name.lower(), data.get("message") or error.description or status.phrase, fields)
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            response.headers[name] = value  # Allow on 405, Retry-After on 429 and 503
    return response


def _render_crash(error: Exception) -> Response:
    # The route, not the address: that may hold the token of a password reset, or a line break.
    current_app.logger.error("unhandled error in %s %s", request.method, request.url_rule, exc_info=error)
    if current_app.testing:
        raise error
    return _render(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", _("Something failed on our side."), None)


def _render_away(error: sa.exc.OperationalError) -> Response:
    if not db.is_away(error):
        return _render_crash(error)
    current_app.logger.error("the database failed in %s %s", request.method, request.url_rule, exc_info=error)
    message = _("The database does not answer. Try again in a few seconds.")
    response = _render(HTTPStatus.SERVICE_UNAVAILABLE, errors.Unavailable.code, message, None)
    response.headers["Retry-After"] = str(errors.Unavailable.retry_after_seconds)
    return response


def _render(status: HTTPStatus, code: str, message: str, fields: dict[str, list[str]] | None) -> Response:
    if is_machine_request():
        return make_response(jsonify(error_body(code, message, fields)), status)
    template = f"errors/{int(status)}.html"
    known = template in {f"errors/{n}.html" for n in (400, 403, 404, 405, 409, 413, 429, 500, 503)}
    page = render_template(
        template if known else "error.html", status=int(status), message=message, errors=fields or {}
    )
    return make_response(page, status)
