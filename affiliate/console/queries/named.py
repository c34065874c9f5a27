"""Partners, links and coupons of a program by the names that people type."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import folding
from affiliate.commissions import terms
from affiliate.links.models import Coupon, Link
from affiliate.partners.models import Enrollment, Partner, PartnerTerms
from affiliate.relations.care_models import PartnerSegment, PartnerTag

NAMED_MAX = 20_000
OFFERED_MAX = 500


def of_program(session: Session, *, program_id: UUID) -> dict[tuple[str, str], UUID]:
    """The id behind ("partner", name), ("link", code) and ("coupon", code)."""
    enrolled = sa.select(Partner.name, Partner.id).join(Enrollment, Enrollment.partner_id == Partner.id)
    asked = {
        "partner": enrolled.where(Enrollment.program_id == program_id),
        "link": sa.select(Link.code, Link.id).where(Link.program_id == program_id),
        "coupon": sa.select(Coupon.code, Coupon.id).where(Coupon.program_id == program_id),
    }
    return {
        (kind, row[0]): row[1]
        for kind, statement in asked.items()
        for row in session.execute(statement.limit(NAMED_MAX))
    }


def of_plan(session: Session, *, program_id: UUID, document: Mapping[str, Any]) -> dict[UUID, str]:
    """The names of the partners, links and coupons that a plan's rules speak of, by id; one statement at most."""
    whens = [rule.when for rule in terms.read(document).rules]
    enrolled = sa.select(Partner.id, Partner.name).join(Enrollment, Enrollment.partner_id == Partner.id)
    asked = (
        (Partner.id, [when.partner for when in whens], enrolled.where(Enrollment.program_id == program_id)),
        (Link.id, [when.link for when in whens], sa.select(Link.id, Link.code).where(Link.program_id == program_id)),
        (Coupon.id, [when.coupon for when in whens], sa.select(Coupon.id, Coupon.code).where(Coupon.program_id == program_id)),
    )  # fmt: skip
    parts = [rows.where(key.in_(filter(None, wanted))) for key, wanted, rows in asked if any(wanted)]
    return {row[0]: row[1] for row in session.execute(sa.union_all(*parts))} if parts else {}


def partners_offered(session: Session, *, program_id: UUID) -> list[str]:
    """The names of partners of the program, offered while one types: of many some hundreds."""
    return sorted(session.scalars(_offered_partners(program_id).limit(OFFERED_MAX)))


def _offered_partners(program_id: UUID) -> sa.Select[*tuple[str, ...]]:
    """By their ids, for the index has these in order: to sort ten thousand names costs more than the page shows of them."""
    names = sa.select(Partner.name).join(Enrollment, Enrollment.partner_id == Partner.id)
    return names.where(Enrollment.program_id == program_id).order_by(Enrollment.partner_id)


def groups_offered(session: Session, *, program_id: UUID) -> list[str]:
    """The groups of partners that the program has."""
    groups = sa.select(PartnerTerms.group_name).where(PartnerTerms.program_id == program_id).distinct()
    known = groups.where(PartnerTerms.group_name.is_not(None)).order_by(PartnerTerms.group_name)
    return [name for name in session.scalars(known.limit(OFFERED_MAX)) if name]


def narrowing(session: Session, *, program_id: UUID, limit: int) -> dict[str, list[tuple[str, str]]]:
    """By what a report of partners can be narrowed, as value and name: the first saved choices, groups and tags, in one statement."""
    sources = {
        "segment": (sa.cast(PartnerSegment.id, sa.String), PartnerSegment.name, PartnerSegment.program_id),
        "group": (PartnerTerms.group_name, PartnerTerms.group_name, PartnerTerms.program_id),
        "tag": (PartnerTag.tag, PartnerTag.tag, PartnerTag.program_id),
    }
    parts = []
    for kind, (value, name, program) in sources.items():
        told: tuple[Any, ...] = (sa.literal(kind).label("kind"), value.label("value"), name.label("name"))
        mine = sa.select(*told).distinct()
        first = mine.where(program == program_id, name.is_not(None), name != "").order_by(name).limit(limit)
        parts.append(sa.select(*first.subquery().c))
    found: dict[str, list[tuple[str, str]]] = {kind: [] for kind in sources}
    for kind, value, name in session.execute(sa.union_all(*parts)):
        found[kind].append((value, name))
    return {kind: sorted(values, key=lambda pair: pair[1]) for kind, values in found.items()}


