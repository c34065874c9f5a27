"""Pages that add up counted days say the same as all rows would, whatever happened before and after a day was counted."""

import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import event_cast
import factories
import pytest
import sqlalchemy as sa
from event_cast import NOW, PROGRAM_ID, numbered
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from processes import eventually
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

import affiliate
from affiliate import db
from affiliate.accounts.actors import SYSTEM
from affiliate.attribution import service as attribution
from affiliate.attribution.models import Attribution, Credit
from affiliate.commissions import service as commissions
from affiliate.commissions.models import Commission, CommissionStatus
from affiliate.ingest import clicks
from affiliate.ingest.day_models import ChangedDay, DayPart, Doubt
from affiliate.ingest.models import Click, ClickVerdict, Conversion
from affiliate.ingest.rollup_models import PartnerClickHour
from affiliate.ingest.service import store_batch
from affiliate.links.models import Link
from affiliate.money import BPS_PER_UNIT, divide_half_even
from affiliate.programs.models import GoalMetric
from affiliate.reports import (
    breakdown,
    day_counting,
    day_queries,
    day_recount,
    funnel_queries,
    goods_queries,
    partner_facts,
    products,
    queries,
    reaching,
    risks,
    span_counting,
    statuses,
    stretches,
)
from affiliate.reports.day_models import (
    CountedDay,
    CountedSpan,
    LabelSaleDay,
    PartnerActiveMonth,
    PartnerSaleDay,
    PartnerSpan,
    ShopSaleDay,
)
from affiliate.reports.metrics import Facts
from affiliate.reports.periods import Period, last_days

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
LATER = NOW + DAY
ZONES = ("UTC", "Europe/Rome", "Asia/Kathmandu", "America/St_Johns")


TODAY = LATER.replace(hour=0, minute=0)


def count(session: Session, now: datetime = TODAY) -> int:
    """Count every day and span that is due, as the job does."""
    days = count_days(session, now)
    for span in span_counting.due(session, since=LATER.date() - 8 * DAY, now=TODAY, limit=10):
        assert span_counting.count(session, due=span, now=TODAY)
    return days


def add_up(session: Session, ago: int, days: int) -> None:
    """Add up some days that are stored, whether or not they still stand."""
    first = (LATER - ago * DAY).date()
    span = (first, min(first + days * DAY, LATER.date()))
    columns = (CountedDay.part, CountedDay.day, CountedDay.until)
    stored = {
        (part, day) for part, day, until in session.execute(sa.select(*columns)) if until == stretches.begin(day + DAY)
    }
    asked = {(part, first + number * DAY) for part in DayPart for number in range((span[1] - first).days)}
    if asked and asked <= stored:
        span_counting.count(session, due=span_counting.SpanDue(PROGRAM_ID, span), now=TODAY)


def count_days(session: Session, now: datetime = TODAY) -> int:
    due = day_counting.due(session, since=LATER.date() - 8 * DAY, now=now, limit=1000)
    for one in due:
        counted = day_counting.count(session, due=one)
        assert counted is not None
        assert day_counting.save(session, counted=counted, now=now)
    return len(due)


@dataclass
class Shop:
    """A program with three partners, and what happens to it."""

    session: Session
    links: list[Link] = field(default_factory=list)
    orders: list[UUID] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 10_000)))

    def __post_init__(self) -> None:
        program = factories.make_program(self.session, id=PROGRAM_ID, created_at=NOW - 30 * DAY)
        factories.make_plan(self.session, program=program)
        for name in ("Marta", "Ewa", "Kai"):
            partner = factories.make_partner(self.session, program=program, name=name)
            self.links.append(factories.make_link(self.session, program=program, partner=partner))
        self.session.flush()

    def order(self, ago: int, which: int, amount_minor: int, *, currency: str = "EUR") -> None:
        """An order `ago` minutes before NOW, of a visitor who came by the link of a partner twenty minutes earlier."""
        number, at = next(self.numbers), NOW - ago * MINUTE
        self.click(number, which, at - 20 * MINUTE)
        items = [
            {"sku": f"S{amount_minor % 3}", "name": f"Of {number}", "group": "iron", "quantity": 2, "amount_minor": amount_minor}
        ]  # fmt: skip
        told = event_cast.sale(
            f"o{number}", delivery=1000 + number, click_id=numbered(number), occurred_at=at, received_at=at,
            amount_minor=amount_minor, currency=currency, new_customer=[None, True, False][number % 3], items=items,
            customer_id=f"c{number % 4}", visitor_id=numbered(5000 + number),
        )  # fmt: skip
        store_batch(self.session, events=[told], now=LATER)
        self.orders.append(told.conversion_id)
        self.work()

    def click(self, number: int, which: int, at: datetime) -> None:
        link = self.links[which]
        told = event_cast.click(
            number, link_id=link.id, partner_id=link.partner_id, occurred_at=at, visitor_id=numbered(5000 + number % 5000),
            country=["IT", "PL", None][number % 3], referrer=f"https://blog{number % 2}.example/",
            landing_url=f"https://shop.example/{number % 2}?from={number}",
        )  # fmt: skip
        store_batch(self.session, events=[told], now=LATER)

    def work(self) -> None:
        """All stages run."""
        attribution.attribute_waiting(self.session, limit=100, clicks_until=LATER + DAY, now=LATER)
        commissions.commission_waiting(self.session, limit=100, now=LATER)
        commissions.reverse_waiting(self.session, limit=100, now=LATER)

    def refund(self, which: int, amount_minor: int) -> None:
        if self.orders:
            order = self._order(which)
            number = next(self.numbers)
            event = event_cast.refund(f"r{number}", order_id=order.order_id, delivery=1000 + number, amount_minor=amount_minor, currency=order.currency)  # fmt: skip
            store_batch(self.session, events=[event], now=LATER)
            self.work()

    def amend(self, which: int, amount_minor: int) -> None:
        if self.orders:
            order = self._order(which)
            number = next(self.numbers)
            event = event_cast.amendment(f"a{number}", order_id=order.order_id, delivery=1000 + number, amount_minor=amount_minor, currency=order.currency)  # fmt: skip
            store_batch(self.session, events=[event], now=LATER)
            self.work()

    def move(self, which: int, to: int) -> None:
        """Another partner's click of the same visitor, nearer to the order, arrives late: the order is attributed again."""
        if self.orders:
            order = self._order(which)
            link, number = self.links[to], next(self.numbers)
            at = order.occurred_at - 5 * MINUTE
            event = event_cast.click(number, link_id=link.id, partner_id=link.partner_id, occurred_at=at)
            store_batch(self.session, events=[event], now=LATER)
            told = sa.update(Conversion).where(Conversion.id == order.id).values(click_id=numbered(number))
            self.session.execute(told)
            attribution.ask_again(self.session, conversion_ids=[order.id])
            self.work()

    def decide(self, which: int, *, approves: bool) -> None:
        """A manager approves or declines a commission, where that can be."""
        mine = (Commission.conversion_id == self._order(which).id if self.orders else sa.false(), Commission.is_live)
        open_ones = sa.select(Commission.id).where(*mine, Commission.status == CommissionStatus.PENDING)
        for commission_id in self.session.scalars(open_ones).all():
            told: dict[str, Any] = {
                "commission_id": commission_id,
                "program_id": PROGRAM_ID,
                "actor": SYSTEM,
                "now": LATER,
            }
            if approves:
                commissions.approve(self.session, **told)
            else:
                commissions.decline(self.session, **told, reason="No.")

    def overrule(self, which: int) -> None:
        """A person finds that a click was none: the numbers of the day stay, those of the partner do not."""
        if self.orders:
            click_id = self._order(which).click_id
            assert click_id is not None
            clicks.overrule(
                self.session, click_id=click_id, expected=ClickVerdict.VALID, verdict=ClickVerdict.BOT, now=LATER
            )

    def _order(self, which: int) -> Conversion:
        self.session.expire_all()
        return self.session.get_one(Conversion, self.orders[which % len(self.orders)])


