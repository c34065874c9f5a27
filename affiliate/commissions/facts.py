"""The SELECTs from which rates are computed: credits with their orders, plans, counters, customers, order events."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.attribution.models import ORIGIN, Attribution, Credit
from affiliate.commissions import counters, maturity, terms
from affiliate.commissions.counters import Tally
from affiliate.commissions.life import CommissionStatus
from affiliate.commissions.maturity import Milestone
from affiliate.commissions.models import Commission, CommissionPlan, PartnerTerms
from affiliate.commissions.orders import Item, Order
from affiliate.commissions.queries import settled
from affiliate.commissions.terms import Period, Plan
from affiliate.currencies import queries as currencies
from affiliate.currencies.convert import Rates
from affiliate.fraud.judging import Ruling
from affiliate.fraud.signals import Verdict
from affiliate.ingest.models import Conversion, OrderEvent, OrderEventType, Trust
from affiliate.programs.models import Program
from affiliate.programs.rules import ValidationStart

NOT_COUNTED = frozenset(
    {CommissionStatus.TEST, CommissionStatus.UNVERIFIED, CommissionStatus.REVERSED, CommissionStatus.DECLINED}
)
"""Commissions whose orders no counter counts."""

_MILESTONES = {OrderEventType(milestone.value): milestone for milestone in Milestone}
_EVER = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class CreditFacts:
    """A partner's credit with all that decides its commission."""

    order: Order
    origin: Mapping[str, Any]  # the columns of `attribution.models.Origin`
    credit_id: UUID
    attribution_id: UUID
    conversion_id: UUID
    program_id: UUID
    partner_id: UUID
    share_bps: int
    placed_at: datetime
    is_test: bool
    is_verified: bool
    payment_method: str | None
    customer_id: str | None
    program_currency: str
    time_zone: str
    validation_days: int
    validation_start: ValidationStart
    has_commission: bool
    ruling: Ruling | None = None  # of the fraud rules; null for tests, and where plans are only tried

    @property
    def is_rejected(self) -> bool:
        """Whether it earns nothing because of a fraud verdict."""
        return self.ruling is not None and self.ruling.verdict is Verdict.REJECT


class Window(NamedTuple):
    """A counter: of a partner in a program, over a half-open period (both ends None: over its lifetime).

    Orders count whatever they are paid by; amounts are those that were counted in this currency.
    """

    program_id: UUID
    partner_id: UUID
    starts_at: datetime | None
    ends_at: datetime | None
    currency: str


def credits_of(session: Session, *, conversion_ids: Collection[UUID]) -> list[CreditFacts]:
    """All credits in force of these conversions: by attribution in the order decided, then by partner, as they are cut."""
    statement = (
        credit_facts()
        .where(settled(session, conversion_ids))
        .order_by(Attribution.decided_at, Credit.attribution_id, Credit.partner_id)
    )
    return [credit(row) for row in session.execute(statement)]


def credit_facts() -> sa.Select[*tuple[Any, ...]]:
    """Credits with their orders and programs, to be narrowed; `credit` reads a row of it."""
    has_commission = sa.exists().where(Commission.credit_id == Credit.id)
    facts: sa.Select[*tuple[Any, ...]] = sa.select(
        Conversion.amount_minor, Conversion.tax_minor, Conversion.shipping_minor, Conversion.currency,
        Conversion.discount_minor, Conversion.items, Conversion.kind, PartnerTerms.group_name,
        Attribution.is_new_customer, *(getattr(Credit, name) for name in ORIGIN),
        Credit.id, Credit.attribution_id, Conversion.id, Conversion.program_id, Credit.partner_id, Credit.share_bps,
        Conversion.occurred_at, Conversion.is_test, Conversion.trust >= Trust.SIGNED, Conversion.payment_method,
        Conversion.customer_id, Program.currency, Program.time_zone, Program.validation_days, Program.validation_start,
        has_commission,
    )  # fmt: skip
    terms_of = sa.and_(PartnerTerms.program_id == Conversion.program_id, PartnerTerms.partner_id == Credit.partner_id)
    return (
        facts.join(Attribution, Attribution.id == Credit.attribution_id)
        .join(Conversion, Conversion.id == Attribution.conversion_id)
        .join(Program, Program.id == Conversion.program_id)
        .outerjoin(PartnerTerms, terms_of)
    )


