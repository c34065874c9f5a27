"""A report as it was asked for, worked out: its days, its rows in order, its sums, and the page of them that is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.reports import asked, breakdown, dimensions, metrics, partner_ranking, periods, shop_days, tables
from affiliate.reports.asked import Asked, By
from affiliate.reports.beside import Beside, leaf
from affiliate.reports.dimensions import Scope
from affiliate.reports.metrics import METRICS, Facts
from affiliate.reports.partner_ranking import Ranking, Towards
from affiliate.reports.periods import Period
from affiliate.reports.tables import Line


@dataclass(frozen=True, slots=True)
class Rows:
    """Some of a report's rows, the first of them after so many; of how many they are, and what all of these add up to.

    An order with several products is in several of them.
    """

    lines: Sequence[Line]
    first: int
    number: int
    total: Facts


@dataclass(frozen=True)
class Sheet:
    """A report over its days. What it sums is read when it is first asked for, and once."""

    session: Session
    scope: Scope
    asked: Asked
    period: Period
    is_readable: bool
    """Whether the days that were typed make a period; if not, these are the usual ones."""

    @property
    def other(self) -> Period:
        """The days that it is compared with."""
        return asked.compared(self.period, self.asked.against)

    @property
    def columns(self) -> tuple[str, ...]:
        """The keys of its metrics."""
        return self.asked.shown_columns()

    @cached_property
    def days(self) -> Mapping[date, Facts]:
        """What happened on each day, of the period and of the one that it is compared with."""
        this, other = self.period, self.other
        if other.end == this.first and (this.end - other.first).days <= periods.DAYS_MAX:  # one trip for both
            return self._by_day(Period(other.first, this.end, this.zone))
        return {**self._by_day(this), **self._by_day(other)}

    @cached_property
    def margin_bps(self) -> int | None:
        """What the shop keeps of its revenue in these days; null where it has not told, or no column needs it."""
        if not self.scope.is_inside or "margin" not in (*self.columns, self.asked.order().removeprefix("-")):
            return None
        return shop_days.margin_bps(self.session, program_id=self.scope.program.id, period=self.period)

    @cached_property
    def total(self) -> Facts:
        """All of the period."""
        return self._sum(self.period)

    @cached_property
    def total_before(self) -> Facts:
        """All of the days that it is compared with."""
        return self._sum(self.other)

    def page(self, *, size: int, first: int = 0, beside: Beside | None = None) -> Rows:
        """So many rows whose name holds what was asked for, in order: after the `first` ones, or beside a row.

        The first ones where that row is not among them any more.
        """
        if self.asked.by is By.PARTNER:
            found = self._ranked(
                self.period,
                name=self.asked.text,
                which=self.scope.which,
                limit=size,
                first=first,
                beside=_partner(beside),
            )
            lines = [self._with_margin(dimensions.partner_line(one)) for one in found.rows]
            return Rows(lines, found.first, found.number, self._of_margin(found.total))
        every = self._ordered
        total = metrics.total((line.facts for line in every), currency=self.scope.program.currency)
        found_here = leaf(every, key=lambda line: line.key, size=size, first=first, beside=beside)
        return Rows(found_here.rows, found_here.first, found_here.number, total)

    def total_of(self, found: Rows) -> Facts:
        """What all rows add up to: the period, or (where a name or a choice left rows out) these."""
        return found.total if self.asked.text or self.scope.which else self.total

    def changes(self, lines: Sequence[Line]) -> Mapping[str, int | None] | None:
        """By the key of a row, how much its sorted metric changed, in basis points; null unless a comparison was asked for."""
        if self.asked.against is None:
            return None
        metric, before = METRICS[self.changing], self.before(lines, (self.changing,))
        return {line.key: metrics.change_bps(metric.of(line.facts), metric.of(before[line.key])) for line in lines}

    def before(self, lines: Sequence[Line], columns: Sequence[str]) -> Mapping[str, Facts]:
        """By the keys of these rows, what these columns say of the days that they are compared with; zeros where nothing happened."""
        if self.asked.by is By.DAY:  # the first day is held against the first, and so on
            days = zip(self.period.days, self.other.days, strict=True)
            return {day.isoformat(): self.days[other] for day, other in days}
        found = self._before(lines, columns)
        return {line.key: found.get(line.key, self._nothing) for line in lines}

    @property
    def changing(self) -> str:
        """The metric whose change is told for each row: that of the order, else the last column."""
        column = self.asked.order().removeprefix("-")
        return self.columns[-1] if column == asked.NAME else column

    @property
    def _tells_new(self) -> bool:
        """Whether a column, or the order, is about new customers."""
        return not asked.OF_CUSTOMERS.isdisjoint((*self.columns, self.asked.order().removeprefix("-")))

    @property
    def _nothing(self) -> Facts:
        return Facts(self.scope.program.currency)

    def _sum(self, period: Period) -> Facts:
        summed = metrics.total((self.days[day] for day in period.days), currency=self.scope.program.currency)
        return self._of_margin(summed) if period == self.period else summed

    def _by_day(self, period: Period) -> Mapping[date, Facts]:
        return dimensions.by_day(self.session, self.scope, period, tells_new=self._tells_new)

    @property
    def most(self) -> int | None:
        """How many rows are read, where there may be others; null where these are all."""
        is_bounded = self.asked.by not in {By.PARTNER, By.DAY, By.COUPON, By.PRODUCT, By.CATEGORY}
        return breakdown.ROWS_MAX if is_bounded and len(self._every) >= breakdown.ROWS_MAX else None

    @cached_property
    def _every(self) -> Sequence[Line]:
        return self._lines(self.period)

    @cached_property
    def _ordered(self) -> Sequence[Line]:
        wanted = self.asked.text.casefold()
        found = [line for line in self._every if wanted in line.name.casefold()]
        return tables.in_order([self._with_margin(line) for line in found], self.asked.order())

    def _with_margin(self, line: Line) -> Line:
        return line if self.margin_bps is None else replace(line, facts=self._of_margin(line.facts))

    def _of_margin(self, facts: Facts) -> Facts:
        """With the margin of these days, as far as it is asked for and known."""
        return facts if self.margin_bps is None else replace(facts, margin_bps=self.margin_bps)

    def _before(self, lines: Sequence[Line], columns: Sequence[str]) -> Mapping[str, Facts]:
        """What the rows of the other days say by their keys, those of these lines among them."""
        if self.asked.by is By.PARTNER:
            these = [line.id for line in lines if line.id is not None]
            found = self._ranked(self.other, only=these, limit=len(these)).rows if these else []
            return {line.key: line.facts for line in map(dimensions.partner_line, found)}
        if asked.OF_SALES.issuperset(columns):
            sold = dimensions.sold_before(self.session, self.scope, self.other, lines, by=self.asked.by)
            if sold is not None:
                return sold
        return {line.key: line.facts for line in self._lines(self.other)}

    def _ranked(self, period: Period, **narrowed: Any) -> Ranking:
        return partner_ranking.ranked(
            self.session,
            **self.scope.of_program(period),
            order=self.asked.order(),
            tells_new=self._tells_new,
            margin_bps=self.margin_bps,
            **narrowed,
        )

    def _lines(self, period: Period) -> Sequence[Line]:
        if self.asked.by is By.DAY:
            return tables.day_lines(self.days, period)
        return dimensions.lines(self.session, self.scope, self.asked.by, period)


def _partner(beside: Beside | None) -> tuple[UUID, Towards] | None:
    partner_id = ids.read("ptn", beside.key) if beside else None
    return (partner_id, beside.towards) if beside and partner_id else None


def sheet(session: Session, *, scope: Scope, asked_for: Asked, now: datetime, zone: str) -> Sheet:
    """A report; days that make no period are the usual ones, and that is told."""
    period = asked_for.period(now=now, zone=zone)
    usual = periods.spanned(asked.USUAL, now=now, zone=zone)
    return Sheet(session, scope, asked_for, period or usual, is_readable=period is not None)
