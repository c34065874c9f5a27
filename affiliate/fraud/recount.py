"""Recounting: the sums by partner and day found again from the orders that they sum up, and every place where the two do not agree."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.fraud.counting import COUNTED
from affiliate.fraud.history import day_of
from affiliate.fraud.models import FraudDay, FraudOrder

_KEY = ("program_id", "owner_id", "day")


@dataclass(frozen=True, slots=True)
class Difference:
    """A day of a partner, or of a whole program, whose sums are not those of its orders."""

    program_id: str
    owner_id: str
    day: str


def recount(session: Session, *, limit: int) -> list[Difference]:
    """Compare every day with its orders; up to `limit` that differ. Reads everything that was ever judged."""
    both = sa.union_all(
        _counted(session, FraudOrder.partner_id), _counted(session, FraudOrder.program_id), _stored()
    ).subquery()
    key = [both.c[name] for name in _KEY]
    differs = sa.or_(*(sa.func.sum(both.c[name]) != 0 for name in COUNTED))
    rows = session.execute(sa.select(*key).group_by(*key).having(differs).order_by(*key).limit(limit))
    return [Difference(*map(str, row)) for row in rows]


def _counted(session: Session, owner: Any) -> sa.Select[Any]:
    """One row for each order, as a sum of its own."""
    told = (sa.true(), FraudOrder.seconds.is_not(None), FraudOrder.by_code, FraudOrder.by_machine, FraudOrder.refunded)
    numbers = (sa.case((condition, 1), else_=0).label(name) for name, condition in zip(COUNTED, told, strict=True))
    day = sa.type_coerce(day_of(session, FraudOrder.occurred_at), sa.Date)
    return sa.select(FraudOrder.program_id, owner.label("owner_id"), day.label("day"), *numbers)


def _stored() -> sa.Select[Any]:
    negated = ((-getattr(FraudDay, name)).label(name) for name in COUNTED)
    return sa.select(FraudDay.program_id, FraudDay.owner_id, FraudDay.day, *negated)
