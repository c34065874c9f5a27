"""How the API prints the money of a row."""

from typing import Any

from marshmallow import fields

from affiliate.api import MoneySchema
from affiliate.money import Money


class MoneyOf(fields.Nested):
    """Money of a row, from a column of minor units and the row's currency; null when either is."""

    def __init__(self, minor: str) -> None:
        super().__init__(MoneySchema, allow_none=True, dump_only=True)
        self.minor = minor

    def get_value(self, obj: Any, attr: str, accessor: Any = None, default: Any = None) -> Money | None:  # noqa: ARG002 - marshmallow's signature
        """The money of this row."""
        amount, currency = getattr(obj, self.minor), obj.currency
        return None if amount is None or currency is None else Money(amount, currency)