@dataclass
class Sum:
    """What one key adds up to, by hand."""

    orders: set[UUID] = field(default_factory=set)
    revenue: int = 0
    earned: int = 0
    back: int = 0

    def told(self) -> tuple[int, int, int, int]:
        return len(self.orders), self.revenue, self.earned, self.back


def by_hand(session: Session, period: Period, key: Callable[[Any], Collection[Any]]) -> dict[Any, Sum]:
    """The commissions that count, row by row. A key gives the labels of a row."""
    session.expire_all()
    rows = session.execute(
        sa.select(Commission, Conversion, Credit, Attribution, Click)
        .join(Conversion, Conversion.id == Commission.conversion_id)
        .join(Credit, Credit.id == Commission.credit_id)
        .join(Attribution, Attribution.id == Commission.attribution_id)
        .outerjoin(Click, Click.id == Credit.click_id)
    )
    found: dict[Any, Sum] = defaultdict(Sum)
    for row in rows:
        one = row.Commission
        counts = one.is_live and one.status not in {CommissionStatus.TEST, CommissionStatus.UNVERIFIED}
        if counts and period.starts_at <= one.earned_at < period.ends_at:
            for label in key(row):
                found[label].orders.add(one.conversion_id)
                found[label].revenue += one.revenue_minor if one.currency == "EUR" else 0
                found[label].earned += one.amount_minor - one.reversed_minor
                found[label].back += one.reversed_minor
    return dict(found)


def sold(facts: Facts) -> tuple[int, int, int, int]:
    return facts.conversions, facts.revenue_minor, facts.earned_minor, facts.reversed_minor


def quiet(found: dict[Any, Facts]) -> dict[Any, tuple[int, int, int, int]]:
    return {key: sold(facts) for key, facts in found.items() if facts.conversions}


def check(session: Session, zone: str) -> None:
    """Every page's sums are those by hand."""
    period = last_days(6, now=NOW, zone=zone)
    asked: dict[str, Any] = {"program_id": PROGRAM_ID, "period": period, "currency": "EUR"}

    def expected(key: Callable[[Any], Collection[Any]]) -> dict[Any, Any]:
        return {label: one.told() for label, one in by_hand(session, period, key).items()}

    days = queries.facts_by_day(session, **asked)
    assert quiet(days) == expected(lambda row: [period.day_of(row.Commission.earned_at)])
    known = by_hand(session, period, lambda row: [row.Attribution.is_new_customer])
    assert sum(one.new_customers for one in days.values()) == len(known.get(True, Sum()).orders)
    for partner_id in session.scalars(sa.select(Commission.partner_id).distinct()).all():
        own = queries.facts_by_day(session, **asked, partner_id=partner_id)
        mine = by_hand(session, period, lambda row: [period.day_of(row.Commission.earned_at)] if row.Commission.partner_id == partner_id else [])  # noqa: B023 # fmt: skip
        assert quiet(own) == {day: one.told() for day, one in mine.items()}
        of_items: dict[str, Any] = {"program_id": PROGRAM_ID, "partner_id": partner_id, "currency": "EUR"}
        for by in (products.SKU, products.CATEGORY):
            read = products.of_stretches(session, by=by, rest=period.stretches, **of_items)
            assert quiet(products.facts_by_item(session, by=by, period=period, **of_items)) == quiet(read)
    partners = partner_facts.facts_by_partner(session, **asked, limit=10)
    assert quiet({one.partner_id: one.facts for one in partners}) == expected(lambda row: [row.Commission.partner_id])
    country = breakdown.facts_by_country(session, **asked)
    assert quiet(country) == expected(lambda row: [row.Click.country or "" if row.Click else ""])
    source = breakdown.facts_by_source(session, **asked)
    assert quiet(source) == expected(lambda row: [row.Click.referrer_host if row.Click else ""])
    device = breakdown.facts_by_device(session, **asked)
    assert sum(one.earned_minor for one in device.values()) == sum(one.earned_minor for one in days.values())
    coupon = breakdown.facts_by_coupon(session, **asked, partner_id=None)
    assert quiet(coupon) == expected(lambda row: [row.Credit.coupon_id])
    items = products.facts_by_item(session, by=products.SKU, **asked, partner_id=None)
    assert quiet(items) == expected(lambda row: {item["sku"] for item in row.Conversion.items})
    check_shop(session, period)
    check_statuses(session)
    check_clicks(session, period, partners)
    check_active(session, period, partners)
    check_funnel(session, period)
    check_two_periods(session, last_days(3, now=NOW, zone=zone))


