"""What the program's papers are made of: the buyer's data, what is asked of partners, and the dated tax rules."""

from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, g, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.wrappers.response import Response as BaseResponse
from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from affiliate import amounts
from affiliate.accounts import access
from affiliate.console.blueprint import acted, blueprint, show
from affiliate.console.forms import say, say_all
from affiliate.console.payouts import paper_sheets, policy_effects, rule_effects
from affiliate.console.program.changes import last_changes
from affiliate.errors import Conflict, Invalid
from affiliate.fields import DayField
from affiliate.taxes import queries, service, words
from affiliate.taxes.examples import EXAMPLES
from affiliate.taxes.service import Identity
from affiliate.web import orm, request_now

N_ = str  # marks a sentence for the translators
_NEEDED = _l("This is needed.")
_PLAIN = {"autocomplete": "off", "spellcheck": "false"}
_IDENTITY = ("legal_name", "address", "country", "vat_id", "tax_number")


class BuyerForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """Who buys, as the papers say it, and what is asked of partners."""

    legal_name = StringField(_l("Company name"), validators=[InputRequired(_NEEDED), Length(max=200)])
    address = TextAreaField(_l("Address"), validators=[InputRequired(_NEEDED), Length(max=500)])
    country = SelectField(_l("Country"))
    vat_id = StringField(_l("VAT number"), validators=[Length(max=40)], render_kw=_PLAIN)
    tax_number = StringField(_l("Tax number"), validators=[Length(max=40)], render_kw=_PLAIN)
    text = StringField(
        _l("What is bought"),
        validators=[Length(max=200)],
        description=_l("Stands on each paper after “Commissions:”. Empty: the name of the program."),
    )
    demands_profile = BooleanField(
        _l("Pay nobody without a tax profile"), description=_l("Partners without one are left out of runs until then.")
    )
    offers_self_billing = BooleanField(
        _l("Write invoices for partners who agree to it"),
        description=_l("Self-billing: numbered without gaps, as PDF, in the partner's language."),
    )


class RuleForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """A tax rule from a day on."""

    code = StringField(
        _l("Short name"), validators=[InputRequired(_NEEDED), Length(max=40)], render_kw=_PLAIN,
        description=_l("The same short name again is the next version of that rule."),
    )  # fmt: skip
    name = StringField(_l("Name that partners read"), validators=[InputRequired(_NEEDED), Length(max=120)])
    country = SelectField(_l("Country"))
    valid_from = DayField(_l("Holds from"), validators=[InputRequired(_NEEDED)])
    base_share = StringField(_l("Share of the commissions on which tax is withheld, %"), default="0")
    rate = StringField(_l("Rate of the tax withheld, %"), default="0")
    vat = StringField(_l("VAT within the country, %"), default="0")
    stamp = StringField(_l("Stamp duty"), default="0")
    stamp_above = StringField(_l("Stamp duty above"), default="0")
    note = TextAreaField(_l("Sentence on the paper"), validators=[Length(max=300)])


@blueprint.get("/<slug>/papers/buyer")
@access.fresh(access.console("manager", "finance"))
def tax_settings() -> str:
    """The form."""
    present = queries.settings_of(orm.session, program_id=g.program.id)
    return _buyer_page(_buyer_form(obj=present))


