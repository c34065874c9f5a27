"""The shapes of what shops send. Strict: a name we do not know, a float, a `1` for `true` are refused with the field's name."""

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from affiliate.api import AmountText

ITEMS_MAX = 500
QUANTITY_MAX = 1_000_000
ORDER_EVENT_TYPES = ("paid", "shipped", "delivered", "cancelled", "amended")
ORDER_STATES = ("pending", *ORDER_EVENT_TYPES[:4])

_ID_LENGTH_MAX = 120
_WORD_LENGTH_MAX = 40
_PROGRAM_LENGTH_MAX = 60  # a slug, or a public id
_ONE_LINE = r"[^\x00-\x1f\x7f]+"


class Text(fields.Field[str]):
    """A text between one character and a limit: one line, or the whole of it in a pattern. `hint` says what to write."""

    def __init__(
        self,
        length_max: int,
        *,
        pattern: str = _ONE_LINE,
        hint: str = "Write one line, without control characters.",
        **kwargs: Any,
    ) -> None:
        shape = {"type": "string", "minLength": 1, "maxLength": length_max, "pattern": f"^{pattern}$"}
        super().__init__(**kwargs, metadata=shape)
        self._length_max = length_max
        self._pattern = re.compile(pattern)
        self._hint = hint

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:  # noqa: ARG002 - marshmallow's signature
        if not isinstance(value, str):
            raise ValidationError("Write a text.")
        if not 0 < len(value) <= self._length_max:
            raise ValidationError(f"Write between 1 and {self._length_max} characters.")
        if self._pattern.fullmatch(value) is None:  # the whole: `$` would let a line end pass
            raise ValidationError(self._hint)
        return value


class TrueOrFalse(fields.Boolean):
    """JSON's own `true` and `false`, and nothing that only looks like them."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:  # noqa: ARG002 - marshmallow's signature
        if not isinstance(value, bool):
            raise ValidationError("Write true or false.")
        return value


class WholeNumber(fields.Integer):
    """A JSON integer: no text, no float, no boolean."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:  # noqa: ARG002 - marshmallow's signature
        if type(value) is not int:
            raise ValidationError("Write a whole number.")
        return value


def _optional(field: type[fields.Field[Any]], *arguments: Any, **kwargs: Any) -> Any:
    """A field that may be left out; null means the same."""
    return field(*arguments, allow_none=True, **kwargs)


def _currency(**kwargs: Any) -> Text:
    return Text(3, pattern="[A-Z]{3}", hint="Use a currency code of ISO 4217, for example EUR.", **kwargs)


def _kind() -> Text:
    hint = "Use small letters, digits and _, for example sale."
    return Text(_WORD_LENGTH_MAX, pattern="[a-z][a-z0-9_]*", hint=hint, load_default="sale")


class _Strict(Schema):
    class Meta:
        unknown = RAISE


class NewItemSchema(_Strict):
    """A line of an order: `amount` is of the whole line."""

    sku = Text(_ID_LENGTH_MAX, required=True)
    name = _optional(Text, 200)
    quantity = WholeNumber(load_default=1, validate=validate.Range(1, QUANTITY_MAX))
    amount = AmountText(required=True)
    group = _optional(Text, _WORD_LENGTH_MAX)


class NewRefundItemSchema(_Strict):
    """A line that was given back: `amount` is what the customer got for it."""

    sku = Text(_ID_LENGTH_MAX, required=True)
    quantity = WholeNumber(load_default=1, validate=validate.Range(1, QUANTITY_MAX))
    amount = AmountText(required=True)


