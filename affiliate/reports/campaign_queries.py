"""Campaigns as they are read: their rows, their parts by what people call them, and which of them share their days."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.creatives.models import Creative
from affiliate.links.models import Coupon, Link
from affiliate.partners.models import Enrollment, Partner
from affiliate.reports.campaign_facts import WHOLE, Parts
from affiliate.reports.written_models import Campaign, CampaignPart, PartKind

MARKED_MAX = 100
_FIELDS = {
    PartKind.PARTNER: "partners", PartKind.LINK: "links", PartKind.COUPON: "coupons", PartKind.CREATIVE: "creatives",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """A part as people call it."""

    kind: PartKind
    id: UUID
    name: str


def campaigns_of(session: Session, *, program_id: UUID, limit: int) -> Sequence[Campaign]:
    """The latest campaigns of a program, the latest first."""
    order = (Campaign.starts_on.desc(), Campaign.id.desc())
    return session.scalars(of_program(program_id).order_by(*order).limit(limit)).all()


def campaign(session: Session, *, program_id: UUID, campaign_id: UUID) -> Campaign | None:
    """A campaign of this program that was not removed."""
    return session.scalar(of_program(program_id).where(Campaign.id == campaign_id))


def touching(session: Session, *, program_id: UUID, first: date, end: date) -> Sequence[Campaign]:
    """The campaigns with a day among these, half-open, the earliest first."""
    among = (Campaign.starts_on < end, Campaign.ends_on > first)
    return session.scalars(of_program(program_id).where(*among).order_by(Campaign.starts_on).limit(MARKED_MAX)).all()


def parts_of(session: Session, *, campaign_ids: Collection[UUID]) -> Mapping[UUID, Parts]:
    """What belongs to each of these campaigns; every one is there."""
    found: dict[UUID, dict[str, set[UUID]]] = {campaign_id: {} for campaign_id in campaign_ids}
    rows = sa.select(CampaignPart).where(CampaignPart.campaign_id.in_(found))
    for part in session.scalars(rows) if found else ():
        found[part.campaign_id].setdefault(_FIELDS[part.kind], set()).add(part.thing_id)
    return {
        campaign_id: Parts(**{field: frozenset(things) for field, things in fields.items()}) if fields else WHOLE
        for campaign_id, fields in found.items()
    }


def named(session: Session, *, program_id: UUID, parts: Parts) -> list[Named]:
    """The parts with their names, by kind and name."""
    found: list[Named] = []
    for kind, things, rows in (
        (PartKind.PARTNER, parts.partners, sa.select(Partner.id, Partner.name)),
        (PartKind.LINK, parts.links, _here(Link, Link.code, program_id)),
        (PartKind.COUPON, parts.coupons, _here(Coupon, Coupon.code, program_id)),
        (PartKind.CREATIVE, parts.creatives, _here(Creative, Creative.title, program_id)),
    ):
        if things:
            key, name = rows.selected_columns
            found += [Named(kind, *row) for row in session.execute(rows.where(key.in_(things)).order_by(name, key))]
    return found


def things_called(
    session: Session, *, program_id: UUID, kind: PartKind, names: Collection[str]
) -> Mapping[str, list[UUID]]:
    """By each name (in lower case) the things of the program that are called so."""
    rows = {
        PartKind.PARTNER: sa.select(Partner.id, Partner.name).join(Enrollment, Enrollment.partner_id == Partner.id).where(Enrollment.program_id == program_id),
        PartKind.LINK: _here(Link, Link.code, program_id),
        PartKind.COUPON: _here(Coupon, Coupon.code, program_id),
        PartKind.CREATIVE: _here(Creative, Creative.title, program_id),
    }[kind]  # fmt: skip
    found: dict[str, list[UUID]] = {name.lower(): [] for name in names}
    _key, name = rows.selected_columns
    called_so = sa.or_(name.in_(names), sa.func.lower(name).in_(found))  # SQLite knows the case of plain letters alone
    for thing_id, called in session.execute(rows.where(called_so).limit(10 * len(found))):
        found.setdefault(called.lower(), []).append(thing_id)
    return found


def _here(table: Any, name: Any, program_id: UUID) -> sa.Select[Any]:
    return sa.select(table.id, name).where(table.program_id == program_id)


def of_program(program_id: UUID) -> sa.Select[Campaign]:
    """The campaigns of a program that were not removed."""
    return sa.select(Campaign).where(Campaign.program_id == program_id, Campaign.removed_at.is_(None))
