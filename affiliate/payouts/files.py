"""Files for banks and payment services, made from the approved payouts of a run: which there are, and those in rows.

A payee's reference is the payout's own id, by which a result file is read back.
"""

import csv
import enum
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from affiliate import ids
from affiliate.exports import neutral
from affiliate.money import Money, exponent
from affiliate.payouts.methods import MethodKind
from affiliate.payouts.wise import Template

_TWO_DECIMALS = 2


class FileKind(enum.StrEnum):
    """What a file is for."""

    SEPA = "sepa"  # credit transfers in euro
    TRANSFERS = "transfers"  # the same form without SEPA's service level, for other currencies
    PAYPAL = "paypal"
    WISE = "wise"
    TABLE = "table"  # every payout, for everything else


_OF_BANKS = frozenset({FileKind.SEPA, FileKind.TRANSFERS})
ROWS_MAX = {FileKind.PAYPAL: 5_000, FileKind.WISE: 1_000}
"""What the services take at once; longer lists go in parts."""


@dataclass(frozen=True, slots=True)
class Payment:
    """One payout with what the file needs to know; `fields` are its opened details."""

    payout_id: UUID
    partner_name: str
    kind: MethodKind
    fields: dict[str, str]
    amount: Money
    is_open: bool = True  # still on its way: what was settled keeps its place in the list, and is in no file any more
    paid_from: str = ""  # the currency of the account that pays, where it is not the amount's

    @property
    def reference(self) -> str:
        """The payout's public id, in the letters that banks let through."""
        return ids.public("pay", self.payout_id).replace("_", "-")

    @property
    def by_iban(self) -> bool:
        """Whether it goes to an IBAN. After an erasure only the kind says it, so that the others keep their part."""
        return "iban" in self.fields or (self.kind is MethodKind.BANK and not self.fields)

    @property
    def holder(self) -> str:
        """Whose account it is."""
        return self.fields.get("holder") or self.partner_name


@dataclass(frozen=True, slots=True)
class Payer:
    """The account that pays."""

    name: str
    iban: str
    bic: str | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A file that can be made of a run: the whole, or one part of a list that is longer than the service takes at once."""

    kind: FileKind
    part: int = 1
    parts: int = 1


def offers(payments: Sequence[Payment], *, payer: Payer | None, wise: Template) -> list[Offer]:
    """The files that can be made of these payments; a part of which everything is settled is none any more."""
    found = []
    for kind in FileKind:
        if payer is None and kind in _OF_BANKS:
            continue
        whole = parts(payments, kind, wise=wise)
        found += [Offer(kind, number, len(whole)) for number, part in enumerate(whole, start=1) if part]
    return found


def parts(payments: Iterable[Payment], kind: FileKind, *, wise: Template) -> list[list[Payment]]:
    """The open payments of such a file, one currency each, in as many parts as its service wants.

    Settling some moves none to another part.
    """
    by_currency: dict[str, list[Payment]] = {}
    for each in payments:
        if _belongs(each, kind, wise):
            by_currency.setdefault(each.amount.currency, []).append(each)
    found = []
    for _currency, fitting in sorted(by_currency.items()):
        size = ROWS_MAX.get(kind, len(fitting))
        chunks = (fitting[start : start + size] for start in range(0, len(fitting), size))
        found += [[each for each in chunk if each.is_open] for chunk in chunks]
    return found


def _belongs(payment: Payment, kind: FileKind, wise: Template) -> bool:
    if kind in _OF_BANKS:
        is_euro = payment.amount.currency == "EUR"
        return (
            payment.by_iban
            and is_euro is (kind is FileKind.SEPA)
            and exponent(payment.amount.currency) == _TWO_DECIMALS
        )
    if kind is FileKind.WISE:
        by_iban = payment.by_iban and wise.asks_for("iban")
        return by_iban or (payment.kind is MethodKind.WISE and wise.asks_for("email"))
    return kind is FileKind.TABLE or payment.kind is MethodKind.PAYPAL


TABLE_HEAD = (
    "payout",
    "partner",
    "method",
    "holder",
    "account",
    "bic",
    "email",
    "other",
    "amount",
    "currency",
    "status",
    "reason",
)


def paypal(payments: Sequence[Payment], *, note: str) -> bytes:
    """PayPal's file of mass payments: no head, one currency."""
    return _csv(
        [each.fields["email"], each.amount.text(), each.amount.currency, each.reference, note] for each in payments
    )


def wise_batch(payments: Sequence[Payment], *, template: Template) -> bytes:
    """Wise's file of batch payments under the head of the account's own template."""
    return _csv([template.head, *(template.row(_told(each)) for each in payments)])


def _told(each: Payment) -> dict[str, str]:
    facts = {"holder": each.holder, "amount": each.amount.text(), "currency": each.amount.currency}
    facts["source"] = each.paid_from or each.amount.currency
    return (
        {name: each.fields.get(name, "") for name in ("email", "iban", "bic")} | facts | {"reference": each.reference}
    )


def table(payments: Sequence[Payment]) -> bytes:
    """Every payment in words; with `status` filled in (paid or failed) it comes back as a result file."""
    return _csv([TABLE_HEAD, *(_table_row(each) for each in payments)])


def _table_row(each: Payment) -> list[str]:
    fields = each.fields
    account = fields.get("iban") or " ".join(filter(None, (fields.get("routing"), fields.get("number"))))
    details = [
        each.kind.value,
        each.holder,
        account,
        fields.get("bic", ""),
        fields.get("email", ""),
        fields.get("note", ""),
    ]
    return [
        ids.public("pay", each.payout_id),
        each.partner_name,
        *details,
        each.amount.text(),
        each.amount.currency,
        "",
        "",
    ]


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([neutral(cell) for cell in row] for row in rows)
    return buffer.getvalue().encode()
