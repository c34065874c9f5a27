"""Lists of commissions and payouts with what people recognise them by: order, link, coupon."""

import enum
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.commissions.maturity import Milestone
from affiliate.commissions.models import (
    Commission,
    CommissionAdjustment,
    CommissionPlan,
    CommissionReason,
    CommissionStatus,
)
from affiliate.db import UtcDateTime
from affiliate.ingest.models import Conversion
from affiliate.links.models import Coupon, Link
from affiliate.money import Money
from affiliate.payouts.models import Payout, PayoutStatus

CLAWBACKS_MAX = 500
READ_AT_ONCE = 2_000
"""The sales of a page that a file reads."""

S = TypeVar("S", bound=enum.StrEnum)


class Order(enum.StrEnum):
    """How a list of sales is sorted; a minus means the other way round."""

    NEWEST = "-date"
    OLDEST = "date"
    LARGEST = "-amount"
    SMALLEST = "amount"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which commissions: a partner's in a program, perhaps only those of a link, a coupon, an order, or of orders from `starts_at` up to `ends_at`.

    `sub1` to `referrer_host` are what their clicks told; empty text asks for those of which it is not known.
    """

    program_id: UUID
    partner_id: UUID
    link_id: UUID | None = None
    coupon_id: UUID | None = None
    order_id: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    sub1: str | None = None
    creative: str | None = None
    country: str | None = None
    device: str | None = None
    referrer_host: str | None = None


@dataclass(frozen=True, slots=True)
class Pile:
    """Commissions or payouts in one state: how many, how much in minor units, and the newest instant where it matters."""

    count: int = 0
    amount_minor: int = 0
    last_at: datetime | None = None

    def __add__(self, other: "Pile") -> "Pile":
        """Both together."""
        last_at = max(filter(None, (self.last_at, other.last_at)), default=None)
        return Pile(self.count + other.count, self.amount_minor + other.amount_minor, last_at)


@dataclass(frozen=True, slots=True)
class Sale:
    """One commission as a line of a list. `left` is what remains after reversals; `link` and `coupon` are their names."""

    commission_id: UUID
    order_id: str
    earned_at: datetime
    matures_at: datetime
    awaits: Milestone | None
    approved_at: datetime | None
    paid_at: datetime | None
    paid: Money
    amount: Money
    left: Money
    status: CommissionStatus
    reason: CommissionReason | None
    link_id: UUID | None
    link_code: str | None
    link: str | None
    coupon: str | None


@dataclass(frozen=True, slots=True)
class Taken:
    """What a payout took back of an earlier commission."""

    commission_id: UUID
    order_id: str
    amount: Money
    taken_at: datetime


_TOLD = (Commission.sub1, Commission.creative, Commission.country, Commission.device, Commission.referrer_host)
_LEFT = Commission.amount_minor - Commission.reversed_minor
_SORT: dict[Order, tuple[Any, Any]] = {
    Order.NEWEST: (Commission.earned_at.desc(), Commission.id.desc()),
    Order.OLDEST: (Commission.earned_at.asc(), Commission.id.asc()),
    Order.LARGEST: (_LEFT.desc(), Commission.id.desc()),
    Order.SMALLEST: (_LEFT.asc(), Commission.id.asc()),
}


def sales(
    session: Session,
    *,
    wanted: Wanted,
    status: CommissionStatus | None = None,
    order: Order = Order.NEWEST,
    limit: int,
    offset: int = 0,
) -> list[Sale]:
    """The wanted commissions that are in force, in one status if given."""
    found = _sales().where(*_conditions(wanted)).order_by(*_SORT[order]).limit(limit).offset(offset)
    return [
        _sale(row) for row in session.execute(found if status is None else found.where(Commission.status == status))
    ]


def every_sale(
    session: Session, *, wanted: Wanted, status: CommissionStatus | None = None, order: Order = Order.NEWEST
) -> Iterator[list[Sale]]:
    """All that `sales` would give without a limit, at most READ_AT_ONCE at a time: each page begins beside the last row of the one before."""
    found = _sales().where(*_conditions(wanted)).order_by(*_SORT[order]).limit(READ_AT_ONCE)
    if status is not None:
        found = found.where(Commission.status == status)
    page = [_sale(row) for row in session.execute(found)]
    while page:
        yield page
        if len(page) < READ_AT_ONCE:
            return
        page = [_sale(row) for row in session.execute(found.where(_beyond(page[-1], order)))]


def _beyond(last: Sale, order: Order) -> sa.ColumnElement[bool]:
    by_day = order in {Order.NEWEST, Order.OLDEST}
    by: Any = Commission.earned_at if by_day else _LEFT
    mark = last.earned_at if by_day else last.left.amount_minor
    here = sa.tuple_(by, Commission.id)
    there = sa.tuple_(sa.literal(mark, by.type), sa.literal(last.commission_id, Commission.id.type))
    return here > there if order in {Order.OLDEST, Order.SMALLEST} else here < there


def piles(session: Session, *, wanted: Wanted) -> dict[CommissionStatus, Pile]:
    """How many of the wanted commissions are in each status and what is left of them; every status is there."""
    rows = session.execute(_piles(wanted))
    return _every(CommissionStatus, {CommissionStatus(status): _pile(row) for status, *row in rows})


def payout_piles(
    session: Session, *, program_id: UUID, partner_id: UUID, paid_since: datetime | None = None
) -> dict[PayoutStatus, Pile]:
    """A partner's payouts by state (those paid at or after `paid_since`, if given) and when the last one was paid."""
    rows = session.execute(_payout_piles(program_id, partner_id, paid_since))
    return _every(PayoutStatus, {PayoutStatus(status): _pile(row) for status, *row in rows})


