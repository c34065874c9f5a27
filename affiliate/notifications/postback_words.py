"""Words about postbacks for pages: events, states, and what each macro stands for."""

from flask_babel import gettext as _

from affiliate.notifications.models import DeliveryStatus, PostbackAddress, PostbackEvent, SwitchedOff
from affiliate.reports.words import Sign


def event(kind: PostbackEvent) -> str:
    """What a call tells of."""
    return {
        PostbackEvent.CONVERSION: _("New sale"),
        PostbackEvent.APPROVED: _("Commission approved"),
        PostbackEvent.DECLINED: _("Commission taken back"),
        PostbackEvent.PAID: _("Commission paid"),
        PostbackEvent.TEST: _("Test"),
    }[kind]


def sign(address: PostbackAddress) -> Sign:
    """Whether an address is called."""
    if address.switched_off is None:
        return Sign("wait", _("On, but failing")) if address.failures else Sign("good", _("On"))
    return {
        SwitchedOff.BY_HAND: Sign("", _("Switched off")),
        SwitchedOff.FAILING: Sign("bad", _("Switched off: it failed for a day")),
        SwitchedOff.GONE: Sign("bad", _("Switched off: it answered that it is gone")),
    }[address.switched_off]


def delivery(status: DeliveryStatus) -> Sign:
    """Where a call is."""
    return {
        DeliveryStatus.WAITING: Sign("wait", _("Waiting")),
        DeliveryStatus.DELIVERED: Sign("good", _("Arrived")),
        DeliveryStatus.GIVEN_UP: Sign("bad", _("Given up")),
    }[status]


def explained() -> list[tuple[str, str]]:
    """The macros, as they are written, and what they become."""
    return [
        (
            "{sub1} … {sub10}",
            _("your sub ids of the click; also {aff_sub}, {aff_sub2} … {aff_sub5}, {source}, {externalid}"),
        ),
        ("{payout}", _("what you earn, like 4.99; also {payout_amount}")),
        ("{amount}", _("what the customer paid, like 49.90; also {sale_amount}")),
        ("{currency}", _("of both, like EUR")),
        ("{order_id}", _("the shop's order number")),
        ("{txid}", _("our id of the sale: the same in every call about it")),
        ("{click_id}", _("our id of the click; also {clickid}, {transaction_id}")),
        ("{event_name} {status}", _("conversion, approved, declined, paid; the status of a new sale is pending")),
        ("{event_id}", _("of this call: if it comes twice, it is the same one")),
        ("{goal_id}", _("the kind of conversion, like sale")),
        ("{coupon_code} {country}", _("your coupon, if it won; the country of the click")),
        ("{offer_id} {affiliate_id}", _("the program; you")),
        ("{datetime} {date} {unix}", _("when it happened, in UTC")),
        ("{random}", _("a number against caches")),
    ]
