"""The month's validation by file: what a shop's word about an order means for its commissions. Pure.

A line is `order_id,status,amount,reason`: approved or declined, and for an approved order what it was worth in the end
(empty: what we know). Saying the same twice changes nothing the second time.
"""

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from affiliate import imports
from affiliate.commissions.life import WITH_US, CommissionStatus, DeclineReason
from affiliate.imports import BadTable
from affiliate.money import BadAmount, parse_amount

N_ = str  # marks a sentence for the translators
LINES_MAX = 50_000
BYTES_MAX = 4_000_000
REASON_LENGTH_MAX = 500
_COLUMNS = ("order_id", "status", "amount", "reason")


class Word(enum.StrEnum):
    """What the shop says."""

    APPROVED = "approved"
    DECLINED = "declined"


class Verdict(enum.StrEnum):
    """What becomes of a line."""

    APPROVE = "approve"
    REDUCE = "reduce"  # and approve what is left
    DECLINE = "decline"
    REINSTATE = "reinstate"  # an ended order counts after all
    UNCHANGED = "unchanged"
    UNKNOWN = "unknown"  # the program has no such order
    NO_COMMISSION = "no_commission"
    NOT_VERIFIED = "not_verified"  # or a test: nothing of it counts yet
    MORE_THAN_ORDER = "more_than_order"
    OTHER_CURRENCY = "other_currency"  # an amount, for an order that is not in the program's currency
    TWICE = "twice"  # the file speaks of the order before
    UNREADABLE = "unreadable"


CHANGES = frozenset({Verdict.APPROVE, Verdict.REDUCE, Verdict.DECLINE, Verdict.REINSTATE})
"""Verdicts that change something."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it was read; `word` is null where it cannot be understood."""

    order_id: str
    word: Word | None
    amount_minor: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class State:
    """An order as it stands: amounts in minor units, and its live commissions as (status, what is left)."""

    original_minor: int
    refunded_minor: int
    reduced_minor: int
    commissions: Collection[tuple[CommissionStatus, int]]
    is_foreign: bool = False  # not in the program's currency, in which a file's amounts are read


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict, with the amount by which the order is worth less than was known."""

    verdict: Verdict
    less_minor: int = 0


def read(content: bytes, *, currency: str) -> list[Line]:
    """The lines of a table with a head, as spreadsheets write it.

    Raises:
        BadTable: it cannot be read, a column is missing, there is no line, or there are too many.
    """
    columns: dict[str, Any] = {"required": ("order_id", "status"), "optional": ("amount", "reason")}
    rows = imports.read(content, **columns, rows_max=LINES_MAX, bytes_max=BYTES_MAX)
    if not rows:
        raise BadTable(N_("There is no line below the first one."))
    return [_line(dict.fromkeys(_COLUMNS, "") | row.cells, currency) for row in rows]


def decide(line: Line, state: State | None, *, is_known: bool, seen: bool) -> Decision:
    """What a line means. `state` is null where nobody earned on the order; `seen`: an earlier line spoke of it."""
    refusal = _refusal(line, state, is_known=is_known, seen=seen)
    if refusal is not None or state is None:
        return Decision(refusal or Verdict.NO_COMMISSION)
    if line.word is Word.DECLINED or line.amount_minor == 0:
        goes = any(left > 0 or status in WITH_US for status, left in state.commissions)
        return Decision(Verdict.DECLINE if goes else Verdict.UNCHANGED)
    return _approved(line, state)


def _refusal(line: Line, state: State | None, *, is_known: bool, seen: bool) -> Verdict | None:
    """Why a line cannot be followed, if it cannot."""
    if line.word is None:
        return Verdict.UNREADABLE
    if seen:
        return Verdict.TWICE
    if not is_known:
        return Verdict.UNKNOWN
    if state is None or not state.commissions:
        return Verdict.NO_COMMISSION
    if state.is_foreign and line.amount_minor:
        return Verdict.OTHER_CURRENCY
    counts_not = {CommissionStatus.UNVERIFIED, CommissionStatus.TEST}
    return Verdict.NOT_VERIFIED if any(status in counts_not for status, _ in state.commissions) else None


def why(reason: str) -> DeclineReason:
    """The reason of a declined line: a code of ours, else the shop's own words."""
    code = reason.strip().lower().replace(" ", "_")
    return DeclineReason(code) if code in set(DeclineReason) else DeclineReason.OTHER


def _approved(line: Line, state: State) -> Decision:
    most = max(0, state.original_minor - state.refunded_minor)
    worth = max(0, most - state.reduced_minor)
    wanted = most if line.amount_minor is None else line.amount_minor
    ended = all(left == 0 and status not in WITH_US for status, left in state.commissions)
    if wanted > most:
        return Decision(Verdict.MORE_THAN_ORDER)
    if ended:
        return Decision(Verdict.REINSTATE, most - wanted) if wanted else Decision(Verdict.UNCHANGED)
    if line.amount_minor is not None and wanted > worth:
        return Decision(Verdict.MORE_THAN_ORDER)
    if line.amount_minor is not None and wanted < worth:
        return Decision(Verdict.REDUCE, worth - wanted)
    waits = any(status is CommissionStatus.PENDING for status, _ in state.commissions)
    return Decision(Verdict.APPROVE if waits else Verdict.UNCHANGED)


def _line(row: Mapping[str, Any], currency: str) -> Line:
    amount: int | None = None
    try:
        word: Word | None = Word(row["status"].lower())
        if row["amount"]:
            amount = parse_amount(row["amount"], currency).amount_minor
    except (ValueError, BadAmount):
        word = None
    if not row["order_id"] or (amount is not None and amount < 0):
        word = None
    return Line(row["order_id"][:120], word, amount, row["reason"][:REASON_LENGTH_MAX])
