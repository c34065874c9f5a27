"""Pages of conversions: the list with its filters, and everything about one order."""

from uuid import UUID

from flask import g, request
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import exports
from affiliate.accounts import access
from affiliate.console import order_sheets, presenters
from affiliate.console.blueprint import blueprint, cursor, pager, show
from affiliate.console.paging import PAGE_SIZE, Page
from affiliate.console.queries import orders as queries
from affiliate.web import orm


@blueprint.get("/<slug>/conversions")
@access.console("manager", "finance")
def conversions() -> str:
    """Orders, newest first, with what became of each."""
    page = _page(PAGE_SIZE)
    return show("conversions.html", pager=pager(page), **order_sheets.table(page.rows, _partners(page)))


@blueprint.get("/<slug>/conversions.csv")
@access.console("manager", "finance")
def conversions_csv() -> BaseResponse:
    """The same list as a file, up to the limit of exports."""
    page = _page(exports.ROWS_MAX)
    partners = _partners(page)
    rows = (order_sheets.csv_row(row, partners) for row in page.rows)
    return exports.csv_response("orders.csv", order_sheets.CSV_HEAD, rows)


@blueprint.get('/<slug>/conversions/<public("cnv"):conversion_id>')
@access.console("manager", "finance")
def conversion(conversion_id: UUID) -> str:
    """One order: facts, who is credited and why, commissions, refunds, what was believed before."""
    found = queries.of_one(orm.session, program=g.program, conversion_id=conversion_id)
    if found is None:
        raise access.NotHere
    return show("conversion.html", **order_sheets.page(found), conversion_id=conversion_id)


def _page(size: int) -> Page:
    return queries.listed(
        orm.session,
        program_id=g.program.id,
        state=presenters.chosen(queries.State, "state"),
        order_id=request.args.get("order", "").strip()[:120],
        cursor=cursor(),
        size=size,
    )


def _partners(page: Page) -> dict[UUID, list[tuple[UUID, str]]]:
    attribution_ids = [row.attribution_id for row in page.rows if row.attribution_id is not None]
    return queries.credited(orm.session, attribution_ids=attribution_ids)
