"""Words about the weighing of applications for pages."""

from typing import Any

from flask_babel import gettext as _

from affiliate.reports.words import Sign
from affiliate.vetting.rubric import Advice, Because, Criterion


def criterion(of: Criterion) -> str:
    """What an applicant is judged by."""
    words: dict[Any, str] = {
        Criterion.REACH: _("Reach"),
        Criterion.TARGET_GROUP: _("Target group"),
        Criterion.REPUTATION: _("Reputation"),
        Criterion.EXPERIENCE: _("Experience"),
        Criterion.VALUES: _("Values"),
        Criterion.SKILLS: _("Skills we lack"),
        Criterion.NO_CONFLICT: _("No conflict of interest"),
    }
    return words[of]


def meaning(of: Criterion) -> str:
    """What the best mark stands for."""
    words: dict[Any, str] = {
        Criterion.REACH: _("How many people it reaches; 100,000 a month is the best mark."),
        Criterion.TARGET_GROUP: _("Its audience buys what we sell."),
        Criterion.REPUTATION: _("Good opinions, references, an honest way of working."),
        Criterion.EXPERIENCE: _("It has recommended such things before, with success."),
        Criterion.VALUES: _("It stands for what we stand for."),
        Criterion.SKILLS: _("It can do what we cannot."),
        Criterion.NO_CONFLICT: _("It does not work against us for somebody else."),
    }
    return words[of]


def advice(of: Advice) -> Sign:
    """What the rules suggest."""
    return {
        Advice.ACCEPT: Sign("good", _("Accept")),
        Advice.ASK: Sign("wait", _("Ask"), "help-circle"),
        Advice.REFUSE: Sign("bad", _("Refuse")),
    }[of]


def because(of: Because) -> str:
    """Why they suggest it."""
    words: dict[Any, str] = {
        Because.SCORE_HIGH: _("The score is high enough to accept."),
        Because.SCORE_LOW: _("The score is too low."),
        Because.SCORE_BETWEEN: _("The score lies between refusing and accepting."),
        Because.CONFLICT: _("It declares a conflict of interest."),
        Because.DUPLICATE: _("Another partner looks like the same person."),
        Because.NOTHING_KNOWN: _("Nothing that could be weighed is known."),
        Because.NO_EVIDENCE: _("It names no channel, website or reach."),
        Because.UNCONFIRMED: _("It has not confirmed its mail address."),
        Because.DISPOSABLE: _("Its mailbox is of a service whose mailboxes are thrown away."),
    }
    return words[of]


def shared(by: str) -> str:
    """What two partners share."""
    words: dict[str, str] = {
        "mail": _("mail address"),
        "website": _("website"),
        "account": _("payout account"),
        "vat_id": _("VAT number"),
    }
    return words[by]
