"""How the pages of conversions are shaped."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import request, url_for
from flask_babel import gettext as _
from flask_babel import pgettext

from affiliate import ids
from affiliate.console import presenters, words
from affiliate.console.orders import history
from affiliate.console.queries.orders import OrderEvidence, State
from affiliate.ingest.models import Conversion, Trust
from affiliate.money import Money
from affiliate.reports import touches
from affiliate.reports.touches import Audience, Reader

CSV_HEAD = ["order", "id", "at", "amount", "currency", "source", "verified", "test", "state", "partners"]
Partners = Mapping[UUID, Sequence[tuple[UUID, str]]]


def state_word(state: State) -> str:
    """What became of an order, as a filter."""
    words_of: dict[State, str] = {
        State.CREDITED: pgettext("order", "Credited"),
        State.UNCREDITED: pgettext("order", "Without a partner"),
        State.WAITING: pgettext("order", "Being attributed"),
        State.UNVERIFIED: pgettext("order", "Being verified"),
        State.TEST: pgettext("order", "Test"),
    }
    return words_of[state]


def state_of(row: Any) -> State:
    """What became of this order; the state that needs attention first."""
    if row.is_test:
        return State.TEST
    if row.attributed_revision < row.revision or row.attribution_id is None:
        return State.WAITING
    if row.trust < Trust.SIGNED:
        return State.UNVERIFIED
    return State.CREDITED if row.reason is None else State.UNCREDITED


def sign(state: State) -> words.Sign:
    """The state as a badge."""
    kinds = {
        State.CREDITED: ("acc", None),
        State.UNCREDITED: ("", "minus"),
        State.WAITING: ("wait", "hourglass"),
        State.UNVERIFIED: ("hold", "eye"),
        State.TEST: ("", "code"),
    }
    kind, icon = kinds[state]
    return words.Sign(kind, state_word(state), icon)


def table(rows: Sequence[Any], partners: Partners) -> dict[str, Any]:
    """The filters and the rows."""
    chosen = presenters.chosen(State, "state")
    chips = [presenters.chip(_("All"), current=chosen is None, state=None)]
    chips += [presenters.chip(state_word(each), current=each is chosen, state=each.value) for each in State]
    return {
        "chips": chips,
        "rows": [_row(row, partners) for row in rows],
        "order": request.args.get("order", "").strip(),
        "filtered": bool(request.args.get("order") or chosen),
        "csv_url": presenters.with_filters("console.conversions_csv"),
    }


def links(rows: Sequence[Any]) -> list[dict[str, str]]:
    """Orders as links."""
    return [{"url": url_for("console.conversion", conversion_id=row.id), "text": row.order_id} for row in rows]


def _row(row: Any, partners: Partners) -> dict[str, Any]:
    return {
        "url": url_for("console.conversion", conversion_id=row.id),
        "order": row.order_id,
        "kind": row.kind,
        "at": row.at,
        "amount": Money(row.amount_minor, row.currency),
        "sign": sign(state_of(row)),
        "why": words.unattributed(row.reason) if row.reason else "",
        "source": words.trust(row.trust),
        "partners": [presenters.partner_link(*each) for each in partners.get(row.attribution_id, ())],
    }


def csv_row(row: Any, partners: Partners) -> list[Any]:
    """A line of the exported list."""
    names = "; ".join(name for _id, name in partners.get(row.attribution_id, ()))
    verified = row.trust >= Trust.SIGNED
    money = Money(row.amount_minor, row.currency)
    public_id = ids.public("cnv", row.id)
    return [
        row.order_id,
        public_id,
        row.at,
        money,
        row.currency,
        row.source,
        verified,
        row.is_test,
        state_of(row).value,
        names,
    ]


def page(found: OrderEvidence) -> dict[str, Any]:
    """One order: its facts, who is credited and why, commissions, and its history."""
    conversion = found.conversion
    return {
        "order": _facts(conversion),
        "sign": sign(_state(found)),
        "answer": _answer(found),
        "thread": _thread(found),
        "commissions": [_commission(row) for row in found.commissions],
        "history": history.stations(found),
        "set_aside": [
            {
                "id": row.id,
                "amount": Money(row.amount_minor or 0, row.currency or conversion.currency),
            }
            for row in found.refunds
            if row.is_set_aside
        ],
        "items": [_item(item, conversion.currency) for item in conversion.items],
        "acts": [
            {"url": url_for("console.conversion", conversion_id=act.conversion_id), "text": words.act(act.kind, act.at)}
            for act in found.acts
        ],
    }


def _state(found: OrderEvidence) -> State:
    conversion, attribution = found.conversion, found.attribution
    if conversion.is_test:
        return State.TEST
    if attribution is None or conversion.attributed_revision < conversion.revision:
        return State.WAITING
    if conversion.trust < Trust.SIGNED:
        return State.UNVERIFIED
    return State.CREDITED if attribution.reason is None else State.UNCREDITED


def _facts(conversion: Conversion) -> dict[str, Any]:
    """What is believed of the order now. Amounts that are zero are left out."""
    parts = (
        (_("Tax in it"), conversion.tax_minor),
        (_("Shipping in it"), conversion.shipping_minor),
        (_("Discount given"), conversion.discount_minor),
    )
    pairs = [
        {"name": name, "value": presenters.text(Money(minor, conversion.currency))} for name, minor in parts if minor
    ]
    told = (
        (_("Kind"), _("Sale") if conversion.kind == "sale" else conversion.kind),
        (_("Source"), words.trust(conversion.trust)),
        (_("Coupon"), conversion.coupon),
        (_("Customer"), conversion.customer_id),
        (_("New customer"), _yes_or_no(conversion.new_customer)),
        (_("Channel"), conversion.channel),
        (_("Paid by"), conversion.payment_method),
    )
    pairs += [{"name": name, "value": value} for name, value in told if value]
    return {
        "id": ids.public("cnv", conversion.id),
        "order_id": conversion.order_id,
        "amount": Money(conversion.amount_minor, conversion.currency),
        "at": conversion.occurred_at,
        "received_at": conversion.received_at,
        "pairs": pairs,
    }


def _yes_or_no(known: bool | None) -> str | None:  # noqa: FBT001 - the one value it is about
    return None if known is None else str(_("yes") if known else _("no"))


def _item(item: Mapping[str, Any], currency: str) -> dict[str, Any]:
    minor = item.get("amount_minor")
    return {
        "name": item.get("name") or item.get("sku") or "–",
        "sku": item.get("sku"),
        "quantity": item.get("quantity", 1),
        "amount": None if minor is None else Money(int(minor), currency),
    }


def _answer(found: OrderEvidence) -> str:
    """Who is credited, in one sentence."""
    attribution = found.attribution
    if attribution is None:
        return str(_("The contacts of this customer are being looked at. This takes seconds, at most a minute."))
    if attribution.reason is not None:
        return words.unattributed(attribution.reason)
    names = ", ".join(name for _id, name in found.credited)
    return str(_("%(partners)s brought this customer.", partners=names))


def _thread(found: OrderEvidence) -> list[dict[str, Any]]:
    """Every contact before the order, accepted or refused, and the order."""
    if found.attribution is None:
        return []
    conversion, trace = found.conversion, found.attribution.trace
    credited_id = found.credited[0][0] if found.credited else conversion.id  # a manager sees every name, whoever won
    return touches.thread(
        touches.read(trace),
        Reader(Audience.MANAGER, credited_id, found.names.partners, found.names.links),
        order_id=conversion.order_id,
        converted_at=conversion.occurred_at,
        window_days=int(trace.get("window_days", found.program.attribution_window_days)),
    )


def _commission(row: Any) -> dict[str, Any]:
    commission = row.Commission
    return {
        "url": url_for("console.commission", commission_id=commission.id),
        "partner": presenters.partner_link(commission.partner_id, row.partner),
        "left": Money(commission.amount_minor - commission.reversed_minor, commission.currency),
        "sign": words.commission(commission.status),
        "why": words.commission_reason(commission.reason),
        "replaced": not commission.is_live,
    }
