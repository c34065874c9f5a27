"""Cohorts counted: partners by the month in which they were let in, customers by the month of their first order.

Customers are known by the shop's customer id, else by the fingerprint of their address; orders without either are in no cohort.
All are credited orders that count: no tests, none that is still being verified.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.attribution.models import Credit
from affiliate.commissions.life import CommissionStatus
from affiliate.commissions.models import Commission
from affiliate.ingest.models import ClickVerdict, Conversion
from affiliate.ingest.rollup_models import PartnerClickHour
from affiliate.partners.models import Enrollment, EnrollmentStatus
from affiliate.reports.cohort_metrics import MONTHS, Cell, Cohort, Kind
from affiliate.reports.customers import months_back
from affiliate.reports.periods import start_of_day
from affiliate.reports.queries import NOT_COUNTED

_IN = (EnrollmentStatus.APPROVED, EnrollmentStatus.PAUSED, EnrollmentStatus.BANNED)
_ENDED = (CommissionStatus.REVERSED, CommissionStatus.DECLINED)


class _Months:
    """The last months of a zone as instants, and as a column: 0 the earliest, null before it."""

    def __init__(self, *, now: datetime, zone: str) -> None:
        period = months_back(MONTHS, now=now, zone=zone)
        self.firsts: list[date] = [day for day in period.days if day.day == 1]
        self.bounds = [*(start_of_day(day, zone=zone) for day in self.firsts), period.ends_at]

    def of(self, moment: Any) -> Any:
        """The number of the month of a moment."""
        whens = (
            (sa.and_(moment >= at, moment < end), number) for number, (at, end) in enumerate(pairwise(self.bounds))
        )
        return sa.case(*whens)

    def cohorts(self, sizes: dict[int, int], rows: Iterable[Any]) -> list[Cohort]:
        """The cohorts of the months; `rows` are cohort, month, and what a cell holds beside its size."""
        cells = {(int(cohort), int(month)): tuple(map(int, counted)) for cohort, month, *counted in rows}
        return [
            Cohort(
                f"{first:%Y-%m}",
                sizes.get(number, 0),
                [
                    Cell(sizes.get(number, 0), *cells.get((number, month), ()))
                    for month in range(number, len(self.firsts))
                ],
            )
            for number, first in enumerate(self.firsts)
        ]


def of_partners(session: Session, *, program_id: UUID, currency: str, now: datetime, zone: str) -> list[Cohort]:
    """The last twelve months' partners."""
    months = _Months(now=now, zone=zone)
    joined = sa.func.coalesce(Enrollment.decided_at, Enrollment.created_at)
    cohort = months.of(joined).label("cohort")
    members = sa.select(Enrollment.partner_id, cohort).where(
        Enrollment.program_id == program_id, Enrollment.status.in_(_IN), joined >= months.bounds[0]
    )
    inside = members.subquery()
    counted = sa.select(inside.c.cohort, sa.func.count()).group_by(inside.c.cohort)
    sizes = {int(number): int(size) for number, size in session.execute(counted)}
    clicked, sold = _clicked(program_id, months).subquery(), _sold(program_id, currency, months).subquery()
    both = sa.union_all(
        sa.select(clicked.c.partner_id, clicked.c.month, *(sa.literal(0).label(name) for name in _SUMS)),
        sa.select(sold.c.partner_id, sold.c.month, *(sold.c[name] for name in _SUMS)),
    ).subquery()
    rows = (
        sa.select(inside.c.cohort, both.c.month, sa.func.count(both.c.partner_id.distinct()), *(sa.func.sum(both.c[name]) for name in _SUMS))
        .join(inside, inside.c.partner_id == both.c.partner_id)
        .where(both.c.month >= inside.c.cohort)
        .group_by(inside.c.cohort, both.c.month)
    )  # fmt: skip
    return months.cohorts(sizes, session.execute(rows))


_SUMS = ("orders", "kept", "revenue", "earned")


def _clicked(program_id: UUID, months: _Months) -> sa.Select[Any]:
    """Partners and months with a valid click."""
    month = months.of(PartnerClickHour.hour).label("month")
    here = (PartnerClickHour.program_id == program_id, PartnerClickHour.verdict == ClickVerdict.VALID)
    among = (PartnerClickHour.hour >= months.bounds[0], PartnerClickHour.hour < months.bounds[-1])
    return sa.select(PartnerClickHour.partner_id, month).where(*here, *among, PartnerClickHour.clicks > 0).distinct()


