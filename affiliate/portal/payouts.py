"""A partner's payouts: the list, and what each consists of."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import g, url_for
from flask_babel import gettext as _

from affiliate import errors
from affiliate.accounts import access
from affiliate.accounts.roles import SEES_MONEY
from affiliate.money import Money
from affiliate.payouts import entry_queries, queries, words
from affiliate.payouts.models import Adjustment, AdjustmentKind, PayoutStatus
from affiliate.portal import case_ways, lines, payout_choice
from affiliate.portal.blueprint import PAGE_SIZE, blueprint, page_number, pager, show
from affiliate.relations.models import CaseKind
from affiliate.reports import money_words, sales
from affiliate.web import orm


class NoSuchPayout(errors.NotFound):
    """There is no such payout, or it is somebody else's."""


@blueprint.get("/<slug>/payouts")
@access.partner_with(SEES_MONEY)
def payouts() -> str:
    """All payouts, or those of a state, newest first."""
    mine: dict[str, Any] = {"program_id": g.program.id, "partner_id": g.partner.id}
    chosen = payout_choice.read()
    asked: dict[str, Any] = {"statuses": chosen.statuses, "paid_since": chosen.paid_since}
    offset = (page_number() - 1) * PAGE_SIZE
    found = sales.payouts(orm.session, **mine, **asked, limit=PAGE_SIZE, offset=offset)
    piles = sales.payout_piles(orm.session, **mine)
    since = sales.payout_piles(orm.session, **mine, paid_since=chosen.paid_since) if chosen.paid_since else piles
    paid, total = piles[PayoutStatus.PAID], sum(since[status].count for status in chosen.statuses)
    minimum = Money(g.program.payout_min_minor, g.program.currency)
    return show(
        "payouts.html",
        payouts=[lines.payout(one) for one in found],
        chips=payout_choice.chips(chosen, piles),
        is_filtered=chosen.state is not None,
        paid={"count": paid.count, "amount": Money(paid.amount_minor, g.program.currency)},
        minimum=minimum or None,
        terms=money_words.of_payouts(),
        by_hand=[_entry(one) for one in _posted(mine) if one.payout_id is None],
        can_be_paid=queries.current_method(orm.session, partner_id=g.partner.id) is not None,
        doubt=case_ways.way(CaseKind.LATE_PAYMENT),
        pager=pager(total=total, shown=len(found)),
    )


@blueprint.get('/<slug>/payouts/<public("pay"):payout_id>')
@access.partner_with(SEES_MONEY)
def payout(payout_id: UUID) -> str:
    """What a payout consists of: the commissions in it, less what it set off."""
    mine: dict[str, Any] = {"program_id": g.program.id, "partner_id": g.partner.id}
    found = sales.payout_of(orm.session, **mine, payout_id=payout_id)
    if found is None:
        raise NoSuchPayout(_("There is no such payout."))
    offset = (page_number() - 1) * PAGE_SIZE
    parts = sales.sales_of_payout(orm.session, payout_id=payout_id, limit=PAGE_SIZE, offset=offset)
    total = sales.sale_count_of_payout(orm.session, payout_id=payout_id)
    taken = sales.clawbacks_of(orm.session, payout_id=payout_id)
    entries = entry_queries.adjustments_in(orm.session, payout_id=payout_id)
    given = sum(
        one.amount_minor for one in entries if one.amount_minor > 0 and one.kind is not AdjustmentKind.WRITE_OFF
    )
    return show(
        "payout.html",
        payout=lines.payout(found),
        sales=[lines.sale(one) for one in parts],
        sale_count=total,
        terms=money_words.of_payouts(),
        by_hand=[_entry(one) for one in entries],
        taken=[
            {
                "order_id": one.order_id,
                "at": one.taken_at,
                "amount": -one.amount,
                "url": url_for("portal.commission", commission_id=one.commission_id),
            }
            for one in taken
        ],
        # The double rule stands only where all lines are on the page and add up.
        is_proved=len(parts) == total and sum(one.left.amount_minor for one in parts) + given == found.earned_minor,
        pager=pager(total=total, shown=len(parts)),
        doubt=case_ways.way_about_payout(found.id),
    )


def _posted(mine: dict[str, Any]) -> Sequence[Adjustment]:
    return entry_queries.posted_adjustments(orm.session, **mine, limit=PAGE_SIZE)


def _entry(one: Adjustment) -> dict[str, Any]:
    """A bonus or correction with its reason."""
    return {
        "at": one.decided_at,
        "reason": words.entry_reason(one.reason, one.facts),
        "amount": Money(one.amount_minor, one.currency),
    }
