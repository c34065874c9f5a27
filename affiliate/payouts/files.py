"""Files for banks and payment services, made from the approved payouts of a run. The same run gives the same ids each time.

A bank that gets a file twice sees the same message id, and a payee's end-to-end id is the payout's own id, by which a
result file is read back.
"""

import csv
import enum
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from xml.etree import ElementTree as ET

from affiliate import ids
from affiliate.exports import neutral
from affiliate.money import Money, exponent
from affiliate.payouts.methods import MethodKind

SCHEMA = "pain.001.001.09"
_SPACE = f"urn:iso:std:iso:20022:tech:xsd:{SCHEMA}"
_TWO_DECIMALS = 2


class FileKind(enum.StrEnum):
    """What a file is for."""

    SEPA = "sepa"  # credit transfers in euro
    TRANSFERS = "transfers"  # the same form without SEPA's service level, for other currencies
    PAYPAL = "paypal"
    WISE = "wise"
    TABLE = "table"  # every payout, for everything else


@dataclass(frozen=True, slots=True)
class Payment:
    """One payout with what the file needs to know; `fields` are its opened details."""

    payout_id: UUID
    partner_name: str
    kind: MethodKind
    fields: dict[str, str]
    amount: Money

    @property
    def reference(self) -> str:
        """The payout's public id, in the letters that banks let through."""
        return ids.public("pay", self.payout_id).replace("_", "-")

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


class NotInThisFile(ValueError):  # noqa: N818 - read as a kind
    """The currency or the payer's account does not fit this kind of file."""


def kinds_of(payments: Sequence[Payment], *, payer: Payer | None) -> list[FileKind]:
    """The files that can be made of these payments."""
    fitting = [kind for kind in FileKind if kind is not FileKind.TABLE and fits(payments, kind)]
    without_bank = [kind for kind in fitting if kind not in {FileKind.SEPA, FileKind.TRANSFERS}]
    return [*(fitting if payer else without_bank), FileKind.TABLE]


def fits(payments: Iterable[Payment], kind: FileKind) -> list[Payment]:
    """Those of the payments that belong into such a file."""
    return [each for each in payments if _belongs(each, kind)]


def _belongs(payment: Payment, kind: FileKind) -> bool:
    if kind in {FileKind.SEPA, FileKind.TRANSFERS}:
        is_euro = payment.amount.currency == "EUR"
        return (
            "iban" in payment.fields
            and is_euro is (kind is FileKind.SEPA)
            and exponent(payment.amount.currency) == _TWO_DECIMALS
        )
    wanted = {FileKind.PAYPAL: MethodKind.PAYPAL, FileKind.WISE: MethodKind.WISE}.get(kind)
    return wanted is None or payment.kind is wanted


def pain(
    payments: Sequence[Payment],
    *,
    payer: Payer,
    is_sepa: bool,
    message_id: str,
    created_at: datetime,
    execute_on: date,
    text: str,
) -> bytes:
    """A pain.001.001.09 of one batch, valid against its schema.

    Raises:
        NotInThisFile: another currency, or no payment.
    """
    if not payments:
        raise NotInThisFile("There is no payment for this file.")
    from sepaxml import SepaTransfer  # type: ignore[import-untyped]  # here, because pages need only the kinds of files

    config = {"name": payer.name, "IBAN": payer.iban, "batch": True, "currency": payments[0].amount.currency}
    config |= {"domestic": not is_sepa} | ({"BIC": payer.bic} if payer.bic else {})
    made = SepaTransfer(config, schema=SCHEMA, clean=True)
    for each in payments:
        row = {
            "name": each.holder, "IBAN": each.fields["iban"], "amount": each.amount.amount_minor,
            "execution_date": execute_on, "description": text, "endtoend_id": each.reference,
        }  # fmt: skip
        made.add_payment(row | ({"BIC": each.fields["bic"]} if "bic" in each.fields else {}))
    return _named(made.export(validate=False), message_id=message_id, created_at=created_at)


def _named(document: bytes, *, message_id: str, created_at: datetime) -> bytes:
    """The document under ids of our own: the library draws them anew each time, and a bank could not see a file that comes twice."""
    ET.register_namespace("", _SPACE)
    root = ET.fromstring(document)  # noqa: S314 - made by ourselves just now
    head = root.find(f".//{{{_SPACE}}}GrpHdr")
    if head is None:
        raise NotInThisFile("The document has no head.")
    for name, value in (("MsgId", message_id), ("CreDtTm", created_at.strftime("%Y-%m-%dT%H:%M:%S"))):
        element = head.find(f"{{{_SPACE}}}{name}")
        if element is not None:
            element.text = value
    for number, element in enumerate(root.iter(f"{{{_SPACE}}}PmtInfId"), start=1):
        element.text = f"{message_id[:30]}-{number}"
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


PAYPAL_ROWS_MAX = 5_000
WISE_ROWS_MAX = 1_000
WISE_HEAD = (
    "name",
    "recipientEmail",
    "sourceCurrency",
    "targetCurrency",
    "amountCurrency",
    "amount",
    "paymentReference",
)
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
    """PayPal's file of mass payments: no head, one currency, at most 5,000 lines."""
    return _csv(
        [each.fields["email"], each.amount.text(), each.amount.currency, each.reference, note]
        for each in payments[:PAYPAL_ROWS_MAX]
    )


def wise(payments: Sequence[Payment], *, currency: str) -> bytes:
    """Wise's file of batch payments, at most 1,000 lines, under its usual head."""
    rows = (
        [
            each.holder,
            each.fields["email"],
            currency,
            each.amount.currency,
            "target",
            each.amount.text(),
            each.reference,
        ]
        for each in payments[:WISE_ROWS_MAX]
    )
    return _csv([WISE_HEAD, *rows])


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
