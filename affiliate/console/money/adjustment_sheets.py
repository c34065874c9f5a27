"""How entries by hand and costs are shaped for pages."""

from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _
from flask_login import current_user

from affiliate import ids
from affiliate.console import presenters, words
from affiliate.money import Money
from affiliate.payouts import words as payout_words
from affiliate.payouts.models import Adjustment, AdjustmentStatus, PartnerCost


def line(row: Any) -> dict[str, Any]:
    """An entry with what the reader may do with it."""
    entry: Adjustment = row.Adjustment
    waits = entry.status is AdjustmentStatus.PROPOSED
    return {
        "key": ids.public("man", entry.id),
        "partner": presenters.partner_link(entry.partner_id, row.partner),
        "kind": words.adjustment(entry.kind),
        "sign": words.adjustment_status(entry.status),
        "amount": Money(entry.amount_minor, entry.currency),
        "order_url": url_for("console.conversion", conversion_id=entry.conversion_id) if entry.conversion_id else None,
        "reason": payout_words.entry_reason(entry.reason, entry.facts),
        "at": entry.entered_at,
        "by": row.entered_by or _("The system"),
        "decided_by": None if entry.is_single_handed else row.decided_by,
        "mine": entry.entered_by_id == current_user.id,
        "urls": {
            what: url_for("console.decide_adjustment", adjustment_id=entry.id, what=what)
            for what in ("approve", "decline")
        }
        if waits
        else {},
    }


def cost(row: Any) -> dict[str, Any]:
    """A cost, which can be taken back."""
    found: PartnerCost = row.PartnerCost
    return {
        "kind": words.cost(found.kind),
        "on": found.spent_on,
        "amount": Money(found.amount_minor, found.currency),
        "note": found.note,
        "by": row.entered_by,
        "remove_url": url_for("console.remove_cost", partner_id=found.partner_id, cost_id=found.id),
    }


def urls(partner_id: UUID) -> dict[str, str]:
    """Where the forms of a partner's page lead."""
    return {
        name: url_for(f"console.{endpoint}", partner_id=partner_id)
        for name, endpoint in (("enter", "enter_adjustment"), ("cost", "enter_cost"), ("write_off", "write_off_debt"))
    }