def all_piles(
    session: Session, *, wanted: Wanted, paid_since: datetime
) -> tuple[dict[CommissionStatus, Pile], dict[PayoutStatus, Pile]]:
    """`piles` and `payout_piles` in one trip."""
    commissions = _piles(wanted).add_columns(sa.literal("commission"))
    payouts = _payout_piles(wanted.program_id, wanted.partner_id, paid_since).add_columns(sa.literal("payout"))
    found: dict[str, dict[str, Pile]] = {"commission": {}, "payout": {}}
    for status, *row, kind in session.execute(sa.union_all(commissions, payouts)):
        found[kind][status] = _pile(row)
    by_status = {CommissionStatus(status): pile for status, pile in found["commission"].items()}
    by_state = {PayoutStatus(status): pile for status, pile in found["payout"].items()}
    return _every(CommissionStatus, by_status), _every(PayoutStatus, by_state)


def _piles(wanted: Wanted) -> sa.Select[Any]:
    left = sa.cast(sa.func.coalesce(sa.func.sum(_LEFT), 0), sa.BigInteger)
    never = sa.cast(sa.null(), UtcDateTime)
    columns: tuple[Any, ...] = (sa.type_coerce(Commission.status, sa.String), sa.func.count(), left, never)
    return sa.select(*columns).where(*_conditions(wanted)).group_by(Commission.status)


def _payout_piles(program_id: UUID, partner_id: UUID, paid_since: datetime | None) -> sa.Select[Any]:
    mine = [Payout.program_id == program_id, Payout.partner_id == partner_id]
    if paid_since is not None:
        mine.append(sa.or_(Payout.status != PayoutStatus.PAID, Payout.paid_at >= paid_since))
    summed = sa.cast(sa.func.coalesce(sa.func.sum(Payout.amount_minor - Payout.withheld_minor), 0), sa.BigInteger)
    columns: tuple[Any, ...] = (
        sa.type_coerce(Payout.status, sa.String),
        sa.func.count(),
        summed,
        sa.func.max(Payout.paid_at),
    )
    return sa.select(*columns).where(*mine).group_by(Payout.status)


