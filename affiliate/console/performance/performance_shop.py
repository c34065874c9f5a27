"""What partners bring beside the whole shop: their share, both sides compared, the shop's totals taken in from a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Response, g, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, ngettext
from flask_babel import gettext as _

from affiliate import exports, formats, imports
from affiliate.accounts import access
from affiliate.console import roles
from affiliate.console.blueprint import blueprint, filters, show, with_arguments
from affiliate.console.performance import annotations, performance_import, performance_kept, performance_pages
from affiliate.console.performance.performance_import import Refused
from affiliate.imports import BadTable
from affiliate.money import Money
from affiliate.reports import periods, queries, shop, shop_days, tables
from affiliate.reports.metrics import METRICS, Facts
from affiliate.reports.periods import Period
from affiliate.reports.shop import Comparison, Side, Told
from affiliate.web import orm, request_now

REFUSED_SHOWN_MAX = 100
_HEAD = (
    "day", "orders", "revenue", "visitors", "new_customers", "costs", "partner_orders", "partner_revenue", "partner_clicks",
    "currency",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Days:
    """Some days: what the shop told of them, and what partners brought. Days are the program's, as the shop's are."""

    period: Period
    problem: str | None
    told: Mapping[date, Told]
    facts: Mapping[date, Facts]


@blueprint.get("/<slug>/performance/shop")
@access.console(*roles.EVERYBODY)
def shop_totals() -> str:
    """Partners beside the rest of the shop."""
    return _page()


@blueprint.get("/<slug>/performance/shop.<any(csv, xlsx):kind>")
@access.console(*roles.EVERYBODY)
def shop_totals_file(kind: str) -> Response:
    """The days with both sides, in the columns that the import takes."""
    days = _days()
    rows = (_csv_row(day, told, days.facts[day]) for day, told in sorted(days.told.items()))
    return exports.response(kind, "shop-totals", _HEAD, rows)


@blueprint.post("/<slug>/performance/shop")
@access.console("manager")
def take_shop_totals() -> ResponseReturnValue:
    """Take the shop's totals of a table; a day that was told before is replaced."""
    uploaded = request.files.get("table")
    content = uploaded.read(imports.BYTES_MAX + 1) if uploaded else b""
    if not content:
        return _page(wrong=_("Choose a file first.")), 422
    try:
        found, refused = performance_import.read(content, currency=g.program.currency, today=_today())
    except BadTable as bad:
        return _page(wrong=_(bad.sentence) % bad.values), 422
    became = shop_days.tell(
        orm.session,
        program_id=g.program.id,
        currency=g.program.currency,
        days=found,
        actor=access.actor(),
        now=request_now(),
    )
    return _page(taken=list(became.values()), refused=refused)


def _page(*, wrong: str | None = None, taken: list[str] | None = None, refused: list[Refused] | None = None) -> str:
    days = _days()
    found = shop.compared(days.told, days.facts, currency=g.program.currency)
    spans = tables.presets(days.period, now=request_now())
    chosen: dict[str, Any] = {name: value for name, value in filters().items() if name != "kind"}
    return show(
        "performance/performance_shop.html",
        pages=performance_pages.chips(),
        presets=[span | {"url": with_arguments(first=span["first"], last=span["last"])} for span in spans],
        first=days.period.days[0],
        last=days.period.days[-1],
        problem=days.problem,
        answer=_answer(found),
        tiles=_tiles(found, days),
        sides=_sides(found),
        chart=_chart(days) if days.told else None,
        missing=_missing(days),
        csv_url=url_for("console.shop_totals_file", kind="csv", **chosen),
        xlsx_url=url_for("console.shop_totals_file", kind="xlsx", **chosen),
        upload=_upload(wrong, taken, refused or []),
        keep_form=performance_kept.page_form("shop_totals"),
    )


def _days() -> _Days:
    zone = g.program.time_zone
    period, problem = tables.asked_period(request.args, now=request_now(), zone=zone)
    told = shop_days.told(orm.session, program_id=g.program.id, period=period)
    facts = queries.facts_by_day(orm.session, program_id=g.program.id, period=period, currency=g.program.currency)
    return _Days(period, problem, told, facts)


def _today() -> date:
    return periods.last_days(1, now=request_now(), zone=g.program.time_zone).first


