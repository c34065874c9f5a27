"""The SELECTs of the validation by file, and of how long validation takes."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.commissions.life import ON_ITS_WAY, AdjustmentSource, CommissionReason, CommissionStatus
from affiliate.commissions.losses import losses_of
from affiliate.commissions.models import Commission, ValidationFile
from affiliate.commissions.validation import State
from affiliate.ingest.models import Conversion
from affiliate.programs.models import Program

_AT_ONCE = 500
_FILES_SHOWN = 30
_MEDIAN_OF = 200
_SALE = "sale"
T = TypeVar("T")

_BY_THE_SHOP = Commission.reason.is_distinct_from(CommissionReason.REJECTED)
"""What a fraud verdict has ended is a manager's to give back, never a file's."""


def file(session: Session, *, file_id: UUID, program_id: UUID) -> ValidationFile | None:
    """One file of this program."""
    mine = (ValidationFile.id == file_id, ValidationFile.program_id == program_id)
    return session.scalars(sa.select(ValidationFile).where(*mine)).one_or_none()


def files(session: Session, *, program_id: UUID) -> Sequence[ValidationFile]:
    """The newest files of a program."""
    mine = sa.select(ValidationFile).where(ValidationFile.program_id == program_id)
    return session.scalars(mine.order_by(ValidationFile.uploaded_at.desc()).limit(_FILES_SHOWN)).all()


def orders(session: Session, *, program_id: UUID, order_ids: Collection[str]) -> dict[str, UUID]:
    """The conversion behind each order id; a sale where an id stands for several kinds of act."""
    found: dict[str, UUID] = {}
    for some in _chunks(sorted(order_ids)):
        rows = session.execute(
            sa.select(Conversion.order_id, Conversion.id)
            .where(Conversion.program_id == program_id, Conversion.order_id.in_(some))
            .order_by(Conversion.kind == _SALE)
        )
        found |= {row[0]: row[1] for row in rows}
    return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders a manager validates at once: of a half-open period, and of one partner or all."""

    starts_at: datetime
    ends_at: datetime
    partner_id: UUID | None = None


def pending(session: Session, *, program_id: UUID, wanted: Wanted, limit: int) -> list[str]:
    """The ids of orders with a commission that waits for its validation, oldest first; each once."""
    mine = [
        Commission.program_id == program_id,
        Commission.earned_at >= wanted.starts_at,
        Commission.earned_at < wanted.ends_at,
        Commission.is_live,
        Commission.status == CommissionStatus.PENDING,
    ]
    if wanted.partner_id is not None:
        mine.append(Commission.partner_id == wanted.partner_id)
    found = sa.select(Conversion.order_id).join(Commission, Commission.conversion_id == Conversion.id).where(*mine)
    by_time = found.group_by(Conversion.order_id).order_by(sa.func.min(Conversion.occurred_at), Conversion.order_id)
    return list(session.scalars(by_time.limit(limit)))


def states(session: Session, *, conversion_ids: Collection[UUID]) -> dict[UUID, State]:
    """Those of the orders that somebody earns on, as they stand."""
    found: dict[UUID, State] = {}
    for some in _chunks(sorted(conversion_ids)):
        facts = sa.select(Conversion.id, Conversion.amount_minor, Conversion.currency != Program.currency)
        amounts = session.execute(
            facts.join(Program, Program.id == Conversion.program_id).where(Conversion.id.in_(some))
        ).all()
        losses = losses_of(session, conversion_ids=some)
        standing: defaultdict[UUID, list[Any]] = defaultdict(list)
        left = Commission.amount_minor - Commission.reversed_minor
        live = sa.select(Commission.conversion_id, Commission.status, left).where(Commission.is_live, _BY_THE_SHOP)
        for conversion_id, status, left_minor in session.execute(live.where(Commission.conversion_id.in_(some))):
            standing[conversion_id].append((status, left_minor))
        for conversion_id, original, is_foreign in amounts:
            if conversion_id in standing:
                refunded, reduced = (
                    sum(original if loss.amount_minor is None else loss.amount_minor for loss in losses.of(conversion_id) if loss.source_kind is kind)
                    for kind in (AdjustmentSource.REFUND, AdjustmentSource.VALIDATION)
                )  # fmt: skip
                found[conversion_id] = State(
                    original, min(refunded, original), reduced, standing[conversion_id], is_foreign
                )
    return found


def ended(session: Session, *, conversion_ids: Collection[UUID]) -> list[dict[str, Any]]:
    """The whole rows of live commissions of which nothing is left."""
    rows = []
    for some in _chunks(sorted(conversion_ids)):
        nothing = sa.select(Commission.__table__).where(
            Commission.conversion_id.in_(some),
            Commission.is_live,
            Commission.amount_minor == Commission.reversed_minor,
            _BY_THE_SHOP,
        )
        rows += [dict(row) for row in session.execute(nothing).mappings()]
    return rows


def on_its_way(session: Session, *, conversion_ids: Collection[UUID]) -> dict[UUID, int]:
    """What the orders are worth of which a commission is in a payout or paid: all of it is to be taken."""
    found: dict[UUID, int] = {}
    for some in _chunks(sorted(conversion_ids)):
        rows = session.execute(
            sa.select(Conversion.id, Conversion.amount_minor)
            .join(Commission, Commission.conversion_id == Conversion.id)
            .where(Conversion.id.in_(some), Commission.is_live, Commission.status.in_(ON_ITS_WAY))
        )
        found |= {row[0]: row[1] for row in rows}
    return found


def validation_takes(session: Session, *, program_id: UUID) -> timedelta | None:
    """The median time from order to approval of the newest approved commissions; None before there is one.

    Read from the end of the index by status and maturity: it costs the same however long the history is.
    """
    newest = [_newest(program_id, status) for status in (CommissionStatus.APPROVED, *sorted(ON_ITS_WAY))]
    rows = session.execute(sa.union_all(*newest))
    spans = [approved - earned for earned, approved in rows if approved is not None]
    return sorted(spans)[len(spans) // 2] if spans else None


def _newest(program_id: UUID, status: CommissionStatus) -> sa.Select[Any]:
    found = (
        sa.select(Commission.earned_at, Commission.approved_at)
        .where(Commission.status == status, Commission.program_id == program_id)
        .order_by(Commission.matures_at.desc())
        .limit(_MEDIAN_OF)
        .subquery()
    )
    return sa.select(found.c.earned_at, found.c.approved_at)


def _chunks(values: Sequence[T]) -> Iterator[list[T]]:
    iterator = iter(values)
    while some := list(islice(iterator, _AT_ONCE)):
        yield some
