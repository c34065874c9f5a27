"""A partner's cases: the list, opening one, one with its history."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from flask import Response, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.datastructures import FileStorage
from wtforms import HiddenField, MultipleFileField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from affiliate import amounts, formats, ids
from affiliate.accounts import access
from affiliate.accounts.roles import WORKS
from affiliate.errors import Conflict, Invalid
from affiliate.fields import DayField
from affiliate.money import Money
from affiliate.payouts.models import Payout
from affiliate.portal.blueprint import blueprint, page_number, show, with_arguments, zone
from affiliate.relations import payment_sheets, queries, service, sheets, words
from affiliate.relations.claims import PROOFS_MAX, BadProofs, Claim, Proof
from affiliate.relations.late_payments import NoSuchPayout
from affiliate.relations.models import Case, CaseKind, CaseMessage, CaseStatus, Side
from affiliate.reports import periods
from affiliate.reports import sales as payouts
from affiliate.reports import words as report_words
from affiliate.web import orm, request_now

PAGE_SIZE = 30
_PROOF_BYTES_MAX = 5_000_000
_PAYOUTS_OFFERED = 12


def _trimmed(text: str | None) -> str:
    return (text or "").strip()


class CaseForm(FlaskForm):  # type: ignore[misc] # the library is not typed
    """What a partner claims, with its proof."""

    kind = SelectField(
        _l("What it is about"), choices=lambda: [SelectChoice(each.value, words.kind(each)) for each in CaseKind]
    )
    payout = SelectField(
        _l("Payout"), choices=(), validate_choice=False, description=_l("Which one, if a payment is late.")
    )  # whose it is, is found out where the case is opened
    order_id = StringField(
        _l("Order number"), filters=[_trimmed], description=_l("From the customer's confirmation. If you do not know it, name the day.")
    )  # fmt: skip
    sale = HiddenField()  # which of the order's conversions an appeal is about
    happened_on = DayField(_l("Day of the order"), validators=[Optional()])
    amount = StringField(_l("Amount you expect"), filters=[_trimmed])
    text = TextAreaField(_l("What happened"), filters=[_trimmed])
    proof = MultipleFileField(
        _l("Proof"),
        description=_l(
            "Up to five pictures (PNG, JPEG, GIF or WebP up to 3 MB) or PDFs, 4.5 MB together, for example the confirmation."
        ),
    )

    @property
    def is_about_payment(self) -> bool:
        """Whether a payment is late: it needs no order."""
        return self.kind.data == CaseKind.LATE_PAYMENT.value

    def claim(self) -> Claim | None:
        """What was typed; nothing when the amount cannot be read, which is then said at its field.

        Raises:
            NoSuchPayout: what it names is none, or the reader sees no payouts.
        """
        claimed: Money | None = None
        if self.amount.data:
            try:
                claimed = amounts.read(self.amount.data, g.program.currency)
            except amounts.BadNumber as wrong:
                self.amount.errors = [*self.amount.errors, _(str(wrong))]
                return None
        day = self.happened_on.data
        return Claim(
            CaseKind(self.kind.data), self.text.data, self.order_id.data,
            periods.start_of_day(day, zone=zone()) if day else None, claimed, _proofs(self.proof.data or []), ids.read("cnv", self.sale.data or ""),
            _payout_named(self.payout.data or "") if self.is_about_payment else None,
        )  # fmt: skip

    def blame(self, errors: dict[str, list[str]]) -> None:
        """Put the sentences of a refusal, in the reader's words, at their fields."""
        for name, sentences in errors.items():
            self[name].errors = [*self[name].errors, *sentences]


@blueprint.get("/<slug>/cases")
@access.partner
def cases() -> str:
    """All cases, the newest first."""
    page = page_number()
    found = queries.cases(orm.session, **_mine(), limit=PAGE_SIZE + 1, offset=(page - 1) * PAGE_SIZE)
    return show(
        "cases.html",
        rows=[line(each.case) for each in found[:PAGE_SIZE]],
        days=g.program.case_answer_days,
        newer_url=with_arguments(page=str(page - 1)) if page > 1 else None,
        older_url=with_arguments(page=str(page + 1)) if len(found) > PAGE_SIZE else None,
    )


