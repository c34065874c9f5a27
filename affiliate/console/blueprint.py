"""The console's blueprint, and what each of its pages stands on: frame, public ids in addresses, one way to act."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, current_app, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import formats
from affiliate.accounts import access, again
from affiliate.accounts import queries as accounts
from affiliate.accounts.models import GrantRole
from affiliate.console import navigation, paging, roles
from affiliate.console.queries import work
from affiliate.errors import Conflict, DomainError, Forbidden, Invalid
from affiliate.ledger import queries as ledger_queries
from affiliate.ledger.models import LedgerProof
from affiliate.settings import Settings
from affiliate.web import orm

REASON_LENGTH_MAX = 500
FILTERS = (
    "tag", "group", "momentum", "lead", "status", "state", "kind", "partner", "due", "days", "name", "order", "by", "first",
    "last", "source", "country",
)  # fmt: skip
MANAGING = frozenset({GrantRole.MANAGER, GrantRole.ADMIN})
blueprint = Blueprint("console", __name__, url_prefix="/console")


@blueprint.after_request
def _keep_private(response: Response) -> Response:
    """Pages of the console are of one person, and old as soon as somebody acts: no cache may show them again unasked."""
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response


def settings() -> Settings:
    """The settings of this application."""
    found: Settings = current_app.extensions["affiliate_settings"]
    return found


@blueprint.url_defaults
def _add_slug(endpoint: str, values: dict[str, Any]) -> None:
    """Addresses of console pages lead into the present program unless they say otherwise."""
    if g.get("program") is not None and current_app.url_map.is_endpoint_expecting(endpoint, "slug"):
        values.setdefault("slug", g.program.slug)


@blueprint.before_request
def _take_slug() -> None:
    """The slug has done its work once access has set `g.program`; views need not name it."""
    if request.view_args is not None:
        request.view_args.pop("slug", None)


def can(endpoint: str, method: str = "GET") -> bool:
    """Whether the person of this request could call this endpoint of the console: pages leave out what would be refused."""
    declared = access.declaration_of(current_app, f"console.{endpoint}", method)
    return declared is not None and not g.roles.isdisjoint(declared.roles | {GrantRole.ADMIN})


def is_manager() -> bool:
    """Whether the person may change the program, beside its money."""
    return not MANAGING.isdisjoint(g.roles)


def manages_all() -> bool:
    """Whether the person may manage every program: only then what belongs to no program is shown."""
    return not MANAGING.isdisjoint(_roles_everywhere())


def tends_all() -> bool:
    """Whether the person looks after what arrives for every program, by managing all or as the tech of all."""
    return not _roles_everywhere().isdisjoint({*roles.TECH, GrantRole.ADMIN})


def arrivals_of() -> UUID | None:
    """The program whose lost arrivals the person may see: this one; none for who looks after all, and after what names no program."""
    found: UUID = g.program.id
    return None if tends_all() else found


def _roles_everywhere() -> frozenset[GrantRole]:
    """As access has read them; the page on which a program is chosen asks nobody's role."""
    if "roles_everywhere" not in g:
        g.roles_everywhere = accounts.roles_in(orm.session, user_id=current_user.id, program_id=None)
    found: frozenset[GrantRole] = g.roles_everywhere
    return found


def settings_tabs(*pages: str) -> list[dict[str, Any]]:
    """These pages of settings as chips: `navigation.settings_tabs`."""
    return navigation.settings_tabs(can, pages)


def show(template: str, **values: Any) -> str:
    """A page of the console with its frame."""
    return render_template(f"console/{template}", **_frame(), **values)


def acted(
    back: str, act: Callable[[], str], *, page: str | None = None, names: Mapping[str, str] | None = None
) -> BaseResponse:
    """Do one thing and go back: what happened is said there. A refusal writes nothing, and is said in the page of the form.

    What was typed wrong is said at its field, where what was typed stays (`again`). `page` is where the form stands, if that
    is elsewhere; `names` says where a value has another name in the form.
    """
    try:
        flash(act(), "success")
    except (Conflict, Forbidden, Invalid) as refusal:
        return refused(page or back, refusal, names=names)
    return redirect(back, 303)


