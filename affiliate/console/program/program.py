"""Pages of the program itself: settings, and going live."""

from typing import Any

from flask import g, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import formats
from affiliate.accounts import access
from affiliate.console import roles, words
from affiliate.console.blueprint import acted, blueprint, manages_all, show
from affiliate.console.forms import SettingsForm
from affiliate.console.program import setting_effects
from affiliate.console.program.changes import last_changes
from affiliate.console.queries import work
from affiliate.programs import labels, rules, service
from affiliate.programs import queries as program_queries
from affiliate.programs.models import Program
from affiliate.web import orm, request_now

USUAL = "usual"
Answer = str | tuple[str, int] | BaseResponse


@blueprint.get("/<slug>/settings")
@access.console(*roles.SETTINGS)
def settings() -> str:
    """The program's texts, hosts, windows and minimum, and whether it is live; with the usual labels written in, if asked."""
    form = SettingsForm.of(g.program)
    if request.args.get("labels") == USUAL and not g.program.landing_labels:
        form.landing_labels.data = "\n".join(labels.USUAL)
    return _settings_page(form)


@blueprint.post("/<slug>/settings")
@access.console("manager")
def save_settings() -> Answer:
    """Store what changed."""
    form = SettingsForm.of(g.program)
    if not form.validate_on_submit():
        return _settings_page(form), 422
    return acted(url_for("console.settings"), lambda: _save(form))


@blueprint.post("/<slug>/settings/preview")
@access.console("manager")
def preview_settings() -> Answer:
    """What the settings as typed would change, from when, and with what effect on the last days. Nothing is stored."""
    form = SettingsForm.of(g.program)
    if not form.validate_on_submit():
        return _settings_page(form), 422
    return _settings_page(form, changes=setting_effects.changes(g.program, form.changes()))


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


def _settings_page(form: SettingsForm, *, changes: list[dict[str, Any]] | None = None) -> str:
    program: Program = g.program
    accent = form.accent.data or ""
    return show(
        "program/settings.html",
        form=form,
        sign=words.standing(program),
        setup=setup_steps(program),
        facts=_facts(program),
        may_clone=manages_all(),
        usual_url=url_for("console.settings", labels=USUAL, _anchor="s5"),
        changes=changes,
        trail=last_changes(),
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
        {"done": has_plan, "name": _("A commission plan that says what you pay"), "url": url_for("console.plans_list")},
    ]


def _facts(program: Program) -> list[dict[str, str]]:
    """What cannot be changed, and why it is said: it stands in addresses and books."""
    return [
        {"name": _("Name in addresses"), "value": program.slug},
        {"name": _("Currency"), "value": program.currency},
        {"name": _("Policy version"), "value": formats.number(program.policy_version)},
    ]
