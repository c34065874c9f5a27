"""Whose rows a key reads: those of its program, or of one partner in it. Every query of the API takes it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from affiliate.commissions.models import Commission
from affiliate.ingest.models import Conversion


@dataclass(frozen=True, slots=True)
class Whose:
    """A program, and the partner in it whose rows alone are meant; null: everybody's."""

    program_id: UUID
    partner_id: UUID | None = None

    def rows(self, table: Any) -> list[sa.ColumnElement[bool]]:
        """What rows that name their partner must fulfil."""
        here = [table.program_id == self.program_id]
        return here if self.partner_id is None else [*here, table.partner_id == self.partner_id]

    def conversions(self) -> list[sa.ColumnElement[bool]]:
        """What conversions must fulfil: a partner's are those that it has a commission for."""
        here = [Conversion.program_id == self.program_id]
        return here if self.partner_id is None else [*here, Conversion.id.in_(self._earned())]

    def of_orders(self, table: Any) -> list[sa.ColumnElement[bool]]:
        """What rows that name an order must fulfil."""
        here = [table.program_id == self.program_id]
        if self.partner_id is None:
            return here
        mine = sa.select(Conversion.order_id).where(*self.conversions())
        return [*here, table.order_id.in_(mine)]

    def _earned(self) -> sa.Select[Any]:
        return sa.select(Commission.conversion_id).where(*self.rows(Commission), Commission.is_live)
