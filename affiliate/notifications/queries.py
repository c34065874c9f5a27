"""Every SELECT of notifications: addresses and their log, and what the ledger says of partners who want to be told."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from affiliate import db
from affiliate.commissions.models import Commission, CommissionAdjustment, CommissionReason, CommissionStatus
from affiliate.ingest.models import Click, Conversion
from affiliate.ledger.models import LedgerAccount, LedgerTransfer, SourceKind, TransferKind
from affiliate.links.models import Coupon
from affiliate.notifications.models import (
    DeliveryStatus,
    PostbackAddress,
    PostbackDelivery,
    PostbackEvent,
    PostbackMark,
)
from affiliate.programs.models import Program

LOG_SHOWN = 50
_IN = (TransferKind.ACCRUE, TransferKind.APPROVE, TransferKind.SETTLE)
_OUT = (TransferKind.REVERSE, TransferKind.CLAW_BACK)


@dataclass(frozen=True, slots=True)
class Movement:
    """A row of the ledger that a partner wants to hear of."""

    position: int
    partner_id: UUID
    kind: TransferKind
    source_kind: SourceKind
    source_id: UUID
    posted_at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What may be told of a commission. Amounts in minor units of `currency`; nothing of the customer but the country."""

    commission_id: UUID
    partner_id: UUID
    program: str
    conversion_id: UUID
    order_id: str
    kind: str
    paid_minor: int
    earned_minor: int
    currency: str
    click_id: UUID | None
    subs: dict[str, Any] | None
    country: str | None
    coupon: str | None


@dataclass(frozen=True, slots=True)
class Due:
    """A call to make, and the address that it goes to."""

    delivery: PostbackDelivery
    address: PostbackAddress


def addresses(session: Session, *, program_id: UUID, partner_id: UUID) -> Sequence[PostbackAddress]:
    """A partner's addresses in a program, oldest first."""
    mine = (PostbackAddress.program_id == program_id, PostbackAddress.partner_id == partner_id)
    return session.scalars(sa.select(PostbackAddress).where(*mine).order_by(PostbackAddress.id)).all()


def address_of(session: Session, *, address_id: UUID, program_id: UUID, partner_id: UUID) -> PostbackAddress | None:
    """One address, if it is this partner's; as it stands in the database now."""
    mine = (PostbackAddress.program_id == program_id, PostbackAddress.partner_id == partner_id)
    found = sa.select(PostbackAddress).where(PostbackAddress.id == address_id, *mine)
    return session.scalar(found.execution_options(populate_existing=True))


def log(session: Session, *, address_id: UUID) -> Sequence[PostbackDelivery]:
    """The newest calls of an address."""
    found = sa.select(PostbackDelivery).where(PostbackDelivery.address_id == address_id)
    return session.scalars(found.order_by(PostbackDelivery.id.desc()).limit(LOG_SHOWN)).all()


def is_test_waiting(session: Session, *, address_id: UUID) -> bool:
    """Whether a test of an address is still to be made."""
    waiting = (PostbackDelivery.event == PostbackEvent.TEST, PostbackDelivery.status == DeliveryStatus.WAITING)
    return session.scalar(sa.select(sa.exists().where(PostbackDelivery.address_id == address_id, *waiting))) or False


def counts(session: Session, *, address_ids: Collection[UUID]) -> dict[UUID, dict[DeliveryStatus, int]]:
    """How many calls of each address are where."""
    counted = (
        sa.select(PostbackDelivery.address_id, PostbackDelivery.status, sa.func.count())
        .where(PostbackDelivery.address_id.in_(address_ids))
        .group_by(PostbackDelivery.address_id, PostbackDelivery.status)
    )
    found: dict[UUID, dict[DeliveryStatus, int]] = {each: {} for each in address_ids}
    for address_id, status, calls in session.execute(counted):
        found[address_id][status] = calls
    return found


def live(session: Session, *, program_id: UUID) -> Sequence[PostbackAddress]:
    """The addresses of a program that are switched on."""
    on = (PostbackAddress.program_id == program_id, PostbackAddress.switched_off_at.is_(None))
    return session.scalars(sa.select(PostbackAddress).where(*on).order_by(PostbackAddress.id)).all()


def behind(session: Session) -> Sequence[UUID]:
    """The programs whose ledger has rows behind their mark, and an address that is switched on."""
    on = sa.exists().where(
        PostbackAddress.program_id == PostbackMark.program_id, PostbackAddress.switched_off_at.is_(None)
    )
    fresh = sa.exists().where(
        LedgerTransfer.program_id == PostbackMark.program_id, LedgerTransfer.position > PostbackMark.position
    )
    return session.scalars(sa.select(PostbackMark.program_id).where(on, fresh).order_by(PostbackMark.program_id)).all()


def mark(session: Session, *, program_id: UUID) -> PostbackMark:
    """Up to where a program's ledger was read, as it stands in the database now."""
    return session.get_one(PostbackMark, program_id, populate_existing=True)


