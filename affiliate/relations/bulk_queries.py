"""Every SELECT on acts on many."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.creatives.models import Creative
from affiliate.ingest.models import Conversion
from affiliate.partners.models import Enrollment, Partner
from affiliate.relations.bulk_models import BulkAct, BulkKind, BulkStatus, BulkSubject

SHOWN_MAX = 20
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one partner, of one of its orders, or of a creative; `changed` null: its turn has not come.

    Of what is of another program no name is told: it was refused for that.
    """

    place: int
    partner_id: UUID | None
    partner_name: str | None
    conversion_id: UUID | None
    order_id: str | None
    commission_id: UUID | None
    changed: bool | None
    refusal: str | None
    amount_minor: int | None
    creative_id: UUID | None
    creative_title: str | None


def act_in(session: Session, *, act_id: UUID, program_id: UUID) -> BulkAct | None:
    """An act of this program, as it stands now."""
    mine = (BulkAct.id == act_id, BulkAct.program_id == program_id)
    return session.scalar(sa.select(BulkAct).where(*mine).execution_options(populate_existing=True))


def running(session: Session) -> BulkAct | None:
    """The oldest act that is not through, locked for the one who asks."""
    waiting = sa.select(BulkAct).where(BulkAct.status == BulkStatus.RUNNING)
    first = waiting.order_by(BulkAct.created_at).limit(1).with_for_update(skip_locked=True)
    return session.scalars(first, execution_options={"populate_existing": True}).one_or_none()


def newest(session: Session, *, program_id: UUID, kinds: Collection[BulkKind]) -> Sequence[BulkAct]:
    """The newest acts of these kinds of a program."""
    mine = sa.select(BulkAct).where(BulkAct.program_id == program_id, BulkAct.kind.in_(kinds))
    return session.scalars(mine.order_by(BulkAct.created_at.desc()).limit(SHOWN_MAX)).all()


def existing(session: Session, *, kind: type[Creative | Partner], among: Collection[UUID]) -> set[UUID]:
    """Those of these ids that there is a creative or a partner for, in whatever program."""
    return set(session.scalars(sa.select(kind.id).where(db.among(session, kind.id, among)))) if among else set()


def batch(session: Session, *, act_id: UUID, start: int, limit: int) -> Sequence[BulkSubject]:
    """The subjects of an act from this place on."""
    mine = sa.select(BulkSubject).where(BulkSubject.act_id == act_id, BulkSubject.place >= start)
    return session.scalars(mine.order_by(BulkSubject.place).limit(limit)).all()


def refusals(session: Session, *, act_id: UUID, limit: int) -> list[Outcome]:
    """The first that were refused."""
    return _outcomes(session, BulkSubject.act_id == act_id, BulkSubject.refusal.is_not(None), limit=limit)


def refusal_count(session: Session, *, act_id: UUID) -> int:
    """How many were refused."""
    refused = (BulkSubject.act_id == act_id, BulkSubject.refusal.is_not(None))
    return session.scalar(sa.select(sa.func.count()).select_from(BulkSubject).where(*refused)) or 0


def changed_minor(session: Session, *, act_id: UUID) -> int:
    """What an act approved or declined so far, in minor units."""
    mine = (BulkSubject.act_id == act_id, BulkSubject.changed.is_(True))
    return int(session.scalar(sa.select(sa.func.sum(BulkSubject.amount_minor)).where(*mine)) or 0)


def outcomes(session: Session, *, act_id: UUID) -> Iterator[Outcome]:
    """What became of each, in their order, a bounded number at a time."""
    start = 0
    while some := _outcomes(session, BulkSubject.act_id == act_id, BulkSubject.place >= start, limit=_AT_ONCE):
        yield from some
        start = some[-1].place + 1


def outcome_rows(*conditions: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    """Subjects of acts as rows with the fields of `Outcome`, without order."""
    columns = (
        BulkSubject.place, BulkSubject.partner_id, Partner.name.label("partner_name"), BulkSubject.conversion_id, Conversion.order_id,
        BulkSubject.commission_id, BulkSubject.changed, BulkSubject.refusal, BulkSubject.amount_minor,
        BulkSubject.creative_id, Creative.title.label("creative_title"),
    )  # fmt: skip
    takes_part = sa.exists().where(Enrollment.partner_id == Partner.id, Enrollment.program_id == BulkAct.program_id)
    found = sa.select(*columns).select_from(BulkSubject).join(BulkAct, BulkAct.id == BulkSubject.act_id)
    found = found.outerjoin(Partner, sa.and_(Partner.id == BulkSubject.partner_id, takes_part))
    here = sa.and_(Creative.id == BulkSubject.creative_id, Creative.program_id == BulkAct.program_id)
    found = found.outerjoin(Creative, here)
    return found.outerjoin(Conversion, Conversion.id == BulkSubject.conversion_id).where(*conditions)


def _outcomes(session: Session, *conditions: sa.ColumnElement[bool], limit: int) -> list[Outcome]:
    found = outcome_rows(*conditions)
    return [Outcome(*row) for row in session.execute(found.order_by(BulkSubject.place).limit(limit))]
