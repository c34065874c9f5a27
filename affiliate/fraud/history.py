"""What partners and programs brought, day by day in UTC, and how soon orders followed clicks: the yardstick of the rules."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.attribution import values
from affiliate.fraud.counting import COUNTED
from affiliate.fraud.facts import PAST_DAYS, Past
from affiliate.fraud.models import FraudDay, FraudOrder
from affiliate.ingest.models import ClickVerdict
from affiliate.ingest.rollup_models import PartnerClickHour, ProgramClickHour

TIMES_MAX = 50
PROGRAM_TIMES_MAX = 200
Owner = tuple[UUID, UUID | None]
"""A program and a partner, or the program alone."""

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
    """Days by owner; those on which nothing happened are missing. Sums are kept: a batch asks for the same ones again and again."""

    days: Mapping[Owner, Mapping[date, Past]] = field(default_factory=dict)
    _sums: dict[tuple[Owner, date], Past] = field(default_factory=dict)

    def before(self, owner: Owner, at: datetime) -> Past:
        """What the owner brought in the past days, the order's own day left out."""
        last = at.astimezone(UTC).date()
        found = self._sums.get((owner, last))
        if found is None:
            first = last - timedelta(days=PAST_DAYS)
            days = self.days.get(owner, _NOTHING)
            found = _total([past for day, past in days.items() if first <= day < last])
            self._sums[owner, last] = found
        return found

    def on(self, owner: Owner, at: datetime) -> Past:
        """What the owner brought on the order's own day."""
        return self.days.get(owner, _NOTHING).get(at.astimezone(UTC).date(), Past())


def midnight(at: datetime) -> datetime:
    """The beginning of a moment's UTC day."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def of(session: Session, *, program_ids: Collection[UUID], partner_ids: Collection[UUID], span: Span) -> History:
    """The days of these partners and of the whole programs. Three queries over sums, however much was sold."""
    days: defaultdict[Owner, defaultdict[date, Past]] = defaultdict(lambda: defaultdict(Past))
    for program_id, owner_id, day, *counts in session.execute(_orders(session, program_ids, partner_ids, span)):
        owner = (program_id, None if owner_id == program_id else owner_id)
        days[owner][day] = Past(**dict(zip(COUNTED, counts, strict=True)))
    for statement in (
        _partner_clicks(session, program_ids, partner_ids, span),
        _program_clicks(session, program_ids, span),
    ):
        for program_id, partner_id, on, clicks in session.execute(statement):
            of_owner = days[program_id, partner_id]
            of_owner[_date(on)] = replace(of_owner[_date(on)], clicks=int(clicks))
    return History(days)


def _total(days: Collection[Past]) -> Past:
    names = ("clicks", *COUNTED)
    return Past(**{name: sum(getattr(day, name) for day in days) for name in names})


def _orders(
    session: Session, program_ids: Collection[UUID], partner_ids: Collection[UUID], span: Span
) -> sa.Select[*tuple[Any, ...]]:
    """Orders by day: all, by a click, by a code alone, and sent back; of each partner, and of the program as a whole."""
    columns = (FraudDay.program_id, FraudDay.owner_id, FraudDay.day, *(getattr(FraudDay, name) for name in COUNTED))
    return sa.select(*columns).where(
        FraudDay.program_id.in_(program_ids),
        db.among(session, FraudDay.owner_id, {*partner_ids, *program_ids}),
        FraudDay.day >= span.since.date(),
        FraudDay.day < span.until.date(),
    )


def _partner_clicks(
    session: Session, program_ids: Collection[UUID], partner_ids: Collection[UUID], span: Span
) -> sa.Select[*tuple[Any, ...]]:
    hours = PartnerClickHour
    found = _clicks(session, hours, hours.partner_id, program_ids, span)
    return found.where(db.among(session, hours.partner_id, partner_ids))


def _program_clicks(session: Session, program_ids: Collection[UUID], span: Span) -> sa.Select[*tuple[Any, ...]]:
    return _clicks(session, ProgramClickHour, sa.null(), program_ids, span)


def _clicks(
    session: Session, hours: Any, partner: Any, program_ids: Collection[UUID], span: Span
) -> sa.Select[*tuple[Any, ...]]:
    """Clicks that count, by day."""
    day = day_of(session, hours.hour)
    found = sa.select(hours.program_id, partner, day, sa.func.sum(hours.clicks)).where(
        hours.program_id.in_(program_ids), hours.hour >= span.since, hours.hour < span.until,
        hours.verdict == ClickVerdict.VALID,
    )  # fmt: skip
    owner = (hours.program_id,) if isinstance(partner, sa.Null) else (hours.program_id, partner)
    return found.group_by(*owner, day)


def day_of(session: Session, column: Any) -> sa.ColumnElement[Any]:
    """The UTC day of a moment in a column; text on SQLite."""
    if session.get_bind().dialect.name == "postgresql":
        return sa.func.date(sa.func.timezone(sa.literal_column("'UTC'"), column))
    return sa.func.date(column, type_=sa.String)


def _date(day: date | str) -> date:
    return day if isinstance(day, date) else date.fromisoformat(day)


def places(
    session: Session,
    *,
    conversion_ids: Collection[UUID],
    program_ids: Collection[UUID],
    partner_ids: Collection[UUID],
    span: Span,
) -> dict[tuple[UUID, UUID], tuple[int, int]]:
    """Of each order and partner: the how-manieth of the partner's day it is, and the how-manieth of those by a code alone."""
    owner = (FraudOrder.program_id, FraudOrder.partner_id, day_of(session, FraudOrder.occurred_at))
    order = (FraudOrder.occurred_at, FraudOrder.conversion_id)
    place = sa.func.row_number().over(partition_by=owner, order_by=order)
    by_code_until = sa.func.sum(sa.case((FraudOrder.by_code, 1), else_=0)).over(partition_by=owner, order_by=order)
    ranked = (
        sa.select(FraudOrder.conversion_id, FraudOrder.partner_id, place.label("place"), by_code_until.label("by_code"))
        .where(
            FraudOrder.program_id.in_(program_ids),
            db.among(session, FraudOrder.partner_id, partner_ids),
            FraudOrder.occurred_at >= midnight(span.first_at),
            FraudOrder.occurred_at <= span.last_at,
        )
        .subquery()
    )
    rows = session.execute(sa.select(ranked).where(db.among(session, ranked.c.conversion_id, conversion_ids)))
    return {(row[0], row[1]): (int(row[2]), int(row[3])) for row in rows}


