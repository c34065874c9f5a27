"""Dead letters: events that could not be stored, tried again or thrown away by a person, and how to read them."""

import base64
import binascii
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.ingest import queries, service
from affiliate.ingest.models import DeadLetter
from affiliate.tracking import codec


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many dead letters became rows, and how many failed again."""

    stored: int
    failed: int


@dataclass(frozen=True, slots=True)
class Clerk:
    """Who deals with dead letters, and in whose program's history it is told where the letter itself names none.

    `only_of`: the one program whose letters this person deals with; none: those of all, and those that name none.
    """

    actor: Actor
    program_id: UUID | None = None
    only_of: UUID | None = None


def replay(
    session: Session, *, limit: int, letter_ids: Collection[UUID] | None = None, by: Clerk, now: datetime,
    until: datetime | None = None,
) -> Replayed:  # fmt: skip
    """Try these dead letters again, or the oldest ones that failed last until a moment. A letter goes when its event is stored; else it stays with the newer error.

    Who goes on with the same `until` comes to each one once: what fails again has failed later.
    """
    letters = _taken(session, limit=limit, letter_ids=letter_ids, by=by, until=until)
    # All at once where all are well: batch after batch in one transaction would want the rows of counts in no order.
    all_wrong = _wrong(session, letters, now)
    stored = 0
    for letter in letters:
        if all_wrong and (error := _wrong(session, [letter], now)):
            letter.error, letter.failed_at = error, now
        else:
            session.delete(letter)
            _record(session, "dead_letters.replay", letter, by, now)
            stored += 1
    return Replayed(stored, len(letters) - stored)


def _wrong(session: Session, letters: Sequence[DeadLetter], now: datetime) -> str:
    """Why these cannot be stored together; empty when they are."""
    try:
        with session.begin_nested():
            events = [codec.decode(base64.b64decode(letter.payload)) for letter in letters]
            service.store_batch(session, events=events, now=now)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with them
        return service.describe(error)
    return ""


def discard(
    session: Session, *, limit: int, letter_ids: Collection[UUID] | None = None, reason: str, by: Clerk, now: datetime,
    until: datetime | None = None,
) -> int:  # fmt: skip
    """Throw these dead letters away, or the oldest ones that failed last until a moment, for a reason that is written down; how many were still there."""
    letters = _taken(session, limit=limit, letter_ids=letter_ids, by=by, until=until)
    for letter in letters:
        session.delete(letter)
        _record(session, "dead_letters.discard", letter, by, now, reason=reason)
    return len(letters)


def _taken(
    session: Session, *, limit: int, letter_ids: Collection[UUID] | None, by: Clerk, until: datetime | None
) -> list[DeadLetter]:
    asked: dict[str, Any] = {"limit": limit, "letter_ids": letter_ids, "program_id": by.only_of, "until": until}
    return queries.dead_letters(session, **asked, locked=True)


def _record(session: Session, action: str, letter: DeadLetter, by: Clerk, now: datetime, **details: str) -> None:
    facts = {"stream": letter.stream, "entry": letter.entry_id}  # never the payload: it may tell of a customer
    audit.record(
        session, actor=by.actor, action=action, subject_kind="dead_letter", subject_id=letter.id,
        program_id=letter.program_id or by.program_id, details=facts | details, now=now,
    )  # fmt: skip


def readable(payload: str, *, length_max: int) -> str:
    """The bytes of a stream entry as text: JSON as we write it, else what they are."""
    try:
        packed = base64.b64decode(payload, validate=True)
    except binascii.Error:
        return payload[:length_max]
    try:
        return orjson.dumps(orjson.loads(packed), option=orjson.OPT_INDENT_2).decode()[:length_max]
    except orjson.JSONDecodeError:
        return packed[:length_max].decode(errors="backslashreplace")
