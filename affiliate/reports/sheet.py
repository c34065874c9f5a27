"""A report as it was asked for, worked out: its days, its rows in order, its sums, and the page of them that is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property

from sqlalchemy.orm import Session

from affiliate import exports
from affiliate.reports import asked, dimensions, metrics, periods, shop_days, tables
from affiliate.reports.asked import Asked, By
from affiliate.reports.dimensions import Scope
from affiliate.reports.metrics import METRICS, Facts
from affiliate.reports.periods import Period
from affiliate.reports.tables import Line


@dataclass(frozen=True)
class Sheet:
    """A report over its days. Everything is read when it is first asked for, and once."""

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

    @property
    def total(self) -> Facts:
        """All of the period."""
        return self._sum(self.period)

    @property
    def total_before(self) -> Facts:
        """All of the days that it is compared with."""
        return self._sum(self.other)

    @cached_property
    def lines(self) -> Sequence[Line]:
        """The rows whose name holds what was asked for, in order."""
        found = [line for line in self._lines(self.period) if self.asked.text.casefold() in line.name.casefold()]
        if self.margin_bps is not None:
            found = [replace(line, facts=replace(line.facts, margin_bps=self.margin_bps)) for line in found]
        return tables.in_order(found, self.asked.order())

    @cached_property
    def found(self) -> Facts:
        """The sum of the rows; an order with several products is in several of them."""
        return metrics.total((line.facts for line in self.lines), currency=self.scope.program.currency)

    @cached_property
    def changes(self) -> Mapping[str, int | None] | None:
        """By the key of a row, how much its sorted metric changed, in basis points; null unless a comparison was asked for."""
        if self.asked.against is None:
            return None
        metric = METRICS[self.changing]
        before = {line.key: metric.of(line.facts) for line in self._lines(self.other)}
        if self.asked.by is By.DAY:  # the first day is held against the first, and so on
            before = {
                day.isoformat(): before.get(other.isoformat())
                for day, other in zip(self.period.days, self.other.days, strict=True)
            }
        return {
            line.key: metrics.change_bps(metric.of(line.facts), before.get(line.key, metric.of(self._nothing)))
            for line in self.lines
        }

    @property
    def changing(self) -> str:
        """The metric whose change is told for each row: that of the order, else the last column."""
        column = self.asked.order().removeprefix("-")
        return self.columns[-1] if column == asked.NAME else column

    def csv(self) -> tuple[list[str], list[list[exports.Cell]]]:
        """Head and rows of the export: every row, with the columns of the page."""
        head = tables.csv_head(self.asked.by.value, self.columns)
        return head, [tables.csv_row(line, self.columns) for line in self.lines[: exports.ROWS_MAX]]

    @property
    def _nothing(self) -> Facts:
        return Facts(self.scope.program.currency)

    def _sum(self, period: Period) -> Facts:
        summed = metrics.total((self.days[day] for day in period.days), currency=self.scope.program.currency)
        return replace(summed, margin_bps=self.margin_bps) if period == self.period else summed

    def _by_day(self, period: Period) -> Mapping[date, Facts]:
        return dimensions.by_day(self.session, self.scope, period)

    def _lines(self, period: Period) -> Sequence[Line]:
        if self.asked.by is By.DAY:
            return tables.day_lines(self.days, period)
        return dimensions.lines(self.session, self.scope, self.asked.by, period)


def sheet(session: Session, *, scope: Scope, asked_for: Asked, now: datetime, zone: str) -> Sheet:
    """A report; days that make no period are the usual ones, and that is told."""
    period = asked_for.period(now=now, zone=zone)
    usual = periods.spanned(asked.USUAL, now=now, zone=zone)
    return Sheet(session, scope, asked_for, period or usual, is_readable=period is not None)