@blueprint.get("/<slug>/cases/new")
@access.partner_with(WORKS)
def new_case() -> str:
    """The form, with what the address knows already."""
    known = {
        "kind": request.args.get("kind"),
        "order_id": request.args.get("order", "")[:120],
        "sale": request.args.get("sale", "")[:40],
        "payout": request.args.get("payout", "")[:40],
    }
    return _form_page(CaseForm(formdata=None, data=known))


@blueprint.post("/<slug>/cases")
@access.partner_with(WORKS)
def open_case() -> ResponseReturnValue:
    """Open a case; a refused form comes back with what was typed."""
    form = CaseForm()
    claim = form.claim() if form.validate() else None
    if claim is None:
        return _form_page(form), 422
    if form.is_about_payment and "payout" not in request.form and _payout_choices(None):
        return _form_page(form)  # the page had been about a sale, and asked for no payout
    try:
        made = service.open_case(
            orm.session,
            program=g.program,
            partner_id=g.partner.id,
            claim=claim,
            actor=access.actor(),
            now=request_now(),
        )
    except Invalid as refusal:
        form.blame(_told(refusal))
        return _form_page(form), 422
    except Conflict as refusal:
        orm.session.rollback()
        flash(_(str(refusal)), "error")
        return _form_page(form), 409
    flash(_("Your case is with the program."), "success")
    return redirect(url_for("portal.case", case_id=made.id), 303)


@blueprint.get('/<slug>/cases/<public("cas"):case_id>')
@access.partner
def case(case_id: UUID) -> str:
    """One case with all that was said."""
    return _case_page(_found(case_id))


@blueprint.post('/<slug>/cases/<public("cas"):case_id>')
@access.partner_with(WORKS)
def reply_to_case(case_id: UUID) -> ResponseReturnValue:
    """Add something to it."""
    text = request.form.get("text", "")
    try:
        service.reply(
            orm.session, program=g.program, partner_id=g.partner.id, case_id=case_id, text=text,
            proofs=_proofs(request.files.getlist("proof")), actor=access.actor(), now=request_now(),
        )  # fmt: skip
    except (Invalid, Conflict) as refusal:
        orm.session.rollback()
        told = _told(refusal) if isinstance(refusal, Invalid) else {"text": [_(str(refusal))]}
        return _case_page(_found(case_id), text=text, wrong=told), 422
    flash(_("It is with the program."), "success")
    return redirect(url_for("portal.case", case_id=case_id), 303)


@blueprint.post('/<slug>/cases/<public("cas"):case_id>/withdraw')
@access.partner_with(WORKS)
def withdraw_case(case_id: UUID) -> ResponseReturnValue:
    """Take it back."""
    try:
        service.withdraw(
            orm.session, program=g.program, partner_id=g.partner.id, case_id=case_id,
            actor=access.actor(), now=request_now(),
        )  # fmt: skip
        flash(_("Withdrawn. You can open another one at any time."), "success")
    except Conflict as refusal:
        orm.session.rollback()
        flash(_(str(refusal)), "error")
    return redirect(url_for("portal.case", case_id=case_id), 303)


@blueprint.get('/<slug>/cases/<public("cas"):case_id>/proof/<uuid:message_id>')
@access.partner
def case_proof(case_id: UUID, message_id: UUID) -> Response:
    """A picture or document of this case."""
    return sheets.proof_response(orm.session, _found(case_id), message_id=message_id)


def line(one: Case) -> dict[str, Any]:
    """A case as a line, and as the head of its page."""
    return sheets.line(one, currency=g.program.currency, now=request_now()) | {
        "is_mine": one.status is CaseStatus.ASKED,
        "url": url_for("portal.case", case_id=one.id),
    }


