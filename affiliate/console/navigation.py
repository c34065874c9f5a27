"""The console's rail: its entries in groups, for whom each is, and under which of them each page stands."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from flask import g, request, url_for
from flask_babel import gettext as _

from affiliate import formats
from affiliate.console.queries.work import OpenDecisions
from affiliate.console.roles import VIEWS


class Can(Protocol):
    """`blueprint.can`."""

    def __call__(self, endpoint: str) -> bool:
        """Whether the person could open this page."""


_PAGES = {
    "views": tuple(VIEWS),
    "goals": ("add_goal", "kpis", "add_watch"),
    "performance": (
        "add_campaign", "annotate", "annotations", "campaign", "campaigns", "change_campaign", "channel_losses",
        "combined_performance", "customer_cohorts", "customers_by_month", "edit_campaign", "enter_service", "funnel",
        "kept_performance", "margin", "new_campaign", "partner_cohorts", "product_pages", "preview_service", "service_quality_page", "set_margins",
        "shared_performance", "shop_totals", "strengths", "take_service", "take_shop_totals", "what_if",
    ),
    "fraud": ("fraud_case", "fraud_rules", "try_fraud_rules"),
    "settings": (
        "chats", "add_chat", "chat", "application_form", "save_application_form", "look_at_application_form", "public_page", "save_public_page", "articles", "new_article",
        "write_article", "edit_article", "change_article", "attribution_policy", "change_attribution", "replay",
        "replay_change", "plans_list", "plan", "new_plan", "simulation", "simulate_plan", "people",
        "setup", "save_step", "setup_key", "clone_program", "make_clone", "brand", "settings_overview", "preview_settings",
    ),
    "applications": ("invitations", "add_invitation", "weights", "save_weights", "preview_weights"),
    "partners": ("partner", "partner_care", "partner_contacts", "weighed", "erasures", "import_partners", "look_at_partners", "take_partners"),
    "cases": ("case",),
    "creatives": ("creative", "new_creative", "add_creative", "change_creative", "add_creative_version"),
    "newsletters": (
        "newsletter", "preview_newsletter", "save_newsletter", "suppressed_addresses", "prospect_list",
    ),
    "conversions": ("conversion", "import_orders", "take_orders"),
    "payouts": (
        "payout_run", "payout", "payment", "payout_limits", "adjustments", "partner_entries", "payout_policy",
        "papers", "partner_taxes", "tax_settings", "save_tax_settings", "preview_tax_settings", "tax_rules", "add_tax_rule",
        "preview_tax_rule", "set_payout_policy", "preview_payout_policy",
    ),
    "commissions": ("validation", "validation_file"),
    "tracking": ("api_key_made", "ways_in", "postback_token", "requests", "rejected", "dead_letters"),
}  # fmt: skip
"""Pages that have no entry of their own, by the entry under which they stand."""

_STANDS_FOR = {
    "save_settings": "settings", "preview_settings": "settings", "change_attribution": "attribution_policy",
    "add_example": "plans_list", "pixel_secret": "tracking", "add_api_key": "tracking", "postback_token": "ways_in",
}  # fmt: skip
"""Answers to a form that are the page of the form, and pages with a secret on them."""
_SECTION_OF = {page: entry for entry, pages in _PAGES.items() for page in pages}


def entries(waiting: OpenDecisions, *, can: Can) -> list[dict[str, Any]]:
    """The rail of the page that is shown: what this person may open, in groups, with what waits behind each."""
    partners, money, program = _("Partners"), _("Money"), _("Program")
    first_view = next((page for page in VIEWS if can(page)), None)
    found = [
        _item("today", _("Today"), "inbox", tab=True),
        *([_item("views", _("By task"), "list", page=first_view)] if first_view else []),
        _item("goals", _("Goals"), "target"),
        _item("performance", _("Performance"), "chart-bar"),
        _item("applications", _("Applications"), "file-text", partners, waits=waiting.applications),
        _item("partners", _("Partners"), "users", partners, tab=True),
        _item("cases", _("Cases"), "messages", partners, waits=waiting.cases),
        _item("creatives", _("Creatives"), "photo", partners, waits=waiting.creatives),
        _item("newsletters", _("Newsletters"), "mail", partners),
        _item("conversions", _("Orders"), "shopping-cart", money, tab=True),
        _item("commissions", _("Commissions"), "coin", money),
        _item("fraud", _("Fraud"), "flag", money, waits=waiting.reviews),
        _item("payouts", _("Payouts"), "building-bank", money, waits=waiting.runs, tab=True),
        _item("ledger", _("Ledger"), "scale", money),
        _item("settings", _("Settings"), "adjustments", program),
        _item("tracking", _("Tracking"), "plug", program),
        _item("trail", _("History"), "history", program),
    ]
    return [item for item in found if can(item["page"])]


def views(can: Can) -> Iterator[dict[str, Any]]:
    """The pages for four people as chips: those that this person may open."""
    labels = {
        "logistics_view": _("Logistics"), "tech_view": _("Web and tech"), "marketing_view": _("Marketing"),
        "finance_view": _("Finance"),
    }  # fmt: skip
    current = (request.endpoint or "").removeprefix("console.")
    for page, label in labels.items():
        if can(page):
            yield {"label": label, "url": url_for(f"console.{page}"), "current": page == current}


def settings_tabs(can: Can, pages: Iterable[str]) -> list[dict[str, Any]]:
    """These pages of settings as chips, those of them that this person may open."""
    labels = {
        "settings": _("Program"), "settings_overview": _("All settings"), "people": _("People and roles"), "brand": _("Brand"),
        "public_page": _("Public page"), "application_form": _("Application form"), "attribution_policy": _("Attribution"),
        "plans_list": _("Commission plans"), "tracking": _("Tracking and keys"), "ways_in": _("Other ways in"), "chats": _("Chats"),
    }  # fmt: skip
    values: dict[str, dict[str, Any]] = {"public_page": {"language": formats.locale()}}
    current = (request.endpoint or "").removeprefix("console.")
    return [
        {
            "label": labels[page],
            "url": url_for(f"console.{page}", **values.get(page, {})),
            "current": _STANDS_FOR.get(current, current) == page,
        }
        for page in pages
        if can(page)
    ]


def _item(
    entry: str,
    label: str,
    icon: str,
    group: str | None = None,
    *,
    waits: int | None = None,
    page: str = "",
    **more: Any,
) -> dict[str, Any]:
    current = (request.endpoint or "").removeprefix("console.")
    section = g.get("section") or _SECTION_OF.get(current)  # a page that stands under several entries says which
    if waits is not None:
        more |= {"count": waits, "due": bool(waits)}
    return {
        "page": page or entry,
        "label": label,
        "icon": icon,
        "url": url_for(f"console.{page or entry}"),
        "current": entry in {current, section},
        "group": group,
        **more,
    }
