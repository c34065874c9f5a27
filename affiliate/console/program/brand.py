"""The page of the brand: logo, colour, whom mails are from, and the host of links and pages."""

import base64
from email.utils import parseaddr
from typing import Any

from flask import Response, flash, g, redirect, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.wrappers.response import Response as BaseResponse
from wtforms import EmailField, StringField

from affiliate import pictures
from affiliate.accounts import access
from affiliate.console.blueprint import acted, blueprint, settings, show
from affiliate.console.forms import say_all
from affiliate.console.program import brand_sheets
from affiliate.console.program.changes import last_changes
from affiliate.errors import Conflict, Invalid
from affiliate.files import File
from affiliate.programs import branding, domains, rules, sender
from affiliate.programs.sender import Wanted
from affiliate.web import orm, request_now

_CHANGES = (
    "program.brand", "program.sender", "program.sender_proved", "program.domain", "program.domain_off",
    "program.domain_lost", "program.domain_proved",
)  # fmt: skip
Answer = str | tuple[str, int] | BaseResponse
_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class SenderForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """Whom mails are from."""

    name = StringField(_l("Name"), description=_l("Empty: the name of the program."), render_kw={"autocomplete": "off"})
    address = EmailField(
        _l("Address"), render_kw=_PLAIN,
        description=_l("We write to it first: it counts once somebody who reads it says yes. Empty: ours."),
    )  # fmt: skip
    reply_to = EmailField(_l("Answers go to"), render_kw=_PLAIN, description=_l("Empty: to the address above."))


class DomainForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """The host of the program's own."""

    host = StringField(_l("Host"), description=_l("For example partners.shop.example."), render_kw=_PLAIN)


@blueprint.get("/<slug>/settings/brand")
@access.console("manager")
def brand() -> str:
    """All of the brand as it is; with a colour in the address, how it would look."""
    return _page(colour=request.args.get("colour", "").strip().lower()[:7])


@blueprint.get("/<slug>/settings/brand/colour.css")
@access.console("manager")
def brand_colour() -> Response:
    """The style sheet by which the page shows a colour that was typed."""
    colour = request.args.get("colour", "")
    css = "" if rules.accent_problem(colour) else branding.accent_css(colour, within="brand-look")
    return Response(css, mimetype="text/css")


@blueprint.post("/<slug>/settings/brand")
@access.console("manager")
def set_brand() -> Answer:
    """Show another logo, or none; or first see how it would look."""
    if request.form.get("act") == "remove":
        branding.remove_logo(orm.session, **_who())
        return redirect(url_for("console.brand"), 303)
    name, content = _picture()
    if not content:
        return _page(problem=_("Choose a file first.")), 422
    try:
        if request.form.get("act") == "look":
            return _page(tried=branding.drawn_logo(content, name=name))
        branding.set_logo(orm.session, content=content, name=name, **_who())
    except Invalid as refusal:
        orm.session.rollback()
        return _page(problem=" ".join(_(said) for said in refusal.errors["logo"])), 422
    return redirect(url_for("console.brand"), 303)


def _picture() -> tuple[str, bytes]:
    """The chosen file, else the picture that was looked at before: nobody has to choose it twice."""
    uploaded = request.files.get("logo")
    if uploaded and (content := uploaded.read(pictures.BYTES_MAX + 1)):
        return uploaded.filename or "", content
    try:
        return request.form.get("tried-name", ""), base64.b64decode(request.form.get("tried", ""), validate=True)
    except ValueError:
        return "", b""


@blueprint.post("/<slug>/settings/brand/sender")
@access.fresh(access.console("manager"))
def set_sender() -> Answer:
    """Sign mails like this from now on; a new address is asked first."""
    form = SenderForm()
    wanted = Wanted(*(form[name].data or "" for name in ("name", "address", "reply_to")))
    if request.form.get("act") == "look":
        return _page(sender_form=form)
    try:
        was_asked = sender.keep(
            orm.session, program=g.program, wanted=wanted, locale=str(get_locale()), actor=access.actor(),
            now=request_now(),
        )  # fmt: skip
    except (Invalid, Conflict) as refusal:
        orm.session.rollback()
        say_all(form, refusal.errors if isinstance(refusal, Invalid) else {"address": [str(refusal)]})
        return _page(sender_form=form), 422
    flash(_("Saved. The address counts once its reader says yes.") if was_asked else _("Saved."), "success")
    return redirect(f"{url_for('console.brand')}#sender", 303)


@blueprint.post("/<slug>/settings/brand/domain")
@access.fresh(access.console("manager"))
def set_domain() -> Answer:
    """Want this host for links and pages."""
    form = DomainForm()
    try:
        domains.claim(
            orm.session, program=g.program, typed=form.host.data or "", actor=access.actor(), now=request_now()
        )
    except Invalid as refusal:
        orm.session.rollback()
        say_all(form, refusal.errors)
        return _page(domain_form=form), 422
    return redirect(f"{url_for('console.brand')}#domain", 303)


@blueprint.post("/<slug>/settings/brand/domain/<any(look, off):act>")
@access.fresh(access.console("manager"))
def move_domain(act: str) -> BaseResponse:
    """Look for the proof now, or want the host no more."""
    return acted(f"{url_for('console.brand')}#domain", _look if act == "look" else _off)


def _look() -> str:
    domains.look_soon(orm.session, program_id=g.program.id, now=request_now())
    return str(_("We look in a few seconds. Open this page again then."))


def _off() -> str:
    domains.give_up(orm.session, **_who())
    return str(_("Links and pages are at our address again."))


def _who() -> dict[str, Any]:
    return {"program_id": g.program.id, "actor": access.actor(), "now": request_now()}


def _page(
    *, problem: str | None = None, sender_form: SenderForm | None = None, domain_form: DomainForm | None = None,
    tried: File | None = None, colour: str = "",
) -> str:  # fmt: skip
    own = sender.row_of(orm.session, program_id=g.program.id)
    wanted = domains.row_of(orm.session, program_id=g.program.id)
    typed = {} if own is None else {
        "name": own.name, "address": own.asked_address or own.address, "reply_to": own.reply_to,
    }  # fmt: skip
    logo_url = branding.logo_path(orm.session, program=g.program)
    form = sender_form or SenderForm(formdata=None, data=typed)
    return show(
        "program/brand.html",
        problem=problem,
        logo_url=logo_url,
        tried=brand_sheets.picture(tried) if tried else None,
        look=brand_sheets.look(
            g.program,
            logo=tried,
            logo_url=logo_url,
            colour=colour,
            name=form["name"].data or "",
            address=form.address.data or parseaddr(settings().mail_from)[1],
        ),
        trail=last_changes(*_CHANGES),
        **brand_sheets.colour(g.program),
        side_max=branding.SIDE_MAX,
        sender=brand_sheets.sender(g.program, own, settings()),
        sender_form=form,
        domain=brand_sheets.domain(g.program, wanted, settings()),
        domain_form=domain_form or DomainForm(formdata=None, data={"host": wanted.host if wanted else ""}),
    )
