"""Every write of people on fraud: a manager's word, a partner's appeal, the settings; and the second look of a job."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.attribution import service as attribution
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.fraud import policy, queries
from affiliate.fraud.models import FraudAppeal, FraudDecision, FraudPlace, FraudSettings
from affiliate.fraud.policy import Policy
from affiliate.fraud.rules import BY_NAME
from affiliate.fraud.signals import Verdict
from affiliate.partners import marks
from affiliate.partners.models import MarkKind

N_ = str  # marks a sentence for the translators
NOTE_LENGTH_MAX = 500
APPEAL_LENGTH_MAX = 2_000
PLACES_KEPT = timedelta(days=70)
"""A month back from an order that comes a month late, and some days."""

_SECOND_LOOK_WITHIN = timedelta(days=60)


class NoVerdict(NotFound):
    """Nobody judged this order for this partner in this program."""


class DecidedMeanwhile(Conflict):
    """Another person has decided since the page was read."""

    code = "decided_meanwhile"


class AppealOpen(Conflict):
    """The partner has appealed already, and nobody has answered yet."""

    code = "appeal_open"


class NothingToAppeal(Conflict):
    """The order is neither under review nor rejected."""

    code = "nothing_to_appeal"


class SettingsMoved(Conflict):
    """Somebody else changed the settings in between."""

    code = "settings_moved"


def decide(
    session: Session,
    *,
    program_id: UUID,
    conversion_id: UUID,
    partner_id: UUID,
    verdict: Verdict,
    note: str,
    rule: str | None = None,
    seen: int,
    actor: Actor,
    now: datetime,
) -> None:
    """A manager's word about one partner's credit, whatever the rules say: it makes a new version of the order's outcome.

    `seen` is the number of decisions that the person saw; `rule` names what was found by hand. It answers an open
    appeal, unless it leaves the order under review.

    Raises:
        NoVerdict: there is no such credit in this program.
        Invalid: no note, or a very long one.
        DecidedMeanwhile: somebody else was faster.
    """
    if not 0 < len(note.strip()) <= NOTE_LENGTH_MAX:
        raise Invalid({"note": [N_("Say why, in up to 500 characters. The partner will read it.")]})
    if rule is not None and rule not in BY_NAME:
        raise Invalid({"rule": [N_("There is no such rule.")]})
    case = queries.case(session, program_id=program_id, conversion_id=conversion_id, partner_id=partner_id)
    if case is None:
        raise NoVerdict(N_("There is no such order of this partner."))
    row = {
        "id": ids.new_at(now), "program_id": program_id, "conversion_id": conversion_id, "partner_id": partner_id,
        "number": seen + 1, "verdict": verdict, "rule": rule, "note": note.strip(),
        "decided_by_id": actor.id if actor.kind == "user" else None, "decided_at": now,
    }  # fmt: skip
    if seen != case.decisions or not db.insert_new(session, FraudDecision, [row]):
        raise DecidedMeanwhile(N_("Somebody else has decided on this order. Look at it again."))
    if verdict is not Verdict.FLAG:
        _answer_appeal(session, conversion_id, partner_id, row["id"])
    attribution.ask_again(session, conversion_ids=[conversion_id])
    details = {
        "partner_id": str(partner_id),
        "before": case.verdict.value,
        "after": verdict.value,
        "note": note.strip(),
    }
    who: dict[str, Any] = {"program_id": program_id, "actor": actor, "now": now}
    _record(session, f"fraud.{_ACTS[verdict]}", ("conversion", conversion_id), details, **who)


_ACTS = {Verdict.PASS: "pass", Verdict.FLAG: "review", Verdict.REJECT: "reject"}


def _answer_appeal(session: Session, conversion_id: UUID, partner_id: UUID, decision_id: Any) -> None:
    mine = (FraudAppeal.conversion_id == conversion_id, FraudAppeal.partner_id == partner_id)
    answered = sa.update(FraudAppeal).where(*mine, FraudAppeal.decision_id.is_(None)).values(decision_id=decision_id)
    session.execute(answered, execution_options={"synchronize_session": False})


def appeal(
    session: Session, *, program_id: UUID, conversion_id: UUID, partner_id: UUID, text: str, actor: Actor, now: datetime
) -> None:
    """A partner's answer to a review or rejection of its own order.

    Raises:
        NoVerdict: the order is not this partner's.
        NothingToAppeal: it passed. AppealOpen: the last appeal is not answered yet.
        Invalid: no text, or a very long one.
    """
    case = queries.case(session, program_id=program_id, conversion_id=conversion_id, partner_id=partner_id)
    if case is None:
        raise NoVerdict(N_("There is no such order."))
    if not 0 < len(text.strip()) <= APPEAL_LENGTH_MAX:
        raise Invalid({"text": [N_("Write your answer, in up to 2,000 characters.")]})
    if case.verdict is Verdict.PASS:
        raise NothingToAppeal(N_("This order is not under review any more."))
    row = {
        "id": ids.new_at(now), "program_id": program_id, "conversion_id": conversion_id, "partner_id": partner_id,
        "text": text.strip(), "opened_by_id": actor.id if actor.kind == "user" else None, "opened_at": now,
        "decision_id": None,
    }  # fmt: skip
    if not db.insert_new(session, FraudAppeal, [row]):
        raise AppealOpen(N_("Your last appeal has not been answered yet."))
    details = {"partner_id": str(partner_id)}
    who: dict[str, Any] = {"program_id": program_id, "actor": actor, "now": now}
    _record(session, "fraud.appeal", ("conversion", conversion_id), details, **who)


def take_back_appeal(session: Session, *, conversion_id: UUID, partner_id: UUID) -> None:
    """The partner's open appeal about an order is none any more."""
    mine = (FraudAppeal.conversion_id == conversion_id, FraudAppeal.partner_id == partner_id)
    gone = sa.delete(FraudAppeal).where(*mine, FraudAppeal.decision_id.is_(None))
    session.execute(gone, execution_options={"synchronize_session": False})


