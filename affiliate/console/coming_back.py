"""The list that one came from, as it stood: carried by forms that act in it, and by the addresses of what stands in it.

Only names of our own lists and their known filters are read back, so that no address leads anywhere else.
"""

from collections.abc import Mapping
from typing import Any

from flask import current_app, has_request_context, request, url_for
from flask_babel import gettext as _

from affiliate.console.blueprint import FILTERS, blueprint

_PLACE = (*FILTERS, "page")
_LENGTH_MAX = 120
_LISTS = {
    "partners": "console.partners",
    "applications": "console.applications",
    "conversions": "console.conversions",
    "commissions": "console.commissions",
    "fraud": "console.fraud",
    "today": "console.today",
}
_NAMES = {endpoint: name for name, endpoint in _LISTS.items()}
_ABOUT_PARTNERS = ("partners", "applications")
_PAGES = {
    "console.partner": _ABOUT_PARTNERS,
    "console.weighed": ("applications", "partners"),
    "console.conversion": ("conversions",),
    "console.commission": ("commissions",),
    "console.fraud_case": ("fraud",),
}
"""The pages of one thing, and the lists that it stands in; the first is the one it leads to by itself."""


def kept() -> dict[str, str]:
    """Where in its list a form was sent from, as the form says: known filters and the page; anything else is passed over."""
    return _place_in(request.form)


def back_to(otherwise: str) -> str:
    """The list that a form was sent from as it stood, its filters and its page; this address if it names none of our lists."""
    endpoint = _LISTS.get(request.form.get("from", ""))
    place: dict[str, Any] = {**kept()}
    return url_for(endpoint, **place) if endpoint else otherwise


@blueprint.context_processor
def _crumbs() -> dict[str, Any]:
    return {"list_crumb": crumb}


def crumb(usual: str) -> dict[str, str]:
    """The list above a page of one thing, for `ui.crumbs`: the one that it was opened from as it stood, else its usual one."""
    words = {
        "partners": _("Partners"),
        "applications": _("Applications"),
        "conversions": _("Orders"),
        "commissions": _("Commissions"),
        "fraud": _("Fraud"),
    }
    name = request.args.get("from", "")
    if name not in words or name not in _lists_of(request.endpoint or ""):
        return {"label": words[usual], "url": url_for(_LISTS[usual])}
    place: dict[str, Any] = {**_place_in(request.args)}
    return {"label": words[name], "url": url_for(_LISTS[name], **place)}


@blueprint.url_defaults
def _carry_place(endpoint: str, values: dict[str, Any]) -> None:
    """What stands in a list is opened with its place in it; its tabs, and the forms that come back to it, carry it on."""
    if not has_request_context():
        return
    own = _NAMES.get(request.endpoint or "")
    if own is not None and endpoint not in _PAGES:
        return  # acts in a list say by their form where they come from
    name = own or request.args.get("from", "")
    lists = _lists_of(endpoint)
    if name not in lists:
        return
    place = {key: value for key in _PLACE if (value := request.args.get(key))} if own else _place_in(request.args)
    if place or name != lists[0]:
        values.update({"from": name} | {f"keep-{key}": value.strip()[:_LENGTH_MAX] for key, value in place.items()})


def _place_in(carried: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name in _PLACE if (value := carried.get(f"keep-{name}", "").strip()[:_LENGTH_MAX])}


def _lists_of(endpoint: str) -> tuple[str, ...]:
    """The lists that what this address is about stands in, as its ids tell."""
    if endpoint in _PAGES:
        return _PAGES[endpoint]
    expects = current_app.url_map.is_endpoint_expecting
    if expects(endpoint, "commission_id"):
        return _PAGES["console.commission"]
    if expects(endpoint, "conversion_id"):
        return _PAGES["console.fraud_case" if expects(endpoint, "partner_id") else "console.conversion"]
    return _ABOUT_PARTNERS if expects(endpoint, "partner_id") else ()
