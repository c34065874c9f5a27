"""What a partner earned: the list with its filters, its export, and why each amount is what it is."""

from typing import Any
from uuid import UUID

from flask import Response, g, request, url_for
from flask_babel import gettext as _

from affiliate import errors, exports, ids
from affiliate.accounts import access
from affiliate.commissions.models import CommissionStatus
from affiliate.money import Money
from affiliate.portal import lines
from affiliate.portal.blueprint import PAGE_SIZE, blueprint, page_number, pager, show, with_arguments
from affiliate.reports import evidence, explanation, queries, sales, words
from affiliate.reports.queries import Pile
from affiliate.reports.sales import Order, Sale
from affiliate.reports.touches import Audience
from affiliate.web import orm, request_now

_HEAD = (
    "transaction_id", "transaction_date", "validation_date", "status", "decline_reason", "sale_amount", "commission_amount",
    "currency", "order_ref", "link", "voucher_code",
)  # fmt: skip


class NoSuchCommission(errors.NotFound):
    """There is no such commission, or it is somebody else's."""


@blueprint.get("/<slug>/commissions")
@access.partner
def commissions() -> str:
    """All commissions, by status if the address says so."""
    status, order = _status(), _order()
    mine: dict[str, Any] = {"program_id": g.program.id, "partner_id": g.partner.id}
    found = sales.sales(
        orm.session, **mine, status=status, order=order, limit=PAGE_SIZE, offset=(page_number() - 1) * PAGE_SIZE
    )
    piles = queries.commissions_by_status(orm.session, **mine)
    shown = piles[status] if status else _all(piles)
    return show(
        "commissions.html",
        sales=[lines.sale(one) for one in found],
        chips=_chips(piles, status),
        is_filtered=status is not None,
        order=order.value,
        total={"count": shown.count, "amount": Money(shown.amount_minor, g.program.currency)},
        is_whole=len(found) == shown.count,
        pager=pager(total=shown.count, shown=len(found)),
        csv_url=url_for("portal.commissions_csv", status=status.value if status else None),
    )


@blueprint.get("/<slug>/commissions.csv")
@access.partner
def commissions_csv() -> Response:
    """The same list as a file, newest first, with the field names that other programs use."""
    found = sales.sales(
        orm.session, program_id=g.program.id, partner_id=g.partner.id, status=_status(), limit=exports.ROWS_MAX
    )
    return exports.csv_response("commissions.csv", _HEAD, [_cells(one) for one in found])


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
    return show("commission.html", why=why, payout_url=payout_url)


def _status() -> CommissionStatus | None:
    text = request.args.get("status", "")
    return CommissionStatus(text) if text in set(CommissionStatus) else None


def _order() -> Order:
    text = request.args.get("sort", "")
    return Order(text) if text in set(Order) else Order.NEWEST


def _all(piles: dict[CommissionStatus, Pile]) -> Pile:
    return Pile(sum(pile.count for pile in piles.values()), sum(pile.amount_minor for pile in piles.values()))


def _chips(piles: dict[CommissionStatus, Pile], chosen: CommissionStatus | None) -> list[dict[str, Any]]:
    """One filter for each status that occurs; the chosen one takes itself away."""
    every = {
        "label": _("All"),
        "url": with_arguments(status=None),
        "count": _all(piles).count,
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


def _cells(one: Sale) -> list[exports.Cell]:
    return [
        ids.public("com", one.commission_id),
        one.earned_at,
        one.matures_at,
        one.status.value,
        one.reason.value if one.reason else None,
        one.paid,
        one.left,
        one.left.currency,
        one.order_id,
        one.link_code,
        one.coupon,
    ]