def save_settings(session: Session, *, program_id: UUID, wanted: Policy, seen: int, actor: Actor, now: datetime) -> int:
    """New settings, for orders that are judged from now on; the number of their version.

    `seen` is the version that the person saw. The same settings again make no version.

    Raises:
        Invalid: names each wrong part. SettingsMoved: there is a newer version than `seen`.
    """
    if wrong := policy.problems(wanted):
        raise Invalid({name: [sentence] for name, sentence in wrong.items()})
    present = queries.policies(session, program_ids={program_id})[program_id]
    before, after = policy.document(present), policy.document(wanted)
    if before == after:
        return present.version
    row = {
        "id": ids.new_at(now), "program_id": program_id, "version": seen + 1, "document": after,
        "created_by_id": actor.id if actor.kind == "user" else None, "created_at": now,
    }  # fmt: skip
    if seen != present.version or not db.insert_new(session, FraudSettings, [row]):
        raise SettingsMoved(N_("Somebody else changed these settings in between. Look at them again, then save."))
    details = {"version": seen + 1} | _changed(before, after)
    who: dict[str, Any] = {"program_id": program_id, "actor": actor, "now": now}
    _record(session, "fraud.settings", ("program", program_id), details, **who)
    return seen + 1


def _changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What differs, rule by rule, before and after."""
    flat = [
        document["rules"] | {name: document[name] for name in document if name != "rules"}
        for document in (before, after)
    ]
    names = [name for name in flat[1] if flat[0].get(name) != flat[1][name]]
    return {"before": {name: flat[0].get(name) for name in names}, "after": {name: flat[1][name] for name in names}}


def look_again(session: Session, *, limit: int, now: datetime) -> int:
    """Ask for a new judgement of up to `limit` orders that nobody confirmed in time, and give their number."""
    due = queries.to_judge_again(session, since=now - _SECOND_LOOK_WITHIN, until=now, limit=limit)
    return attribution.ask_again(session, conversion_ids=due)


def forget_places(session: Session, *, limit: int, now: datetime) -> int:
    """Remove up to `limit` connections that no order is compared by any more, and give their number."""
    old = sa.select(FraudPlace.conversion_id).where(FraudPlace.occurred_at < now - PLACES_KEPT).limit(limit)
    gone = sa.delete(FraudPlace).where(FraudPlace.conversion_id.in_(old)).returning(FraudPlace.conversion_id)
    return len(session.scalars(gone, execution_options={"synchronize_session": False}).all())


def forget_sightings(session: Session, *, limit: int, now: datetime) -> int:
    """Remove up to `limit` marks of where partners' people signed in, as old as forgotten connections, and give their number."""
    seen = (MarkKind.CONNECTION, MarkKind.DEVICE)
    return marks.forget(session, kinds=seen, before=now - PLACES_KEPT, limit=limit)


def _record(session: Session, action: str, subject: tuple[str, UUID], details: dict[str, Any], **who: Any) -> None:
    kind, subject_id = subject
    audit.record(session, action=action, subject_kind=kind, subject_id=subject_id, details=details, **who)
