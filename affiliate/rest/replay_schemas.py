"""The shapes of attribution policies and replays in the API."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields, validate

from affiliate.api import MoneySchema, PublicId
from affiliate.attribution.policy import DAYS_MAX, Model
from affiliate.attribution.touches import Step


class PolicySchema(Schema):
    """One version of who gets a sale. The newest whose day has come counts for an order of that day."""

    id = PublicId("pol")
    version = fields.Integer()
    terms = fields.Dict()
    effective_from = fields.DateTime()
    created_at = fields.DateTime()


class ReplayAsked(Schema):
    """What to try: what is left out stays as it is now. With nothing at all each order is decided as it was."""

    model = fields.Enum(Model, by_value=True)
    window_days = fields.Integer(validate=validate.Range(1, DAYS_MAX))
    ladder = fields.List(fields.Enum(Step, by_value=True), validate=validate.Length(1, len(Step)))
    classes_outrank = fields.Boolean()
    first = fields.Date(data_key="from", metadata={"description": "The first day, in the program's time zone"})
    until = fields.Date(data_key="to", metadata={"description": "The first day after the period; else now"})


class EarningSchema(Schema):
    """What a partner earns today, and would earn tomorrow."""

    partner_id = PublicId("ptn")
    today = fields.Nested(MoneySchema)
    tomorrow = fields.Nested(MoneySchema)


class ReplaySchema(Schema):
    """How far a replay is, and what it found so far. Nothing of the program changes by it."""

    id = PublicId("rpl")
    status = fields.String()
    terms = fields.Dict(allow_none=True)
    starts_at = fields.DateTime()
    ends_at = fields.DateTime()
    orders = fields.Integer(metadata={"description": "In the whole period"})
    conversions = fields.Integer(metadata={"description": "Decided again so far"})
    changed_conversions = fields.Integer()
    partners = fields.List(fields.Nested(EarningSchema))
    error = fields.String(allow_none=True)
    created_at = fields.DateTime()
    finished_at = fields.DateTime(allow_none=True)


def asked_terms(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The terms as a person at the command line writes them."""
    model, ladder = wanted.get("model"), wanted.get("ladder")
    return {
        "model": model.value if model else None,
        "window_days": wanted.get("window_days"),
        "ladder": ",".join(step.value for step in ladder) if ladder else None,
        "classes_outrank": wanted.get("classes_outrank"),
    }
