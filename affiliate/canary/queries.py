"""Every SELECT of the canary."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.attribution.models import Attribution
from affiliate.canary.models import CanaryRun, CanaryState
from affiliate.commissions.models import Commission
from affiliate.ingest.models import Conversion
from affiliate.links.models import Link
from affiliate.links.queries import is_usable
from affiliate.partners.models import Enrollment, EnrollmentStatus
from affiliate.programs.models import Program, ProgramStatus

OPEN = (CanaryState.PLANNED, CanaryState.ORDERED, CanaryState.REFUNDED)


@dataclass(frozen=True, slots=True)
class Route:
    """A link on which a test click can be credited."""

    program_id: UUID
    partner_id: UUID
    code: str
    click_parameter: str
    postback_token_version: int


@dataclass(frozen=True, slots=True)
class Sight:
    """What there is to see of a test order by now; null where nothing is yet."""

    is_stored: bool
    unattributed: str | None
    amount_minor: int | None
    reversed_minor: int | None


def route(session: Session, *, now: datetime) -> Route | None:
    """The oldest link that counts, of an approved partner in a live program."""
    here = sa.and_(Enrollment.program_id == Link.program_id, Enrollment.partner_id == Link.partner_id)
    found = (
        sa.select(Link.program_id, Link.partner_id, Link.code, Program.click_parameter, Program.postback_token_version)
        .join(Program, Program.id == Link.program_id)
        .join(Enrollment, here)
        .where(
            Program.status == ProgramStatus.LIVE,
            Enrollment.status == EnrollmentStatus.APPROVED,
            is_usable(now),
        )
        .order_by(Link.created_at, Link.id)
        .limit(1)
    )
    row = session.execute(found).one_or_none()
    return Route(*row) if row else None


def open_runs(session: Session, *, limit: int) -> Sequence[CanaryRun]:
    """The runs that wait for something, the oldest first."""
    waiting = sa.select(CanaryRun).where(CanaryRun.state.in_(OPEN))
    return session.scalars(waiting.order_by(CanaryRun.started_at).limit(limit)).all()


def latest(session: Session, *, program_id: UUID | None = None) -> CanaryRun | None:
    """The last run that has come to its end, through this program if one is given."""
    ended = _latest()
    found: CanaryRun | None = session.scalar(
        ended if program_id is None else ended.where(CanaryRun.program_id == program_id)
    )
    return found


def latest_placed() -> sa.Select[*tuple[Any, ...]]:
    """The last run of all, with its `place`: a statement to be asked beside others."""
    return _latest().add_columns(sa.literal(1).label("place"))


def _latest() -> sa.Select[*tuple[Any, ...]]:
    ended: sa.Select[*tuple[Any, ...]] = sa.select(CanaryRun).where(CanaryRun.state.not_in(OPEN))
    return ended.order_by(CanaryRun.started_at.desc()).limit(1)


def last_begun(session: Session) -> CanaryRun | None:
    """The newest run, open or not."""
    return session.scalar(sa.select(CanaryRun).order_by(CanaryRun.started_at.desc()).limit(1))


def run_of(session: Session, *, run_id: UUID) -> CanaryRun | None:
    """The run with this id."""
    return session.get(CanaryRun, run_id)


def sight_of(session: Session, *, run: CanaryRun) -> Sight:
    """What there is to see of a run's test order."""
    order = Conversion.id == run.conversion_id
    seen = (
        sa.select(Attribution.reason, Commission.amount_minor, Commission.reversed_minor)
        .select_from(Conversion)
        .outerjoin(Attribution, sa.and_(Attribution.conversion_id == Conversion.id, Attribution.is_current))
        .outerjoin(
            Commission,
            sa.and_(
                Commission.conversion_id == Conversion.id,
                Commission.partner_id == run.partner_id,
                Commission.is_live,
                Commission.level == 1,
            ),
        )
    )
    row = session.execute(seen.where(order).limit(1)).one_or_none()
    return Sight(False, None, None, None) if row is None else Sight(True, *row)