def _answer(found: Comparison) -> str | None:
    if not found.days:
        return None
    if found.revenue_share_bps is None:
        return _("Partners brought more than the shop told: its totals of these days are not complete.")
    return _(
        "Partners brought %(share)s of the shop's revenue: %(part)s of %(whole)s.",
        share=formats.percent_bps(found.revenue_share_bps),
        part=formats.money(found.partners.revenue),
        whole=formats.money(found.shop_revenue),
    )


def _tiles(found: Comparison, days: _Days) -> list[dict[str, Any]]:
    margin = shop.margin_bps(days.told.values())
    return [
        {"label": _("Share of revenue"), "value": _percent(found.revenue_share_bps)},
        {"label": _("Share of orders"), "value": _percent(found.orders_share_bps)},
        {"label": _("The shop's orders"), "value": formats.number(found.shop_orders)},
        {
            "label": _("The shop's margin"),
            "value": _percent(margin),
            "note": None if margin is not None else _("The shop told no costs."),
        },
    ]  # fmt: skip


def _sides(found: Comparison) -> list[dict[str, Any]]:
    both = [(_("By partners"), found.partners), (_("Without a partner"), found.others)]
    return [{"name": name} | _side(side) for name, side in both if side is not None]


def _side(side: Side) -> dict[str, Any]:
    return {
        "orders": formats.number(side.orders),
        "revenue": side.revenue,
        "aov": formats.money(side.aov) if side.aov else formats.UNKNOWN,
        "visitors": formats.UNKNOWN if side.visitors is None else formats.number(side.visitors),
        "rate": _percent(side.rate_bps),
        "new": _percent(side.new_share_bps),
    }


def _percent(value: int | None) -> str:
    return formats.UNKNOWN if value is None else formats.percent_bps(value)


def _chart(days: _Days) -> dict[str, Any]:
    """Revenue by day of partners and of the whole shop; a day that the shop did not tell is left out."""
    told = sorted(days.told)
    currency = g.program.currency
    ours = [Money(days.facts[day].revenue_minor, currency) for day in told]
    whole = [Money(days.told[day].revenue_minor, currency) for day in told]
    series = [
        {"name": _("By partners"), "values": [one.text() for one in ours], "texts": [formats.money(one) for one in ours]},
        {
            "name": _("The whole shop"), "kind": "line",
            "values": [one.text() for one in whole], "texts": [formats.money(one) for one in whole],
        },
    ]  # fmt: skip
    labels = [format_date(day, "EEE d MMM") for day in told]
    summary = ngettext(
        "Revenue by partners and of the whole shop on %(num)s day.",
        "Revenue by partners and of the whole shop on %(num)s days.",
        len(told),
    )
    spec = {"kind": "bar", "head": _("Day"), "labels": labels, "series": series}
    return {"summary": summary, "spec": spec | annotations.marks(days.period, among=told)}


def _missing(days: _Days) -> str | None:
    missing = shop_days.missing(days.told, days.period, today=_today())
    if not missing or not days.told:
        return None
    return ngettext(
        "%(num)s day is not told and not in these figures, the last one %(day)s.",
        "%(num)s days are not told and not in these figures, the last one %(day)s.",
        len(missing),
        day=formats.day(missing[-1]),
    )


def _upload(wrong: str | None, taken: list[str] | None, refused: list[Refused]) -> dict[str, Any]:
    return {
        "wrong": wrong,
        "taken": None if taken is None else {what: taken.count(what) for what in ("new", "replaced", "known")},
        "refused": len(refused),
        "problems": refused[:REFUSED_SHOWN_MAX],
        "rows_max": shop_days.DAYS_MAX,
        "columns": [*performance_import.REQUIRED, *performance_import.OPTIONAL],
    }


def _csv_row(day: date, told: Told, facts: Facts) -> list[exports.Cell]:
    currency = g.program.currency
    costs = None if told.costs_minor is None else Money(told.costs_minor, currency)
    ours: list[Any] = [METRICS[key].of(facts) for key in ("conversions", "revenue", "clicks_valid")]
    return [
        day.isoformat(), told.orders, Money(told.revenue_minor, currency), told.visitors, told.new_customers, costs, *ours,
        currency,
    ]  # fmt: skip