def _pile(row: Sequence[Any]) -> Pile:
    count, amount_minor, last_at = row
    return Pile(count, int(amount_minor), last_at)


def _every(statuses: type[S], found: Mapping[S, Pile]) -> dict[S, Pile]:
    return {status: found.get(status, Pile()) for status in statuses}


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found: list[Any] = [
        Commission.program_id == wanted.program_id,
        Commission.partner_id == wanted.partner_id,
        Commission.is_live,
    ]
    if wanted.link_id is not None:
        found.append(Commission.link_id == wanted.link_id)
    if wanted.coupon_id is not None:
        found.append(Commission.coupon_id == wanted.coupon_id)
    if wanted.order_id is not None:
        named = (Conversion.program_id == wanted.program_id, Conversion.order_id == wanted.order_id)
        found.append(Commission.conversion_id.in_(sa.select(Conversion.id).where(*named)))
    if wanted.starts_at is not None:
        found.append(Commission.earned_at >= wanted.starts_at)
    if wanted.ends_at is not None:
        found.append(Commission.earned_at < wanted.ends_at)
    asked = ((column, getattr(wanted, column.key)) for column in _TOLD)  # all of the index of a partner's commissions
    return found + [column == value for column, value in asked if value is not None]


def knows_creative(session: Session, *, program_id: UUID, partner_id: UUID, creative: str) -> bool:
    """Whether a partner has a commission by this creative."""
    mine = (Commission.program_id == program_id, Commission.partner_id == partner_id, Commission.creative == creative)
    return bool(session.scalar(sa.select(sa.exists().where(*mine))))


def sales_of_payout(session: Session, *, payout_id: UUID, limit: int, offset: int = 0) -> list[Sale]:
    """The commissions that a payout consists of, newest first.

    `left` is what each brought into it: what was taken since is owed back, and does not change the payout.
    """
    clawed_back = (
        sa.select(sa.func.coalesce(sa.func.sum(CommissionAdjustment.amount_minor), 0))
        .where(CommissionAdjustment.commission_id == Commission.id, CommissionAdjustment.is_clawback)
        .correlate(Commission)
        .scalar_subquery()
    )
    found = _lines(_LEFT + clawed_back).where(Commission.payout_id == payout_id).order_by(*_SORT[Order.NEWEST])
    return [_sale(row) for row in session.execute(found.limit(limit).offset(offset))]


def sale_count_of_payout(session: Session, *, payout_id: UUID) -> int:
    """How many commissions a payout consists of."""
    return session.scalar(sa.select(sa.func.count()).where(Commission.payout_id == payout_id)) or 0


def payouts(
    session: Session,
    *,
    program_id: UUID,
    partner_id: UUID,
    limit: int,
    offset: int = 0,
    statuses: Collection[PayoutStatus] = frozenset(PayoutStatus),
    paid_since: datetime | None = None,
) -> Sequence[Payout]:
    """A partner's payouts in a program of these states (if they are paid, at or after `paid_since`), newest first."""
    found = sa.select(Payout).where(Payout.program_id == program_id, Payout.partner_id == partner_id)
    found = found.where(Payout.status.in_(statuses))
    if paid_since is not None:
        found = found.where(sa.or_(Payout.status != PayoutStatus.PAID, Payout.paid_at >= paid_since))
    newest = found.order_by(Payout.created_at.desc(), Payout.id.desc())
    return session.scalars(newest.limit(limit).offset(offset)).all()


def payout_of(session: Session, *, program_id: UUID, partner_id: UUID, payout_id: UUID) -> Payout | None:
    """One payout, if it is this partner's in this program."""
    mine = (Payout.id == payout_id, Payout.program_id == program_id, Payout.partner_id == partner_id)
    return session.scalar(sa.select(Payout).where(*mine))


