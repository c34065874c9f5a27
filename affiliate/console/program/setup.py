"""The set-up assistant: from nothing to the first test order, each step saved as one goes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Response, flash, g, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate.accounts import access
from affiliate.accounts import service as accounts
from affiliate.attribution import publishing
from affiliate.attribution import queries as attribution
from affiliate.commissions import plans
from affiliate.console import presenters
from affiliate.console.blueprint import acted, blueprint, settings, show
from affiliate.console.forms import say_all
from affiliate.console.goals.goal_sheets import usual
from affiliate.console.goals.goals import added
from affiliate.console.program import setup_sheets
from affiliate.console.program.setup_forms import CountingForm, NewForm, PayForm, ShopForm, WayForm
from affiliate.console.tracking.tracking import unkept
from affiliate.errors import Conflict, Invalid
from affiliate.links import trying
from affiliate.programs import addresses, service
from affiliate.programs import setup as remembered
from affiliate.programs.models import GoalMetric
from affiliate.tracking import tracker
from affiliate.tracking.keys import stamp
from affiliate.web import orm, request_now

Answer = str | tuple[str, int] | BaseResponse


@blueprint.get("/new-program")
@access.console("manager")
def new_program() -> str:
    """The first step: a program that does not exist yet. For who manages all programs."""
    zone = current_user.time_zone or "Europe/Rome"
    return render_template("console/program/new_program.html", form=NewForm(formdata=None, data={"time_zone": zone}))


@blueprint.post("/new-program")
@access.console("manager")
def make_program() -> Answer:
    """Make it, as a draft, and go on with the next step."""
    form = NewForm()
    if not form.validate():
        return render_template("console/program/new_program.html", form=form), 422
    try:
        made = service.create(
            orm.session, slug=form.wanted_slug(), currency=form.currency.data, **form.values(), actor=access.actor(),
            now=request_now(),
        )  # fmt: skip
    except (Invalid, Conflict) as refusal:
        orm.session.rollback()
        say_all(form, refusal.errors if isinstance(refusal, Invalid) else {"slug": [str(refusal)]})
        return render_template("console/program/new_program.html", form=form), 422
    flash(_("Saved. Nobody sees the program before it goes live."), "success")
    return redirect(url_for("console.setup", slug=made.slug, step="pay"), 303)


@blueprint.get("/<slug>/setup")
@access.console("manager")
def begin_setup() -> BaseResponse:
    """On to the first step that is not done."""
    return redirect(url_for("console.setup", step=setup_sheets.next_step()))


@blueprint.get("/<slug>/setup/<any(shop, pay, counting, goal, connect, test):step>")
@access.console("manager")
def setup(step: str) -> str:
    """One step of the assistant."""
    return _page(step, _FORMS[step]())


@blueprint.post("/<slug>/setup/<any(shop, pay, counting, goal, connect):step>")
@access.console("manager")
def save_step(step: str) -> Answer:
    """Keep what a step asks, and show the next one (the lines to copy stay); what is wrong is said in place."""
    form = _FORMS[step]()
    try:
        if (form is not None and not form.validate_on_submit()) or not _SAVES[step](form):
            return _page(step, form), 422
    except Invalid as refusal:
        orm.session.rollback()
        known = {name: said for name, said in refusal.errors.items() if name in form}
        say_all(form, known or {_FIRST_FIELD[step]: said_of(refusal)})
        return _page(step, form), 422
    except Conflict as refusal:
        orm.session.rollback()
        flash(_(str(refusal)), "error")
        return _page(step, form), 409
    return redirect(url_for("console.setup", step=step if step == "connect" else setup_sheets.after(step)), 303)


@blueprint.post("/<slug>/setup/key")
@access.fresh(access.console("manager"))
def setup_key() -> Response:
    """A key for the shop's server, shown this once inside the call that it is for."""
    _key, secret = accounts.create_api_key(
        orm.session, program_id=g.program.id, name=_("Shop"), scopes=["conversions:write"], actor=access.actor(),
        now=request_now(),
    )  # fmt: skip
    return unkept(_page("connect", WayForm(), secret=secret))


@blueprint.post("/<slug>/setup/link")
@access.console("manager")
def make_test_link() -> BaseResponse:
    """The program's own link, for test clicks."""

    def act() -> str:
        trying.own_link(
            orm.session, program=g.program, name=_("Test of %(name)s", name=g.program.name)[:120],
            actor=access.actor(), now=request_now(),
        )  # fmt: skip
        return str(_("The test link is there."))

    return acted(url_for("console.setup", step="test"), act)


