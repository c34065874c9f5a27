"""How a partner is paid: what it has entered, masked, and the form that changes it after the password."""

from typing import Any

from flask import flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf import FlaskForm
from wtforms import SelectField, StringField
from wtforms.validators import Length

from affiliate.accounts import access
from affiliate.accounts.roles import OWNER, SEES_MONEY
from affiliate.currencies import queries as currencies
from affiliate.errors import Conflict, Forbidden, Invalid
from affiliate.payouts import details, queries
from affiliate.payouts.methods import MethodKind
from affiliate.payouts.vault import vault_of
from affiliate.portal.blueprint import blueprint, settings, show
from affiliate.reports import words
from affiliate.web import orm, request_now

_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class MethodForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """Where the money goes. What is entered is never shown again, so a form that was refused comes back empty where it matters."""

    kind = SelectField(_l("By"), coerce=MethodKind)
    holder = StringField(
        _l("Name of the holder"), validators=[Length(max=200)], description=_l("For a bank account or Wise.")
    )
    account = StringField(
        _l("IBAN or account number"),
        validators=[Length(max=80)],
        render_kw=_PLAIN,
        description=_l("For a bank account."),
    )
    routing = StringField(
        _l("Routing number"),
        validators=[Length(max=20)],
        render_kw=_PLAIN,
        description=_l("For accounts in the United States alone."),
    )
    email = StringField(_l("E-mail address there"), validators=[Length(max=255)], description=_l("For PayPal or Wise."))
    currency = SelectField(
        _l("Currency of the account"),
        description=_l("What you earned is turned by the European Central Bank's rate when a payout is proposed."),
    )
    note = StringField(
        _l("In another way"), validators=[Length(max=400)], description=_l("Agree on it with the program first.")
    )


@blueprint.get("/<slug>/payouts/details")
@access.partner_with(SEES_MONEY)
def payment_details() -> str:
    """What is entered, masked, and when it counts."""
    method = queries.current_method(orm.session, partner_id=g.partner.id)
    block = queries.open_block(orm.session, program_id=g.program.id, partner_id=g.partner.id)
    shown: dict[str, Any] | None = None
    if method is not None:
        waits = method.usable_from > request_now()
        shown = {"kind": words.payment_method(method.kind), "masked": method.masked, "since": method.created_at}
        shown["waits_until"] = method.usable_from if waits else None
        shown["currency"] = method.currency
    is_owner = queries.is_owner(orm.session, user_id=current_user.id, partner_id=g.partner.id)
    return show("payment_details.html", method=shown, is_blocked=block is not None, is_owner=is_owner)


@blueprint.get("/<slug>/payouts/details/change")
@access.fresh(access.partner_with(OWNER))
def change_payment_details() -> str:
    """The form."""
    return _form_page(_form())


@blueprint.post("/<slug>/payouts/details/change")
@access.fresh(access.partner_with(OWNER))
def enter_payment_details() -> ResponseReturnValue:
    """Pay there from now on, or after the pause."""
    form = _form()
    if not form.validate():
        return _form_page(form), 422
    typed = {name: request.form.get(name, "") for name in ("holder", "account", "routing", "email", "note")}
    try:
        details.enter_method(
            orm.session, program=g.program, partner_id=g.partner.id, kind=form.kind.data, typed=typed,
            vault=vault_of(settings()), actor=access.actor(), now=request_now(), currency=form.currency.data,
        )  # fmt: skip
    except Invalid as refusal:
        for name, sentences in refusal.errors.items():
            form[name].errors = [_(sentence) for sentence in sentences]
        return _form_page(form), 422
    except (Conflict, Forbidden) as refusal:
        orm.session.rollback()
        form.form_errors.append(_(str(refusal)))
        return _form_page(form), 409
    flash(_("Saved."), "success")
    return redirect(url_for("portal.payment_details"), 303)


def _form() -> MethodForm:
    """The currency is kept as it is shown: the account belongs to the partner, whose other programs may pay in others."""
    form = MethodForm(currency=g.program.currency)
    form.kind.choices = [(each.value, words.payment_method(each)) for each in MethodKind]
    others = [each for each in currencies.listed(orm.session) if each != g.program.currency]
    form.currency.choices = [(each, each) for each in (g.program.currency, *others)]
    return form


def _form_page(form: MethodForm) -> str:
    first = queries.current_method(orm.session, partner_id=g.partner.id) is None
    return show("change_payment_details.html", form=form, is_first=first)
