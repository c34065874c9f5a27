"""What is still missing until a test order has walked the whole way, from what can be seen of it. Pure."""

import enum
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


class Missing(enum.StrEnum):
    """The first thing that is missing, in the order in which things arrive."""

    CLICK = "click"  # nobody has opened the test link
    ORDER = "order"  # the click is here, and no order
    FINE_REQUEST = "fine_request"  # the shop's last request was refused
    TEST_MARK = "test_mark"  # an order came, but not as a test
    CLICK_ID = "click_id"  # the test order names no click
    OWN_CLICK_ID = "own_click_id"  # what it names is no click id of ours
    ATTRIBUTION = "attribution"  # a moment more
    CREDIT = "credit"  # it was decided, and is nobody's
    COMMISSION = "commission"  # a moment more
    PLAN = "plan"  # it was reckoned, and no plan was in force
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class TestOrder:
    """The newest test order. `reason` says why it is nobody's, `amount_minor` what it would earn; null where nothing is yet."""

    __test__ = False  # no test of ours, whatever a collector takes its name for

    order_id: str
    arrived_at: datetime
    has_touch: bool  # it names a click, or the browser that clicked
    is_tampered: bool
    is_attributed: bool
    reason: str | None
    has_commission: bool
    amount_minor: int | None


@dataclass(frozen=True, slots=True)
class Sight:
    """What there is to see: the newest test click, the newest test order; when an order came that counts, and one was refused."""

    click_id: UUID | None
    clicked_at: datetime | None
    order: TestOrder | None
    counted_at: datetime | None = None
    refused_at: datetime | None = None


def missing(sight: Sight) -> Missing:
    """The first thing that is missing. A refusal that was mended, or an order sent again rightly, says nothing any more."""
    if sight.clicked_at is None:
        return Missing.CLICK
    order = sight.order
    since = max(sight.clicked_at, order.arrived_at) if order else sight.clicked_at
    if sight.refused_at is not None and sight.refused_at > since:
        return Missing.FINE_REQUEST
    if sight.counted_at is not None and (order is None or sight.counted_at > order.arrived_at):
        return Missing.TEST_MARK
    return Missing.ORDER if order is None else _of_order(order)


def _of_order(order: TestOrder) -> Missing:
    if order.has_commission:
        return Missing.NOTHING if order.amount_minor else Missing.PLAN
    if order.is_tampered:
        return Missing.OWN_CLICK_ID
    if not order.is_attributed:
        return Missing.ATTRIBUTION
    if order.reason is None:
        return Missing.COMMISSION
    return Missing.CREDIT if order.has_touch else Missing.CLICK_ID
