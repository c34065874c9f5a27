"""How the pages of fraud are shaped."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate import ids
from affiliate.console import presenters
from affiliate.console.words import Sign
from affiliate.fraud import words
from affiliate.fraud.lists import History, Waiting
from affiliate.fraud.models import FraudAppeal, FraudDecision, FraudVerdict
from affiliate.fraud.rules import MANUAL
from affiliate.fraud.signals import Verdict
from affiliate.partners.models import EnrollmentStatus
from affiliate.relations.models import Case
from affiliate.web import request_now

_KINDS = {Verdict.PASS: "good", Verdict.FLAG: "hold", Verdict.REJECT: "bad"}


def sign(verdict: Verdict) -> Sign:
    """A verdict as a badge."""
    return Sign(_KINDS[verdict], words.verdict(verdict))


def queue(
    rows: Sequence[Waiting],
    amounts: Mapping[tuple[UUID, UUID], int],
    counts: tuple[int, int],
    *,
    appealed: bool,
) -> dict[str, Any]:
    """The orders that wait."""
    everything, appeals = counts
    chips = [
        presenters.chip(_("All"), current=not appealed, count=everything, state=None),
        presenters.chip(_("With an appeal"), current=appealed, count=appeals, state="appealed"),
    ]
    return {"chips": chips, "rows": [_row(row, amounts) for row in rows], "appealed": appealed}


def _row(row: Waiting, amounts: Mapping[tuple[UUID, UUID], int]) -> dict[str, Any]:
    minor = amounts.get((row.conversion_id, row.partner_id))
    case: dict[str, Any] = {"conversion_id": row.conversion_id, "partner_id": row.partner_id}
    public = ids.public("cnv", row.conversion_id), ids.public("ptn", row.partner_id)
    return {
        "id": f"{public[0]}.{public[1]}.{row.decisions}",
        "short": f"{public[0]}-{public[1]}",
        "url": url_for("console.fraud_case", **case),
        "order": row.order_id,
        "at": row.occurred_at,
        "partner": presenters.partner_link(row.partner_id, row.partner_name),
        "pause_url": url_for("console.pause_suspect", partner_id=row.partner_id)
        if row.standing is EnrollmentStatus.APPROVED
        else None,
        "resume_url": url_for("console.decide_partner", partner_id=row.partner_id, act="resume")
        if row.standing is EnrollmentStatus.PAUSED
        else None,
        "sign": sign(row.verdict),
        "rule": words.rule(row.reason),
        "findings": findings(row.findings),
        "appeal": row.appeal,
        "answer_by": row.answer_by,
        "late": row.answer_by is not None and row.answer_by < request_now(),
        "amount": None if minor is None else presenters.amount(minor),
    }


def findings(found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every rule that spoke, with the numbers that it saw."""
    return [
        {
            "rule": words.rule(one["rule"]),
            "means": words.meaning(one["rule"]),
            "numbers": words.evidence(one["evidence"]),
        }
        for one in found
    ]


def case(
    found: History,
    partner_name: str,
    amount_minor: int | None,
    commission_id: UUID | None,
    appeal: Case | None,
    *,
    talk: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """One case: how it stands, what spoke, what was said, also in the waiting appeal, and what may be done."""
    present, stands = found.present, found.stands
    assert present is not None, "a case has a verdict"  # noqa: S101 - the page asks before
    assert stands is not None, "a case has a verdict"  # noqa: S101 - as above
    here: dict[str, Any] = {"conversion_id": present.conversion_id, "partner_id": present.partner_id}
    acts = {
        verdict: url_for("console.decide_case", act=act, **here)
        for act, verdict in (("pass", Verdict.PASS), ("review", Verdict.FLAG), ("reject", Verdict.REJECT))
        if verdict is not stands or (found.open_appeal is not None and verdict is not Verdict.FLAG)
    }
    return {
        "partner": presenters.partner_link(present.partner_id, partner_name),
        "order_url": url_for("console.conversion", conversion_id=present.conversion_id),
        "commission_url": url_for("console.commission", commission_id=commission_id) if commission_id else None,
        "sign": sign(stands),
        "reason": words.meaning(_reason(found, present)),
        "answer_by": present.answer_by if stands is Verdict.FLAG else None,
        "amount": None if amount_minor is None else presenters.amount(amount_minor),
        "findings": findings(present.findings),
        "settings_version": present.settings_version,
        "history": history(found, is_talk_shown=bool(talk)),
        "talk": talk,
        "appeal_url": url_for("console.case", case_id=appeal.id) if appeal else None,
        "seen": found.decisions[0][0].number if found.decisions else 0,
        "pass_url": acts.get(Verdict.PASS),
        "review_url": acts.get(Verdict.FLAG),
        "reject_url": acts.get(Verdict.REJECT),
        "manual": [(rule.name, words.rule(rule.name)) for rule in MANUAL],
    }


def _reason(found: History, present: FraudVerdict) -> str | None:
    decision = found.last_decision
    return decision.rule or present.reason if decision is not None else present.reason


def history(found: History, *, is_talk_shown: bool = False) -> list[dict[str, Any]]:
    """Verdicts of the rules, words of managers and appeals, the newest first.

    An appeal that waits is without its excerpt where all that was said in it `is_talk_shown` beside.
    """
    told = [(one.judged_at, _judged(one)) for one in found.verdicts if one.decision_id is None]
    told += [(one.decided_at, _decision(one, name)) for one, name in found.decisions]
    told += [
        (one.opened_at, _appealed(one, is_shown=is_talk_shown and one.decision_id is None)) for one in found.appeals
    ]
    return [{"at": at, **event} for at, event in sorted(told, key=lambda one: one[0], reverse=True)]


def _appealed(appeal: FraudAppeal, *, is_shown: bool) -> dict[str, Any]:
    return {"text": _("The partner appealed"), "note": "" if is_shown else appeal.text, "state": "next"}


def _judged(verdict: FraudVerdict) -> dict[str, Any]:
    said = words.verdict(verdict.verdict)
    text = _("The rules said: %(verdict)s", verdict=said)
    return {"text": text, "note": words.rule(verdict.reason), "state": "won"}


def _decision(decision: FraudDecision, name: str | None) -> dict[str, Any]:
    said = words.verdict(decision.verdict)
    text = _("%(name)s decided: %(verdict)s", name=name or _("A manager"), verdict=said)
    return {"text": text, "note": decision.note, "state": "won"}


def decided(act: str, *, done: int) -> str:
    """What happened, as a sentence."""
    sentences = {
        "pass": ngettext("%(num)s order passes.", "%(num)s orders pass.", done),
        "review": ngettext("%(num)s order is under review.", "%(num)s orders are under review.", done),
        "reject": ngettext("%(num)s order is rejected.", "%(num)s orders are rejected.", done),
    }
    return str(sentences[act])
