"""Commissions in force by their status: added up from the days that stand counted, and from the rows of all other time."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.commissions.models import Commission, CommissionStatus
from affiliate.reports import day_queries

_LEFT = sa.func.sum(Commission.amount_minor - Commission.reversed_minor)
_BETWEEN = ":"  # in neither of the two


@dataclass(frozen=True, slots=True)
class StatusTotal:
    """How many commissions have a status, and what is left of them in minor units."""

    status: CommissionStatus
    currency: str
    commissions: int
    left_minor: int


def totals(session: Session, *, program_id: UUID, partner_id: UUID | None = None) -> list[StatusTotal]:
    """The commissions in force by status and currency, of a program or of one partner in it."""
    mine = Commission.program_id == program_id
    if partner_id is not None:  # few enough to be read
        found = session.execute(rows(mine, Commission.partner_id == partner_id))
        return _in_order({(status, currency): (number, left) for status, currency, number, left in found})
    days = day_queries.counted_sales(session, program_id=program_id)
    read = session.execute(rows(mine, day_queries.outside(Commission.earned_at, days))).all()
    counted = session.execute(day_queries.statuses(program_id, days)).all() if days else []
    numbers: Counter[tuple[CommissionStatus, str]] = Counter()
    lefts: Counter[tuple[CommissionStatus, str]] = Counter()
    for status, currency, number, left in (*read, *((*_named(name), *sums) for name, *sums in counted)):
        numbers[status, currency] += int(number)
        lefts[status, currency] += int(left)
    return _in_order({key: (number, lefts[key]) for key, number in numbers.items()})


def rows(*wanted: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    """Rows of status, currency, number and minor units left of those in force."""
    summed = sa.select(Commission.status, Commission.currency, sa.func.count(), _LEFT)
    return summed.where(*wanted, Commission.is_live).group_by(Commission.status, Commission.currency)


def label(status: CommissionStatus, currency: str) -> str:
    """Under what the sums of a day stand, of LabelKind.STATUS."""
    return f"{status.value}{_BETWEEN}{currency}"


def _named(name: str) -> tuple[CommissionStatus, str]:
    status, _, currency = name.partition(_BETWEEN)
    return CommissionStatus(status), currency


def _in_order(found: dict[tuple[CommissionStatus, str], tuple[int, int]]) -> list[StatusTotal]:
    return [StatusTotal(*key, int(number), int(left)) for key, (number, left) in sorted(found.items())]
