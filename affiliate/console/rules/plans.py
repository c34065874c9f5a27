"""Pages of commission plans: the list, the editor of a draft, publishing, and the examples that a plan must keep."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, g, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse
from wtforms.fields.choices import SelectChoice

from affiliate import formats, ids
from affiliate.accounts import access
from affiliate.commissions import examples, plan_queries, plans, simulating, terms
from affiliate.commissions.models import CommissionPlan
from affiliate.console import roles, words
from affiliate.console.blueprint import acted, blueprint, can, show
from affiliate.console.forms import say_all
from affiliate.console.program.changes import last_changes
from affiliate.console.queries import named
from affiliate.console.rules import plan_forms, plan_shown, simulations
from affiliate.console.rules.plan_forms import ExampleForm, Named, PlanForm, PublishForm
from affiliate.currencies import queries as currencies
from affiliate.errors import Conflict, Invalid
from affiliate.money import Money
from affiliate.reports import plan_words
from affiliate.web import orm, request_now

Answer = str | tuple[str, int] | BaseResponse
_FIELDS = {"expected": "expected", "recruiter_bps": "recruiter", "bonuses": "milestone", "caps": "order_minor"}


@blueprint.get("/<slug>/plans")
@access.console(*roles.SETTINGS)
def plans_list() -> str:
    """What the program pays, from which day, and the examples that hold it to its word."""
    return _list_page(ExampleForm(formdata=None))


@blueprint.get("/<slug>/plans/new")
@access.console("manager")
def new_plan() -> str:
    """An empty draft, or one with the terms of another plan."""
    source = _plan_named(request.args.get("copy"))
    document = source.terms if source else terms.simple(rate_bps=8_00)
    return _editor(_form_of(document, name=""), None)


@blueprint.post("/<slug>/plans/new")
@access.console("manager")
def add_plan() -> Answer:
    """Keep a draft."""
    return _save(None)


@blueprint.get('/<slug>/plans/<public("pln"):plan_id>')
@access.console(*roles.SETTINGS)
def plan(plan_id: UUID) -> str:
    """A draft in its editor; a published plan in sentences, and any plan for who changes none."""
    found = _known(plan_id)
    if found.published_at is not None or not can("change_plan", "POST"):
        return show("rules/plan.html", plan=_told(found), form=None, **_shared(found))
    return _editor(_form_of(found.terms, name=found.name), found)


@blueprint.post('/<slug>/plans/<public("pln"):plan_id>')
@access.console("manager")
def change_plan(plan_id: UUID) -> Answer:
    """Keep what was changed in a draft."""
    return _save(_known(plan_id))


@blueprint.post('/<slug>/plans/<public("pln"):plan_id>/publish')
@access.console("manager")
def publish_plan(plan_id: UUID) -> Answer:
    """Let a draft count from a day on."""
    found, form = _known(plan_id), PublishForm()
    if not form.validate_on_submit():
        return _editor(_form_of(found.terms, name=found.name), found, publish=form), 422
    try:
        plans.publish(
            orm.session, plan_id=plan_id, program_id=g.program.id, effective_from=form.starts_at(g.program.time_zone),
            actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except Invalid as refusal:
        orm.session.rollback()
        say_all(form, refusal.errors, {"effective_from": "starts_on"})
        return _editor(_form_of(found.terms, name=found.name), found, publish=form), 422
    except Conflict as refusal:
        orm.session.rollback()
        say_all(form, {"starts_on": [str(refusal)]})
        return _editor(_form_of(found.terms, name=found.name), found, publish=form), 422
    flash(_("“%(name)s” counts for orders from %(day)s on.", name=found.name, day=formats.day(form.starts_on.data)))
    return redirect(url_for("console.plans_list"), 303)


@blueprint.post('/<slug>/plans/<public("pln"):plan_id>/discard')
@access.console("manager")
def discard_plan(plan_id: UUID) -> BaseResponse:
    """Throw a draft away."""

    def act() -> str:
        plans.discard(orm.session, plan_id=plan_id, program_id=g.program.id, actor=access.actor(), now=request_now())
        return str(_("The draft is gone."))

    return acted(url_for("console.plans_list"), act)


@blueprint.post("/<slug>/plans/examples")
@access.console("manager")
def add_example() -> Answer:
    """Promise what an order earns."""
    form = ExampleForm()
    values = form.values(g.program.currency) if form.validate_on_submit() else None
    if values is None:
        return _list_page(form), 422
    try:
        plans.add_example(orm.session, program_id=g.program.id, **values, actor=access.actor(), now=request_now())
    except Invalid as refusal:
        say_all(form, refusal.errors)
        return _list_page(form), 422
    flash(_("Example saved: every plan published from now on must keep it."))
    return redirect(url_for("console.plans_list"), 303)


@blueprint.post('/<slug>/plans/examples/<public("exm"):example_id>/remove')
@access.console("manager")
def remove_example(example_id: UUID) -> BaseResponse:
    """Take a promise back."""

    def act() -> str:
        plans.remove_example(
            orm.session, example_id=example_id, program_id=g.program.id, actor=access.actor(), now=request_now()
        )
        return str(_("The example is gone."))

    return acted(url_for("console.plans_list"), act)


# --- what the pages show


def _save(found: CommissionPlan | None) -> Answer:
    form = _choosing(PlanForm())
    if request.form.get("more"):
        for _number in range(plan_forms.BLANK_RULES):
            form.rules.append_entry()
        return _editor(form, found)
    form.validate()
    currency = form.currency.data or g.program.currency
    document = form.document(currency=currency, named=_named()) if not form.errors else None
    if document is None:
        return _editor(form, found), 422
    try:
        plan_id = _keep(found, form.name.data, document)
    except Invalid as refusal:
        orm.session.rollback()
        _say(form, refusal.errors)
        return _editor(form, found), 422
    except Conflict as refusal:
        orm.session.rollback()
        flash(_(str(refusal)), "error")
        return _editor(form, None), 409  # somebody published it meanwhile: what was typed can become another draft
    flash(_("The draft is kept. Nobody is paid by it yet."))
    return redirect(url_for("console.plan", plan_id=plan_id), 303)


def _keep(found: CommissionPlan | None, name: str, document: Mapping[str, Any]) -> UUID:
    facts: dict[str, Any] = {
        "program_id": g.program.id, "name": name, "terms": document, "actor": access.actor(), "now": request_now(),
    }  # fmt: skip
    if found is None:
        return plans.draft(orm.session, **facts).id
    plans.change_draft(orm.session, plan_id=found.id, **facts)
    return found.id


def _say(form: PlanForm, errors: Mapping[str, list[str]]) -> None:
    """Put each sentence at the field that it is most likely about."""
    fields = {"rules": "rate", "base": "with_tax", **_FIELDS}
    say_all(form, {fields.get(name, name): list(dict.fromkeys(said)) for name, said in errors.items()})


def _editor(form: PlanForm, found: CommissionPlan | None, *, publish: PublishForm | None = None) -> str:
    publishing = publish or PublishForm(formdata=None, data={"starts_on": _tomorrow()})
    return show(
        "rules/plan.html", form=form, publish=publishing, plan=_told(found) if found else None, **_shared(found)
    )


def _shared(found: CommissionPlan | None) -> dict[str, Any]:
    checked = plans.check_examples(orm.session, plan=found, now=request_now()) if found else []
    return {
        "currency": (found.terms.get("currency") if found else None) or g.program.currency,
        "days": simulations.last_days(),
        "tried": [
            {"name": one.plan_name, "at": one.created_at, "url": url_for("console.simulation", simulation_id=one.id)}
            for one in simulating.newest(orm.session, program_id=g.program.id)[:5]
        ],
        "examples": [
            {
                "name": one.name,
                "expected": Money(one.expected_minor, one.currency),
                "paid": Money(one.paid_minor, one.currency),
                "holds": one.holds,
            }
            for one in checked
        ],
    }


def _list_page(form: ExampleForm) -> str:
    now = request_now()
    found = plan_queries.plans(orm.session, program_id=g.program.id)
    in_force = plan_queries.in_force(orm.session, program_id=g.program.id, at=now)
    names = _named().names
    rows = [
        _told(one, names) | {"sign": _sign(one, is_now=in_force is not None and one.id == in_force.id, now=now)}
        for one in found
    ]
    kept = plan_queries.examples(orm.session, program_id=g.program.id)
    pinned = [
        {
            "name": one.name,
            "order": Money(one.order["amount_minor"], currency),
            "expected": Money(one.expected_minor, currency),
            "remove_url": url_for("console.remove_example", example_id=one.id),
        }
        for one in kept
        for currency in [examples.currency_of(one.order, g.program.currency)]
    ]
    trail = last_changes(kind="plan")
    return show("rules/plans.html", rows=rows, pinned=pinned, form=form, currency=g.program.currency, trail=trail)


def _told(found: CommissionPlan, names: Mapping[UUID, str] | None = None) -> dict[str, Any]:
    known = _named().names if names is None else names
    return {
        "id": ids.public("pln", found.id),
        "name": found.name,
        "pays": plan_words.in_a_word(found.terms, g.program.currency),
        "sentences": plan_words.sentences(found.terms, g.program.currency, known),
        "from": found.effective_from,
        "url": url_for("console.plan", plan_id=found.id),
        "copy_url": url_for("console.new_plan", copy=ids.public("pln", found.id)),
        "simulate_url": url_for("console.simulate_plan", plan_id=found.id),
        "publish_url": url_for("console.publish_plan", plan_id=found.id),
        "discard_url": url_for("console.discard_plan", plan_id=found.id),
    }


def _sign(found: CommissionPlan, *, is_now: bool, now: Any) -> words.Sign:
    if found.effective_from is None:
        return words.Sign("wait", _("Draft"), "pencil")
    if is_now:
        return words.Sign("good", _("In force"))
    is_later = found.effective_from > now
    return words.Sign("acc", _("To come"), "clock") if is_later else words.Sign("", _("Past"), "history")


def _form_of(document: Mapping[str, Any], *, name: str) -> PlanForm:
    data = plan_shown.shown(document, name=name, currency=g.program.currency, names=_named().names)
    return _choosing(PlanForm(formdata=None, data=data))


def _choosing(form: PlanForm) -> PlanForm:
    """The form with the currencies that have a rate, the program's own first."""
    own = g.program.currency
    others = [code for code in currencies.listed(orm.session) if code != own]
    chosen = form.currency.data
    if chosen and chosen not in others and chosen != own:
        others.append(chosen)  # a plan keeps the currency that it was written in
    form.currency.choices = [SelectChoice("", own), *(SelectChoice(code, code) for code in others)]
    return form


def _named() -> Named:
    if "plan_names" not in g:
        g.plan_names = Named(named.of_program(orm.session, program_id=g.program.id))
    found: Named = g.plan_names
    return found


def _plan_named(text: str | None) -> CommissionPlan | None:
    try:
        return plan_queries.plan(orm.session, plan_id=ids.parse("pln", text or ""), program_id=g.program.id)
    except ids.BadPublicId:
        return None


def _known(plan_id: UUID) -> CommissionPlan:
    found = plan_queries.plan(orm.session, plan_id=plan_id, program_id=g.program.id)
    if found is None:
        raise access.NotHere
    return found


def _tomorrow() -> Any:
    return request_now().astimezone(ZoneInfo(g.program.time_zone)).date() + timedelta(days=1)
