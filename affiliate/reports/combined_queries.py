"""Every SELECT of combined reports: what a day counts, read from the clicks that are kept and from their orders, and what stands already."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.commissions.models import Commission
from affiliate.ingest import origins, partitions
from affiliate.ingest.models import Click, ClickVerdict
from affiliate.reports import combined, periods
from affiliate.reports.asked import FURTHER_SUBS, By
from affiliate.reports.combined import Counts, Labels
from affiliate.reports.combined_models import Combination, CombinationRow, CombinationStatus
from affiliate.reports.queries import sales_of

SHOWN_MAX = 10
"""How many combined reports of an owner are kept."""

_AROUND = timedelta(minutes=1)  # an id is made a moment before or after the click is dated
_READ_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Question:
    """What a combined report asks, as plain values."""

    id: UUID
    program_id: UUID
    partner_id: UUID | None
    currency: str
    dimensions: tuple[By, ...]
    first: date
    last: date
    zone: str

    def day(self, number: int) -> date | None:
        """The day after so many; null after the last."""
        found = self.first + timedelta(days=number)
        return found if found <= self.last else None


def counted(session: Session, question: Question, day: date, *, room: int) -> dict[Labels, Counts]:
    """What a day counts: clicks of the whole hours that begin in it, as rollups have them, and orders of the day."""
    return combined.fold(chain(_clicks(session, question, day), _sales(session, question, day)), room=room)


def _clicks(session: Session, question: Question, day: date) -> Iterator[tuple[Labels, Counts]]:
    start, end = _hours(question, day)
    keys: dict[By, Any] = {
        by: _of_click(by).label(f"of_{by.value}") for by in question.dimensions if by not in {By.DAY, By.COUPON}
    }
    valid = sa.func.sum(sa.case((Click.verdict == ClickVerdict.VALID, 1), else_=0))
    raw = sa.func.count().label("size")
    # The head of an id is its time: by it PostgreSQL leaves out the tables of other months, and a whole program needs no index beside.
    around = (Click.id >= partitions.first_id(start - _AROUND), Click.id < partitions.first_id(end + _AROUND))
    statement = sa.select(raw, valid, *keys.values()).where(
        Click.program_id == question.program_id, Click.occurred_at >= start, Click.occurred_at < end, *around,
        Click.verdict != ClickVerdict.TEST,
    )  # fmt: skip
    if question.partner_id is not None:
        statement = statement.where(Click.partner_id == question.partner_id)
    for clicks, counts, *labels in _grouped(session, statement, keys, size="size"):
        if clicks:  # without any key there is a row of no clicks
            yield _labels(question, day, keys, labels), (int(clicks), int(counts), 0, 0, 0, 0)


def _sales(session: Session, question: Question, day: date) -> Iterator[tuple[Labels, Counts]]:
    keys: dict[By, Any] = {by: _of_sale(by).label(f"of_{by.value}") for by in question.dimensions if by is not By.DAY}
    sales = sales_of(sa.literal(0).label("all"), question.program_id, question.partner_id, question.currency)
    of_day = (
        Commission.earned_at >= periods.start_of_day(day, zone=question.zone),
        Commission.earned_at < periods.end_of_day(day, zone=question.zone),
    )
    statement = sales.where(*of_day).add_columns(*keys.values())
    if not keys.keys().isdisjoint(FURTHER_SUBS):
        statement = statement.outerjoin(Click, _OWN_CLICK)
    for _all, orders, revenue, earned, taken, *labels in _grouped(session, statement, keys, size="earned"):
        yield _labels(question, day, keys, labels), (0, 0, int(orders), int(revenue), int(earned), int(taken))


def _grouped(session: Session, statement: Any, keys: Mapping[By, Any], *, size: str) -> Iterator[Any]:
    """Rows by their labels, the largest first, so that these keep their names where there are too many."""
    ordered = statement.group_by(*keys.values()).order_by(sa.desc(size))
    return iter(session.execute(ordered, execution_options={"yield_per": _READ_AT_ONCE}))


def _labels(question: Question, day: date, keys: Iterable[By], found: Iterable[Any]) -> Labels:
    """A text for each column: ids in hexadecimal digits; empty for none, and for what clicks do not have."""
    told = {By.DAY: day.isoformat()} | {by: _text(value) for by, value in zip(keys, found, strict=True)}
    return tuple(told.get(by, "") for by in question.dimensions)


def _text(value: Any) -> str:
    return "" if value is None else value.hex if isinstance(value, UUID) else str(value)


def _hours(question: Question, day: date) -> tuple[datetime, datetime]:
    start, end = periods.start_of_day(day, zone=question.zone), periods.end_of_day(day, zone=question.zone)
    return combined.whole_hour(start), combined.whole_hour(end)


_TOLD = {
    By.SUB: "sub1",
    By.COUNTRY: "country",
    By.DEVICE: "device",
    By.REFERRER: "referrer_host",
    By.CREATIVE: "creative",
}


# A commission keeps no more than sub1. What a recruiter earns names the click of somebody else, whose labels are not the recruiter's.
_OWN_CLICK = sa.and_(Click.id == Commission.click_id, Click.partner_id == Commission.partner_id)


def _of_click(by: By) -> Any:
    own: dict[By, Any] = {By.PARTNER: Click.partner_id, By.LINK: Click.link_id}
    if by in FURTHER_SUBS:
        return origins.sub_id(by.value)
    return own[by] if by in own else origins.told()[_TOLD[by]]


def _of_sale(by: By) -> Any:
    own: dict[By, Any] = {
        By.PARTNER: Commission.partner_id,
        By.LINK: Commission.link_id,
        By.COUPON: Commission.coupon_id,
    }
    if by in FURTHER_SUBS:
        return origins.sub_id(by.value)
    return own[by] if by in own else getattr(Commission, _TOLD[by])


def known_keys(session: Session, *, combination_id: UUID, keys: Collection[str]) -> list[str]:
    """Which of these rows stand already."""
    if not keys:
        return []
    mine = (CombinationRow.combination_id == combination_id, db.among(session, CombinationRow.key, keys))
    return list(session.scalars(sa.select(CombinationRow.key).where(*mine)))


def running(session: Session) -> Combination | None:
    """The oldest combined report that is being counted."""
    oldest = sa.select(Combination).where(sa.text("status = 'running'")).order_by(Combination.created_at)
    return session.scalar(oldest.limit(1))


def _owned(program_id: UUID, partner_id: UUID | None) -> tuple[sa.ColumnElement[bool], ...]:
    return Combination.program_id == program_id, Combination.partner_id == partner_id


def is_any_running(session: Session, *, program_id: UUID, partner_id: UUID | None) -> bool:
    """Whether one of this owner is being counted."""
    here = sa.exists().where(*_owned(program_id, partner_id), Combination.status == CombinationStatus.RUNNING)
    return bool(session.scalar(sa.select(here)))


def combinations(session: Session, *, program_id: UUID, partner_id: UUID | None) -> Sequence[Combination]:
    """The combined reports of an owner, the newest first."""
    mine = sa.select(Combination).where(*_owned(program_id, partner_id))
    return session.scalars(mine.order_by(Combination.created_at.desc(), Combination.id.desc()).limit(SHOWN_MAX)).all()


def combination(
    session: Session, *, combination_id: UUID, program_id: UUID, partner_id: UUID | None
) -> Combination | None:
    """One of this owner."""
    mine = sa.select(Combination).where(*_owned(program_id, partner_id), Combination.id == combination_id)
    return session.scalar(mine)


_COLUMNS: dict[str, Any] = {
    "clicks_raw": CombinationRow.clicks_raw,
    "clicks_valid": CombinationRow.clicks_valid,
    "conversions": CombinationRow.conversions,
    "revenue": CombinationRow.revenue_minor,
    "earnings": CombinationRow.earned_minor,
}
SORTED_BY = tuple(_COLUMNS)
"""The metrics that rows can be sorted by."""


def rows(
    session: Session, *, combination_id: UUID, order: str, limit: int, offset: int = 0
) -> Sequence[CombinationRow]:
    """Lines of the answer; `order` is one of SORTED_BY, with a minus for the largest first."""
    column = _COLUMNS[order.removeprefix("-")]
    sorting = (column.desc() if order.startswith("-") else column, CombinationRow.key)
    mine = sa.select(CombinationRow).where(CombinationRow.combination_id == combination_id)
    return session.scalars(mine.order_by(*sorting).limit(limit).offset(offset)).all()


def sums(session: Session, *, combination_id: UUID) -> Counts:
    """All lines together."""
    table = CombinationRow
    counted_in = (
        table.clicks_raw, table.clicks_valid, table.conversions, table.revenue_minor, table.earned_minor, table.reversed_minor
    )  # fmt: skip
    totals = sa.select(*(sa.func.coalesce(sa.func.sum(column), 0) for column in counted_in))
    return tuple(map(int, session.execute(totals.where(table.combination_id == combination_id)).one()))
