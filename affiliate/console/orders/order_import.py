"""Orders from a table: the upload, and what became of each row."""

from flask import g, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from affiliate import imports
from affiliate.accounts import access
from affiliate.console.blueprint import blueprint, show
from affiliate.imports import BadTable
from affiliate.tracking import order_import, tracker
from affiliate.tracking.order_import import RowResult
from affiliate.web import request_now

PROBLEMS_SHOWN_MAX = 200


@blueprint.get("/<slug>/conversions/import")
@access.console("manager")
def import_orders() -> str:
    """The form, and what the table looks like."""
    return _page()


@blueprint.post("/<slug>/conversions/import")
@access.console("manager")
def take_orders() -> ResponseReturnValue:
    """Take the orders of a table, by the same way as those of the API."""
    uploaded = request.files.get("table")
    content = uploaded.read(imports.BYTES_MAX + 1) if uploaded else b""
    if not content:
        return _page(problem=_("Choose a file first.")), 422
    here = tracker.current()
    program = here.program_of_key(g.program.id, now=request_now())
    try:
        results = order_import.import_orders(
            content, program=program, keys=here.keys, buffer=here.buffer, now=request_now()
        )
    except BadTable as bad:
        return _page(problem=_(bad.sentence) % bad.values), 422
    return _page(results=results)


def _page(*, problem: str | None = None, results: list[RowResult] | None = None) -> str:
    refused = [result for result in results or () if result.status == "refused"]
    return show(
        "orders/import_orders.html",
        problem=problem,
        has_results=results is not None,
        taken=sum(result.status == "accepted" for result in results or ()),
        known=sum(result.status == "known" for result in results or ()),
        refused=len(refused),
        problems=[_refusal(result) for result in refused[:PROBLEMS_SHOWN_MAX]],
        rows_max=imports.ROWS_MAX,
        columns=[*order_import.REQUIRED, *order_import.OPTIONAL],
    )


def _refusal(result: RowResult) -> dict[str, object]:
    """A refused row with its problems in the reader's language."""
    told = " ".join(problem.said(_(problem.sentence)) for problem in result.problems)
    return {"number": result.number, "order_id": result.order_id, "problem": told}
