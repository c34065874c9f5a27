"""What a partner earned: the list with its filters, its export, and why each amount is what it is."""

import contextlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response, g, request, url_for
from flask_babel import gettext as _

from affiliate import days, errors, exports, formats, ids
from affiliate.accounts import access
from affiliate.commissions.models import CommissionStatus
from affiliate.links import queries as links
from affiliate.money import Money
from affiliate.portal import lines, reviews
from affiliate.portal.blueprint import PAGE_SIZE, blueprint, page_number, pager, show, with_arguments, zone
from affiliate.reports import evidence, explanation, sales, transactions, words
from affiliate.reports.periods import Period
from affiliate.reports.queries import NOT_COUNTED
from affiliate.reports.sales import Order, Pile, Wanted
from affiliate.reports.touches import Audience
from affiliate.web import orm, request_now


class NoSuchCommission(errors.NotFound):
    """There is no such commission, or it is somebody else's."""


@blueprint.get("/<slug>/commissions")
@access.partner
def commissions() -> str:
    """All commissions, or those of the state, link and days that the address names."""
    chosen = _chosen()
    order = _order()
    offset = (page_number() - 1) * PAGE_SIZE
    found = sales.sales(
        orm.session, wanted=chosen.wanted, status=chosen.status, order=order, limit=PAGE_SIZE, offset=offset
    )
    piles = sales.piles(orm.session, wanted=chosen.wanted)
    listed = piles[chosen.status].count if chosen.status else sum(pile.count for pile in piles.values())
    counted = piles[chosen.status] if chosen.status else _counted(piles)
    return show(
        "commissions.html",
        sales=[lines.sale(one) for one in found],
        chips=_state_chips(piles, chosen.status) + _other_chips(chosen),
        is_filtered=chosen.is_filter,
        order=order.value,
        listed=listed,
        total={"count": counted.count, "amount": Money(counted.amount_minor, g.program.currency)},
        is_whole=len(found) == listed == counted.count,
        pager=pager(total=listed, shown=len(found)),
        files=[
            (label, _file(kind))
            for kind, label in ((exports.Format.CSV, _("Export as CSV")), (exports.Format.XLSX, _("Export as XLSX")))
        ],
    )


@blueprint.get("/<slug>/commissions.<kind>")
@access.partner
def commissions_file(kind: str) -> Response:
    """The same list as a file, whole and in its order, with the field names that other programs use."""
    chosen = _chosen()
    found = sales.every_sale(orm.session, wanted=chosen.wanted, status=chosen.status, order=_order())
    rows = transactions.rows(orm.session, found, wanted=chosen.wanted)
    return exports.response(kind, "commissions", transactions.HEAD, rows)


@blueprint.get('/<slug>/commissions/<public("com"):commission_id>')
@access.partner
def commission(commission_id: UUID) -> str:
    """Why this amount."""
    found = evidence.of_commission(orm.session, program=g.program, commission_id=commission_id, partner_id=g.partner.id)
    if found is None:
        raise NoSuchCommission(_("There is no such commission."))
    why = explanation.explain(
        found,
        audience=Audience.PARTNER,
        now=request_now(),
        link_url=lambda link_id: url_for("portal.link", link_id=link_id),
    )
    payout_url = url_for("portal.payout", payout_id=found.payout.id) if found.payout else None
    review = reviews.section(found.conversion)
    return show("commission.html", why=why, payout_url=payout_url, review=review)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What the address asks for; anything that cannot be read counts as not asked."""

    wanted: Wanted
    status: CommissionStatus | None
    link_name: str | None

    @property
    def is_filter(self) -> bool:
        return bool(self.status or self.wanted.link_id or self.wanted.period)


def _chosen() -> _Chosen:
    status = request.args.get("status", "")
    mine: dict[str, Any] = {"program_id": g.program.id, "partner_id": g.partner.id}
    link = None
    with contextlib.suppress(ids.BadPublicId):
        link = links.link_of(orm.session, **mine, link_id=ids.parse("lnk", request.args.get("link", "")))
    wanted = Wanted(**mine, link_id=link.id if link else None, period=_period())
    found = CommissionStatus(status) if status in set(CommissionStatus) else None
    return _Chosen(wanted, found, (link.name or f"/r/{link.code}") if link else None)


def _file(kind: exports.Format) -> str:
    """Where this list can be fetched as a file of this kind."""
    filters: dict[str, Any] = {name: request.args.get(name) for name in ("status", "link", "first", "last", "sort")}
    return url_for("portal.commissions_file", kind=kind.value, **filters)


def _period() -> Period | None:
    """The days from `first` to `last`, both included."""
    try:
        first, last = (days.read(request.args.get(name, "")) for name in ("first", "last"))
        return Period(first, last + timedelta(days=1), zone())
    except (ValueError, OverflowError):
        return None


def _order() -> Order:
    text = request.args.get("sort", "")
    return Order(text) if text in set(Order) else Order.NEWEST


def _counted(piles: dict[CommissionStatus, Pile]) -> Pile:
    """All but tests and what is still being verified: these are shown, but they are no earnings."""
    found = [pile for status, pile in piles.items() if status not in NOT_COUNTED]
    return Pile(sum(pile.count for pile in found), sum(pile.amount_minor for pile in found))


def _state_chips(piles: dict[CommissionStatus, Pile], chosen: CommissionStatus | None) -> list[dict[str, Any]]:
    """One filter for each status that occurs; the chosen one takes itself away."""
    every = {
        "label": _("All"),
        "url": with_arguments(status=None),
        "count": sum(pile.count for pile in piles.values()),
        "current": chosen is None,
    }
    return [every] + [
        {
            "label": words.commission(status).word,
            "url": with_arguments(status=None if status is chosen else status.value),
            "count": pile.count,
            "current": status is chosen,
            "remove": status is chosen,
        }
        for status, pile in piles.items()
        if pile.count or status is chosen
    ]


def _other_chips(chosen: _Chosen) -> list[dict[str, Any]]:
    found = []
    if chosen.link_name:
        label = _("Link: %(name)s", name=chosen.link_name)
        found.append({"label": label, "url": with_arguments(link=None), "current": True, "remove": True})
    if (period := chosen.wanted.period) is not None:
        first, last = formats.day(period.days[0]), formats.day(period.days[-1])
        label = first if first == last else _("%(first)s to %(last)s", first=first, last=last)
        found.append({"label": label, "url": with_arguments(first=None, last=None), "current": True, "remove": True})
    return found