@dataclass(frozen=True, slots=True)
class _Look:
    """A partner in a program."""

    program_id: UUID
    partner_id: UUID


def times(session: Session, *, owners: Collection[tuple[UUID, UUID]], span: Span) -> dict[Owner, list[int]]:
    """Seconds from click to order of the last orders before the batch, the latest first: of partners, and of programs as a whole."""
    found: defaultdict[Owner, list[int]] = defaultdict(list)
    for statement in (
        _last_of_partners(session, [_Look(*owner) for owner in sorted(owners)], span),
        *(_last_of_program(one, span) for one in sorted({program_id for program_id, _ in owners})),
    ):
        for program_id, partner_id, seconds in session.execute(statement):
            found[program_id, partner_id].append(seconds)
    return found


def _last_of_partners(session: Session, looks: Sequence[_Look], span: Span) -> sa.Select[*tuple[Any, ...]]:
    """For each partner its index by time is read backwards, and no further than needed; SQLite reads the four weeks."""
    look = values.table(session, "look", looks)
    mine = (FraudOrder.program_id == look.c.program_id, FraudOrder.partner_id == look.c.partner_id, *_before(span))
    newest = (FraudOrder.occurred_at.desc(), FraudOrder.conversion_id)
    if values.is_postgresql(session):
        last = sa.select(FraudOrder.seconds, FraudOrder.occurred_at).where(*mine).order_by(*newest).limit(TIMES_MAX)
        each = last.correlate(look).lateral("last")
        joined = sa.select(look.c.program_id, look.c.partner_id, each.c.seconds).join(each, sa.true())
        return joined.order_by(each.c.occurred_at.desc())
    place = sa.func.row_number().over(partition_by=(look.c.program_id, look.c.partner_id), order_by=newest)
    columns = (look.c.program_id, look.c.partner_id, FraudOrder.seconds, place.label("place"))
    ranked = sa.select(*columns).join(FraudOrder, sa.and_(*mine)).subquery()
    shown = (ranked.c.program_id, ranked.c.partner_id, ranked.c.seconds)
    return sa.select(*shown).where(ranked.c.place <= TIMES_MAX).order_by(ranked.c.place)


def _last_of_program(program_id: UUID, span: Span) -> sa.Select[*tuple[Any, ...]]:
    """A program at a time, in the same way."""
    found = sa.select(FraudOrder.program_id, sa.null(), FraudOrder.seconds)
    of_program = found.where(FraudOrder.program_id == program_id, *_before(span))
    return of_program.order_by(FraudOrder.occurred_at.desc()).limit(PROGRAM_TIMES_MAX)


def _before(span: Span) -> tuple[sa.ColumnElement[bool], ...]:
    """By a click, in the past of the batch."""
    moment = FraudOrder.occurred_at
    return moment >= span.since, moment < span.first_at, FraudOrder.seconds.is_not(None)
