"""The pages about performance beside one another: each leads to the others."""

from typing import Any

from flask import request, url_for
from flask_babel import gettext as _

from affiliate.console.blueprint import can


def chips() -> list[dict[str, Any]]:
    """The pages that this person may open, as links; that which is shown is marked."""
    found = (
        ("performance", _("Figures")),
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
