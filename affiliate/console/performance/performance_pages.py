"""What the pages about performance share: the links to one another, the partner that they are about, their tiles."""

from typing import Any
from uuid import UUID

from flask import g, request, url_for
from flask_babel import gettext as _

from affiliate import formats, ids
from affiliate.accounts import access
from affiliate.console.blueprint import can
from affiliate.console.queries import partners as partner_queries
from affiliate.reports import metrics, tables
from affiliate.reports.metrics import METRICS, Facts
from affiliate.web import orm

LESS_IS_BETTER = frozenset({"cost", "ecpa", "reversal_rate"})
"""Metrics of which a rise is no good news."""


def chips() -> list[dict[str, Any]]:
    """The pages that this person may open, as links; that which is shown is marked."""
    found = (
        ("performance", _("Figures")),
        ("strengths", _("Strengths and weaknesses")),
        ("funnel", _("Funnel")),
        ("product_pages", _("Products")),
        ("campaigns", _("Campaigns")),
        ("partner_cohorts", _("Partners by month joined")),
        ("customer_cohorts", _("Customers by first order")),
        ("customers_by_month", _("New and returning customers")),
        ("margin", _("Margin")),
        ("service_quality_page", _("Service")),
        ("shop_totals", _("Beside the shop")),
        ("channel_losses", _("Lost to other channels")),
        ("what_if", _("What if")),
        ("annotations", _("Notes on days")),
    )
    here = (request.endpoint or "").removeprefix("console.")
    return [
        {"label": label, "url": url_for(f"console.{page}"), "current": page == here}
        for page, label in found
        if can(page)
    ]


def partner() -> Any:
    """The partner that the address names, as `queries.partners` tells of one; null where it names none. Looked for once.

    Raises:
        NotHere: there is no such partner in the program.
    """
    if "asked_partner" not in g:
        g.asked_partner = _partner_of(request.args.get("partner", ""))
    return g.asked_partner


def partner_id() -> UUID | None:
    """The id of that partner."""
    found = partner()
    return None if found is None else found.Partner.id


def _partner_of(text: str) -> Any:
    if not text:
        return None
    try:
        asked_id = ids.parse("ptn", text)
    except ids.BadPublicId:
        raise access.NotHere from None
    row = partner_queries.of_one(orm.session, program_id=g.program.id, partner_id=asked_id)
    if row is None:
        raise access.NotHere
    return row


def tile(key: str, this: Facts, before: Facts) -> dict[str, Any]:
    """A metric as a tile: its value, and how far it is from the one before."""
    metric = METRICS[key]
    value = metric.of(this)
    change = metrics.change_bps(value, metric.of(before))
    up = bool(change and change > 0)
    return {
        "label": _(metric.label),
        "value": tables.printed(metric, value, this.currency),
        "change": formats.percent_bps(abs(change)) if change else None,
        "up": up,
        "good": up is not (key in LESS_IS_BETTER),
    }
