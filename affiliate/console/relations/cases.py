"""Cases for managers: the list with its promised times, one with its history, trace and acts."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Response, g, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import amounts
from affiliate.accounts import access
from affiliate.console import presenters, roles
from affiliate.console.blueprint import acted, blueprint, can, cursor, is_manager, pager, show
from affiliate.console.queries import lists
from affiliate.console.relations import case_sheets
from affiliate.errors import Invalid
from affiliate.money import Money
from affiliate.partners import queries as partners
from affiliate.relations import payment_sheets, queries, service, sheets
from affiliate.relations.claims import Settlement
from affiliate.relations.models import Case, CaseKind, CaseStatus
from affiliate.web import orm, request_now


@blueprint.get("/<slug>/cases")
@access.console(*roles.SEES_CASES)
def cases() -> str:
    """The cases that wait for us, or for their partner, the soonest promise first; or all."""
    asked, name = request.args.get("status"), request.args.get("name", "").strip()[:120]
    status = {"all": None, "asked": CaseStatus.ASKED}.get(asked or "", CaseStatus.OPEN)
    found = lists.cases(orm.session, program_id=g.program.id, status=status, name=name, cursor=cursor())
    waiting = lists.waiting_cases(orm.session, program_id=g.program.id)
    chips = [
        presenters.chip(word, current=status is each, count=waiting.get(each, 0), status=value)
        for each, value, word in (
            (CaseStatus.OPEN, None, _("Waiting for you")),
            (CaseStatus.ASKED, "asked", _("Waiting for the partner")),
        )
    ]
    chips.append(presenters.chip(_("All"), current=status is None, status="all"))
    return show(
        "relations/cases.html",
        rows=[case_sheets.line(row.Case, row.partner) for row in found.rows],
        name=name,
        chips=chips,
        days=g.program.case_answer_days,
        pager=pager(found),
    )


@blueprint.get('/<slug>/cases/<public("cas"):case_id>')
@access.console(*roles.SEES_CASES)
def case(case_id: UUID) -> str:
    """One case: what was said, what the system knows, and the acts on it."""
    found = _found(case_id)
    seen = queries.message_count(
        orm.session, case_id=found.id
    )  # before they are read: later ones are not taken for seen
    partner = partners.partner_by_id(orm.session, partner_id=found.partner_id)
    line = case_sheets.line(found, partner.name if partner else "")
    return show(
        "relations/case.html",
        case=line,
        said=case_sheets.messages(found),
        trace=case_sheets.trace(found),
        known=payment_sheets.known(found) if can("payouts") else [],
        **case_sheets.payment_ways(found),
        outcome=sheets.outcome(orm.session, found),
        review_url=case_sheets.review_url(found),
        may_settle=line["is_open"] and can("accept_case", "POST") and _may_settle(found),
        **case_sheets.settlements(found, moves_money=is_manager()),
        asks_order=_asks_order(found),
        order_id=request.args.get("order", "")[:120] or found.order_id,
        order_url=url_for("console.case_order", case_id=found.id) if _asks_order(found) else None,
        claimed=Money(found.claimed_minor, g.program.currency).text() if found.claimed_minor else "",
        currency=g.program.currency,
        seen=seen,
        typed=request.form,
    )


@blueprint.post('/<slug>/cases/<public("cas"):case_id>/<any(answer, ask, decline):act>')
@access.console(*roles.LOGISTICS)
def answer_case(case_id: UUID, act: str) -> BaseResponse:
    """Answer, ask back, or decline, each with words that the partner reads."""
    text, who, seen = request.form.get("text", ""), _who(case_id), presenters.seen(request.form.get("seen"))
    if act == "decline" and not _may_settle(_found(case_id)):
        raise access.NotHere
    acts: dict[str, Callable[[], None]] = {
        "answer": lambda: service.answer(orm.session, text=text, asks=False, **who),
        "ask": lambda: service.answer(orm.session, text=text, asks=True, **who),
        "decline": lambda: service.decline(orm.session, text=text, seen=seen, **who),
    }
    told = {"answer": _("Sent."), "ask": _("Sent. The case waits for the partner."), "decline": _("Declined.")}

    def do() -> str:
        acts[act]()
        return told[act]

    return acted(_address(case_id), do)


@blueprint.post('/<slug>/cases/<public("cas"):case_id>/accept')
@access.console(*roles.LOGISTICS)
def accept_case(case_id: UUID) -> BaseResponse:
    """Agree, and post what follows. Only managers post money; who answers cases for them agrees in words."""
    settlement = presenters.chosen_in_form(Settlement, "settlement", Settlement.WORDS)
    if settlement is not Settlement.WORDS and not is_manager():
        raise access.NotHere

    def do() -> str:
        service.accept(
            orm.session, settlement=settlement, amount=_amount() if settlement is Settlement.ENTRY else None,
            text=request.form.get("text", ""), seen=presenters.seen(request.form.get("seen")),
            order_id=request.form.get("order_id", ""), **_who(case_id),
        )  # fmt: skip
        return _("Accepted. The partner has a mail.")

    return acted(_address(case_id), do)


@blueprint.get('/<slug>/cases/<public("cas"):case_id>/proof/<uuid:message_id>')
@access.console(*roles.SEES_CASES)
def case_proof(case_id: UUID, message_id: UUID) -> Response:
    """A picture of this case."""
    return sheets.proof_response(orm.session, _found(case_id), message_id=message_id)


def _asks_order(case: Case) -> bool:
    """Whether an acceptance may have to say which order: none had arrived when the case was opened."""
    return case.conversion_id is None and case.kind is not CaseKind.FRAUD_APPEAL and is_manager()


def _amount() -> Money:
    try:
        return amounts.read(request.form.get("amount", ""), g.program.currency)
    except amounts.BadNumber as wrong:
        raise Invalid({"amount": [str(wrong)]}) from wrong


def _may_settle(case: Case) -> bool:
    """To settle an appeal is to judge its order, which is for managers; others answer it and ask."""
    return case.kind is not CaseKind.FRAUD_APPEAL or is_manager()


def _found(case_id: UUID) -> Case:
    found = queries.case_in(orm.session, program_id=g.program.id, case_id=case_id)
    if found is None:
        raise service.NoSuchCase(_("There is no such case."))
    return found


def _who(case_id: UUID) -> dict[str, Any]:
    return {"program": g.program, "case_id": case_id, "actor": access.actor(), "now": request_now()}


def _address(case_id: UUID) -> str:
    return url_for("console.case", case_id=case_id)
