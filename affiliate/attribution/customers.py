"""The earlier orders of customers: whether they ordered before, and which partner they are bound to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from affiliate import db
from affiliate.attribution import values
from affiliate.attribution.models import Attribution, Credit
from affiliate.ingest.models import Conversion, Trust

ACTS_MAX = 5


@dataclass(frozen=True, slots=True)
class Person:
    """Whose earlier orders are looked for: a customer as the shop knows it, by id or by the hash of the address."""

    order_id: UUID
    program_id: UUID
    kind: str
    occurred_at: datetime
    customer_id: str | None
    email_hash: str | None


@dataclass(frozen=True, slots=True)
class Bond:
    """An earlier order of the customer that brought a partner credit."""

    order_id: UUID
    at: datetime
    partner_id: UUID


def returning(session: Session, *, people: Sequence[Person]) -> set[UUID]:
    """Those of the orders whose customer had ordered the same kind of thing in the program before."""
    if not people:
        return set()
    person, earlier = values.table(session, "person", people), aliased(Conversion)
    before = [
        sa.exists().where(*_earlier(person, earlier), earlier.kind == person.c.kind, same)
        for same in (earlier.customer_id == person.c.customer_id, earlier.email_hash == person.c.email_hash)
    ]
    return set(session.scalars(sa.select(person.c.order_id).where(sa.or_(*before))))


@dataclass(frozen=True, slots=True)
class Act:
    """What else a customer did in the program: a lead before its sale, say."""

    conversion_id: UUID
    kind: str
    order_id: str
    at: datetime


def other_acts(session: Session, *, conversion: Conversion, credited_to: UUID | None = None) -> list[Act]:
    """The customer's newest verified acts of other kinds, oldest first; with `credited_to` only those of this partner."""
    named = (("customer_id", conversion.customer_id), ("email_hash", conversion.email_hash))
    same = [getattr(Conversion, column) == value for column, value in named if value is not None]
    if not same:
        return []
    found = sa.select(Conversion.id, Conversion.kind, Conversion.order_id, Conversion.occurred_at).where(
        Conversion.program_id == conversion.program_id,
        Conversion.kind != conversion.kind,
        Conversion.trust >= Trust.SIGNED,
        ~Conversion.is_test,
        sa.or_(*same),
    )
    if credited_to is not None:
        theirs = sa.and_(Attribution.id == Credit.attribution_id, Attribution.is_current)
        mine = sa.select(Credit.id).join(Attribution, theirs).where(Credit.partner_id == credited_to)
        found = found.where(mine.where(Attribution.conversion_id == Conversion.id).exists())
    newest = session.execute(found.order_by(Conversion.occurred_at.desc(), Conversion.id).limit(ACTS_MAX)).all()
    return [Act(*row) for row in reversed(newest)]


def bonds(session: Session, *, people: Sequence[Person], by: str) -> dict[UUID, list[Bond]]:
    """For each order the first and the last earlier order of its customer that has a credit; `by` names the column.

    A partner binds by the largest share. Only verified orders bind: anybody can tell of others.
    """
    if not people:
        return {}
    person, earlier = values.table(session, "person", people), aliased(Conversion)
    credited = (
        sa.select(Credit.id)
        .join(Attribution, sa.and_(Attribution.id == Credit.attribution_id, Attribution.is_current))
        .join(earlier, earlier.id == Attribution.conversion_id)
        .where(*_earlier(person, earlier), getattr(earlier, by) == person.c[by])
        .correlate(person)
        .limit(1)
    )
    strongest = (Credit.share_bps.desc(), Credit.partner_id)
    first = credited.order_by(earlier.occurred_at, earlier.id, *strongest).scalar_subquery()
    last = credited.order_by(earlier.occurred_at.desc(), earlier.id.desc(), *strongest).scalar_subquery()
    ends = session.execute(sa.select(person.c.order_id, first, last)).all()
    known = _bonds_of(session, {credit_id for row in ends for credit_id in row[1:] if credit_id})
    return {row[0]: [known[credit_id] for credit_id in dict.fromkeys(row[1:]) if credit_id] for row in ends}


def _bonds_of(session: Session, credit_ids: Collection[UUID]) -> dict[UUID, Bond]:
    if not credit_ids:
        return {}
    facts = (
        sa.select(Credit.id, Conversion.id, Conversion.occurred_at, Credit.partner_id)
        .join(Attribution, Attribution.id == Credit.attribution_id)
        .join(Conversion, Conversion.id == Attribution.conversion_id)
    )
    return {row[0]: Bond(*row[1:]) for row in session.execute(facts.where(db.among(session, Credit.id, credit_ids)))}


def _earlier(person: Any, earlier: Any) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        earlier.program_id == person.c.program_id,
        earlier.occurred_at < person.c.occurred_at,
        earlier.trust >= Trust.SIGNED,
        sa.not_(earlier.is_test),
    )
