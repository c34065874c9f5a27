"""Each figure of the program's own pages equals plain Python over the rows: before anything is counted, after it, and after it changed again."""

from collections import defaultdict
from dataclasses import astuple
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import figure_cast
import sqlalchemy as sa
from event_cast import NOW
from figure_cast import DAY, GONE, KEPT, ZONE, Rows, Story, month_of, months_between, part_bps, rounded, without_nothing
from sqlalchemy.orm import Session

from affiliate.accounts.actors import SYSTEM
from affiliate.commissions.models import CommissionStatus
from affiliate.console.queries import views, work
from affiliate.ingest.day_models import ChangedDay
from affiliate.ingest.models import OrderEventType, Trust
from affiliate.ledger import queries as ledger
from affiliate.ledger.models import AccountName
from affiliate.partners.models import Enrollment
from affiliate.payouts.models import CostKind
from affiliate.programs.models import Program
from affiliate.reports import (
    breakdown,
    campaign_sheet,
    campaigning,
    cohort_store,
    cohorts,
    customer_store,
    day_counting,
    funnel_queries,
    goods_queries,
    grids,
    landings,
    margin_store,
    partner_facts,
    products,
    queries,
    shop_days,
    span_counting,
    statuses,
    visitors,
)
from affiliate.reports.campaign_facts import WHOLE, Parts
from affiliate.reports.campaigning import Draft
from affiliate.reports.cohort_metrics import Cell, Kind
from affiliate.reports.day_models import CountedDay, CountedSpan
from affiliate.reports.funnel import Funnel, Stage, lines
from affiliate.reports.funnel_queries import Visits
from affiliate.reports.metrics import METRICS, Facts
from affiliate.reports.models import VisitorKind
from affiliate.reports.periods import Period, last_days

PERIODS = [last_days(9, now=NOW, zone=zone) for zone in (ZONE, "Asia/Kolkata")]
"""In the program's own zone, and in one whose days begin in the midst of an hour."""


def six(facts: Facts) -> figure_cast.Six:
    return (
        facts.clicks_raw,
        facts.clicks_valid,
        facts.conversions,
        facts.revenue_minor,
        facts.earned_minor,
        facts.reversed_minor,
    )


def told(found: dict[Any, Facts]) -> dict[Any, figure_cast.Six]:
    return without_nothing({label: six(facts) for label, facts in found.items()})


def sold(found: dict[Any, Any]) -> dict[Any, Any]:
    """Without their clicks: where these are counted by a job, and it has not run."""
    return without_nothing({label: numbers[2:] for label, numbers in found.items()})


def count(session: Session, now: datetime) -> None:
    """Every job that pages read from."""
    since = NOW - 100 * DAY
    for stretch in visitors.stale(session, since=since, limit=10_000):
        visitors.count(session, stretch=stretch)
    for beginnings in landings.stale(session, since=since, limit=10_000):
        landings.count(session, stretch=beginnings)
    for due in day_counting.due(session, since=NOW.date() - 12 * DAY, now=now, limit=1_000):
        counted = day_counting.count(session, due=due)
        assert counted is not None
        assert day_counting.save(session, counted=counted, now=now)
    for span in span_counting.due(session, since=NOW.date() - 12 * DAY, now=now, limit=100):
        span_counting.count(session, due=span, now=now)
    for program in session.scalars(sa.select(Program)).all():
        here: dict[str, Any] = {"program_id": program.id, "now": now}
        found = [cohort_store.grid_of(session, kind=kind, **here) for kind in Kind]
        found += [
            customer_store.grid_of(session, **here),
            *margin_store.grids_of(session, month=NOW.date().replace(day=1), **here),
        ]
        for grid in found:
            grids.keep(session, grid=grid)


