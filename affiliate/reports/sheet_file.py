"""A report as a file: every row with the columns of the page, and where a comparison is asked for what each was before."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

from affiliate import exports
from affiliate.reports import shop_days, tables, without_partner
from affiliate.reports.asked import By
from affiliate.reports.metrics import METRICS
from affiliate.reports.sheet import Sheet
from affiliate.reports.tables import Line
from affiliate.reports.without_partner import Without

Cells = list[exports.Cell]


def table(sheet: Sheet) -> tuple[list[str], Iterator[Cells]]:
    """Head and rows of the export, every row of the report, read while they are taken.

    What follows is no row of the report, as its key says: that there are more than are read, and what came without a partner.
    """
    keys = sheet.columns
    head = tables.csv_head(sheet.asked.by.value, keys)
    if sheet.asked.against is not None:
        head += [f"{name}_before" for name in head[1:-1]]
    return head, _rows(sheet, len(head))


def _rows(sheet: Sheet, columns: int) -> Iterator[Cells]:
    for lines in _parts(sheet):
        rows = [tables.csv_row(line, sheet.columns) for line in lines]
        if sheet.asked.against is not None:
            for row, before in zip(rows, _before(sheet, lines), strict=True):
                row.extend(before)
        yield from rows
    yield from exports.left_out(sheet.most, columns)
    if without := without_partner.of(sheet, sheet.period):
        yield _without(sheet, without)


def _parts(sheet: Sheet) -> Iterator[Sequence[Line]]:
    """The rows in their order. Partners are ranked by the database, so many at a time; others are here already."""
    if sheet.asked.by is not By.PARTNER:
        yield sheet.page(size=sys.maxsize).lines
        return
    found = sheet.page(size=exports.PART_SIZE)
    yield found.lines
    while found.lines and (first := found.first + len(found.lines)) < found.number:
        found = sheet.page(size=exports.PART_SIZE, first=first)
        yield found.lines


def _before(sheet: Sheet, lines: Sequence[Line]) -> list[Cells]:
    """The values of these rows in the days that they are compared with, in the order of the columns."""
    found, margin_bps = sheet.before(lines, sheet.columns), _margin_before(sheet)
    facts = [replace(found[line.key], margin_bps=margin_bps) for line in lines]
    return [[METRICS[key].of(one) for key in sheet.columns] for one in facts]


def _margin_before(sheet: Sheet) -> int | None:
    if not sheet.scope.is_inside or "margin" not in sheet.columns:
        return None
    return shop_days.margin_bps(sheet.session, program_id=sheet.scope.program.id, period=sheet.other)


def _without(sheet: Sheet, row: Without) -> Cells:
    told = "" if row.told == row.days else f" ({row.told} of {row.days} days)"
    cells: Cells = [without_partner.KEY + told, *map(row.value, sheet.columns), sheet.scope.program.currency]
    if sheet.asked.against is None:
        return cells
    before = without_partner.of(sheet, sheet.other)
    return [*cells, *(before.value(key) if before else None for key in sheet.columns)]
