"""What judging reads, for a whole batch at a time: the credits, the settings, and what was decided and promised before."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.attribution.models import Attribution, Credit
from affiliate.fraud import policy
from affiliate.fraud.models import FraudAppeal, FraudDecision, FraudSettings, FraudVerdict
from affiliate.fraud.policy import Policy
from affiliate.fraud.signals import Verdict
from affiliate.ingest.models import Conversion

Pair = tuple[UUID, UUID]
"""A conversion and a partner who is credited for it."""


@dataclass(frozen=True, slots=True)
class CreditRow:
    """A partner's credit with the facts of its order."""

    attribution_id: UUID
    partner_id: UUID
    click_id: UUID | None
    coupon_id: UUID | None
    conversion_id: UUID
    program_id: UUID
    order_id: str
    occurred_at: datetime
    received_at: datetime
    trust: int
    amount_minor: int
    tax_minor: int
    shipping_minor: int
    currency: str
    click_refusal: str | None
    email_hash: str | None

    @property
    def pair(self) -> Pair:
        """The order and the partner."""
        return self.conversion_id, self.partner_id


_CREDIT = (Credit.attribution_id, Credit.partner_id, Credit.click_id, Credit.coupon_id, Conversion.id)
_ORDER = (
    *(Conversion.program_id, Conversion.order_id, Conversion.occurred_at, Conversion.received_at, Conversion.trust),
    *(Conversion.amount_minor, Conversion.tax_minor, Conversion.shipping_minor, Conversion.currency),
    *(Conversion.click_refusal, Conversion.email_hash),
)


def credited() -> sa.Select[*tuple[Any, ...]]:
    """Credits in force of real orders, each with its order."""
    in_force = sa.and_(Attribution.id == Credit.attribution_id, Attribution.is_current)
    columns: tuple[Any, ...] = (*_CREDIT, *_ORDER)
    joined = sa.select(*columns).select_from(Conversion).join(Attribution, Attribution.conversion_id == Conversion.id)
    return joined.join(Credit, in_force).where(Conversion.is_test.is_(False))


