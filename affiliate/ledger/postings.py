"""Every movement of money there is, as a pure function: facts in, the legs to post out.

`debit X, credit Y` means that money moves from X to Y. A balance is credits minus debits, so `expense` is below zero
and all balances of a program add up to zero. A movement of nothing posts nothing.
"""

import enum
import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from affiliate import ids
from affiliate.money import Money


class AccountName(enum.StrEnum):
    """The chart of accounts. Those in `OWN` are the program's; each partner has one of every other name."""

    EXPENSE = "expense"  # what the program has spent on commissions or will spend, below zero
    PENDING = "pending"  # in the validation period
    APPROVED = "approved"  # owed, waits for a payout
    IN_TRANSIT = "in_transit"  # in an approved payout, not yet settled
    CLAWBACK = "clawback"  # below zero: paid, and taken back since; the next payout nets it
    PAID = "paid"  # arrived at the partner
    TAX_PAYABLE = "tax_payable"  # withheld from a payout for the state
    ADJUSTMENTS = "adjustments"  # what bonuses and corrections have cost, below zero
    WRITE_OFF = "write_off"  # what partners who left never gave back, below zero
    VAT = "vat"  # what invoices have added to commissions, VAT and stamp duty, below zero
    ROUNDING = "rounding"  # stays at zero: no movement reaches it, because each amount is rounded once


OWN = frozenset(
    {AccountName.EXPENSE, AccountName.ADJUSTMENTS, AccountName.WRITE_OFF, AccountName.VAT, AccountName.ROUNDING}
)
"""The accounts of the program itself."""


class TransferKind(enum.StrEnum):
    """Why money moved."""

    ACCRUE = "accrue"
    APPROVE = "approve"
    REVERSE = "reverse"
    CLAW_BACK = "claw_back"
    OFFSET = "offset"
    SEND = "send"
    SETTLE = "settle"
    FAIL = "fail"
    ADD_TAX = "add_tax"
    WITHHOLD = "withhold"
    ADJUST = "adjust"
    WRITE_OFF = "write_off"


class SourceKind(enum.StrEnum):
    """What caused a movement."""

    COMMISSION = "commission"
    ADJUSTMENT = "adjustment"  # of a commission, by a refund, an event, a decision
    PAYOUT = "payout"
    MANUAL = "manual"  # a person's entry: bonus, make-good, correction, write-off


_E, _P, _A = AccountName.EXPENSE, AccountName.PENDING, AccountName.APPROVED
_T, _C, _D = AccountName.IN_TRANSIT, AccountName.CLAWBACK, AccountName.PAID
_X, _J, _W = AccountName.TAX_PAYABLE, AccountName.ADJUSTMENTS, AccountName.WRITE_OFF
_V = AccountName.VAT

ALLOWED: dict[TransferKind, frozenset[tuple[AccountName, AccountName]]] = {
    TransferKind.ACCRUE: frozenset({(_E, _P)}),
    TransferKind.APPROVE: frozenset({(_P, _A)}),
    TransferKind.REVERSE: frozenset({(_P, _E), (_A, _E)}),
    TransferKind.CLAW_BACK: frozenset({(_C, _E)}),
    TransferKind.OFFSET: frozenset({(_A, _C)}),
    TransferKind.SEND: frozenset({(_A, _T)}),
    TransferKind.SETTLE: frozenset({(_T, _D)}),
    TransferKind.FAIL: frozenset({(_T, _A), (_C, _A), (_X, _A), (_A, _V)}),
    TransferKind.ADD_TAX: frozenset({(_V, _A)}),
    TransferKind.WITHHOLD: frozenset({(_A, _X)}),
    TransferKind.ADJUST: frozenset({(_J, _A), (_C, _J)}),
    TransferKind.WRITE_OFF: frozenset({(_W, _C)}),
}
"""The accounts between which each kind of movement may move money; the proof holds every transfer against it."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One leg to post: money of one partner moves from `debit` to `credit`."""

    program_id: UUID
    partner_id: UUID
    kind: TransferKind
    debit: AccountName
    credit: AccountName
    amount: Money
    source_kind: SourceKind
    source_id: UUID
    leg: int = 0


