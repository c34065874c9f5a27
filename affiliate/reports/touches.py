"""The contacts of a customer before an order, told as stations of a thread: who, when, accepted or refused and why.

For a partner, other partners have no name, no link, no code and no id. For a manager everything has its name.
"""

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from babel.dates import format_timedelta
from flask_babel import gettext as _

from affiliate import formats, ids
from affiliate.money import BPS_PER_UNIT


class Audience(enum.StrEnum):
    """Who reads."""

    PARTNER = "partner"
    MANAGER = "manager"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, as whom, and the names that may be shown."""

    audience: Audience
    partner_id: UUID
    partner_names: Mapping[UUID, str]
    link_names: Mapping[UUID, str]
    link_url: Callable[[UUID], str] | None = None

    def sees(self, touch: "Touch") -> bool:
        """Whether the touch may be shown with its names: it is the reader's own, or the reader is a manager."""
        return self.audience is Audience.MANAGER or touch.partner_id == self.partner_id


@dataclass(frozen=True, slots=True)
class Touch:
    """One entry of an attribution's trace."""

    kind: str
    at: datetime | None
    partner_id: UUID | None
    link_id: UUID | None
    click_id: UUID | None
    code: str | None
    recognised_by: str | None
    outcome: str
    reason: str | None
    share_bps: int
    window_days: int | None
    channel: str | None

    @property
    def credited(self) -> bool:
        """Whether this touch took the sale."""
        return self.outcome == "credited"


def read(trace: Mapping[str, Any]) -> list[Touch]:
    """The touches of a trace in the order in which they happened; those without a moment last."""
    touches = [_touch(raw) for raw in trace.get("touches", [])]
    return sorted(touches, key=lambda touch: (touch.at is None, touch.at.timestamp() if touch.at else 0))


def station(touch: Touch, reader: Reader, *, converted_at: datetime, window_days: int) -> dict[str, Any]:
    """The touch as a station for `ui.thread`."""
    shown = reader.sees(touch)
    link_url = reader.link_url(touch.link_id) if shown and touch.link_id and reader.link_url else None
    return {
        "at": touch.at,
        "text": _who(touch, reader),
        "href": link_url,
        "verdict": _verdict(touch),
        "reason": _why(touch, reader, converted_at=converted_at, window_days=window_days),
        "code": ids.public("clk", touch.click_id) if shown and touch.click_id else None,
        "state": "won" if touch.credited else "seen" if touch.outcome == "valid" else "refused",
    }


def thread(
    contacts: Sequence[Touch], reader: Reader, *, order_id: str, converted_at: datetime, window_days: int
) -> list[dict[str, Any]]:
    """All contacts and the order at their end, as stations for `ui.thread`; from the winning one on the line is drawn."""
    stations = [station(touch, reader, converted_at=converted_at, window_days=window_days) for touch in contacts]
    won = next((number for number, touch in enumerate(contacts) if touch.credited), len(contacts))
    for number, one in enumerate(stations):
        one["on"] = number >= won
    winner = contacts[won] if won < len(contacts) else None
    since = span(converted_at - winner.at) if winner and winner.at and winner.kind == "click" else None
    reason = _("%(span)s after the click.", span=since) if since else None
    return [
        *stations,
        {"at": converted_at, "text": _("Order %(order)s", order=order_id), "reason": reason, "state": "end"},
    ]


def span(length: timedelta) -> str:
    """A length of time in words, cut not rounded: “2 days and 12 hours”, “19 minutes”."""
    minutes = int(length.total_seconds()) // 60
    if minutes < 1:
        return _("less than a minute")
    days, hours = minutes // 1440, minutes // 60 % 24
    if days and hours and days < 10:  # noqa: PLR2004 - hours say nothing beside many days
        return _("%(days)s and %(hours)s", days=_unit(days, "day"), hours=_unit(hours, "hour"))
    if days:
        return _unit(days, "day")
    return _unit(hours, "hour") if hours else _unit(minutes, "minute")


def days(count: int) -> str:
    """So many days, in words."""
    return _unit(count, "day")


def _unit(count: int, unit: Any) -> str:
    length = timedelta(**{f"{unit}s": count})
    return format_timedelta(length, granularity=unit, threshold=10**9, locale=formats.locale())


def _touch(raw: Mapping[str, Any]) -> Touch:
    kind = str(raw.get("kind", "click"))
    return Touch(
        kind=kind,
        at=datetime.fromisoformat(raw["at"]) if raw.get("at") else None,
        partner_id=_uuid(raw.get("partner_id")),
        link_id=_uuid(raw.get("link_id")),
        click_id=_uuid(raw.get("id")) if kind == "click" else None,
        code=raw.get("code"),
        recognised_by=raw.get("recognised_by"),
        outcome=str(raw.get("outcome", "refused")),
        reason=raw.get("reason"),
        share_bps=int(raw.get("share_bps", 0)),
        window_days=raw.get("window_days"),
        channel=raw.get("channel"),
    )


def _uuid(text: str | None) -> UUID | None:
    return UUID(text) if text else None


