"""The shapes of the API's answers, and of the one thing it makes itself: links."""

from typing import Any

from flask import current_app
from marshmallow import Schema, fields, validate

from affiliate import days, ids
from affiliate.api import MoneySchema, PublicId
from affiliate.commissions.models import CommissionStatus
from affiliate.creatives.models import CreativeKind, CreativeStatus
from affiliate.ingest.models import ClickVerdict, Trust
from affiliate.money import Money
from affiliate.partners.models import EnrollmentStatus

_IN_OUR_TIME = validate.Range(days.FIRST, days.LAST)


class MoneyOf(fields.Nested):
    """Money of a row, from a column of minor units and the row's currency; null when either is."""

    def __init__(self, minor: str) -> None:
        super().__init__(MoneySchema, allow_none=True, dump_only=True)
        self.minor = minor

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Money | None:  # noqa: ARG002 - marshmallow's signature
        """The money of this row."""
        amount, currency = getattr(obj, self.minor), obj.currency
        return None if amount is None or currency is None else Money(amount, currency)


class PageArguments(Schema):
    """How to page a list: the cursor comes from the `Link` header of the page before."""

    cursor = PublicId("cur", metadata={"description": "From the Link header of the page before"})
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))


class OrderFilter(PageArguments):
    """Only what belongs to one order."""

    order_id = fields.String(validate=validate.Length(1, 120))


class PartnerFilter(PageArguments):
    """Only what belongs to one partner."""

    partner = PublicId("ptn")


class CommissionFilter(PartnerFilter):
    """Commissions of one partner or status."""

    status = fields.Enum(CommissionStatus, by_value=True)


class EnrollmentFilter(PageArguments):
    """Enrollments of one status."""

    status = fields.Enum(EnrollmentStatus, by_value=True)


class ClickFilter(PartnerFilter):
    """Clicks of one partner, link or verdict."""

    link = PublicId("lnk")
    verdict = fields.Enum(ClickVerdict, by_value=True)


class CreativeFilter(PageArguments):
    """Creatives of one kind or status."""

    kind = fields.Enum(CreativeKind, by_value=True)
    status = fields.Enum(CreativeStatus, by_value=True)


class CreativeSchema(Schema):
    """Material for partners. `picture_url` is where pages load a banner from; `{link}` in a text stands for a partner's link."""

    id = PublicId("crv")
    kind = fields.String()
    status = fields.String()
    title = fields.String()
    campaign = fields.String()
    language = fields.String()
    landing_url = fields.String()
    version = fields.Integer()
    subject = fields.String()
    text = fields.String()
    address = fields.String()
    width = fields.Integer(allow_none=True)
    height = fields.Integer(allow_none=True)
    picture_url = fields.String(allow_none=True)
    starts_at = fields.DateTime()
    ends_at = fields.DateTime(allow_none=True)
    updated_at = fields.DateTime()


class ReportArguments(Schema):
    """The days of a report, both included, in the program's time zone; the last thirty when left out."""

    since = fields.Date(data_key="from", validate=_IN_OUR_TIME)
    until = fields.Date(data_key="to", validate=_IN_OUR_TIME)


class PartnerReportArguments(ReportArguments):
    """A report in pages, best earner first."""

    page = fields.Integer(load_default=1, validate=validate.Range(1, 1000))
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))


class ProgramSchema(Schema):
    """A program."""

    id = PublicId("prg")
    slug = fields.String()
    name = fields.String()
    status = fields.String()
    currency = fields.String()
    time_zone = fields.String()
    shop_url = fields.String()
    allowed_hosts = fields.List(fields.String())
    attribution_window_days = fields.Integer()
    validation_days = fields.Integer()


class PartnerSchema(Schema):
    """A partner of the program, with its enrollment."""

    id = PublicId("ptn", attribute="partner.id")
    name = fields.String(attribute="partner.name")
    website = fields.String(attribute="partner.website", allow_none=True)
    country = fields.String(attribute="partner.country", allow_none=True)
    status = fields.String(attribute="enrollment.status")
    enrolled_at = fields.DateTime(attribute="enrollment.created_at")


class EnrollmentSchema(Schema):
    """A partner's membership in the program."""

    id = PublicId("enr")
    partner_id = PublicId("ptn")
    status = fields.String()
    reason = fields.String(allow_none=True)
    decided_at = fields.DateTime(allow_none=True)
    created_at = fields.DateTime()


class CouponSchema(Schema):
    """A discount code of the shop that is bound to a partner."""

    id = PublicId("cpn", dump_only=True)
    partner_id = PublicId("ptn", required=True)
    code = fields.String(required=True, validate=validate.Length(1, 60))
    status = fields.String(dump_only=True)
    created_at = fields.DateTime(dump_only=True)


