"""Orders from a table: the same fields, the same stream and the same rules as by API, with a result for each row.

A row is known by its order id, as everywhere: the same file again changes nothing, and a row that differs is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from affiliate import imports, money
from affiliate.errors import Invalid
from affiliate.imports import Line
from affiliate.tracking import events, rawlog, schemas
from affiliate.tracking.body import load
from affiliate.tracking.buffer import Buffer
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

N_ = str  # marks a sentence for the translators
OTHER_CONTENT = N_("This order came before with other content, and stays as it was. Amend or refund it instead.")
_AMOUNT = N_("Write an amount of zero or more such as 49.90, with no more decimals than %(currency)s has.")
_TRUE_OR_FALSE = N_("Write yes or no.")
_NAME = N_("Write up to 40 characters.")
SENTENCES = {
    "order_id": N_("Write the order's id in up to 120 characters."),
    "amount": _AMOUNT,
    "currency": N_("Write the code of a currency, for example %(currency)s."),
    "kind": N_("Use small letters, digits and _, for example sale."),
    "click_id": N_("Write the click id as the shop got it."),
    "coupon": N_("Write up to 60 characters."),
    "customer_id": N_("Write up to 120 characters."),
    "email_sha256": N_("Write the SHA-256 of the address: 64 hexadecimal digits."),
    "new_customer": _TRUE_OR_FALSE,
    "tax": _AMOUNT,
    "shipping": _AMOUNT,
    "discount": _AMOUNT,
    "payment_method": _NAME,
    "state": N_("Write pending, paid, shipped, delivered or cancelled."),
    "channel": _NAME,
    "occurred_at": N_("Write a time with its zone that has passed, for example 2026-11-01T10:00:00+01:00."),
    "test": _TRUE_OR_FALSE,
    "program": N_("This program is archived and takes no orders any more."),
}
"""What each column wants. The API answers programs, in English; here a person reads in a language of their own."""

RowStatus = Literal["accepted", "known", "refused"]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row was refused: an English source for gettext with its values, and the column; null for the whole row."""

    column: str | None
    sentence: str
    values: dict[str, str]

    def said(self, sentence: str) -> str:
        """The problem in a language: the translated sentence, after the column as the file names it."""
        told = sentence % self.values
        return f"{self.column}: {told}" if self.column else told


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of a row; `number` is its line in the file."""

    number: int
    order_id: str
    status: RowStatus
    problems: tuple[Problem, ...] = ()

    @property
    def problem(self) -> str:
        """What is wrong, in English: for a terminal."""
        return " ".join(problem.said(problem.sentence) for problem in self.problems)


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
                results[line.number] = _refused(line, *_problems(error, _currency(line, program)))
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
        return _refused(line, Problem(None, OTHER_CONTENT, {}))
    return RowResult(line.number, line.cells["order_id"], "accepted" if outcome is Outcome.ACCEPTED else "known")


def _refused(line: Line, *problems: Problem) -> RowResult:
    return RowResult(line.number, line.cells["order_id"], "refused", problems)


def _currency(line: Line, program: ProgramFacts) -> str:
    """The currency that a line is read in."""
    named = line.cells.get("currency")
    return named if named in money.currencies() else program.currency


def _problems(error: Invalid, currency: str) -> list[Problem]:
    return [Problem(column, SENTENCES[column], {"currency": currency}) for column in error.errors]
