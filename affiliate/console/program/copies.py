"""Making a program like another one: what is copied, and what is not. Takes session and now; never commits.

Never copied: orders, money and its accounts, keys and secrets, people and their rights, links. Partners only where chosen.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.attribution import publishing
from affiliate.attribution import queries as attribution
from affiliate.attribution.policy import Policy
from affiliate.commissions import plan_queries, plans
from affiliate.commissions.models import PlanExample
from affiliate.creatives.models import Creative, CreativeGroup, CreativeStatus, CreativeVersion
from affiliate.errors import Conflict
from affiliate.fraud import queries as fraud
from affiliate.fraud import service as fraud_service
from affiliate.joining.models import ApplicationForm, PublicText
from affiliate.links.models import Link
from affiliate.partners.models import Enrollment, EnrollmentStatus, PartnerTerms
from affiliate.programs import rules, service
from affiliate.programs.models import Program, ProgramSetup
from affiliate.vetting.models import RubricSettings

N_ = str  # marks a sentence for the translators
PARTNERS_MAX = 5_000
CREATIVES_MAX = 2_000
_BOUND_TO = frozenset({"partner", "link", "coupon"})
"""What rules of a plan can be about that another program does not have."""


class TooMuch(Conflict):
    """There is more than one copy takes in one go."""

    code = "too_much"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the new program is called, where its shop is, and what comes along beside the settings."""

    name: str
    slug: str
    shop_url: str
    allowed_hosts: list[str]
    parts: frozenset[str] = field(default_factory=frozenset)


PARTS = ("plans", "rules", "forms", "creatives", "partners")
"""What can be chosen. `rules`: attribution and fraud; `forms`: application form, weights and public texts."""


def clone(session: Session, *, source: Program, wanted: Wanted, actor: Actor, now: datetime) -> Program:
    """A new program in draft with the settings and the chosen parts of another one.

    Raises:
        Invalid, SlugTaken: as `programs.service.create`.
        TooMuch: more partners or creatives than one copy takes.
    """
    kept = {name: getattr(source, name) for name in rules.SETTINGS}
    named = {"name": wanted.name, "shop_url": wanted.shop_url, "allowed_hosts": wanted.allowed_hosts}
    made = service.create(
        session, slug=wanted.slug, currency=source.currency, attribution_window_days=source.attribution_window_days,
        actor=actor, now=now, **(kept | named),
    )  # fmt: skip
    parts = [part for part in PARTS if part in wanted.parts]
    for part in parts:
        _COPIES[part](session, source.id, made.id, actor, now)
    audit.record(
        session, actor=actor, action="program.clone", subject_kind="program", subject_id=made.id, program_id=made.id,
        details={"slug": source.slug, "parts": parts}, now=now,
    )  # fmt: skip
    return made


def portable(terms: Mapping[str, Any]) -> dict[str, Any] | None:
    """A plan without the rules that are about one partner, link or coupon; nothing when no other rule is left."""
    rules_left = [rule for rule in terms["rules"] if not _BOUND_TO & rule.get("when", {}).keys()]
    return {**terms, "rules": rules_left} if rules_left else None


def _plans(session: Session, source_id: UUID, to_id: UUID, actor: Actor, now: datetime) -> None:
    """The plan in force, from now on, and the examples that hold it to its word."""
    found = plan_queries.in_force(session, program_id=source_id, at=now)
    document = portable(found.terms) if found is not None else None
    if found is None or document is None:
        return
    plans.create_plan(
        session, program_id=to_id, name=found.name, terms=document, effective_from=now, actor=actor, now=now
    )
    if document == found.terms:  # without its narrow rules a plan need not keep what was promised under them
        _copy(session, PlanExample, PlanExample.program_id == source_id, program_id=to_id, created_at=now)


def _rules(session: Session, source_id: UUID, to_id: UUID, actor: Actor, now: datetime) -> None:
    who: dict[str, Any] = {"program_id": to_id, "actor": actor, "now": now}
    known = attribution.terms(session, program_ids=[source_id, to_id])
    policy, first = known[source_id][0].policy, known[to_id][0].policy
    if policy.terms != first.terms:
        wanted = Policy.of(first.version, policy.terms)
        publishing.publish(session, policy=wanted, effective_from=now, **who)
    settings = fraud.policies(session, program_ids=[source_id])[source_id]
    if settings.version:
        fraud_service.save_settings(session, wanted=settings, seen=0, **who)


