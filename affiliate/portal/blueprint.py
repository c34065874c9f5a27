"""The portal's blueprint, and what each of its pages stands on: frame, addresses, the page of those who wait."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers.response import Response

from affiliate import formats
from affiliate.accounts import access, again
from affiliate.errors import DomainError, Invalid
from affiliate.joining import queries as joining
from affiliate.joining import standing, tokens
from affiliate.ledger.models import LedgerProof
from affiliate.partners import notices
from affiliate.partners.models import EnrollmentStatus, PartnerNotice
from affiliate.partners.notices import Reader
from affiliate.programs import branding
from affiliate.programs.archive import ProgramArchived
from affiliate.reports.frame import frame
from affiliate.settings import Settings
from affiliate.web import SAFE_METHODS, orm, request_now

PAGE_SIZE = 50
PAGES_MAX = 10_000
_ARGUMENTS = (
    "status",
    "link",
    "coupon",
    "order",
    "first",
    "last",
    "sort",
    "by",
    "kind",
    "language",
    "campaign",
    "size",
    "new",
    "q",
    "span",
    "columns",
    "compare",
    "sub",
    "creative",
    "country",
    "device",
    "referrer",
)
_SETTINGS = {
    "preferences", "profile", "change_profile", "team", "invite", "invite_form", "postbacks", "new_postback", "add_postback", "postback",
    "edit_postback", "change_postback", "data", "api_keys", "make_api_key", "telling", "add_chat", "chat",
}  # fmt: skip
_MAKES_NEW = frozenset({"creatives", "keys", "link_import", "links", "postbacks"})
"""Modules of pages whose acts make something that an archived program does not take."""

blueprint = Blueprint("portal", __name__, url_prefix="/portal")


@blueprint.url_defaults
def _add_slug(endpoint: str, values: dict[str, Any]) -> None:
    """Addresses of portal pages lead into the present program unless they say otherwise."""
    if g.get("program") is not None and current_app.url_map.is_endpoint_expecting(endpoint, "slug"):
        values.setdefault("slug", g.program.slug)


@blueprint.before_request
def _enter() -> str | None:
    """After access has let the person in: whoever still waits sees one page, whatever the address."""
    if request.view_args is not None:
        request.view_args.pop("slug", None)
    _take_nothing_new()
    enrollment = g.get("enrollment")
    return _pending() if enrollment is not None and enrollment.status is EnrollmentStatus.PENDING else None


def _take_nothing_new() -> None:
    """An archived program is read, and pays what it owes; cases, papers and payment details go on."""
    program = g.get("program")
    if program is None or program.archived_at is None or request.method in SAFE_METHODS:
        return
    if request.endpoint == "portal.revoke_api_key" or (request.view_args or {}).get("act") == "off":
        return  # what only ends something is never refused
    if current_app.view_functions[request.endpoint or ""].__module__.rpartition(".")[2] in _MAKES_NEW:
        raise ProgramArchived


def _pending() -> str:
    """How the application stands, with what was sent and what is asked; answers go to the address that needs no account."""
    row = joining.application_of_partner(orm.session, program_id=g.program.id, partner_id=g.partner.id)
    status = standing.of_application(orm.session, g.program, *row) if row else None
    return render_template(
        "portal/pending.html",
        **_frame(waiting=True),
        status=status,
        since=g.enrollment.created_at,
        answer_url=_answer_url(row[0].id) if row else "",
        public_url=url_for("site.program", slug=g.program.slug),
    )


def _answer_url(application_id: UUID) -> str:
    token = tokens.write(settings().secret_key, tokens.Purpose.DRAFT, application_id)
    return url_for("joining.status", slug=g.program.slug, token=token)


def settings() -> Settings:
    """The settings of this application."""
    found: Settings = current_app.extensions["affiliate_settings"]
    return found


def zone() -> str:
    """The time zone in which this person's days are cut: their own, else the program's."""
    return str(g.get("user_time_zone") or g.program.time_zone)


def reader() -> Reader:
    """Who reads notices: the person of this request, for the present partner."""
    return Reader(current_user.id, g.program.id, g.partner.id, g.member_role)


def unread_notices(limit: int) -> Sequence[PartnerNotice]:
    """The newest notices that this person has not read; the bell of the page need not ask again. Who acts for a partner has none."""
    if "acting" in g:
        return []
    g.unread, found = notices.newest_unread(orm.session, reader=reader(), limit=limit, now=request_now())
    return found


def show(template: str, **values: Any) -> str:
    """A page of the portal with its frame."""
    return render_template(f"portal/{template}", **_frame(), **values)


def refused(back: str, refusal: DomainError, *, names: Mapping[str, str] | None = None) -> Response:
    """Write nothing, and say why on the page that was left: what was typed wrong at its field (`again`).

    `names` says where a value has another name in the form.
    """
    orm.session.rollback()
    if isinstance(refusal, Invalid):
        return again.answer(back, refusal, names)
    flash(formats.reason(refusal), "error")
    return redirect(back, 303)


def page_number() -> int:
    """Which page of a list the address asks for; anything odd is the first."""
    text = request.args.get("page", "1")
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(PAGES_MAX))
    return min(max(int(text), 1), PAGES_MAX) if is_number else 1


def with_arguments(endpoint: str | None = None, **changes: str | None) -> str:
    """This address (or another endpoint's) with other arguments; None takes one away. A changed filter starts at page one.

    Only the arguments of our lists are carried on: `url_for` has arguments of its own, which no address may set.
    """
    given = request.args  # asked for once: a page has many addresses
    # Boxes that were ticked come one by one, and go on together.
    arguments = {name: ",".join(given.getlist(name)) for name in _ARGUMENTS if name in given} | changes
    kept: dict[str, Any] = {name: value for name, value in arguments.items() if value}
    return url_for(endpoint or request.endpoint or "", **(request.view_args or {}), **kept)


def pager(*, total: int, shown: int) -> dict[str, str | None] | None:
    """The addresses of the pages beside this one and “51 to 100 of 1,318”; None when all fits on one page."""
    if total <= PAGE_SIZE:
        return None
    number = page_number()
    first = (number - 1) * PAGE_SIZE
    more = first + shown < total
    return {
        "newer_url": with_arguments(page=str(number - 1)) if number > 1 else None,
        "older_url": with_arguments(page=str(number + 1)) if more else None,
        "text": _("%(first)s to %(last)s of %(total)s", first=first + 1, last=first + shown, total=total),
    }


def _frame(*, waiting: bool = False) -> dict[str, Any]:
    bell = None if waiting or "acting" in g else _bell()
    around = frame(orm.session, program_id=g.program.id)
    return {
        "brand": {
            "name": g.program.name,
            "url": url_for("portal.home"),
            "logo_url": branding.path_of(g.program, around.logo_id),
        },
        "program": {"slug": g.program.slug, "name": g.program.name, "currency": g.program.currency},
        "partner": {"name": g.partner.name, "paused": g.enrollment.status is EnrollmentStatus.PAUSED},
        "nav_items": _navigation()[:1] if waiting else [*_navigation(), *([bell] if bell else [])],
        "bell": bell,
        "may": access.may,
        "books": _books(around.proof),
        "time_zone": zone(),
        "with_arguments": with_arguments,
    }


def _navigation() -> list[dict[str, Any]]:
    """The pages that this person's role may open; who acts for the partner sees what is open to that."""
    return [each for each in _pages() if access.may(each["endpoint"]) and _is_open(each["endpoint"])]


def _is_open(endpoint: str) -> bool:
    module = current_app.view_functions[endpoint].__module__.rpartition(".")[2]
    return "acting" not in g or module in g.acting["opens"]


def _pages() -> list[dict[str, Any]]:
    return [
        _item("home", _("Home"), "home", {"home"}),
        _item(
            "links",
            _("Links"),
            "link",
            {
                "links",
                "link",
                "new_link",
                "create_link",
                "edit_link",
                "change_link",
                "import_links",
                "make_links",
                "test_link",
                "try_link",
            },
        ),
        _item(
            "creatives",
            _("Creatives"),
            "photo",
            {"creatives", "creative", "propose_creative", "send_creative"},
            tab=False,
        ),
        _item("statistics", _("Statistics"), "chart-bar", {"statistics", "combined"}, tab=False),
        _item("commissions", _("Earnings"), "coin", {"commissions", "commission"}),
        _item(
            "payouts",
            _("Payouts"),
            "building-bank",
            {
                "payouts",
                "payout",
                "account_statement",
                "payment_details",
                "change_payment_details",
                "enter_payment_details",
                "papers",
                "tax_profile",
                "enter_tax_profile",
                "payment_notice",
                "file_invoice",
            },
        ),
        _item("cases", _("Cases"), "messages", {"cases", "case", "new_case", "open_case", "reply_to_case"}, tab=False),
        _item("together", _("What is agreed"), "target", {"together"}, tab=False),
        _item("newsletters", _("Newsletters"), "mail", {"newsletters", "newsletter"}, tab=False),
        _item("preferences", _("Settings"), "settings", _SETTINGS, tab=False),
    ]


def _bell() -> dict[str, Any]:
    """The page of notices, and how many are new."""
    unread = g.unread if "unread" in g else notices.unread(orm.session, reader=reader(), now=request_now())
    return _item("notices", _("Notices"), "bell", {"notices"}, tab=False) | {"count": unread, "due": bool(unread)}


def _item(endpoint: str, label: str, icon: str, pages: set[str], *, tab: bool = True) -> dict[str, Any]:
    """A page of the navigation; `tab` keeps it at hand on a phone, where four have room."""
    here = (request.endpoint or "").removeprefix("portal.") in pages
    address = f"portal.{endpoint}"
    return {
        "label": label, "icon": icon, "endpoint": address, "url": url_for(address), "current": here, "tab": tab,
    }  # fmt: skip


def _books(proof: LedgerProof | None) -> dict[str, Any] | None:
    if proof is None:
        return None
    return {"ok": not proof.findings, "checked_at": proof.checked_at, "transfers": proof.transfers, "url": None}