def check_shop(session: Session, period: Period) -> None:
    """By product, category and page: as if no day were counted, and as by hand."""
    asked: dict[str, Any] = {"program_id": PROGRAM_ID, "period": period, "currency": "EUR"}
    sales = session.execute(products.sales(PROGRAM_ID, period.stretches)).all()
    lost = goods_queries.lost_of(session, sales)
    for by in (products.SKU, products.CATEGORY):
        read = goods_queries.summed(sales, by=by, currency="EUR", lost=lost)
        found = goods_queries.bought(session, by=by, **asked)
        assert nameless(found) == nameless(read)
        assert {label for label, good in found.items() if good.name} >= {
            label for label, good in read.items() if good.name
        }
        revenue = {label: good.revenue_minor for label, good in read.items()}
        before = goods_queries.bought(session, by=by, **asked, tells_back=False)
        assert {label: good.revenue_minor for label, good in before.items()} == revenue
    pages = {one.page: (one.orders, one.revenue_minor) for one in goods_queries.landed(session, **asked) if one.orders}
    urls = session.execute(goods_queries.sold_at(PROGRAM_ID, period.stretches, "EUR"))
    assert pages == goods_queries.by_page(urls)
    by_url = by_hand(session, period, lambda row: [row.Click.landing_url] if row.Click else [])
    assert sum(orders for orders, _minor in pages.values()) == sum(len(one.orders) for one in by_url.values())


def nameless(found: dict[str, goods_queries.Good]) -> dict[str, goods_queries.Good]:
    """Without names: at the ends of a period these may be of the hours beside it."""
    return {label: replace(good, name="") for label, good in found.items()}


def check_statuses(session: Session) -> None:
    """Of all time, whatever the days: those in force, tests and orders that wait for a trusted source among them."""
    expected: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
    for one in session.scalars(sa.select(Commission).where(Commission.is_live)):
        expected[one.status, one.currency][0] += 1
        expected[one.status, one.currency][1] += one.amount_minor - one.reversed_minor
    found = statuses.totals(session, program_id=PROGRAM_ID)
    assert {(one.status, one.currency): [one.commissions, one.left_minor] for one in found} == expected


def check_clicks(session: Session, period: Period, partners: list[partner_facts.PartnerFacts]) -> None:
    of_clicks: dict[UUID, list[int]] = defaultdict(lambda: [0, 0])
    for one in session.scalars(sa.select(Click)):
        hour = one.occurred_at.replace(minute=0, second=0, microsecond=0)
        if period.starts_at <= hour < period.ends_at:
            of_clicks[one.partner_id][0] += 1
            of_clicks[one.partner_id][1] += one.verdict is ClickVerdict.VALID
    told = {one.partner_id: [one.facts.clicks_raw, one.facts.clicks_valid] for one in partners if one.facts.clicks_raw}
    assert told == dict(of_clicks)


def check_active(session: Session, period: Period, partners: list[partner_facts.PartnerFacts]) -> None:
    """All partners that clicked or sold, by the lines that were held against the rows."""
    asked = reaching.Measure(GoalMetric.ACTIVE_PARTNERS, PROGRAM_ID, period, "EUR")
    active = [one for one in partners if one.facts.clicks_valid or one.facts.conversions]
    assert reaching.reached(session, measures=[asked]) == [reaching.Reached(len(active))]


def check_funnel(session: Session, period: Period) -> None:
    kept = (CommissionStatus.APPROVED, CommissionStatus.IN_PAYOUT, CommissionStatus.PAID)
    visits: dict[UUID, set[UUID]] = defaultdict(set)
    good: dict[UUID, set[UUID]] = defaultdict(set)
    found = sa.select(Commission, Credit, Click).join(Credit, Credit.id == Commission.credit_id)
    for row in session.execute(found.join(Click, Click.id == Credit.click_id)):
        hour = row.Click.occurred_at.replace(minute=0, second=0, microsecond=0)
        counts = row.Commission.is_live and row.Commission.status is not CommissionStatus.UNVERIFIED
        if counts and period.starts_at <= hour < period.ends_at:
            visits[row.Commission.partner_id].add(row.Credit.click_id)
            if row.Commission.status in kept:
                good[row.Commission.partner_id].add(row.Credit.click_id)
    whole = funnel_queries.funnel(session, visits=funnel_queries.Visits(PROGRAM_ID), period=period)
    assert (whole.order, whole.kept) == (sum(map(len, visits.values())), sum(map(len, good.values())))
    lines = funnel_queries.by_partner(session, program_id=PROGRAM_ID, period=period, limit=10)
    by_line = {one.partner_id: (one.funnel.order, one.funnel.kept) for one in lines}
    assert all(by_line[partner_id] == (len(mine), len(good[partner_id])) for partner_id, mine in visits.items() if partner_id in by_line)  # fmt: skip


