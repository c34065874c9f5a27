"""What a validation does to the books for a batch of its lines: orders counted anew, reduced, declined, approved.

Nothing is edited: a smaller order is a loss of the order as a refund is, a decline takes what is left, and an order
that counts after all gets its commissions anew, with their own ids and postings.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.commissions import changed_days, commissioning, life, queries, service, validation, validation_queries
from affiliate.commissions.models import Commission, Reduction, ValidationFile
from affiliate.commissions.queries import Standing
from affiliate.commissions.takings import BooksMoved, Changes, declined, take, write
from affiliate.commissions.validation import CHANGES, Decision, Line, Verdict
from affiliate.ledger import service as ledger_service
from affiliate.ledger.postings import Posting


@dataclass(frozen=True, slots=True)
class Previewed:
    """A line by its place in the file, the order it speaks of, and what it means now."""

    number: int
    line: Line
    conversion_id: UUID | None
    decision: Decision


def do(session: Session, *, file: ValidationFile, found: Sequence[Previewed], now: datetime) -> None:
    """Do what these lines of a confirmed file mean. Under the lock of the books, under which they were decided."""
    postings = _reinstate(session, file, _of(found, Verdict.REINSTATE), now)
    postings += _reduce(session, file, found, now)
    postings += _decline(session, _of(found, Verdict.DECLINE), file, now)
    ledger_service.post(session, postings=postings, now=now)
    confirmed = [*_of(found, Verdict.APPROVE), *_of(found, Verdict.REDUCE), *_of(found, Verdict.REINSTATE)]
    service.approve_orders(session, conversion_ids=[key for one in confirmed if (key := one.conversion_id)], now=now)


def _of(found: Sequence[Previewed], verdict: Verdict) -> list[Previewed]:
    return [one for one in found if one.decision.verdict is verdict]


def _reinstate(session: Session, file: ValidationFile, found: Collection[Previewed], now: datetime) -> list[Posting]:
    """Give ended orders their commissions anew; what ended them before is void from now on."""
    by_conversion = {one.conversion_id: one for one in found if one.conversion_id}
    if not by_conversion:
        return []
    session.execute(
        sa.insert(Reduction),
        [_reduction(one, file, 0, now, is_reinstatement=True) for one in by_conversion.values()],
    )
    ended = validation_queries.ended(session, conversion_ids=by_conversion.keys())
    change = sa.update(Commission).where(Commission.id.in_([row["id"] for row in ended]), Commission.is_live)
    result = session.execute(
        change.values(is_live=False, reinstated_at=now), execution_options={"synchronize_session": False}
    )
    if cast("CursorResult[Any]", result).rowcount != len(ended):
        raise BooksMoved
    rows = [_anew(row, now) for row in ended]
    if rows:
        session.execute(sa.insert(Commission), rows)
        changed_days.note(
            session, Commission.id.in_([row["id"] for row in rows])
        )  # the ended ones were of the same days
    postings = [posting for row in rows for posting in commissioning.accrual(commissioning.fresh(row))]
    return postings + service.take_losses(session, conversion_ids=by_conversion.keys(), now=now)


def _anew(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    turn = row["turn"] + 1
    same = {name: value for name, value in row.items() if name not in {"approved_at", "paid_at", "payout_id"}}
    return same | {
        "id": ids.derived(row["id"], "turn", str(turn)),
        "turn": turn,
        "status": life.CommissionStatus.PENDING,
        "reason": None,
        "reversed_minor": 0,
        "counted_minor": row["trace"].get("counted_minor", row["amount_minor"]),
        "is_live": True,
        "reinstated_at": None,
        "awaits": None,  # the shop's word is that it counts
        "created_at": now,
    }


def _reduce(session: Session, file: ValidationFile, found: Sequence[Previewed], now: datetime) -> list[Posting]:
    """Write what orders were worth less, and take it from their commissions, in a payout or not."""
    less = [one for one in found if one.decision.verdict in CHANGES and one.decision.less_minor and one.conversion_id]
    gone = validation_queries.on_its_way(
        session, conversion_ids=[one.conversion_id for one in _of(found, Verdict.DECLINE) if one.conversion_id]
    )
    rows = [_reduction(one, file, one.decision.less_minor, now) for one in less]
    rows += [
        _reduction(one, file, gone[one.conversion_id], now)
        for one in _of(found, Verdict.DECLINE)
        if one.conversion_id in gone
    ]
    if not rows:
        return []
    session.execute(sa.insert(Reduction), rows)
    return service.take_losses(session, conversion_ids={row["conversion_id"] for row in rows}, now=now)


def _reduction(
    one: Previewed, file: ValidationFile, amount_minor: int, now: datetime, *, is_reinstatement: bool = False
) -> dict[str, Any]:
    return {
        "id": ids.new_at(now),
        "program_id": file.program_id,
        "conversion_id": one.conversion_id,
        "amount_minor": amount_minor,
        "is_reinstatement": is_reinstatement,
        "note": one.line.reason or None,
        "created_by_id": file.confirmed_by_id,
        "created_at": now,
    }


def _decline(session: Session, found: Sequence[Previewed], file: ValidationFile, now: datetime) -> list[Posting]:
    """Take what is left of commissions that are still with us, with the shop's reason."""
    notes = {one.conversion_id: one.line.reason or file.name for one in found if one.conversion_id}
    changes = Changes()
    standings: list[Standing] = queries.standings_of(session, conversion_ids=notes.keys())
    for standing in standings:
        if standing.worth.status in life.WITH_US:
            note = notes[standing.conversion_id]
            take(changes, standing, [declined(standing, note=note, reason=validation.why(note))], now=now)
    return write(session, changes)
