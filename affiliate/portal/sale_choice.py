"""What the address of the list of earnings asks for, its form, and the chips that take each part of it away."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeVar

from flask import g, request
from flask_babel import gettext as _

from affiliate import days, formats, ids
from affiliate.commissions.models import CommissionStatus
from affiliate.links import queries as links
from affiliate.links.models import Coupon, Link
from affiliate.portal import sale_origin
from affiliate.portal.blueprint import with_arguments, zone
from affiliate.reports import asked, dimensions, periods, transactions
from affiliate.reports.asked import By
from affiliate.reports.sales import Order, Wanted
from affiliate.web import orm

CHOICES_MAX = 100
_ORDER_LENGTH_MAX = 120
Row = TypeVar("Row")
_ARGUMENTS = ("status", "link", "coupon", "order", "first", "last", "sort", *(by.value for by in sale_origin.COLUMNS))


@dataclass(frozen=True, slots=True)
class Choice:
    """What the address asks for; anything that cannot be read counts as not asked. `first` and `last` are both included."""

    status: CommissionStatus | None
    link: Link | None
    coupon: Coupon | None
    order_id: str
    told: sale_origin.Told
    first: date | None
    last: date | None
    problem: str | None
    sort: Order
    columns: tuple[str, ...]  # none: the usual ones of the page, and everything in a file

    @property
    def is_filter(self) -> bool:
        """Whether the list is narrowed by anything."""
        return bool(self.status or self.is_narrow)

    @property
    def is_narrow(self) -> bool:
        """Whether the list is narrowed by more than its state."""
        return bool(self.link or self.coupon or self.order_id or self.told or self.first or self.last)

    @property
    def wanted(self) -> Wanted:
        """The same as a question to the rows."""
        starts_at = periods.end_of_day(self.first - timedelta(days=1), zone=zone()) if self.first else None
        ends_at = periods.end_of_day(self.last, zone=zone()) if self.last else None
        return Wanted(
            g.program.id,
            g.partner.id,
            link_id=self.link.id if self.link else None,
            coupon_id=self.coupon.id if self.coupon else None,
            order_id=self.order_id or None,
            starts_at=starts_at,
            ends_at=ends_at,
            **{sale_origin.COLUMNS[by]: value for by, value in self.told.items()},
        )


def read() -> Choice:
    """The choice of this request's address."""
    status, sort = request.args.get("status", ""), request.args.get("sort", "")
    first, last, problem = _days()
    return Choice(
        status=CommissionStatus(status) if status in set(CommissionStatus) else None,
        link=_link(),
        coupon=_coupon(),
        order_id=request.args.get("order", "").strip()[:_ORDER_LENGTH_MAX],
        told=sale_origin.read(),
        first=first,
        last=last,
        problem=problem,
        sort=Order(sort) if sort in set(Order) else Order.NEWEST,
        columns=asked.chosen_columns(_columns(), tuple(transactions.FIELDS_OF)),
    )


def arguments() -> dict[str, Any]:
    """What stands in the address, to be carried into that of a file."""
    return {name: request.args.get(name) for name in _ARGUMENTS} | {"columns": _columns() or None}


def form(choice: Choice) -> dict[str, Any]:
    """The form's fields with what was chosen: the newest links and coupons, and always the chosen ones."""
    mine: dict[str, Any] = {"program_id": g.program.id, "partner_id": g.partner.id, "limit": CHOICES_MAX}
    carried = {name: value for name, value in arguments().items() if value}
    every_link = _with(links.links_of(orm.session, **mine), choice.link)
    every_coupon = _with(links.coupons_of(orm.session, **mine), choice.coupon)
    return {
        "first": request.args.get("first", ""),
        "last": request.args.get("last", ""),
        "order": choice.order_id,
        "problem": choice.problem,
        "is_open": choice.is_narrow or choice.problem is not None,
        "links": [(ids.public("lnk", one.id), link_name(one), one is choice.link) for one in every_link],
        "coupons": [(one.code, one.code, one is choice.coupon) for one in every_coupon],
        "origin": sale_origin.fields(choice.told),
        "kept": {name: value for name, value in carried.items() if name in {"status", "sort", "columns", "creative"}},
        "carried": {name: value for name, value in carried.items() if name != "columns"},
    }


def column_words() -> dict[str, str]:
    """What stands above each column that can be chosen."""
    return {
        "from": _("From"),
        "basket": _("Basket"),
        "state": _("State"),
        "approved": _("Approved"),
        "matures": _("End of the validation period"),
        "clicked": _("Click"),
        "subs": _("Sub ids"),
        "country": dimensions.label(By.COUNTRY)[1],
        "device": dimensions.label(By.DEVICE)[1],
        "referrer": dimensions.label(By.REFERRER)[1],
        "earned": _("You earn"),
    }


def _columns() -> str:
    """As reports read them: boxes that are ticked come one by one."""
    return ",".join(request.args.getlist("columns"))


def link_name(link: Link) -> str:
    """What people recognise a link by."""
    return link.name or f"/r/{link.code}"


def chips(choice: Choice) -> list[dict[str, Any]]:
    """One chip for each part but the state, which takes this part away."""
    found = []
    if choice.link is not None:
        found.append(_chip(_("Link: %(name)s", name=link_name(choice.link)), link=None))
    if choice.coupon is not None:
        found.append(_chip(_("Coupon %(code)s", code=choice.coupon.code), coupon=None))
    if choice.order_id:
        found.append(_chip(_("Order %(order)s", order=choice.order_id), order=None))
    found += [_chip(label, **{by.value: None}) for by, label in sale_origin.said(choice.told).items()]
    if choice.first or choice.last:
        found.append(_chip(_said(choice.first, choice.last), first=None, last=None))
    return found


def _chip(label: str, **taken: None) -> dict[str, Any]:
    return {"label": label, "url": with_arguments(**taken), "current": True, "remove": True}


def _said(first: date | None, last: date | None) -> str:
    if first is None or last is None:
        return _("From %(day)s on", day=formats.day(first)) if first else _("Until %(day)s", day=formats.day(last))
    if first == last:
        return formats.day(first)
    return _("%(first)s to %(last)s", first=formats.day(first), last=formats.day(last))


def _days() -> tuple[date | None, date | None, str | None]:
    """The days asked for, and what to say where they make no sense; then all days are shown."""
    texts = [request.args.get(name, "") for name in ("first", "last")]
    try:
        first, last = (days.read(text) if text else None for text in texts)
    except ValueError:
        return None, None, _("One of these is no day. All days are shown.")
    if first and last and last < first:
        return None, None, _("The first day comes after the last one. All days are shown.")
    return first, last, None


def _link() -> Link | None:
    with contextlib.suppress(ids.BadPublicId):
        link_id = ids.parse("lnk", request.args.get("link", ""))
        return links.link_of(orm.session, program_id=g.program.id, partner_id=g.partner.id, link_id=link_id)
    return None


def _coupon() -> Coupon | None:
    code = request.args.get("coupon", "").strip()
    found = links.coupon_by_code(orm.session, program_id=g.program.id, code=code) if code else None
    return found if found is not None and found.partner_id == g.partner.id else None


def _with(found: Sequence[Row], chosen: Row | None) -> list[Row]:
    return [*found, *([chosen] if chosen is not None and chosen not in found else [])]
