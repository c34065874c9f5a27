"""A partner's tax papers: its profile, the payment notices that wait for an invoice, what it filed and what we wrote."""

from typing import Any
from uuid import UUID

from flask import Response, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from affiliate import amounts, errors, files, formats
from affiliate.accounts import access
from affiliate.accounts.roles import MONEY, OWNER, SEES_MONEY
from affiliate.errors import Conflict, Invalid
from affiliate.money import Money
from affiliate.papers import queries, service
from affiliate.papers.models import FiledStatus
from affiliate.payouts.models import PaperState, Payout, PayoutStatus
from affiliate.portal import paper_sheets
from affiliate.portal.blueprint import blueprint, show
from affiliate.portal.paper_forms import InvoiceForm, ProfileForm
from affiliate.reports import sales
from affiliate.taxes import queries as tax_queries
from affiliate.taxes import service as taxes
from affiliate.web import orm, request_now


class NoSuchPaper(errors.NotFound):
    """There is no such paper, or it is somebody else's."""


@blueprint.get("/<slug>/papers")
@access.partner_with(SEES_MONEY)
def papers() -> str:
    """What waits for an invoice, what was filed, and what we wrote."""
    mine: dict[str, Any] = {"program_id": g.program.id, "partner_id": g.partner.id}
    profile = tax_queries.profile_of(orm.session, **mine)
    asked = tax_queries.settings_of(orm.session, program_id=g.program.id)
    return show(
        "papers.html",
        awaited=[paper_sheets.awaited(payout, filed) for payout, _n, filed in queries.awaited(orm.session, **mine)],
        filed=[paper_sheets.filed(each, payout) for each, payout, _n in queries.filed_in(orm.session, **mine)],
        ours=[paper_sheets.ours(paper) for paper, _n in queries.papers_of(orm.session, **mine)],
        profile=None if profile is None else paper_sheets.profile(profile),
        is_asked=asked is not None,
        is_demanded=asked is not None and asked.demands_profile,
    )


@blueprint.get("/<slug>/papers/profile")
@access.fresh(access.partner_with(OWNER))
def tax_profile() -> str:
    """The form, filled with what holds now, or with what was entered for another program."""
    mine = {"program_id": g.program.id, "partner_id": g.partner.id}
    present = tax_queries.profile_of(orm.session, **mine)
    before = present or tax_queries.latest_profile(orm.session, partner_id=g.partner.id)
    return _profile_page(_profile_form(before, keeps_paper=present is not None))


