"""What was known of a late payment, in words that both sides read."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import pgettext
from sqlalchemy.orm import Session

from affiliate import formats
from affiliate.money import Money
from affiliate.payouts.models import PayoutStatus
from affiliate.relations import late_payments
from affiliate.relations.models import Case, CaseKind
from affiliate.reports import words

Pairs = list[dict[str, str]]


def known(case: Case) -> Pairs:
    """The payout that a late payment is about, or how what is in none yet stood; nothing for other cases."""
    if "payout" in case.trace:
        return _payout(case.trace["payout"])
    return _standing(case.trace["standing"], opened_at=case.opened_at) if "standing" in case.trace else []


def paid_since(session: Session, case: Case) -> dict[str, Any] | None:
    """What a late payment brought meanwhile: the amount, the day, and the payout with its run."""
    if case.kind is not CaseKind.LATE_PAYMENT:
        return None
    found = late_payments.paid_since(session, case)
    if found is None:
        return None
    amount = Money(found.to_pay_minor, found.currency)
    return {"amount": amount, "day": found.paid_at, "payout_id": found.id, "run_id": found.run_id}


def _payout(known: Mapping[str, Any]) -> Pairs:
    pairs = [
        _pair(_("Payout"), _money(known, "amount_minor")),
        _pair(_("State"), words.payout(PayoutStatus(known["status"])).word),
        *_invoice(known),
    ]
    moments = {
        "proposed_at": _("Proposed on"),
        "approved_at": _("Approved on"),
        "sent_at": _("Bank file made on"),
        "paid_at": _("Paid on"),
        "failed_at": _("Came back on"),
        "cancelled_at": _("Cancelled on"),
    }
    return pairs + [_pair(name, _day(known[key])) for key, name in moments.items() if known[key]]


def _standing(known: Mapping[str, Any], *, opened_at: datetime) -> Pairs:
    run_on = date.fromisoformat(known["next_run_on"]) if known["next_run_on"] else None
    pairs = [
        _pair(_("Approved, in no payout"), _money(known, "approved_minor")),
        _pair(_("Due with the next payout"), _money(known, "due_minor")),
        _pair(
            _("Minimum payout"),
            _money(known, "minimum_minor") if known["minimum_minor"] else pgettext("minimum payout", "none"),
        ),
        _pair(_("Next payouts on"), formats.day(run_on) if run_on else _("a day that the program chooses")),
        _pair(_("Payment details"), _details(known["usable_from"], opened_at)),
        *_invoice(known),
    ]
    if known["lacks_profile"]:
        pairs.append(_pair(_("Tax profile"), pgettext("tax profile", "missing, and demanded")))
    if known["is_blocked"]:
        pairs.append(_pair(_("Payment block"), _("The program does not pay for now.")))
    return pairs


def _invoice(known: Mapping[str, Any]) -> Pairs:
    return [_pair(_("Invoice"), pgettext("invoice", "awaited from the partner"))] if known["awaits_invoice"] else []


def _details(usable_from: str | None, opened_at: datetime) -> str:
    if usable_from is None:
        return str(pgettext("payment details", "not entered yet"))
    if datetime.fromisoformat(usable_from) > opened_at:
        return str(_("changed; nothing is paid until %(at)s", at=formats.instant(datetime.fromisoformat(usable_from))))
    return str(pgettext("payment details", "entered"))


def _money(known: Mapping[str, Any], name: str) -> str:
    return formats.money(Money(known[name], known["currency"]))


def _day(moment: str) -> str:
    return formats.day(datetime.fromisoformat(moment))


def _pair(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}
