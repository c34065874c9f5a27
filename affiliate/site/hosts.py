"""A program's own host: its proof, whether a certificate may be asked for, and what is led elsewhere.

Only a host that the database knows counts. What else a request calls us gets into no address that we write.
"""

from urllib.parse import quote

from flask import Blueprint, Flask, Response, current_app, g, redirect, request
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate.accounts import access
from affiliate.errors import NotFound
from affiliate.programs import addresses, domains
from affiliate.programs import queries as programs
from affiliate.programs.models import Program
from affiliate.settings import Settings
from affiliate.web import SAFE_METHODS, orm

_OF_A_PROGRAM = ("p", "apply", "portal")
"""What the path of a page of a program begins with; its slug comes next."""
_ELSEWHERE = "console"  # which is the installation's, whoever's program it is about
_MACHINES = ("/static/", "/api/", "/t/", "/r/", "/hooks/", "/n/opened/", "/healthz", "/readyz", "/metrics")

blueprint = Blueprint("hosts", __name__)


class NotOurs(NotFound):
    """The host is nobody's here."""


def init_app(app: Flask) -> None:
    """Know the program of a request by the host that it came to, before anything is answered."""
    app.before_request(_take_host)
    app.register_blueprint(blueprint)


@blueprint.get(domains.PROOF_PATH)
@access.public
def proof() -> Response:
    """What proves that the host of this request leads to us, where one program wants it."""
    host = addresses.host_of(request.host)
    found = domains.answer(orm.session, secret_key=_settings().secret_key, host=host)
    if found is None:
        raise NotOurs("No program wants this host.")
    return Response(found, mimetype="text/plain", headers={"Cache-Control": "no-store"})


@blueprint.get("/hosts/ask")
@access.public
def ask() -> Response:
    """For the proxy that owns TLS: 200 if a certificate may be asked for this host, as Caddy's `ask` expects it."""
    host = addresses.host_of(request.args.get("domain", ""))
    if host in addresses.own_hosts(_settings()) or domains.is_ours(orm.session, host=host):
        return Response("yes", mimetype="text/plain", headers={"Cache-Control": "no-store"})
    raise NotOurs("No program has this host.")


def _take_host() -> BaseResponse | None:
    if request.path.startswith(_MACHINES):
        return None
    host = addresses.host_of(request.host)
    if host in addresses.own_hosts(_settings()):
        return None
    program = domains.program_at(orm.session, host=host)
    if program is None:
        return None
    g.host_program = program
    return _elsewhere(program) if request.method in SAFE_METHODS else None


def _elsewhere(program: Program) -> BaseResponse | None:
    """Where a request goes that this host does not answer: to the program's page, or to the installation."""
    first, _slash, rest = request.path.lstrip("/").partition("/")
    slug = rest.partition("/")[0]
    if request.path == "/":
        return redirect(f"/p/{program.slug}")
    if first == "portal" and not slug:
        return redirect(f"/portal/{program.slug}/")
    if first == _ELSEWHERE or (first in _OF_A_PROGRAM and _is_foreign(slug, program)):
        query = request.query_string.decode("ascii", "replace")
        path = quote(request.path.lstrip("/"))
        return redirect(f"{_settings().base_url}/{path}{f'?{query}' if query else ''}")
    return None


def _is_foreign(slug: str, program: Program) -> bool:
    """Whether another program has this slug. Pages beside programs (`/portal/join/…`) are nobody's and stay."""
    if slug == program.slug:
        return False
    return programs.program_by_slug(orm.session, slug=slug) is not None


def _settings() -> Settings:
    found: Settings = current_app.extensions["affiliate_settings"]
    return found