class Held:
    """The product's figures held against those of the rows."""

    def __init__(self, session: Session, story: Story, *, is_counted: bool, is_fresh: bool) -> None:
        """`is_counted`: clicks by device are known; `is_fresh`: what is kept for an hour is of now."""
        self.session, self.story, self.program = session, story, story.program
        self.is_counted, self.is_fresh = is_counted, is_fresh
        self.rows = Rows(session, story.program)
        for period in PERIODS:
            self.asked: dict[str, Any] = {"program_id": self.program.id, "period": period, "currency": "EUR"}
            self.partners(period)
            self.origins(period)
            self.origins_of_a_partner(period)
            self.funnels(period)
            self.items(period)
        self.customers()
        self.cohorts()
        self.margins()
        self.campaigns()
        self.operations()
        self.books()

    def partners(self, period: Period) -> None:
        """The table by partner and by day, with customers, costs and every metric."""
        found = {
            one.partner_id: one.facts for one in partner_facts.facts_by_partner(self.session, **self.asked, limit=10)
        }
        assert told(found) == self.rows.by(period, lambda sale: sale.row.partner_id, lambda click: click.partner_id)
        for partner_id, facts in found.items():
            mine = [sale for sale in self.rows.sales(period) if sale.row.partner_id == partner_id]
            assert (facts.new_customers, facts.known_customers) == self.rows.customers(mine)
            assert facts.spent_minor == self.rows.spent(period, {partner_id})
        days = queries.facts_by_day(self.session, **self.asked)
        assert told(days) == self.rows.by(period, lambda sale: period.day_of(sale.order.occurred_at), lambda click: period.day_of(click.occurred_at.replace(minute=0)))  # fmt: skip
        self.metrics(period)

    def metrics(self, period: Period) -> None:
        """Every metric of the whole program, from its definition in the dictionary."""
        sales, arrivals = self.rows.sales(period), self.rows.arrivals(period)
        raw, valid, orders, revenue, earned, back = self.rows.six(sales, arrivals)
        new, known = self.rows.customers(sales)
        spent, margin = self.rows.spent(period), self.rows.shop_margin(period)
        assert shop_days.margin_bps(self.session, program_id=self.program.id, period=period) == margin
        assert margin is not None
        cost = earned + spent
        expected = {
            "clicks_raw": raw, "clicks_valid": valid, "conversions": orders, "conversion_rate": part_bps(orders, valid),
            "epc": rounded(Decimal(earned * 10) / valid), "rpc": rounded(Decimal(revenue * 10) / valid),
            "aov": rounded(Decimal(revenue) / orders), "revenue": revenue, "earnings": earned, "cost": cost,
            "ecpa": rounded(Decimal(cost) / orders), "roas": part_bps(revenue, cost), "roi": part_bps(revenue - cost, cost),
            "margin": rounded(Decimal(revenue * margin) / 10_000) - cost, "reversal_rate": part_bps(back, earned + back),
            "new_share": part_bps(new, known), "new_customers": new, "rating": None,
        }  # fmt: skip
        every = list(queries.facts_by_day(self.session, **self.asked).values())
        whole = sum(every, Facts("EUR", margin_bps=margin))
        found = {key: metric.of(whole) for key, metric in METRICS.items()}
        assert {key: int(value.scaleb(3)) if isinstance(value, Decimal) else getattr(value, "amount_minor", value) for key, value in found.items()} == expected  # fmt: skip

    def origins(self, period: Period) -> None:
        """Countries, pages, creatives and devices of the whole program."""
        readers: dict[str, Any] = {
            "country": breakdown.facts_by_country, "referrer_host": breakdown.facts_by_source, "device": breakdown.facts_by_device,
        }  # fmt: skip
        for name, read in readers.items():
            expected = self.rows.by(period, lambda sale: sale.told(name), lambda click: figure_cast.told(click, name))  # noqa: B023
            found = told(read(self.session, **self.asked))
            if name == "device" and not self.is_counted:
                found, expected = sold(found), sold(expected)
            assert found == expected, name
        found = told(breakdown.facts_by_coupon(self.session, **self.asked, partner_id=None))
        assert found == self.rows.by(period, lambda sale: sale.credit.coupon_id)
        assert self.story.coupon.id in found
        found = told(breakdown.facts_by_own_creative(self.session, **self.asked, partner_id=None))
        assert found == self.rows.by(period, lambda sale: sale.told("creative"), lambda click: figure_cast.told(click, "creative"))  # fmt: skip

    def origins_of_a_partner(self, period: Period) -> None:
        """The same of each partner, and its links and sub ids."""
        for partner in (self.story.marta, self.story.ewa):
            asked = self.asked | {"partner_id": partner.id}
            links = told(breakdown.facts_by_link(self.session, **asked))
            assert links == self.rows.by(
                period, lambda sale: sale.row.link_id, lambda click: click.link_id, partner=partner
            )
            subs = told(breakdown.facts_by_sub(self.session, **asked))
            assert subs == self.rows.by(period, lambda sale: sale.told("sub1"), lambda click: figure_cast.told(click, "sub1"), partner=partner)  # fmt: skip
            for kind, name in visitors.TOLD.items():
                found = told(breakdown.facts_by_visitor(self.session, **asked, kind=VisitorKind(kind)))
                expected = self.rows.by(period, lambda sale: sale.told(name), lambda click: figure_cast.told(click, name), partner=partner)  # noqa: B023 # fmt: skip
                if not self.is_counted:
                    found, expected = sold(found), sold(expected)
                assert found == expected, name
            own = told(queries.facts_by_day(self.session, **asked))
            assert own == self.rows.by(period, lambda sale: period.day_of(sale.order.occurred_at), lambda click: period.day_of(click.occurred_at.replace(minute=0)), partner=partner)  # fmt: skip

    def funnels(self, period: Period) -> None:
        """All steps of all visits, narrowed to partners, devices and pages; shares and what is left behind."""
        narrowed: list[tuple[dict[str, Any], Any]] = [({}, lambda _click: True)]
        partners = (self.story.marta.id, self.story.ewa.id)
        narrowed += [({"partner_id": one}, lambda click, here=one: click.partner_id == here) for one in partners]
        hosts, kinds = ("blog.example", "news.example"), ("phone", "computer") if self.is_counted else ()
        narrowed += [({"source": host}, lambda click, here=host: click.referrer_host == here) for host in hosts]
        narrowed += [({"device": kind}, lambda click, here=kind: figure_cast.told(click, "device") == here) for kind in kinds]  # fmt: skip
        for wanted, of in narrowed:
            found = funnel_queries.funnel(self.session, visits=Visits(self.program.id, **wanted), period=period)
            assert astuple(found) == self.rows.funnel(period, of=of), wanted
            self.shares(found)
        by_partner = funnel_queries.by_partner(self.session, program_id=self.program.id, period=period, limit=10)
        assert {one.partner_id: astuple(one.funnel) for one in by_partner} == {
            one: self.rows.funnel(period, of=lambda click, here=one: click.partner_id == here) for one in partners
        }  # fmt: skip

    def shares(self, funnel: Funnel) -> None:
        """Each stage against all visits and against the last one that is not smaller; kept orders against those that are decided."""
        visit, product, cart, checkout, order, kept, waiting = astuple(funnel)
        numbers = [visit, product, cart, checkout, order]
        for place, line in enumerate(lines(funnel)[1:5], start=1):
            before = next(number for number in reversed(numbers[:place]) if number >= numbers[place])
            assert line.of_visits_bps == part_bps(numbers[place], visit)
            assert (line.of_before_bps, line.left) == (part_bps(numbers[place], before), before - numbers[place])
            assert line.abandoned_bps == 10_000 - part_bps(numbers[place], before)  # type: ignore[operator] # there were some before
        last = lines(funnel)[5]
        assert (last.stage, last.number, last.of_before_bps) == (Stage.KEPT, kept, part_bps(kept, order - waiting))

    def items(self, period: Period) -> None:
        """Products and categories: sales, money, pieces, what came back."""
        for by, key in ((products.SKU, "sku"), (products.CATEGORY, "group")):
            for partner in (None, self.story.marta, self.story.ewa):
                partner_id = partner.id if partner else None
                found = products.facts_by_item(self.session, by=by, **self.asked, partner_id=partner_id)
                assert {label: six(facts)[2:] for label, facts in found.items()} == self.rows.items(
                    period, key, partner
                )
            goods = goods_queries.bought(self.session, by=by, **self.asked)
            numbers = {label: (one.orders, one.pieces, one.revenue_minor, one.earned_minor, one.back_minor, one.back_orders) for label, one in goods.items()}  # fmt: skip
            assert numbers == self.rows.goods(period, key)
        assert goods_queries.bought(self.session, by=products.SKU, **self.asked)["pan"].name == "Iron pan"

    def customers(self) -> None:
        """New against returning customers, of each month."""
        months, _at = customer_store.shown(self.session, program=self.program, now=NOW)
        if not self.is_fresh:
            return
        assert len(months) == 12
        for month in months:
            of_month = (month.first.year, month.first.month)
            for is_new, facts in ((True, month.new), (False, month.returning), (None, month.unknown)):
                mine = [
                    one
                    for one in self.rows.sold
                    if month_of(one.order.occurred_at) == of_month and one.is_new is is_new
                ]
                assert six(facts) == self.rows.six(mine), (of_month, is_new)
        assert min(sum(getattr(month, kind).conversions for month in months) for kind in customer_store.KINDS) > 0

    def cohorts(self) -> None:
        """Partners by the month they were let in, customers by that of their first order."""
        if not self.is_fresh:
            return
        expected = {Kind.PARTNERS: self._partners(), Kind.CUSTOMERS: self._customers()}
        for kind in Kind:
            found, _at = cohort_store.shown(self.session, program=self.program, kind=kind, now=NOW)
            assert self._cells(found) == expected[kind], kind
        here: dict[str, Any] = {"program_id": self.program.id, "currency": "EUR", "zone": ZONE, "now": NOW}
        for partner in (self.story.marta, self.story.ewa):
            assert self._cells(cohorts.of_customers(self.session, **here, partner_id=partner.id)) == self._customers(
                partner.id
            )

    def _cells(self, found: Any) -> dict[tuple[str, int], Cell]:
        return {
            (one.month, after): cell
            for one in found
            for after, cell in enumerate(one.cells)
            if cell.orders or cell.active
        }

    def _partners(self) -> dict[tuple[str, int], Cell]:
        enrolled = self.session.scalars(sa.select(Enrollment).where(Enrollment.program_id == self.program.id))
        joined = {one.partner_id: month_of(one.decided_at) for one in enrolled if one.decided_at}
        sales: dict[Any, list[Any]] = defaultdict(list)
        active: dict[Any, set[UUID]] = defaultdict(set)
        for sale in self.rows.sold:
            key = joined[sale.row.partner_id], month_of(sale.order.occurred_at)
            sales[key].append(sale)
            active[key].add(sale.row.partner_id)
        for click in self.rows.clicks:
            if click.verdict == "valid":
                active[joined[click.partner_id], month_of(click.occurred_at)].add(click.partner_id)
        sizes = {month: sum(one == month for one in joined.values()) for month in joined.values()}
        return {
            self._key(*key): self._cell(sizes[key[0]], len(people), sales[key])
            for key, people in active.items() if months_between(*key) >= 0
        }  # fmt: skip

    def _customers(self, partner_id: UUID | None = None) -> dict[tuple[str, int], Cell]:
        known = [sale for sale in self.rows.sold if sale.order.customer_id]
        first: dict[str | None, Any] = {}
        for sale in sorted(known, key=lambda one: one.order.occurred_at):
            first.setdefault(sale.order.customer_id, sale.order)
        credited = {(sale.order.id, sale.row.partner_id) for sale in known}
        sales: dict[Any, list[Any]] = defaultdict(list)
        for sale in known:
            begun = first[sale.order.customer_id]
            if partner_id is None or (begun.id, partner_id) in credited:
                sales[month_of(begun.occurred_at), month_of(sale.order.occurred_at)].append(sale)
        people = {key: {sale.order.customer_id for sale in found} for key, found in sales.items()}
        return {
            self._key(*key): self._cell(len(people[key[0], key[0]]), len(people[key]), found)
            for key, found in sales.items()
        }

    @staticmethod
    def _key(cohort: tuple[int, int], month: tuple[int, int]) -> tuple[str, int]:
        return f"{cohort[0]}-{cohort[1]:02}", months_between(cohort, month)

    def _cell(self, size: int, active: int, sales: list[Any]) -> Cell:
        _raw, _valid, orders, revenue, earned, _back = self.rows.six(sales)
        kept = {sale.order.id for sale in sales if sale.row.status not in GONE}
        return Cell(size, active, orders, len(kept), revenue, earned)

    def margins(self) -> None:
        """What the sales of the month left, by partner."""
        if not self.is_fresh:
            return
        month = NOW.date().replace(day=1)
        found, _at = margin_store.shown(self.session, program=self.program, month=month, now=NOW)
        expected = self.rows.margin(margin_store.of_month(month, zone=ZONE))
        names = ("orders", "listed_minor", "discount_minor", "returned_minor", "tax_minor", "goods_minor", "earned_minor", "spent_minor")  # fmt: skip
        assert {
            partner_id: tuple(getattr(one, name) for name in names) for partner_id, one in found.items()
        } == expected
        for one in found.values():
            net = one.listed_minor - one.discount_minor - one.returned_minor - one.tax_minor
            left = net - one.goods_minor - one.earned_minor - one.spent_minor
            assert (one.net_minor, one.left_minor, one.unknown_minor) == (net, left, 0)
            assert (one.left_bps, one.roi_bps) == (
                part_bps(left, net),
                part_bps(left, one.earned_minor + one.spent_minor),
            )
        summary, _at = margin_store.summed(self.session, program=self.program, month=month, now=NOW)
        orders = {
            sale.order.id
            for sale in self.rows.sales(margin_store.of_month(month, zone=ZONE))
            if sale.row.currency == "EUR"
        }
        assert summary.total.distinct_orders == len(orders)

    def campaigns(self) -> None:
        """Campaigns of the whole program, of a partner, of a link and a code: before, during and after, and what changed."""
        first = (NOW - 5 * DAY).date()
        parts = [
            WHOLE,
            Parts(partners=frozenset({self.story.ewa.id})),
            Parts(links=frozenset({self.story.links[0].id}), coupons=frozenset({self.story.coupon.id})),
        ]
        for each in parts:
            draft = Draft("Autumn", "", first, first + 3 * DAY, 5_00, each)
            made = campaigning.begin(self.session, program_id=self.program.id, currency="EUR", draft=draft, actor=SYSTEM, now=NOW)  # fmt: skip
            report = campaign_sheet.report(self.session, program=self.program, campaign=made, now=NOW)
            numbers: dict[str, int] = {}
            for name, begin in (("before", first - 7 * DAY), ("during", first)):
                period = Period(begin, begin + 3 * DAY, ZONE)
                sales = [one for one in self.rows.sales(period) if _belongs(one.row, each)]
                clicks = [one for one in self.rows.arrivals(period) if _belongs(one, each)]
                facts = report.facts[name]
                assert six(facts) == self.rows.six(sales, clicks), (each, name)
                assert (facts.new_customers, facts.known_customers) == self.rows.customers(sales)
                spent = 0 if each.links else self.rows.spent(period, each.partners or None)
                assert facts.spent_minor == spent + (5_00 if name == "during" else 0)
                assert facts.margin_bps == self.rows.shop_margin(period)
                numbers[name] = facts.conversions
            assert report.lift.change_bps == _change(numbers["before"], numbers["during"])
            [line] = campaign_sheet.lines(self.session, program=self.program, campaigns=[made], now=NOW)
            assert (six(line.facts), line.change_bps) == (six(report.facts["during"]), report.lift.change_bps)
            assert numbers["during"] > 0
            campaigning.remove(self.session, program_id=self.program.id, campaign_id=made.id, actor=SYSTEM, now=NOW)

    def operations(self) -> None:
        """What logistics see: orders, those being verified, returns, cancellations, ways in."""
        since = PERIODS[0].starts_at
        life = views.order_life(self.session, program_id=self.program.id, since=since)
        orders = [one for one in self.rows.orders.values() if one.occurred_at >= since and not one.is_test]
        assert (life.orders, life.unverified) == (len(orders), sum(one.trust < Trust.SIGNED for one in orders))
        assert life.refunds == sum(one.occurred_at >= since for one in self.rows.refunds)
        for kind in OrderEventType:
            assert life.events[kind] == sum(one.type is kind and one.occurred_at >= since for one in self.rows.events)
        by_source: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for one in self.rows.orders.values():
            if one.occurred_at >= since:
                by_source[one.source][one.is_test] += 1
        found = views.sources(self.session, program_id=self.program.id, since=since)
        assert {one.source: [one.orders, one.tests] for one in found} == by_source
        refunds = views.newest_refunds(self.session, program_id=self.program.id)
        assert sorted((one.order_id, one.amount_minor) for one in refunds) == sorted((one.order_id, one.amount_minor) for one in self.rows.refunds)  # fmt: skip

    def books(self) -> None:
        """What finance see: commissions by status, balances, what is approved soon, costs by kind."""
        by_status: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
        left: dict[CommissionStatus, int] = defaultdict(int)
        for one in self.rows.live:
            by_status[one.row.status, one.row.currency][0] += 1
            by_status[one.row.status, one.row.currency][1] += one.earned
            left[one.row.status] += one.earned
        totals = statuses.totals(self.session, program_id=self.program.id)
        assert {(one.status, one.currency): [one.commissions, one.left_minor] for one in totals} == by_status
        assert {status for status, _currency in by_status} >= {CommissionStatus.TEST, CommissionStatus.UNVERIFIED, CommissionStatus.UNDER_REVIEW, CommissionStatus.DECLINED, *(KEPT & set(left))}  # fmt: skip
        balances = ledger.program_balances(self.session, program_id=self.program.id)
        assert (
            abs(balances[AccountName.PENDING]) == left[CommissionStatus.PENDING] + left[CommissionStatus.UNDER_REVIEW]
        )
        assert abs(balances[AccountName.APPROVED]) == left[CommissionStatus.APPROVED]
        for after in (NOW, NOW + 25 * DAY, NOW + 60 * DAY):
            later = sum(one.earned for one in self.rows.live if one.row.status is CommissionStatus.PENDING and one.row.matures_at >= after)  # fmt: skip
            assert work.left_after(self.session, program_id=self.program.id, after=after) == later
        for back in (4, 9):
            day = (NOW - back * DAY).date()
            costs = views.costs(self.session, program_id=self.program.id, since=day, currency="EUR")
            kept = [
                one
                for one in self.rows.costs
                if one.currency == "EUR" and one.removed_at is None and one.spent_on >= day
            ]
            assert costs == {kind: sum(one.amount_minor for one in kept if one.kind is kind) for kind in CostKind}


def _belongs(row: Any, parts: Parts) -> bool:
    return (
        parts.is_whole
        or row.partner_id in parts.partners
        or row.link_id in parts.links
        or getattr(row, "coupon_id", None) in parts.coupons
    )


def _change(before: int, during: int) -> int | None:
    return rounded(Decimal((during - before) * 10_000) / before) if before else None


def test_figures_are_those_of_the_rows_before_and_after_anything_is_counted(session: Session) -> None:
    story = Story(session, now=NOW)
    story.begin()
    Held(session, story, is_counted=False, is_fresh=True)
    count(session, NOW)
    Held(session, story, is_counted=True, is_fresh=True)
    assert session.scalars(sa.select(CountedSpan)).first()
    story.go_on()
    changed = set(session.scalars(sa.select(ChangedDay.day).where(ChangedDay.program_id == story.program.id)))
    assert changed & set(session.scalars(sa.select(CountedDay.day).where(CountedDay.program_id == story.program.id)))
    Held(session, story, is_counted=False, is_fresh=False)
    count(session, NOW + timedelta(minutes=1))
    Held(session, story, is_counted=True, is_fresh=True)
