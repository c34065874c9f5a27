"""What a partner earned: the list with its filters, its export, and why each amount is what it is."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response, g, url_for
from flask_babel import gettext as _

from affiliate import errors, exports
from affiliate.accounts import access
from affiliate.commissions.models import CommissionStatus
from affiliate.money import Money
from affiliate.portal import case_ways, lines, reviews, sale_choice
from affiliate.portal.blueprint import PAGE_SIZE, blueprint, page_number, pager, show, with_arguments
from affiliate.relations.models import CaseKind
from affiliate.reports import evidence, explanation, money_words, sales, transactions, words
from affiliate.reports.queries import NOT_COUNTED
from affiliate.reports.sales import Pile, Sale
from affiliate.reports.touches import Audience
from affiliate.reports.transactions import Origin
from affiliate.web import orm, request_now


class NoSuchCommission(errors.NotFound):
    """There is no such commission, or it is somebody else's."""


@blueprint.get("/<slug>/commissions")
@access.partner
def commissions() -> str:
    """All commissions, or those of the state, link and days that the address names."""
    chosen = sale_choice.read()
    wanted, offset = chosen.wanted, (page_number() - 1) * PAGE_SIZE
    found = sales.sales(
        orm.session, wanted=wanted, status=chosen.status, order=chosen.sort, limit=PAGE_SIZE, offset=offset
    )
    columns = chosen.columns or transactions.USUAL_COLUMNS
    heads = sale_choice.column_words()
    piles = sales.piles(orm.session, wanted=wanted)
    listed = piles[chosen.status].count if chosen.status else sum(pile.count for pile in piles.values())
    counted = piles[chosen.status] if chosen.status else _counted(piles)
    return show(
        "commissions.html",
        sales=_lines(found, columns),
        columns=columns,
        heads=heads,
        terms=_terms(heads, columns, piles),
        choices=[{"key": key, "label": label} for key, label in heads.items()],
        chips=_state_chips(piles, chosen.status) + sale_choice.chips(chosen),
        filters=sale_choice.form(chosen),
        set_off=_set_off() if chosen.status is CommissionStatus.APPROVED else [],
        is_filtered=chosen.is_filter,
        is_narrow=chosen.is_narrow,
        order=chosen.sort.value,
        listed=listed,
        total={"count": counted.count, "amount": Money(counted.amount_minor, g.program.currency)},
        is_whole=len(found) == listed == counted.count,
        pager=pager(total=listed, shown=len(found)),
        doubt=case_ways.way(CaseKind.MISSING_SALE, _("Is a sale missing?")),
        files=[
            (label, _file(kind))
            for kind, label in ((exports.Format.CSV, _("Export as CSV")), (exports.Format.XLSX, _("Export as XLSX")))
        ],
    )


@blueprint.get("/<slug>/commissions.<kind>")
@access.partner
def commissions_file(kind: str) -> Response:
    """The same list as a file, whole and in its order, with the field names that other programs use."""
    chosen = sale_choice.read()
    found = sales.every_sale(orm.session, wanted=chosen.wanted, status=chosen.status, order=chosen.sort)
    rows = transactions.rows(orm.session, found, wanted=chosen.wanted, columns=chosen.columns)
    return exports.response(kind, "commissions", transactions.head(chosen.columns), rows)


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
    may_see = access.may("portal.payout")
    payout_url = url_for("portal.payout", payout_id=found.payout.id) if found.payout and may_see else None
    review = reviews.section(found.conversion, found.review)
    is_appealed = review is not None and bool(review["appeal_url"] or review["case_url"])  # that is the way then
    doubt = None if is_appealed else case_ways.way(CaseKind.WRONG_AMOUNT, order=found.conversion.order_id)
    return show("commission.html", why=why, payout_url=payout_url, review=review, doubt=doubt)


def _lines(found: Sequence[Sale], columns: Sequence[str]) -> list[dict[str, Any]]:
    """The sales with what their clicks told, which is asked only where a column shows it."""
    told = transactions.origins(orm.session, found) if transactions.OF_CLICKS.intersection(columns) else {}
    return [lines.sale(one) | lines.origin(one, told.get(one.commission_id, Origin())) for one in found]


def _terms(
    heads: dict[str, str], columns: Sequence[str], piles: dict[CommissionStatus, Pile]
) -> list[money_words.Term]:
    """What stands in the list and above it."""
    told = money_words.of_sales(heads, columns, [status for status, pile in piles.items() if pile.count])
    return [*told, money_words.payable(), money_words.set_off()]


def _file(kind: exports.Format) -> str:
    """Where this list can be fetched as a file of this kind."""
    return url_for("portal.commissions_file", kind=kind.value, **sale_choice.arguments())


def _set_off() -> list[dict[str, Any]]:
    """What the next payout takes off the approved: earlier sales that came back after they were paid."""
    found = sales.clawbacks_open(orm.session, program_id=g.program.id, partner_id=g.partner.id)
    return [
        {
            "order_id": one.order_id,
            "at": one.taken_at,
            "amount": -one.amount,
            "url": url_for("portal.commission", commission_id=one.commission_id),
        }
        for one in found
    ]


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