def check_two_periods(session: Session, period: Period) -> None:
    """What is asked of two periods in one trip is what each says by itself; the shares are those of the rows."""
    both = [period, period.before]
    funnels = [
        funnel_queries.funnel(session, visits=funnel_queries.Visits(PROGRAM_ID), period=one) for one in both
    ]  # fmt: skip
    assert funnel_queries.of_periods(session, program_id=PROGRAM_ID, periods=both) == funnels
    shares = risks.shares(session, program_id=PROGRAM_ID, periods=both, currency="EUR")
    for one, found in zip(both, shares, strict=True):
        alone = risks.risk_figures(session, program_id=PROGRAM_ID, period=one, currency="EUR")
        expected = alone.orders, alone.top_share_bps, alone.fraud_bps
        assert (found.orders, found.top_share_bps, found.fraud_bps) == expected
        revenue = [sold.revenue for sold in by_hand(session, one, lambda row: [row.Commission.partner_id]).values()]
        top = divide_half_even(max(revenue) * BPS_PER_UNIT, sum(revenue)) if sum(revenue) else None
        assert found.top_share_bps == top


which = st.integers(0, 5)
acts = st.one_of(
    st.tuples(st.just("order"), st.integers(0, 5 * 24 * 60), st.integers(0, 2), st.integers(1, 500_00)),
    st.tuples(st.just("refund"), which, st.integers(1, 300_00)),
    st.tuples(st.just("amend"), which, st.integers(1, 600_00)),
    st.tuples(st.just("move"), which, st.integers(0, 2)),
    st.tuples(st.just("approve"), which),
    st.tuples(st.just("decline"), which),
    st.tuples(st.just("overrule"), which),
    st.tuples(st.just("count"), st.integers(0, 36)),
    st.tuples(st.just("add up"), st.integers(1, 8), st.integers(1, 7)),
)


def happen(shop: Shop, act: Any) -> None:
    name, *told = act
    if name == "count":
        count(shop.session, LATER - sum(told) * 60 * MINUTE)
    elif name == "add up":
        add_up(shop.session, *told)
    elif name in {"approve", "decline"}:
        shop.decide(*told, approves=name == "approve")
    else:
        getattr(shop, name)(*told)


@pytest.fixture
def sqlite_session(sqlite_url: str) -> Iterator[Session]:
    engine = db.make_engine(sqlite_url)
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(acts, min_size=4, max_size=14), zone=st.sampled_from(ZONES))
def test_whatever_happens_in_whatever_order_pages_say_what_the_rows_say(
    sqlite_session: Session, history: list[Any], zone: str
) -> None:
    try:
        shop = Shop(sqlite_session)
        shop.order(2000, 0, 80_00)
        for act in history:
            happen(shop, act)
        check(sqlite_session, zone)
    finally:
        sqlite_session.rollback()


STORY: tuple[tuple[Any, ...], ...] = (
    *(("order", 700 * number, number % 3, 10_00 * number + number) for number in range(1, 7)),
    ("order", 900, 1, 30_00), ("count",), ("add up", 5, 4), ("refund", 2, 5_00), ("move", 3, 0), ("approve", 1), ("overrule", 4), ("count",),
    ("decline", 5), ("amend", 0, 99_00), ("count",), ("refund", 6, 1_00),
)  # fmt: skip


def test_a_long_story_ends_in_the_same_sums_on_either_database(session: Session) -> None:
    shop = Shop(session)
    for act in STORY:
        happen(shop, act)
        if act[0] in {"overrule", "amend"}:  # much has changed since days were counted
            check(session, "Asia/Kathmandu")
    shop.order(1500, 2, 44_00, currency="USD")
    check(session, "Europe/Rome")
    days = session.scalars(sa.select(CountedDay.day).where(CountedDay.part == DayPart.SALES)).all()
    assert len(days) == 9  # the last of them in part


def test_counted_days_are_read_and_only_those_with_a_note_are_counted_again(sqlite_session: Session) -> None:
    shop = Shop(sqlite_session)
    shop.order(3000, 0, 80_00)
    assert count(sqlite_session) == 16  # both parts of eight days
    assert count(sqlite_session) == 0
    shop.refund(0, 10_00)
    assert set(sqlite_session.scalars(sa.select(ChangedDay.day))) == {(NOW - 3000 * MINUTE).date()}
    assert count(sqlite_session) == 1
    assert sqlite_session.scalar(sa.select(sa.func.count()).select_from(ChangedDay)) == 0


def test_a_page_reads_the_sums_of_a_counted_day(sqlite_session: Session) -> None:
    """What changes without a note is not seen: so it is the sums that are read."""
    shop = Shop(sqlite_session)
    shop.order(3000, 0, 80_00)
    count(sqlite_session)
    sqlite_session.execute(sa.update(Commission).values(amount_minor=1, reversed_minor=0))
    found = partner_facts.facts_by_partner(sqlite_session, program_id=PROGRAM_ID, period=last_days(6, now=NOW, zone="UTC"), currency="EUR", limit=1)  # fmt: skip
    assert found[0].facts.earned_minor == 8_00


