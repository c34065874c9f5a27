"""What partners and programs brought, day by day in UTC, and how soon orders followed clicks: the yardstick of the rules."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.attribution.models import Attribution, Credit
from affiliate.fraud.facts import PAST_DAYS, Past
from affiliate.ingest.models import ClickVerdict, Conversion, Refund
from affiliate.ingest.rollup_models import PartnerClickHour, ProgramClickHour

TIMES_MAX = 50
PROGRAM_TIMES_MAX = 200
Owner = tuple[UUID, UUID | None]
"""A program and a partner, or the program alone."""

_Statement = sa.Select[*tuple[Any, ...]]
_NOTHING: dict[date, Past] = {}


@dataclass(frozen=True, slots=True)
class Span:
    """The first and last moment of a batch's orders."""

    first_at: datetime
    last_at: datetime

    @property
    def since(self) -> datetime:
        """The beginning of the first order's past."""
        return midnight(self.first_at) - timedelta(days=PAST_DAYS)

    @property
    def until(self) -> datetime:
        """The end of the last order's day."""
        return midnight(self.last_at) + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class History:
    """Days by owner; those on which nothing happened are missing."""

    days: Mapping[Owner, Mapping[date, Past]] = field(default_factory=dict)

    def before(self, owner: Owner, at: datetime) -> Past:
        """What the owner brought in the past days, the order's own day left out."""
        last = at.astimezone(UTC).date()
        days = self.days.get(owner, _NOTHING)
        return _total([past for day, past in days.items() if last - timedelta(days=PAST_DAYS) <= day < last])

    def on(self, owner: Owner, at: datetime) -> Past:
        """What the owner brought on the order's own day."""
        return self.days.get(owner, _NOTHING).get(at.astimezone(UTC).date(), Past())


def midnight(at: datetime) -> datetime:
    """The beginning of a moment's UTC day."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def of(session: Session, *, program_ids: Collection[UUID], partner_ids: Collection[UUID], span: Span) -> History:
    """The days of these partners and of the whole programs. Four queries."""
    days: defaultdict[Owner, defaultdict[date, Past]] = defaultdict(lambda: defaultdict(Past))
    for owner_columns, partners in (((Credit.partner_id,), partner_ids), ((sa.null(),), None)):
        for program_id, partner_id, day, *counts in session.execute(
            _orders(session, owner_columns, program_ids, partners, span)
        ):
            days[program_id, partner_id][_date(day)] = Past(**dict(zip(_COUNTED, map(int, counts), strict=True)))
    for statement in (
        _partner_clicks(session, program_ids, partner_ids, span),
        _program_clicks(session, program_ids, span),
    ):
        for program_id, partner_id, day, clicks in session.execute(statement):
            owner, on = (program_id, partner_id), _date(day)
            days[owner][on] = _with_clicks(days[owner][on], int(clicks))
    return History(days)


_COUNTED = ("orders", "orders_by_click", "orders_by_code", "orders_refunded")


def _with_clicks(past: Past, clicks: int) -> Past:
    return Past(clicks=clicks, **{name: getattr(past, name) for name in _COUNTED})


def _total(days: Collection[Past]) -> Past:
    names = ("clicks", *_COUNTED)
    return Past(**{name: sum(getattr(day, name) for day in days) for name in names})


def by_code() -> sa.ColumnElement[bool]:
    """Whether a credit was earned by a coupon and without any click."""
    return sa.and_(Credit.coupon_id.is_not(None), Credit.click_id.is_(None))


def _credited(*columns: Any) -> _Statement:
    in_force = sa.and_(Attribution.conversion_id == Conversion.id, Attribution.is_current)
    joined = sa.select(*columns).select_from(Conversion).join(Attribution, in_force)
    return joined.join(Credit, Credit.attribution_id == Attribution.id).where(Conversion.is_test.is_(False))


def _orders(
    session: Session,
    owner: tuple[Any, ...],
    program_ids: Collection[UUID],
    partner_ids: Collection[UUID] | None,
    span: Span,
) -> _Statement:
    """Orders by day: all, by a click, by a code alone, and sent back."""
    day = _day(session, Conversion.occurred_at)
    was_refunded = sa.exists().where(Refund.conversion_id == Conversion.id)
    counts = (sa.func.count(), sa.func.count(Credit.click_id), _number_of(by_code()), _number_of(was_refunded))
    found = _credited(Conversion.program_id, *owner, day, *counts).where(
        Conversion.program_id.in_(program_ids),
        Conversion.occurred_at >= span.since,
        Conversion.occurred_at < span.until,
    )
    if partner_ids is None:
        return found.group_by(Conversion.program_id, day)
    mine = found.where(db.among(session, Credit.partner_id, partner_ids))
    return mine.group_by(Conversion.program_id, Credit.partner_id, day)


def _number_of(condition: Any) -> sa.ColumnElement[int]:
    return sa.func.coalesce(sa.func.sum(sa.case((condition, 1), else_=0)), 0)


def _partner_clicks(
    session: Session, program_ids: Collection[UUID], partner_ids: Collection[UUID], span: Span
) -> _Statement:
    hours = PartnerClickHour
    found = _clicks(session, hours, hours.partner_id, program_ids, span)
    return found.where(db.among(session, hours.partner_id, partner_ids))


def _program_clicks(session: Session, program_ids: Collection[UUID], span: Span) -> _Statement:
    return _clicks(session, ProgramClickHour, sa.null(), program_ids, span)


def _clicks(session: Session, hours: Any, partner: Any, program_ids: Collection[UUID], span: Span) -> _Statement:
    """Clicks that count, by day."""
    day = _day(session, hours.hour)
    found = sa.select(hours.program_id, partner, day, sa.func.sum(hours.clicks)).where(
        hours.program_id.in_(program_ids), hours.hour >= span.since, hours.hour < span.until,
        hours.verdict == ClickVerdict.VALID,
    )  # fmt: skip
    owner = (hours.program_id,) if isinstance(partner, sa.Null) else (hours.program_id, partner)
    return found.group_by(*owner, day)


def _day(session: Session, column: Any) -> sa.ColumnElement[Any]:
    if session.get_bind().dialect.name == "postgresql":
        return sa.func.date(sa.func.timezone(sa.literal_column("'UTC'"), column))
    return sa.func.date(column, type_=sa.String)


def _date(day: date | str) -> date:
    return day if isinstance(day, date) else date.fromisoformat(day)


def places(
    session: Session, *, conversion_ids: Collection[UUID], partner_ids: Collection[UUID], span: Span
) -> dict[tuple[UUID, UUID], tuple[int, int]]:
    """Of each order and partner: the how-manieth of the partner's day it is, and the how-manieth of those by a code alone."""
    owner = (Conversion.program_id, Credit.partner_id, _day(session, Conversion.occurred_at))
    order = (Conversion.occurred_at, Conversion.id)
    place = sa.func.row_number().over(partition_by=owner, order_by=order)
    by_code_until = sa.func.sum(sa.case((by_code(), 1), else_=0)).over(partition_by=owner, order_by=order)
    ranked = (
        _credited(Conversion.id, Credit.partner_id, place.label("place"), by_code_until.label("by_code"))
        .where(
            Conversion.occurred_at >= midnight(span.first_at),
            Conversion.occurred_at <= span.last_at,
            db.among(session, Credit.partner_id, partner_ids),
        )
        .subquery()
    )
    rows = session.execute(sa.select(ranked).where(db.among(session, ranked.c.id, conversion_ids)))
    return {(row[0], row[1]): (int(row[2]), int(row[3])) for row in rows}


