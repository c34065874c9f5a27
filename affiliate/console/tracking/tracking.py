"""The page for the shop's developer: how to connect the shop, the pixel secret, API keys."""

from typing import Any
from uuid import UUID

from flask import Response, flash, g, make_response, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import ids
from affiliate.accounts import access, typed
from affiliate.accounts import queries as account_queries
from affiliate.accounts import service as accounts
from affiliate.accounts.models import ApiKey
from affiliate.console import roles, words
from affiliate.console.blueprint import acted, blueprint, settings, show
from affiliate.console.forms import ApiKeyForm
from affiliate.links import sites
from affiliate.money import exponent
from affiliate.programs import addresses, secrets, service, signs
from affiliate.tracking import snippets
from affiliate.web import orm, request_now


@blueprint.get("/<slug>/tracking")
@access.console(*roles.SEES_TRACKING)
def tracking() -> str:
    """What to paste into the shop, and the keys."""
    kept = typed.take(url_for("console.add_api_key"))
    return _page(ApiKeyForm(kept) if kept else ApiKeyForm(data={"scopes": ["conversions:write"]}))


@blueprint.get("/<slug>/tracking/secret")
@access.fresh(access.console("manager"))
def pixel_secret() -> Response:
    """The same page with the pixel secret on it, for who has just confirmed the password."""
    secret = secrets.pixel_secret(g.program, settings().secret_key)
    return unkept(_page(ApiKeyForm(data={"scopes": ["conversions:write"]}), secret=secret))


@blueprint.post("/<slug>/tracking/secret")
@access.fresh(access.console("manager"))
def rotate_pixel_secret() -> BaseResponse:
    """A new pixel secret; the old one stops working at once."""
    seen = request.form.get("version", default=0, type=int)
    version = seen if seen == g.program.pixel_secret_version else 0  # no version is 0: refused as already replaced
    return acted(url_for("console.pixel_secret"), lambda: _rotate(version))


def _rotate(version: int) -> str:
    service.rotate_pixel_secret(
        orm.session, program_id=g.program.id, expected_version=version, actor=access.actor(), now=request_now()
    )
    return str(
        _("The pixel secret is new. Put it into the shop's server now: pixels signed with the old one are refused.")
    )


@blueprint.post("/<slug>/tracking/keys")
@access.fresh(access.console("manager"), keeps=("name", "scopes", "is_test"))
def add_api_key() -> Response | tuple[str, int]:
    """A new key; its secret is shown this once."""
    form = ApiKeyForm()
    if not form.validate_on_submit():
        return _page(form), 422
    key, secret = accounts.create_api_key(
        orm.session, program_id=g.program.id, name=form.name.data, scopes=form.scopes.data,
        is_test=form.is_test.data, actor=access.actor(), now=request_now(),
    )  # fmt: skip
    return unkept(show("tracking/api_key_made.html", name=key.name, secret=secret))


@blueprint.post('/<slug>/tracking/keys/<public("key"):key_id>/revoke')
@access.console("manager")
def revoke_api_key(key_id: UUID) -> BaseResponse:
    """End a key for ever."""
    accounts.revoke_api_key(
        orm.session, key_id=key_id, program_id=g.program.id, actor=access.actor(), now=request_now()
    )
    flash(_("The key is revoked. Requests with it are refused from now on."))
    return redirect(url_for("console.tracking"), 303)


def _page(form: ApiKeyForm, *, secret: str | None = None) -> str:
    keys = account_queries.api_keys(orm.session, program_id=g.program.id)
    return show(
        "tracking/tracking.html",
        form=form,
        secret=secret,
        secret_version=g.program.pixel_secret_version,
        code=code_of(),
        keys=[_key(key) for key in keys],
    )


def code_of(*, secret: str | None = None, **test: Any) -> dict[str, str]:
    """What to copy into the shop, with this program's addresses and an invented order.

    `secret` is that of a key just made; `test` are further facts of the order, for one that shall not count.
    """
    program, tracking_url = g.program.slug, addresses.links(g.program.own_host, settings())
    has_sites = bool(sites.sites_of(orm.session, program_id=g.program.id))
    order = {"program": program, "order_id": "10482", "amount": "49.90", "currency": g.program.currency}
    if not exponent(g.program.currency):
        order["amount"] = "4990"
    order |= {"click_id": "clk_…"} | test
    told = {name: str(int(value)) if isinstance(value, bool) else str(value) for name, value in order.items()}
    return {
        "tag": snippets.tag(
            tracking_url=tracking_url,
            program=program,
            has_sites=has_sites,
            signs=signs.foreign(g.program.channel_signs),
        ),
        "call": snippets.api_call(base_url=settings().base_url, body=order, key=secret or "$API_KEY"),
        "by_tag": snippets.conversion_by_tag(body={k: v for k, v in order.items() if k not in {"program", "click_id"}}),
        "python": snippets.pixel_in_python(tracking_url=tracking_url, parameters=told),
        "php": snippets.pixel_in_php(tracking_url=tracking_url, parameters=told),
    }


def _key(key: ApiKey) -> dict[str, object]:
    return {
        "id": ids.public("key", key.id),
        "name": key.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "is_test": key.is_test,
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
        "sign": words.api_key(is_revoked=key.revoked_at is not None, is_test=key.is_test),
        "revoke_url": url_for("console.revoke_api_key", key_id=key.id),
    }


def unkept(page: str) -> Response:
    """A page with a secret: nothing on the way may keep it."""
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response
