"""What pages and the API show of fraud: the queue of a program, and the history of one order. Every list is bounded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts.models import User
from affiliate.attribution.models import Attribution
from affiliate.fraud.models import FraudAppeal, FraudDecision, FraudVerdict
from affiliate.fraud.signals import Verdict
from affiliate.ingest.models import Conversion
from affiliate.partners.models import Enrollment, EnrollmentStatus, Partner

HISTORY_MAX = 50


@dataclass(frozen=True, slots=True)
class Waiting:
    """An order that waits for a manager."""

    conversion_id: UUID
    partner_id: UUID
    order_id: str
    occurred_at: datetime
    partner_name: str
    is_active: bool  # whether the partner takes part; a paused one cannot be paused again
    verdict: Verdict
    reason: str | None
    findings: list[Any]
    answer_by: datetime | None
    appeal: str | None
    decisions: int


@dataclass(frozen=True, slots=True)
class History:
    """Everything that was said about one partner's credit for one order, the newest first."""

    verdicts: Sequence[FraudVerdict]
    decisions: Sequence[tuple[FraudDecision, str | None]]  # with the name of who decided
    appeals: Sequence[FraudAppeal]

    @property
    def present(self) -> FraudVerdict | None:
        """The newest verdict."""
        return self.verdicts[0] if self.verdicts else None

    @property
    def last_decision(self) -> FraudDecision | None:
        """A manager's last word."""
        return self.decisions[0][0] if self.decisions else None

    @property
    def stands(self) -> Verdict | None:
        """What counts now, or will as soon as the stages have passed: the last word of a manager, else the newest verdict."""
        if self.last_decision is not None:
            return self.last_decision.verdict
        return self.present.verdict if self.present else None

    @property
    def open_appeal(self) -> FraudAppeal | None:
        """The appeal that nobody has answered."""
        return next((one for one in self.appeals if one.decision_id is None), None)


def _open() -> sa.Select[*tuple[Any, ...]]:
    """Flags in force, and rejections against which somebody appeals; what was decided a moment ago is not there any more."""
    pair = (
        FraudDecision.conversion_id == FraudVerdict.conversion_id,
        FraudDecision.partner_id == FraudVerdict.partner_id,
    )
    newer = sa.exists().where(
        *pair,
        FraudDecision.decided_at >= FraudVerdict.judged_at,
        FraudDecision.id.is_distinct_from(FraudVerdict.decision_id),
    )
    appealed = sa.and_(
        FraudAppeal.conversion_id == FraudVerdict.conversion_id,
        FraudAppeal.partner_id == FraudVerdict.partner_id,
        FraudAppeal.decision_id.is_(None),
    )
    decisions = sa.select(sa.func.count()).where(*pair).scalar_subquery()
    enrolled = sa.and_(Enrollment.partner_id == Partner.id, Enrollment.program_id == FraudVerdict.program_id)
    columns: tuple[Any, ...] = (
        FraudVerdict.conversion_id, FraudVerdict.partner_id, Conversion.order_id, Conversion.occurred_at, Partner.name,
        sa.func.coalesce(Enrollment.status == EnrollmentStatus.APPROVED, sa.false()), FraudVerdict.verdict, FraudVerdict.reason,
        FraudVerdict.findings, FraudVerdict.answer_by, FraudAppeal.text, decisions,
    )  # fmt: skip
    return (
        sa.select(*columns)
        .select_from(FraudVerdict)
        .join(Attribution, sa.and_(Attribution.id == FraudVerdict.attribution_id, Attribution.is_current))
        .join(Conversion, Conversion.id == FraudVerdict.conversion_id)
        .join(Partner, Partner.id == FraudVerdict.partner_id)
        .outerjoin(Enrollment, enrolled)
        .outerjoin(FraudAppeal, appealed)
        .where(sa.or_(FraudVerdict.verdict == Verdict.FLAG, FraudAppeal.id.is_not(None)), sa.not_(newer))
    )


def waiting(session: Session, *, program_id: UUID, limit: int, appealed: bool = False) -> list[Waiting]:
    """Up to `limit` orders that wait for a manager, those first for which an answer is promised soonest."""
    mine = _open().where(FraudVerdict.program_id == program_id)
    if appealed:
        mine = mine.where(FraudAppeal.id.is_not(None))
    first = mine.order_by(sa.func.coalesce(FraudVerdict.answer_by, FraudAppeal.opened_at), FraudVerdict.id).limit(limit)
    return [Waiting(*row) for row in session.execute(first)]


def counts(session: Session, *, program_id: UUID) -> tuple[int, int]:
    """How many orders wait for a manager, and about how many of them the partner appeals."""
    mine = (
        _open().where(FraudVerdict.program_id == program_id).add_columns(FraudAppeal.id.label("appeal_id")).subquery()
    )
    row = session.execute(sa.select(sa.func.count(), sa.func.count(mine.c.appeal_id)).select_from(mine)).one()
    return row[0], row[1]


def history(session: Session, *, program_id: UUID, conversion_id: UUID, partner_id: UUID) -> History:
    """What was said about one partner's credit."""
    (verdicts, decisions, appeals) = (
        (table.program_id == program_id, table.conversion_id == conversion_id, table.partner_id == partner_id)
        for table in (FraudVerdict, FraudDecision, FraudAppeal)
    )
    judged = (
        sa.select(FraudVerdict).join(Attribution, Attribution.id == FraudVerdict.attribution_id).where(*verdicts)
    ).order_by(Attribution.version.desc())
    decided = (
        sa.select(FraudDecision, User.name).outerjoin(User, User.id == FraudDecision.decided_by_id).where(*decisions)
    )
    appealed = sa.select(FraudAppeal).where(*appeals).order_by(FraudAppeal.id.desc())
    return History(
        session.scalars(judged.limit(HISTORY_MAX)).all(),
        [(row[0], row[1]) for row in session.execute(decided.order_by(FraudDecision.number.desc()).limit(HISTORY_MAX))],
        session.scalars(appealed.limit(HISTORY_MAX)).all(),
    )


def verdicts_of(session: Session, *, conversion_id: UUID, limit: int = HISTORY_MAX) -> Sequence[FraudVerdict]:
    """The verdicts on an order, for all partners and versions, the newest first."""
    newest = sa.select(FraudVerdict).where(FraudVerdict.conversion_id == conversion_id)
    return session.scalars(newest.order_by(FraudVerdict.judged_at.desc(), FraudVerdict.id).limit(limit)).all()
