"""Partners who want to be forgotten: what stands in the way, and the decision."""

from typing import Any
from uuid import UUID

from flask import g, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import formats
from affiliate.accounts import access
from affiliate.console.blueprint import acted, blueprint, cursor, given_reason, pager, show
from affiliate.console.paging import Page
from affiliate.console.queries import lists
from affiliate.money import Money
from affiliate.privacy import erasing, queries
from affiliate.privacy.models import ErasureRequest, ErasureStatus
from affiliate.reports.words import Sign
from affiliate.web import orm, request_now

WAITING_SHOWN = 10
"""So many that wait stand on a page: of each is asked what it is owed."""


@blueprint.get("/<slug>/erasures")
@access.console("manager")
def erasures() -> str:
    """The wishes: those that wait, and what was decided."""
    here: dict[str, Any] = {"program_id": g.program.id}
    page = lists.erasures(orm.session, **here, waits=False, cursor=cursor())
    waiting = lists.erasures(orm.session, **here, waits=True, cursor=cursor("waits"), size=WAITING_SHOWN)
    return show(
        "partners/erasures.html",
        sections=[
            _section("waits", _("Waits for you"), waiting, pager(waiting, name="waits", anchor="waits")),
            _section("done", _("Until now"), page, pager(page, anchor="done")),
        ],
    )


def _section(key: str, title: str, page: Page, beside: dict[str, str | None]) -> dict[str, Any]:
    rows = [_line(row.ErasureRequest, row.partner, row.person) for row in page.rows]
    return {"key": key, "title": title, "rows": rows} | beside


@blueprint.post("/<slug>/erasures/<uuid:request_id>/erase")
@access.fresh(access.console("manager"))
def erase_partner(request_id: UUID) -> BaseResponse:
    """Forget the partner, for good."""
    return acted(url_for("console.erasures"), lambda: _erase(request_id))


@blueprint.post("/<slug>/erasures/<uuid:request_id>/refuse")
@access.console("manager")
def refuse_erasure(request_id: UUID) -> BaseResponse:
    """Say no, with the reason."""
    return acted(url_for("console.erasures"), lambda: _refuse(request_id))


def _erase(request_id: UUID) -> str:
    erasing.erase(orm.session, request=_found(request_id), actor=access.actor(), now=request_now())
    return str(_("The partner is erased. Its commissions, payouts and papers stay, without a name."))


def _refuse(request_id: UUID) -> str:
    found = _found(request_id)
    erasing.refuse(orm.session, request=found, reason=given_reason(), actor=access.actor(), now=request_now())
    return str(_("The partner reads your reason in its portal."))


def _found(request_id: UUID) -> ErasureRequest:
    found = queries.request_in(orm.session, request_id=request_id, program_id=g.program.id)
    if found is None:
        raise erasing.NoSuchRequest
    return found


def _line(request: ErasureRequest, partner: str, person: str) -> dict[str, Any]:
    waits = request.status is ErasureStatus.ASKED
    owed = queries.owed(orm.session, partner_id=request.partner_id) if waits else {}
    here = owed.get(g.program.id)
    return {
        "id": request.id.hex,
        "partner": partner,
        "person": person,
        "asked_at": request.asked_at,
        "sign": _sign(request.status),
        "reason": request.reason,
        "waits": waits,
        "owed": formats.money(Money(here, g.program.currency)) if here is not None else None,
        "owed_elsewhere": any(program_id != g.program.id for program_id in owed),
        "erase_url": url_for("console.erase_partner", request_id=request.id),
        "refuse_url": url_for("console.refuse_erasure", request_id=request.id),
    }


def _sign(status: ErasureStatus) -> Sign:
    return {
        ErasureStatus.ASKED: Sign("wait", _("Waits for you")),
        ErasureStatus.WITHDRAWN: Sign("", _("Withdrawn")),
        ErasureStatus.REFUSED: Sign("bad", _("Refused")),
        ErasureStatus.DONE: Sign("good", _("Erased")),
    }[status]
