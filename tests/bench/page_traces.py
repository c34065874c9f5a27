"""The traces of orders made in bulk, as the product writes them: rows are as wide as its own, and can be decided again."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from affiliate.attribution import rules
from affiliate.attribution.policy import ChannelRule, Policy
from affiliate.attribution.touches import Step, Touch
from affiliate.attribution.trace import Sale
from affiliate.commissions import rates, terms
from affiliate.commissions.orders import Item, Order
from affiliate.commissions.terms import Plan

LOST_TO = "search_ads"
_AT, _ANY = datetime(2026, 1, 1, tzinfo=UTC), UUID(int=1)
_CLICK = Touch("click", _AT, (Step.CLICK_ID,), id=_ANY, partner_id=_ANY, link_id=_ANY)


def of_sale() -> dict[str, str]:
    """JSON of a sale of 80.00 at a tenth, brought by one click: how it was `decided`, its `touch` in that, how it was `reckoned`."""
    decided = rules.attribute(touches=[_CLICK], policy=Policy(version=1), sale=Sale(_AT)).trace
    plan = Plan(_ANY, "Standard", terms.read(terms.simple(rate_bps=10_00)), _AT)
    order = Order(80_00, 0, 0, "EUR", items=(Item("S1", "G1", 80_00),), placed_at=_AT)
    reckoned = rates.rate(order=order, share=rates.Share(), plan=plan, currency="EUR").trace
    return _texts(decided=decided, touch=decided["touches"][0], reckoned=reckoned)


def of_loss() -> dict[str, str]:
    """JSON of a sale that another channel took from one click: how it was `decided`, the click and the channel in that."""
    policy = Policy(version=1, other_channels=ChannelRule.OVERRULES)
    decided = rules.attribute(touches=[_CLICK, Touch("channel", _AT, channel=LOST_TO)], policy=policy, sale=Sale(_AT)).trace  # fmt: skip
    by_kind = {touch["kind"]: touch for touch in decided["touches"]}
    return _texts(decided=decided, click=by_kind["click"], channel=by_kind["channel"])


def _texts(**documents: Any) -> dict[str, str]:
    return {name: json.dumps(document) for name, document in documents.items()}
