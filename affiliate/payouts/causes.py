"""The second half of the proof: rows held against one another, and against the transfers that they caused."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import sqlalchemy as sa

from affiliate.commissions.life import NEVER_POSTED, CommissionStatus
from affiliate.commissions.models import Commission, CommissionAdjustment
from affiliate.ledger.findings import FINDINGS_MAX
from affiliate.ledger.models import LedgerTransfer
from affiliate.ledger.postings import FAIL_ADDED, FAIL_NETTED, FAIL_WITHHELD, SourceKind, TransferKind
from affiliate.payouts.models import Adjustment, Payout, PayoutRun, PayoutStatus
from affiliate.payouts.queries import bonuses, debts, posted

Query = sa.Select[*tuple[Any, ...]]
SENT = (PayoutStatus.APPROVED, PayoutStatus.PAID)
ADDED_MINOR = Payout.vat_minor + Payout.stamp_minor
SENT_MINOR = Payout.amount_minor - Payout.withheld_minor
_OPEN = (PayoutStatus.PROPOSED, PayoutStatus.APPROVED)


@cache
def checks() -> tuple[tuple[str, str, Query], ...]:
    """Every check: the prefix of an id, a sentence, and the query for its facts, of which a sound history has none."""
    return tuple((prefix, sentence, query.limit(FINDINGS_MAX + 1)) for prefix, sentence, query in _checks())


def _checks() -> Iterator[tuple[str, str, Query]]:
    yield "com", "Commission {} says that {} was taken from it; its adjustments add up to {}.", _reversals()
    yield "com", "Commission {} is {}, but its payout is {}.", _statuses()
    yield (
        "com",
        "Commission {} belongs to another partner, program or currency than its payout.",
        _strangers(Commission),
    )
    yield "man", "Entry {} belongs to another partner, program or currency than its payout.", _strangers(Adjustment)
    yield "pay", "Payout {} says that {} was earned; its commissions and entries add up to {}.", _earned()
    yield "pay", "Payout {} says that {} was netted; its clawbacks and entries add up to {}.", _netted()
    yield "pay", "Payout {} is {}, its run is {}.", _run_statuses()
    yield "run", "Run {} pays {}; its payouts add up to {}.", _run_totals()
    yield "com", "Commission {} calls for an accrual of {}; the ledger has {}.", _accruals()
    yield "adj", "Adjustment {} calls for a movement of {}; the ledger has {}.", _adjusted()
    yield "man", "Entry {} calls for a movement of {}; the ledger has {}.", _entered()
    for name, due, moved in _payout_movements():
        yield (
            "pay",
            f"Payout {{}} calls for {{}} {name}; the ledger has {{}}.",
            _differing(Payout, due, moved, SourceKind.PAYOUT),
        )
    for kind, table in _SOURCES.items():
        yield "led", f"Transfer {{}} was caused by a {kind} that does not exist.", _orphans(kind, table)


_SOURCES: dict[SourceKind, type[Commission | CommissionAdjustment | Payout | Adjustment]] = {
    SourceKind.COMMISSION: Commission,
    SourceKind.ADJUSTMENT: CommissionAdjustment,
    SourceKind.PAYOUT: Payout,
    SourceKind.MANUAL: Adjustment,
}


def _sum(column: Any) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.coalesce(sa.func.sum(column), 0), sa.BigInteger)


def _unequal(owner: Any, due: Any, parts: sa.Subquery) -> Query:
    """Rows whose `due` is not the total of their parts (a subquery of owner id and total)."""
    total = sa.func.coalesce(parts.c.total, 0)
    rows = sa.select(owner.id, due, total).outerjoin(parts, parts.c.owner_id == owner.id)
    return rows.where(due != total)


def _parts(owner_id: Any, amount: Any, *where: Any) -> sa.Subquery:
    parts = sa.select(owner_id.label("owner_id"), _sum(amount).label("total")).where(*where)
    return parts.group_by(owner_id).subquery()


def _reversals() -> Query:
    taken = _parts(CommissionAdjustment.commission_id, CommissionAdjustment.amount_minor)
    return _unequal(Commission, Commission.reversed_minor, taken)


def _statuses() -> Query:
    rows = sa.select(Commission.id, Commission.status, Payout.status)
    wrong = sa.or_(
        Payout.id.is_(None),
        sa.and_(Commission.status == CommissionStatus.IN_PAYOUT, Payout.status.not_in(_OPEN)),
        sa.and_(Commission.status == CommissionStatus.PAID, Payout.status != PayoutStatus.PAID),
    )
    return rows.outerjoin(Payout, Payout.id == Commission.payout_id).where(Commission.payout_id.is_not(None), wrong)


def _strangers(table: type[Commission | Adjustment]) -> Query:
    columns = [table.program_id, table.partner_id, table.currency]
    same = sa.and_(*(column == getattr(Payout, column.key) for column in columns))
    return sa.select(table.id).join(Payout, Payout.id == table.payout_id).where(sa.not_(same))


def _earned() -> Query:
    """A payout's amount was fixed when it was proposed; what was clawed back since is added again."""
    own = _parts(
        CommissionAdjustment.commission_id, CommissionAdjustment.amount_minor, CommissionAdjustment.is_clawback
    )
    then = Commission.amount_minor - Commission.reversed_minor + sa.func.coalesce(own.c.total, 0)
    held = (
        sa.select(Commission.payout_id.label("owner_id"), then.label("part"))
        .outerjoin(own, own.c.owner_id == Commission.id)
        .where(Commission.payout_id.is_not(None))
    )
    return _unequal(Payout, _unless_cancelled(Payout.earned_minor), _together(held, _entries(bonuses())))