def accrue(*, program_id: UUID, partner_id: UUID, commission_id: UUID, amount: Money) -> list[Posting]:
    """A verified commission enters its validation period."""
    cause = _Cause(program_id, partner_id, SourceKind.COMMISSION, commission_id)
    return _move(TransferKind.ACCRUE, (_E, _P), amount, cause)


def approve(*, program_id: UUID, partner_id: UUID, commission_id: UUID, amount: Money) -> list[Posting]:
    """What is left of a commission is now owed."""
    cause = _Cause(program_id, partner_id, SourceKind.COMMISSION, commission_id)
    return _move(TransferKind.APPROVE, (_P, _A), amount, cause)


def reverse(
    *, program_id: UUID, partner_id: UUID, adjustment_id: UUID, amount: Money, taken_from: AccountName
) -> list[Posting]:
    """Part or all of a commission is taken back while it is still with us: `taken_from` is `pending` or `approved`."""
    cause = _Cause(program_id, partner_id, SourceKind.ADJUSTMENT, adjustment_id)
    return _move(TransferKind.REVERSE, (taken_from, _E), amount, cause)


def claw_back(*, program_id: UUID, partner_id: UUID, adjustment_id: UUID, amount: Money) -> list[Posting]:
    """Part or all of a commission is taken back after it went into a payout: the partner owes it."""
    cause = _Cause(program_id, partner_id, SourceKind.ADJUSTMENT, adjustment_id)
    return _move(TransferKind.CLAW_BACK, (_C, _E), amount, cause)


def absorb(*, program_id: UUID, partner_id: UUID, adjustment_id: UUID, amount: Money) -> list[Posting]:
    """The payout of a clawed-back commission was cancelled: the commission itself, approved again, covers the debt."""
    cause = _Cause(program_id, partner_id, SourceKind.ADJUSTMENT, adjustment_id)
    return _move(TransferKind.OFFSET, (_A, _C), amount, cause)


def offset(*, program_id: UUID, partner_id: UUID, payout_id: UUID, amount: Money) -> list[Posting]:
    """A payout nets what the partner owed from earlier payouts."""
    cause = _Cause(program_id, partner_id, SourceKind.PAYOUT, payout_id)
    return _move(TransferKind.OFFSET, (_A, _C), amount, cause)


def send(*, program_id: UUID, partner_id: UUID, payout_id: UUID, amount: Money) -> list[Posting]:
    """An approved payout is on its way."""
    cause = _Cause(program_id, partner_id, SourceKind.PAYOUT, payout_id)
    return _move(TransferKind.SEND, (_A, _T), amount, cause)


def add_tax(*, program_id: UUID, partner_id: UUID, payout_id: UUID, amount: Money) -> list[Posting]:
    """What the invoice of an approved payout adds to its commissions is owed too: VAT and stamp duty."""
    cause = _Cause(program_id, partner_id, SourceKind.PAYOUT, payout_id)
    return _move(TransferKind.ADD_TAX, (_V, _A), amount, cause)


def withhold(*, program_id: UUID, partner_id: UUID, payout_id: UUID, amount: Money) -> list[Posting]:
    """The part of an approved payout that goes to the state and not to the partner."""
    cause = _Cause(program_id, partner_id, SourceKind.PAYOUT, payout_id)
    return _move(TransferKind.WITHHOLD, (_A, _X), amount, cause)


def settle(*, program_id: UUID, partner_id: UUID, payout_id: UUID, amount: Money) -> list[Posting]:
    """A payout has arrived."""
    cause = _Cause(program_id, partner_id, SourceKind.PAYOUT, payout_id)
    return _move(TransferKind.SETTLE, (_T, _D), amount, cause)


def fail(
    *, program_id: UUID, partner_id: UUID, payout_id: UUID, sent: Money, netted: Money, withheld: Money, added: Money
) -> list[Posting]:
    """An approved payout is cancelled: what was sent or withheld comes back, what was netted is owed again, what was added is not."""
    cause = _Cause(program_id, partner_id, SourceKind.PAYOUT, payout_id)
    back = _move(TransferKind.FAIL, (_T, _A), sent, cause)
    again = _move(TransferKind.FAIL, (_C, _A), netted, cause, leg=FAIL_NETTED)
    untaxed = _move(TransferKind.FAIL, (_X, _A), withheld, cause, leg=FAIL_WITHHELD)
    return back + again + untaxed + _move(TransferKind.FAIL, (_A, _V), added, cause, leg=FAIL_ADDED)


