"""Pages of conversions: the list with its filters, and everything about one order."""

from functools import partial
from uuid import UUID

from flask import g, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import amounts, exports
from affiliate.accounts import access
from affiliate.commissions import set_aside, verifying
from affiliate.console import presenters, roles
from affiliate.console.blueprint import acted, blueprint, cursor, given_reason, pager, show
from affiliate.console.orders import order_sheets
from affiliate.console.paging import EXPORT_SIZE, PAGE_SIZE, Cursor, Page, every_page
from affiliate.console.queries import orders as queries
from affiliate.errors import Invalid
from affiliate.ingest.models import Trust
from affiliate.web import orm, request_now


@blueprint.get("/<slug>/conversions")
@access.console(*roles.EVERYBODY)
def conversions() -> str:
    """Orders, newest first, with what became of each."""
    page = _page(PAGE_SIZE, cursor())
    aside = set_aside.waiting(orm.session, program_id=g.program.id)
    return show(
        "orders/conversions.html",
        pager=pager(page),
        aside=order_sheets.links(aside),
        **order_sheets.table(page.rows, _partners(page)),
    )


@blueprint.get("/<slug>/conversions.csv")
@access.console(*roles.EVERYBODY)
def conversions_csv() -> BaseResponse:
    """The whole list as a file."""
    pages = ((page, _partners(page)) for page in every_page(partial(_page, EXPORT_SIZE)))
    rows = (order_sheets.csv_row(row, partners) for page, partners in pages for row in page.rows)
    return exports.csv_response("orders.csv", order_sheets.CSV_HEAD, rows)


@blueprint.get('/<slug>/conversions/<public("cnv"):conversion_id>')
@access.console(*roles.EVERYBODY)
def conversion(conversion_id: UUID) -> str:
    """One order: facts, who is credited and why, commissions, refunds, what was believed before."""
    found = queries.of_one(orm.session, program=g.program, conversion_id=conversion_id)
    if found is None:
        raise access.NotHere
    told = order_sheets.page(found)
    unverified = found.conversion.trust < Trust.SIGNED and not found.conversion.is_test
    room = verifying.room(orm.session, program_id=g.program.id, now=request_now()) if unverified else None
    return show("orders/conversion.html", **told, conversion_id=conversion_id, room=room)


@blueprint.post('/<slug>/conversions/<public("cnv"):conversion_id>/verify')
@access.console("manager")
def verify_conversion(conversion_id: UUID) -> BaseResponse:
    """Vouch for an order that no trusted source has confirmed."""

    def act() -> str:
        verifying.verify(
            orm.session, conversion_id=conversion_id, program_id=g.program.id, note=given_reason(),
            actor=access.actor(), now=request_now(),
        )  # fmt: skip
        return str(_("Verified. The order is being decided again."))

    return acted(url_for("console.conversion", conversion_id=conversion_id), act)


@blueprint.post('/<slug>/conversions/<public("cnv"):conversion_id>/refunds/<public("ref"):refund_id>')
@access.console("manager")
def settle_refund(conversion_id: UUID, refund_id: UUID) -> BaseResponse:
    """Say what a refund was worth of whose currency no rate is known."""

    def act() -> str:
        try:
            amount = amounts.read(request.form.get("amount", ""), request.form.get("currency", ""))
        except amounts.BadNumber as wrong:
            raise Invalid({"amount": [str(wrong)]}) from wrong
        set_aside.settle(
            orm.session, refund_id=refund_id, conversion_id=conversion_id, program_id=g.program.id, amount=amount,
            note=given_reason(), actor=access.actor(), now=request_now(),
        )  # fmt: skip
        return str(_("Settled. It is taken from the commissions within seconds."))

    return acted(url_for("console.conversion", conversion_id=conversion_id), act)


def _page(size: int, at: Cursor | None) -> Page:
    return queries.listed(
        orm.session,
        program_id=g.program.id,
        state=presenters.chosen(queries.State, "state"),
        order_id=request.args.get("order", "").strip()[:120],
        cursor=at,
        size=size,
    )


def _partners(page: Page) -> dict[UUID, list[tuple[UUID, str]]]:
    attribution_ids = [row.attribution_id for row in page.rows if row.attribution_id is not None]
    return queries.credited(orm.session, attribution_ids=attribution_ids)
