"""Where a partner's own system is told of its sales: the addresses, their log, test and retry."""

from typing import Any
from uuid import UUID

from flask import flash, g, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectMultipleField, StringField
from wtforms.validators import DataRequired
from wtforms.widgets import CheckboxInput, ListWidget

from affiliate import formats
from affiliate.accounts import access
from affiliate.accounts.roles import PROMOTES
from affiliate.errors import Conflict, Invalid
from affiliate.notifications import delivering, postback_words, queries, service
from affiliate.notifications.models import DeliveryStatus, PostbackAddress, PostbackDelivery, PostbackEvent
from affiliate.portal.blueprint import blueprint, settings, show
from affiliate.web import orm, request_now


class PostbackForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """An address with macros, what it is told of, and whether calls are signed."""

    url = StringField(
        _l("Address"),
        validators=[DataRequired(_l("Type the address that your system gave you."))],
        description=_l("Begins with https://. Words in braces are replaced by the facts of the sale."),
        render_kw={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"},
    )
    events = SelectMultipleField(
        _l("Tell of"), coerce=PostbackEvent, widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )
    is_signed = BooleanField(
        _l("Sign each call"), description=_l("With a secret that you see afterwards, as Standard Webhooks says.")
    )


@blueprint.get("/<slug>/postbacks")
@access.partner
def postbacks() -> str:
    """The addresses, and how they fare."""
    found = queries.addresses(orm.session, program_id=g.program.id, partner_id=g.partner.id)
    counts = queries.counts(orm.session, address_ids=[each.id for each in found])
    rows = [_line(each) | {"counts": counts[each.id]} for each in found]
    return show("postbacks.html", rows=rows, is_full=len(rows) >= service.ADDRESSES_MAX, status=DeliveryStatus)


@blueprint.get("/<slug>/postbacks/new")
@access.partner_with(PROMOTES)
def new_postback() -> str:
    """The form."""
    return _form_page(_form(data={"events": list(service.CHOICES)}), None)


@blueprint.post("/<slug>/postbacks")
@access.partner
def add_postback() -> ResponseReturnValue:
    """Keep an address; a refused one comes back with what was typed."""
    form = _form()
    if not form.validate():
        return _form_page(form, None), 422
    try:
        address = service.add(
            orm.session, program=g.program, partner_id=g.partner.id, **_typed(form), actor=access.actor(), now=request_now()
        )  # fmt: skip
    except Invalid as refusal:
        return _refused(form, refusal, None), 422
    except Conflict as refusal:
        orm.session.rollback()
        form.form_errors.append(_(str(refusal)))
        return _form_page(form, None), 409
    flash(_("Saved. Send a test to see whether it arrives."), "success")
    return redirect(url_for("portal.postback", address_id=address.id), 303)


@blueprint.get('/<slug>/postbacks/<public("pba"):address_id>')
@access.partner
def postback(address_id: UUID) -> str:
    """One address: what it is told of, the last calls with their answers."""
    address = _address(address_id)
    secret = delivering.shown_secret(address, secret_key=settings().secret_key)
    may_see = address.is_signed and g.member_role in PROMOTES
    calls = [_call(each) for each in queries.log(orm.session, address_id=address.id)]
    return show("postback.html", address=_line(address), secret=secret if may_see else None, calls=calls)


@blueprint.get('/<slug>/postbacks/<public("pba"):address_id>/change')
@access.partner_with(PROMOTES)
def edit_postback(address_id: UUID) -> str:
    """The form with what is kept."""
    address = _address(address_id)
    events = [PostbackEvent(each) for each in address.events]
    return _form_page(_form(data={"url": address.url, "events": events, "is_signed": address.is_signed}), address)


@blueprint.post('/<slug>/postbacks/<public("pba"):address_id>/change')
@access.partner
def change_postback(address_id: UUID) -> ResponseReturnValue:
    """Keep what was changed; a refused form comes back with what was typed."""
    address, form = _address(address_id), _form()
    if not form.validate():
        return _form_page(form, address), 422
    try:
        service.change(orm.session, address=address, **_typed(form), actor=access.actor(), now=request_now())
    except Invalid as refusal:
        return _refused(form, refusal, address), 422
    flash(_("Saved."), "success")
    return redirect(url_for("portal.postback", address_id=address.id), 303)


@blueprint.post('/<slug>/postbacks/<public("pba"):address_id>/<any(on, off, test, remove, secret):act>')
@access.partner
def act_on_postback(address_id: UUID, act: str) -> ResponseReturnValue:
    """Switch an address on or off, call it once for a test, forget it, or give it another secret."""
    address = _address(address_id)
    facts: dict[str, Any] = {"actor": access.actor(), "now": request_now()}
    if act == "on":
        service.switch_on(orm.session, address=address, **facts)
        said = _("Switched on. It is told of what happens from now on.")
    elif act == "off":
        service.switch_off(orm.session, address=address, **facts)
        said = _("Switched off.")
    elif act == "secret":
        service.renew_secret(orm.session, address=address, expected_version=address.secret_version, **facts)
        said = _("There is a new secret. The old one counts no more.")
    elif act == "test":
        service.test(orm.session, address=address, now=request_now())
        said = _("A test is on its way. Its answer appears below within seconds; load the page again.")
    else:
        service.remove(orm.session, address=address, **facts)
        flash(_("The address and its log are removed."), "success")
        return redirect(url_for("portal.postbacks"), 303)
    flash(said, "success")
    return redirect(url_for("portal.postback", address_id=address_id), 303)


@blueprint.post('/<slug>/postbacks/<public("pba"):address_id>/calls/<public("pbd"):delivery_id>')
@access.partner
def retry_postback(address_id: UUID, delivery_id: UUID) -> ResponseReturnValue:
    """Try a call again that was given up."""
    facts: dict[str, Any] = {"delivery_id": delivery_id, "actor": access.actor(), "now": request_now()}
    service.retry(orm.session, address=_address(address_id), **facts)
    flash(_("It is tried again now."), "success")
    return redirect(url_for("portal.postback", address_id=address_id), 303)


def _address(address_id: UUID) -> PostbackAddress:
    found = queries.address_of(orm.session, address_id=address_id, program_id=g.program.id, partner_id=g.partner.id)
    if found is None:
        raise service.NoSuchAddress
    return found


def _form(**known: Any) -> PostbackForm:
    form = PostbackForm(**known)
    form.events.choices = [(each.value, postback_words.event(each)) for each in service.CHOICES]
    return form


def _typed(form: PostbackForm) -> dict[str, Any]:
    plain = settings().env == "test"
    return {"url": form.url.data, "events": form.events.data, "is_signed": form.is_signed.data, "plain": plain}


def _refused(form: PostbackForm, refusal: Invalid, address: PostbackAddress | None) -> str:
    if isinstance(refusal, service.BadAddress):
        form.url.errors = [_(service.sentence(refusal.refused), words=refusal.refused.words)]
    else:
        form.events.errors = [_(each) for each in refusal.errors.get("events", ())]
    return _form_page(form, address)


def _form_page(form: PostbackForm, address: PostbackAddress | None) -> str:
    back_url = url_for("portal.postback", address_id=address.id) if address else url_for("portal.postbacks")
    names = postback_words.explained()
    return show("postback_form.html", form=form, is_new=address is None, back_url=back_url, macros=names)


def _line(address: PostbackAddress) -> dict[str, Any]:
    return {
        "url": url_for("portal.postback", address_id=address.id),
        "address": address.url,
        "sign": postback_words.sign(address),
        "is_on": address.switched_off_at is None,
        "off_since": address.switched_off_at,
        "events": ", ".join(postback_words.event(PostbackEvent(each)) for each in address.events),
        "is_signed": address.is_signed,
    }


def _call(delivery: PostbackDelivery) -> dict[str, Any]:
    done = delivery.status is not DeliveryStatus.WAITING
    path: dict[str, Any] = {"address_id": delivery.address_id, "delivery_id": delivery.id}
    return {
        "at": delivery.created_at,
        "event": postback_words.event(delivery.event),
        "url": delivery.url,
        "sign": postback_words.delivery(delivery.status),
        "attempts": delivery.attempts,
        "next_at": None if done else delivery.send_after,
        "code": delivery.answer_code,
        "answer": delivery.answer or formats.call_problem(delivery.error),
        "retry_url": url_for("portal.retry_postback", **path) if delivery.status is DeliveryStatus.GIVEN_UP else None,
    }