def times(
    session: Session, *, program_ids: Collection[UUID], partner_ids: Collection[UUID], span: Span
) -> dict[Owner, list[int]]:
    """Seconds from click to order of the last orders before the batch, the latest first: of partners, and of programs as a whole."""
    found: defaultdict[Owner, list[int]] = defaultdict(list)
    for statement in (
        _last_of_partners(session, partner_ids, program_ids, span),
        *(_last_of_program(one, span) for one in sorted(program_ids)),
    ):
        for program_id, partner_id, click_id, occurred_at in session.execute(statement):
            found[program_id, partner_id].append(seconds_between(click_id, occurred_at))
    return found


def _last_of_partners(
    session: Session, partner_ids: Collection[UUID], program_ids: Collection[UUID], span: Span
) -> _Statement:
    owner = (Conversion.program_id, Credit.partner_id)
    place = sa.func.row_number().over(partition_by=owner, order_by=(Conversion.occurred_at.desc(), Conversion.id))
    columns = (*owner, Credit.click_id, Conversion.occurred_at)
    ranked = _credited(*columns, place.label("place")).where(
        Credit.click_id.is_not(None), Conversion.program_id.in_(program_ids), db.among(session, Credit.partner_id, partner_ids),
        Conversion.occurred_at >= span.since, Conversion.occurred_at < span.first_at,
    ).subquery()  # fmt: skip
    shown = (ranked.c.program_id, ranked.c.partner_id, ranked.c.click_id, ranked.c.occurred_at)
    return sa.select(*shown).where(ranked.c.place <= TIMES_MAX).order_by(ranked.c.place)


def _last_of_program(program_id: UUID, span: Span) -> _Statement:
    """A program at a time: its index by time is read backwards, and no further than needed."""
    found = _credited(Conversion.program_id, sa.null(), Credit.click_id, Conversion.occurred_at).where(
        Credit.click_id.is_not(None), Conversion.program_id == program_id,
        Conversion.occurred_at >= span.since, Conversion.occurred_at < span.first_at,
    )  # fmt: skip
    return found.order_by(Conversion.occurred_at.desc()).limit(PROGRAM_TIMES_MAX)


def seconds_between(click_id: UUID, occurred_at: datetime) -> int:
    """How long after the click the order came; the click's id carries its moment."""
    return max(int((occurred_at - ids.moment_of(click_id)).total_seconds()), 0)