def credits_of(session: Session, *, conversion_ids: Collection[UUID]) -> list[CreditRow]:
    """The credits in force of these conversions, but for tests and for those that will be attributed again first."""
    settled = Attribution.conversion_revision == Conversion.revision
    rows = session.execute(credited().where(settled, db.among(session, Conversion.id, conversion_ids)))
    return [CreditRow(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last credit of a period that was looked at."""

    occurred_at: datetime
    conversion_id: UUID
    partner_id: UUID

    @classmethod
    def at(cls, row: CreditRow) -> "Cursor":
        """Behind this credit."""
        return cls(row.occurred_at, row.conversion_id, row.partner_id)


_PLACE = (Conversion.occurred_at, Conversion.id, Credit.partner_id)


def credits_between(
    session: Session, *, program_id: UUID, starts_at: datetime, ends_at: datetime, after: Cursor | None, limit: int
) -> list[CreditRow]:
    """The next credits of a program's orders in a half-open period, the oldest first."""
    # The place is of two tables: of itself no index begins there, and each batch would read all before it again.
    wanted = credited().where(*_of_period(program_id, after.occurred_at if after else starts_at, ends_at))
    if after is not None:
        marks = zip(_PLACE, (after.occurred_at, after.conversion_id, after.partner_id), strict=True)
        wanted = wanted.where(sa.tuple_(*_PLACE) > sa.tuple_(*(sa.literal(mark, by.type) for by, mark in marks)))
    return [CreditRow(*row) for row in session.execute(wanted.order_by(*_PLACE).limit(limit))]


def credit_count(
    session: Session, *, program_id: UUID, starts_at: datetime, ends_at: datetime, most: int | None = None
) -> int:
    """How many credits `credits_between` gives in all; with `most`, no more are counted."""
    found = credited().with_only_columns(Credit.id).where(*_of_period(program_id, starts_at, ends_at)).limit(most)
    return session.scalar(sa.select(sa.func.count()).select_from(found.subquery())) or 0


def _of_period(program_id: UUID, starts_at: datetime, ends_at: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return Conversion.program_id == program_id, Conversion.occurred_at >= starts_at, Conversion.occurred_at < ends_at


def policy_of(session: Session, *, program_id: UUID, version: int) -> Policy:
    """The settings of a version; the usual ones for version 0."""
    mine = (FraudSettings.program_id == program_id, FraudSettings.version == version)
    return policy.read(session.scalar(sa.select(FraudSettings.document).where(*mine)) or {}, version=version)


def policies(session: Session, *, program_ids: Collection[UUID]) -> dict[UUID, Policy]:
    """The settings in force of each program; the usual ones where it has said nothing."""
    newest = (
        sa.select(FraudSettings.program_id, sa.func.max(FraudSettings.version).label("version"))
        .where(FraudSettings.program_id.in_(program_ids))
        .group_by(FraudSettings.program_id)
        .subquery()
    )
    same = sa.and_(FraudSettings.program_id == newest.c.program_id, FraudSettings.version == newest.c.version)
    rows = session.scalars(sa.select(FraudSettings).join(newest, same))
    found = {row.program_id: policy.read(row.document, version=row.version) for row in rows}
    return {program_id: found.get(program_id) or policy.read({}, version=0) for program_id in program_ids}


def verdicts_of(session: Session, *, attribution_ids: Collection[UUID]) -> list[FraudVerdict]:
    """The verdicts under these attributions, as they stand in the database."""
    return list(
        session.scalars(sa.select(FraudVerdict).where(db.among(session, FraudVerdict.attribution_id, attribution_ids)))
    )


def last_decisions(session: Session, *, conversion_ids: Collection[UUID]) -> dict[Pair, FraudDecision]:
    """The last word of a manager about each order and partner."""
    rows = session.scalars(
        sa.select(FraudDecision)
        .where(db.among(session, FraudDecision.conversion_id, conversion_ids))
        .order_by(FraudDecision.number)
    )
    return {(row.conversion_id, row.partner_id): row for row in rows}


def promises(session: Session, *, conversion_ids: Collection[UUID]) -> dict[Pair, datetime]:
    """Until when an answer was first promised for each order and partner: a new version does not push it back."""
    first = (
        sa.select(FraudVerdict.conversion_id, FraudVerdict.partner_id, sa.func.min(FraudVerdict.answer_by))
        .where(db.among(session, FraudVerdict.conversion_id, conversion_ids), FraudVerdict.answer_by.is_not(None))
        .group_by(FraudVerdict.conversion_id, FraudVerdict.partner_id)
    )
    return {(row[0], row[1]): row[2] for row in session.execute(first) if row[2] is not None}


def to_judge_again(session: Session, *, since: datetime, until: datetime, limit: int) -> Sequence[UUID]:
    """Orders whose second look is due and was not taken: their verdict in force is older than its own date."""
    due = (
        sa.select(FraudVerdict.conversion_id)
        .join(Attribution, sa.and_(Attribution.id == FraudVerdict.attribution_id, Attribution.is_current))
        .where(
            FraudVerdict.recheck_at.between(since, until),
            FraudVerdict.judged_at < FraudVerdict.recheck_at,
            FraudVerdict.verdict != Verdict.REJECT,
        )
        .order_by(FraudVerdict.recheck_at)
        .limit(limit)
    )
    return session.scalars(due).all()


@dataclass(frozen=True, slots=True)
class Case:
    """How one partner's credit for an order stands now, and how often a manager has decided on it."""

    verdict: Verdict
    decisions: int


def case(session: Session, *, program_id: UUID, conversion_id: UUID, partner_id: UUID) -> Case | None:
    """The newest verdict on the credit, if there is one; a manager's later word stands over it."""
    mine = (FraudVerdict.conversion_id == conversion_id, FraudVerdict.partner_id == partner_id)
    judged = sa.select(FraudVerdict.verdict).join(Attribution, Attribution.id == FraudVerdict.attribution_id)
    newest = judged.where(*mine, FraudVerdict.program_id == program_id).order_by(Attribution.version.desc()).limit(1)
    verdict = session.scalar(newest)
    decided = (FraudDecision.conversion_id == conversion_id, FraudDecision.partner_id == partner_id)
    words = session.scalars(sa.select(FraudDecision.verdict).where(*decided).order_by(FraudDecision.number)).all()
    if verdict is None:
        return None
    return Case(words[-1] if words else verdict, len(words))


def to_appeal(
    session: Session, *, program_id: UUID, partner_id: UUID, order_id: str, meant_id: UUID | None
) -> UUID | None:
    """Of the conversions of an order the one that the partner appeals: `meant_id` if it is one of them, else the likeliest.

    Only those are asked that somebody judged for this partner. What is under review comes before what is rejected, and
    both before what is appealed already or passes: there an appeal is refused, with its reason.
    """
    verdicts = (FraudVerdict.conversion_id == Conversion.id, FraudVerdict.partner_id == partner_id)
    judged = sa.select(FraudVerdict.verdict).join(Attribution, Attribution.id == FraudVerdict.attribution_id)
    newest = judged.where(*verdicts).order_by(Attribution.version.desc()).limit(1).scalar_subquery()
    decisions = (FraudDecision.conversion_id == Conversion.id, FraudDecision.partner_id == partner_id)
    decided = sa.select(FraudDecision.verdict).where(*decisions).order_by(FraudDecision.number.desc()).limit(1)
    stands = sa.func.coalesce(decided.scalar_subquery(), newest)
    appealed = sa.exists().where(
        FraudAppeal.conversion_id == Conversion.id,
        FraudAppeal.partner_id == partner_id,
        FraudAppeal.decision_id.is_(None),
    )
    by_verdict = sa.case((stands == Verdict.FLAG, 0), (stands == Verdict.REJECT, 1), else_=3)
    likeliest = sa.case((Conversion.id == meant_id, -1), (appealed, 2), else_=by_verdict)
    mine = (Conversion.program_id == program_id, Conversion.order_id == order_id, sa.not_(Conversion.is_test))
    found = sa.select(Conversion.id).where(*mine, sa.exists().where(*verdicts))
    return session.scalar(found.order_by(likeliest, Conversion.id).limit(1))
