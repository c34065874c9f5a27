"""Why something was posted, failed or taken out, in the reader's words."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import format_date
from flask_babel import gettext as _

from affiliate.payouts.models import ReasonCode


def entry_reason(reason: str, facts: Mapping[str, Any] | None) -> str:
    """Why an entry was posted: what a person wrote, or the step of a plan that was reached."""
    if facts is None:
        return reason
    first, last = (format_date(date.fromisoformat(facts[name]), "medium") for name in ("first", "last"))
    said: str = _("%(plan)s: a step was reached, %(first)s to %(last)s", plan=facts["plan"], first=first, last=last)
    return said


def payout_reason(reason: str | None, code: ReasonCode | None) -> str | None:
    """Why a payout is not paid or a run is over: what a person or a bank said, else our own words."""
    if reason:
        return _bank_codes().get(reason, reason)
    said: dict[ReasonCode | None, str] = {
        ReasonCode.RETURNED: _("The bank sent it back."),
        ReasonCode.ALL_FAILED: _("All of its payouts failed."),
        ReasonCode.PARTNER_STOPPED: _("The partner's membership was stopped."),
    }
    return said.get(code)


def _bank_codes() -> dict[str, str]:
    """The commonest of ISO 20022's codes for what comes back."""
    return {
        "AC01": _("The account number is wrong (AC01)."),
        "AC04": _("The account is closed (AC04)."),
        "AC06": _("The account is blocked (AC06)."),
        "MS03": _("The bank sent it back without saying why (MS03)."),
    }
