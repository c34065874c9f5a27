"""What an act on many partners does with one of them: the same calls as on the partner's own page."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.accounts.actors import Actor
from affiliate.commissions import plan_queries, recruiting
from affiliate.errors import Invalid
from affiliate.partners import queries as partner_queries
from affiliate.partners import service as partners
from affiliate.partners.service import NoSuchEnrollment
from affiliate.payouts import stopping
from affiliate.relations import bulk_creatives, bulk_money, care_queries, caring, leading
from affiliate.relations.bulk_models import OF_COMMISSIONS, OF_CREATIVES, OF_ORDERS, BulkKind, BulkSubject

N_ = str  # marks a sentence for the translators


def check(session: Session, *, kind: BulkKind, arguments: Mapping[str, str], program_id: UUID, now: datetime) -> None:
    """Whether what is to be done is said.

    Raises:
        Invalid: names what is missing or wrong.
    """
    if kind in {BulkKind.TAG, BulkKind.UNTAG} and not caring.clean_tag(arguments.get("tag", "")):
        raise Invalid({"tag": [N_("Write a tag.")]})
    if kind is BulkKind.GROUP and len(arguments.get("group", "").strip()) > recruiting.GROUP_LENGTH_MAX:
        raise Invalid({"group": [N_("Write a name of at most 40 characters.")]})
    if kind in OF_COMMISSIONS | OF_ORDERS:
        bulk_money.check(kind=kind, arguments=arguments)
    if kind in OF_CREATIVES:
        bulk_creatives.check(arguments=arguments, now=now)
    if kind is BulkKind.REJECT and not arguments.get("reason", "").strip():
        raise Invalid({"reason": [N_("Write a reason first: the partner will ask, and the history keeps it.")]})
    if kind is BulkKind.LEAD and (lead_id := _lead(arguments)) is not None:
        people = {one.user_id: one.since for one in care_queries.managers(session, program_id=program_id)}
        if lead_id not in people:
            raise Invalid({"lead": [N_("Choose somebody who manages this program.")]})
        if lead_id in leading.newcomers(people, now=now):
            raise Invalid({"lead": [N_("Who is new leads after 90 days. Until then this person can be the deputy.")]})


def do(
    session: Session, *, kind: BulkKind, arguments: Mapping[str, str], subject: BulkSubject, program_id: UUID, actor: Actor,
    now: datetime,
) -> bool:  # fmt: skip
    """Do it; whether something changed.

    Raises:
        NoSuchEnrollment: the partner does not take part in this program.
        DomainError: the act's own refusals.
    """
    who: dict[str, Any] = {"program_id": program_id, "actor": actor, "now": now}
    partner_id = bulk_money.known(subject.partner_id)
    enrollment = partner_queries.enrollment_of(session, program_id=program_id, partner_id=partner_id)
    if enrollment is None:
        raise NoSuchEnrollment(N_("This partner does not take part in the program."))
    if kind in {BulkKind.TAG, BulkKind.UNTAG}:
        tagging = caring.tag if kind is BulkKind.TAG else caring.untag
        return bool(tagging(session, partner_ids=[partner_id], text=arguments["tag"], **who))
    if kind is BulkKind.GROUP:
        return _group(session, partner_id, arguments.get("group", ""), who)
    if kind is BulkKind.LEAD:
        return _lead_by(session, partner_id, _lead(arguments), who)
    return _decide(session, kind, enrollment.id, arguments, who)


def _decide(
    session: Session, kind: BulkKind, enrollment_id: UUID, arguments: Mapping[str, str], who: dict[str, Any]
) -> bool:
    if kind is BulkKind.APPROVE:  # what was typed beside the other button would go out with the welcome
        partners.approve(session, enrollment_id=enrollment_id, **who)
        return True
    told: dict[str, Any] = {"enrollment_id": enrollment_id, "reason": arguments.get("reason", "").strip() or None} | who
    if kind is BulkKind.REJECT:
        days = arguments.get("again_days", "")
        again_at = who["now"] + timedelta(days=int(days)) if days.isdigit() else None
        partners.reject(session, apply_again_at=again_at, **told)
    elif kind is BulkKind.PAUSE:
        stopping.pause(session, **told)
    else:
        partners.resume(session, **told)
    return True


def _group(session: Session, partner_id: UUID, group: str, who: dict[str, Any]) -> bool:
    """Another group; who recruited the partner stays as it is."""
    terms = plan_queries.partner_terms(session, program_id=who["program_id"], partner_id=partner_id)
    if (terms.group_name if terms is not None else None) == (group.strip() or None):
        return False
    recruiter_id = terms.recruiter_id if terms is not None else None
    recruiting.set_partner_terms(session, partner_id=partner_id, group_name=group, recruiter_id=recruiter_id, **who)
    return True


def _lead_by(session: Session, partner_id: UUID, lead_id: UUID | None, who: dict[str, Any]) -> bool:
    """Another lead; a deputy who becomes lead leaves that seat."""
    care = care_queries.care_of(session, program_id=who["program_id"], partner_id=partner_id)
    if (care.lead_id if care is not None else None) == lead_id:
        return False
    deputy_id = care.deputy_id if care is not None and care.deputy_id != lead_id else None
    caring.set_leads(session, partner_id=partner_id, lead_id=lead_id, deputy_id=deputy_id, **who)
    return True


def _lead(arguments: Mapping[str, str]) -> UUID | None:
    try:
        return UUID(arguments["lead"]) if arguments.get("lead") else None
    except ValueError:
        raise Invalid({"lead": [N_("Choose somebody who manages this program.")]}) from None