@blueprint.post("/<slug>/papers/buyer")
@access.fresh(access.console("manager", "finance"))
def save_tax_settings() -> ResponseReturnValue:
    """The papers of payouts that are proposed from now on say this."""
    form = _buyer_form()
    if not form.validate():
        return _buyer_page(form), 422
    try:
        service.set_buyer(
            orm.session, program_id=g.program.id, buyer=Identity(*(form[name].data or "" for name in _IDENTITY)),
            text=(form.text.data or "").strip(), demands_profile=form.demands_profile.data,
            offers_self_billing=form.offers_self_billing.data, actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except Invalid as refusal:
        orm.session.rollback()
        say_all(form, refusal.errors)
        return _buyer_page(form), 422
    flash(_("Saved."), "success")
    return redirect(url_for("console.papers"), 303)


@blueprint.post("/<slug>/papers/buyer/preview")
@access.fresh(access.console("manager", "finance"))
def preview_tax_settings() -> ResponseReturnValue:
    """What the buyer's data as typed would change, from when, and whom it would touch now. Nothing is stored."""
    form = _buyer_form()
    if not form.validate():
        return _buyer_page(form), 422
    after: dict[str, Any] = {name: (form[name].data or "").strip() for name in (*_IDENTITY, "text")}
    after |= {name: form[name].data for name in ("demands_profile", "offers_self_billing")}
    before = queries.settings_of(orm.session, program_id=g.program.id)
    return _buyer_page(form, changes=policy_effects.of_buyer(before, after))


@blueprint.get("/<slug>/papers/rules")
@access.console("manager", "finance")
def tax_rules() -> str:
    """The rules with their versions, and the form of another one."""
    return _rules_page(_rule_form())


@blueprint.post("/<slug>/papers/rules")
@access.fresh(access.console("manager", "finance"))
def add_tax_rule() -> ResponseReturnValue:
    """Another rule, or the next version of one."""
    form = _rule_form()
    facts = _facts(form) if form.validate() else None
    if facts is None:
        return _rules_page(form), 422
    try:
        service.add_rule(
            orm.session, program_id=g.program.id, facts=facts, actor=access.actor(), now=request_now()
        )  # fmt: skip
    except (Conflict, Invalid) as refusal:
        orm.session.rollback()
        return _refused_rule(form, refusal)
    flash(_("Saved."), "success")
    return redirect(url_for("console.tax_rules"), 303)


@blueprint.post("/<slug>/papers/rules/preview")
@access.fresh(access.console("manager", "finance"))
def preview_tax_rule() -> ResponseReturnValue:
    """What the rule as typed would change, from when, and what it would say of what is owed now. Nothing is stored."""
    form = _rule_form()
    facts = _facts(form) if form.validate() else None
    if facts is None:
        return _rules_page(form), 422
    try:
        service.check_rule(facts=facts)
    except Invalid as refusal:
        return _refused_rule(form, refusal)
    stored = queries.rules_of(orm.session, program_id=g.program.id)
    versions = [one for one in stored if one.code == facts["code"]]
    versions.sort(key=lambda one: one.valid_from, reverse=True)  # each may have a name of its own
    if any(one.valid_from == facts["valid_from"] for one in versions):
        return _refused_rule(form, service.ChangedMeanwhile(service.DAY_TAKEN))
    return _rules_page(form, changes=rule_effects.of_rule(facts, versions=versions, today=_today()))


def _refused_rule(form: RuleForm, refusal: Conflict | Invalid) -> ResponseReturnValue:
    """The form with what is wrong, at its field where it has one."""
    if isinstance(refusal, Conflict):
        form.form_errors.append(_(str(refusal)))
        return _rules_page(form), 409
    say_all(form, refusal.errors, {"base_share_bps": "base_share", "rate_bps": "rate", "vat_bps": "vat"})
    return _rules_page(form), 422


def _today() -> date:
    return request_now().astimezone(ZoneInfo(g.program.time_zone)).date()


@blueprint.post("/<slug>/papers/rules/examples")
@access.console("manager", "finance")
def take_tax_examples() -> BaseResponse:
    """Take the shipped examples over; each is to be confirmed by an accountant."""

    def act() -> str:
        service.take_examples(orm.session, program=g.program, actor=access.actor(), today=_today(), now=request_now())
        return str(_("Examples taken over. Have your accountant confirm them."))

    return acted(url_for("console.tax_rules"), act)


@blueprint.post('/<slug>/papers/rules/<public("txr"):rule_id>/confirm')
@access.fresh(access.console("manager", "finance"))
def confirm_tax_rule(rule_id: UUID) -> BaseResponse:
    """An accountant has seen it."""

    def act() -> str:
        service.confirm_rule(
            orm.session, program_id=g.program.id, rule_id=rule_id, actor=access.actor(), now=request_now()
        )
        return str(_("Confirmed."))

    return acted(url_for("console.tax_rules"), act)


def _buyer_page(form: BuyerForm, *, changes: list[policy_effects.Line] | None = None) -> str:
    trail = last_changes("program.tax_settings")
    return show("payouts/tax_settings.html", form=form, changes=changes, trail=trail)


def _rules_page(form: RuleForm, *, changes: list[policy_effects.Line] | None = None) -> str:
    found = queries.rules_of(orm.session, program_id=g.program.id)
    left = {each.code for each in EXAMPLES} - {each.code for each in found}
    return show(
        "payouts/tax_rules.html", form=form, rules=[paper_sheets.rule(each) for each in found], has_examples=bool(left),
        changes=changes, trail=last_changes("program.tax_rule", "program.confirm_tax_rule", "program.tax_examples"),
    )  # fmt: skip


def _buyer_form(**values: Any) -> BuyerForm:
    form = BuyerForm(**values)
    form.country.choices = _countries()
    return form


def _rule_form() -> RuleForm:
    form = RuleForm()
    form.country.choices = _countries()
    return form


def _countries() -> list[SelectChoice]:
    return [SelectChoice(*each) for each in (("", _("Choose…")), *words.countries())]


def _facts(form: RuleForm) -> dict[str, Any] | None:
    """The rule's columns, or nothing when a number cannot be read."""
    facts: dict[str, Any] = {name: (form[name].data or "").strip() for name in ("code", "name", "country", "note")}
    facts["valid_from"] = form.valid_from.data
    for name in ("base_share", "rate", "vat"):
        _put(facts, f"{name}_bps", form[name], amounts.read_percent)
    for name in ("stamp", "stamp_above"):
        _put(facts, f"{name}_minor", form[name], lambda text: amounts.read(text, g.program.currency).amount_minor)
    if not form.errors and min(facts["stamp_minor"], facts["stamp_above_minor"]) < 0:
        say(form.stamp, N_("Write an amount of zero or more."))
    return None if form.errors else facts


def _put(facts: dict[str, Any], name: str, field: Any, read: Any) -> None:
    try:
        facts[name] = read(field.data or "0")
    except amounts.BadNumber as wrong:
        say(field, str(wrong))