@dataclass(frozen=True, slots=True)
class Offered:
    """What is offered while one types on a partner's page, and the partner's coupons."""

    partners: list[str]
    groups: list[str]
    coupons: list[str]


def offered(session: Session, *, program_id: UUID, partner_id: UUID) -> Offered:
    """Names of partners and groups of the program, some hundreds of many, and the codes of the partner, by one statement."""
    groups = sa.select(PartnerTerms.group_name.label("name")).where(PartnerTerms.program_id == program_id).distinct()
    codes = sa.select(Coupon.code).where(Coupon.program_id == program_id, Coupon.partner_id == partner_id)
    asked = (
        _offered_partners(program_id),
        groups.where(PartnerTerms.group_name.is_not(None)).order_by(PartnerTerms.group_name),
        codes.order_by(Coupon.code),
    )
    parts = []
    for place, statement in enumerate(asked):
        names = statement.limit(OFFERED_MAX).subquery()
        parts.append(sa.select(sa.literal(place), names.c[0]))
    found: tuple[list[str], list[str], list[str]] = ([], [], [])
    for place, name in session.execute(sa.union_all(*parts)):
        found[place].append(name)
    return Offered(*(sorted(names) for names in found))


def partners_like(session: Session, *, program_id: UUID, text: str) -> list[UUID]:
    """The partners of a program whose name holds this text, by name; the first hundreds of many."""
    holds = folding.holds(Partner.name, text)
    found = sa.select(Partner.id).join(Enrollment, Enrollment.partner_id == Partner.id)
    mine = found.where(Enrollment.program_id == program_id, holds)
    return list(session.scalars(mine.order_by(Partner.name, Partner.id).limit(OFFERED_MAX)))


def kin(session: Session, *, program_id: UUID, partner_id: UUID) -> tuple[str, list[tuple[UUID, str]]]:
    """Who recruited a partner (its name, or nothing), and whom it recruited, by name; the first hundreds of many, by one statement."""
    above = sa.select(sa.true(), Partner.id, Partner.name).join(PartnerTerms, PartnerTerms.recruiter_id == Partner.id)
    below = sa.select(sa.false(), Partner.id, Partner.name).join(PartnerTerms, PartnerTerms.partner_id == Partner.id)
    above = above.where(PartnerTerms.program_id == program_id, PartnerTerms.partner_id == partner_id)
    below = below.where(PartnerTerms.program_id == program_id, PartnerTerms.recruiter_id == partner_id)
    first = below.order_by(Partner.name).limit(OFFERED_MAX).subquery()
    rows = session.execute(sa.union_all(above, sa.select(*first.c))).all()
    recruiter = next((name for is_above, _id, name in rows if is_above), "")
    return recruiter, sorted(((key, name) for is_above, key, name in rows if not is_above), key=lambda pair: pair[1])


def recruiters_of(session: Session, *, program_id: UUID, partner_ids: list[UUID]) -> dict[UUID, UUID]:
    """Who recruited each of these partners, where somebody did."""
    found = sa.select(PartnerTerms.partner_id, PartnerTerms.recruiter_id).where(
        PartnerTerms.program_id == program_id,
        PartnerTerms.partner_id.in_(partner_ids),
        PartnerTerms.recruiter_id.is_not(None),
    )
    return {row[0]: row[1] for row in session.execute(found) if row[1] is not None}
