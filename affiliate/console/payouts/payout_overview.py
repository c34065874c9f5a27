"""What would be paid now, who is not paid and why, and the runs so far, as plain values."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from flask import g, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate import formats
from affiliate.console import presenters, words
from affiliate.console.blueprint import can
from affiliate.console.payouts.payout_sheets import change
from affiliate.console.queries.payouts import Upcoming
from affiliate.money import Money
from affiliate.payouts import words as payout_words
from affiliate.payouts.models import Payout, PayoutStatus
from affiliate.payouts.queries import Review
from affiliate.payouts.schedule import Blocked, Due


def sheet(upcoming: Upcoming, runs: Sequence[Any], due_on: date | None, *, last: Mapping[UUID, int]) -> dict[str, Any]:
    """What would be paid now, how the program pays, and the history. `last`: what each partner was paid before."""
    shown = [upcoming.dues[row.partner_id][0] for row in upcoming.ready.rows if row.partner_id in upcoming.dues]
    policy = upcoming.policy
    return {
        "policy": {
            "cadence": words.cadence(policy.cadence),
            "net_days": policy.net_days,
            "one_person": policy.is_one_person,
        },
        "due_on": due_on,
        "total": presenters.amount(upcoming.payable.total_minor),
        "total_minor": upcoming.payable.total_minor,
        "payable": [_due(due) | _against(due, last) for due in shown],
        "partners": upcoming.payable.partners,
        "blocked": [line for row in upcoming.left.rows if (line := _left_out(row, upcoming)) is not None],
        "runs": [_run_line(row) for row in runs],
        "open_runs": [_run_line(row) for row in runs if row.status in {PayoutStatus.PROPOSED, PayoutStatus.APPROVED}],
        "minimum": presenters.amount(g.program.payout_min_minor),
    }


def _left_out(row: Any, upcoming: Upcoming) -> dict[str, Any] | None:
    """Who is not paid now, with why; nothing if that was decided between two reads."""
    if row.kind == "awaited":
        payout = upcoming.awaited.get(row.id)
        return _awaited(payout, row.name) if payout else None
    if row.kind == "review":
        review = upcoming.reviews.get(row.partner_id)
        return _reviewed(review) if review else None
    due, reason = upcoming.dues.get(row.partner_id, (None, None))
    return _due(due) | {"why": _why_blocked(due, reason)} if due and reason else None


def _against(due: Due, last: Mapping[UUID, int]) -> dict[str, Any]:
    """What the partner was paid last, and the difference to it."""
    minor = last.get(due.partner_id)
    before = None if minor is None else Money(minor, due.currency)
    return {"before": before, "change": change(Money(due.amount_minor, due.currency), before)}


def _due(due: Due) -> dict[str, Any]:
    return {
        "partner": presenters.partner_link(due.partner_id, due.partner_name),
        "url": url_for("console.payment", partner_id=due.partner_id) if can("payment") else None,
        "earned": presenters.amount(due.earned_minor, due.currency),
        "set_off": presenters.amount(-due.clawed_back_minor, due.currency) if due.clawed_back_minor else None,
        "amount": presenters.amount(due.amount_minor, due.currency),
        "commissions": due.commissions,
    }


def _reviewed(review: Review) -> dict[str, Any]:
    """What a fraud rule holds back; what else the partner has earned is paid."""
    due = Due(review.partner_id, review.name, True, g.program.currency, review.amount_minor, 0, review.commissions, 0)
    url = url_for("console.fraud") if can("fraud") else None
    return _due(due) | {"url": url, "why": _why_blocked(due, Blocked.UNDER_REVIEW)}


def _awaited(payout: Payout, name: str) -> dict[str, Any]:
    """A payout of a proposed run whose partner has not sent its invoice, or whose invoice is not checked yet."""
    due = Due(
        payout.partner_id, name, True, payout.currency, payout.earned_minor, payout.clawed_back_minor, 0, 0,
        vat_minor=payout.vat_minor, stamp_minor=payout.stamp_minor,
    )  # fmt: skip
    line = {
        "url": url_for("console.payout_run", run_id=payout.run_id),
        "why": _why_blocked(due, Blocked.INVOICE_AWAITED),
    }
    return _due(due) | line


def _why_blocked(due: Due, reason: Blocked) -> str:
    """Why a partner is not paid now, and what becomes of the money."""
    amount, day = formats.money(presenters.amount(due.amount_minor, due.currency)), formats.instant(due.usable_from)
    minimum = formats.money(presenters.amount(g.program.payout_min_minor))
    sentences: dict[Blocked, str] = {
        Blocked.PARTNER_INACTIVE: _(
            "Not active in the program. %(amount)s stay until you let them go on.", amount=amount
        ),
        Blocked.NEGATIVE_BALANCE: _("Returns exceed sales: %(amount)s are carried to the next run.", amount=amount),
        Blocked.UNDER_REVIEW: ngettext(
            "%(num)d sale is under review. %(amount)s wait for your decision.",
            "%(num)d sales are under review. %(amount)s wait for your decision.",
            due.commissions,
            amount=amount,
        ),
        Blocked.BELOW_MINIMUM: _(
            "Below the minimum of %(minimum)s. %(amount)s are carried to the next run.", amount=amount, minimum=minimum
        ),
        Blocked.PAYMENT_BLOCK: _("Not paid for now: %(reason)s", reason=due.block_reason),
        Blocked.TAX_PROFILE_MISSING: _("Has no tax profile yet. %(amount)s wait.", amount=amount),
        Blocked.INVOICE_AWAITED: _("Has not sent its invoice yet. %(amount)s wait.", amount=amount),
        Blocked.DETAILS_MISSING: _("Has not said yet where the money goes. %(amount)s wait.", amount=amount),
        Blocked.DETAILS_CHANGED: _(
            "The payment details were changed. %(amount)s wait until %(day)s.", amount=amount, day=day
        ),
    }
    return sentences[reason]


def _run_line(row: Any) -> dict[str, Any]:
    return {
        "url": url_for("console.payout_run", run_id=row.id),
        "at": row.at,
        "sign": words.payout(row.status),
        "status": row.status.value,
        "total": Money(row.total_minor, row.currency),
        "partners": row.partners,
        "proposed_by": row.proposed_by,
        "reason": payout_words.payout_reason(row.reason, row.reason_code),
    }
