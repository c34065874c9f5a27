"""API keys of a partner: its owners make them for its own programs, see when they were last used, and end them."""

from typing import Any
from uuid import UUID

from flask import Response, flash, g, make_response, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import pgettext
from flask_wtf import FlaskForm
from wtforms import SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from affiliate import ids
from affiliate.accounts import access, queries, service, typed
from affiliate.accounts.keys import PARTNER_KEYS_MAX, PARTNER_SCOPES
from affiliate.accounts.models import ApiKey
from affiliate.accounts.roles import OWNER
from affiliate.portal.blueprint import blueprint, settings, show
from affiliate.reports.words import Sign
from affiliate.web import orm, request_now

_SCOPES = {
    "links:read": _l("Links and coupons"),
    "reports:read": _l("Clicks, commissions and reports"),
    "conversions:read": _l("Orders you brought, refunds, what became of them"),
    "payouts:read": _l("Payouts, their papers, and your account in the books"),
}


class KeyForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """A new key: what it is for, and what it reads."""

    name = StringField(
        _l("What it is for"),
        filters=[lambda text: " ".join((text or "").split())],
        validators=[InputRequired(_l("Give the key a name.")), Length(max=120)],
        description=_l("For example your dashboard."),
        render_kw={"autocomplete": "off"},
    )
    scopes = SelectMultipleField(
        _l("What it reads"),
        choices=[SelectChoice(scope, _SCOPES[scope]) for scope in PARTNER_SCOPES],
        validators=[InputRequired(_l("Choose at least one."))],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )


@blueprint.get("/<slug>/keys")
@access.partner_with(OWNER)
def api_keys() -> str:
    """The keys there are, and the form for a new one."""
    kept = typed.take(url_for("portal.make_api_key"))
    return _page(KeyForm(kept) if kept else KeyForm(data={"scopes": ["reports:read"]}))


@blueprint.post("/<slug>/keys")
@access.fresh(access.partner_with(OWNER), keeps=("name", "scopes"))
def make_api_key() -> ResponseReturnValue:
    """A new key; its secret is shown this once."""
    form = KeyForm()
    if not form.validate():
        return _page(form), 422
    try:
        key, secret = service.create_api_key(
            orm.session, program_id=g.program.id, partner_id=g.partner.id, name=form.name.data, scopes=form.scopes.data,
            actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except service.TooManyKeys:
        orm.session.rollback()
        form.form_errors.append(_("%(count)s keys work already. Revoke one first.", count=PARTNER_KEYS_MAX))
        return _page(form), 409
    return _unkept(show("key_made.html", name=key.name, secret=secret, call=_call(secret)))


@blueprint.post('/<slug>/keys/<public("key"):key_id>/revoke')
@access.partner_with(OWNER)
def revoke_api_key(key_id: UUID) -> ResponseReturnValue:
    """End a key for ever."""
    service.revoke_api_key(
        orm.session, key_id=key_id, program_id=g.program.id, partner_id=g.partner.id, actor=access.actor(), now=request_now()
    )  # fmt: skip
    flash(_("The key is revoked. Requests with it are refused from now on."), "success")
    return redirect(url_for("portal.api_keys"), 303)


def _page(form: KeyForm) -> str:
    found = queries.api_keys(orm.session, program_id=g.program.id, partner_id=g.partner.id)
    return show("keys.html", form=form, keys=[_line(key) for key in found])


def _line(key: ApiKey) -> dict[str, Any]:
    revoked = Sign("bad", pgettext("key", "Revoked"))
    return {
        "id": ids.public("key", key.id),
        "name": key.name,
        "prefix": key.prefix,
        "reads": [str(_SCOPES[scope]) for scope in PARTNER_SCOPES if scope in key.scopes],
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
        "sign": revoked if key.revoked_at else Sign("good", pgettext("key", "Live")),
        "revoke_url": None if key.revoked_at else url_for("portal.revoke_api_key", key_id=key.id),
    }


def _call(secret: str) -> str:
    """What to type to see that the key works."""
    return f'curl -H "Authorization: Bearer {secret}" {settings().base_url}/api/v1/programs'


def _unkept(page: str) -> Response:
    """A page with a secret: nothing on the way may keep it."""
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response