def refused(
    back: str, refusal: DomainError, *, said: str = "", tone: str = "error", names: Mapping[str, str] | None = None
) -> BaseResponse:
    """Write nothing and say why, or `said`. Whoever was too late gets 409 and the page as it stands now, with what was typed."""
    orm.session.rollback()
    if isinstance(refusal, Invalid):
        return again.answer(back, refusal, names)
    flash(said or formats.reason(refusal), tone)
    if not isinstance(refusal, Conflict):
        return redirect(back, 303)
    again.keep()
    return again.page_at(back, status=409)


def given_reason() -> str:
    """The reason that was typed, trimmed and bounded."""
    return request.form.get("reason", "").strip()[:REASON_LENGTH_MAX]


def cursor(name: str = "page") -> paging.Cursor | None:
    """Where the page of a list begins; a second list on the same page has an argument of its own."""
    return paging.read_cursor(request.args.get(name))


def pager(
    page: paging.Page, *, name: str = "page", anchor: str | None = None, at: str | None = None
) -> dict[str, str | None]:
    """The addresses of the pages beside this one, with the same filters.

    `name`: as of `cursor`; `anchor`: where the list stands; `at`: the page's own endpoint, where it answers to forms as well.
    Whoever asks for a place beyond the last row, which was there once, is led to the first page: an empty one would say that
    there is nothing.
    """
    if not page.rows and request.method == "GET" and cursor(name) is not None:
        flash(_("There is nothing at this place any more. This is the first page."))
        abort(redirect(_changed(at, {name: None, "_anchor": anchor})))

    def beside(text: str | None) -> str | None:
        return None if text is None else _changed(at, {name: text, "_anchor": anchor})

    return {"newer_url": beside(page.newer), "older_url": beside(page.older)}


def with_arguments(**changes: str | None) -> str:
    """This address with other arguments; None takes one away. A change of a filter starts at the first page.

    Only the arguments of our lists are carried on: `url_for` has arguments of its own, which no address may set.
    """
    return _changed(None, changes)


def _changed(endpoint: str | None, changes: dict[str, str | None]) -> str:
    kept: dict[str, Any] = {name: value for name, value in (filters() | changes).items() if value}
    return url_for(endpoint or request.endpoint or "", **(request.view_args or {}), **kept)


def filters() -> dict[str, str | None]:
    """The filters that this address sets."""
    return {name: value for name in FILTERS if (value := request.args.get(name, "").strip())}


def initials(name: str) -> str:
    """The first letters of the first and last word of a name."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "?"


def _frame() -> dict[str, Any]:
    program = g.program
    return {
        "program": {
            "slug": program.slug,
            "name": program.name,
            "currency": program.currency,
            "status": program.status.value,
        },
        "brand": {"name": program.name, "url": url_for(roles.start(g.roles))},
        "programs_url": url_for("console.choose", all="yes"),
        "nav_items": navigation.entries(waiting(), can=can),
        "books": _books(),
        "time_zone": g.get("user_time_zone") or program.time_zone,
        "with_arguments": with_arguments,
        "is_manager": is_manager(),
        "can": can,
        "settings_tabs": settings_tabs,
    }


def waiting() -> work.OpenDecisions:
    """How many decisions wait, counted once for a page."""
    if "waiting" not in g:
        g.waiting, g.latest_proof = work.open_decisions(orm.session, program_id=g.program.id)
    found: work.OpenDecisions = g.waiting
    return found


def latest_proof() -> LedgerProof | None:
    """What the last proof of the books found, read once for a page."""
    if "latest_proof" not in g:
        g.latest_proof = ledger_queries.latest_proof(orm.session)
    found: LedgerProof | None = g.latest_proof
    return found


def _books() -> dict[str, Any] | None:
    proof = latest_proof()
    if proof is None:
        return None
    return {
        "ok": not proof.findings,
        "checked_at": proof.checked_at,
        "transfers": proof.transfers,
        "url": url_for("console.ledger"),
    }
