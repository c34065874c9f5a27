"""What could be paid now and what could not, summed and told apart by the database, so that no page reads every partner.

The run itself is made of `queries.preview`, which decides of each partner by `schedule.why_blocked`; what is told here says
the same of all of them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.commissions.models import Commission, CommissionStatus
from affiliate.ledger.models import AccountName
from affiliate.ledger.total_queries import balances_of_partners
from affiliate.partners.models import Partner
from affiliate.payouts import queries, taxing
from affiliate.payouts.models import PaperState, Payout, PayoutStatus
from affiliate.payouts.queries import Policy
from affiliate.payouts.schedule import Blocked, Due, group, why_blocked
from affiliate.programs.models import Program
from affiliate.taxes import queries as tax_queries
from affiliate.taxes.models import TaxProfile, TaxSettings

READ_AT_ONCE = 2_000
"""So many partners are in memory while their taxes are added up."""


@dataclass(frozen=True, slots=True)
class Payable:
    """What a run proposed now would pay, and to how many; and who waits only because corrections of older papers take more."""

    total_minor: int
    partners: int
    overtaxed: Sequence[UUID] = ()


@dataclass(frozen=True, slots=True)
class Basis:
    """What decides who is paid: the program, until when what was approved counts, its tax settings, if any, and the moment."""

    program: Program
    policy: Policy
    settings: TaxSettings | None
    now: datetime

    @property
    def until(self) -> datetime:
        """What was approved by then is paid."""
        return self.policy.until(self.now)


def basis(session: Session, *, program: Program, now: datetime) -> Basis:
    """What decides who of a program is paid now."""
    settings = tax_queries.settings_of(session, program_id=program.id)
    return Basis(program, queries.policy_of(session, program_id=program.id), settings, now)


def payable(session: Session, here: Basis) -> Payable:
    """The sum of a run as it would be proposed now. Taxes are reckoned partner by partner, so only with them they are read, by parts."""
    rows = due_rows(here)
    if here.settings is not None:
        return _taxed(session, here, sa.select(rows).where(_is_ready(rows, here)))
    return Payable(*session.execute(sum_rows(rows, here)).one())


def sum_rows(rows: sa.FromClause, here: Basis) -> sa.Select[*tuple[Any, ...]]:
    """One row, what `payable` says of a program without taxes: the sum, and of how many partners."""
    ready = sa.select(_net(rows).label("net")).where(_is_ready(rows, here)).subquery()
    total = sa.cast(sa.func.coalesce(sa.func.sum(ready.c.net), 0), sa.BigInteger)
    return sa.select(total.label("total"), sa.func.count().label("number")).select_from(ready)


def _taxed(session: Session, here: Basis, ready: sa.Select[*tuple[Any, ...]]) -> Payable:
    total_minor, partners, overtaxed = 0, 0, []
    for rows in session.execute(ready, execution_options={"yield_per": READ_AT_ONCE}).partitions():
        dues = _dues(session, here, [row.partner_id for row in rows])
        split = group(dues, minimum_minor=here.program.payout_min_minor, now=here.now)
        total_minor, partners = total_minor + split.total_minor, partners + len(split.payable)
        overtaxed += [due.partner_id for due, _reason in split.blocked]
    return Payable(total_minor, partners, overtaxed)


def due_rows(here: Basis) -> sa.CTE:
    """What each partner is due by now, before taxes, to be told apart and summed: read once, however often it is asked for.

    Out of the books, which have added it up: no page reads each commission that waits. The run does, and the proof holds both
    against one another.
    """
    program = here.program
    lies, since = balances_of_partners(program.id, name=AccountName.APPROVED, currency=program.currency)
    stored = lies.subquery()
    parts = (
        sa.select(stored.c.partner_id, stored.c.minor.label("earned")).subquery(),
        _earned(since, _held(program), _late(here)),
    )
    return queries.rows_told(program, (*parts, *queries.debt_parts(program.id))).cte("dues")


def _earned(*moves: sa.Select[UUID, int]) -> sa.Subquery:
    """Few rows, of which a partner may have several."""
    every = sa.union_all(*moves).subquery()
    total = sa.cast(sa.func.sum(every.c.minor), sa.BigInteger).label("earned")
    return sa.select(every.c.partner_id, total).group_by(every.c.partner_id).subquery()


def _held(program: Program) -> sa.Select[UUID, int]:
    """What a proposed run holds is taken off."""
    mine = (Payout.program_id == program.id, Payout.status == PayoutStatus.PROPOSED)
    return sa.select(Payout.partner_id, -Payout.earned_minor).where(*mine, Payout.currency == program.currency)


def _late(here: Basis) -> sa.Select[UUID, int]:
    """What was approved too late for a run now is taken off."""
    late = (
        Commission.program_id == here.program.id,
        Commission.status == CommissionStatus.APPROVED,
        Commission.approved_at > here.until,
        Commission.currency == here.program.currency,
    )
    left = sa.cast(sa.func.sum(Commission.amount_minor - Commission.reversed_minor), sa.BigInteger)
    return sa.select(Commission.partner_id, -left).where(*late).group_by(Commission.partner_id)


def ready_rows(session: Session, rows: sa.CTE, here: Basis, *, but: Collection[UUID]) -> sa.Select[*tuple[Any, ...]]:
    """Who of them could be paid now: rows of `id` and `partner_id` (both the partner's), `name`, and `at`, what is due before taxes.

    `but`: the overtaxed.
    """
    return _keys(rows, "due").where(_is_ready(rows, here), ~_among(session, rows, but))


def left_rows(
    session: Session, rows: sa.CTE, here: Basis, *, overtaxed: Collection[UUID]
) -> sa.CompoundSelect[*tuple[Any, ...]]:
    """Who is left out: rows as those of `ready_rows`, and what they are of as `kind`: a due, an awaited payout or what is under review."""
    blocked = _keys(rows, "due").where(sa.or_(~_is_ready(rows, here), _among(session, rows, overtaxed)))
    waits = (
        Payout.program_id == here.program.id,
        Payout.status == PayoutStatus.PROPOSED,
        Payout.paper == PaperState.AWAITED,
    )
    awaited = sa.select(sa.literal("awaited"), Payout.id, Payout.partner_id, Partner.name, Payout.amount_minor)
    held = queries.review_rows(here.program.id).subquery()
    reviewed = sa.select(sa.literal("review"), held.c.id, held.c.partner_id, held.c.name, held.c.amount_minor)
    return sa.union_all(blocked, awaited.join(Partner, Partner.id == Payout.partner_id).where(*waits), reviewed)


def dues_of(session: Session, here: Basis, *, partner_ids: Collection[UUID]) -> dict[UUID, tuple[Due, Blocked | None]]:
    """What these partners are due with their taxes, and why each is not paid now, if it is not."""
    if not partner_ids:
        return {}
    minimum: dict[str, Any] = {"minimum_minor": here.program.payout_min_minor, "now": here.now}
    return {due.partner_id: (due, why_blocked(due, **minimum)) for due in _dues(session, here, partner_ids)}


def _dues(session: Session, here: Basis, partner_ids: Collection[UUID]) -> Sequence[Due]:
    """With their taxes."""
    dues = queries.dues(session, program=here.program, until=here.until, partner_ids=partner_ids)
    if here.settings is None:
        return dues
    clawbacks = queries.open_clawbacks(here.program.id)
    return taxing.taxed(session, program=here.program, dues=dues, clawbacks=clawbacks, now=here.now)


def _net(rows: sa.FromClause) -> sa.ColumnElement[int]:
    """What is due before taxes."""
    return sa.cast(rows.c.earned_minor - rows.c.clawed_back_minor, sa.BigInteger)


def _keys(rows: sa.CTE, kind: str) -> sa.Select[*tuple[Any, ...]]:
    columns = (rows.c.partner_id.label("id"), rows.c.partner_id, rows.c.partner_name.label("name"))
    return sa.select(sa.literal(kind).label("kind"), *columns, _net(rows).label("at"))


def _among(session: Session, rows: sa.CTE, partner_ids: Collection[UUID]) -> sa.ColumnElement[bool]:
    """As a value: turned round, a comparison with any of an array would ask whether one of it is another."""
    return sa.func.coalesce(db.among(session, rows.c.partner_id, partner_ids), sa.false())


def _is_ready(rows: sa.FromClause, here: Basis) -> sa.ColumnElement[bool]:
    """Whether `schedule.why_blocked` finds no reason, taxes aside."""
    tests = [
        rows.c.is_active,
        rows.c.block_reason.is_(None),
        _net(rows) >= max(here.program.payout_min_minor, 1),
        rows.c.method_id.is_not(None),
        rows.c.usable_from <= here.now,
    ]
    if here.settings is not None and here.settings.demands_profile:
        present = (TaxProfile.program_id == here.program.id, TaxProfile.replaced_at.is_(None))
        tests.append(sa.exists().where(*present, TaxProfile.partner_id == rows.c.partner_id))
    return sa.func.coalesce(sa.and_(*tests), sa.false())
