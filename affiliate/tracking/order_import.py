"""Orders from a table: the same fields, the same stream and the same rules as by API, with a result for each row.

A row is known by its order id, as everywhere: the same file again changes nothing, and a row that differs is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from affiliate import imports
from affiliate.errors import Invalid
from affiliate.imports import Line
from affiliate.tracking import events, rawlog, schemas
from affiliate.tracking.body import load
from affiliate.tracking.buffer import Buffer, ConflictingBody
from affiliate.tracking.codec import Trust
from affiliate.tracking.events import Sender
from affiliate.tracking.facts import ProgramFacts
from affiliate.tracking.keys import Keys
from affiliate.tracking.rawlog import RawRequest
from affiliate.tracking.submissions import Outcome, Submission

REQUIRED = ("order_id", "amount")
OPTIONAL = (
    "currency", "kind", "click_id", "coupon", "customer_id", "email_sha256", "new_customer", "tax", "shipping",
    "discount", "payment_method", "state", "channel", "occurred_at", "test",
)  # fmt: skip

_SOURCE = "import"
_AT_ONCE = 1_000
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_CONVERSION = schemas.NewConversionSchema(exclude=("items",))

RowStatus = Literal["accepted", "known", "refused"]


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of a row; `number` is its line in the file, `problem` says in English why it was refused."""

    number: int
    order_id: str
    status: RowStatus
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Read:
    line: Line
    submission: Submission
    stage: Submission | None


def import_orders(
    content: bytes, *, program: ProgramFacts, keys: Keys, buffer: Buffer, now: datetime
) -> list[RowResult]:
    """Take the orders of a CSV. A row that is wrong keeps no other from being stored.

    Raises:
        BadTable: the file cannot be read at all.
        BufferUnavailable: an event could not be stored; the same file may be sent again.
    """
    lines = imports.read(content, required=REQUIRED, optional=OPTIONAL)
    results: dict[int, RowResult] = {}
    for start in range(0, len(lines), _AT_ONCE):
        read: list[_Read] = []
        for line in lines[start : start + _AT_ONCE]:
            try:
                read.append(_read(line, program=program, keys=keys, now=now))
            except Invalid as error:
                results[line.number] = _refused(line, _sentence(error))
        for one, outcome in zip(read, _store(read, buffer), strict=True):
            results[one.line.number] = _result(one.line, outcome)
    return [results[line.number] for line in lines]


def _read(line: Line, *, program: ProgramFacts, keys: Keys, now: datetime) -> _Read:
    body = _body(line.cells) | {"program": program.slug}
    loaded = load(_CONVERSION, {"currency": program.currency} | body)
    sender = Sender(source=_SOURCE, trust=Trust.SERVER)
    event = events.conversion(loaded, program=program, sender=sender, keys=keys, now=now)
    raw = RawRequest(received_at=now, source=_SOURCE, what="conversion", summary=rawlog.summary_of(body))
    stage = events.stage_of_conversion(event, loaded.get("state"))
    return _Read(line, Submission.of(event, raw), Submission.of(stage, raw) if stage else None)


def _body(cells: Mapping[str, str]) -> dict[str, Any]:
    """The cells as fields: what is empty is not said, and the words for yes and no are understood."""
    said: dict[str, Any] = {name: text for name, text in cells.items() if text}
    for name in ("new_customer", "test"):
        if name in said:
            said[name] = _WORDS.get(said[name].lower(), said[name])
    return said


def _store(read: Sequence[_Read], buffer: Buffer) -> list[Outcome]:
    """Store conversions, then what became of those that did not conflict."""
    outcomes = buffer.submit([one.submission for one in read])
    pairs = zip(read, outcomes, strict=True)
    buffer.submit([one.stage for one, outcome in pairs if one.stage and outcome is not Outcome.CONFLICT])
    return outcomes


def _result(line: Line, outcome: Outcome) -> RowResult:
    if outcome is Outcome.CONFLICT:
        return _refused(line, str(ConflictingBody()))
    return RowResult(line.number, line.cells["order_id"], "accepted" if outcome is Outcome.ACCEPTED else "known")


def _refused(line: Line, problem: str) -> RowResult:
    return RowResult(line.number, line.cells["order_id"], "refused", problem)


def _sentence(error: Invalid) -> str:
    return "; ".join(f"{field}: {' '.join(messages)}" for field, messages in error.errors.items())
