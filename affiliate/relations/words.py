"""Words about cases for pages."""

from datetime import datetime

from flask_babel import gettext as _
from flask_babel import pgettext

from affiliate.relations.models import Case, CaseKind, CaseStatus


def kind(of: CaseKind) -> str:
    """What a case is about."""
    words: dict[CaseKind, str] = {
        CaseKind.MISSING_SALE: _("A sale is missing"),
        CaseKind.WRONG_AMOUNT: _("An amount is doubtful"),
        CaseKind.LATE_PAYMENT: _("A payment is late"),
        CaseKind.FRAUD_APPEAL: _("A sale is under review or rejected"),
    }
    return words[of]


def status(of: CaseStatus) -> tuple[str, str]:
    """Where a case is: the colour and the word."""
    words: dict[CaseStatus, tuple[str, str]] = {
        CaseStatus.OPEN: ("wait", pgettext("case", "Waits for the program")),
        CaseStatus.ASKED: ("hold", pgettext("case", "Waits for the partner")),
        CaseStatus.ACCEPTED: ("good", pgettext("case", "Accepted")),
        CaseStatus.DECLINED: ("bad", pgettext("case", "Declined")),
        CaseStatus.WITHDRAWN: ("", pgettext("case", "Withdrawn")),
    }
    return words[of]


def is_late(case: Case, *, now: datetime) -> bool:
    """Whether the program owes an answer whose promised time is over."""
    return case.status is CaseStatus.OPEN and case.answer_by < now
