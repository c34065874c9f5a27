"""The shapes of money that moves: payouts, their tax papers, entries by hand, transfers of the ledger."""

from typing import Any

from flask import current_app
from marshmallow import Schema, fields

from affiliate import ids
from affiliate.api import PublicId
from affiliate.money import Money
from affiliate.rest.money_fields import MoneyOf


def _in_account(row: Any) -> dict[str, Any] | None:
    """What arrives in an account of another currency, with the rate by which it was turned."""
    if row.paid_currency is None:
        return None
    amount = Money(row.paid_minor, row.paid_currency)
    return {"amount": amount.text(), "currency": amount.currency, "exchange": row.exchange}


class PayoutSchema(Schema):
    """What one partner gets in one run: `amount` is earned less clawed back plus VAT and stamp duty; `to_pay` is that less what is withheld.

    `paid_in_account` is what `to_pay` becomes where the partner's account is in another currency, with the rate and its day.
    """

    id = PublicId("pay")
    run_id = PublicId("run")
    partner_id = PublicId("ptn")
    status = fields.String()
    earned = MoneyOf("earned_minor")
    clawed_back = MoneyOf("clawed_back_minor")
    vat = MoneyOf("vat_minor")
    stamp_duty = MoneyOf("stamp_minor")
    amount = MoneyOf("amount_minor")
    withheld = MoneyOf("withheld_minor")
    to_pay = MoneyOf("to_pay_minor")
    paid_in_account = fields.Function(_in_account, metadata={"type": ["object", "null"]})
    paper = fields.String()
    reason = fields.String(allow_none=True)
    reason_code = fields.String(allow_none=True)
    created_at = fields.DateTime()
    paid_at = fields.DateTime(allow_none=True)


def _address(what: str, prefix: str, row: Any) -> str:
    base = current_app.extensions["affiliate_settings"].base_url
    return f"{base}/api/v1/{what}/{ids.public(prefix, row.id)}.pdf"


class PaperSchema(Schema):
    """A tax paper of a payout that the program wrote. The amounts of a correction are below zero; the PDF comes a moment later."""

    id = PublicId("ppr")
    payout_id = PublicId("pay")
    partner_id = PublicId("ptn")
    kind = fields.String()
    number = fields.String(attribute="document.number")
    issued_on = fields.String(attribute="document.issued_on", metadata={"format": "date"})
    corrects = fields.Function(
        lambda row: (row.document["corrects"] or {}).get("number"), metadata={"type": ["string", "null"]}
    )
    taxable = MoneyOf("taxable_minor")
    vat = MoneyOf("vat_minor")
    stamp_duty = MoneyOf("stamp_minor")
    withheld = MoneyOf("withheld_minor")
    to_pay = MoneyOf("to_pay_minor")
    pdf_url = fields.Function(
        lambda row: _address("papers", "ppr", row) if row.file_id else None, metadata={"type": ["string", "null"]}
    )
    pdf_sha256 = fields.String(attribute="sha256", allow_none=True)


class FiledInvoiceSchema(Schema):
    """An invoice that a partner sent for its payout: `total` is with VAT and stamp duty, before tax is withheld."""

    id = PublicId("inv")
    payout_id = PublicId("pay")
    partner_id = PublicId("ptn")
    number = fields.String()
    invoiced_on = fields.Date()
    status = fields.String()
    reason = fields.String(allow_none=True)
    total = MoneyOf("total_minor")
    pdf_url = fields.Function(lambda row: _address("filed-invoices", "inv", row), metadata={"type": "string"})


class PayoutPapersSchema(Schema):
    """All tax papers of a payout."""

    papers = fields.List(fields.Nested(PaperSchema))
    filed_invoices = fields.List(fields.Nested(FiledInvoiceSchema))


class EntrySchema(Schema):
    """An entry by hand: what a person has given a partner or taken from it."""

    id = PublicId("man")
    partner_id = PublicId("ptn")
    kind = fields.String()
    status = fields.String()
    amount = MoneyOf("amount_minor")
    reason = fields.String()
    entered_at = fields.DateTime()
    decided_at = fields.DateTime(allow_none=True)
    payout_id = PublicId("pay", allow_none=True)


class TransferSchema(Schema):
    """One movement of money in the ledger: from the debited account to the credited one."""

    id = PublicId("led")
    partner_id = PublicId("ptn", allow_none=True)
    kind = fields.String()
    debit = fields.String()
    credit = fields.String()
    amount = MoneyOf("amount_minor")
    source = fields.String(attribute="source_kind")
    posted_at = fields.DateTime()
