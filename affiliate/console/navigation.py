"""The console's rail: its entries, and under which of them each page stands."""

from typing import Any

from flask import request, url_for
from flask_babel import gettext as _

from affiliate.console.queries.work import OpenDecisions

_PAGES = {
    "goals": ("add_goal", "kpis", "add_watch"),
    "performance": ("channel_losses", "customers_by_month", "kept_performance", "shared_performance", "shop_totals", "take_shop_totals"),
    "fraud": ("fraud_case", "fraud_rules", "try_fraud_rules"),
    "settings": (
        "application_form", "save_application_form", "public_page", "save_public_page", "articles", "new_article",
        "write_article", "edit_article", "change_article", "attribution_policy", "change_attribution", "replay",
        "replay_change", "plans_list", "plan", "new_plan", "simulation", "simulate_plan",
    ),
    "applications": ("invitations", "add_invitation", "rubric"),
    "partners": ("partner", "partner_care", "weighed"),
    "cases": ("case",),
    "creatives": ("creative", "new_creative", "add_creative", "change_creative", "add_creative_version"),
    "newsletters": (
        "newsletter", "preview_newsletter", "save_newsletter", "schedule_newsletter", "suppressed_addresses",
    ),
    "conversions": ("conversion", "import_orders", "take_orders"),
    "payouts": (
        "payout_run", "payout", "payment", "payout_limits", "adjustments", "partner_entries", "payout_policy",
        "papers", "partner_taxes", "tax_settings", "save_tax_settings", "tax_rules", "add_tax_rule",
    ),
    "commissions": ("validation", "validation_file"),
    "tracking": ("api_key_made", "ways_in", "postback_token"),
    "requests": ("rejected", "dead_letters"),
}  # fmt: skip
"""Pages that have no entry of their own, by the entry under which they stand."""

_SECTION_OF = {page: entry for entry, pages in _PAGES.items() for page in pages}


def entries(waiting: OpenDecisions, *, is_manager: bool) -> list[dict[str, Any]]:
    """The rail of the page that is shown: its entries in their groups, with what waits behind each."""
    partners, money, program = _("Partners"), _("Money"), _("Program")
    items = [
        _item("today", _("Today"), "inbox", tab=True),
        _item("goals", _("Goals"), "target"),
        _item("performance", _("Performance"), "chart-bar"),
        _item(
            "applications",
            _("Applications"),
            "file-text",
            partners,
            count=waiting.applications,
            due=bool(waiting.applications),
        ),
        _item("partners", _("Partners"), "users", partners, tab=True),
        *(_for_managers(waiting, partners) if is_manager else []),
        _item("conversions", _("Orders"), "shopping-cart", money, tab=True),
        _item("commissions", _("Commissions"), "coin", money),
        _item("fraud", _("Fraud"), "flag", money, count=waiting.reviews, due=bool(waiting.reviews)),
        _item("payouts", _("Payouts"), "building-bank", money, count=waiting.runs, due=bool(waiting.runs), tab=True),
        _item("ledger", _("Ledger"), "scale", money),
    ]
    if is_manager:
        items += [
            _item("settings", _("Settings"), "adjustments", program),
            _item("tracking", _("Tracking"), "plug", program),
            _item("requests", _("Last requests"), "webhook", program),
        ]
    return [*items, _item("trail", _("History"), "history", program)]


def _for_managers(waiting: OpenDecisions, group: str) -> list[dict[str, Any]]:
    proposed = waiting.creatives
    return [
        _item("cases", _("Cases"), "messages", group, count=waiting.cases, due=bool(waiting.cases)),
        _item("creatives", _("Creatives"), "photo", group, count=proposed, due=bool(proposed)),
        _item("newsletters", _("Newsletters"), "mail", group),
        _item("erasures", _("Erasure"), "shield-check", group),
    ]


def _item(endpoint: str, label: str, icon: str, group: str | None = None, **more: Any) -> dict[str, Any]:
    current = (request.endpoint or "").removeprefix("console.")
    here = current == endpoint or _SECTION_OF.get(current) == endpoint
    return {
        "label": label,
        "icon": icon,
        "url": url_for(f"console.{endpoint}"),
        "current": here,
        "group": group,
        **more,
    }
