"""What a replay reads: the orders of a period in their order, what was decided of each, and what it earned."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.attribution.journeys import Order
from affiliate.attribution.models import Attribution, Credit
from affiliate.attribution.queries import ORDER_COLUMNS
from affiliate.commissions.models import Commission
from affiliate.ingest.models import Conversion
from affiliate.replay.compare import Then
from affiliate.replay.models import Replay, ReplayChange, ReplayStatus

REPLAYS_MAX = 50


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last order that was looked at."""

    at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Decided:
    """An order of the period with what was decided of it."""

    order: Order
    attribution_id: UUID
    policy_version: int
    then: Then


def _of_period(program_id: UUID, starts_at: datetime, ends_at: datetime) -> sa.ColumnElement[bool]:
    """Orders that count, with an attribution that is not about to be replaced."""
    return sa.and_(
        Conversion.program_id == program_id,
        Conversion.occurred_at >= starts_at,
        Conversion.occurred_at < ends_at,
        sa.not_(Conversion.is_test),
        Conversion.attributed_revision == Conversion.revision,
    )


def order_count(session: Session, *, program_id: UUID, starts_at: datetime, ends_at: datetime) -> int:
    """How many orders a replay of this period looks at."""
    counted = sa.select(sa.func.count()).select_from(Conversion).where(_of_period(program_id, starts_at, ends_at))
    return session.scalar(counted) or 0


def decided(
    session: Session, *, program_id: UUID, starts_at: datetime, ends_at: datetime, after: Cursor | None, limit: int
) -> list[Decided]:
    """The next orders of the period, oldest first."""
    wanted = (
        sa.select(Attribution.id, Attribution.policy_version, Attribution.trace, *ORDER_COLUMNS)
        .join(Conversion, sa.and_(Conversion.id == Attribution.conversion_id, Attribution.is_current))
        .where(_of_period(program_id, starts_at, ends_at))
        .order_by(Conversion.occurred_at, Conversion.id)
        .limit(limit)
    )
    if after is not None:
        wanted = wanted.where(sa.tuple_(Conversion.occurred_at, Conversion.id) > sa.tuple_(after.at, after.id))
    rows = session.execute(wanted).all()
    credits_ = _credits(session, [row[0] for row in rows])
    return [Decided(Order(*row[3:]), row[0], row[1], Then(row[2], credits_[row[0]])) for row in rows]


def _credits(session: Session, attribution_ids: Collection[UUID]) -> dict[UUID, dict[UUID, int]]:
    found: dict[UUID, dict[UUID, int]] = defaultdict(dict)
    if attribution_ids:
        columns = (Credit.attribution_id, Credit.partner_id, Credit.share_bps)
        wanted = sa.select(*columns).where(db.among(session, Credit.attribution_id, attribution_ids))
        for attribution_id, partner_id, share_bps in session.execute(wanted):
            found[attribution_id][partner_id] = share_bps
    return found


def earned(session: Session, *, conversion_ids: Collection[UUID]) -> dict[UUID, dict[UUID, int]]:
    """What is left of what each partner and recruiter earned for each order, in minor units."""
    found: dict[UUID, dict[UUID, int]] = defaultdict(dict)
    left = sa.func.sum(Commission.amount_minor - Commission.reversed_minor)
    columns = (Commission.conversion_id, Commission.partner_id, left)
    live = sa.select(*columns).where(db.among(session, Commission.conversion_id, conversion_ids), Commission.is_live)
    for conversion_id, partner_id, amount in session.execute(
        live.group_by(Commission.conversion_id, Commission.partner_id)
    ):
        found[conversion_id][partner_id] = int(amount)
    return found


def running(session: Session) -> Replay | None:
    """The oldest replay that runs."""
    return session.scalar(sa.select(Replay).where(sa.text("status = 'running'")).order_by(Replay.created_at).limit(1))


def replay(session: Session, *, replay_id: UUID, program_id: UUID) -> Replay | None:
    """A replay of this program."""
    return session.scalar(sa.select(Replay).where(Replay.id == replay_id, Replay.program_id == program_id))


def replays(session: Session, *, program_id: UUID) -> Sequence[Replay]:
    """The replays of a program, newest first."""
    of_program = sa.select(Replay).where(Replay.program_id == program_id)
    return session.scalars(of_program.order_by(Replay.created_at.desc()).limit(REPLAYS_MAX)).all()


def is_any_running(session: Session, *, program_id: UUID) -> bool:
    """Whether a replay of the program runs."""
    of_program = sa.exists().where(Replay.program_id == program_id, Replay.status == ReplayStatus.RUNNING)
    return bool(session.scalar(sa.select(of_program)))


def change(session: Session, *, replay_id: UUID, conversion_id: UUID) -> sa.Row[Any] | None:
    """One of these orders."""
    found = (
        sa.select(ReplayChange, Conversion, Attribution.trace)
        .join(Conversion, Conversion.id == ReplayChange.conversion_id)
        .join(Attribution, Attribution.id == ReplayChange.attribution_id)
    )
    return session.execute(
        found.where(ReplayChange.replay_id == replay_id, ReplayChange.conversion_id == conversion_id)
    ).one_or_none()
