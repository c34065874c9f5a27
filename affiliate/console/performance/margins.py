"""Margin by month: from the list price to what partners' sales leave, in all and by partner; and the margins of products."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from flask import Response, g, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date, ngettext
from flask_babel import gettext as _

from affiliate import amounts, exports, formats, ids
from affiliate.accounts import access
from affiliate.accounts.models import GrantRole
from affiliate.console import leafing, presenters, roles
from affiliate.console.blueprint import acted, blueprint, can, show
from affiliate.console.performance import performance_pages
from affiliate.console.performance.performance_kept import desk
from affiliate.errors import Invalid
from affiliate.money import Money
from affiliate.partners import queries as partners
from affiliate.reports import grids, margin_store, margins
from affiliate.reports.beside import Leaf, leaf
from affiliate.reports.margin_rules import ALL_OTHERS, Margin
from affiliate.reports.margin_store import Summary
from affiliate.reports.pages import Wanted
from affiliate.web import orm, request_now

_DRAWN_MAX = 12
_WRITERS = (GrantRole.MANAGER, GrantRole.FINANCE)
_LINES_LENGTH_MAX = 20_000
_HEAD = (
    "month", "partner", "name", "orders", "list_price", "discounts", "returns", "tax_and_shipping", "net", "goods",
    "commission", "other_costs", "left", "left_bps", "roi_bps", "currency",
)  # fmt: skip


@blueprint.get("/<slug>/performance/margin")
@access.console(*roles.EVERYBODY)
def margin() -> str:
    """What a month's sales by partners left the shop."""
    return _page()


@blueprint.get("/<slug>/performance/margin.<kind>")
@access.console(*roles.EVERYBODY)
def margin_file(kind: str) -> Response:
    """The same as a file: a row for each partner."""
    month = _month()
    found, _at = margin_store.shown(orm.session, program=g.program, month=month, now=request_now())
    names = partners.partner_names(orm.session, partner_ids=list(found))
    rows = (_cells(month, partner_id, names, one) for partner_id, one in margin_store.in_order(found))
    return exports.response(kind, f"margin-{month:%Y-%m}", _HEAD, rows)


@blueprint.post("/<slug>/performance/margin")
@access.console(*_WRITERS)
def set_margins() -> ResponseReturnValue:
    """Write down what the shop keeps of its products."""
    typed = request.form.get("margins", "")[:_LINES_LENGTH_MAX]
    try:
        read = _read(typed)
        now = request_now()
        margins.set_margins(orm.session, program_id=g.program.id, margins=read, actor=access.actor(), now=now)
    except amounts.BadNumber as wrong:
        return _page(typed=typed, wrong=_(str(wrong))), 422
    except Invalid as refusal:
        orm.session.rollback()
        return _page(typed=typed, wrong=_(refusal.errors["margins"][0])), 422
    return acted(url_for("console.margin"), lambda: str(_("Kept. Every month is counted by it.")))


def _page(*, typed: str | None = None, wrong: str | None = None) -> str:
    month = _month()
    found, computed_at = _counted(month)
    total = found.total
    kept = margins.product_margins(orm.session, program_id=g.program.id)
    ordered = list(found.first.items())
    shown = _leaf(month, found)
    here = {partner_id for partner_id, _one in (*ordered[:_DRAWN_MAX], *shown.rows)}
    names = partners.partner_names(orm.session, partner_ids=sorted(here))
    return show(
        "performance/margin.html",
        pages=performance_pages.chips(),
        months=_months(month),
        answer=_answer(total),
        computed_at=computed_at,
        ladder=_ladder(total),
        total=_left(total),
        unknown=_money(total.unknown_minor) if total.unknown_minor else None,
        rows=[_row(partner_id, names, one) for partner_id, one in shown.rows],
        pager=leafing.pager(shown, partial(url_for, "console.margin", month=f"{month:%Y-%m}", _anchor="rows-h")),
        chart=_chart(ordered, names) if ordered else None,
        files=[
            {"label": label, "url": url_for("console.margin_file", kind=kind.value, month=f"{month:%Y-%m}")}
            for kind, label in ((exports.Format.CSV, _("Export as CSV")), (exports.Format.XLSX, _("Export as XLSX")))
        ],
        keep_form=desk.form(Wanted("margin", {"month": request.args["month"]} if request.args.get("month") else {})),
        margins=_written(kept) if typed is None else typed,
        wrong=wrong,
        is_written=bool(kept),
        may_write=can("set_margins", "POST"),
    )


def _leaf(month: date, found: Summary) -> Leaf[tuple[UUID, Margin]]:
    """A page of the partners. The first one is in the summary; only for the others all of them are read."""
    beside, size = leafing.beside(), leafing.PAGE_SIZE
    if beside is None or not found.partners:
        return Leaf(list(found.first.items())[:size], 0, found.partners, _key)
    every, _at = margin_store.shown(orm.session, program=g.program, month=month, now=request_now())
    return leaf(margin_store.in_order(every), key=_key, size=size, beside=beside)


