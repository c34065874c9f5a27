"""Noting the days whose sums a change of commissions makes wrong: of their orders, and of the clicks that brought them."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.commissions.models import Commission
from affiliate.ingest.changed_days import note_sales, utc_day
from affiliate.ingest.models import Click


def note(session: Session, which: sa.ColumnElement[bool]) -> None:
    """Note the days of these commissions. Whoever adds one, or changes its state, what is left of it or whether it is live, calls this.

    For steps from approved to in a payout to paid `note_paying` is enough.
    """
    clicked = (
        sa.select(Commission.program_id, utc_day(session, Click.occurred_at))
        .join(Click, Click.id == Commission.click_id)
        .where(which)
    )
    note_sales(session, _earned(session, which), clicked)


def note_paying(session: Session, which: sa.ColumnElement[bool]) -> None:
    """Note the days of the orders of these commissions, which enter a payout or are paid: only sums by status tell that apart."""
    note_sales(session, _earned(session, which))


def _earned(session: Session, which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(Commission.program_id, utc_day(session, Commission.earned_at)).where(which).distinct()
