"""Cases as plain values: what both sides are shown in the same way."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy.orm import Session

from affiliate import files, ids
from affiliate.accounts import access
from affiliate.money import Money
from affiliate.payouts import entry_queries
from affiliate.payouts.models import AdjustmentKind, AdjustmentStatus
from affiliate.relations import queries, words
from affiliate.relations.models import WAITING, Case, CaseKind, CaseMessage


def line(case: Case, *, currency: str, now: datetime) -> dict[str, Any]:
    """A case as a line, and as the head of its page. `currency` is the program's."""
    kind, word = words.status(case.status)
    return {
        "id": ids.public("cas", case.id),
        "title": words.kind(case.kind),
        "order_id": case.order_id,
        "needs_order": case.kind is not CaseKind.LATE_PAYMENT,
        "happened_at": case.happened_at,
        "claimed": Money(case.claimed_minor, currency) if case.claimed_minor else None,
        "sign": {"kind": kind, "word": word},
        "is_open": case.status in WAITING,
        "is_late": words.is_late(case, now=now),
        "answer_by": case.answer_by,
        "opened_at": case.opened_at,
    }


def outcome(session: Session, case: Case) -> dict[str, Any] | None:
    """The manual entry, or the credit by hand, that settled the case."""
    if case.adjustment_id is None:
        return None
    entry = entry_queries.adjustment_of(session, adjustment_id=case.adjustment_id, program_id=case.program_id)
    if entry is None:
        return None
    return {
        "amount": Money(entry.amount_minor, entry.currency),
        "is_posted": entry.status is AdjustmentStatus.POSTED,
        "is_declined": entry.status is AdjustmentStatus.DECLINED,
        "is_credit": entry.kind is AdjustmentKind.CREDIT,
        "is_credited": entry.status is AdjustmentStatus.CREDITED,
    }


def spoken(messages: Sequence[CaseMessage]) -> list[tuple[CaseMessage, list[CaseMessage]]]:
    """What was said, each with the rows that hold a file of it: more files than one are rows without words, of the same moment."""
    found: list[tuple[CaseMessage, list[CaseMessage]]] = []
    for one in messages:
        if found and not one.text and (one.side, one.said_at) == (found[-1][0].side, found[-1][0].said_at):
            found[-1][1].append(one)
        else:
            found.append((one, [one]))
    return [(said, [row for row in rows if row.file_id is not None]) for said, rows in found]


def proof_response(session: Session, case: Case, *, message_id: UUID) -> Response:
    """The picture of a message of this case; a document leaves as an attachment, because it can hide what runs.

    Raises:
        NotHere: it has none.
    """
    file_id = queries.proof_of(session, case_id=case.id, message_id=message_id)
    found = files.file_by_id(session, file_id=file_id) if file_id else None
    if found is None:
        raise access.NotHere
    headers = {"Cache-Control": "private, max-age=3600"}
    if not found.media_type.startswith("image/"):
        headers["Content-Disposition"] = f'attachment; filename="{found.name}"'
    return Response(found.content, mimetype=found.media_type, headers=headers)
