"""What the check for fraud said about a sale: the answer for both readers, the evidence for managers alone.

A partner reads the reason and what managers wrote, but no numbers: those would teach how to get by.
"""

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from affiliate import formats
from affiliate.fraud import words
from affiliate.fraud.lists import Ruling
from affiliate.fraud.signals import Verdict
from affiliate.reports.evidence import Evidence
from affiliate.reports.touches import Audience


@dataclass(frozen=True, slots=True)
class Check:
    """The answer, and for managers what each rule saw: {rule, means, numbers: [{name, value}]}."""

    answer: str
    findings: list[dict[str, Any]]
    note: str | None = None


def check(evidence: Evidence, *, audience: Audience) -> Check:
    """How the credit behind a commission stands with the fraud rules."""
    ruling = evidence.ruling
    if ruling is None:
        return Check(_("It was not checked: test orders never are."), [])
    if audience is Audience.PARTNER:
        return Check(_answer(ruling), [])
    found = [
        {
            "rule": words.rule(one["rule"]),
            "means": words.meaning(one["rule"]),
            "numbers": words.evidence(one["evidence"]),
        }
        for one in ruling.verdict.findings
    ]
    return Check(_answer(ruling), found, _judged_by(ruling))


def _answer(ruling: Ruling) -> str:
    verdict, decision = ruling.verdict, ruling.decision
    reason = words.meaning(verdict.reason)
    told = {
        Verdict.PASS: lambda: _("No fraud rule spoke."),
        Verdict.FLAG: lambda: _("It is under review. %(reason)s", reason=reason),
        Verdict.REJECT: lambda: _("It was rejected. %(reason)s", reason=reason),
    }[verdict.verdict]()
    if decision is not None:
        passed = verdict.verdict is Verdict.PASS
        told = (
            _("A manager looked at it and let it pass.") if passed else _("A manager decided: %(answer)s", answer=told)
        )
        told = f"{told} “{decision.note}”"
    if verdict.verdict is Verdict.FLAG and verdict.answer_by is not None:
        promised = _(
            "The program answers by %(day)s. Until then it is neither approved nor paid.",
            day=formats.day(verdict.answer_by),
        )
        told = f"{told} {promised}"
    return told


def _judged_by(ruling: Ruling) -> str:
    if not ruling.verdict.settings_version:
        return _("Judged by the usual fraud rules.")
    return _("Judged by version %(version)s of the fraud rules.", version=ruling.verdict.settings_version)
