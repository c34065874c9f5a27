"""What plans know of a partner: its group, and who recruited it."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.commissions import plan_queries
from affiliate.commissions.models import PartnerTerms
from affiliate.errors import Conflict, Invalid
from affiliate.ledger import service as ledger_service

N_ = str  # marks a sentence for the translators
GROUP_LENGTH_MAX = 40


class CircleOfRecruiters(Conflict):
    """The partners would have recruited one another."""

    code = "circle_of_recruiters"

    def __init__(self) -> None:
        super().__init__(N_("These partners would have recruited one another. Choose another one."))


def set_partner_terms(
    session: Session,
    *,
    program_id: UUID,
    partner_id: UUID,
    group_name: str | None,
    recruiter_id: UUID | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Put a partner into a group, and say who recruited it. Counts for orders worked on from now.

    Raises:
        Invalid: the group's name is too long, or the recruiter is the partner itself.
        CircleOfRecruiters: the recruiter was recruited by the partner, directly or not.
    """
    group = (group_name or "").strip() or None
    if group and len(group) > GROUP_LENGTH_MAX:
        raise Invalid({"group": [N_("Write a name of at most 40 characters.")]})
    ledger_service.lock_books(session, program_ids=[program_id])
    if recruiter_id is not None:
        recruiters = plan_queries.recruiters(session, program_id=program_id)
        if partner_id in plan_queries.chain(recruiter_id, recruiters):
            raise CircleOfRecruiters
    row = {"group_name": group, "recruiter_id": recruiter_id, "updated_at": now}
    key = {"program_id": program_id, "partner_id": partner_id}
    if not db.insert_new(session, PartnerTerms, [key | row], returning=PartnerTerms.partner_id):
        mine = sa.and_(PartnerTerms.program_id == program_id, PartnerTerms.partner_id == partner_id)
        session.execute(sa.update(PartnerTerms).where(mine).values(row))
    details = {"group": group, "recruiter_id": str(recruiter_id) if recruiter_id else None}
    audit.record(
        session, actor=actor, action="partner.terms", subject_kind="partner", subject_id=partner_id,
        program_id=program_id, details=details, now=now,
    )  # fmt: skip