def credit(row: Sequence[Any]) -> CreditFacts:
    """A row of `credit_facts`."""
    amount, tax, shipping, currency, discount, items, kind, group, is_new, *told = row
    origin, rest = dict(zip(ORIGIN, told, strict=False)), told[len(ORIGIN) :]
    order = Order(
        amount, tax, shipping, currency, discount_minor=discount, items=items_of(items), kind=kind,
        partner_id=rest[4], partner_group=group, link_id=origin["link_id"], coupon_id=origin["coupon_id"],
        is_new_customer=is_new, placed_at=rest[6],
    )  # fmt: skip
    return CreditFacts(order, origin, *rest)


def items_of(stored: Iterable[dict[str, Any]]) -> tuple[Item, ...]:
    """The lines of a conversion."""
    return tuple(Item(item["sku"], item.get("group"), item["amount_minor"]) for item in stored)


def with_customers(session: Session, credits_: Sequence[CreditFacts]) -> list[CreditFacts]:
    """The credits with the first verified order of each named customer in the program."""
    named = {(one.program_id, one.customer_id) for one in credits_ if one.customer_id}
    since = customers_since(session, named=named)
    return [
        replace(one, order=replace(one.order, customer_since=since.get((one.program_id, one.customer_id or ""))))
        for one in credits_
    ]


def customers_since(session: Session, *, named: Collection[tuple[UUID, str]]) -> dict[tuple[UUID, str], datetime]:
    """When these customers, by program and the shop's name for them, first placed a verified order there."""
    if not named:
        return {}
    first = sa.select(Conversion.program_id, Conversion.customer_id, sa.func.min(Conversion.occurred_at)).where(
        Conversion.program_id.in_({program for program, _ in named}),
        Conversion.customer_id.in_({customer for _, customer in named}),
        ~Conversion.is_test,
        Conversion.trust >= Trust.SIGNED,
    )
    rows = session.execute(first.group_by(Conversion.program_id, Conversion.customer_id))
    return {(program, customer): since for program, customer, since in rows if customer}


def rates_for(session: Session, credits_: Sequence[CreditFacts], plans: Mapping[UUID, Sequence[Plan]]) -> Rates:
    """The exchange rates that credits need whose order, plan and program differ in currency; no query where there are none."""
    named: set[str] = set()
    moments = []
    for one in credits_:
        met = {one.order.currency, one.program_currency}
        met |= {plan.currency(one.program_currency) for plan in plans.get(one.program_id, ())}
        if len(met) > 1:
            named |= met
            moments.append(one.placed_at)
    return currencies.rates(session, currencies=named, moments=moments)


def plans_of(session: Session, *, program_ids: Collection[UUID]) -> dict[UUID, list[Plan]]:
    """The published plans of these programs as the rate rules read them, the newest first."""
    rows = session.scalars(
        sa.select(CommissionPlan)
        .where(CommissionPlan.program_id.in_(program_ids), CommissionPlan.effective_from.is_not(None))
        .order_by(CommissionPlan.effective_from.desc())
    )
    found: defaultdict[UUID, list[Plan]] = defaultdict(list)
    for row in rows:
        if row.effective_from is not None:
            found[row.program_id].append(Plan(row.id, row.name, terms.read(row.terms), row.effective_from))
    return found


