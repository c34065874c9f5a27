"""Products and categories: what is promoted (where visits begin), what earns, and what comes back."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import Response, g, request, url_for
from flask_babel import gettext as _

from affiliate import exports, formats
from affiliate.accounts import access
from affiliate.console import leafing, roles
from affiliate.console.blueprint import blueprint, show
from affiliate.console.performance import performance_kept, performance_pages
from affiliate.ingest.rollup_models import OTHER
from affiliate.money import BPS_PER_UNIT, Money, divide_half_even
from affiliate.reports import goods_queries, products, tables
from affiliate.reports.beside import leaf
from affiliate.reports.goods_queries import Good, Landing
from affiliate.reports.pages import Wanted
from affiliate.reports.periods import Period
from affiliate.reports.products import LABEL_LENGTH_MAX
from affiliate.web import orm, request_now

_PAGES = "pages_"
"""Begins the arguments of the table of pages, for that of products stands on the same page."""
_PAGES_PLACE, _GOODS_PLACE = "pages-h", "goods-h"
CHARTED = 10
_LABELS = {"product": products.SKU, "category": products.CATEGORY}
_SORTS = ("revenue", "orders", "back")
_PAGES_HEAD = ("page", "visits", "visits_compared", "orders", "revenue", "currency")
_GOODS_HEAD = (
    "name", "orders", "pieces", "revenue", "revenue_compared", "earnings", "came_back", "orders_with_returns",
    "came_back_bps", "currency",
)  # fmt: skip


@dataclass(frozen=True)
class _Sheet:
    """What the address asks for, read once."""

    by: str
    sort: str
    name: str
    """What the name or the number of a product holds."""
    path: str
    """What a page of the shop holds."""
    period: Period
    problem: str | None

    @cached_property
    def pages(self) -> Sequence[Landing]:
        """Where the visits of these days began."""
        found = goods_queries.landed(orm.session, **self._asked(self.period))
        return [one for one in found if self.path.casefold() in one.page.casefold()]

    @cached_property
    def visits_before(self) -> Mapping[str, int]:
        """The visits of the days before, of these pages."""
        pages = [one.page for one in self.pages]
        return goods_queries.visited(orm.session, program_id=g.program.id, period=self.period.before, pages=pages)

    @property
    def pages_most(self) -> int | None:
        """How many pages are read, where there may be others."""
        return goods_queries.PAGES_MAX if len(self.pages) >= goods_queries.PAGES_MAX else None

    @cached_property
    def goods(self) -> Sequence[tuple[str, Good]]:
        """What was bought, in order."""
        found = goods_queries.bought(orm.session, by=_LABELS[self.by], **self._asked(self.period))
        found = goods_queries.called(found, self.name)
        return sorted(found.items(), key=lambda pair: (-_rank(pair[1], self.sort), pair[0]))

    @cached_property
    def goods_before(self) -> Mapping[str, Good]:
        """The same of the days before, without what came back."""
        asked = self._asked(self.period.before)
        return goods_queries.bought(orm.session, by=_LABELS[self.by], **asked, tells_back=False)

    def _asked(self, period: Period) -> dict[str, Any]:
        return {"program_id": g.program.id, "period": period, "currency": g.program.currency}


@blueprint.get("/<slug>/performance/products")
@access.console(*roles.EVERYBODY)
def product_pages() -> str:
    """Pages and products side by side."""
    sheet = _sheet()
    goods = leaf(sheet.goods, key=lambda one: one[0], size=leafing.PAGE_SIZE, beside=leafing.beside())
    pages = leaf(sheet.pages, key=lambda one: one.page, size=leafing.PAGE_SIZE, beside=leafing.beside(_PAGES))
    return show(
        "performance/products.html",
        pages=performance_pages.chips(),
        first=sheet.period.days[0],
        last=sheet.period.days[-1],
        problem=sheet.problem,
        by=sheet.by,
        sort=sheet.sort,
        presets=[one | {"url": _with(sheet, first=one["first"], last=one["last"])} for one in _presets(sheet)],
        kinds=[_kind(name, sheet) for name in _LABELS],
        heads=[_head(name, sheet) for name in _SORTS],
        name=sheet.name,
        path=sheet.path,
        filters=_kept(sheet) | ({"path": sheet.path} if sheet.path else {}),
        landed=[_page_row(one, sheet) for one in pages.rows],
        landed_most=sheet.pages_most,
        landed_pager=leafing.pager(pages, lambda **more: _with(sheet, _anchor=_PAGES_PLACE, **more), table=_PAGES),
        bought=[_row(label, one, sheet) for label, one in goods.rows],
        bought_pager=leafing.pager(goods, lambda **more: _with(sheet, _anchor=_GOODS_PLACE, **more)),
        chart=_chart(sheet),
        keep_form=performance_kept.desk.form(Wanted("product_pages", _kept(sheet))),
        files={name: _files(sheet, name) for name in ("pages", "goods")},
    )


@blueprint.get("/<slug>/performance/products/<any(pages, goods):table>.<kind>")
@access.console(*roles.EVERYBODY)
def products_file(table: str, kind: str) -> Response:
    """One of the tables as a file: pages with visits, or products with what they brought and what came back."""
    sheet, currency = _sheet(), g.program.currency
    if table == "pages":
        before = sheet.visits_before
        pages = (_page_cells(one, before.get(one.page, 0), currency) for one in sheet.pages)
        more = exports.left_out(sheet.pages_most, len(_PAGES_HEAD))
        return exports.response(kind, "landing-pages", _PAGES_HEAD, itertools.chain(pages, more))
    rows = (_cells(label, one, sheet) for label, one in sheet.goods)
    return exports.response(kind, "products" if sheet.by == "product" else "categories", _GOODS_HEAD, rows)


def _sheet() -> _Sheet:
    zone = g.get("user_time_zone") or g.program.time_zone
    period, problem = tables.asked_period(request.args, now=request_now(), zone=zone)
    by, sort = request.args.get("by", ""), request.args.get("sort", "")
    name, path = (request.args.get(each, "").strip()[:LABEL_LENGTH_MAX] for each in ("q", "path"))
    by, sort = by if by in _LABELS else "product", sort if sort in _SORTS else "revenue"
    return _Sheet(by, sort, name, path, period, problem)


def _kept(sheet: _Sheet) -> dict[str, str]:
    """What of the address a kept report holds."""
    typed = {name: request.args[name] for name in ("first", "last") if request.args.get(name)}
    typed |= {"q": sheet.name} if sheet.name else {}
    return {"by": sheet.by, "sort": sheet.sort} | typed


def _rank(good: Good, sort: str) -> int:
    return {"revenue": good.revenue_minor, "orders": good.orders, "back": good.back_minor}[sort]


def _with(sheet: _Sheet, endpoint: str = "console.product_pages", **changes: str) -> str:
    found: dict[str, Any] = _kept(sheet) | ({"path": sheet.path} if sheet.path else {}) | changes
    return url_for(endpoint, **found)


def _presets(sheet: _Sheet) -> list[dict[str, Any]]:
    return tables.presets(sheet.period, now=request_now())


def _kind(name: str, sheet: _Sheet) -> dict[str, Any]:
    words = {"product": _("By product"), "category": _("By category")}
    return {"label": words[name], "url": _with(sheet, by=name), "current": name == sheet.by}


def _head(name: str, sheet: _Sheet) -> dict[str, Any]:
    words = {"revenue": _("Most revenue"), "orders": _("Most orders"), "back": _("Most returns")}
    return {"label": words[name], "url": _with(sheet, sort=name), "current": name == sheet.sort}


def _label(label: str, good: Good, sheet: _Sheet) -> dict[str, str]:
    if not label:
        empty = _("Orders that name no product") if sheet.by == "product" else _("Without a category")
        return {"name": empty, "sub": ""}
    return {"name": good.name or label, "sub": label if good.name else ""}


def _row(label: str, good: Good, sheet: _Sheet) -> dict[str, Any]:
    before = sheet.goods_before.get(label, Good())
    return _label(label, good, sheet) | {
        "orders": formats.number(good.orders),
        "pieces": formats.number(good.pieces),
        "revenue": _money(good.revenue_minor),
        "change": _change(good.revenue_minor, before.revenue_minor),
        "earned": _money(good.earned_minor),
        "back": _money(good.back_minor),
        "share": formats.percent_bps(_part(good.back_minor, good.revenue_minor)),
    }


def _page_row(one: Landing, sheet: _Sheet) -> dict[str, Any]:
    return {
        "page": _("All others") if one.page == OTHER else one.page or _("Unknown"),
        "visits": formats.number(one.visits),
        "change": _change(one.visits, sheet.visits_before.get(one.page, 0)),
        "orders": formats.number(one.orders),
        "rate": formats.percent_bps(_part(one.orders, one.visits)),
        "revenue": _money(one.revenue_minor),
    }


def _chart(sheet: _Sheet) -> dict[str, Any] | None:
    """What the products with the most revenue brought, and what of it came back."""
    shown = sorted(sheet.goods, key=lambda pair: (-pair[1].revenue_minor, pair[0]))[:CHARTED]
    if not any(good.revenue_minor for _label, good in shown):
        return None
    columns = [(_("Revenue"), [good.revenue_minor for _name, good in shown]), (_("Came back"), [good.back_minor for _name, good in shown])]  # fmt: skip
    series = [
        {"name": name, "values": [_money(minor).text() for minor in minors], "texts": [formats.money(_money(minor)) for minor in minors]}
        for name, minors in columns
    ]  # fmt: skip
    labels = [_label(label, good, sheet)["name"] for label, good in shown]
    head = _("Product") if sheet.by == "product" else _("Category")
    summary = _(
        "Revenue and what came back, for the %(count)s with the most revenue.", count=formats.number(len(shown))
    )
    return {"summary": summary, "spec": {"kind": "bar", "head": head, "labels": labels, "series": series}}


def _files(sheet: _Sheet, table: str) -> list[dict[str, str]]:
    kinds = [(exports.Format.CSV, _("Export as CSV")), (exports.Format.XLSX, _("Export as XLSX"))]
    endpoint = "console.products_file"
    return [{"label": label, "url": _with(sheet, endpoint, table=table, kind=kind.value)} for kind, label in kinds]


def _page_cells(one: Landing, before: int, currency: str) -> list[exports.Cell]:
    return [one.page, one.visits, before, one.orders, Money(one.revenue_minor, currency), currency]


def _cells(label: str, good: Good, sheet: _Sheet) -> list[exports.Cell]:
    before = sheet.goods_before.get(label, Good())
    return [
        label, good.orders, good.pieces, _money(good.revenue_minor), _money(before.revenue_minor), _money(good.earned_minor),
        _money(good.back_minor), good.back_orders, _part(good.back_minor, good.revenue_minor), g.program.currency,
    ]  # fmt: skip


def _money(minor: int) -> Money:
    return Money(minor, g.program.currency)


def _change(now: int, before: int) -> dict[str, Any] | None:
    bps = divide_half_even((now - before) * BPS_PER_UNIT, before) if before > 0 else 0
    return {"text": formats.percent_bps(abs(bps)), "up": bps > 0} if bps else None


def _part(part: int, whole: int) -> int | None:
    return divide_half_even(part * BPS_PER_UNIT, whole) if whole > 0 else None
