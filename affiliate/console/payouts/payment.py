"""How a program pays, and how one partner is paid: policy, account, block, statement."""

from typing import Any
from uuid import UUID

from flask import flash, g, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.wrappers.response import Response as BaseResponse
from wtforms import BooleanField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from affiliate import amounts, ids
from affiliate.accounts import access
from affiliate.console import roles, words
from affiliate.console.blueprint import acted, blueprint, can, given_reason, show
from affiliate.console.forms import say_all
from affiliate.console.payouts import policy_effects
from affiliate.console.payouts.payout_steps import vault
from affiliate.console.program.changes import last_changes
from affiliate.errors import Invalid
from affiliate.money import Money
from affiliate.partners import queries as partner_queries
from affiliate.payouts import details, queries, wise
from affiliate.payouts.schedule import Cadence
from affiliate.web import orm, request_now


class PolicyForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """How the program pays from now on."""

    cadence = SelectField(_l("When runs are due"), coerce=Cadence)
    net_days = IntegerField(
        _l("Days to wait after the approval of a commission"),
        validators=[InputRequired(_l("Write a number of days from 0 to 120."))],
    )
    is_one_person = BooleanField(
        _l("One person may propose and approve"),
        description=_l("For a company of one. Every page of payouts says so, and so does each run."),
    )
    adjustment_limit = StringField(
        _l("Bonuses and corrections that need no second person, up to"),
        description=_l("For one partner in 30 days together. Zero: each needs a second person."),
    )
    payer_name = StringField(_l("Holder of the account that pays"), validators=[Length(max=70)])
    payer_account = StringField(
        _l("IBAN of the account that pays"),
        description=_l("Left empty, the present one stays. It is kept encrypted."),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    wise_template = TextAreaField(
        _l("Columns of your Wise template"),
        description=_l(
            "Copy the first line of the template that you download from Wise. Or write one column a line, with what stands"
            " in it: receiverType = PERSON, or Note = {reference}. Empty: the usual columns."
        ),
        render_kw={"spellcheck": "false"},
    )


@blueprint.get("/<slug>/payouts/policy")
@access.fresh(access.console(*roles.SETTINGS))
def payout_policy() -> str:
    """The form; for who may not send it without the account that pays."""
    policy = queries.policy_of(orm.session, program_id=g.program.id)
    names = ("cadence", "net_days", "is_one_person", "payer_name", "wise_template")
    limit = Money(policy.adjustment_limit_minor, g.program.currency).text()
    return _form_page(_form(data={name: getattr(policy, name) for name in names} | {"adjustment_limit": limit}))


@blueprint.post("/<slug>/payouts/policy")
@access.fresh(access.console("manager"))
def set_payout_policy() -> ResponseReturnValue:
    """Pay like this from now on."""
    form = _form()
    if not form.validate():
        return _form_page(form), 422
    unkept = {"csrf_token", "adjustment_limit", "wise_template"}
    facts: dict[str, Any] = {field.name: field.data for field in form if field.name not in unkept}
    facts |= {name: (facts[name] or "").strip() for name in ("payer_name", "payer_account")}
    try:
        details.set_policy(
            orm.session,
            adjustment_limit=_limit(form),
            wise_template=_wise_template(form),
            program_id=g.program.id,
            vault=vault(),
            actor=access.actor(),
            now=request_now(),
            **facts,
        )
    except (Invalid, amounts.BadNumber, wise.BadTemplate) as refusal:
        orm.session.rollback()
        _say(form, refusal)
        return _form_page(form), 422
    flash(_("Saved."), "success")
    return redirect(url_for("console.payouts"), 303)


@blueprint.post("/<slug>/payouts/policy/preview")
@access.fresh(access.console("manager"))
def preview_payout_policy() -> ResponseReturnValue:
    """What the policy as typed would change, from when, and whom it would touch now. Nothing is stored."""
    form = _form()
    if not form.validate():
        return _form_page(form), 422
    before = queries.policy_of(orm.session, program_id=g.program.id)
    try:
        limit, template = _limit(form), _wise_template(form)
    except (amounts.BadNumber, wise.BadTemplate) as refusal:
        _say(form, refusal)
        return _form_page(form), 422
    after = {
        "cadence": form.cadence.data, "net_days": form.net_days.data, "is_one_person": form.is_one_person.data,
        "adjustment_limit_minor": before.adjustment_limit_minor if limit is None else limit.amount_minor,
        "payer_name": (form.payer_name.data or "").strip(), "wise_template": template and template.text,
    }  # fmt: skip
    changes = policy_effects.of_policy(before, after, has_account=bool((form.payer_account.data or "").strip()))
    return _form_page(form, changes=changes)


def _limit(form: PolicyForm) -> Money | None:
    """What was typed; a form without the field changes nothing."""
    return amounts.read(form.adjustment_limit.data, g.program.currency) if form.adjustment_limit.data else None


def _wise_template(form: PolicyForm) -> wise.Template | None:
    text = (form.wise_template.data or "").strip()
    return wise.read(text) if text else None


def _say(form: PolicyForm, refusal: Invalid | amounts.BadNumber | wise.BadTemplate) -> None:
    if isinstance(refusal, wise.BadTemplate):
        form.wise_template.errors = [_(refusal.sentence, **refusal.values)]
    else:
        say_all(form, refusal.errors if isinstance(refusal, Invalid) else {"adjustment_limit": [str(refusal)]})


def _form(**values: Any) -> PolicyForm:
    form = PolicyForm(**values)
    form.cadence.choices = [(each.value, words.cadence(each)) for each in Cadence]
    return form


def _form_page(form: PolicyForm, *, changes: list[dict[str, Any]] | None = None) -> str:
    trail = last_changes("program.payout_policy")
    may_write = can("set_payout_policy", "POST")
    return show("payouts/payout_policy.html", form=form, changes=changes, trail=trail, may_write=may_write)


@blueprint.get('/<slug>/payouts/partners/<public("ptn"):partner_id>')
@access.console("manager", "finance")
def payment(partner_id: UUID) -> str:
    """Where a partner's money goes, as far as it may be shown, and whether it is paid for now."""
    name = _name(partner_id)
    method = queries.current_method(orm.session, partner_id=partner_id)
    block = queries.open_block(orm.session, program_id=g.program.id, partner_id=partner_id)
    waits = method is not None and method.usable_from > request_now()
    shown = None if method is None else {
        "way": f"{words.payment_method(method.kind)} {method.masked}",
        "since": method.created_at,
        "waits_until": method.usable_from if waits else None,
    }  # fmt: skip
    return show(
        "payouts/payment.html",
        name=name,
        partner_url=url_for("console.partner", partner_id=partner_id),
        taxes_url=url_for("console.partner_taxes", partner_id=partner_id),
        entries_url=url_for("console.partner_entries", partner_id=partner_id),
        ledger_url=url_for("console.ledger", partner=_public(partner_id)),
        method=shown,
        block=None if block is None else {"reason": block.reason, "at": block.blocked_at},
        urls={
            what: url_for("console.set_payment_block", partner_id=partner_id, what=what) for what in ("block", "lift")
        },
    )


@blueprint.post('/<slug>/payouts/partners/<public("ptn"):partner_id>/<any(block, lift):what>')
@access.console("manager", "finance")
def set_payment_block(partner_id: UUID, what: str) -> BaseResponse:
    """Stop paying a partner with a reason, or pay it again."""
    name = _name(partner_id)
    facts: dict[str, Any] = {
        "program_id": g.program.id,
        "partner_id": partner_id,
        "actor": access.actor(),
        "now": request_now(),
    }

    def act() -> str:
        if what == "block":
            details.block(orm.session, reason=given_reason(), **facts)
            return str(_("%(name)s is not paid until you lift the block.", name=name))
        details.lift_block(orm.session, **facts)
        return str(_("%(name)s is paid again.", name=name))

    return acted(url_for("console.payment", partner_id=partner_id), act)


def _name(partner_id: UUID) -> str:
    """The partner's name; one of another program is not here."""
    if partner_queries.enrollment_of(orm.session, program_id=g.program.id, partner_id=partner_id) is None:
        raise access.NotHere
    return partner_queries.partner_names(orm.session, partner_ids=[partner_id])[partner_id]


def _public(partner_id: UUID) -> str:
    return ids.public("ptn", partner_id)