def tallies(session: Session, *, windows: Collection[Window]) -> dict[Window, Tally]:
    """What the live commissions in each window add up to. One query for all."""
    if not windows:
        return {}
    wanted = _listed(windows)
    is_same = Commission.counted_currency == wanted.c.currency
    base, left = (
        sa.func.sum(sa.case((is_same, column), else_=0))
        for column in (Commission.counted_base_minor, Commission.counted_minor)
    )
    counted = (
        sa.select(wanted.c.number, sa.func.count(), base, left)
        .join(Commission, sa.and_(
            Commission.program_id == wanted.c.program_id, Commission.partner_id == wanted.c.partner_id,
            Commission.earned_at >= wanted.c.starts_at, Commission.earned_at < wanted.c.ends_at,
        ))
        .where(Commission.is_live, Commission.level == 1, Commission.status.not_in(NOT_COUNTED))
        .group_by(wanted.c.number)
    )  # fmt: skip
    by_number = dict(enumerate(windows))
    return {by_number[row[0]]: Tally(row[1], int(row[2]), int(row[3])) for row in session.execute(counted)}


def _listed(windows: Collection[Window]) -> sa.CTE:
    columns = [
        sa.column("number", sa.Integer),
        *(sa.column(name, Commission.program_id.type) for name in ("program_id", "partner_id")),
        *(sa.column(name, Commission.earned_at.type) for name in ("starts_at", "ends_at")),
        sa.column("currency", Commission.counted_currency.type),
    ]
    rows = [
        (number, one.program_id, one.partner_id, one.starts_at or _EVER[0], one.ends_at or _EVER[1], one.currency)
        for number, one in enumerate(windows)
    ]
    return sa.values(*columns, name="windows").data(rows).cte("windows")


def window(one: CreditFacts, plan: Plan, period: Period) -> Window:
    """The counter of this period in which a credit falls under its plan."""
    starts_at, ends_at = counters.bounds(period, at=one.placed_at, zone=one.time_zone) or (None, None)
    return Window(one.program_id, one.partner_id, starts_at, ends_at, plan.currency(one.program_currency))


@dataclass(frozen=True, slots=True)
class Awaiting:
    """A pending commission that awaits something, with what decides when it matures."""

    id: UUID
    conversion_id: UUID
    matures_at: datetime
    awaits: Milestone
    terms: maturity.Terms


def awaiting(session: Session, *, commission_ids: Collection[UUID]) -> list[Awaiting]:
    """Those of the commissions that still await something."""
    columns: sa.Select[*tuple[Any, ...]] = sa.select(
        Commission.id, Commission.conversion_id, Commission.matures_at, Commission.awaits,
        Commission.earned_at, Program.validation_start, Program.validation_days, Conversion.payment_method,
    )  # fmt: skip
    wanted = (
        columns.join(Conversion, Conversion.id == Commission.conversion_id)
        .join(Program, Program.id == Commission.program_id)
        .where(db.among(session, Commission.id, commission_ids), Commission.awaits.is_not(None))
        .where(Commission.status == CommissionStatus.PENDING)
    )
    return [
        Awaiting(row.id, row.conversion_id, row.matures_at, row.awaits, maturity.Terms(*row[4:]))
        for row in session.execute(wanted)
    ]


def events_of(session: Session, *, conversion_ids: Collection[UUID]) -> dict[UUID, dict[Milestone, datetime]]:
    """When these orders were first paid, shipped and delivered, as far as the shop said so."""
    columns = (OrderEvent.conversion_id, OrderEvent.type, sa.func.min(OrderEvent.occurred_at))
    rows = (
        sa.select(*columns)
        .where(
            db.among(session, OrderEvent.conversion_id, conversion_ids),
            OrderEvent.type.in_(list(_MILESTONES)),
            ~OrderEvent.is_test,
        )
        .group_by(OrderEvent.conversion_id, OrderEvent.type)
    )
    found: defaultdict[UUID, dict[Milestone, datetime]] = defaultdict(dict)
    for conversion_id, kind, at in session.execute(rows):
        found[conversion_id][_MILESTONES[kind]] = at
    return found
