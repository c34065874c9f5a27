"""A report as a file: every row with the columns of the page, and where a comparison is asked for what each was before."""

from collections.abc import Sequence
from dataclasses import replace

from affiliate import exports
from affiliate.reports import shop_days, tables, without_partner
from affiliate.reports.metrics import METRICS
from affiliate.reports.sheet import Sheet
from affiliate.reports.tables import Line
from affiliate.reports.without_partner import Without

Cells = list[exports.Cell]


def table(sheet: Sheet) -> tuple[list[str], list[Cells]]:
    """Head and rows of the export. The last row may be what came without a partner, which is no row of the report: its key says so."""
    keys = sheet.columns
    head = tables.csv_head(sheet.asked.by.value, keys)
    lines = sheet.page(size=exports.ROWS_MAX).lines
    rows = [tables.csv_row(line, keys) for line in lines]
    if sheet.asked.against is not None:
        head += [f"{name}_before" for name in head[1:-1]]
        for row, before in zip(rows, _before(sheet, lines), strict=True):
            row.extend(before)
    without = without_partner.of(sheet, sheet.period)
    return head, [*rows, _without(sheet, without)] if without else rows


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
