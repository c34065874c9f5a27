"""The partners of a program in the order of a metric, ranked by the database: a page reads its own rows, however many there are."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.money import BPS_PER_UNIT
from affiliate.reports import partner_facts
from affiliate.reports.asked import NAME
from affiliate.reports.metrics import Facts
from affiliate.reports.partner_facts import NUMBERS, PartnerFacts
from affiliate.reports.periods import Period

Towards = Literal["after", "before"]
_STIRS = ("raw", "conversions", "revenue", "earned", "reversed", "spent")
"""Who has none of these was quiet, and has no row."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Some rows in their order, the first of them after so many; of how many they are, and what all of these add up to."""

    rows: list[PartnerFacts]
    first: int
    number: int
    total: Facts


def ranked(
    session: Session,
    *,
    program_id: UUID,
    period: Period,
    currency: str,
    order: str,
    margin_bps: int | None = None,
    name: str = "",
    which: Sequence[sa.ColumnElement[bool]] = (),
    only: Collection[UUID] | None = None,
    tells_new: bool = True,
    limit: int,
    first: int = 0,
    beside: tuple[UUID, Towards] | None = None,
) -> Ranking:
    """The partners for whom something happened, by the key of a metric or NAME, with a minus for the largest first.

    Those whose value is unknown stand last in either direction; among equals the name decides. So many of them after the `first` ones; or
    after one of them, or before it, wherever it stands by now, and the first ones where it is not among them. The rest is as in
    `partner_facts.lines`.
    """
    asked: dict[str, Any] = {"program_id": program_id, "period": period, "currency": currency}
    asked |= {"name": name, "which": which, "only": only, "tells_new": tells_new}
    every = partner_facts.lines(session, **asked).subquery()
    stirred = sa.select(every).where(sa.or_(*(every.c[one] != 0 for one in _STIRS))).cte("stirred")
    of = _Order(order, margin_bps)
    rows = _rows_after(stirred, first, limit, of) if beside is None else _rows_beside(stirred, beside, limit, of)
    summary, *lines = session.execute(sa.union_all(_summary(stirred), rows).order_by("place"))
    total = partner_facts.facts_of([getattr(summary, one) for one in NUMBERS], currency)
    found = [partner_facts.line_of(row, currency) for row in lines]
    return Ranking(found, lines[0].place - 1 if lines else first, summary.number, total)


@dataclass(frozen=True, slots=True)
class _Order:
    key: str
    margin_bps: int | None

    def place(self, rows: Any) -> Any:
        """The place of each of these rows among them, from one on."""
        return sa.func.row_number().over(order_by=_order(rows.c, self.key, self.margin_bps))


def _rows_after(stirred: Any, first: int, limit: int, order: _Order) -> sa.Select[Any]:
    """The rows of a place that is known: the database need keep no more of them in order than it gives."""
    found = sa.select(stirred).order_by(*_order(stirred.c, order.key, order.margin_bps)).limit(limit).offset(first)
    chosen = found.subquery()
    return sa.select(chosen, (order.place(chosen) + first).label("place"), sa.literal(0).label("number"))


def _rows_beside(stirred: Any, beside: tuple[UUID, Towards], limit: int, order: _Order) -> sa.Select[Any]:
    """The rows after or before one of them, wherever it stands."""
    place = order.place(stirred).label("place")
    placed = sa.select(stirred, place, sa.literal(0).label("number")).cte("placed")
    begin = _first(placed, beside, limit)
    return sa.select(placed).where(placed.c.place > begin, placed.c.place <= begin + limit)


def _first(placed: Any, beside: tuple[UUID, Towards], limit: int) -> Any:
    """After how many the page begins; after the last one it is the last page."""
    partner_id, towards = beside
    place = placed.c.place if towards == "after" else placed.c.place - 1 - limit
    of_one = sa.select(place).where(placed.c.id == partner_id).scalar_subquery()
    number = sa.select(sa.func.count()).select_from(placed).scalar_subquery()
    found = sa.case((of_one >= number, number - limit), else_=of_one)
    return sa.case((found > 0, found), else_=0)


def _summary(stirred: Any) -> sa.Select[Any]:
    """The row that stands before all others: how many they are, and their sums."""
    nobody = (
        sa.cast(sa.null(), column.type).label(column.name)
        for column in (stirred.c.id, stirred.c.name, stirred.c.status)
    )
    sums = (sa.cast(sa.func.coalesce(sa.func.sum(stirred.c[one]), 0), sa.BigInteger).label(one) for one in NUMBERS)
    return sa.select(*nobody, *sums, sa.literal(0).label("place"), sa.func.count().label("number")).select_from(stirred)


def _order(columns: Any, order: str, margin_bps: int | None) -> list[Any]:
    key = order.removeprefix("-")
    named = (columns.name, columns.id)
    if key == NAME:
        return [column.desc() if order.startswith("-") else column.asc() for column in named]
    value = _margin(columns, margin_bps) if key == "margin" else _VALUES[key](columns)
    return [sa.nulls_last(value.desc() if order.startswith("-") else value.asc()), *named]


def _cost(columns: Any) -> Any:
    return columns.earned + columns.spent


def _margin(columns: Any, margin_bps: int | None) -> Any:
    if margin_bps is None:
        return sa.cast(sa.null(), sa.BigInteger)
    return columns.revenue * margin_bps - _cost(columns) * BPS_PER_UNIT


def _part(part: Any, whole: Any) -> Any:
    """Not rounded before it is compared; null where there is nothing to divide by."""
    return sa.case((whole > 0, sa.cast(part, sa.Float) / whole))


_VALUES: Mapping[str, Callable[[Any], Any]] = {
    "clicks_raw": lambda columns: columns.raw,
    "clicks_valid": lambda columns: columns.valid,
    "conversions": lambda columns: columns.conversions,
    "conversion_rate": lambda columns: _part(columns.conversions, columns.valid),
    "epc": lambda columns: _part(columns.earned, columns.valid),
    "aov": lambda columns: _part(columns.revenue, columns.conversions),
    "revenue": lambda columns: columns.revenue,
    "earnings": lambda columns: columns.earned,
    "cost": _cost,
    "rpc": lambda columns: _part(columns.revenue, columns.valid),
    "ecpa": lambda columns: _part(_cost(columns), columns.conversions),
    "roas": lambda columns: _part(columns.revenue, _cost(columns)),
    "roi": lambda columns: _part(columns.revenue - _cost(columns), _cost(columns)),
    "reversal_rate": lambda columns: _part(columns.reversed, columns.earned + columns.reversed),
    "new_share": lambda columns: _part(columns.new, columns.known),
    "new_customers": lambda columns: columns.new,
    "rating": lambda columns: _part(columns.grades_sum, columns.grades),
}
"""What `metrics.METRICS` say, in the words of the database; of the margin see `_margin`."""
