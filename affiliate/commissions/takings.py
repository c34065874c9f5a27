"""Taking from commissions: the adjustment, the guarded change of the row and the posting, always the three together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.commissions import changed_days
from affiliate.commissions.life import (
    ACCOUNT_OF,
    NEVER_POSTED,
    ON_ITS_WAY,
    AdjustmentSource,
    DeclineReason,
    Taking,
    Worth,
    after,
)
from affiliate.commissions.models import Commission, CommissionAdjustment
from affiliate.commissions.queries import Standing
from affiliate.errors import Conflict
from affiliate.ledger import postings as ledger
from affiliate.ledger.postings import Posting
from affiliate.money import Money, proportion

N_ = str  # marks a sentence for the translators


class BooksMoved(Conflict):
    """Rows changed between reading and writing, in spite of the lock: nothing is written, the job tries again."""

    code = "books_moved"

    def __init__(self) -> None:
        super().__init__(N_("The books changed at the same moment. Nothing was written. Try again."))


@dataclass(slots=True)
class Changes:
    """What a batch will write, gathered first."""

    adjustments: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)


def declined(standing: Standing, *, note: str | None = None, reason: DeclineReason = DeclineReason.OTHER) -> Taking:
    """A manager's no: it takes all that is left."""
    left_minor = standing.worth.left_minor
    return Taking(AdjustmentSource.MANAGER, standing.id, left_minor, note=note, decline_reason=reason)


def rejected(standing: Standing, *, verdict_id: UUID) -> Taking:
    """A fraud verdict: it takes all that is left."""
    return Taking(AdjustmentSource.REVIEW, verdict_id, standing.worth.left_minor)


def take(
    changes: Changes, standing: Standing, takings: Sequence[Taking], *, now: datetime, stays_live: bool = True
) -> None:
    """Add to the changes what these takings do to one commission, in their order."""
    worth = standing.worth
    for taking in takings:
        adjustment = _adjustment(standing, taking, now)
        changes.adjustments.append(adjustment)
        changes.postings.extend(_postings(standing, adjustment["id"], taking))
        worth = after(worth, taking)
    if worth == standing.worth and stays_live:
        return
    changes.updates.append(
        {
            "expected_id": standing.id,
            "expected_status": standing.worth.status,
            "expected_reversed": standing.worth.reversed_minor,
            "new_status": worth.status,
            "new_reason": worth.reason,
            "new_reversed_minor": worth.reversed_minor,
            "new_is_live": standing.is_live and stays_live,
            "new_counted_minor": _counted(standing, worth),
        }
    )


def _counted(standing: Standing, worth: Worth) -> int:
    """What counters count of what is left, in the plan's currency."""
    whole = int(standing.trace.get("counted_minor", worth.amount_minor))
    return proportion(amount_minor=whole, part=worth.left_minor, whole=worth.amount_minor)


def _adjustment(standing: Standing, taking: Taking, now: datetime) -> dict[str, Any]:
    return {
        # Derived from its cause: one event takes from one commission once, and its posting has one id for ever.
        "id": ids.derived(standing.id, taking.source_kind, str(taking.source_id)),
        "program_id": standing.program_id,
        "partner_id": standing.partner_id,
        "commission_id": standing.id,
        "source_kind": taking.source_kind,
        "source_id": taking.source_id,
        "amount_minor": taking.amount_minor,
        "currency": standing.currency,
        "exceeds_original": taking.exceeds_original,
        "is_clawback": standing.worth.status in ON_ITS_WAY and taking.amount_minor > 0,
        "decline_reason": taking.decline_reason,
        "note": taking.note,
        "created_at": now,
    }


def _postings(standing: Standing, adjustment_id: UUID, taking: Taking) -> list[Posting]:
    amount, status = Money(taking.amount_minor, standing.currency), standing.worth.status
    if not amount or status in NEVER_POSTED:
        return []
    whose = {"program_id": standing.program_id, "partner_id": standing.partner_id}
    if status in ON_ITS_WAY:
        return ledger.claw_back(**whose, adjustment_id=adjustment_id, amount=amount)
    return ledger.reverse(**whose, adjustment_id=adjustment_id, amount=amount, taken_from=ACCOUNT_OF[status])


_CHANGED = ("status", "reason", "reversed_minor", "is_live", "counted_minor")
_change = (
    sa.update(Commission.__table__)  # type: ignore[arg-type] # a declarative class's table is a Table
    .where(
        Commission.id == sa.bindparam("expected_id"),
        Commission.status == sa.bindparam("expected_status"),
        Commission.reversed_minor == sa.bindparam("expected_reversed"),
    )
    .values({name: sa.bindparam(f"new_{name}") for name in _CHANGED})
)


def write(session: Session, changes: Changes) -> list[Posting]:
    """Write adjustments and guarded updates, and give the postings that belong to them.

    Raises:
        BooksMoved: a commission was not in the expected state, or a loss was already taken from it.
    """
    if changes.updates:
        result = session.connection().execute(_change, changes.updates)
        if cast("CursorResult[Any]", result).rowcount != len(changes.updates):
            raise BooksMoved
    # An order's customer got money back even where its commission stays as it is: reports tell what came back.
    changed = {one["expected_id"] for one in changes.updates} | {one["commission_id"] for one in changes.adjustments}
    if changed:
        changed_days.note(session, db.among(session, Commission.id, changed))
    if len(db.insert_new(session, CommissionAdjustment, changes.adjustments)) != len(changes.adjustments):
        raise BooksMoved
    return changes.postings
