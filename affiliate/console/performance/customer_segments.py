"""Segments of customers on the page about customers, and the same as a file."""

from datetime import datetime
from typing import Any

from flask import Response, g, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate import exports, formats
from affiliate.accounts import access
from affiliate.console import roles
from affiliate.console.blueprint import blueprint
from affiliate.joining import asking
from affiliate.reports import grids, segment_store, segments
from affiliate.reports.metrics import METRICS
from affiliate.reports.segments import FIRST, HIGH_PERCENT, LAPSED_AFTER, LOYAL_FROM, PLACES, Line, Segment
from affiliate.web import orm, request_now

_KEYS = ("conversions", "revenue", "aov", "reversal_rate", "earnings")


@blueprint.get("/<slug>/performance/customer-segments.<any(csv, xlsx):kind>")
@access.console(*roles.EVERYBODY)
def customer_segments_file(kind: str) -> Response:
    """A row for each segment with anybody in it."""
    head = ["segment", "customers", *(f"{key}_bps" if key == "reversal_rate" else key for key in _KEYS), "days_between_orders", "currency"]  # fmt: skip
    found, _computed_at = _counted()
    currency = g.program.currency
    rows = (
        [one.key, one.customers, *(METRICS[key].of(one.facts(currency)) for key in _KEYS), one.days_between, currency]
        for one in found
    )
    return exports.response(kind, "customer-segments", head, rows)


def panel() -> dict[str, Any]:
    """What the page shows: where customers stand, what they are beside, by whom they came first, and when that was counted."""
    try:
        found, computed_at = _counted()
    except grids.NotCounted:
        found, computed_at = [], None
    first = [one for one in found if one.key.startswith(FIRST)]
    groups = (
        (_("Where they stand"), [one for one in found if one.key in PLACES]),
        (_("What they are beside"), [one for one in found if one.key in {Segment.HIGH_BASKET, Segment.BY_COUPON}]),
        (_("By whom they came first"), first if any(segments.channel(one.key) for one in first) else []),
        (_("All known customers"), [one for one in found if one.key == Segment.ALL]),
    )
    return {
        "groups": [{"head": head, "rows": [_row(one) for one in lines]} for head, lines in groups if lines],
        "meaning": [{"name": _word(one.value), "value": _meaning(one)} for one in Segment if one is not Segment.ALL],
        "computed_at": computed_at,
        "csv_url": url_for("console.customer_segments_file", kind="csv"),
        "xlsx_url": url_for("console.customer_segments_file", kind="xlsx"),
    }


def _counted() -> tuple[list[Line], datetime | None]:
    return segment_store.shown(orm.session, program=g.program, now=request_now())


def _row(one: Line) -> dict[str, Any]:
    facts = one.facts(g.program.currency)
    value: dict[str, Any] = {key: METRICS[key].of(facts) for key in _KEYS}
    days = one.days_between
    return {
        "name": _word(one.key),
        "customers": formats.number(one.customers),
        "orders": formats.number(one.orders),
        "revenue": value["revenue"],
        "aov": formats.money(value["aov"]),
        "back": formats.percent_bps(value["reversal_rate"]),
        "earned": value["earnings"],
        "between": formats.UNKNOWN if days is None else ngettext("%(num)s day", "%(num)s days", days),
    }


def _word(key: str) -> str:
    words = {
        Segment.NEW.value: _("New"),
        Segment.SECOND.value: _("Second order"),
        Segment.LOYAL.value: _("Loyal"),
        Segment.LAPSED.value: _("Lapsed"),
        Segment.HIGH_BASKET.value: _("High basket"),
        Segment.BY_COUPON.value: _("By coupon"),
        Segment.ALL.value: _("All"),
    }
    channel = segments.channel(key)
    return words.get(key) or (dict(asking.channel_kinds())[channel.value] if channel else _("Not known"))


def _meaning(one: Segment) -> str:
    days, least = formats.number(LAPSED_AFTER.days), formats.number(LOYAL_FROM)
    return {
        Segment.NEW: _("One order, in the last %(days)s days.", days=days),
        Segment.SECOND: _("Two orders, the last one in the last %(days)s days.", days=days),
        Segment.LOYAL: _("%(count)s orders or more, the last one in the last %(days)s days.", count=least, days=days),
        Segment.LAPSED: _("No order for %(days)s days, however many there were.", days=days),
        Segment.HIGH_BASKET: _("Orders of %(percent)s of the mean order or more, on average.", percent=formats.percent_bps(HIGH_PERCENT * 100)),
        Segment.BY_COUPON: _("At least half of the orders by a partner's coupon."),
    }[one]  # fmt: skip
