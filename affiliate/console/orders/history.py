"""What happened to one order, from every table that speaks of it, as stations in the order of time."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from affiliate import formats
from affiliate.commissions.life import DeclineReason
from affiliate.commissions.models import AdjustmentSource, CommissionAdjustment
from affiliate.console import words
from affiliate.console.queries.orders import OrderEvidence
from affiliate.currencies.convert import Exchange
from affiliate.ingest.models import ConversionRevision, OrderEvent, OrderEventType, Refund
from affiliate.money import Money
from affiliate.reports import history as of_commissions
from affiliate.reports import sums

_ICONS = {
    OrderEventType.PAID: "credit-card",
    OrderEventType.SHIPPED: "package",
    OrderEventType.DELIVERED: "home",
    OrderEventType.CANCELLED: "x",
    OrderEventType.AMENDED: "pencil",
}


def stations(found: OrderEvidence) -> list[dict[str, Any]]:
    """Arrival, changes of belief, order events, refunds and what they took, oldest first."""
    conversion = found.conversion
    events = [_event(row, conversion.currency) for row in found.order_events]
    events += [_refund(row, conversion.currency, found.exchanges.get(row.id)) for row in found.refunds]
    events += [_revision(row, conversion.currency) for row in found.revisions]
    events += [_taken(row) for row in found.adjustments]
    arrived = {"at": conversion.received_at, "text": _("Arrived here"), "state": "won", "icon": "download"}
    return sorted([arrived, *events], key=lambda station: _moment(station["at"]))


def _moment(at: datetime) -> float:
    return at.timestamp()


def _event(row: OrderEvent, currency: str) -> dict[str, Any]:
    amount = None if row.amount_minor is None else formats.money(Money(row.amount_minor, row.currency or currency))
    reason = _("Now %(amount)s.", amount=amount) if amount else None
    return {
        "at": row.occurred_at,
        "text": words.order_event(row.type),
        "reason": reason,
        "code": row.event_id,
        "icon": _ICONS[row.type],
    }


def _refund(row: Refund, currency: str, exchange: Exchange | None) -> dict[str, Any]:
    if row.amount_minor is None:
        text = _("Refund of all that was left")
    else:
        text = _("Refund of %(amount)s", amount=formats.money(Money(row.amount_minor, row.currency or currency)))
    said = (_refund_reason(row.reason), _turned(row, currency, exchange))
    reason = " ".join(one for one in said if one) or None
    return {"at": row.occurred_at, "text": text, "reason": reason, "code": row.refund_id, "icon": "arrow-back-up"}


def _turned(row: Refund, currency: str, exchange: Exchange | None) -> str | None:
    """How a refund in another currency became the order's."""
    if row.is_set_aside:
        return _("No exchange rate is known: nothing was taken for it yet.")
    if row.settled_minor is not None and row.settled_currency == currency:
        return _("Settled by hand as %(amount)s.", amount=formats.money(Money(row.settled_minor, currency)))
    return None if exchange is None else sums.rate_of_day(exchange.told())


def _refund_reason(told: str | None) -> str | None:
    """One of the usual codes in the reader's language; else the shop's own words, as its own."""
    if told is None:
        return None
    known = next((reason for reason in DeclineReason if reason == told != DeclineReason.OTHER), None)
    return words.decline_reason(known) if known else f"“{told}”"


def _revision(row: ConversionRevision, currency: str) -> dict[str, Any]:
    """What a higher source or an amendment changed: each fact before and after."""
    changes = [_change(name, before, after, currency) for name, (before, after) in row.differences.items()]
    reason = "; ".join(changes) or _("The same facts, from a more trusted source.")
    text = _("Facts replaced; before: %(source)s", source=words.trust(row.trust))
    return {"at": row.replaced_at, "text": text, "reason": reason, "icon": "git-compare"}


def _change(name: str, before: Any, after: Any, currency: str) -> str:
    return f"{words.fact(name)}: {_value(name, before, currency)} → {_value(name, after, currency)}"


def _value(name: str, value: Any, currency: str) -> str:
    if value is None or value == "":
        return formats.UNKNOWN
    return formats.money(Money(value, currency)) if name.endswith("_minor") and isinstance(value, int) else str(value)


def _taken(row: CommissionAdjustment) -> dict[str, Any]:
    """What an event took from a commission."""
    return {
        "at": row.created_at,
        "text": of_commissions.taking(row),
        "reason": cause(row.source_kind),
        "state": "refused",
        "icon": "coin",
    }


def cause(source: AdjustmentSource) -> str:
    """What took from a commission."""
    causes: dict[AdjustmentSource, str] = {
        AdjustmentSource.REFUND: _("By a refund."),
        AdjustmentSource.ORDER_EVENT: _("By the cancellation of the order."),
        AdjustmentSource.ATTRIBUTION: _("By a newer attribution."),
        AdjustmentSource.VALIDATION: _("By the shop's validation."),
        AdjustmentSource.MANAGER: _("By a manager."),
        AdjustmentSource.REVIEW: _("By a check for fraud."),
    }
    return causes[source]
