"""What pages and the API show of fraud: the queue of a program, and the history of one order. Every list is bounded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts.models import User
from affiliate.attribution.models import Attribution, Credit
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
    standing: EnrollmentStatus | None
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


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict, and the manager's word that made it so."""

    verdict: FraudVerdict
    decision: FraudDecision | None


_FLAGGED = FraudVerdict.verdict == sa.literal_column(f"'{Verdict.FLAG}'")  # as the partial index says it
_OF_PAIR = (
    FraudDecision.conversion_id == FraudVerdict.conversion_id,
    FraudDecision.partner_id == FraudVerdict.partner_id,
)
_APPEALED = sa.and_(
    FraudAppeal.conversion_id == FraudVerdict.conversion_id,
    FraudAppeal.partner_id == FraudVerdict.partner_id,
    FraudAppeal.decision_id.is_(None),
)


def _in_force(chosen: sa.Select[*tuple[Any, ...]], program_id: UUID) -> sa.Select[*tuple[Any, ...]]:
    """Of a program's verdicts those that count; what was decided a moment ago does not any more."""
    newer = sa.exists().where(
        *_OF_PAIR,
        FraudDecision.decided_at >= FraudVerdict.judged_at,
        FraudDecision.id.is_distinct_from(FraudVerdict.decision_id),
    )
    current = sa.and_(Attribution.id == FraudVerdict.attribution_id, Attribution.is_current)
    return chosen.join(Attribution, current).where(FraudVerdict.program_id == program_id, sa.not_(newer))


def _rows(program_id: UUID, which: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    decisions = sa.select(sa.func.count()).where(*_OF_PAIR).scalar_subquery()
    enrolled = sa.and_(Enrollment.partner_id == Partner.id, Enrollment.program_id == FraudVerdict.program_id)
    columns: tuple[Any, ...] = (
        FraudVerdict.conversion_id, FraudVerdict.partner_id, Conversion.order_id, Conversion.occurred_at, Partner.name,
        Enrollment.status, FraudVerdict.verdict, FraudVerdict.reason,
        FraudVerdict.findings, FraudVerdict.answer_by, FraudAppeal.text, decisions,
    )  # fmt: skip
    shown = sa.select(*columns).select_from(FraudVerdict).outerjoin(FraudAppeal, _APPEALED)
    shown = shown.join(Conversion, Conversion.id == FraudVerdict.conversion_id)
    shown = shown.join(Partner, Partner.id == FraudVerdict.partner_id).outerjoin(Enrollment, enrolled)
    return _in_force(shown, program_id).where(which)


def appealed_rejections(session: Session, *, program_id: UUID, limit: int) -> list[Waiting]:
    """Up to `limit` orders whose rejection a partner appeals, the oldest appeal first."""
    rejected = _rows(program_id, sa.and_(sa.not_(_FLAGGED), FraudAppeal.id.is_not(None)))
    oldest = rejected.order_by(FraudAppeal.opened_at, FraudVerdict.id).limit(limit)
    return [Waiting(*row) for row in session.execute(oldest)]


def under_review(*, program_id: UUID, appealed: bool = False) -> sa.Select[*tuple[Any, ...]]:
    """The orders under review, as rows of what `Waiting` takes; without order or limit."""
    return _rows(program_id, sa.and_(_FLAGGED, FraudAppeal.id.is_not(None)) if appealed else _FLAGGED)


def all_waiting(session: Session, *, program_id: UUID, limit: int, appealed: bool = False) -> list[Waiting]:
    """Up to `limit` orders that wait for a manager: appeals against rejections, then what is under review, the soonest promise first."""
    soonest = under_review(program_id=program_id, appealed=appealed).order_by(FraudVerdict.answer_by, FraudVerdict.id)
    found = appealed_rejections(session, program_id=program_id, limit=limit)
    return [*found, *(Waiting(*row) for row in session.execute(soonest.limit(limit)))][:limit]


def counts(session: Session, *, program_id: UUID) -> tuple[int, int]:
    """How many orders wait for a manager, and about how many of them the partner appeals."""
    waiting, appealed = session.execute(sa.select(*counted(program_id))).one()
    return waiting, appealed


def counted(program_id: UUID) -> tuple[sa.ColumnElement[int], sa.ColumnElement[int]]:
    """The same two numbers as columns: every page of the console asks for them, among others, in one statement."""
    number = sa.select(sa.func.count()).select_from(FraudVerdict)
    of_flags = _in_force(number, program_id).where(_FLAGGED)
    of_appeals = _in_force(number.join(FraudAppeal, _APPEALED), program_id).where(FraudAppeal.program_id == program_id)
    of_both = of_appeals.where(_FLAGGED)
    flagged, appealed, both = (each.scalar_subquery() for each in (of_flags, of_appeals, of_both))
    return flagged + appealed - both, appealed


def promised(program_id: UUID) -> sa.Select[datetime | None]:
    """By when the first answer to an order under review is promised: a statement for others to ask with theirs."""
    flagged = FraudVerdict.verdict == sa.literal_column(f"'{Verdict.FLAG}'")  # as the partial index says it
    current = sa.and_(Attribution.id == FraudVerdict.attribution_id, Attribution.is_current)
    found = sa.select(FraudVerdict.answer_by).join(Attribution, current)
    mine = found.where(FraudVerdict.program_id == program_id, flagged, FraudVerdict.answer_by.is_not(None))
    return mine.order_by(FraudVerdict.answer_by).limit(1)


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
    newest = decided.order_by(FraudDecision.number.desc()).limit(HISTORY_MAX)
    said = session.scalars(judged.limit(HISTORY_MAX)).all()
    words = [(row[0], row[1]) for row in session.execute(newest)]
    if not words and all(one.verdict is Verdict.PASS for one in said):
        return History(said, words, [])  # nobody ever had anything to appeal against
    appealed = sa.select(FraudAppeal).where(*appeals).order_by(FraudAppeal.id.desc())
    return History(said, words, session.scalars(appealed.limit(HISTORY_MAX)).all())


def verdicts_of(session: Session, *, conversion_id: UUID, limit: int = HISTORY_MAX) -> Sequence[FraudVerdict]:
    """The verdicts on an order, for all partners and versions, the newest first."""
    newest = sa.select(FraudVerdict).where(FraudVerdict.conversion_id == conversion_id)
    return session.scalars(newest.order_by(FraudVerdict.judged_at.desc(), FraudVerdict.id).limit(limit)).all()


def ruling_on(session: Session, *, credit_id: UUID) -> Ruling | None:
    """The verdict on a credit; none for tests."""
    same = sa.and_(Credit.attribution_id == FraudVerdict.attribution_id, Credit.partner_id == FraudVerdict.partner_id)
    found = sa.select(FraudVerdict, FraudDecision).join(Credit, same).where(Credit.id == credit_id)
    row = session.execute(found.outerjoin(FraudDecision, FraudDecision.id == FraudVerdict.decision_id)).one_or_none()
    return None if row is None else Ruling(row[0], row[1])
