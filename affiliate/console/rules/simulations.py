"""Pages of the simulator: a plan tried on the past, with progress, who wins, who loses, as table, chart and CSV."""

from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import g, redirect, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.wrappers.response import Response as BaseResponse
from wtforms.validators import InputRequired

from affiliate import exports, formats, ids
from affiliate.accounts import access
from affiliate.commissions import plan_queries, simulating
from affiliate.commissions.models import PlanSimulation
from affiliate.commissions.simulating import Outcome
from affiliate.console import leafing, roles
from affiliate.console.blueprint import blueprint, show, with_arguments
from affiliate.console.forms import say_all
from affiliate.errors import Invalid
from affiliate.fields import DayField
from affiliate.money import Money
from affiliate.reports.beside import leaf
from affiliate.web import orm, request_now

CHARTED = 12
_DAYS = 90
_NEEDED = _l("This is needed.")


class SimulationForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """On which days a plan is tried. People name the last day; the books keep the first one after it."""

    starts_on = DayField(_l("First day"), validators=[InputRequired(_NEEDED)])
    ends_on = DayField(_l("Last day"), validators=[InputRequired(_NEEDED)])


def last_days() -> SimulationForm:
    """The form for the last three months."""
    today = request_now().astimezone(ZoneInfo(g.program.time_zone)).date()
    return SimulationForm(formdata=None, data={"starts_on": today - timedelta(days=_DAYS), "ends_on": today})


@blueprint.post('/<slug>/plans/<public("pln"):plan_id>/simulate')
@access.console("manager")
def simulate_plan(plan_id: UUID) -> str | tuple[str, int] | BaseResponse:
    """Ask for a plan to be tried on the past."""
    plan = plan_queries.plan(orm.session, plan_id=plan_id, program_id=g.program.id)
    if plan is None:
        raise access.NotHere
    form = SimulationForm()
    if not form.validate_on_submit():
        return show("rules/simulate.html", form=form, back=url_for("console.plan", plan_id=plan_id)), 422
    edges = {
        "starts_at": _midnight(form.starts_on.data),
        "ends_at": _midnight(form.ends_on.data + timedelta(days=1)),
    }
    try:
        asked = simulating.start(orm.session, plan=plan, **edges, actor=access.actor(), now=request_now())
    except Invalid as refusal:
        say_all(form, refusal.errors)
        return show("rules/simulate.html", form=form, back=url_for("console.plan", plan_id=plan_id)), 422
    return redirect(url_for("console.simulation", simulation_id=asked.id), 303)


@blueprint.get('/<slug>/plans/simulations/<public("sim"):simulation_id>')
@access.console(*roles.SETTINGS)
def simulation(simulation_id: UUID) -> str:
    """What came of it so far."""
    found = _known(simulation_id)
    outcomes = simulating.outcomes(orm.session, simulation=found)
    return show("rules/simulation.html", **_told(found, outcomes))


@blueprint.get('/<slug>/plans/simulations/<public("sim"):simulation_id>.<any(csv, xlsx):kind>')
@access.console(*roles.SETTINGS)
def simulation_file(simulation_id: UUID, kind: str) -> BaseResponse:
    """Every partner, as a file."""
    found = _known(simulation_id)
    rows = (
        [ids.public("ptn", one.partner_id), one.name, one.orders, *map(_money, (one.today_minor, one.then_minor, one.more_minor)), g.program.currency]
        for one in simulating.outcomes(orm.session, simulation=found)
    )  # fmt: skip
    head = ["partner", "name", "orders", "today", "with_the_plan", "difference", "currency"]
    return exports.response(kind, "simulation", head, rows)


def _told(found: PlanSimulation, outcomes: list[Outcome]) -> dict[str, Any]:
    today, then = sum(one.today_minor for one in outcomes), sum(one.then_minor for one in outcomes)
    base = int(found.state.get("base_minor", 0))
    shown = leaf(
        outcomes, key=lambda one: ids.public("ptn", one.partner_id), size=leafing.PAGE_SIZE, beside=leafing.beside()
    )
    rows = [
        {"name": one.name, "orders": one.orders, "today": _money(one.today_minor), "then": _money(one.then_minor), "more": _money(one.more_minor)}
        for one in shown.rows
    ]  # fmt: skip
    charted = sorted(outcomes, key=lambda one: -max(one.today_minor, one.then_minor))[:CHARTED]
    return {
        "plan_name": found.plan_name,
        "first_day": found.starts_at,
        "last_day": found.ends_at - timedelta(microseconds=1),
        "done": found.orders_done,
        "total": found.orders_total,
        "is_finished": found.finished_at is not None,
        "rows": rows,
        "pager": leafing.pager(shown, partial(with_arguments, _anchor="rows-h")),
        "today": _money(today),
        "then": _money(then),
        "more": _money(then - today),
        "share_today": _share(today, base),
        "share_then": _share(then, base),
        "left_today": _money(base - today),
        "left_then": _money(base - then),
        "winners": sum(one.more_minor > 0 for one in outcomes),
        "losers": sum(one.more_minor < 0 for one in outcomes),
        "chart": _chart(charted),
        "summary": _("Commission of the largest partners, as it was and with the plan."),
        "csv_url": url_for("console.simulation_file", kind="csv", simulation_id=found.id),
        "xlsx_url": url_for("console.simulation_file", kind="xlsx", simulation_id=found.id),
        "again_url": url_for("console.simulation", simulation_id=found.id),
    }


def _chart(outcomes: list[Outcome]) -> dict[str, Any]:
    series = []
    for name, amounts in (
        (_("As it was"), [one.today_minor for one in outcomes]),
        (_("With the plan"), [one.then_minor for one in outcomes]),
    ):
        money = [_money(minor) for minor in amounts]
        series.append({"name": name, "values": [one.text() for one in money], "texts": [formats.money(one) for one in money]})  # fmt: skip
    return {"kind": "bar", "labels": [one.name for one in outcomes], "series": series, "head": _("Partner")}


def _share(part_minor: int, whole_minor: int) -> str:
    return formats.percent_bps(part_minor * 10_000 // whole_minor) if whole_minor else "–"


def _money(minor: int) -> Money:
    return Money(minor, g.program.currency)


def _known(simulation_id: UUID) -> PlanSimulation:
    found = simulating.one(orm.session, simulation_id=simulation_id, program_id=g.program.id)
    if found is None:
        raise access.NotHere
    return found


def _midnight(day: Any) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(g.program.time_zone)).astimezone(UTC)
