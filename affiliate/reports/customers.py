"""New against returning customers by month: whether partners bring new ones, and whether these are worth as much."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.attribution.models import Attribution
from affiliate.commissions.models import Commission
from affiliate.reports.metrics import Facts
from affiliate.reports.periods import Period, last_days, start_of_day
from affiliate.reports.queries import earned_in, sales_facts, sales_of


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the program's calendar: what new, returning, and unknown customers ordered."""

    first: date
    new: Facts
    returning: Facts
    unknown: Facts


def by_month(
    session: Session, *, program_id: UUID, partner_id: UUID | None, period: Period, currency: str
) -> list[Month]:
    """The months of a period, in order, by one statement; months without an order are there with zeros."""
    firsts = _firsts(period)
    ends = [*(start_of_day(day, zone=period.zone) for day in firsts[1:]), period.ends_at]
    month = sa.case(*((Commission.earned_at < end, number) for number, end in enumerate(ends)))
    is_new = Attribution.is_new_customer
    sales = sales_of(month, program_id, partner_id, currency).add_columns(is_new)
    sales = sales.join(Attribution, Attribution.id == Commission.attribution_id).where(*earned_in(period))
    found: dict[tuple[int, bool | None], Facts] = {}
    for number, *sold, new in session.execute(sales.group_by(month, is_new)):
        found[int(number), None if new is None else bool(new)] = sales_facts(currency, *sold)
    return [_month(first, number, found, Facts(currency)) for number, first in enumerate(firsts)]


def months_back(months: int, *, now: datetime, zone: str) -> Period:
    """The last so many months of the zone's calendar, the present one included as far as it goes."""
    today = last_days(1, now=now, zone=zone)
    number = today.first.year * 12 + today.first.month - 1 - (months - 1)
    return Period(date(number // 12, number % 12 + 1, 1), today.end, zone)


def _firsts(period: Period) -> list[date]:
    return [day for day in period.days if day == period.first or day.day == 1]


def _month(first: date, number: int, found: Mapping[tuple[int, bool | None], Facts], nothing: Facts) -> Month:
    new, returning, unknown = (found.get((number, which), nothing) for which in (True, False, None))
    return Month(first, new, returning, unknown)
