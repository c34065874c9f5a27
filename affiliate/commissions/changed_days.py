"""Noting the days whose sums a change of commissions makes wrong: of their orders, and of the clicks that brought them."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.commissions.models import Commission
from affiliate.ingest.changed_days import note_sales
from affiliate.ingest.day_models import Doubt


def note(session: Session, which: sa.ColumnElement[bool]) -> None:
    """Note the days of these commissions. Whoever adds one, or changes its state, what is left of it or whether it is live, calls this.

    For steps from approved to in a payout to paid `note_paying` is enough.
    """
    clicked: sa.Select[*tuple[Any, ...]] = sa.select(Commission.program_id, Commission.clicked_at).where(
        which, Commission.clicked_at.is_not(None)
    )
    note_sales(session, {Doubt.SALES: _earned(which), Doubt.VISITS: clicked})


def note_paying(session: Session, which: sa.ColumnElement[bool]) -> None:
    """Note the days of the orders of these commissions, which enter a payout or are paid: only sums by status tell that apart."""
    note_sales(session, {Doubt.SALES: _earned(which)})


def _earned(which: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    return sa.select(Commission.program_id, Commission.earned_at).where(which)