class ClickSchema(Schema):
    """An arrival on a partner's link, without anything that tells who it was."""

    id = PublicId("clk")
    partner_id = PublicId("ptn")
    link_id = PublicId("lnk")
    verdict = fields.String(metadata={"description": "“valid”, or why it does not count"})
    source = fields.String()
    subs = fields.Dict(keys=fields.String(), values=fields.String())
    landing_url = fields.String()
    occurred_at = fields.DateTime()


class LinkSchema(Schema):
    """A partner's link. `url` is what the partner publishes."""

    id = PublicId("lnk", dump_only=True)
    partner_id = PublicId("ptn", required=True)
    code = fields.String(validate=validate.Length(3, 40), metadata={"description": "Chosen by us when left out"})
    url = fields.String(dump_only=True)
    name = fields.String(load_default="", validate=validate.Length(max=120))
    landing_url = fields.String(required=True, validate=validate.Length(1, 2000))
    subs = fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict)
    status = fields.String(dump_only=True)
    created_at = fields.DateTime(dump_only=True)


class ConversionSchema(Schema):
    """A conversion as believed now."""

    id = PublicId("cnv")
    kind = fields.String()
    order_id = fields.String()
    amount = MoneyOf("amount_minor")
    tax = MoneyOf("tax_minor")
    shipping = MoneyOf("shipping_minor")
    verified = fields.Function(lambda row: row.trust >= Trust.SIGNED, metadata={"type": "boolean"})
    source = fields.String()
    test = fields.Boolean(attribute="is_test")
    coupon = fields.String(allow_none=True)
    new_customer = fields.Boolean(allow_none=True)
    revision = fields.Integer()
    occurred_at = fields.DateTime()
    received_at = fields.DateTime()


class OrderEventSchema(Schema):
    """What became of an order."""

    id = PublicId("evt")
    order_id = fields.String()
    event_id = fields.String()
    type = fields.String()
    amount = MoneyOf("amount_minor")
    occurred_at = fields.DateTime()


class RefundSchema(Schema):
    """Money given back to a customer; a null amount means all that was left."""

    id = PublicId("ref")
    order_id = fields.String()
    refund_id = fields.String()
    amount = MoneyOf("amount_minor")
    reason = fields.String(allow_none=True)
    occurred_at = fields.DateTime()


class CommissionSchema(Schema):
    """What a partner earns for one conversion: `amount` minus `reversed` counts."""

    id = PublicId("com")
    conversion_id = PublicId("cnv")
    partner_id = PublicId("ptn")
    payout_id = PublicId("pay", allow_none=True)
    status = fields.String()
    reason = fields.String(allow_none=True)
    base = MoneyOf("base_minor")
    amount = MoneyOf("amount_minor")
    reversed = MoneyOf("reversed_minor")
    earned_at = fields.DateTime()
    matures_at = fields.DateTime()


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


class AttributionSchema(Schema):
    """One version of the outcome, with every touch considered."""

    id = PublicId("att")
    version = fields.Integer()
    current = fields.Boolean(attribute="is_current")
    model = fields.String()
    policy_version = fields.Integer()
    reason = fields.String(allow_none=True)
    trace = fields.Dict()
    decided_at = fields.DateTime()


class FindingSchema(Schema):
    """A fraud rule that spoke: what it calls for, and the numbers that it saw."""

    rule = fields.String()
    action = fields.String()
    evidence = fields.Dict()


class VerdictSchema(Schema):
    """What the fraud rules, or a manager over them, said about a partner's credit under one attribution."""

    attribution_id = PublicId("att")
    partner_id = PublicId("ptn")
    verdict = fields.String()
    reason = fields.String(allow_none=True)
    findings = fields.List(fields.Nested(FindingSchema))
    settings_version = fields.Integer()
    overruled = fields.Function(lambda row: row.decision_id is not None, metadata={"type": "boolean"})
    answer_by = fields.DateTime(allow_none=True)
    judged_at = fields.DateTime()


class AdjustmentSchema(Schema):
    """What one event took from a commission."""

    id = PublicId("adj")
    commission_id = PublicId("com")
    source = fields.String(attribute="source_kind")
    amount = MoneyOf("amount_minor")
    exceeds_original = fields.Boolean()
    clawback = fields.Boolean(attribute="is_clawback")
    created_at = fields.DateTime()


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


class CommissionTraceSchema(CommissionSchema):
    """A commission with its derivation: base, plan, rate, rounding."""

    trace = fields.Dict()


class ExplanationSchema(Schema):
    """Everything that explains a conversion: touches, rule, window, plan, base, rate, rounding, postings."""

    conversion = fields.Nested(ConversionSchema)
    attributions = fields.List(fields.Nested(AttributionSchema))
    verdicts = fields.List(fields.Nested(VerdictSchema))
    commissions = fields.List(fields.Nested(CommissionTraceSchema))
    adjustments = fields.List(fields.Nested(AdjustmentSchema))
    ledger = fields.List(fields.Nested(TransferSchema), attribute="transfers")
