"""The shapes of the API's answers, and of the one thing it makes itself: links."""

from typing import Any

from flask import g
from marshmallow import Schema, fields, post_dump, validate

from affiliate.api import PublicId
from affiliate.ingest.models import Trust
from affiliate.rest.money_fields import MoneyOf
from affiliate.rest.payout_schemas import TransferSchema


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
    coupon = fields.String(
        load_default=None, allow_none=True, validate=validate.Length(max=60),
        metadata={"description": "The code of an active coupon of the partner, posted with the link"},
    )  # fmt: skip
    status = fields.String(dump_only=True)
    created_at = fields.DateTime(dump_only=True)


class ConversionSchema(Schema):
    """A conversion as believed now. Keys of partners read no coupon, which may be another's, and nothing of the customer."""

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

    @post_dump
    def _untold(self, told: dict[str, Any], **_: Any) -> dict[str, Any]:
        return told if g.api_key.partner_id is None else told | {"coupon": None, "new_customer": None}


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