def adjust(*, program_id: UUID, partner_id: UUID, manual_id: UUID, amount: Money) -> list[Posting]:
    """A person's correction: above zero it is owed with the next payout, below zero the next payout nets it."""
    cause = _Cause(program_id, partner_id, SourceKind.MANUAL, manual_id)
    if amount.amount_minor < 0:
        return _move(TransferKind.ADJUST, (_C, _J), -amount, cause)
    return _move(TransferKind.ADJUST, (_J, _A), amount, cause)


def write_off(*, program_id: UUID, partner_id: UUID, manual_id: UUID, amount: Money) -> list[Posting]:
    """A debt that nobody will pay back any more is the program's loss."""
    cause = _Cause(program_id, partner_id, SourceKind.MANUAL, manual_id)
    return _move(TransferKind.WRITE_OFF, (_W, _C), amount, cause)


FAIL_NETTED, FAIL_WITHHELD, FAIL_ADDED = 1, 2, 3
"""The legs of a failed payout beside the first, which is what was sent."""


class _Cause(NamedTuple):
    program_id: UUID
    partner_id: UUID
    source_kind: SourceKind
    source_id: UUID


def _move(
    kind: TransferKind, accounts: tuple[AccountName, AccountName], amount: Money, cause: _Cause, *, leg: int = 0
) -> list[Posting]:
    if accounts not in ALLOWED[kind]:
        raise ValueError(f"{kind} does not move money from {accounts[0]} to {accounts[1]}")
    if amount.amount_minor < 0:
        raise ValueError(f"money moves forward: {kind} of {amount.text()} {amount.currency}")
    if not amount:
        return []
    debit, credit = accounts
    return [Posting(kind=kind, debit=debit, credit=credit, amount=amount, leg=leg, **cause._asdict())]


def owner_of(name: AccountName, partner_id: UUID) -> UUID | None:
    """Whose account it is: the partner's, or nobody's for the program's own."""
    return None if name in OWN else partner_id


def account_id(*, program_id: UUID, partner_id: UUID | None, name: str, currency: str) -> UUID:
    """The id of an account, derived from what it is: there is one of each."""
    return ids.derived(program_id, "ledger_account", str(partner_id or ""), name, currency)


def transfer_id(*, kind: str, source_kind: str, source_id: UUID, leg: int) -> UUID:
    """The id of a transfer, derived from its cause: one cause moves money once."""
    return ids.derived(source_id, "ledger_transfer", kind, source_kind, str(leg))


def transfer_hex(kind: str, source_kind: str, source_id: str, leg: str) -> str:
    """`transfer_id` from hex to hex, for a million of them: what `uuid5` does, without making the objects."""
    said = bytes.fromhex(source_id) + _cause_name(kind, source_kind, leg)
    digest = hashlib.sha1(said, usedforsecurity=False).hexdigest()
    return f"{digest[:12]}5{digest[13:16]}{_VARIANT[digest[16]]}{digest[17:32]}"


_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""The digit of a UUID that holds its variant, by what stood there."""


@functools.lru_cache(maxsize=1_000)
def _cause_name(kind: str, source_kind: str, leg: str) -> bytes:
    return f"ledger_transfer\x1f{kind}\x1f{source_kind}\x1f{leg}".encode()


HASHED = (
    "id", "program_id", "kind", "debit_account_id", "credit_account_id",
    "amount_minor", "currency", "source_kind", "source_id", "leg", "posted_at",
)  # fmt: skip
"""The fields of a transfer that its content hash covers, in this order: all but the hash itself."""


def canonical(transfer: Mapping[Any, Any]) -> str:
    """All that a transfer says, as one text; the database can make the same (`queries.TRANSFER_TEXTS`)."""
    moment: datetime = transfer["posted_at"]
    texts = [value.hex if isinstance(value := transfer[name], UUID) else str(value) for name in HASHED[:-1]]
    return "|".join([*texts, moment.astimezone(UTC).strftime(MOMENT_FORMAT)])


MOMENT_FORMAT = "%Y-%m-%d %H:%M:%S.%f"
"""How an instant stands in a hashed text: UTC, to the microsecond."""


def content_hash(transfer: Mapping[Any, Any]) -> str:
    """The hex SHA-256 over all that a transfer says."""
    return hashlib.sha256(canonical(transfer).encode()).hexdigest()