def test_products_and_pages_are_read_from_the_sums_with_the_newest_name(sqlite_session: Session) -> None:
    """As above. What the last day of Rome holds too much of the sums is read, and taken off."""
    shop = Shop(sqlite_session)
    for ago in (3 * 24 * 60, 2 * 24 * 60):
        shop.order(ago, 0, 90_00)
    last = (NOW - DAY).date()
    late = Period(last, last + DAY, "UTC").ends_at - 20 * MINUTE  # the next day, in Rome
    shop.order((NOW - late) // MINUTE, 0, 31_00)
    asked: dict[str, Any] = {"program_id": PROGRAM_ID, "period": Period(last - 3 * DAY, last + DAY, "Europe/Rome"), "currency": "EUR"}  # fmt: skip
    rows = goods_queries.bought(sqlite_session, by=products.SKU, **asked)
    pages = goods_queries.landed(sqlite_session, **asked)
    count(sqlite_session)
    sqlite_session.execute(sa.update(Commission).where(Commission.earned_at < late).values(is_live=False))
    assert goods_queries.bought(sqlite_session, by=products.SKU, **asked) == rows
    assert goods_queries.landed(sqlite_session, **asked) == pages
    assert (rows["S0"].name, rows["S0"].orders, sum(one.orders for one in pages)) == ("Of 2", 2, 2)
    assert "S1" not in rows
    sqlite_session.execute(sa.update(ShopSaleDay).where(ShopSaleDay.day == last - DAY).values(name=""))
    assert goods_queries.bought(sqlite_session, by=products.SKU, **asked)["S0"].name == "Of 1"


def test_a_bound_on_what_is_read_never_shows_too_much(sqlite_session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """West of UTC what is to be taken off is the oldest of what is read."""
    shop, last = Shop(sqlite_session), (NOW - 2 * DAY).date()
    period = Period(last - 3 * DAY, last + DAY, "America/New_York")
    asked: dict[str, Any] = {"program_id": PROGRAM_ID, "period": period, "currency": "EUR"}
    for place in range(3):
        shop.order((NOW - period.starts_at) // MINUTE + 30 + place, 0, 90_00)
    for place in range(4):
        shop.order((NOW - period.ends_at) // MINUTE + 30 + place, 0, 90_00)
    pages = [(one.page, one.orders) for one in goods_queries.landed(sqlite_session, **asked) if one.orders]
    assert [goods_queries.bought(sqlite_session, by=products.SKU, **asked)["S0"].orders, len(pages)] == [4, 2]
    count(sqlite_session)
    monkeypatch.setattr(goods_queries, "SALES_MAX", 4)
    monkeypatch.setattr(goods_queries, "PAGES_MAX", 4)
    assert goods_queries.bought(sqlite_session, by=products.SKU, **asked)["S0"].orders == 1  # the newest one of four
    found = goods_queries.landed(sqlite_session, **asked)
    assert [(one.page, one.orders) for one in found if one.orders] == pages


def test_pages_of_hours_whose_clicks_are_past_their_term_are_not_counted_too_much(sqlite_session: Session) -> None:
    """What is to be taken off is asked of clicks: where these are gone, the day is read and not taken whole."""
    shop, last = Shop(sqlite_session), (NOW - 2 * DAY).date()
    period = Period(last - 3 * DAY, last + DAY, "America/New_York")
    asked: dict[str, Any] = {"program_id": PROGRAM_ID, "period": period, "currency": "EUR"}
    for ago in (period.starts_at, period.starts_at - 30 * MINUTE):
        shop.order((NOW - ago) // MINUTE - 1, 0, 90_00)
    count(sqlite_session)
    gone = sqlite_session.get_one(Conversion, shop.orders[1]).click_id
    sqlite_session.execute(sa.delete(Click).where(Click.id == gone))
    assert [one.orders for one in goods_queries.landed(sqlite_session, **asked) if one.orders] == [1]


def test_a_refund_too_small_for_the_commission_puts_the_day_in_doubt(sqlite_session: Session) -> None:
    """A cent back leaves the commission as it is, and the page tells what customers got back."""
    shop = Shop(sqlite_session)
    shop.order(3000, 0, 80_00)
    count(sqlite_session)
    shop.refund(0, 1)
    assert sqlite_session.scalars(sa.select(Commission.reversed_minor)).one() == 0
    assert set(sqlite_session.scalars(sa.select(ChangedDay.day))) == {(NOW - 3000 * MINUTE).date()}
    check(sqlite_session, "UTC")


def test_clicks_of_today_are_counted_up_to_the_hour_and_read_from_there(sqlite_session: Session) -> None:
    shop = Shop(sqlite_session)
    for number, ago in enumerate((40, 100, 160, 2000)):
        shop.click(1 + number, 1, NOW - ago * MINUTE)
    assert count(sqlite_session, NOW - 30 * MINUTE) == 16  # both parts of seven days, and of today
    assert sqlite_session.scalars(sa.select(sa.func.max(CountedDay.until))).one() == NOW - 60 * MINUTE
    check(sqlite_session, "UTC")
    sqlite_session.execute(sa.update(PartnerClickHour).values(clicks=9))
    asked: dict[str, Any] = {"program_id": PROGRAM_ID, "period": last_days(2, now=NOW, zone="UTC"), "currency": "EUR"}

    def told() -> int:
        return sum(one.facts.clicks_raw for one in partner_facts.facts_by_partner(sqlite_session, **asked, limit=9))

    assert told() == 3 + 9  # the last hour is not over
    shop.click(9, 1, NOW - 170 * MINUTE)  # arrives late: nothing of today stands
    assert told() == 1 + (9 + 1) + 9 + 9
    sqlite_session.execute(sa.update(PartnerClickHour).values(clicks=1))
    assert count(sqlite_session, NOW - 30 * MINUTE) == 1


def test_sales_of_today_are_counted_up_to_the_hour_and_only_what_is_before_it_puts_them_in_doubt(
    sqlite_session: Session,
) -> None:
    shop, period = Shop(sqlite_session), last_days(2, now=NOW, zone="UTC")
    for ago in (100, 160):
        shop.order(ago, 0, 10_00)
    moment = NOW - 55 * MINUTE
    assert count(sqlite_session, moment - MINUTE) == 16  # both parts of seven days, and of today
    ends = (CountedDay.day == NOW.date(), CountedDay.part == DayPart.SALES)
    until = sa.select(CountedDay.until).where(*ends)
    assert sqlite_session.scalars(until).one() == NOW - 120 * MINUTE  # the last hour is not settled
    assert count(sqlite_session, moment) == 1
    assert sqlite_session.scalars(until).one() == NOW - 60 * MINUTE
    sqlite_session.execute(sa.update(Commission).values(amount_minor=100_00, reversed_minor=0))

    def told() -> tuple[int, int]:
        facts = queries.facts_by_day(sqlite_session, program_id=PROGRAM_ID, period=period, currency="EUR")
        visits = funnel_queries.funnel(sqlite_session, visits=funnel_queries.Visits(PROGRAM_ID), period=period)
        return sum(one.earned_minor for one in facts.values()), visits.order

    sqlite_session.execute(sa.update(LabelSaleDay).where(LabelSaleDay.day == NOW.date()).values(visits=7))
    assert told() == (2_00, 7)  # as counted
    shop.order(50, 0, 10_00)  # by a click of the hour before
    assert told() == (3_00, 3)  # visits are in doubt
    assert (
        count(sqlite_session, moment) == 1
    )  # for the click, which came late: sales stand, and visits wait for the hour
    assert told() == (3_00, 3)
    shop.refund(1, 1)
    assert told() == (200_90, 3)  # ten cents of the refunded 100.00
    assert count(sqlite_session, moment + MINUTE) == 0  # each refund of the day would have all of it counted again
    assert count(sqlite_session, moment + 2 * MINUTE) == 1
    assert sqlite_session.scalar(sa.select(sa.func.count()).select_from(ChangedDay)) == 0
    check(sqlite_session, "UTC")


def test_a_span_is_read_as_one_and_moves_with_its_days(sqlite_session: Session) -> None:
    """Its days may say what they want meanwhile: so it is the span that is read."""
    shop = Shop(sqlite_session)
    for day in range(1, 8):
        shop.order(day * 24 * 60, 0, 10_00)
    count(sqlite_session)
    period = Period((NOW - 7 * DAY).date(), NOW.date(), "UTC")
    asked: dict[str, Any] = {"program_id": PROGRAM_ID, "period": period, "currency": "EUR", "limit": 1}

    def told() -> tuple[int, int]:
        facts = partner_facts.facts_by_partner(sqlite_session, **asked)[0].facts
        return facts.clicks_raw, facts.earned_minor

    before = told()
    assert before == (7, 7_00)
    sqlite_session.execute(sa.update(PartnerSpan).values(earned=PartnerSpan.earned + 10_000))
    assert told() == (7, 107_00)
    shop.refund(3, 5_00)  # its day is in doubt: it is taken off as it is stored, and read
    assert told() == (7, 106_50)
    count_days(sqlite_session)  # it is stored anew, and the span is another
    assert told() == (7, 106_50)
    assert set(sqlite_session.scalars(sa.select(CountedSpan.until))) == {NOW.date(), LATER.date()}
    shop.click(77, 0, NOW - 3 * DAY)  # late: the day is read
    assert told() == (8, 106_50)
    assert count_days(sqlite_session) == 1
    assert told() == (8, 106_50)
    assert {one.table for one in day_recount.recount(sqlite_session, limit=9, now=LATER)} == {"spans_partner"}


def test_a_partner_who_sells_for_the_first_time_on_a_day_that_is_added_up_gets_a_row(sqlite_session: Session) -> None:
    shop = Shop(sqlite_session)
    shop.order(3 * 24 * 60, 0, 10_00)
    count(sqlite_session)
    shop.order(3 * 24 * 60, 1, 20_00)
    assert count_days(sqlite_session) == 2  # its clicks and its sales
    rows = sa.select(PartnerSpan.partner_id).where(PartnerSpan.until == LATER.date()).distinct()
    assert len(sqlite_session.scalars(rows).all()) == 2
    check(sqlite_session, "UTC")
    assert day_recount.recount(sqlite_session, limit=9, now=LATER) == []


def test_of_two_who_add_up_one_gives_way_and_what_nobody_asks_for_any_more_goes(sqlite_session: Session) -> None:
    shop = Shop(sqlite_session)
    shop.order(2 * 24 * 60, 0, 10_00)
    count_days(sqlite_session)
    asked: dict[str, Any] = {"since": LATER.date() - 8 * DAY, "limit": 9}
    due = span_counting.due(sqlite_session, now=TODAY, **asked)
    assert (LATER.date() - 6 * DAY, LATER.date()) in [one.days for one in due]
    assert [span_counting.count(sqlite_session, due=due[0], now=LATER) for _time in range(2)] == [True, False]
    assert span_counting.due(sqlite_session, now=TODAY, **asked) == due[1:]
    for one in due[1:]:
        assert span_counting.count(sqlite_session, due=one, now=LATER)
    assert span_counting.forget(sqlite_session, now=TODAY, limit=9) == 0
    usual = {one.days for one in due if one.days[0].weekday() or one.days[1] - one.days[0] != 7 * DAY}
    later = TODAY + 60 * DAY
    assert span_counting.forget(sqlite_session, now=later, limit=9) == len(usual)
    assert spans(sqlite_session) == {one.days: one.days not in usual for one in due}  # nobody begins to read them
    shop.refund(0, 1_00)
    count_days(sqlite_session)  # they still move
    assert day_recount.recount(sqlite_session, limit=9, now=LATER) == []
    check(sqlite_session, "UTC")
    (again,) = (one for one in due if one.days == (LATER.date() - 6 * DAY, LATER.date()))
    assert span_counting.count(sqlite_session, due=again, now=LATER)
    assert spans(sqlite_session)[again.days]
    for at in (
        later + span_counting.READ_FOR,
        later + span_counting.READ_FOR + MINUTE,
        later + 3 * span_counting.READ_FOR,
    ):
        span_counting.forget(sqlite_session, now=at, limit=9)
    assert spans(sqlite_session).keys() == {one.days for one in due} - usual
    check(sqlite_session, "UTC")


def spans(session: Session) -> dict[stretches.Days, bool]:
    """Those that are there, and whether they are read."""
    session.expire_all()
    return {(one.first, one.until): one.forgotten_at is None for one in session.scalars(sa.select(CountedSpan))}


@pytest.mark.parametrize("first", ["day", "span"])
def test_a_day_that_is_stored_while_a_span_is_added_up_is_in_it_once(engine: Engine, first: str) -> None:
    """Either waits for the other."""
    with ThreadPoolExecutor(1) as pool, Session(engine, expire_on_commit=False) as session, Session(engine) as own:
        shop = Shop(session)
        shop.order(3 * 24 * 60, 0, 10_00)
        count_days(session)
        shop.refund(0, 5_00)
        session.commit()
        (day,) = day_counting.due(session, since=LATER.date() - 8 * DAY, now=TODAY, limit=9)
        counted = day_counting.count(session, due=day)
        assert counted
        span = span_counting.SpanDue(PROGRAM_ID, (LATER.date() - 6 * DAY, LATER.date()))
        acts = {
            "day": lambda one: day_counting.save(one, counted=counted, now=LATER),
            "span": lambda one: span_counting.count(one, due=span, now=LATER),
        }
        session.commit()
        assert acts.pop(first)(own)
        (second,) = acts.values()
        done = pool.submit(_in_a_transaction, engine, second)
        if engine.dialect.name == "postgresql":  # SQLite has one writer
            eventually(lambda: done.done() or _somebody_waits(session), "the second waits")
        own.commit()
        assert done.result(30)
        assert day_recount.recount(session, limit=9, now=LATER) == []


def _in_a_transaction(engine: Engine, act: Callable[[Session], bool]) -> bool:
    with Session(engine) as own, own.begin():
        return act(own)


def _somebody_waits(session: Session) -> bool:
    waiting = session.scalar(sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))
    session.rollback()
    return bool(waiting)


def test_the_funnel_reads_the_hours_at_its_ends_from_counted_days(sqlite_session: Session) -> None:
    """As above; the days of Kathmandu begin and end in the midst of those that are counted."""
    shop = Shop(sqlite_session)
    period = Period((NOW - 3 * DAY).date(), (NOW - 2 * DAY).date(), "Asia/Kathmandu")
    for at in (period.starts_at + 50 * MINUTE, period.ends_at - 90 * MINUTE, period.ends_at + 60 * MINUTE):
        shop.order((NOW - at) // MINUTE, 0, 80_00)
    visits = funnel_queries.Visits(PROGRAM_ID)
    rows = funnel_queries.funnel(sqlite_session, visits=visits, period=period)
    count(sqlite_session)
    sqlite_session.execute(sa.update(Commission).values(is_live=False))
    assert funnel_queries.funnel(sqlite_session, visits=visits, period=period) == rows
    assert rows.order == 2


def test_of_two_counts_of_one_day_the_second_gives_way_and_later_changes_are_not_lost(sqlite_session: Session) -> None:
    shop = Shop(sqlite_session)
    shop.order(3000, 0, 80_00)
    count(sqlite_session)
    shop.refund(0, 10_00)
    (due,) = day_counting.due(sqlite_session, since=LATER.date() - 8 * DAY, now=TODAY, limit=9)
    slow = day_counting.count(sqlite_session, due=due)
    shop.refund(0, 20_00)
    quick = day_counting.count(sqlite_session, due=due)
    assert slow
    assert quick
    assert day_counting.save(sqlite_session, counted=quick, now=LATER)
    assert not day_counting.save(sqlite_session, counted=slow, now=LATER)
    check(sqlite_session, "UTC")


def test_a_change_after_the_count_was_read_leaves_the_day_to_be_read_and_counted_again(sqlite_session: Session) -> None:
    shop = Shop(sqlite_session)
    shop.order(3000, 0, 80_00)
    (due, *_rest) = [one for one in day_counting.due(sqlite_session, since=LATER.date() - 8 * DAY, now=TODAY, limit=99) if one.day == (NOW - 3000 * MINUTE).date() and one.part is DayPart.SALES]  # fmt: skip
    counted = day_counting.count(sqlite_session, due=due)
    shop.refund(0, 10_00)
    assert counted
    assert day_counting.save(sqlite_session, counted=counted, now=LATER)
    check(sqlite_session, "UTC")
    period = Period(due.day, due.day + DAY, "UTC")
    covered = day_queries.sales(sqlite_session, program_id=PROGRAM_ID, currency="EUR", starts_at=period.starts_at, ends_at=period.ends_at)  # fmt: skip
    assert covered.days == []


def test_counting_again_finds_nothing_until_a_sum_is_another(sqlite_session: Session) -> None:
    shop = Shop(sqlite_session)
    shop.order(3000, 0, 80_00)
    count(sqlite_session)
    assert day_recount.recount(sqlite_session, limit=9, now=LATER) == []
    sqlite_session.execute(sa.update(PartnerActiveMonth).values(sold=0))
    assert {one.table for one in day_recount.recount(sqlite_session, limit=9, now=LATER)} == {"active_months_partner"}
    sqlite_session.execute(sa.update(PartnerActiveMonth).values(sold=PartnerActiveMonth.clicked))
    sqlite_session.execute(sa.update(PartnerSaleDay).values(earned=1))
    day, *spans = day_recount.recount(sqlite_session, limit=9, now=LATER)
    assert (day.table, "earned=1 " in day.counted, "earned=800 " in day.found) == ("sale_days_partner", True, True)
    assert {(one.table, "earned=800 " in one.counted, "earned=1 " in one.found) for one in spans} == {
        ("spans_partner", True, True)
    }


def test_spans_are_held_against_their_days(sqlite_session: Session) -> None:
    shop = Shop(sqlite_session)
    shop.order(3000, 0, 80_00)
    count(sqlite_session)
    sqlite_session.execute(sa.update(PartnerSpan).values(raw=7))
    found = day_recount.recount(sqlite_session, limit=9, now=LATER)
    assert {(one.table, "raw=7" in one.counted, "raw=1" in one.found) for one in found} == {
        ("spans_partner", True, True)
    }
    sqlite_session.execute(sa.delete(PartnerSpan))
    found = day_recount.recount(sqlite_session, limit=9, now=LATER)
    assert {(one.table, one.counted) for one in found} == {("spans_partner", "nothing")}


def test_orders_whose_clicks_are_past_their_term_are_no_difference(sqlite_session: Session) -> None:
    """The clicks of an order may be of a month before its own, and go before it is out of what is counted again."""
    shop = Shop(sqlite_session)
    shop.order(3000, 0, 80_00)
    shop.order(6000, 0, 30_00)
    count(sqlite_session)
    of_the_later = sqlite_session.get_one(Conversion, shop.orders[0]).click_id
    sqlite_session.execute(sa.delete(Click).where(Click.id == of_the_later))
    assert day_recount.recount(sqlite_session, limit=9, now=LATER) == []
    sqlite_session.execute(sa.update(PartnerSaleDay).where(PartnerSaleDay.conversions > 0).values(earned=1))
    found = day_recount.recount(sqlite_session, limit=9, now=LATER)  # days whose clicks are there are counted again
    of_days = [one.key for one in found if one.table == "sale_days_partner"]
    assert [str((NOW - 6000 * MINUTE).date()) in key for key in of_days] == [True]


def test_goals_of_several_spans_are_each_what_they_are_alone_counted_or_not(sqlite_session: Session) -> None:
    shop = Shop(sqlite_session)
    for days, amount in ((2, 80_00), (3, 40_00), (5, 20_00)):
        shop.order((DAY * days) // MINUTE, 0, amount)
    days = [(NOW - number * DAY).date() for number in range(8)]
    spans = [(days[7], days[1]), (days[4], days[2]), (days[3], days[2]), (days[2], days[0])]
    measures = [
        reaching.Measure(metric, PROGRAM_ID, Period(first, end, zone), "EUR")
        for first, end in spans
        for zone in ("UTC", "Europe/Rome")
        for metric in (GoalMetric.SALES, GoalMetric.REVENUE)
    ]

    def told() -> list[reaching.Reached]:
        together = reaching.reached(sqlite_session, measures=measures)
        assert together == [reaching.reached(sqlite_session, measures=[one])[0] for one in measures]
        return together

    rows = told()
    assert len({one.value for one in rows}) > 4
    count(sqlite_session)
    assert told() == rows


def test_whose_visits_were_sold_to_on_other_days_has_no_line_and_is_not_active(sqlite_session: Session) -> None:
    shop = Shop(sqlite_session)
    placed = NOW.replace(hour=0, minute=10) - 2 * DAY  # the click is of the day before
    shop.order((NOW - placed) // MINUTE, 0, 80_00)
    shop.overrule(0)
    before = Period((placed - DAY).date(), placed.date(), "UTC")
    asked: dict[str, Any] = {"program_id": PROGRAM_ID, "period": before, "currency": "EUR"}
    active = reaching.Measure(GoalMetric.ACTIVE_PARTNERS, PROGRAM_ID, before, "EUR")

    def told() -> tuple[Any, ...]:
        by_device = breakdown.facts_by_device(sqlite_session, **asked)
        return by_device, reaching.reached(sqlite_session, measures=[active])

    rows = told()
    count(sqlite_session)
    assert told() == rows == ({}, [reaching.Reached(0)])
    assert funnel_queries.funnel(sqlite_session, visits=funnel_queries.Visits(PROGRAM_ID), period=before).order == 1


def test_a_day_may_have_more_notes_than_a_statement_takes_values(sqlite_session: Session) -> None:
    shop = Shop(sqlite_session)
    shop.order(3000, 0, 80_00)
    driver: Any = sqlite_session.connection().connection.dbapi_connection
    driver.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 11_000)
    at = NOW - 3000 * MINUTE
    note = {"program_id": PROGRAM_ID, "part": Doubt.VISITS, "day": at.date(), "moment": at}
    sqlite_session.execute(sa.insert(ChangedDay), [note] * 11_001)
    count(sqlite_session)
    assert sqlite_session.scalar(sa.select(sa.func.count()).select_from(ChangedDay)) == 0


def test_whoever_writes_commissions_notes_their_days() -> None:
    writes = re.compile(r"(update|insert|insert_new)\((session, )?Commission\b")
    writers = [path for path in Path(affiliate.__file__).parent.rglob("*.py") if writes.search(path.read_text())]
    assert len(writers) > 3
    assert [path.name for path in writers if "changed_days.note(" not in path.read_text()] == []
