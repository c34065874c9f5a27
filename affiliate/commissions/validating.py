"""Every write of the validation by file: the upload, and its confirmation in one transaction.

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
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.commissions import commissioning, life, queries, service, validation, validation_queries
from affiliate.commissions.models import Commission, Reduction, ValidationFile
from affiliate.commissions.queries import Standing
from affiliate.commissions.takings import BooksMoved, Changes, declined, take, write
from affiliate.commissions.validation import CHANGES, LINES_MAX, REASON_LENGTH_MAX, Decision, Line, Verdict, Word
from affiliate.commissions.validation_queries import Wanted
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.ledger import service as ledger_service
from affiliate.ledger.postings import Posting

N_ = str  # marks a sentence for the translators
NAME_LENGTH_MAX = 200


class UnknownFile(NotFound):
    """There is no such file in this program."""


class AlreadyConfirmed(Conflict):
    """The file was confirmed before: its results stand."""

    code = "already_confirmed"

    def __init__(self) -> None:
        super().__init__(N_("This file was confirmed before. Its results stand below."))


@dataclass(frozen=True, slots=True)
class Previewed:
    """A line, the order it speaks of, and what it means now."""

    line: Line
    conversion_id: UUID | None
    decision: Decision


def upload(session: Session, *, program_id: UUID, name: str, content: bytes, currency: str, actor: Actor, now: datetime) -> ValidationFile:  # fmt: skip
    """Keep a file to look at what it would do; nothing changes yet.

    Raises:
        BadTable: it is no list of orders.
    """
    lines = validation.read(content, currency=currency)
    return _keep(session, program_id=program_id, name=name, lines=lines, actor=actor, now=now)


def choose(
    session: Session,
    *,
    program_id: UUID,
    wanted: Wanted,
    word: Word,
    reason: str,
    name: str,
    actor: Actor,
    now: datetime,
) -> ValidationFile:
    """A list of the orders that a filter finds, with one word about all of them, to look at what it would do.

    From here on it is like a file: what each line would do is shown, and confirmed, and each has its result.

    Raises:
        Invalid: the filter finds nothing or too much, or nothing says why orders are declined.
    """
    if word is Word.DECLINED and not reason.strip():
        raise Invalid({"reason": [N_("Say why, in up to 500 characters. The partner will read it.")]})
    orders = validation_queries.pending(session, program_id=program_id, wanted=wanted, limit=LINES_MAX + 1)
    if not orders:
        raise Invalid({"ends_on": [N_("No order waits for its validation in these days.")]})
    if len(orders) > LINES_MAX:
        raise Invalid({"ends_on": [N_("These are more than 5,000 orders. Choose fewer days.")]})
    lines = [Line(order_id, word, None, reason.strip()[:REASON_LENGTH_MAX]) for order_id in orders]
    return _keep(session, program_id=program_id, name=name, lines=lines, actor=actor, now=now)


def _keep(
    session: Session, *, program_id: UUID, name: str, lines: Sequence[Line], actor: Actor, now: datetime
) -> ValidationFile:
    file = ValidationFile(
        id=ids.new_at(now), program_id=program_id, name=name[:NAME_LENGTH_MAX],
        lines=[[line.order_id, line.word, line.amount_minor, line.reason] for line in lines],
        uploaded_by_id=actor.id if actor.kind == "user" else None, uploaded_at=now,
    )  # fmt: skip
    session.add(file)
    session.flush()
    _record(session, "validation.upload", file.id, program_id, {"lines": len(lines)}, actor=actor, now=now)
    return file


def preview(session: Session, *, file: ValidationFile) -> list[Previewed]:
    """What each line of a file means as the orders stand now."""
    lines = [Line(row[0], Word(row[1]) if row[1] else None, row[2], row[3]) for row in file.lines]
    names = {line.order_id for line in lines}
    orders = validation_queries.orders(session, program_id=file.program_id, order_ids=names)
    states = validation_queries.states(session, conversion_ids=set(orders.values()))
    seen: set[str] = set()
    found = []
    for line in lines:
        conversion_id = orders.get(line.order_id)
        state = states.get(conversion_id) if conversion_id else None
        decision = validation.decide(line, state, is_known=conversion_id is not None, seen=line.order_id in seen)
        if line.word is not None:
            seen.add(line.order_id)
        found.append(Previewed(line, conversion_id, decision))
    return found


def confirm(session: Session, *, file_id: UUID, program_id: UUID, actor: Actor, now: datetime) -> list[Previewed]:
    """Do what the file says, as the orders stand now, and keep a result for each line.

    Raises:
        UnknownFile: not in this program.
        AlreadyConfirmed: somebody did before.
    """
    ledger_service.lock_books(session, program_ids=[program_id])
    file = validation_queries.file(session, file_id=file_id, program_id=program_id)
    if file is None:
        raise UnknownFile(N_("There is no such file."))
    found = preview(session, file=file)
    results = [one.decision.verdict for one in found]
    change = (
        sa.update(ValidationFile)
        .where(ValidationFile.id == file_id, ValidationFile.confirmed_at.is_(None))
        .values(confirmed_at=now, confirmed_by_id=actor.id if actor.kind == "user" else None, results=results)
    )
    if cast("CursorResult[Any]", session.execute(change)).rowcount != 1:
        raise AlreadyConfirmed
    postings = _reinstate(session, program_id, _of(found, Verdict.REINSTATE), actor, now)
    postings += _reduce(session, file, found, actor, now)
    postings += _decline(session, _of(found, Verdict.DECLINE), file, now)
    ledger_service.post(session, postings=postings, now=now)
    confirmed = [*_of(found, Verdict.APPROVE), *_of(found, Verdict.REDUCE), *_of(found, Verdict.REINSTATE)]
    service.approve_orders(session, conversion_ids=[key for one in confirmed if (key := one.conversion_id)], now=now)
    counts = {verdict.value: results.count(verdict) for verdict in Verdict if verdict in results}
    _record(session, "validation.confirm", file_id, program_id, counts, actor=actor, now=now)
    return found


def _of(found: Sequence[Previewed], verdict: Verdict) -> list[Previewed]:
    return [one for one in found if one.decision.verdict is verdict]


def _reinstate(
    session: Session, program_id: UUID, found: Collection[Previewed], actor: Actor, now: datetime
) -> list[Posting]:
    """Give ended orders their commissions anew; what ended them before is void from now on."""
    by_conversion = {one.conversion_id: one for one in found if one.conversion_id}
    if not by_conversion:
        return []
    session.execute(
        sa.insert(Reduction),
        [_reduction(one, program_id, 0, actor, now, is_reinstatement=True) for one in by_conversion.values()],
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


def _reduce(
    session: Session, file: ValidationFile, found: Sequence[Previewed], actor: Actor, now: datetime
) -> list[Posting]:
    """Write what orders were worth less, and take it from their commissions, in a payout or not."""
    less = [one for one in found if one.decision.verdict in CHANGES and one.decision.less_minor and one.conversion_id]
    gone = validation_queries.on_its_way(
        session, conversion_ids=[one.conversion_id for one in _of(found, Verdict.DECLINE) if one.conversion_id]
    )
    rows = [_reduction(one, file.program_id, one.decision.less_minor, actor, now) for one in less]
    rows += [
        _reduction(one, file.program_id, gone[one.conversion_id], actor, now)
        for one in _of(found, Verdict.DECLINE)
        if one.conversion_id in gone
    ]
    if not rows:
        return []
    session.execute(sa.insert(Reduction), rows)
    return service.take_losses(session, conversion_ids={row["conversion_id"] for row in rows}, now=now)


def _reduction(
    one: Previewed, program_id: UUID, amount_minor: int, actor: Actor, now: datetime, *, is_reinstatement: bool = False
) -> dict[str, Any]:
    return {
        "id": ids.new_at(now),
        "program_id": program_id,
        "conversion_id": one.conversion_id,
        "amount_minor": amount_minor,
        "is_reinstatement": is_reinstatement,
        "note": one.line.reason or None,
        "created_by_id": actor.id if actor.kind == "user" else None,
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


def _record(
    session: Session,
    action: str,
    file_id: UUID,
    program_id: UUID,
    details: dict[str, Any],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    audit.record(
        session, actor=actor, action=action, subject_kind="validation", subject_id=file_id,
        program_id=program_id, details=details, now=now,
    )  # fmt: skip
