"""New and returning customers by month: a chart with its table, and the same as a file."""

from collections.abc import Sequence
from datetime import datetime
from itertools import dropwhile
from typing import Any

from flask import Response, g, url_for
from flask_babel import format_date
from flask_babel import gettext as _

from affiliate import exports, formats
from affiliate.accounts import access
from affiliate.console import roles
from affiliate.console.blueprint import blueprint, show
from affiliate.console.performance import customer_segments, performance_kept, performance_pages
from affiliate.money import BPS_PER_UNIT, divide_half_even
from affiliate.reports import customer_store, grids
from affiliate.reports.customer_store import KINDS
from affiliate.reports.customers import Month
from affiliate.reports.metrics import METRICS, Facts, total
from affiliate.web import orm, request_now

_KEYS = ("conversions", "revenue", "aov", "earnings", "reversal_rate")


@blueprint.get("/<slug>/performance/customers")
@access.console(*roles.EVERYBODY)
def customers_by_month() -> str:
    """The last twelve months from the first one with an order on, and the kinds of customers beside one another."""
    try:
        found, computed_at = _counted()
    except grids.NotCounted:
        found, computed_at = [], None
    months = list(dropwhile(_is_empty, found))
    sums = {kind: total((getattr(one, kind) for one in months), currency=g.program.currency) for kind in KINDS}
    return show(
        "performance/performance_customers.html",
        pages=performance_pages.chips(),
        answer=_answer(sums),
        computed_at=computed_at,
        chart=_chart(months),
        kinds=[{"name": _word(kind)} | _cells(facts) for kind, facts in sums.items()],
        rows=[_row(one) for one in reversed(months)],
        csv_url=url_for("console.customers_by_month_file", kind="csv"),
        xlsx_url=url_for("console.customers_by_month_file", kind="xlsx"),
        segments=customer_segments.panel(),
        keep_form=performance_kept.page_form("customers_by_month"),
    )


@blueprint.get("/<slug>/performance/customers.<any(csv, xlsx):kind>")
@access.console(*roles.EVERYBODY)
def customers_by_month_file(kind: str) -> Response:
    """A row for each month and kind of customer."""
    head = ["month", "customers", *(f"{key}_bps" if key == "reversal_rate" else key for key in _KEYS), "currency"]
    found, _computed_at = _counted()
    rows = (
        [f"{one.first:%Y-%m}", kind, *(METRICS[key].of(getattr(one, kind)) for key in _KEYS), g.program.currency]
        for one in found
        for kind in KINDS
    )
    return exports.response(kind, "customers-by-month", head, rows)


def _counted() -> tuple[list[Month], datetime | None]:
    return customer_store.shown(orm.session, program=g.program, now=request_now())


def _word(kind: str) -> str:
    return {"new": _("New"), "returning": _("Returning"), "unknown": _("Not known")}[kind]


def _answer(sums: dict[str, Facts]) -> str | None:
    known = sums["new"].conversions + sums["returning"].conversions
    if not known:
        return None
    share = divide_half_even(sums["new"].conversions * BPS_PER_UNIT, known)
    return str(
        _("%(share)s of the orders whose customer is known came from new ones.", share=formats.percent_bps(share))
    )


def _is_empty(month: Month) -> bool:
    return not any(getattr(month, kind).conversions for kind in KINDS)


def _chart(months: Sequence[Month]) -> dict[str, Any] | None:
    if not months:
        return None
    series = [
        {"name": _word(kind), "values": [getattr(one, kind).conversions for one in months]} for kind in KINDS
    ]  # fmt: skip
    labels = [format_date(one.first, "LLL y") for one in months]
    summary = _("Orders of new and of returning customers by month.")
    return {"summary": summary, "spec": {"kind": "bar", "head": _("Month"), "labels": labels, "series": series}}


def _cells(facts: Facts) -> dict[str, Any]:
    aov, back = METRICS["aov"].of(facts), METRICS["reversal_rate"].of(facts)
    return {
        "orders": formats.number(facts.conversions),
        "revenue": METRICS["revenue"].of(facts),
        "aov": formats.money(aov),  # type: ignore[arg-type] # money or unknown, as its formula says
        "earned": METRICS["earnings"].of(facts),
        "back": formats.percent_bps(back),  # type: ignore[arg-type] # basis points or unknown
    }


def _row(one: Month) -> dict[str, Any]:
    known = one.new.conversions + one.returning.conversions
    share = divide_half_even(one.new.conversions * BPS_PER_UNIT, known) if known else None
    return {
        "month": format_date(one.first, "LLL y"),
        "orders": [formats.number(getattr(one, kind).conversions) for kind in KINDS],
        "share": formats.percent_bps(share),
        "revenue": [METRICS["revenue"].of(getattr(one, kind)) for kind in ("new", "returning")],
    }
