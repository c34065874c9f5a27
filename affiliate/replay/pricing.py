"""What would be left of what credits earn that nobody has yet: by the commissions' own pure rates, less what was lost since.

Refunds, cancellations and reductions of an order take from it as they took from what stands; what was declined or rejected
for a partner stays so.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.attribution.rules import CreditShare
from affiliate.commissions import counters, facts, losses, rates, recruiters, reversals, terms
from affiliate.commissions import queries as commissions
from affiliate.commissions.counters import Tally
from affiliate.commissions.facts import Window
from affiliate.commissions.losses import Losses
from affiliate.commissions.models import PartnerTerms
from affiliate.commissions.orders import Order
from affiliate.commissions.recruiters import Recruiters
from affiliate.commissions.terms import Period, Plan
from affiliate.currencies import queries as currencies
from affiliate.currencies.convert import Rates
from affiliate.ingest.models import Conversion
from affiliate.programs.models import Program


@dataclass(frozen=True, slots=True)
class Wanted:
    """An order with the credits to be priced, and whether its customer is new."""

    conversion_id: UUID
    credits: Sequence[CreditShare]
    is_new_customer: bool | None


@dataclass(frozen=True, slots=True)
class _Book:
    """What a batch is priced by."""

    program: Program
    groups: Mapping[UUID, str | None]
    plans: Sequence[Plan]
    windows: Mapping[tuple[UUID, UUID], Mapping[Period, Window]]  # by order and partner
    tallies: Mapping[Window, Tally]
    exchange: Rates
    recruiters: Recruiters
    losses: Losses
    since: Mapping[tuple[UUID, str], datetime]  # a customer's first order; empty where no plan asks
    ended: Collection[tuple[UUID, UUID]]  # (order, partner)

    def earned(self, one: Wanted, row: Any) -> dict[UUID, int]:
        """What is left for each partner of one order."""
        plan = rates.plan_in_force(self.plans, at=row.occurred_at)
        found: defaultdict[UUID, int] = defaultdict(int)
        before_bps = 0
        for credit in sorted(one.credits, key=lambda credit: credit.partner_id):  # the order in which they are cut
            windows = self.windows[row.id, credit.partner_id]
            order = _order(row, credit, self.groups.get(credit.partner_id), is_new=one.is_new_customer)
            order = replace(order, customer_since=self.since.get((self.program.id, row.customer_id or "")))
            rated = rates.rate(
                order=order,
                share=rates.Share(credit.share_bps, before_bps),
                plan=plan,
                currency=self.program.currency,
                before={period: self.tallies.get(window, Tally()) for period, window in windows.items()},
                **rates.exchanges(self.exchange, order=order, plan=plan, currency=self.program.currency),
            )
            whose = {"program_id": self.program.id, "partner_id": credit.partner_id}
            shares = ((one_id, share) for _, one_id, share in self.recruiters.shares(**whose, plan=plan, rated=rated))
            for partner_id, share in ((credit.partner_id, rated), *shares):
                found[partner_id] += 0 if (row.id, partner_id) in self.ended else self._left(row, share)
            before_bps += credit.share_bps
        return dict(found)

    def _left(self, row: Any, rated: rates.Rated) -> int:
        if not self.losses.of(row.id):
            return rated.amount_minor
        parts = reversals.parts_of(rated.trace, amount_minor=rated.amount_minor, original_minor=row.amount_minor)
        return rated.amount_minor - reversals.due(parts, self.losses.of(row.id))


def price(session: Session, *, program: Program, wanted: Sequence[Wanted]) -> dict[UUID, dict[UUID, int]]:
    """Minor units by order and partner. Counters of tiers and caps are read as they stand."""
    if not wanted:
        return {}
    rows = _conversions(session, [one.conversion_id for one in wanted])
    plans = facts.plans_of(session, program_ids=[program.id]).get(program.id, [])
    windows = _windows(program, plans, wanted, rows)
    tallies = facts.tallies(
        session, windows=list(dict.fromkeys(one for some in windows.values() for one in some.values()))
    )
    met = {
        program.currency,
        *(row.currency for row in rows.values()),
        *(plan.currency(program.currency) for plan in plans),
    }
    moments = [row.occurred_at for row in rows.values()] if len(met) > 1 else []
    exchange = currencies.rates(session, currencies=met, moments=moments)
    book = _Book(
        program, _groups(session, program.id), plans, windows, tallies, exchange, recruiters.of_plans(session, {program.id: plans}),
        losses.losses_of(session, conversion_ids=rows), _customers(session, program, plans, rows), commissions.ended_pairs(session, conversion_ids=rows),
    )  # fmt: skip
    return {one.conversion_id: book.earned(one, rows[one.conversion_id]) for one in wanted}


def _order(row: Any, credit: CreditShare, group: str | None, *, is_new: bool | None) -> Order:
    return Order(
        row.amount_minor, row.tax_minor, row.shipping_minor, row.currency, discount_minor=row.discount_minor,
        items=facts.items_of(row.items), kind=row.kind, partner_id=credit.partner_id, partner_group=group,
        link_id=credit.touch.link_id, coupon_id=credit.touch.id if credit.touch.kind == "coupon" else None,
        is_new_customer=is_new, placed_at=row.occurred_at,
    )  # fmt: skip


def _conversions(session: Session, conversion_ids: Collection[UUID]) -> dict[UUID, Any]:
    columns = (
        Conversion.id, Conversion.amount_minor, Conversion.tax_minor, Conversion.shipping_minor, Conversion.currency,
        Conversion.discount_minor, Conversion.items, Conversion.kind, Conversion.occurred_at, Conversion.customer_id,
    )  # fmt: skip
    found = session.execute(sa.select(*columns).where(db.among(session, Conversion.id, conversion_ids)))
    return {row.id: row for row in found}


def _customers(
    session: Session, program: Program, plans: Sequence[Plan], rows: Mapping[UUID, Any]
) -> dict[tuple[UUID, str], datetime]:
    if not any(terms.asks_about_customers(plan.terms) for plan in plans):
        return {}
    return facts.customers_since(
        session, named={(program.id, row.customer_id) for row in rows.values() if row.customer_id}
    )


def _groups(session: Session, program_id: UUID) -> dict[UUID, str | None]:
    grouped = sa.select(PartnerTerms.partner_id, PartnerTerms.group_name).where(PartnerTerms.program_id == program_id)
    return {row[0]: row[1] for row in session.execute(grouped)}


def _windows(
    program: Program, plans: Sequence[Plan], wanted: Sequence[Wanted], rows: Mapping[UUID, Any]
) -> dict[tuple[UUID, UUID], dict[Period, Window]]:
    """The counters that each credit needs."""
    asked = {plan.id: sorted(terms.periods(plan.terms)) for plan in plans}
    found = {}
    for one in wanted:
        at = rows[one.conversion_id].occurred_at
        plan = rates.plan_in_force(plans, at=at)
        currency = plan.currency(program.currency) if plan else program.currency
        edges = (
            {
                period: counters.bounds(period, at=at, zone=program.time_zone) or (None, None)
                for period in asked[plan.id]
            }
            if plan
            else {}
        )
        for credit in one.credits:
            whose = program.id, credit.partner_id
            found[one.conversion_id, credit.partner_id] = {
                period: Window(*whose, ends[0], ends[1], currency) for period, ends in edges.items()
            }
    return found