def _forms(session: Session, source_id: UUID, to_id: UUID, _actor: Actor, now: datetime) -> None:
    tables: tuple[Any, ...] = (ApplicationForm, PublicText, RubricSettings)
    for table in tables:
        _copy(session, table, table.program_id == source_id, program_id=to_id, updated_at=now)


def _creatives(session: Session, source_id: UUID, to_id: UUID, _actor: Actor, now: datetime) -> None:
    """What stands in the library for everybody or for groups; proposals and pieces for one partner stay behind."""
    open_to_all = (Creative.only_partner_id.is_(None), Creative.status == CreativeStatus.LIVE)
    mine = sa.select(Creative.id).where(Creative.program_id == source_id, *open_to_all).limit(CREATIVES_MAX + 1)
    found = session.scalars(mine).all()
    _bounded(found, CREATIVES_MAX)
    new_ids = {one: ids.new_at(now) for one in found}
    _copy(
        session, Creative, Creative.id.in_(found), new_ids, program_id=to_id, proposed_by_id=None, created_at=now,
        updated_at=now,
    )  # fmt: skip
    _copy(session, CreativeVersion, CreativeVersion.creative_id.in_(found), None, ("creative_id", new_ids))
    _copy(session, CreativeGroup, CreativeGroup.creative_id.in_(found), None, ("creative_id", new_ids))


def _partners(session: Session, source_id: UUID, to_id: UUID, actor: Actor, now: datetime) -> None:
    """Who takes part now takes part there as well, in the same group; the partner of test orders does not. They make their links there themselves."""
    of_tests = sa.select(Link.partner_id).join(ProgramSetup, ProgramSetup.test_link_id == Link.id)
    of_tests = of_tests.where(ProgramSetup.program_id == source_id)
    here = (
        Enrollment.program_id == source_id, Enrollment.status == EnrollmentStatus.APPROVED,
        Enrollment.partner_id.not_in(of_tests),
    )  # fmt: skip
    found = session.scalars(sa.select(Enrollment.partner_id).where(*here).limit(PARTNERS_MAX + 1)).all()
    _bounded(found, PARTNERS_MAX)
    by_whom = actor.id if actor.kind == "user" else None
    rows = [
        {
            "id": ids.new_at(now), "program_id": to_id, "partner_id": one, "status": EnrollmentStatus.APPROVED,
            "decided_at": now, "decided_by_id": by_whom, "created_at": now, "updated_at": now,
        }
        for one in found
    ]  # fmt: skip
    db.insert_missing(session, Enrollment, rows)
    inside = sa.exists().where(
        *here, Enrollment.partner_id == PartnerTerms.partner_id, PartnerTerms.program_id == source_id
    )
    _copy(session, PartnerTerms, inside, program_id=to_id, recruiter_id=None, updated_at=now)


_COPIES = {"plans": _plans, "rules": _rules, "forms": _forms, "creatives": _creatives, "partners": _partners}


def _bounded(found: Collection[UUID], limit: int) -> None:
    if len(found) > limit:
        raise TooMuch(N_("There is more than one copy takes. Leave partners or creatives out, and import them."))


def _copy(
    session: Session,
    table: Any,
    which: sa.ColumnElement[bool],
    new_ids: Mapping[UUID, UUID] | None = None,
    moved: tuple[str, Mapping[UUID, UUID]] | None = None,
    **changed: Any,
) -> None:
    """Rows of a table once more: with new ids where they have one, with `moved` references, and with what has changed."""
    columns = [column.key for column in sa.inspect(table).column_attrs]
    rows = session.execute(sa.select(*(getattr(table, name) for name in columns)).where(which)).mappings()
    copies = []
    for row in rows:
        copy = dict(row) | changed
        if "id" in copy:
            copy["id"] = new_ids[row["id"]] if new_ids else ids.new()
        if moved is not None:
            copy[moved[0]] = moved[1][row[moved[0]]]
        copies.append(copy)
    db.insert_missing(session, table, copies)