@blueprint.post("/<slug>/papers/profile")
@access.fresh(access.partner_with(OWNER))
def enter_tax_profile() -> ResponseReturnValue:
    """From now on this is who the partner is for the taxes."""
    form = _profile_form(None)
    if not form.validate():
        return _profile_page(form), 422
    try:
        taxes.enter_profile(
            orm.session, program_id=g.program.id, partner_id=g.partner.id, identity=form.identity(),
            wanted=form.wanted(locale=formats.locale()), actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except Invalid as refusal:
        orm.session.rollback()
        paper_sheets.say(form, refusal)
        return _profile_page(form), 422
    except Conflict as refusal:
        orm.session.rollback()
        form.form_errors.append(_(str(refusal)))
        return _profile_page(form), 409
    flash(_("Saved. It holds for payouts that are proposed from now on."), "success")
    return redirect(url_for("portal.papers"), 303)


def _profile_form(before: Any, *, keeps_paper: bool = True) -> ProfileForm:
    settings = tax_queries.settings_of(orm.session, program_id=g.program.id)
    rules = tax_queries.rules_on(orm.session, program_id=g.program.id, day=request_now().date())
    return ProfileForm.of(
        before, keeps_paper=keeps_paper, rules=list(rules.values()), country=g.partner.country,
        offers_self_billing=settings is not None and settings.offers_self_billing,
    )  # fmt: skip


def _profile_page(form: ProfileForm) -> str:
    return show("tax_profile.html", form=form)


@blueprint.get('/<slug>/papers/notices/<public("pay"):payout_id>')
@access.partner_with(SEES_MONEY)
def payment_notice(payout_id: UUID) -> str:
    """What a payout's paper says, and the form that files the partner's own."""
    return _notice_page(_payout(payout_id), InvoiceForm())


@blueprint.post('/<slug>/papers/notices/<public("pay"):payout_id>')
@access.partner_with(MONEY)
def file_invoice(payout_id: UUID) -> ResponseReturnValue:
    """File the invoice for a payout."""
    payout, form = _payout(payout_id), InvoiceForm()
    if not form.validate():
        return _notice_page(payout, form), 422
    try:
        total = amounts.read(form.total.data or "", payout.currency)
        service.file_invoice(
            orm.session, program=g.program, payout_id=payout_id, partner_id=g.partner.id, typed=form.typed(total),
            content=_uploaded(), actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except amounts.BadNumber as wrong:
        form.total.errors = [_(str(wrong))]
        return _notice_page(payout, form), 422
    except service.WrongTotal as wrong:
        orm.session.rollback()
        form.total.errors = [_wrong_total(wrong.expected, total)]
        return _notice_page(payout, form), 422
    except Invalid as refusal:
        orm.session.rollback()
        paper_sheets.say(form, refusal)
        return _notice_page(payout, form), 422
    except Conflict as refusal:
        orm.session.rollback()
        form.form_errors.append(_(str(refusal)))
        return _notice_page(payout, form), 409
    flash(_("Your invoice is with the program. You are paid once it is accepted."), "success")
    return redirect(url_for("portal.papers"), 303)


def _wrong_total(expected: Money, typed: Money) -> str:
    return str(
        _(
            "The invoice must be over %(expected)s; you typed %(typed)s. The notice says how the total comes about.",
            expected=formats.money(expected),
            typed=formats.money(typed),
        )
    )


def _uploaded() -> bytes:
    uploaded = request.files.get("file")
    return uploaded.read(service.BYTES_MAX + 1) if uploaded else b""


def _payout(payout_id: UUID) -> Payout:
    mine = {"program_id": g.program.id, "partner_id": g.partner.id}
    payout = sales.payout_of(orm.session, **mine, payout_id=payout_id)
    if payout is None or payout.notice is None:
        raise NoSuchPaper(_("There is no such payment notice."))
    return payout


def _notice_page(payout: Payout, form: InvoiceForm) -> str:
    filed = queries.filed_of(orm.session, payout_id=payout.id)
    waits = payout.status is PayoutStatus.PROPOSED and payout.paper is PaperState.AWAITED
    lies = filed is not None and filed.status is FiledStatus.FILED
    may_file = access.may("portal.file_invoice", "POST")
    return show(
        "payment_notice.html",
        form=form if waits and not lies and may_file else None,
        needs_vat_id=bool((payout.notice or {})["seller"]["vat_id"]),
        filed=None if filed is None else paper_sheets.filed(filed, payout),
        ours=[paper_sheets.ours(each) for each in queries.papers_of_payout(orm.session, payout_id=payout.id)],
        **paper_sheets.notice(payout),
    )


@blueprint.get('/<slug>/papers/<public("ppr"):paper_id>.pdf')
@access.partner_with(SEES_MONEY)
def paper_pdf(paper_id: UUID) -> Response:
    """A paper that we wrote."""
    mine = {"program_id": g.program.id, "partner_id": g.partner.id}
    paper = queries.paper_of(orm.session, **mine, paper_id=paper_id)
    return _download(None if paper is None else paper.file_id)


@blueprint.get('/<slug>/papers/filed/<public("inv"):invoice_id>.pdf')
@access.partner_with(SEES_MONEY)
def filed_pdf(invoice_id: UUID) -> Response:
    """An invoice that the partner filed."""
    mine = {"program_id": g.program.id, "partner_id": g.partner.id}
    filed = queries.filed_by_id(orm.session, **mine, invoice_id=invoice_id)
    return _download(None if filed is None else filed.file_id)


def _download(file_id: UUID | None) -> Response:
    found = None if file_id is None else files.file_by_id(orm.session, file_id=file_id)
    if found is None:
        raise NoSuchPaper(_("There is no such paper."))
    return files_response(found)


def files_response(found: files.File) -> Response:
    """A paper as an attachment: no browser opens what somebody uploaded inside our pages."""
    headers = {"Content-Disposition": f'attachment; filename="{found.name}"', "X-Content-Type-Options": "nosniff"}
    return Response(found.content, mimetype=found.media_type, headers=headers)
