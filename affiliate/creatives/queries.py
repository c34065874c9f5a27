"""Every SELECT on creatives."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import folding
from affiliate.creatives.models import (
    Creative,
    CreativeGroup,
    CreativeKind,
    CreativeStatus,
    CreativeVersion,
    FeedAddress,
)
from affiliate.programs.models import Program

NEW_FOR = timedelta(days=30)
"""How long a creative counts as new."""
_FACETS_MAX = 500
_VERSIONS_MAX = 50

Shown = tuple[Creative, CreativeVersion]
"""A creative and the version that is offered."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks for material: a partner, and its group in the program. Without a partner, whoever is in the group."""

    partner_id: UUID | None
    group_name: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody looks for. `size` is width and height; `status` null asks for all."""

    kind: CreativeKind | None = None
    language: str | None = None
    campaign: str | None = None
    size: tuple[int, int] | None = None
    is_new: bool = False
    words: str = ""
    status: CreativeStatus | None = None


@dataclass(frozen=True, slots=True)
class Facets:
    """What there is to filter by."""

    kinds: Sequence[CreativeKind]
    languages: Sequence[str]
    campaigns: Sequence[str]
    sizes: Sequence[tuple[int, int]]


@cache
def joined() -> Any:
    """Creatives, each with the version that is offered. Built once; what is added to it makes another."""
    of_version = sa.and_(CreativeVersion.creative_id == Creative.id, CreativeVersion.version == Creative.version)
    return sa.select(Creative, CreativeVersion).join(CreativeVersion, of_version)


def is_offered(program_id: UUID, reader: Reader | None, now: datetime) -> sa.ColumnElement[bool]:
    """What is live now; for a reader, what is meant for it; without one, what is meant for everybody."""
    groups = sa.exists().where(CreativeGroup.creative_id == Creative.id)
    for_all = sa.and_(Creative.only_partner_id.is_(None), sa.not_(groups))
    if reader is not None:
        mine = sa.and_(Creative.only_partner_id.is_(None), groups.where(CreativeGroup.group_name == reader.group_name))
        for_all = sa.or_(for_all, mine)
        if reader.partner_id is not None:
            for_all = sa.or_(for_all, Creative.only_partner_id == reader.partner_id)
    return sa.and_(*_is_live(program_id, now), for_all)


def _is_live(program_id: UUID, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Creative.program_id == program_id,
        Creative.status == CreativeStatus.LIVE,
        Creative.starts_at <= now,
        sa.or_(Creative.ends_at.is_(None), Creative.ends_at > now),
    )


def matching(wanted: Wanted, now: datetime) -> list[sa.ColumnElement[bool]]:
    """The conditions of what somebody looks for."""
    found: list[sa.ColumnElement[bool]] = []
    if wanted.kind is not None:
        found.append(Creative.kind == wanted.kind)
    if wanted.language is not None:
        found.append(Creative.language.in_([wanted.language, ""]))
    if wanted.campaign is not None:
        found.append(Creative.campaign == wanted.campaign)
    if wanted.size is not None:
        found += [CreativeVersion.width == wanted.size[0], CreativeVersion.height == wanted.size[1]]
    if wanted.is_new:
        found.append(Creative.starts_at > now - NEW_FOR)
    if wanted.status is not None:
        found.append(Creative.status == wanted.status)
    if wanted.words:
        about = Creative.title + " " + Creative.campaign + " " + CreativeVersion.subject
        said = about + " " + CreativeVersion.body + " " + CreativeVersion.alt
        found += [folding.holds(said, word) for word in wanted.words.split()[:5]]
    return found


def offered(
    session: Session,
    *,
    program_id: UUID,
    reader: Reader | None,
    wanted: Wanted,
    now: datetime,
    limit: int,
    offset: int = 0,
) -> list[Shown]:
    """Up to `limit` creatives that are offered now, the newest first."""
    found = joined().where(is_offered(program_id, reader, now), *matching(wanted, now))
    rows = session.execute(found.order_by(Creative.starts_at.desc(), Creative.id.desc()).limit(limit).offset(offset))
    return [(creative, version) for creative, version in rows]


def groups_with_new(session: Session, *, program_id: UUID, now: datetime) -> set[str]:
    """The groups for which something new is offered now that not everybody may use."""
    found = sa.select(CreativeGroup.group_name).join(Creative, Creative.id == CreativeGroup.creative_id).distinct()
    here = (*_is_live(program_id, now), *matching(Wanted(is_new=True), now), Creative.only_partner_id.is_(None))
    return set(session.scalars(found.where(*here).limit(_FACETS_MAX)))


def offered_count(session: Session, *, program_id: UUID, reader: Reader | None, wanted: Wanted, now: datetime) -> int:
    """How many creatives `offered` would give in all."""
    found = joined().where(is_offered(program_id, reader, now), *matching(wanted, now))
    return session.scalar(sa.select(sa.func.count()).select_from(found.with_only_columns(Creative.id).subquery())) or 0


def facets(session: Session, *, program_id: UUID, reader: Reader, now: datetime) -> Facets:
    """What the offered creatives can be told apart by."""
    columns = (Creative.kind, Creative.language, Creative.campaign, CreativeVersion.width, CreativeVersion.height)
    found = joined().where(is_offered(program_id, reader, now)).with_only_columns(*columns).distinct()
    rows = session.execute(found.limit(_FACETS_MAX)).all()
    kinds = {row.kind for row in rows}
    return Facets(
        [kind for kind in CreativeKind if kind in kinds],
        sorted({row.language for row in rows if row.language}),
        sorted({row.campaign for row in rows if row.campaign}),
        sorted({(row.width, row.height) for row in rows if row.width and row.height}),
    )


def offered_one(
    session: Session, *, program_id: UUID, reader: Reader, creative_id: UUID, now: datetime
) -> Shown | None:
    """One creative, if it is offered to the reader now."""
    found = joined().where(is_offered(program_id, reader, now), Creative.id == creative_id)
    row = session.execute(found).one_or_none()
    return None if row is None else (row[0], row[1])


def proposals_of(session: Session, *, program_id: UUID, partner_id: UUID, limit: int) -> list[Shown]:
    """What a partner has proposed itself, the newest first, in any status."""
    mine = (Creative.program_id == program_id, Creative.proposed_by_id == partner_id)
    rows = session.execute(joined().where(*mine).order_by(Creative.id.desc()).limit(limit))
    return [(creative, version) for creative, version in rows]


def proposal_count(session: Session, *, program_id: UUID, partner_id: UUID | None = None) -> int:
    """How many proposals wait for a manager, of one partner or of all."""
    waiting = [Creative.program_id == program_id, Creative.status == CreativeStatus.PROPOSED]
    if partner_id is not None:
        waiting.append(Creative.proposed_by_id == partner_id)
    return session.scalar(sa.select(sa.func.count()).where(*waiting)) or 0


def creative_in(session: Session, *, program_id: UUID, creative_id: UUID) -> Shown | None:
    """One creative of the program, in any status."""
    found = joined().where(Creative.program_id == program_id, Creative.id == creative_id)
    row = session.execute(found.execution_options(populate_existing=True)).one_or_none()
    return None if row is None else (row[0], row[1])


def of_ids(session: Session, *, program_id: UUID, creative_ids: Collection[UUID]) -> Sequence[Creative]:
    """These creatives of the program as they stand in the database now, by title."""
    found = sa.select(Creative).where(Creative.program_id == program_id, Creative.id.in_(creative_ids))
    fresh = found.order_by(Creative.title, Creative.id).execution_options(populate_existing=True)
    return session.scalars(fresh).all()


def held(session: Session, *, program_id: UUID, creative_id: UUID) -> Creative | None:
    """One creative of the program, held until the end of the transaction: who changes it at the same time waits."""
    mine = (Creative.program_id == program_id, Creative.id == creative_id)
    found = sa.select(Creative).where(*mine).with_for_update()
    return session.scalar(found.execution_options(populate_existing=True))


def ids_matching(session: Session, *, program_id: UUID, wanted: Wanted, now: datetime, limit: int) -> Sequence[UUID]:
    """The creatives of the program that somebody looks for, in any status, the newest first."""
    found = joined().with_only_columns(Creative.id).where(Creative.program_id == program_id, *matching(wanted, now))
    return list(session.scalars(found.order_by(Creative.created_at.desc(), Creative.id.desc()).limit(limit)))


def creative_count(session: Session, *, program_id: UUID) -> int:
    """How many creatives a program has."""
    return session.scalar(sa.select(sa.func.count()).where(Creative.program_id == program_id)) or 0


def versions_of(session: Session, *, creative_id: UUID) -> Sequence[CreativeVersion]:
    """The versions of a creative, the newest first."""
    found = sa.select(CreativeVersion).where(CreativeVersion.creative_id == creative_id)
    return session.scalars(found.order_by(CreativeVersion.version.desc()).limit(_VERSIONS_MAX)).all()


def groups_of(session: Session, *, creative_id: UUID) -> Sequence[str]:
    """The groups that a creative is for; none: all."""
    found = sa.select(CreativeGroup.group_name).where(CreativeGroup.creative_id == creative_id)
    return session.scalars(found.order_by(CreativeGroup.group_name)).all()


def ending(session: Session, *, now: datetime, until: datetime, limit: int) -> Sequence[Creative]:
    """What ends by `until` without its users having been told so, the soonest first; of programs that are not archived."""
    here = (Creative.status == CreativeStatus.LIVE, Creative.ends_at > now, Creative.ends_at <= until)
    open_ones = (Program.id == Creative.program_id, Program.archived_at.is_(None))
    found = sa.select(Creative).where(*here, is_end_untold(), sa.exists().where(*open_ones))
    return session.scalars(found.order_by(Creative.ends_at, Creative.id).limit(limit)).all()


def is_end_untold() -> sa.ColumnElement[bool]:
    """Whether nobody was told of the end that a creative has now."""
    return sa.or_(Creative.told_end_at.is_(None), Creative.told_end_at != Creative.ends_at)


def picture_of(session: Session, *, creative_id: UUID) -> Shown | None:
    """A banner in any status, for whoever shows it."""
    row = session.execute(
        joined().where(Creative.id == creative_id, Creative.kind == CreativeKind.BANNER)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def feed_address_of(session: Session, *, partner_id: UUID, creative_id: UUID) -> FeedAddress | None:
    """The address that a partner has for a feed."""
    return session.get(FeedAddress, (partner_id, creative_id))


def feed_address_by_code(session: Session, *, program_id: UUID, code: UUID) -> FeedAddress | None:
    """The address with this code, of a feed of this program."""
    here = sa.exists().where(Creative.id == FeedAddress.creative_id, Creative.program_id == program_id)
    return session.scalar(sa.select(FeedAddress).where(FeedAddress.code == code, here))
