"""The board of figures with what is watched, and the risk map."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response, g, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.wrappers.response import Response as BaseResponse
from wtforms import IntegerField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from affiliate import amounts, exports
from affiliate.accounts import access
from affiliate.console import presenters, roles
from affiliate.console.blueprint import acted, arrivals_of, blueprint, show
from affiliate.console.forms import say, say_all
from affiliate.console.goals import goal_sheets, kpi_sheets
from affiliate.console.performance import performance_kept
from affiliate.console.queries import events, work
from affiliate.errors import Conflict, Invalid
from affiliate.reports import board, metrics, queries
from affiliate.reports.board import FIGURES, Figures
from affiliate.reports.metrics import Facts, Unit
from affiliate.reports.periods import Period
from affiliate.reports.risks import RiskFigures, risk_figures
from affiliate.steering import queries as watches
from affiliate.steering import riskmap, service
from affiliate.steering.thresholds import Side
from affiliate.web import orm, request_now

_NEEDED = _l("This is needed.")
_HEAD = ("key", "unit", "now", "before", "likelihood", "effect")


class WatchForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """A limit on a figure."""

    key = SelectField(_l("Figure"), choices=lambda: [SelectChoice(key, _(one.label)) for key, one in FIGURES.items()])
    side = SelectField(
        _l("Alert when it is"),
        choices=[SelectChoice(Side.BELOW.value, _l("below")), SelectChoice(Side.ABOVE.value, _l("above"))],
        coerce=Side,
    )
    threshold = StringField(_l("Limit"), validators=[InputRequired(_NEEDED)])
    look_back_days = IntegerField(_l("Over the last days"), validators=[InputRequired(_NEEDED)])
    volume_min = IntegerField(_l("Only from so many clicks and sales on"), validators=[InputRequired(_NEEDED)])

    def limit(self, currency: str) -> int | None:
        """The limit in the unit of the figure; nothing when it cannot be read."""
        try:
            return _read_limit(FIGURES[self.key.data].unit, self.threshold.data, currency)
        except amounts.BadNumber as wrong:
            say(self.threshold, str(wrong))
            return None


def _read_limit(unit: Unit, text: str, currency: str) -> int:
    if unit is Unit.MONEY:
        return amounts.read(text, currency).amount_minor
    return amounts.read_percent(text) if unit is Unit.BPS else amounts.read_count(text)


@blueprint.get("/<slug>/kpis")
@access.console(*roles.EVERYBODY)
def kpis() -> str:
    """The figures of the last days, what is watched, and the risk map."""
    return _page(WatchForm(data={"look_back_days": 7, "volume_min": 100}))


@blueprint.post("/<slug>/kpis")
@access.console("manager")
def add_watch() -> str | tuple[str, int] | BaseResponse:
    """Watch a figure."""
    form = WatchForm()
    limit = form.limit(g.program.currency) if form.validate_on_submit() else None
    if limit is None:
        return _page(form), 422
    try:
        service.add_watch(
            orm.session, program_id=g.program.id, key=form.key.data, side=form.side.data, threshold=limit,
            look_back_days=form.look_back_days.data, volume_min=form.volume_min.data, actor=access.actor(),
            now=request_now(),
        )  # fmt: skip
    except Invalid as refusal:
        say_all(form, refusal.errors)
        return _page(form), 422
    except Conflict as refusal:
        say(form.key, str(refusal))
        return _page(form), 409
    return acted(
        url_for("console.kpis"), lambda: str(_("Watched from now on. A mail tells you when it crosses the limit."))
    )


@blueprint.post("/<slug>/kpis/<uuid:watch_id>/change")
@access.console("manager")
def change_watch(watch_id: UUID) -> BaseResponse:
    """Watch the same figure by another limit."""
    here: dict[str, Any] = {"program_id": g.program.id, "watch_id": watch_id}
    watch = watches.watch_in(orm.session, **here)
    if watch is None:
        raise access.NotHere
    unit = FIGURES[watch.key].unit

    def act() -> str:
        asked: dict[str, Any] = {"threshold": _typed("threshold", unit)}
        asked |= {name: _typed(name, Unit.COUNT) for name in ("look_back_days", "volume_min")}
        service.change_watch(orm.session, **here, **asked, actor=access.actor(), now=request_now())
        return str(_("The limit is changed. The figure is looked at anew within the hour."))

    return acted(url_for("console.kpis"), act)


def _typed(name: str, unit: Unit) -> int:
    """The number in a field.

    Raises:
        Invalid: it cannot be read.
    """
    try:
        return _read_limit(unit, request.form.get(name, ""), g.program.currency)
    except amounts.BadNumber as wrong:
        raise Invalid({name: [str(wrong)]}) from wrong


@blueprint.post("/<slug>/kpis/<uuid:watch_id>/remove")
@access.console("manager")
def remove_watch(watch_id: UUID) -> BaseResponse:
    """Watch a figure no longer."""

    def act() -> str:
        service.remove_watch(
            orm.session, program_id=g.program.id, watch_id=watch_id, actor=access.actor(), now=request_now()
        )
        return str(_("Not watched any more."))

    return acted(url_for("console.kpis"), act)


@blueprint.get("/<slug>/kpis.<any(csv, xlsx):kind>")
@access.console(*roles.EVERYBODY)
def kpis_file(kind: str) -> Response:
    """A row for each figure, in things, minor units or basis points, and one for each risk with its place on the map."""
    period = _period()
    now, before = _figures(period)
    rows: list[tuple[Any, ...]] = [
        (key, one.unit.value, one.of(now), one.of(before), None, None) for key, one in FIGURES.items()
    ]
    rows += [
        (one.kind.value, "risk", one.figure, None, one.likelihood, one.effect)
        for one in riskmap.risks(_risk_facts(now.risks, period))
    ]
    return exports.response(kind, "figures-and-risks", _HEAD, rows)


def _period() -> Period:
    return board.days_before(goal_sheets.today(), min(presenters.span(), 90), g.program.time_zone)


def _page(form: WatchForm) -> str:
    period = _period()
    now, before = _figures(period)
    risks = riskmap.risks(_risk_facts(now.risks, period))
    return show(
        "goals/kpis.html",
        form=form,
        tiles=kpi_sheets.tiles(now, {key: one.of(before) for key, one in FIGURES.items()}),
        span_chips=presenters.span_chips()[:3],
        days=len(period.days),
        watches=[kpi_sheets.watch(row) for row in watches.watches_of(orm.session, program_id=g.program.id)],
        risks=kpi_sheets.risk_rows(risks, top_partner_id=now.risks.top_partner[0] if now.risks.top_partner else None),
        grid=kpi_sheets.risk_grid(risks),
        csv_url=url_for("console.kpis_file", kind="csv", days=len(period.days)),
        xlsx_url=url_for("console.kpis_file", kind="xlsx", days=len(period.days)),
        keep_form=performance_kept.page_form("kpis"),
    )


def _figures(period: Period) -> tuple[Figures, Figures]:
    """What was counted in these days and in those before."""
    here: dict[str, Any] = {"program_id": g.program.id, "currency": g.program.currency}
    both = Period(period.before.first, period.end, period.zone)
    by_day = queries.facts_by_day(orm.session, period=both, **here)

    def total(days: Period) -> Facts:
        return metrics.total((by_day[day] for day in days.days), currency=g.program.currency)

    now, before = (
        Figures(total(days), risk_figures(orm.session, period=days, **here)) for days in (period, period.before)
    )
    return now, before


def _risk_facts(found: RiskFigures, period: Period) -> riskmap.Figures:
    here: dict[str, Any] = {"program_id": g.program.id}
    promised = timedelta(days=g.program.application_answer_days)
    late = work.overdue(orm.session, **here, applied_before=request_now() - promised, now=request_now())
    refused = work.refused_since(orm.session, **here, since=period.starts_at)
    unstored, _oldest = events.oldest_dead_letter(orm.session, program_id=arrivals_of())
    return riskmap.Figures(
        revenue_minor=found.revenue_minor, top_share_bps=found.top_share_bps, reversal_bps=found.reversal_bps,
        fraud_bps=found.fraud_bps, waiting=late.waiting, overdue=late.late, orders=found.orders,
        refused_events=sum(each.count for each in refused), unstored_events=unstored,
    )  # fmt: skip
