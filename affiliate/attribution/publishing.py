"""Writes of people about attribution: a new version of a program's policy, and a manager's word about one order.

Called by pages and commands. Neither edits anything: both ask for other versions of the attributions that they concern.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.attribution import policy as policies
from affiliate.attribution import queries, service
from affiliate.attribution.models import ManualCredit
from affiliate.attribution.policy import Policy
from affiliate.errors import Conflict, Invalid, NotFound
from affiliate.ingest.models import Conversion
from affiliate.partners.models import Enrollment, EnrollmentStatus
from affiliate.programs.models import AttributionPolicy, Program

N_ = str  # marks a sentence for the translators
NOTE_LENGTH_MAX = 500


class PolicyMoved(Conflict):
    """Somebody else published a policy in between; nothing was written."""

    code = "policy_moved"


class UnknownOrder(NotFound):
    """There is no such order in the program."""


def publish(
    session: Session, *, program_id: UUID, policy: Policy, effective_from: datetime, actor: Actor, now: datetime
) -> AttributionPolicy:
    """A new version of the policy, one above `policy.version`, for orders from `effective_from` on.

    With a start in the past the orders since then are attributed again, in the background: what changes hands is reversed
    and posted anew.

    Raises:
        Invalid: names each wrong term.
        PolicyMoved: `policy.version` is not the newest version, so the person has not seen it.
    """
    if wrong := policies.problems(policy):
        raise Invalid({term: [sentence] for term, sentence in wrong.items()})
    # Waits for batches that are being decided, which share this row: none ends later than this with an older policy.
    session.execute(sa.select(Program.id).where(Program.id == program_id).with_for_update())
    version = policy.version + 1
    row = {
        "id": ids.derived(program_id, "attribution_policy", str(version)),
        "program_id": program_id,
        "version": version,
        "effective_from": effective_from,
        "terms": policy.terms,
        "created_by_id": actor.id if actor.kind == "user" else None,
        "created_at": now,
        "applied_at": None,
    }
    newest = queries.newest_version(session, program_id=program_id)
    if newest != policy.version or not db.insert_new(session, AttributionPolicy, [row]):
        raise PolicyMoved(N_("Somebody else changed the attribution in between. Look at it again, then publish."))
    details = {"version": version, "effective_from": effective_from.isoformat(), "terms": policy.terms}
    audit.record(
        session, actor=actor, action="attribution_policy.publish", subject_kind="program", subject_id=program_id,
        program_id=program_id, details=details, now=now,
    )  # fmt: skip
    _show_in_force(session, program_id=program_id, now=now)
    return session.get_one(AttributionPolicy, row["id"])


def apply_policies(session: Session, *, limit: int, now: datetime) -> int:
    """Ask again for up to `limit` orders that an older policy decided although a newer one is in force for them.

    A policy that has none left is done. Gives how many orders were asked for, and policies done.
    """
    done = 0
    for row in queries.policies_to_apply(session, now=now):
        found = queries.decided_otherwise(session, policy=row, limit=limit)
        done += service.ask_again(session, conversion_ids=found)
        if len(found) < limit:
            row.applied_at = now
            _show_in_force(session, program_id=row.program_id, now=now)
            done += 1
    session.flush()
    return done


def _show_in_force(session: Session, *, program_id: UUID, now: datetime) -> None:
    """Copy the window and the version now in force to the program, where cookies and public pages read them."""
    policy = queries.in_force(queries.terms(session, program_ids=[program_id])[program_id], at=now)
    values = {"attribution_window_days": policy.window_days, "policy_version": policy.version}
    other = sa.or_(*(getattr(Program, name) != value for name, value in values.items()))
    change = sa.update(Program).where(Program.id == program_id, other).values(**values, updated_at=now)
    session.execute(change, execution_options={"synchronize_session": "fetch"})


def credit_by_hand(
    session: Session, *, program_id: UUID, conversion_id: UUID, partner_id: UUID, note: str, actor: Actor, now: datetime
) -> None:
    """Say that this partner brought the order; a new version of its attribution follows within seconds.

    Raises:
        UnknownOrder: not in this program.
        Invalid: no reason was given, or the partner does not take part.
    """
    check_credit(session, program_id=program_id, conversion_id=conversion_id, partner_id=partner_id, note=note)
    values: dict[str, Any] = {"conversion_id": conversion_id, "partner_id": partner_id, "note": note.strip()}
    by = actor.id if actor.kind == "user" else None
    session.add(ManualCredit(id=ids.new_at(now), **values, created_by_id=by, created_at=now))
    session.flush()
    service.ask_again(session, conversion_ids=[conversion_id])
    audit.record(
        session, actor=actor, action="conversion.credit", subject_kind="conversion", subject_id=conversion_id,
        program_id=program_id, details={"partner_id": str(partner_id), "reason": note.strip()}, now=now,
    )  # fmt: skip


def check_credit(session: Session, *, program_id: UUID, conversion_id: UUID, partner_id: UUID, note: str) -> None:
    """Whether an order may be credited by hand, for who asks a second person first.

    Raises:
        UnknownOrder, Invalid: as for `credit_by_hand`.
    """
    order = sa.select(Conversion.id).where(Conversion.id == conversion_id, Conversion.program_id == program_id)
    if session.scalar(order) is None:
        raise UnknownOrder(N_("There is no such order."))
    if wrong := _manual_problems(session, program_id, partner_id, note):
        raise Invalid(wrong)


def _manual_problems(session: Session, program_id: UUID, partner_id: UUID, note: str) -> dict[str, list[str]]:
    if not 0 < len(note.strip()) <= NOTE_LENGTH_MAX:
        return {"reason": [N_("Say why, in up to 500 characters.")]}
    takes_part = sa.exists().where(
        Enrollment.program_id == program_id,
        Enrollment.partner_id == partner_id,
        Enrollment.status == EnrollmentStatus.APPROVED,
    )
    if not session.scalar(sa.select(takes_part)):
        return {"partner": [N_("This partner does not take part in the program.")]}
    return {}
