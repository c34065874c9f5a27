"""What an act on many does with one commission or one order under review: the same calls as on its own page, with their guards."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.accounts.actors import Actor
from affiliate.commissions import queries as commission_queries
from affiliate.commissions import service as commissions
from affiliate.commissions.life import DeclineReason
from affiliate.errors import Invalid
from affiliate.fraud.signals import Verdict
from affiliate.ledger import service as ledger
from affiliate.relations import service as cases
from affiliate.relations.bulk_models import BulkKind, BulkSubject

N_ = str  # marks a sentence for the translators


def check(*, kind: BulkKind, arguments: Mapping[str, str]) -> None:
    """Whether what is to be done is said.

    Raises:
        Invalid: there is no reason, or a very long one.
    """
    reason = arguments.get("reason", "").strip()
    if kind is not BulkKind.APPROVE_COMMISSIONS and not 0 < len(reason) <= commissions.NOTE_LENGTH_MAX:
        raise Invalid({"reason": [N_("Say why, in up to 500 characters. The partner will read it.")]})


def amounts(session: Session, *, program_id: UUID, subjects: Sequence[BulkSubject]) -> dict[int, int]:
    """What is left of the commissions of a batch in minor units, by their place; read under the lock of the books, so that it is what is done."""
    asked = {one.commission_id: one.place for one in subjects if one.commission_id is not None}
    if not asked:
        return {}
    ledger.lock_books(session, program_ids=[program_id])
    left = commission_queries.left_of(session, program_id=program_id, commission_ids=list(asked))
    return {asked[key]: minor for key, minor in left.items()}


def do(
    session: Session, *, kind: BulkKind, arguments: Mapping[str, str], subject: BulkSubject, program_id: UUID,
    actor: Actor, now: datetime,
) -> bool:  # fmt: skip
    """Do it; whether something changed.

    Raises:
        DomainError: the act's own refusals.
    """
    who: dict[str, Any] = {"program_id": program_id, "actor": actor, "now": now}
    reason = arguments.get("reason", "")
    if kind is BulkKind.APPROVE_COMMISSIONS:
        commissions.approve(session, commission_id=known(subject.commission_id), **who)
    elif kind is BulkKind.DECLINE_COMMISSIONS:
        why = DeclineReason(arguments.get("why", DeclineReason.OTHER))
        commissions.decline(session, commission_id=known(subject.commission_id), reason=reason, why=why, **who)
    else:
        verdict = Verdict.PASS if kind is BulkKind.CLEAR_ORDERS else Verdict.REJECT
        cases.decide_order(
            session, conversion_id=known(subject.conversion_id), partner_id=known(subject.partner_id), verdict=verdict,
            note=reason, seen=subject.seen or 0, **who,
        )  # fmt: skip
    return True


def known(identifier: UUID | None) -> UUID:
    """What the subject of an act is, which has one as its kind tells.

    Raises:
        ValueError: it has none.
    """
    if identifier is None:
        raise ValueError("this act is about something else")
    return identifier
