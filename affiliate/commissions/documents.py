"""The document in which a plan is stored: its shape, and what may stand in it.

Amounts are minor units, rates basis points. What is not said is left out; null and an empty list are the same as left out.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from affiliate.commissions import precedence, terms
from affiliate.commissions.terms import Counts, Customer, Period, TierMode
from affiliate.money import AMOUNT_MINOR_MAX, BPS_PER_UNIT, currencies

N_ = str  # marks a sentence for the translators
RULES_MAX = 100
VALUES_MAX = 200
STEPS_MAX = 10
FURTHER_LEVELS_MAX = 2
NAME_LENGTH_MAX = 120
_MONTHS_MAX = 120
_WORD = validate.Length(1, 120)


class _Strict(Schema):
    class Meta:
        unknown = RAISE


def _amount(minimum: int) -> fields.Integer:
    sentence = N_("Give an amount above zero.") if minimum else N_("Write an amount of zero or more.")
    return fields.Integer(strict=True, validate=validate.Range(minimum, AMOUNT_MINOR_MAX, error=sentence))


def _number() -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(1, 10**6))


class _Pays(_Strict):
    rate_bps = fields.Integer(
        strict=True,
        validate=validate.Range(0, BPS_PER_UNIT, error=N_("Give a percentage from 0 to 100.")),
    )
    fixed_minor = _amount(0)

    @validates_schema
    def _pays_something(self, data: dict[str, Any], **_: Any) -> None:
        if "rate_bps" not in data and "fixed_minor" not in data:
            raise ValidationError(N_("Say what is paid: a percentage, an amount, or both. Zero is an answer."))


class WhenSchema(_Strict):
    """To what a rule applies."""

    kind = fields.String(validate=validate.Regexp(r"^[a-z][a-z0-9_]{0,39}$"))
    coupon = fields.UUID()
    link = fields.UUID()
    partner = fields.UUID()
    group = fields.String(validate=validate.Length(1, 40))
    skus = fields.List(fields.String(validate=_WORD), validate=validate.Length(1, VALUES_MAX))
    categories = fields.List(fields.String(validate=_WORD), validate=validate.Length(1, VALUES_MAX))
    customer = fields.Enum(Customer, by_value=True)
    customer_months_max = fields.Integer(strict=True, validate=validate.Range(1, _MONTHS_MAX))

    @validates_schema
    def _names_one(self, data: dict[str, Any], **_: Any) -> None:
        if len([name for name in ("coupon", "link", "partner", "group") if name in data]) > 1:
            raise ValidationError(N_("Name a coupon, a link, a partner or a group in a rule, not two of them."))


class StepSchema(_Pays):
    """What is paid above a volume."""

    above = _amount(1)


class TiersSchema(_Strict):
    """Volume steps, the lowest first."""

    counts = fields.Enum(Counts, by_value=True, required=True)
    period = fields.Enum(Period, by_value=True, required=True)
    mode = fields.Enum(TierMode, by_value=True, required=True)
    steps = fields.List(fields.Nested(StepSchema), required=True, validate=validate.Length(1, STEPS_MAX))

    @validates_schema
    def _rises(self, data: dict[str, Any], **_: Any) -> None:
        if any(one["above"] >= other["above"] for one, other in pairwise(data["steps"])):
            raise ValidationError({"steps": [N_("Each step must begin above the one before.")]})


class RuleSchema(_Pays):
    """One line of a plan."""

    when = fields.Nested(WhenSchema)
    tiers = fields.Nested(TiersSchema)


class BaseSchema(_Strict):
    """What percentages are taken of."""

    with_tax = fields.Boolean()
    with_shipping = fields.Boolean()
    before_discount = fields.Boolean()


class CapsSchema(_Strict):
    """The most that is paid."""

    order_minor, day_minor, month_minor, total_minor = (_amount(1) for _ in range(4))
    day_orders, month_orders, total_orders = (_number() for _ in range(3))


class BonusSchema(_Strict):
    """An amount for a partner's so manieth order."""

    orders = _number()
    amount_minor = _amount(1)


class TermsSchema(_Strict):
    """Everything a plan says."""

    rules = fields.List(fields.Nested(RuleSchema), required=True, validate=validate.Length(1, RULES_MAX))
    base = fields.Nested(BaseSchema)
    caps = fields.Nested(CapsSchema)
    bonuses = fields.List(fields.Nested(BonusSchema), validate=validate.Length(max=STEPS_MAX))
    recruiter_bps = fields.Integer(strict=True, validate=validate.Range(1, BPS_PER_UNIT))
    further_recruiters_bps = fields.List(
        fields.Integer(strict=True, validate=validate.Range(1, BPS_PER_UNIT)),
        validate=validate.Length(max=FURTHER_LEVELS_MAX),
    )

    currency = fields.String(validate=validate.OneOf(currencies(), error=N_("Choose a currency.")))

    @validates_schema
    def _recruiters_share(self, data: dict[str, Any], **_: Any) -> None:
        further = data.get("further_recruiters_bps", ())
        if further and "recruiter_bps" not in data:
            raise ValidationError({"recruiter_bps": [N_("Say first what the partner's own recruiter gets.")]})
        if sum(further, data.get("recruiter_bps", 0)) > BPS_PER_UNIT:
            raise ValidationError({"recruiter_bps": [N_("Recruiters cannot get more than 100 % together.")]})

    @validates_schema
    def _is_unambiguous(self, data: dict[str, Any], **_: Any) -> None:
        numbers = [bonus["orders"] for bonus in data.get("bonuses", ())]
        if len(set(numbers)) < len(numbers):
            raise ValidationError({"bonuses": [N_("Two bonuses are for the same number of orders.")]})
        if precedence.conflicts(terms.read(self.dump(data)).rules):
            sentence = N_("Two rules are equally specific and speak of the same orders. Say it in one.")
            raise ValidationError({"rules": [sentence]})


def clean(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document as it is stored, or what is wrong with it.

    Raises:
        ValidationError: with a sentence at each wrong place.
    """
    schema = TermsSchema()
    cleaned: dict[str, Any] = schema.dump(schema.load(_without_nothing(document)))
    return cleaned


def sentences(wrong: ValidationError) -> dict[str, list[str]]:
    """The messages of a refusal by the first word of where they belong; none is lost."""
    found: dict[str, list[str]] = {}
    for name, inside in wrong.normalized_messages().items():  # type: ignore[no-untyped-call] # the library leaves it untyped
        found["rules" if name == "_schema" else name] = list(_flat(inside))
    return found


def _flat(inside: Any) -> list[str]:
    if isinstance(inside, str):
        return [inside]
    parts = inside.values() if isinstance(inside, dict) else inside
    return [text for part in parts for text in _flat(part)]


def _without_nothing(value: Any) -> Any:
    """Without nulls and empty parts; a rule's `when` of nothing is no `when`."""
    if isinstance(value, Mapping):
        kept = {name: _without_nothing(inside) for name, inside in value.items()}
        return {name: inside for name, inside in kept.items() if inside is not None and inside not in ([], {})}
    return [_without_nothing(inside) for inside in value] if isinstance(value, list | tuple) else value