def _key(row: tuple[UUID, Margin]) -> str:
    return ids.public("ptn", row[0])


def _counted(month: date) -> tuple[Summary, datetime | None]:
    """What the month left, and when that was counted; nothing and null where it is being counted."""
    try:
        return margin_store.summed(orm.session, program=g.program, month=month, now=request_now())
    except grids.NotCounted:
        return Summary(Margin(), {}, 0), None


def _month() -> date:
    """The month that the address names, if it is one of the last twelve; else the present one."""
    offered = margin_store.months(g.program, now=request_now())
    return next((one for one in offered if f"{one:%Y-%m}" == request.args.get("month")), offered[0])


def _months(current: date) -> list[dict[str, Any]]:
    return [
        {
            "label": format_date(one, "LLL y"),
            "url": url_for("console.margin", month=f"{one:%Y-%m}"),
            "current": one == current,
        }
        for one in margin_store.months(g.program, now=request_now())
    ]


def _answer(total: Margin) -> str | None:
    if not total.orders:
        return None
    told = ngettext("%(num)s order", "%(num)s orders", total.distinct_orders)
    left = _left(total)
    if left is None:
        return _("%(orders)s. What is left is not known: for some products no margin is written down.", orders=told)
    return _(
        "%(orders)s left the shop %(left)s: %(share)s of their net price, %(roi)s of what partners cost.",
        orders=told, left=formats.money(left), share=formats.percent_bps(total.left_bps),
        roi=formats.percent_bps(total.roi_bps),
    )  # fmt: skip


def _ladder(total: Margin) -> list[dict[str, Any]]:
    """From the list price down to what is left; the lines add up to it."""
    lines = [
        (_("At list prices"), total.listed_minor),
        (_("Discounts"), -total.discount_minor),
        (_("Returns"), -total.returned_minor),
        (_("Tax and shipping, on what stayed"), -total.tax_minor),
        (_("Goods"), -total.goods_minor),
        (_("Commissions"), -total.earned_minor),
        (_("Other costs of partners"), -total.spent_minor),
    ]
    return [{"label": label, "amount": _money(minor)} for label, minor in lines]


def _row(partner_id: UUID, names: Mapping[UUID, str], one: Margin) -> dict[str, Any]:
    return {
        "partner": presenters.partner_link(partner_id, names.get(partner_id)),
        "net": _money(one.net_minor),
        "goods": None if one.unknown_minor else _money(one.goods_minor),
        "cost": _money(one.cost_minor),
        "left": _left(one),
        "roi": formats.percent_bps(one.roi_bps),
    }


def _chart(ordered: list[tuple[UUID, Margin]], names: Mapping[UUID, str]) -> dict[str, Any]:
    """What partners' sales left beside what the partners cost, of those with most revenue."""
    drawn = ordered[:_DRAWN_MAX]
    series = []
    for name, amounts_of in (
        (_("Left"), [_left(one) for _id, one in drawn]),
        (_("Cost of the partner"), [_money(one.cost_minor) for _id, one in drawn]),
    ):
        values = [one.text() if one else None for one in amounts_of]
        series.append({"name": name, "values": values, "texts": [formats.money(one) for one in amounts_of]})
    labels = [names.get(partner_id, "–") for partner_id, _one in drawn]
    summary = _("What the sales of the largest partners left the shop, beside what these partners cost.")
    return {"summary": summary, "spec": {"kind": "bar", "head": _("Partner"), "labels": labels, "series": series}}


def _cells(month: date, partner_id: UUID, names: Mapping[UUID, str], one: Margin) -> list[exports.Cell]:
    sums = (one.listed_minor, one.discount_minor, one.returned_minor, one.tax_minor, one.net_minor)
    goods = None if one.unknown_minor else _money(one.goods_minor)
    return [
        f"{month:%Y-%m}", ids.public("ptn", partner_id), names.get(partner_id, ""), one.orders, *map(_money, sums), goods,
        _money(one.earned_minor), _money(one.spent_minor), _left(one), one.left_bps, one.roi_bps, g.program.currency,
    ]  # fmt: skip


def _left(one: Margin) -> Money | None:
    return None if one.left_minor is None else _money(one.left_minor)


def _money(minor: int) -> Money:
    return Money(minor, g.program.currency)


def _written(kept: Mapping[str, int]) -> str:
    """The margins as lines of a form; all others first."""
    return "\n".join(f"{category or '*'}: {formats.percent_bps(bps)}" for category, bps in kept.items())


def _read(text: str) -> dict[str, int]:
    """The lines of the form: a category and its percentage each, * for all others.

    Raises:
        BadNumber: a line cannot be read.
    """
    found: dict[str, int] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        category, _colon, percent = line.rpartition(":")
        if not category.strip():
            raise amounts.BadNumber(_("Write a line as “cookware: 45”, and “*: 40” for all others."))
        name = category.strip()
        found[ALL_OTHERS if name == "*" else name] = amounts.read_percent(percent)
    return found
