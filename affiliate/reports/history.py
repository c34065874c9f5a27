"""What happened to a commission, from every row that tells of it, and after that what is to come: stations for `ui.thread`."""

from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

from flask_babel import gettext as _
from flask_babel import pgettext

from affiliate import formats
from affiliate.commissions.models import CommissionAdjustment, CommissionStatus, DeclineReason
from affiliate.fraud import words as fraud_words
from affiliate.fraud.models import FraudVerdict
from affiliate.fraud.signals import Verdict
from affiliate.ingest.beliefs import is_verified
from affiliate.money import Money
from affiliate.reports import sums, words
from affiliate.reports.evidence import Evidence

_ENDED = (CommissionStatus.REVERSED, CommissionStatus.DECLINED)
_WAITS = (CommissionStatus.PENDING, CommissionStatus.APPROVED, CommissionStatus.IN_PAYOUT)
_VERDICTS = {Verdict.PASS: "won", Verdict.FLAG: "seen", Verdict.REJECT: "refused"}


class _Event(NamedTuple):
    at: datetime
    station: dict[str, Any]


def stations(evidence: Evidence, *, now: datetime) -> list[dict[str, Any]]:
    """Each station that is known, oldest first: recorded, confirmed, reviewed, approved, taken back, in a payout, paid; then what is to come."""
    events = [_recorded(evidence), *_confirmed(evidence), *_reviewed(evidence), *_counted_again(evidence)]
    events += [*_taken(evidence), *_paid(evidence)]
    found = [
        {"at": formats.day(at), **station} for at, station in sorted(events, key=lambda event: event.at.timestamp())
    ]
    found += _ending(evidence, found)
    found += _to_come(evidence, now)
    for station, following in pairwise(found):
        station["on"] = following["state"] == "won"
    return found


def _recorded(evidence: Evidence) -> _Event:
    """A commission may be younger than its sale: a later decision about who brought it makes another."""
    at = min(evidence.conversion.received_at, evidence.commission.created_at)
    return _Event(at, {"text": _("Sale recorded"), "state": "won"})


def _confirmed(evidence: Evidence) -> list[_Event]:
    """When a source that is believed took the place of one that is not, or a manager vouched for the order."""
    if evidence.verification is not None:
        return [_Event(evidence.verification.verified_at, {"text": _("Confirmed by a manager"), "state": "won"})]
    doubted = [one for one in evidence.revisions if not is_verified(one.trust)]
    if not doubted or not is_verified(evidence.conversion.trust):
        return []
    at = max(one.replaced_at for one in doubted)
    return [_Event(at, {"text": _("Confirmed by the shop's server"), "state": "won"})]


def _reviewed(evidence: Evidence) -> list[_Event]:
    """What the rules said unless a manager had spoken, each word of a manager, each appeal; without names and numbers."""
    found = [
        _Event(one.opened_at, {"text": pgettext("history", "Appeal"), "state": "seen"})
        for one in evidence.review.appeals
    ]
    for decision, _name in evidence.review.decisions:
        said = fraud_words.verdict(decision.verdict)
        text = _("Review by a manager: %(verdict)s", verdict=said)
        note = f"“{decision.note}”" if decision.note else None
        found.append(_Event(decision.decided_at, {"text": text, "state": _VERDICTS[decision.verdict], "reason": note}))
    before: FraudVerdict | None = None
    for verdict in reversed(evidence.review.verdicts):
        is_news = before is None or before.verdict is not verdict.verdict
        before = verdict
        if verdict.verdict is Verdict.PASS or verdict.decision_id is not None or not is_news:
            continue
        text = _("Review began") if verdict.verdict is Verdict.FLAG else _("Rejected after a check for fraud")
        station = {"text": text, "state": _VERDICTS[verdict.verdict], "reason": fraud_words.meaning(verdict.reason)}
        found.append(_Event(verdict.judged_at, station))
    return found


def _counted_again(evidence: Evidence) -> list[_Event]:
    """It ended once, and a later word let it count: that made a commission of the next turn."""
    commission = evidence.commission
    return [_Event(commission.created_at, {"text": _("Counts again"), "state": "won"})] if commission.turn else []


def _taken(evidence: Evidence) -> list[_Event]:
    return [_Event(one.created_at, _taking(one)) for one in evidence.adjustments if one.amount_minor]


def taking(one: CommissionAdjustment) -> str:
    """How much an event took from a commission, and whether it was on its way already."""
    amount = formats.money(Money(one.amount_minor, one.currency))
    if one.is_clawback:
        return _("%(amount)s taken back: it was on its way already", amount=amount)
    return _("%(amount)s of commission reversed", amount=amount)


def _taking(one: CommissionAdjustment) -> dict[str, Any]:
    parts = [sums.taken_by(one.source_kind)]
    if one.decline_reason not in {None, DeclineReason.OTHER}:
        parts.append(words.decline_reason(one.decline_reason))
    if one.note:
        parts.append(f"“{one.note}”")
    return {"text": taking(one), "state": "refused", "icon": "arrow-back-up", "reason": ". ".join(parts)}


def _paid(evidence: Evidence) -> list[_Event]:
    """Approval, payout and payment stay in the history, whatever was taken back later."""
    commission, payout = evidence.commission, evidence.payout
    found = []
    if commission.approved_at is not None:
        found.append(_Event(commission.approved_at, {"text": _("Approved"), "state": "won"}))
    if payout is not None:
        found.append(_Event(payout.created_at, {"text": _("In a payout"), "state": "won"}))
    if commission.paid_at is not None:
        found.append(_Event(commission.paid_at, {"text": _("Paid"), "state": "won", "icon": "coin"}))
    return found


def _ending(evidence: Evidence, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The badge of what ended on its last station; a station of its own where nothing was there to take."""
    commission = evidence.commission
    if commission.status not in _ENDED:
        return []
    sign = words.commission(commission.status)
    if found[-1]["state"] == "refused":
        found[-1]["verdict"] = {"kind": sign.kind, "word": sign.word, "icon": sign.icon}
        return []
    ended = max((taken.created_at for taken in evidence.adjustments), default=commission.created_at)
    reason = words.commission_reason(commission.reason) or None
    return [{"at": formats.day(ended), "text": sign.word, "state": "refused", "reason": reason}]


def _to_come(evidence: Evidence, now: datetime) -> list[dict[str, Any]]:
    commission, found = evidence.commission, []
    answer_by = evidence.review.present.answer_by if evidence.review.present else None
    if commission.status is CommissionStatus.UNDER_REVIEW and answer_by is not None:
        return [{"at": formats.day(max(answer_by, now)), "text": _("The program decides"), "state": "next"}]
    if commission.status not in _WAITS:
        return []
    if commission.status is CommissionStatus.PENDING:
        # A little late is normal: the job that approves runs every few seconds.
        day = formats.day(max(commission.matures_at, now))
        found.append({"at": day, "text": _("Validation period ends, approved"), "state": "next"})
    return [*found, {"at": _("with the next payout"), "text": _("Paid"), "state": "next", "icon": "coin"}]
