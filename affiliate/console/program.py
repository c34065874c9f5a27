"""Pages of the program itself: settings, going live, commission plans."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, g, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import formats
from affiliate.accounts import access
from affiliate.commissions import service as commissions
from affiliate.console import presenters, words
from affiliate.console.blueprint import acted, blueprint, show
from affiliate.console.forms import PlanForm, SettingsForm, say_all
from affiliate.console.queries import money as queries
from affiliate.console.queries import work
from affiliate.errors import Conflict, Invalid
from affiliate.money import Money
from affiliate.programs import queries as program_queries
from affiliate.programs import rules, service
from affiliate.programs.models import Program
from affiliate.web import orm, request_now

_PLAN_NAMES = {"rate_bps": "rate", "fixed_minor": "fixed", "effective_from": "starts_on"}
Answer = str | tuple[str, int] | BaseResponse


@blueprint.get("/<slug>/settings")
@access.console("manager")
def settings() -> str:
    """The program's texts, hosts, windows and minimum, and whether it is live."""
    return _settings_page(SettingsForm.of(g.program))


@blueprint.post("/<slug>/settings")
@access.console("manager")
def save_settings() -> Answer:
    """Store what changed."""
    form = SettingsForm.of(g.program)
    if not form.validate_on_submit():
        return _settings_page(form), 422
    return acted(url_for("console.settings"), lambda: _save(form))


def _save(form: SettingsForm) -> str:
    service.update_settings(
        orm.session, program_id=g.program.id, changes=form.changes(),
        actor=access.actor(), now=request_now(), expected_at=form.seen(),
    )  # fmt: skip
    return str(_("Settings saved."))


@blueprint.post("/<slug>/settings/<any(live, pause):act>")
@access.console("manager")
def move_program(act: str) -> BaseResponse:
    """Let the program count clicks, or stop it."""
    return acted(url_for("console.settings"), _MOVES[act])


def _go_live() -> str:
    service.go_live(orm.session, program_id=g.program.id, actor=access.actor(), now=request_now())
    return str(_("%(name)s is live: clicks count from now on.", name=g.program.name))


def _pause() -> str:
    service.pause(orm.session, program_id=g.program.id, actor=access.actor(), now=request_now())
    return str(_("%(name)s is paused: links still lead to the shop, new clicks do not count.", name=g.program.name))


_MOVES = {"live": _go_live, "pause": _pause}


@blueprint.get("/<slug>/plans")
@access.console("manager")
def plans() -> str:
    """What the program pays, from which day."""
    return _plans_page(PlanForm(data={"kind": "percent", "starts_on": _tomorrow()}))


@blueprint.post("/<slug>/plans")
@access.console("manager")
def add_plan() -> Answer:
    """A new plan from a day on."""
    form = PlanForm()
    terms = form.terms(currency=g.program.currency, zone=g.program.time_zone) if form.validate_on_submit() else None
    if terms is None:
        return _plans_page(form), 422
    try:
        plan = commissions.create_plan(
            orm.session, program_id=g.program.id, **terms, actor=access.actor(), now=request_now()
        )
    except Invalid as refusal:
        say_all(form, refusal.errors, _PLAN_NAMES)
        return _plans_page(form), 422
    except Conflict as refusal:
        say_all(form, {"starts_on": [str(refusal)]})
        return _plans_page(form), 422
    flash(_("“%(name)s” counts for orders from %(day)s on.", name=plan.name, day=formats.day(form.starts_on.data)))
    return redirect(url_for("console.plans"), 303)


def _tomorrow() -> Any:
    return request_now().astimezone(ZoneInfo(g.program.time_zone)).date() + timedelta(days=1)


def _settings_page(form: SettingsForm) -> str:
    program: Program = g.program
    accent = form.accent.data or ""
    return show(
        "settings.html",
        form=form,
        sign=words.program(program.status),
        setup=setup_steps(program),
        facts=_facts(program),
        suggestion=rules.readable_accent(accent.lower())
        if form.accent.errors and rules.is_colour(accent.lower())
        else None,
    )


def setup_steps(program: Program) -> list[dict[str, Any]]:
    """What a program needs before it goes live, each with its place and whether it is there."""
    has_goal = program_queries.has_goal(orm.session, program_id=program.id)
    has_plan = work.has_plan(orm.session, program_id=program.id)
    return [
        {"done": has_goal, "name": _("A goal that says what you want to reach"), "url": url_for("console.goals")},
        {"done": has_plan, "name": _("A commission plan that says what you pay"), "url": url_for("console.plans")},
    ]


def _facts(program: Program) -> list[dict[str, str]]:
    """What cannot be changed, and why it is said: it stands in addresses and books."""
    return [
        {"name": _("Name in addresses"), "value": program.slug},
        {"name": _("Currency"), "value": program.currency},
        {"name": _("Policy version"), "value": formats.number(program.policy_version)},
    ]


def _plans_page(form: PlanForm) -> str:
    now = request_now()
    found = queries.plans(orm.session, program_id=g.program.id)
    in_force = next((plan.id for plan in found if plan.effective_from <= now), None)
    rows = [
        {
            "name": plan.name,
            "pays": _pays(plan),
            "from": plan.effective_from,
            "sign": _plan_sign(is_now=plan.id == in_force, is_later=plan.effective_from > now),
        }
        for plan in found
    ]
    return show("plans.html", form=form, rows=rows, currency=g.program.currency)


def _pays(plan: Any) -> str:
    """What a plan pays, as a sentence."""
    if plan.rate_bps is not None:
        return str(_("%(rate)s of the sale", rate=formats.percent_bps(plan.rate_bps)))
    return str(_("%(amount)s for each sale", amount=presenters.text(Money(plan.fixed_minor, g.program.currency))))


def _plan_sign(*, is_now: bool, is_later: bool) -> words.Sign:
    if is_now:
        return words.Sign("good", _("In force"))
    return words.Sign("acc", _("To come"), "clock") if is_later else words.Sign("", _("Past"), "history")
