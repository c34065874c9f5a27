"""The API's routes on payouts and their tax papers. The key names the program, a partner's key the partner too: what is another's is not there."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from flask import Response

from affiliate import files
from affiliate.papers import queries as papers
from affiliate.rest import filters, payout_schemas, queries
from affiliate.rest.blueprint import Answer, answer, any_key, blueprint, found, narrowed, parsed_id, whose
from affiliate.web import orm

_PDF = "application/pdf"


@blueprint.get("/payouts")
@any_key("payouts:read")
@blueprint.arguments(filters.PartnerFilter, location="query")
@blueprint.response(200, payout_schemas.PayoutSchema(many=True))
def payouts(arguments: Mapping[str, Any]) -> Answer:
    """The payouts of the program, of one partner if asked."""
    size, after = arguments["limit"], arguments.get("cursor")
    return answer(queries.payouts(orm.session, whose=narrowed(arguments), after=after, size=size), size)


@blueprint.get("/payouts/<payout_id>")
@any_key("payouts:read")
@blueprint.response(200, payout_schemas.PayoutSchema)
def one_payout(payout_id: str) -> Any:
    """One payout."""
    wanted = parsed_id("pay", payout_id, "payout")
    return found(queries.payout(orm.session, whose=whose(), payout_id=wanted), "payout")


@blueprint.get("/payouts/<payout_id>/papers")
@any_key("payouts:read")
@blueprint.response(200, payout_schemas.PayoutPapersSchema)
def papers_of_payout(payout_id: str) -> dict[str, Any]:
    """The tax papers of a payout: those that the program wrote, in the order of writing, and the invoices that the partner sent."""
    wanted = parsed_id("pay", payout_id, "payout")
    row = found(queries.payout(orm.session, whose=whose(), payout_id=wanted), "payout")
    return {
        "papers": papers.papers_of_payout(orm.session, payout_id=row.id),
        "filed_invoices": papers.filed_for(orm.session, payout_id=row.id),
    }


@blueprint.get("/papers/<paper_id>.pdf")
@any_key("payouts:read")
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type=_PDF)
def paper_pdf(paper_id: str) -> Response:
    """The PDF of a paper that the program wrote."""
    wanted = parsed_id("ppr", paper_id, "paper")
    paper = found(papers.paper_of(orm.session, **_mine(), paper_id=wanted), "paper")
    return _file(paper.file_id)


@blueprint.get("/filed-invoices/<invoice_id>.pdf")
@any_key("payouts:read")
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type=_PDF)
def filed_invoice_pdf(invoice_id: str) -> Response:
    """An invoice as the partner sent it."""
    wanted = parsed_id("inv", invoice_id, "invoice")
    filed = found(papers.filed_by_id(orm.session, **_mine(), invoice_id=wanted), "invoice")
    return _file(filed.file_id)


def _mine() -> dict[str, Any]:
    return asdict(whose())


def _file(file_id: UUID | None) -> Response:
    """What was uploaded is handed out as it came, so it leaves as an attachment only."""
    file = found(None if file_id is None else files.file_by_id(orm.session, file_id=file_id), "PDF")
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"', "X-Content-Type-Options": "nosniff"}
    return Response(file.content, mimetype=file.media_type, headers=headers)