def clawbacks_of(session: Session, *, payout_id: UUID) -> list[Taken]:
    """What a payout set off against earlier ones, newest first."""
    return _clawbacks(session, CommissionAdjustment.payout_id == payout_id)


def clawbacks_open(session: Session, *, program_id: UUID, partner_id: UUID) -> list[Taken]:
    """What came back after it was paid, and no payout has set off yet, newest first."""
    mine = (CommissionAdjustment.program_id == program_id, CommissionAdjustment.partner_id == partner_id)
    return _clawbacks(session, *mine, CommissionAdjustment.payout_id.is_(None))


def _clawbacks(session: Session, *which: sa.ColumnElement[bool]) -> list[Taken]:
    columns = (
        CommissionAdjustment.commission_id, Conversion.order_id, CommissionAdjustment.amount_minor, CommissionAdjustment.currency,
        CommissionAdjustment.created_at,
    )  # fmt: skip
    found = (
        sa.select(*columns)
        .join(Commission, Commission.id == CommissionAdjustment.commission_id)
        .join(Conversion, Conversion.id == Commission.conversion_id)
        .where(*which, CommissionAdjustment.is_clawback)
        .where(CommissionAdjustment.amount_minor > 0)
        .order_by(CommissionAdjustment.created_at.desc())
        .limit(CLAWBACKS_MAX)
    )
    return [Taken(row[0], row[1], Money(row[2], row[3]), row[4]) for row in session.execute(found)]


def plans_in_force(session: Session, *, program_ids: Sequence[UUID], now: datetime) -> dict[UUID, CommissionPlan]:
    """What each of the programs pays at this moment; a program without a plan is not there."""
    newest = (
        sa.select(CommissionPlan.program_id, sa.func.max(CommissionPlan.effective_from).label("since"))
        .where(CommissionPlan.program_id.in_(program_ids), CommissionPlan.effective_from <= now)
        .group_by(CommissionPlan.program_id)
        .subquery()
    )
    same = (CommissionPlan.program_id == newest.c.program_id, CommissionPlan.effective_from == newest.c.since)
    found = session.scalars(sa.select(CommissionPlan).join(newest, sa.and_(*same)))
    return {plan.program_id: plan for plan in found}


@cache
def _sales() -> sa.Select[Any]:
    """Built once: it is long, and many pages ask it; what is added to it makes another."""
    return _lines(_LEFT)


def _lines(left: sa.ColumnElement[int]) -> sa.Select[Any]:
    columns: tuple[Any, ...] = (
        Commission.id, Conversion.order_id, Commission.earned_at, Commission.matures_at, Commission.awaits, Commission.approved_at, Commission.paid_at,
        Conversion.amount_minor.label("paid_minor"), Conversion.currency.label("paid_currency"), Commission.amount_minor,
        left.label("left_minor"), Commission.currency, Commission.status, Commission.reason, Commission.link_id,
        Link.code.label("link_code"), Link.name.label("link_name"), Coupon.code.label("coupon"),
    )  # fmt: skip
    return (
        sa.select(*columns)
        .join(Conversion, Conversion.id == Commission.conversion_id)
        .outerjoin(Link, Link.id == Commission.link_id)
        .outerjoin(Coupon, Coupon.id == Commission.coupon_id)
    )


def _sale(row: sa.Row[Any]) -> Sale:
    return Sale(
        commission_id=row.id,
        order_id=row.order_id,
        earned_at=row.earned_at,
        matures_at=row.matures_at,
        awaits=row.awaits,
        approved_at=row.approved_at,
        paid_at=row.paid_at,
        paid=Money(row.paid_minor, row.paid_currency),
        amount=Money(row.amount_minor, row.currency),
        left=Money(int(row.left_minor), row.currency),
        status=row.status,
        reason=row.reason,
        link_id=row.link_id,
        link_code=row.link_code,
        link=(row.link_name or f"/r/{row.link_code}") if row.link_code else None,
        coupon=row.coupon,
    )
