"""Which partners were active on which counted UTC days: a bit for each day of a month, so that a quarter has three rows for each and not ninety."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.ingest import bulk
from affiliate.ingest.day_models import DayPart
from affiliate.reports.day_models import PartnerActiveMonth, PartnerClickDay, PartnerSaleDay
from affiliate.reports.stretches import Covered

_COLUMNS = {DayPart.CLICKS: PartnerActiveMonth.clicked, DayPart.SALES: PartnerActiveMonth.sold}


def keep(session: Session, *, program_id: UUID, part: DayPart, day: date) -> None:
    """Mark who was active on a day whose sums were just saved, and nobody else. Who is marked already is not written again."""
    bulk.lock(session, bulk.Lock.ACTIVITY, {program_id.int})  # two days of one month write the same rows, in any order
    column, active = _COLUMNS[part], _active_on(program_id, part, day)
    first, bit = day.replace(day=1), 1 << day.day - 1
    here = (PartnerActiveMonth.program_id == program_id, PartnerActiveMonth.month == first)
    gone = (column.bitwise_and(bit) != 0, PartnerActiveMonth.partner_id.not_in(active))
    session.execute(
        sa.update(PartnerActiveMonth).where(*here, *gone).values({column.key: column - bit}),
        execution_options={"synchronize_session": False},
    )
    key = ("program_id", "month", "partner_id")
    (other,) = (one for each, one in _COLUMNS.items() if each is not part)
    told = [sa.literal(program_id, sa.Uuid), sa.literal(first, sa.Date), active.selected_columns[0]]
    rows = active.with_only_columns(*told, sa.literal(bit), sa.literal(0)).order_by(active.selected_columns[0])
    insert = db.insert_into(session, PartnerActiveMonth)
    new = insert.from_select([*key, column.key, other.key], rows)
    marked = {column.key: column.bitwise_or(bit)}
    session.execute(new.on_conflict_do_update(index_elements=key, set_=marked, where=column.bitwise_and(bit) == 0))


def partners(program_id: UUID, *, clicks: Covered, sales: Covered) -> sa.Select[Any]:
    """Rows of partners with a valid click on a counted day, or a sale: one for each month in which they have."""
    asked: dict[date, list[sa.ColumnElement[bool]]] = defaultdict(list)
    for part, covered in ((DayPart.CLICKS, clicks), (DayPart.SALES, sales)):
        for month, bits in _bits(covered.days).items():
            asked[month].append(_COLUMNS[part].bitwise_and(bits) != 0)
    months = (sa.and_(PartnerActiveMonth.month == month, sa.or_(*some)) for month, some in asked.items())
    here = (PartnerActiveMonth.program_id == program_id, sa.or_(sa.false(), *months))
    return sa.select(PartnerActiveMonth.partner_id).where(*here)


def wrong(session: Session, *, program_id: UUID, part: DayPart, day: date) -> list[UUID]:
    """The partners whose mark of this day is not what the day's sums say: none, unless somebody else wrote here."""
    whole = Covered([(day, day + timedelta(days=1))], [])
    nothing = Covered([], [])
    kept = {"clicks": nothing, "sales": nothing} | {part.value: whole}
    marked = set(session.scalars(partners(program_id, **kept)))
    return sorted(marked.symmetric_difference(session.scalars(_active_on(program_id, part, day))))


def _active_on(program_id: UUID, part: DayPart, day: date) -> sa.Select[Any]:
    table: Any = PartnerClickDay if part is DayPart.CLICKS else PartnerSaleDay
    # A row of sales may be there for its visits alone, whose orders are of other days.
    is_active = table.valid > 0 if part is DayPart.CLICKS else table.conversions > 0
    return sa.select(table.partner_id).where(table.program_id == program_id, table.day == day, is_active)


def _bits(days: Sequence[tuple[date, date]]) -> dict[date, int]:
    """The bits of these days, by the first day of their month."""
    found: dict[date, int] = defaultdict(int)
    for first, end in days:
        for number in range((end - first).days):
            day = first + timedelta(days=number)
            found[day.replace(day=1)] |= 1 << day.day - 1
    return found