def _who(touch: Touch, reader: Reader) -> str:
    if touch.kind == "channel":
        is_told = reader.audience is Audience.MANAGER and touch.channel
        return (
            _("Other channel: %(channel)s", channel=touch.channel) if is_told else _("Another paid channel of the shop")
        )
    if touch.partner_id is None:
        return _unowned(touch, reader)
    if not reader.sees(touch):
        return _others(touch)
    partner = reader.partner_names.get(touch.partner_id, "")
    link = reader.link_names.get(touch.link_id, "") if touch.link_id else ""
    named = {"code": touch.code or "", "link": link, "partner": partner}
    if reader.audience is Audience.PARTNER:
        return _own(touch.kind, named)
    return {
        "coupon": _("Coupon %(code)s, %(partner)s", **named),
        "binding": _("Earlier order of the customer, %(partner)s", **named),
        "manual": _("A manager's word for %(partner)s", **named),
    }.get(touch.kind) or _("Click on %(link)s, %(partner)s", **named)


def _own(kind: str, named: Mapping[str, str]) -> str:
    return {
        "coupon": _("Your coupon %(code)s", **named),
        "binding": _("Earlier order of a customer that you brought"),
        "manual": _("A manager's word for you"),
    }.get(kind) or _("Click on your link %(link)s", **named)


def _others(touch: Touch) -> str:
    return {
        "coupon": _("Coupon of another partner"),
        "binding": _("Earlier order, another partner"),
        "manual": _("A manager's word for another partner"),
    }.get(touch.kind) or _("Click, another partner")


def _unowned(touch: Touch, reader: Reader) -> str:
    if touch.kind == "coupon":
        known = reader.audience is Audience.MANAGER and touch.code
        return _("Coupon %(code)s of the shop", code=touch.code) if known else _("A coupon of the shop")
    return _("A click id that the order named")


def _verdict(touch: Touch) -> dict[str, str]:
    if touch.credited:
        part = touch.share_bps and touch.share_bps < BPS_PER_UNIT
        shared = _("Accepted, takes %(share)s", share=formats.percent_bps(touch.share_bps)) if part else None
        return {"kind": "acc", "word": shared or _("Accepted, takes the sale"), "icon": "circle-check"}
    if touch.outcome == "valid":
        words = {
            "earlier_click": _("Valid, not last"),
            "later_click": _("Valid, not first"),
            "share_too_small": _("Valid, without a share"),
        }
        return {"kind": "", "word": words.get(touch.reason or "", _("Valid, not needed")), "icon": "minus"}
    return {"kind": "", "word": _("Refused"), "icon": "ban"}


def _why(touch: Touch, reader: Reader, *, converted_at: datetime, window_days: int) -> str:
    if touch.credited:
        return _recognised(touch)
    gap = converted_at - touch.at if touch.at else timedelta()
    own = reader.audience is Audience.PARTNER and touch.partner_id == reader.partner_id
    sentences: dict[str, Callable[[], str]] = {
        "outside_window": lambda: _(
            "Outside the window: %(gap)s before the order, %(days)s count.",
            gap=span(gap),
            days=_unit(touch.window_days or window_days, "day"),
        ),
        "after_conversion": lambda: _("It came after the order."),
        "not_valid": lambda: _("It was not counted as a valid click."),
        "partner_inactive": lambda: (
            _("You were not active in the program then.")
            if own
            else _("The partner was not active in the program then.")
        ),
        "tampered_click_id": lambda: _(
            "The click id in the order does not carry our signature: it was changed or made up."
        ),
        "unknown_click": lambda: _("The click id in the order is not one that we know."),
        "unknown_coupon": lambda: _("The coupon is bound to no partner."),
        "own_purchase": lambda: (
            _("Your own purchase earns no commission.")
            if own
            else _("The customer is one of the partner's own people.")
        ),
        "binding_ended": lambda: _(
            "%(gap)s before the order: the customer does not belong to the partner any more.", gap=span(gap)
        ),
        "step_off": lambda: _("The program does not recognise customers in this way."),
        "lower_class": lambda: _("A partner that the program prefers decided, so this one was not needed."),
        "later_click": lambda: _("%(gap)s before the order. An earlier one takes the sale.", gap=span(gap)),
        "share_too_small": lambda: _("By the program's weights it has no part of the sale."),
        "other_channel": lambda: _("The customer came through another paid channel after it, which takes the sale."),
        "channel_ignored": lambda: _("This channel counts for nothing here."),
        "channel_yields": lambda: _("This channel takes no sale from a partner."),
        "earlier_channel": lambda: _("A partner's contact came after it."),
        "lower_step": lambda: _("A stronger sign decided, so this one was not needed."),
        "earlier_click": lambda: _("%(gap)s before the order. A later click takes the sale.", gap=span(gap)),
    }
    sentence = sentences.get(touch.reason or "")
    return sentence() if sentence else _("It does not count under the rules of the program.")


def _recognised(touch: Touch) -> str:
    if touch.kind == "channel":
        return _("The customer came through it last, and it takes the sale.")
    return {
        "click_id": _("The order named this click by its signed id."),
        "coupon": _("The customer used this code in the order."),
        "visitor": _("The same browser came back with our cookie and ordered."),
        "customer_id": _("The shop knows this customer, whom the partner brought."),
        "email_hash": _("The address is one of a customer whom the partner brought."),
        "manual": _("A manager gave the sale to the partner."),
    }.get(touch.recognised_by or "", "")
