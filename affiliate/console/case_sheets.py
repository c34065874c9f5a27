"""Cases as plain values for the console."""

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, g, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate import files, ids
from affiliate.accounts import access
from affiliate.console import presenters
from affiliate.ingest.clickrules import ClickVerdict
from affiliate.money import Money
from affiliate.payouts import entry_queries
from affiliate.payouts.models import AdjustmentStatus
from affiliate.relations import queries, words
from affiliate.relations.claims import Settlement
from affiliate.relations.models import WAITING, Case, CaseMessage, Side
from affiliate.reports import click_words
from affiliate.web import orm, request_now


def line(case: Case, partner_name: str) -> dict[str, Any]:
    """A case as a line, and as the head of its page."""
    kind, word = words.status(case.status)
    return {
        "id": ids.public("cas", case.id),
        "title": words.kind(case.kind),
        "partner": partner_name,
        "partner_url": url_for("console.partner", partner_id=case.partner_id),
        "order_id": case.order_id,
        "happened_at": case.happened_at,
        "claimed": Money(case.claimed_minor, g.program.currency) if case.claimed_minor else None,
        "sign": {"kind": kind, "word": word},
        "is_open": case.status in WAITING,
        "is_late": words.is_late(case, now=request_now()),
        "age": presenters.age(case.opened_at),
        "answer_by": case.answer_by,
        "opened_at": case.opened_at,
        "url": url_for("console.case", case_id=case.id),
    }


def message(case: Case, said: CaseMessage) -> dict[str, Any]:
    """What one side said."""
    proof = url_for("console.case_proof", case_id=case.id, message_id=said.id) if said.file_id else None
    is_ours = said.side is Side.PROGRAM
    who = _("The program") if is_ours else _("The partner")
    return {"who": who, "is_mine": is_ours, "at": said.said_at, "text": said.text, "proof_url": proof}


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


def outcome(case: Case) -> dict[str, Any] | None:
    """The manual entry that settled the case."""
    if case.adjustment_id is None:
        return None
    entry = entry_queries.adjustment_of(orm.session, adjustment_id=case.adjustment_id, program_id=g.program.id)
    if entry is None:
        return None
    return {
        "amount": Money(entry.amount_minor, entry.currency),
        "is_posted": entry.status is AdjustmentStatus.POSTED,
        "is_declined": entry.status is AdjustmentStatus.DECLINED,
    }


def settlements(case: Case) -> list[dict[str, Any]]:
    """The ways to settle it; the likeliest first."""
    words_of = {
        Settlement.CREDIT: _("Credit the order to the partner; its commission follows"),
        Settlement.ENTRY: _("Pay an amount by a manual entry"),
        Settlement.WORDS: _("Nothing has to be posted"),
    }
    likely = Settlement.CREDIT if case.order_id and case.kind.value == "missing_sale" else Settlement.ENTRY
    if case.kind.value == "late_payment":
        likely = Settlement.WORDS
    return [{"value": each.value, "word": word, "is_likely": each is likely} for each, word in words_of.items()]


def proof_response(case: Case, message_id: UUID) -> Response:
    """The picture of a message.

    Raises:
        NotHere: it has none.
    """
    file_id = queries.proof_of(orm.session, case_id=case.id, message_id=message_id)
    found = files.file_by_id(orm.session, file_id=file_id) if file_id else None
    if found is None:
        raise access.NotHere
    return Response(found.content, mimetype=found.media_type, headers={"Cache-Control": "private, max-age=3600"})
