"""What attribution reads beside journeys: the conversions that wait, the policies in force, the versions before."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.accounts.models import User
from affiliate.attribution.journeys import Order
from affiliate.attribution.models import Attribution
from affiliate.attribution.policy import Policy
from affiliate.ingest.models import Conversion
from affiliate.programs.models import AttributionPolicy, Program

ORDER_COLUMNS = tuple(getattr(Conversion, name) for name in Order.__dataclass_fields__)
POLICIES_MAX = 500
_WAITS = sa.text("attributed_revision < revision")  # as the partial index says it


@dataclass(frozen=True, slots=True)
class Waiting:
    """A conversion whose present revision has no attribution."""

    order: Order
    revision: int


@dataclass(frozen=True, slots=True)
class Before:
    """The current version of a conversion's attribution, before a new one."""

    version: int
    credits: list[dict[str, Any]]
    is_new_customer: bool | None


@dataclass(frozen=True, slots=True)
class Term:
    """A policy and since when it is in force."""

    policy: Policy
    effective_from: datetime


def waiting_ids(session: Session, *, limit: int, received_until: datetime) -> list[UUID]:
    """The conversions that wait, oldest first."""
    due = sa.select(Conversion.id).where(_WAITS, Conversion.received_at <= received_until)
    return list(session.scalars(due.order_by(Conversion.received_at).limit(limit)))


def waiting(session: Session, *, limit: int, conversion_ids: Collection[UUID]) -> list[Waiting]:
    """Those of the conversions that still wait, oldest first, locked; what another worker holds is left to it."""
    statement = (
        sa.select(Conversion.revision, *ORDER_COLUMNS)
        .where(_WAITS, db.among(session, Conversion.id, conversion_ids))
        .order_by(Conversion.received_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [Waiting(Order(*row[1:]), row[0]) for row in session.execute(statement)]


def terms(session: Session, *, program_ids: Collection[UUID], locked: bool = False) -> dict[UUID, list[Term]]:
    """All policies of these programs, the newest version first.

    `locked`: nobody publishes another one until this transaction ends, so that no order is decided by a policy that was
    replaced in between and then forgotten.
    """
    if locked:
        session.execute(sa.select(Program.id).where(Program.id.in_(program_ids)).with_for_update(read=True))
    columns = (AttributionPolicy.program_id, AttributionPolicy.version, AttributionPolicy.terms)
    rows = session.execute(
        sa.select(*columns, AttributionPolicy.effective_from)
        .where(AttributionPolicy.program_id.in_(program_ids))
        .order_by(AttributionPolicy.version.desc())
        .limit(POLICIES_MAX * len(program_ids))
    )
    found: dict[UUID, list[Term]] = {program_id: [] for program_id in program_ids}
    for row in rows:
        found[row.program_id].append(Term(Policy.of(row.version, row.terms), row.effective_from))
    return found


def in_force(terms: Sequence[Term], *, at: datetime) -> Policy:
    """The newest version among those in force at this moment; the first one counts for everything before it, too."""
    return next((term.policy for term in terms if term.effective_from <= at), terms[-1].policy)


def policies(session: Session, *, orders: Iterable[Order]) -> dict[UUID, Policy]:
    """The policy that counts for each order, by order id."""
    orders = list(orders)
    known = terms(session, program_ids={order.program_id for order in orders}, locked=True)
    return {order.id: in_force(known[order.program_id], at=order.occurred_at) for order in orders}


def before(session: Session, *, conversion_ids: Collection[UUID]) -> Mapping[UUID, Before]:
    """What stands about these conversions now; those never attributed are missing."""
    columns = (
        Attribution.conversion_id,
        Attribution.version,
        Attribution.trace["credits"],
        Attribution.is_new_customer,
    )
    current = sa.select(*columns).where(db.among(session, Attribution.conversion_id, conversion_ids))
    return {row[0]: Before(*row[1:]) for row in session.execute(current.where(Attribution.is_current))}


def later_orders(session: Session, *, orders: Sequence[Order]) -> list[sa.Row[Any]]:
    """The orders of the same customers after these, locked in the order of their ids: id, program, customer, address, moment."""
    customers = {order.customer_id for order in orders if order.customer_id}
    addresses = {order.email_hash for order in orders if order.email_hash}
    columns = (
        Conversion.id,
        Conversion.program_id,
        Conversion.customer_id,
        Conversion.email_hash,
        Conversion.occurred_at,
    )
    theirs = sa.or_(
        db.among(session, Conversion.customer_id, customers), db.among(session, Conversion.email_hash, addresses)
    )
    found = sa.select(*columns).where(
        theirs,
        Conversion.program_id.in_({order.program_id for order in orders}),
        Conversion.occurred_at > min(order.occurred_at for order in orders),
    )
    return list(session.execute(found.order_by(Conversion.id).with_for_update()))


def counted_as_new(session: Session, *, conversion_ids: Collection[UUID]) -> set[UUID]:
    """Those of the orders whose customer counts as new."""
    of_orders = sa.select(Attribution.conversion_id).where(db.among(session, Attribution.conversion_id, conversion_ids))
    return set(session.scalars(of_orders.where(Attribution.is_current, Attribution.is_new_customer.is_(True))))


def newest_version(session: Session, *, program_id: UUID) -> int | None:
    """The newest version of the program's policy, whether in force or to come."""
    return session.scalar(
        sa.select(sa.func.max(AttributionPolicy.version)).where(AttributionPolicy.program_id == program_id)
    )


def authors(session: Session, *, program_id: UUID) -> dict[int, str]:
    """Who published each version of a program's attribution, where it was a person."""
    found = sa.select(AttributionPolicy.version, User.name).join(User, User.id == AttributionPolicy.created_by_id)
    rows = session.execute(found.where(AttributionPolicy.program_id == program_id))
    return {row.version: row.name for row in rows}


def policies_to_apply(session: Session, *, now: datetime) -> list[AttributionPolicy]:
    """Policies in force whose orders have not all been asked for again, oldest first, each for one worker."""
    waiting = sa.select(AttributionPolicy).where(
        AttributionPolicy.applied_at.is_(None), AttributionPolicy.effective_from <= now
    )
    oldest = waiting.order_by(AttributionPolicy.created_at).limit(10)
    return list(session.scalars(oldest.with_for_update(skip_locked=True)))


def decided_otherwise(session: Session, *, policy: AttributionPolicy, limit: int) -> list[UUID]:
    """Attributed orders since the policy's start that an older policy decided."""
    found = (
        sa.select(Conversion.id)
        .join(Attribution, sa.and_(Attribution.conversion_id == Conversion.id, Attribution.is_current))
        .where(
            Conversion.program_id == policy.program_id,
            Conversion.occurred_at >= policy.effective_from,
            Conversion.attributed_revision == Conversion.revision,
            Attribution.policy_version < policy.version,
        )
    )
    return list(session.scalars(found.order_by(Conversion.occurred_at).limit(limit)))


def policy_rows(session: Session, *, program_id: UUID, limit: int = POLICIES_MAX) -> Sequence[AttributionPolicy]:
    """The policies of a program, the newest version first."""
    of_program = sa.select(AttributionPolicy).where(AttributionPolicy.program_id == program_id)
    return session.scalars(of_program.order_by(AttributionPolicy.version.desc()).limit(limit)).all()