def _counts(currency: str) -> list[sa.Label[int]]:
    """What a group of commissions sums to."""
    order = Commission.conversion_id
    stays = sa.case((Commission.status.not_in(_ENDED), order))
    in_it = sa.case((Commission.currency == currency, Commission.revenue_minor), else_=0)
    return [
        sa.func.count(order.distinct()).label("orders"),
        sa.func.count(stays.distinct()).label("kept"),
        sa.func.sum(in_it).label("revenue"),
        sa.func.sum(Commission.amount_minor - Commission.reversed_minor).label("earned"),
    ]


def _counted(program_id: UUID) -> list[Any]:
    return [Commission.program_id == program_id, Commission.is_live, Commission.status.not_in(NOT_COUNTED)]


def _sold(program_id: UUID, currency: str, months: _Months) -> sa.Select[Any]:
    """Partners and months with their sales."""
    month = months.of(Commission.earned_at).label("month")
    among = (Commission.earned_at >= months.bounds[0], Commission.earned_at < months.bounds[-1])
    found = sa.select(Commission.partner_id, month, *_counts(currency)).where(*_counted(program_id), *among)
    return found.group_by(Commission.partner_id, month)


def of_customers(
    session: Session, *, program_id: UUID, currency: str, now: datetime, zone: str, partner_id: UUID | None = None
) -> list[Cohort]:
    """The last twelve months' customers: all, or those whose first order was credited to a partner. All their orders count."""
    months = _Months(now=now, zone=zone)
    orders = _orders(program_id, currency, partner_id).subquery()
    numbered = sa.select(*orders.c, *(_at_first(orders, name) for name in ("at", "mine"))).subquery()
    cohort, month = months.of(numbered.c.first_at).label("cohort"), months.of(numbered.c.at).label("month")
    rows = (
        sa.select(
            cohort, month, sa.func.count(numbered.c.customer.distinct()), sa.func.count(), sa.func.sum(numbered.c.kept),
            sa.func.sum(numbered.c.revenue), sa.func.sum(numbered.c.earned),
        )
        .where(numbered.c.first_at >= months.bounds[0], numbered.c.at < months.bounds[-1], numbered.c.first_mine == 1)
        .group_by(cohort, month)
    )  # fmt: skip
    found = session.execute(rows).all()
    sizes = {int(number): int(customers) for number, month, customers, *_rest in found if number == month}
    return months.cohorts(sizes, found)


def _at_first(orders: Any, name: str) -> sa.Label[Any]:
    """A column of each customer's first order, beside every order of the customer."""
    first = sa.func.first_value(orders.c[name])
    return first.over(partition_by=orders.c.customer, order_by=(orders.c.at, orders.c.id)).label(f"first_{name}")


def _orders(program_id: UUID, currency: str, partner_id: UUID | None) -> sa.Select[Any]:
    """Each credited order of a known customer; `mine` is 1 where it is credited to the partner, or none was asked for."""
    customer = sa.func.coalesce(Conversion.customer_id, Conversion.email_hash).label("customer")
    orders, kept, revenue, earned = _counts(currency)
    mine = sa.literal(1) if partner_id is None else sa.func.max(sa.case((Credit.partner_id == partner_id, 1), else_=0))
    found = (
        sa.select(Conversion.id, customer, Conversion.occurred_at.label("at"), orders, kept, revenue, earned, mine.label("mine"))
        .join(Conversion, Conversion.id == Commission.conversion_id)
        .join(Credit, Credit.id == Commission.credit_id)
        .where(*_counted(program_id), customer.is_not(None))
        .group_by(Conversion.id)
    )  # fmt: skip
    if partner_id is None:
        return found
    theirs = (
        sa.select(sa.func.coalesce(Conversion.customer_id, Conversion.email_hash))
        .join(Commission, Commission.conversion_id == Conversion.id)
        .where(*_counted(program_id), Commission.partner_id == partner_id)
    )
    return found.where(sa.func.coalesce(Conversion.customer_id, Conversion.email_hash).in_(theirs))


def counted(session: Session, kind: Kind, *, program_id: UUID, currency: str, now: datetime, zone: str) -> list[Cohort]:
    """The cohorts of this kind as they are now."""
    count = of_partners if kind is Kind.PARTNERS else of_customers
    return count(session, program_id=program_id, currency=currency, now=now, zone=zone)


def as_document(found: Iterable[Cohort]) -> dict[str, Any]:
    """Cohorts as they are stored."""
    return {"cohorts": [{"month": one.month, "size": one.size, "cells": [asdict(cell) for cell in one.cells]} for one in found]}  # fmt: skip


def from_document(document: dict[str, Any]) -> list[Cohort]:
    """Cohorts as they were stored."""
    return [Cohort(one["month"], one["size"], [Cell(**cell) for cell in one["cells"]]) for one in document["cohorts"]]
