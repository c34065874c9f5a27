"""What the API reads: rows of one program, each list in id order so that a cursor never skips or repeats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from affiliate.attribution.models import Attribution
from affiliate.commissions.models import Commission, CommissionAdjustment
from affiliate.creatives.models import Creative, CreativeVersion
from affiliate.creatives.queries import Shown
from affiliate.fraud import lists as fraud
from affiliate.fraud.models import FraudVerdict
from affiliate.ingest.models import Click, Conversion, OrderEvent, Refund
from affiliate.ledger import queries as ledger_queries
from affiliate.ledger.queries import TransferLine
from affiliate.links.models import Coupon, Link
from affiliate.partners.models import Enrollment, EnrollmentStatus, Partner
from affiliate.payouts.models import Adjustment, AdjustmentStatus, Payout
from affiliate.programs.models import Program
from affiliate.reports import campaign_queries
from affiliate.reports.written_models import Campaign
from affiliate.rest.scope import Whose

Row = TypeVar("Row")
_COMMISSIONS_OF_ONE_CONVERSION_MAX = 200


@dataclass(frozen=True, slots=True)
class EnrolledPartner:
    """A partner and how it stands in the program."""

    partner: Partner
    enrollment: Enrollment


@dataclass(frozen=True, slots=True)
class Explained:
    """Everything that explains a conversion: attributions and fraud verdicts (newest first), commissions, what was taken, the postings."""

    conversion: Conversion
    attributions: Sequence[Attribution]
    commissions: Sequence[Commission]
    adjustments: Sequence[CommissionAdjustment]
    transfers: Sequence[TransferLine]
    verdicts: Sequence[FraudVerdict]


def _page(
    session: Session,
    statement: sa.Select[Row],
    *,
    key: InstrumentedAttribute[UUID],
    after: UUID | None,
    size: int,
) -> Sequence[Row]:
    """Up to `size + 1` rows after the cursor: one more than the page, to know whether there is a next one."""
    if after is not None:
        statement = statement.where(key > after)
    return session.scalars(statement.order_by(key).limit(size + 1)).all()


def program(session: Session, *, program_id: UUID) -> Program:
    """The program of the key."""
    return session.get_one(Program, program_id)


def partners(session: Session, *, program_id: UUID, after: UUID | None, size: int) -> list[EnrolledPartner]:
    """Partners of the program in any status."""
    statement = (
        sa.select(Partner, Enrollment)
        .join(Enrollment, Enrollment.partner_id == Partner.id)
        .where(Enrollment.program_id == program_id)
    )
    if after is not None:
        statement = statement.where(Partner.id > after)
    rows = session.execute(statement.order_by(Partner.id).limit(size + 1)).all()
    return [EnrolledPartner(partner, enrollment) for partner, enrollment in rows]


def partner(session: Session, *, program_id: UUID, partner_id: UUID) -> EnrolledPartner | None:
    """One partner of the program."""
    statement = sa.select(Partner, Enrollment).join(Enrollment, Enrollment.partner_id == Partner.id)
    row = session.execute(statement.where(Enrollment.program_id == program_id, Partner.id == partner_id)).one_or_none()
    return None if row is None else EnrolledPartner(*row)


def enrollments(
    session: Session, *, program_id: UUID, status: EnrollmentStatus | None, after: UUID | None, size: int
) -> Sequence[Enrollment]:
    """Enrollments of the program, of one status if asked."""
    statement = sa.select(Enrollment).where(Enrollment.program_id == program_id)
    if status is not None:
        statement = statement.where(Enrollment.status == status)
    return _page(session, statement, key=Enrollment.id, after=after, size=size)


def coupons(session: Session, *, whose: Whose, after: UUID | None, size: int) -> Sequence[Coupon]:
    """Their coupons."""
    return _page(session, sa.select(Coupon).where(*whose.rows(Coupon)), key=Coupon.id, after=after, size=size)


def creatives(
    session: Session, *, program_id: UUID, wanted: Mapping[str, Any], after: UUID | None, size: int
) -> list[Shown]:
    """Creatives of the program with the version that is offered; `wanted` narrows by kind and status."""
    of_version = sa.and_(CreativeVersion.creative_id == Creative.id, CreativeVersion.version == Creative.version)
    statement = sa.select(Creative, CreativeVersion).join(CreativeVersion, of_version)
    statement = statement.where(Creative.program_id == program_id)
    for column, value in wanted.items():
        statement = statement.where(getattr(Creative, column) == value)
    if after is not None:
        statement = statement.where(Creative.id > after)
    return [(row[0], row[1]) for row in session.execute(statement.order_by(Creative.id).limit(size + 1))]


def campaigns(session: Session, *, program_id: UUID, after: UUID | None, size: int) -> Sequence[Campaign]:
    """Campaigns of the program that were not removed."""
    return _page(session, campaign_queries.of_program(program_id), key=Campaign.id, after=after, size=size)


def links(session: Session, *, whose: Whose, after: UUID | None, size: int) -> Sequence[Link]:
    """Their links."""
    return _page(session, sa.select(Link).where(*whose.rows(Link)), key=Link.id, after=after, size=size)


def link(session: Session, *, whose: Whose, link_id: UUID) -> Link | None:
    """One link of theirs."""
    return session.scalars(sa.select(Link).where(*whose.rows(Link), Link.id == link_id)).one_or_none()


def conversions(
    session: Session, *, whose: Whose, order_id: str | None, after: UUID | None, size: int
) -> Sequence[Conversion]:
    """Their conversions, of one order if asked."""
    statement = sa.select(Conversion).where(*whose.conversions())
    if order_id is not None:
        statement = statement.where(Conversion.order_id == order_id)
    return _page(session, statement, key=Conversion.id, after=after, size=size)


def conversion(session: Session, *, whose: Whose, conversion_id: UUID) -> Conversion | None:
    """One conversion of theirs."""
    mine = sa.select(Conversion).where(*whose.conversions(), Conversion.id == conversion_id)
    return session.scalars(mine).one_or_none()


def order_events(
    session: Session, *, whose: Whose, order_id: str, after: UUID | None, size: int
) -> Sequence[OrderEvent]:
    """What became of an order of theirs."""
    statement = sa.select(OrderEvent).where(*whose.of_orders(OrderEvent), OrderEvent.order_id == order_id)
    return _page(session, statement, key=OrderEvent.id, after=after, size=size)


def refunds(session: Session, *, whose: Whose, order_id: str | None, after: UUID | None, size: int) -> Sequence[Refund]:
    """Refunds of their orders, of one order if asked."""
    statement = sa.select(Refund).where(*whose.of_orders(Refund))
    if order_id is not None:
        statement = statement.where(Refund.order_id == order_id)
    return _page(session, statement, key=Refund.id, after=after, size=size)


def commissions(
    session: Session, *, whose: Whose, status: str | None, after: UUID | None, size: int
) -> Sequence[Commission]:
    """Their commissions that are in force, of one status if asked."""
    statement = sa.select(Commission).where(*whose.rows(Commission), Commission.is_live)
    if status is not None:
        statement = statement.where(Commission.status == status)
    return _page(session, statement, key=Commission.id, after=after, size=size)


def payouts(session: Session, *, whose: Whose, after: UUID | None, size: int) -> Sequence[Payout]:
    """Their payouts."""
    return _page(session, sa.select(Payout).where(*whose.rows(Payout)), key=Payout.id, after=after, size=size)


def payout(session: Session, *, whose: Whose, payout_id: UUID) -> Payout | None:
    """One payout of theirs."""
    return session.scalar(sa.select(Payout).where(*whose.rows(Payout), Payout.id == payout_id))


def adjustments(session: Session, *, whose: Whose, after: UUID | None, size: int) -> Sequence[Adjustment]:
    """Their entries by hand: all of a program, of a partner those that are decided and in its books."""
    mine = sa.select(Adjustment).where(*whose.rows(Adjustment))
    if whose.partner_id is not None:
        mine = mine.where(Adjustment.status == AdjustmentStatus.POSTED)
    return _page(session, mine, key=Adjustment.id, after=after, size=size)


def clicks(
    session: Session, *, whose: Whose, wanted: Mapping[str, Any], after: UUID | None, size: int
) -> Sequence[Click]:
    """Their clicks that are still kept, oldest first; `wanted` narrows by link_id and verdict."""
    statement = sa.select(Click).where(*whose.rows(Click))
    for column, value in wanted.items():
        statement = statement.where(getattr(Click, column) == value)
    return _page(session, statement, key=Click.id, after=after, size=size)


def explained(session: Session, *, program_id: UUID, conversion_id: UUID) -> Explained | None:
    """A conversion with all that explains it, in a constant number of queries."""
    found = conversion(session, whose=Whose(program_id), conversion_id=conversion_id)
    if found is None:
        return None
    newest_first = (
        sa.select(Attribution).where(Attribution.conversion_id == conversion_id).order_by(Attribution.version.desc())
    )
    attributions = session.scalars(newest_first.limit(_COMMISSIONS_OF_ONE_CONVERSION_MAX)).all()
    of_conversion = (
        sa.select(Commission)
        .where(Commission.conversion_id == conversion_id)
        .order_by(Commission.created_at, Commission.id)
    )
    rows = session.scalars(of_conversion.limit(_COMMISSIONS_OF_ONE_CONVERSION_MAX)).all()
    taken = sa.select(CommissionAdjustment).where(CommissionAdjustment.commission_id.in_([row.id for row in rows]))
    adjustments = session.scalars(taken.order_by(CommissionAdjustment.created_at, CommissionAdjustment.id)).all()
    sources = [row.id for row in rows] + [row.id for row in adjustments]
    transfers = ledger_queries.transfers_of(session, source_ids=sources)
    verdicts = fraud.verdicts_of(session, conversion_id=conversion_id)
    return Explained(found, attributions, rows, adjustments, transfers, verdicts)