@blueprint.get("/<slug>/setup/visit")
@access.console("manager")
def visit_test_link() -> BaseResponse:
    """To the shop by the test link, with a stamp that makes the click a test."""
    link = setup_sheets.test_link()
    if link is None:
        return redirect(url_for("console.setup", step="test"))
    here = tracker.current()
    here.directory.reload(now=request_now())  # the link may be a moment old
    made = stamp(here.keys.test, program_id=g.program.id, now=request_now())
    return _unkept_redirect(f"{addresses.links(g.program.own_host, settings())}/r/{link.code}?aff_test={made}")


def said_of(refusal: Invalid) -> list[str]:
    """All sentences of a refusal, for a form that has no field for them."""
    return [sentence for said in refusal.errors.values() for sentence in said]


def _unkept_redirect(address: str) -> BaseResponse:
    answer = make_response(redirect(address))
    answer.headers["Cache-Control"] = "no-store"  # a stamp is good for minutes
    return answer


def _save_shop(form: ShopForm) -> bool:
    service.update_settings(
        orm.session, program_id=g.program.id, changes=form.values(), actor=access.actor(), now=request_now()
    )
    return True


def _save_pay(form: PayForm) -> bool:
    """A plan from now on; the same as the one in force is not made again."""
    document = form.document(g.program.currency)
    in_force = setup_sheets.plan_in_force()
    if document is None or (in_force is not None and in_force.terms == document):
        return document is not None
    plans.create_plan(
        orm.session, program_id=g.program.id, name=_("Standard"), terms=document, effective_from=request_now(),
        actor=access.actor(), now=request_now(),
    )  # fmt: skip
    return True


def _save_counting(form: CountingForm) -> bool:
    values = form.values(g.program.currency)
    if values is None:
        return False
    window = values.pop("attribution_window_days")
    who: dict[str, Any] = {"program_id": g.program.id, "actor": access.actor(), "now": request_now()}
    service.update_settings(orm.session, changes=values, **who)
    newest = attribution.terms(orm.session, program_ids=[g.program.id])[g.program.id][0].policy
    if newest.window_days != window:
        wanted = replace(newest, window_days=window)
        publishing.publish(orm.session, policy=wanted, effective_from=request_now(), **who)
    remembered.keep_counting(orm.session, program_id=g.program.id, now=request_now())
    return True


def _save_goal(_form: None) -> bool:
    metric = presenters.chosen_in_form(GoalMetric, "metric", GoalMetric.SALES)
    goal = service.add_goal(
        orm.session, program_id=g.program.id, **usual(metric), owner_id=current_user.id, actor=access.actor(),
        now=request_now(),
    )  # fmt: skip
    flash(added(goal), "success")
    return True


def _save_way(form: WayForm) -> bool:
    remembered.keep_way(orm.session, program_id=g.program.id, way=form.way.data, now=request_now())
    return True


def _shop_form() -> ShopForm:
    shown = {name: getattr(g.program, name) for name in ("name", "shop_url", "time_zone")}
    return ShopForm(data=shown | {"allowed_hosts": "\n".join(g.program.allowed_hosts)})


def _way_form() -> WayForm:
    known = remembered.of(orm.session, program_id=g.program.id)
    return WayForm(data={"way": known.way.value} if known and known.way else None)


_FORMS: dict[str, Callable[[], Any]] = {
    "shop": _shop_form, "pay": lambda: PayForm(data={} if setup_sheets.plan_in_force() else {"rate": "8"}), "counting": lambda: CountingForm.of(g.program), "goal": lambda: None,
    "connect": _way_form, "test": lambda: None,
}  # fmt: skip
_SAVES: dict[str, Callable[[Any], bool]] = {
    "shop": _save_shop, "pay": _save_pay, "counting": _save_counting, "goal": _save_goal, "connect": _save_way,
}  # fmt: skip
_FIRST_FIELD = {"shop": "name", "pay": "rate", "counting": "window_days", "connect": "way"}
"""Where a refusal stands that is about no single field."""


def _page(step: str, form: Any, *, secret: str | None = None) -> str:
    return show("program/setup.html", form=form, **setup_sheets.page(step, secret=secret))