def _case_page(found: Case, *, text: str = "", wrong: dict[str, list[str]] | None = None) -> str:
    errors = {name: " ".join(sentences) for name, sentences in (wrong or {}).items()}
    messages = queries.messages_of(orm.session, case_id=found.id)
    papers = queries.documents_among(orm.session, messages=messages)
    said = [_message(found, message, with_files, papers) for message, with_files in sheets.spoken(messages)]
    sees_money = access.may("portal.payouts")
    paid = payment_sheets.paid_since(orm.session, found) if sees_money else None
    return show(
        "case.html", case=line(found), said=said, text=text, errors=errors, outcome=sheets.outcome(orm.session, found),
        known=payment_sheets.known(found) if sees_money else [], paid=paid,
        payout_url=url_for("portal.payout", payout_id=found.payout_id) if found.payout_id and sees_money else None,
        paid_url=url_for("portal.payout", payout_id=paid["payout_id"]) if paid else None,
    )  # fmt: skip


def _message(
    of: Case, message: CaseMessage, with_files: Sequence[CaseMessage], papers: Collection[UUID]
) -> dict[str, Any]:
    is_mine = message.side is Side.PARTNER
    return {
        "who": _("You") if is_mine else _("The program"),
        "is_mine": is_mine,
        "at": message.said_at,
        "text": message.text,
        "proofs": [
            {"url": url_for("portal.case_proof", case_id=of.id, message_id=one.id), "is_document": one.id in papers}
            for one in with_files
        ],
    }


def _form_page(form: CaseForm) -> str:
    named = _payout_named(form.payout.data or "")
    if named is not None and payouts.payout_of(orm.session, **_mine(), payout_id=named) is None:
        raise NoSuchPayout(_("There is no such payout."))
    form.payout.choices = _payout_choices(named)
    return show(
        "new_case.html",
        form=form,
        asks_payout=form.payout.choices and (form.is_about_payment or "kind" not in request.args),
        days=g.program.case_answer_days,
        answer_by=service.promised(g.program, now=request_now()),
    )


def _found(case_id: UUID) -> Case:
    found = queries.case_in(orm.session, program_id=g.program.id, case_id=case_id, partner_id=g.partner.id)
    if found is None:
        raise service.NoSuchCase(_("There is no such case."))
    return found


def _payout_named(text: str) -> UUID | None:
    """The payout that an address or a form names; whose it is, nobody has looked yet."""
    if not text:
        return None
    named = ids.read("pay", text)
    if named is None or not access.may("portal.payouts"):
        raise NoSuchPayout(_("There is no such payout."))
    return named


def _payout_choices(named: UUID | None) -> list[SelectChoice]:
    """The newest payouts and the one that is named, for who sees payouts and has some."""
    if not access.may("portal.payouts"):
        return []
    found = list(payouts.payouts(orm.session, **_mine(), limit=_PAYOUTS_OFFERED))
    if named is not None and named not in {one.id for one in found}:
        found += filter(None, [payouts.payout_of(orm.session, **_mine(), payout_id=named)])
    choices = [SelectChoice(ids.public("pay", one.id), _payout_label(one)) for one in found]
    return [SelectChoice("", _("What is in no payout yet")), *choices] if choices else []


def _payout_label(one: Payout) -> str:
    amount = formats.money(Money(one.to_pay_minor, one.currency))
    return f"{amount} · {formats.day(one.created_at)} · {report_words.payout(one.status).word}"


def _mine() -> dict[str, Any]:
    return {"program_id": g.program.id, "partner_id": g.partner.id}


def _proofs(uploads: Sequence[Any]) -> list[Proof]:
    """The files that came: one more than may come is enough to say so."""
    named = [upload for upload in uploads if isinstance(upload, FileStorage) and upload.filename]
    return [Proof(upload.filename or "", upload.read(_PROOF_BYTES_MAX)) for upload in named[: PROOFS_MAX + 1]]


def _told(refusal: Invalid) -> dict[str, list[str]]:
    """What is wrong with which field, in the reader's words; a file's reason stands behind its name."""
    if isinstance(refusal, BadProofs):
        return {"proof": [f"{name}: {_(reason)}" if name else _(reason) for name, reason in refusal.refused]}
    return {field: [_(sentence) for sentence in sentences] for field, sentences in refusal.errors.items()}
