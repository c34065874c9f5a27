"""Tax papers in the console: invoices to check, payouts that wait for one, papers of ours, the year of each partner."""

from datetime import date
from typing import Any
from uuid import UUID

from flask import Response, g, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import exports, files
from affiliate.accounts import access
from affiliate.console.blueprint import acted, blueprint, cursor, given_reason, pager, settings, show
from affiliate.console.payouts import paper_sheets
from affiliate.console.queries import lists
from affiliate.papers import queries, service
from affiliate.partners import queries as partners
from affiliate.taxes import queries as tax_queries
from affiliate.taxes import service as taxes
from affiliate.web import orm, request_now

_YEAR_FIRST = 2000


@blueprint.get("/<slug>/papers")
@access.console("manager", "finance")
def papers() -> str:
    """What finance has to check, what waits, and what was issued."""
    here: dict[str, Any] = {"program_id": g.program.id}
    name = request.args.get("name", "").strip()[:120]
    page = lists.papers(orm.session, **here, cursor=cursor())
    pages = {
        "check": lists.filed_invoices(orm.session, **here, to_check=True, cursor=cursor("check")),
        "wait": lists.without_invoice(orm.session, **here, cursor=cursor("wait")),
        "decided": lists.filed_invoices(orm.session, **here, to_check=False, cursor=cursor("decided")),
        "profiles": lists.tax_profiles(orm.session, **here, name=name, cursor=cursor("profiles")),
    }
    return show(
        "payouts/papers.html",
        to_check=[_filed(row) for row in pages["check"].rows],
        decided=[_filed(row) for row in pages["decided"].rows],
        awaited=[paper_sheets.awaited(row.Payout, row.partner) for row in pages["wait"].rows],
        ours=[paper_sheets.ours(row.Paper, row.partner) for row in page.rows],
        **pager(page, anchor="ours"),
        name=name,
        pagers={key: pager(each, name=key, anchor=key) for key, each in pages.items()},
        profiles=[paper_sheets.profile_line(row.TaxProfile, row.partner) for row in pages["profiles"].rows],
        years=queries.years(orm.session, program=g.program),
        has_buyer=tax_queries.settings_of(orm.session, **here) is not None,
    )


def _filed(row: Any) -> dict[str, Any]:
    return paper_sheets.filed(row.FiledInvoice, row.Payout, row.partner)


@blueprint.post('/<slug>/papers/filed/<public("inv"):invoice_id>/<any(accept, refuse):what>')
@access.console("manager", "finance")
def decide_invoice(invoice_id: UUID, what: str) -> BaseResponse:
    """Accept a filed invoice, or refuse it with a reason."""

    def act() -> str:
        filed = service.decide(
            orm.session, program=g.program, invoice_id=invoice_id, accepts=what == "accept", reason=given_reason(),
            actor=access.actor(), now=request_now(),
        )  # fmt: skip
        if what == "accept":
            return str(_("Invoice %(number)s accepted. Its payout waits no more.", number=filed.number))
        return str(_("Invoice %(number)s refused. The partner gets a mail with your reason.", number=filed.number))

    return acted(url_for("console.papers"), act)


@blueprint.get('/<slug>/papers/filed/<public("inv"):invoice_id>.pdf')
@access.console("manager", "finance")
def filed_invoice_pdf(invoice_id: UUID) -> Response:
    """An invoice as its partner sent it."""
    filed = queries.filed_by_id(orm.session, program_id=g.program.id, invoice_id=invoice_id)
    return _download(None if filed is None else filed.file_id)


@blueprint.get('/<slug>/papers/<public("ppr"):paper_id>.pdf')
@access.console("manager", "finance")
def issued_paper_pdf(paper_id: UUID) -> Response:
    """A paper that we wrote."""
    paper = queries.paper_of(orm.session, program_id=g.program.id, paper_id=paper_id)
    return _download(None if paper is None else paper.file_id)


def _download(file_id: UUID | None) -> Response:
    found = None if file_id is None else files.file_by_id(orm.session, file_id=file_id)
    if found is None:
        raise access.NotHere
    headers = {"Content-Disposition": f'attachment; filename="{found.name}"', "X-Content-Type-Options": "nosniff"}
    return Response(found.content, mimetype=found.media_type, headers=headers)


@blueprint.get("/<slug>/papers/<int:year>.csv")
@access.console("manager", "finance")
def tax_year_csv(year: int) -> BaseResponse:
    """What each partner was paid in a year, for the accountant."""
    if not _YEAR_FIRST <= year < date.max.year:
        raise access.NotHere
    here: dict[str, Any] = {"program": g.program, "year": year, "limit": exports.PART_SIZE}
    rows = exports.every(lambda first: queries.year(orm.session, **here, offset=first))
    lines = (paper_sheets.year_row(each, year, g.program.currency) for each in rows)
    return exports.csv_response(f"partners-{year}.csv", paper_sheets.YEAR_HEAD, lines)


@blueprint.get('/<slug>/papers/partners/<public("ptn"):partner_id>')
@access.console("manager", "finance")
def partner_taxes(partner_id: UUID) -> str:
    """Who a partner is for the taxes, what follows from it, and what VIES says."""
    name, profile = _partner(partner_id)
    asked = tax_queries.settings_of(orm.session, program_id=g.program.id)
    rules = tax_queries.rules_on(orm.session, program_id=g.program.id, day=request_now().date())
    position = None
    if profile is not None and asked is not None:
        position = tax_queries.position(asked, profile, rules.get(profile.rule_code or ""))
    check = None if profile is None else tax_queries.latest_check(orm.session, profile_id=profile.id)
    return show(
        "payouts/partner_taxes.html",
        name=name,
        profile=None if profile is None else paper_sheets.profile(profile, position),
        check=None if check is None else paper_sheets.vat_check(check),
        can_ask=bool(settings().vies_url) and profile is not None and profile.vat_id is not None,
        ask_url=url_for("console.ask_vies", partner_id=partner_id),
        partner_url=url_for("console.partner", partner_id=partner_id),
        history=[
            paper_sheets.profile_line(each, name)
            for each in tax_queries.history_of(orm.session, program_id=g.program.id, partner_id=partner_id)
        ],
    )


@blueprint.post('/<slug>/papers/partners/<public("ptn"):partner_id>/vies')
@access.console("manager", "finance")
def ask_vies(partner_id: UUID) -> BaseResponse:
    """Have VIES asked about a partner's VAT number."""
    _name, profile = _partner(partner_id)
    if profile is None or not settings().vies_url:
        raise access.NotHere

    def act() -> str:
        taxes.ask_vies(orm.session, profile=profile, actor=access.actor(), now=request_now())
        return str(_("VIES is being asked. Look again in a minute."))

    return acted(url_for("console.partner_taxes", partner_id=partner_id), act)


def _partner(partner_id: UUID) -> tuple[str, Any]:
    here = {"program_id": g.program.id, "partner_id": partner_id}
    if partners.enrollment_of(orm.session, **here) is None:
        raise access.NotHere
    name = partners.partner_names(orm.session, partner_ids=[partner_id])[partner_id]
    return name, tax_queries.profile_of(orm.session, **here)
