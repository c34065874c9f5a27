"""Cases as plain values for the console."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import g, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate.console import presenters
from affiliate.console.blueprint import can
from affiliate.ingest.clickrules import ClickVerdict
from affiliate.payouts.models import Payout
from affiliate.relations import payment_sheets, queries, sheets
from affiliate.relations.claims import Settlement
from affiliate.relations.models import Case, CaseKind, CaseMessage, Side
from affiliate.reports import click_words
from affiliate.web import orm, request_now


def line(case: Case, partner_name: str) -> dict[str, Any]:
    """A case as a line, and as the head of its page."""
    return sheets.line(case, currency=g.program.currency, now=request_now()) | {
        "partner": partner_name,
        "partner_url": url_for("console.partner", partner_id=case.partner_id),
        "age": presenters.age(case.opened_at),
        "url": url_for("console.case", case_id=case.id),
    }


def messages(case: Case) -> list[dict[str, Any]]:
    """All that was said in a case."""
    said = queries.messages_of(orm.session, case_id=case.id)
    papers = queries.documents_among(orm.session, messages=said)
    return [_message(case, one, with_files, papers) for one, with_files in sheets.spoken(said)]


def _message(
    case: Case, said: CaseMessage, with_files: Sequence[CaseMessage], papers: Collection[UUID]
) -> dict[str, Any]:
    """What one side said, with its files."""
    is_ours = said.side is Side.PROGRAM
    who = _("The program") if is_ours else _("The partner")
    return {
        "who": who,
        "is_mine": is_ours,
        "at": said.said_at,
        "text": said.text,
        "proofs": [
            {"url": url_for("console.case_proof", case_id=case.id, message_id=one.id), "is_document": one.id in papers}
            for one in with_files
        ],
    }


def trace(case: Case) -> dict[str, Any]:
    """What the system knew when the case was opened: the order and who was credited, and the partner's clicks before."""
    clicks = case.trace.get("clicks", {})
    valid = clicks.get(ClickVerdict.VALID.value, 0)
    reasons = [
        f"{click_words.not_counted(ClickVerdict(verdict))}: {count}"
        for verdict, count in sorted(clicks.items())
        if verdict != ClickVerdict.VALID.value
    ]
    return {
        "orders": [_order(order) for order in case.trace.get("orders", [])],
        "clicks": ngettext(
            "%(num)d valid click in the 30 days before", "%(num)d valid clicks in the 30 days before", valid
        ),
        "not_counted": ", ".join(reasons),
        "import_url": url_for("console.import_orders"),
    }


def _order(order: dict[str, Any]) -> dict[str, Any]:
    credited = order["credited"]
    return {
        "url": url_for("console.conversion", conversion_id=UUID(order["conversion_id"])),
        "at": datetime.fromisoformat(order["occurred_at"]),
        "credited": ", ".join(credited) if credited else _("nobody"),
    }


def payment_ways(case: Case) -> dict[str, Any]:
    """What was paid since a late payment was opened, and where its payout, its run and the partner's payment are, for who may see them."""
    if case.kind is not CaseKind.LATE_PAYMENT:
        return {}
    paid, ways = payment_sheets.paid_since(orm.session, case), []
    payout = orm.session.get(Payout, case.payout_id) if case.payout_id else None
    if payout is not None and can("payout"):
        ways.append((_("The payout"), _payout_url(payout.run_id, payout.id)))
        ways.append((_("Its run"), url_for("console.payout_run", run_id=payout.run_id)))
    if payout is None and can("payouts"):
        ways.append((_("What can be paid now"), url_for("console.payouts")))
    if can("payment"):
        ways.append((_("How the partner is paid"), url_for("console.payment", partner_id=case.partner_id)))
    paid_url = _payout_url(paid["run_id"], paid["payout_id"]) if paid and can("payout") else None
    return {"ways": ways, "paid": paid, "paid_url": paid_url}


def _payout_url(run_id: UUID, payout_id: UUID) -> str:
    return url_for("console.payout", run_id=run_id, payout_id=payout_id)


def review_url(case: Case) -> str | None:
    """Where the order of an appeal is judged."""
    if case.kind is not CaseKind.FRAUD_APPEAL:
        return None
    return url_for("console.fraud_case", conversion_id=case.conversion_id, partner_id=case.partner_id)


def settlements(case: Case, *, moves_money: bool) -> dict[str, Any]:
    """The ways to settle it, each with its word, and the likeliest; in words alone for who moves no money."""
    if case.kind is CaseKind.FRAUD_APPEAL:
        release = Settlement.RELEASE.value
        return {"settlements": [(release, _("The order passes; its commission goes on"))], "likely": release}
    words_of = {
        Settlement.CREDIT: _("Credit the order to the partner; its commission follows"),
        Settlement.ENTRY: _("Pay an amount by a manual entry"),
        Settlement.WORDS: _("Nothing has to be posted"),
    }
    likely = Settlement.CREDIT if case.order_id and case.kind is CaseKind.MISSING_SALE else Settlement.ENTRY
    if case.kind is CaseKind.LATE_PAYMENT:
        likely = Settlement.WORDS
    offered = [(each.value, word) for each, word in words_of.items() if moves_money or each is Settlement.WORDS]
    return {"settlements": offered, "likely": likely.value}