def _netted() -> Query:
    clawed = sa.select(
        CommissionAdjustment.payout_id.label("owner_id"), CommissionAdjustment.amount_minor.label("part")
    )
    clawed = clawed.where(CommissionAdjustment.payout_id.is_not(None))
    entries = _entries(debts(), sign=-1)
    return _unequal(Payout, _unless_cancelled(Payout.clawed_back_minor), _together(clawed, entries))


def _entries(which: sa.ColumnElement[bool], *, sign: int = 1) -> Query:
    columns = (Adjustment.payout_id.label("owner_id"), (Adjustment.amount_minor * sign).label("part"))
    return sa.select(*columns).where(which, Adjustment.payout_id.is_not(None))


def _together(*queries: Query) -> sa.Subquery:
    """The parts that these queries name, added up by their owner."""
    parts = sa.union_all(*queries).subquery()
    return sa.select(parts.c.owner_id, _sum(parts.c.part).label("total")).group_by(parts.c.owner_id).subquery()


def _unless_cancelled(amount: Any) -> sa.ColumnElement[int]:
    return sa.case((Payout.status.in_((PayoutStatus.CANCELLED, PayoutStatus.FAILED)), 0), else_=amount)


_FITTING = {
    PayoutStatus.PROPOSED: (PayoutStatus.PROPOSED,),
    PayoutStatus.APPROVED: (PayoutStatus.APPROVED, PayoutStatus.PAID, PayoutStatus.FAILED),
    PayoutStatus.PAID: (PayoutStatus.PAID, PayoutStatus.FAILED),
    PayoutStatus.CANCELLED: (PayoutStatus.CANCELLED, PayoutStatus.FAILED),
}
"""Where the payouts of a run may be that were not taken out of it."""


def _run_statuses() -> Query:
    rows = sa.select(Payout.id, Payout.status, PayoutRun.status).join(PayoutRun, PayoutRun.id == Payout.run_id)
    fits = sa.or_(*(sa.and_(PayoutRun.status == run, Payout.status.in_(those)) for run, those in _FITTING.items()))
    taken_out = sa.and_(Payout.taken_out_at.is_not(None), Payout.status == PayoutStatus.CANCELLED)
    return rows.where(sa.not_(sa.or_(fits, taken_out)))


def _run_totals() -> Query:
    parts = _parts(Payout.run_id, Payout.amount_minor, Payout.taken_out_at.is_(None))
    return _unequal(PayoutRun, PayoutRun.total_minor, parts)


def _accruals() -> Query:
    due = sa.case((Commission.status.in_(NEVER_POSTED), 0), else_=Commission.amount_minor)
    return _differing(Commission, due, _amount_if(TransferKind.ACCRUE), SourceKind.COMMISSION)


def _adjusted() -> Query:
    unposted = sa.select(Commission.id).where(Commission.status.in_(NEVER_POSTED))
    due = sa.case((CommissionAdjustment.commission_id.in_(unposted), 0), else_=CommissionAdjustment.amount_minor)
    moved = _amount_if(TransferKind.REVERSE) + _amount_if(TransferKind.CLAW_BACK)
    return _differing(CommissionAdjustment, due, moved, SourceKind.ADJUSTMENT)


def _entered() -> Query:
    due = sa.case((posted(), sa.func.abs(Adjustment.amount_minor)), else_=0)
    moved = _amount_if(TransferKind.ADJUST) + _amount_if(TransferKind.WRITE_OFF)
    return _differing(Adjustment, due, moved, SourceKind.MANUAL)


def _payout_movements() -> Iterator[tuple[str, Any, sa.ColumnElement[int]]]:
    sent = Payout.status.in_(SENT)
    paid = Payout.status == PayoutStatus.PAID
    for name, amount, kind, leg in (
        ("sent", SENT_MINOR, TransferKind.SEND, 0),
        ("netted", Payout.clawed_back_minor, TransferKind.OFFSET, FAIL_NETTED),
        ("of taxes added", ADDED_MINOR, TransferKind.ADD_TAX, FAIL_ADDED),
        ("withheld", Payout.withheld_minor, TransferKind.WITHHOLD, FAIL_WITHHELD),
    ):
        yield name, sa.case((sent, amount), else_=0), _amount_if(kind) - _amount_if(TransferKind.FAIL, leg=leg)
    yield "settled", sa.case((paid, SENT_MINOR), else_=0), _amount_if(TransferKind.SETTLE)


def _amount_if(kind: TransferKind, *, leg: int = 0) -> sa.ColumnElement[int]:
    """The amount of a transfer of this kind and leg, nothing for others."""
    this = sa.and_(LedgerTransfer.kind == kind, LedgerTransfer.leg == leg)
    return sa.case((this, LedgerTransfer.amount_minor), else_=0)


def _differing(owner: Any, due: Any, moved: sa.ColumnElement[int], kind: SourceKind) -> Query:
    """Rows for which the ledger moved another amount than they call for."""
    caused = _parts(LedgerTransfer.source_id, moved, LedgerTransfer.source_kind == kind)
    return _unequal(owner, due, caused)


def _orphans(kind: SourceKind, table: Any) -> Query:
    rows = sa.select(LedgerTransfer.id).outerjoin(table, table.id == LedgerTransfer.source_id)
    return rows.where(LedgerTransfer.source_kind == kind, table.id.is_(None))