def newest_position(session: Session, *, program_id: UUID, after: int = 0) -> int:
    """The newest row of a program's ledger behind `after`; `after` if there is none."""
    mine = (LedgerTransfer.program_id == program_id, LedgerTransfer.position > after)
    newest = sa.select(LedgerTransfer.position).where(*mine).order_by(LedgerTransfer.position.desc()).limit(1)
    return session.scalar(newest) or after


def movements(
    session: Session, *, program_id: UUID, partner_ids: Collection[UUID], after: int, until: int, limit: int
) -> list[Movement]:
    """The rows between two positions by which these partners earned, lost or were paid something, in their order."""
    comes_in = LedgerTransfer.kind.in_(_IN)
    of_partner = sa.case((comes_in, LedgerTransfer.credit_account_id), else_=LedgerTransfer.debit_account_id)
    found = (
        sa.select(
            LedgerTransfer.position, LedgerAccount.partner_id, LedgerTransfer.kind, LedgerTransfer.source_kind,
            LedgerTransfer.source_id, LedgerTransfer.posted_at,
        )
        .join(LedgerAccount, LedgerAccount.id == of_partner)
        .where(
            LedgerTransfer.position > after, LedgerTransfer.position <= until, LedgerTransfer.program_id == program_id,
            LedgerTransfer.kind.in_([*_IN, *_OUT]), db.among(session, LedgerAccount.partner_id, list(partner_ids)),
        )
        .order_by(LedgerTransfer.position)
        .limit(limit)
    )  # fmt: skip
    rows: Sequence[Any] = session.execute(found).all()
    return [Movement(*row) for row in rows]


def lost(session: Session, *, adjustment_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The commissions of which these adjustments left nothing, by adjustment; without those that a newer one replaced."""
    newer = aliased(Commission)
    replaced = sa.exists().where(
        newer.conversion_id == Commission.conversion_id, newer.partner_id == Commission.partner_id, newer.is_live
    )
    found = (
        sa.select(CommissionAdjustment.id, Commission.id)
        .join(Commission, Commission.id == CommissionAdjustment.commission_id)
        .where(
            CommissionAdjustment.id.in_(adjustment_ids),
            Commission.reversed_minor == Commission.amount_minor,
            sa.or_(Commission.reason != CommissionReason.SUPERSEDED, ~replaced),
        )
    )
    return {row[0]: row[1] for row in session.execute(found)}


def paid_with(session: Session, *, payout_id: UUID, after: UUID | None, limit: int) -> Sequence[UUID]:
    """Some of the commissions that a payout paid, in the order of their ids."""
    inside = sa.select(Commission.id).where(
        Commission.payout_id == payout_id, Commission.status == CommissionStatus.PAID
    )
    found = inside if after is None else inside.where(Commission.id > after)
    return session.scalars(found.order_by(Commission.id).limit(limit)).all()


def facts(session: Session, *, commission_ids: Collection[UUID]) -> dict[UUID, Facts]:
    """What may be told of these commissions; recruiters' shares are left out, whose orders are other partners'."""
    found = (
        sa.select(
            Commission.id, Commission.partner_id, Program.slug, Conversion.id, Conversion.order_id, Conversion.kind,
            Commission.revenue_minor, Commission.amount_minor - Commission.reversed_minor, Commission.currency,
            Commission.click_id, Click.subs, Click.country, Coupon.code,
        )
        .join(Program, Program.id == Commission.program_id)
        .join(Conversion, Conversion.id == Commission.conversion_id)
        .outerjoin(Click, Click.id == Commission.click_id)
        .outerjoin(Coupon, Coupon.id == Commission.coupon_id)
        .where(db.among(session, Commission.id, list(commission_ids)), Commission.level == 1)
    )  # fmt: skip
    rows: Sequence[Any] = session.execute(found).all()
    return {row[0]: Facts(*row) for row in rows}


def due(session: Session, *, limit: int, each_max: int, now: datetime) -> list[Due]:
    """Calls that are due, at most so many of one address: who answers slowly holds nobody else up."""
    turn = sa.func.row_number().over(
        partition_by=PostbackDelivery.address_id, order_by=(PostbackDelivery.send_after, PostbackDelivery.id)
    )
    open_to = sa.or_(PostbackAddress.switched_off_at.is_(None), PostbackDelivery.event == PostbackEvent.TEST)
    waiting = (
        sa.select(PostbackDelivery.id, PostbackDelivery.send_after, turn.label("turn"))
        .join(PostbackAddress, PostbackAddress.id == PostbackDelivery.address_id)
        .where(PostbackDelivery.status == DeliveryStatus.WAITING, PostbackDelivery.send_after <= now, open_to)
        .subquery()
    )
    found = (
        sa.select(PostbackDelivery, PostbackAddress)
        .join(PostbackAddress, PostbackAddress.id == PostbackDelivery.address_id)
        .join(waiting, waiting.c.id == PostbackDelivery.id)
        .where(waiting.c.turn <= each_max)
        .order_by(waiting.c.turn, waiting.c.send_after)
        .limit(limit)
    )
    return [Due(*row) for row in session.execute(found.execution_options(populate_existing=True))]
