"""Who the partner is, and where it promotes: for managers, and for what a program offers it."""

from typing import Any

from flask import flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Length, Optional, ValidationError

from affiliate.accounts import access
from affiliate.accounts.roles import PROMOTES
from affiliate.joining import answers, asking
from affiliate.partners import profiles
from affiliate.partners import queries as partners
from affiliate.portal.blueprint import blueprint, show
from affiliate.taxes import words as tax_words
from affiliate.web import orm, request_now

_EMPTY = {"kind": "website", "address": "", "people": ""}
_EMPTY_ROWS = 2


def _one_line(text: str | None) -> str:
    return "".join(filter(str.isprintable, " ".join((text or "").split())))


def _opens(_form: FlaskForm, field: Any) -> None:
    if not answers.is_web_address(field.data):
        raise ValidationError(_("Write the whole address, like https://example.com/."))


class ProfileForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """Name, website and country; channels are rows beside it."""

    name = StringField(
        _l("Name"),
        filters=[_one_line],
        validators=[DataRequired(_l("Write the name of your site, channel or company.")), Length(max=120)],
        description=_l("Your site, channel or company, as others know it."),
    )
    website = StringField(
        _l("Website"),
        filters=[_one_line, answers.web_address],
        validators=[Optional(), Length(max=500), _opens],
        render_kw={"inputmode": "url", "autocomplete": "url"},
    )
    country = SelectField(_l("Country"))


@blueprint.get("/<slug>/settings/profile")
@access.partner_with(PROMOTES)
def profile() -> str:
    """The form with what is known; the channels of the application where nothing was said since."""
    application = (
        partners.application_of(orm.session, enrollment_id=g.enrollment.id) if not g.partner.channels else None
    )
    said = g.partner.channels or (application.answers.get("channels") if application else None) or []
    rows = [{**each, "people": str(each.get("people") or "")} for each in said if isinstance(each, dict)]
    return _page(_form(obj=g.partner), rows)


@blueprint.post("/<slug>/settings/profile")
@access.partner
def change_profile() -> ResponseReturnValue:
    """Keep it; a refused form comes back with what was typed."""
    form = _form()
    typed = {f"channels-{name}": request.form.getlist(f"channels-{name}") for name in _EMPTY}
    rows = answers.channel_rows(typed)
    found, problem = answers.channels(rows)
    if not form.validate() or problem:
        return _page(form, rows, _(problem) if problem else None), 422
    profiles.change(
        orm.session, partner_id=g.partner.id, name=form.name.data, website=form.website.data or None,
        country=form.country.data or None, channels=found, actor=access.actor(), now=request_now(),
    )  # fmt: skip
    flash(_("Saved."), "success")
    return redirect(url_for("portal.profile"), 303)


def _form(**known: Any) -> ProfileForm:
    form = ProfileForm(**known)
    form.country.choices = [("", _("Not said")), *tax_words.countries()]
    return form


def _page(form: ProfileForm, rows: list[dict[str, Any]], problem: str | None = None) -> str:
    shown = [*rows, *[_EMPTY] * _EMPTY_ROWS][: answers.CHANNELS_MAX]
    return show("profile.html", form=form, rows=shown, kinds=asking.channel_kinds(), problem=problem)