class NewConversionSchema(_Strict):
    """A sale or another act. `amount` is what the customer paid, tax and shipping included."""

    program = Text(_PROGRAM_LENGTH_MAX, required=True)
    order_id = Text(_ID_LENGTH_MAX, required=True)
    amount = AmountText(required=True)
    currency = _currency(required=True)
    kind = _kind()
    click_id = _optional(Text, 100)
    coupon = _optional(Text, 60)
    customer_id = _optional(Text, _ID_LENGTH_MAX)
    email_sha256 = _optional(
        Text, 64, pattern="[0-9a-fA-F]{64}", hint="Send the SHA-256 of the address: 64 hex digits."
    )
    new_customer = _optional(TrueOrFalse)
    tax = _optional(AmountText)
    shipping = _optional(AmountText)
    discount = _optional(AmountText)
    payment_method = _optional(Text, _WORD_LENGTH_MAX)
    state = _optional(fields.String, validate=validate.OneOf(ORDER_STATES))
    channel = _optional(Text, _WORD_LENGTH_MAX)
    items = _optional(fields.List, fields.Nested(NewItemSchema), validate=validate.Length(max=ITEMS_MAX))
    occurred_at = _optional(fields.AwareDateTime, format="iso")
    test = TrueOrFalse(load_default=False)


class NewOrderEventSchema(_Strict):
    """What became of an order. `amended` carries new totals; the other types carry none."""

    program = Text(_PROGRAM_LENGTH_MAX, required=True)
    event_id = Text(_ID_LENGTH_MAX, required=True)
    type = fields.String(required=True, validate=validate.OneOf(ORDER_EVENT_TYPES))
    kind = _kind()
    amount = _optional(AmountText)
    tax = _optional(AmountText)
    shipping = _optional(AmountText)
    currency = _currency(allow_none=True)
    occurred_at = _optional(fields.AwareDateTime, format="iso")
    test = TrueOrFalse(load_default=False)


ORDER_IN_PATH = {
    "in": "path",
    "name": "order_id",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": _ID_LENGTH_MAX, "pattern": f"^{_ONE_LINE}$"},
}
"""How the OpenAPI document describes the order id in an address."""


class OrderPathSchema(_Strict):
    """The order id in an address."""

    order_id = Text(_ID_LENGTH_MAX, required=True)


class NewRefundSchema(_Strict):
    """Money given back to a customer; without an amount and items, all that is left of the order."""

    program = Text(_PROGRAM_LENGTH_MAX, required=True)
    order_id = Text(_ID_LENGTH_MAX, required=True)
    refund_id = Text(_ID_LENGTH_MAX, required=True)
    kind = _kind()
    amount = _optional(AmountText)
    currency = _currency(allow_none=True)
    items = _optional(fields.List, fields.Nested(NewRefundItemSchema), validate=validate.Length(max=ITEMS_MAX))
    reason = _optional(Text, 200)
    occurred_at = _optional(fields.AwareDateTime, format="iso")
    test = TrueOrFalse(load_default=False)


class TagClickSchema(_Strict):
    """An arrival that the tag saw: `ref` is a link's code, `url` the page it stood on, `nonce` makes it one however often it is sent.

    Without `ref` it came from a site or by an advertisement; `click_id` is the partner's click that the browser carries.
    """

    program = Text(_PROGRAM_LENGTH_MAX, required=True)
    ref = _optional(Text, _WORD_LENGTH_MAX)
    nonce = Text(80, required=True)
    url = _optional(Text, 2_000)
    referrer = _optional(Text, 2_000)
    click_id = _optional(Text, 100)
    consent = _optional(TrueOrFalse)


class AcceptedSchema(Schema):
    """The answer to an event: `accepted` when it is new, `known` when the same body came before."""

    id = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(["accepted", "known"]))


class ItemResultSchema(Schema):
    """What became of one item of a list: an id, or a code that says why it was refused."""

    index = fields.Integer(required=True)
    status = fields.String(required=True, validate=validate.OneOf(["accepted", "known", "refused"]))
    id = fields.String()
    code = fields.String()
    message = fields.String()
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))


class ListResultSchema(Schema):
    """One result per item, in the order of the list."""

    results = fields.List(fields.Nested(ItemResultSchema), required=True)
