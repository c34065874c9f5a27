"""A shop's month as it happens, and the figures of its rows by plain Python: what pages, the portal and the API are held against.

Nothing here asks the product what a figure is. It reads rows (clicks, steps, orders, credits, commissions, refunds) and adds up.
Amounts of the story divide without a rest, so that every part of a sum is exact.
"""

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import event_cast
import sqlalchemy as sa
from factories import make_link, make_partner, make_plan, make_program, make_user
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import User
from affiliate.attribution import service as attribution
from affiliate.attribution.models import Attribution, Credit
from affiliate.commissions import service as commissions
from affiliate.commissions.models import Commission, CommissionStatus
from affiliate.currencies.models import ExchangeRate
from affiliate.fraud import service as fraud
from affiliate.fraud.signals import Verdict
from affiliate.ingest.models import Click, ClickVerdict, Conversion, OrderEvent, OrderEventType, Refund, Trust
from affiliate.ingest.service import overrule, store_batch
from affiliate.ingest.step_models import VisitStep
from affiliate.links.models import Coupon, LinkStatus
from affiliate.partners.models import Enrollment, Partner
from affiliate.payouts.models import CostKind, PartnerCost
from affiliate.programs.models import AttributionPolicy, Program
from affiliate.reports import margins
from affiliate.reports.models import ShopDay
from affiliate.reports.periods import Period
from affiliate.tracking.codec import StepEvent

ZONE = "Europe/Rome"
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
BOT = "Googlebot/2.1"
IRON = {"sku": "pan", "name": "Iron pan", "group": "iron", "quantity": 2}
WOOD = {"sku": "spoon", "name": "Wooden spoon", "group": "wood", "quantity": 3}
BARE = {"sku": "card", "quantity": 1}
RATES = {"EUR": Fraction(1), "USD": Fraction(4, 5), "CHF": Fraction(0)}
"""What one of each is worth in euro on any day of the story; of the franc no rate is known, and such orders bring no revenue."""
MARGINS = {"iron": 4000, "": 2500}
SOLD = frozenset(CommissionStatus) - {CommissionStatus.TEST, CommissionStatus.UNVERIFIED}
KEPT = frozenset({CommissionStatus.APPROVED, CommissionStatus.IN_PAYOUT, CommissionStatus.PAID})
WAITING = frozenset({CommissionStatus.PENDING, CommissionStatus.UNDER_REVIEW})
GONE = frozenset({CommissionStatus.REVERSED, CommissionStatus.DECLINED})


class Story:
    """A program with two partners, and another one beside it with one of them and the same of everything."""

    def __init__(self, session: Session, *, now: datetime, person: User | None = None) -> None:
        self.session, self.now = session, now
        self.numbers = iter(range(1, 10_000))
        self.program = self._program("casa")
        self.beside = self._program("altra")
        self.marta = make_partner(session, program=self.program, name="Slow Kitchen", user=person)
        self.ewa = make_partner(session, program=self.program, name="Ewa's Pans")
        theirs = (
            (self.program, self.marta),
            (self.program, self.marta),
            (self.program, self.ewa),
            (self.beside, self.ewa),
        )
        self.links = [make_link(session, program=program, partner=partner) for program, partner in theirs]
        session.add(Enrollment(id=ids.new(), program_id=self.beside.id, partner_id=self.ewa.id, status="approved", created_at=now, updated_at=now))  # fmt: skip
        self.coupon = Coupon(id=ids.new(), program_id=self.program.id, partner_id=self.ewa.id, code="EWA", status=LinkStatus.ACTIVE, created_at=now - 90 * DAY)  # fmt: skip
        session.add(self.coupon)
        self._let_in(self.marta, now - 75 * DAY)
        self._let_in(self.ewa, self.at(10))
        for back in range(100):
            day = (now - back * DAY).date()
            session.add(ExchangeRate(currency="USD", day=day, per_euro="1.25", source="ecb", stored_at=now))
        session.flush()

    def _program(self, slug: str) -> Program:
        begun = self.now - 200 * DAY
        program = make_program(self.session, slug=slug, time_zone=ZONE, created_at=begun)
        make_plan(self.session, program=program, effective_from=begun, published_at=begun)
        policy = self.session.scalars(
            sa.select(AttributionPolicy).where(AttributionPolicy.program_id == program.id)
        ).one()
        policy.terms = {"window_days": 30, "model": "linear"}
        return program

    def _let_in(self, partner: Partner, at: datetime) -> None:
        of_partner = sa.update(Enrollment).where(Enrollment.partner_id == partner.id)
        self.session.execute(of_partner.values(decided_at=at, created_at=at))

    def at(self, days_ago: int, minutes: int = 12 * 60) -> datetime:
        """So many minutes after midnight of a day of the program's zone."""
        here = self.now.astimezone(ZoneInfo(ZONE)).replace(hour=0, minute=0, second=0, microsecond=0)
        return (here - days_ago * DAY).astimezone(ZoneInfo("UTC")) + minutes * MINUTE

    def visit(self, link: int, at: datetime, *, steps: str = "", **facts: Any) -> UUID:
        """A click on one of the links, and the furthest step that the visit came to."""
        number, of = next(self.numbers), self.links[link]
        click = event_cast.click(
            number, program_id=of.program_id, partner_id=of.partner_id, link_id=of.id, occurred_at=at, click_id=ids.new_at(at),
            **facts,
        )  # fmt: skip
        told = [StepEvent(click.click_id, of.program_id, steps, is_test=False, received_at=at)] if steps else []  # type: ignore[arg-type] # one of the codec's
        store_batch(self.session, events=[click, *told], now=self.now)
        return click.click_id

    def order(self, order_id: str, at: datetime, amount_minor: int, *items: dict[str, Any], program: Program | None = None, **facts: Any) -> Conversion:  # fmt: skip
        """An order of some lines that cost the same each, unless they say what."""
        of = program or self.program
        each = (amount_minor - facts.get("tax_minor", 0) - facts.get("shipping_minor", 0)) // max(1, len(items))
        told = event_cast.sale(
            order_id, delivery=next(self.numbers), program_id=of.id, occurred_at=at, received_at=at, amount_minor=amount_minor,
            conversion_id=ids.conversion(program_id=of.id, kind="sale", order_id=order_id),
            items=[{"amount_minor": each} | item for item in items], **facts,
        )  # fmt: skip
        store_batch(self.session, events=[told], now=self.now)
        return self.session.get_one(Conversion, told.conversion_id)

    def bought(self, order_id: str, click_id: UUID, at: datetime, amount_minor: int, *items: dict[str, Any], **facts: Any) -> Conversion:  # fmt: skip
        """An order of a visit."""
        return self.order(order_id, at, amount_minor, *items, click_id=click_id, **facts)

    def refund(self, order: Conversion, amount_minor: int | None, *items: dict[str, Any]) -> None:
        """Money given back."""
        self._tell(event_cast.refund, order, amount_minor=amount_minor, currency=order.currency, items=list(items))

    def amend(self, order: Conversion, amount_minor: int) -> None:
        """The order is of another amount."""
        self._tell(event_cast.amendment, order, amount_minor=amount_minor, currency=order.currency)

    def cancel(self, order: Conversion) -> None:
        """The order is called off."""
        self._tell(event_cast.stage, order, type="cancelled")

    def _tell(self, make: Callable[..., Any], order: Conversion, **facts: Any) -> None:
        number = next(self.numbers)
        event = make(
            f"e{number}", order_id=order.order_id, delivery=number, occurred_at=order.occurred_at + HOUR, **facts
        )
        store_batch(
            self.session, events=[event._replace(program_id=order.program_id, conversion_id=order.id)], now=self.now
        )

    def judge(self, order: Conversion, partner: Partner, verdict: Verdict) -> None:
        """A person says what a rule would."""
        fraud.decide(
            self.session, program_id=order.program_id, conversion_id=order.id, partner_id=partner.id, verdict=verdict, note="So it is.",
            seen=0, actor=SYSTEM, now=self.now,
        )  # fmt: skip

    def decide(self, order: Conversion, *, approves: bool) -> None:
        """A manager approves or declines what waits of an order."""
        mine = (Commission.conversion_id == order.id, Commission.is_live, Commission.status == CommissionStatus.PENDING)
        for commission_id in self.session.scalars(sa.select(Commission.id).where(*mine)).all():
            told: dict[str, Any] = {"commission_id": commission_id, "program_id": order.program_id, "actor": SYSTEM, "now": self.now}  # fmt: skip
            if approves:
                commissions.approve(self.session, **told)
            else:
                commissions.decline(self.session, **told, reason="No.")

    def work(self) -> None:
        """All stages run; nothing is approved by itself."""
        attribution.attribute_waiting(self.session, limit=500, clicks_until=self.now + DAY, now=self.now)
        commissions.commission_waiting(self.session, limit=500, now=self.now)
        commissions.reverse_waiting(self.session, limit=500, now=self.now)
        self.session.expire_all()

    def begin(self) -> None:
        """What happened before anybody counted."""
        at, blog = self.at, {"country": "IT", "referrer": "https://blog.example/a", "subs": {"sub1": "reel"}}
        news = {"country": "PL", "referrer": "https://news.example/", "user_agent": PHONE, "creative": "crv_red"}
        for number, link in enumerate((0, 1, 2, 2, 3)):  # on both sides of midnight, some go on, none buys
            self.visit(
                link, at(3, -30 + 15 * number), steps=("", "product", "cart", "product", "checkout")[number], **blog
            )
        for link, agent in ((0, BOT), (2, BOT), (3, BOT)):
            self.visit(link, at(2, 600), user_agent=agent, country="IT")
        late = self.visit(0, at(3, -20), steps="checkout", **blog)
        self.midnight = self.bought(
            "midnight", late, at(3, 10), 100_00, IRON, WOOD, customer_id="anna", new_customer=True
        )
        self.bought("before", self.visit(2, at(3, -40), steps="checkout", **news), at(3, -1), 60_00, WOOD, customer_id="bruno", new_customer=False)  # fmt: skip
        twice = self.visit(1, at(4), steps="checkout", **news)
        self.bought("twice", twice, at(4, 800), 40_00, IRON, customer_id="anna", new_customer=False)
        self.bought("again", twice, at(2, 700), 80_00, {**BARE}, customer_id="anna", new_customer=False)
        visitor = event_cast.numbered(77)
        self.visit(0, at(6, 600), visitor_id=visitor, **blog)
        last = self.visit(2, at(6, 660), visitor_id=visitor, steps="checkout", **news)
        self.shared = self.bought("shared", last, at(6, 700), 200_00, IRON, WOOD, visitor_id=visitor, customer_id="carla", new_customer=True)  # fmt: skip
        dollars = self.visit(0, at(5), steps="checkout", country="US")
        self.dollars = self.bought(
            "dollars", dollars, at(5, 800), 100_00, IRON, WOOD, currency="USD", customer_id="dora"
        )
        self.bought("francs", self.visit(2, at(5, 60)), at(5, 70), 70_00, IRON, currency="CHF")
        taxed = self.visit(1, at(7), steps="checkout", **blog)
        self.taxed = self.bought("taxed", taxed, at(7, 800), 120_00, IRON, WOOD, tax_minor=16_00, shipping_minor=4_00, discount_minor=24_00)  # fmt: skip
        self.whole = self.bought(
            "whole", self.visit(2, at(8), **news), at(8, 800), 50_00, customer_id="emil", new_customer=True
        )
        self.flagged = self.bought("flagged", self.visit(0, at(2), steps="checkout", **news), at(2, 800), 30_00, WOOD)
        self.rejected = self.bought("rejected", self.visit(2, at(1), steps="checkout", **blog), at(1, 800), 20_00, WOOD)
        self.amended = self.bought("amended", self.visit(0, at(1, 60), **news), at(1, 90), 500_00, {**IRON, "amount_minor": 200_00}, customer_id="bruno")  # fmt: skip
        self.approved = self.bought("approved", self.visit(2, at(4), steps="cart", **blog), at(4, 760), 90_00, IRON)
        self.doubtful = self.visit(2, at(5, 300), steps="checkout", **blog)
        self.bought("doubtful", self.doubtful, at(5, 330), 20_00, IRON)
        self.order("by code", at(2, 900), 80_00, IRON, WOOD, coupon="EWA", customer_id="emil")
        self.bought("test", self.visit(0, at(4, 60)), at(4, 90), 10_00, IRON, is_test=True)
        self.bought("open", self.visit(0, at(4, 61)), at(4, 91), 10_00, IRON, trust=Trust.OPEN.value, source="pixel")
        self.order("nobody", at(3), 10_00, IRON, customer_id="anna", new_customer=False)
        self.bought("old", self.visit(0, at(40)), at(40, 800), 60_00, IRON, customer_id="anna", new_customer=True)
        self.bought("older", self.visit(0, at(70)), at(70, 800), 20_00, WOOD, customer_id="bruno", new_customer=True)
        beside = self.visit(3, at(3), steps="checkout", **blog)
        self.bought("midnight", beside, at(3, 800), 70_00, IRON, customer_id="anna", program=self.beside)
        self.work()
        self.judge(self.flagged, self.marta, Verdict.FLAG)
        self.judge(self.rejected, self.ewa, Verdict.REJECT)
        self.amend(self.amended, 200_00)
        self.refund(self.midnight, 25_00, {"sku": "pan", "amount_minor": 25_00})
        self.refund(self.dollars, 50_00)
        self.decide(self.approved, approves=True)
        self.work()
        self._spend()

    def go_on(self) -> None:
        """What happened after days were counted: it changes them."""
        self.refund(self.shared, 100_00)
        self.cancel(self.whole)
        self.amend(self.taxed, 240_00)
        self.visit(0, self.at(6, 605), country="IT")
        self.visit(2, self.at(3, -5), steps="product", country="DE")
        self.bought("late", self.visit(2, self.at(2, -10), country="PL", steps="checkout"), self.at(2, 5), 40_00, IRON, customer_id="fritz", new_customer=True)  # fmt: skip
        self.work()
        self.decide(self.midnight, approves=False)
        self.decide(self.shared, approves=True)
        overrule(
            self.session, click_id=self.doubtful, expected=ClickVerdict.VALID, verdict=ClickVerdict.BOT, now=self.now
        )
        self.work()

    def _spend(self) -> None:
        """Costs beside commissions, and what the shop told of its days."""
        self.session.flush()
        entered = {
            "entered_by_id": make_user(self.session).id,
            "entered_at": self.now,
            "note": "reel",
            "kind": CostKind.FLAT_FEE,
        }
        for program, partner, back, minor, more in (
            (self.program, self.marta, 3, 12_00, {}),
            (self.program, self.ewa, 6, 7_00, {"kind": CostKind.SAMPLES}),
            (self.program, self.ewa, 6, 900_00, {"currency": "USD"}),
            (self.program, self.ewa, 6, 800_00, {"removed_at": self.now, "removed_by_id": entered["entered_by_id"]}),
            (self.beside, self.ewa, 3, 700_00, {}),
        ):
            whose = {
                "program_id": program.id,
                "partner_id": partner.id,
                "spent_on": self.at(back).date(),
                "currency": "EUR",
            }
            self.session.add(PartnerCost(id=ids.new(), amount_minor=minor, **entered | whose | more))
        for program, factor in ((self.program, 1), (self.beside, 9)):
            for back in range(2, 7):
                self.session.add(
                    ShopDay(
                        program_id=program.id, day=self.at(back).date(), currency="EUR", orders=50 * factor, revenue_minor=5_000_00 * factor,
                        costs_minor=None if back == 2 else 3_000_00 * factor, updated_at=self.now,
                    )
                )  # fmt: skip
            margins.set_margins(self.session, program_id=program.id, margins=MARGINS, actor=SYSTEM, now=self.now)
        self.session.flush()


@dataclass(frozen=True)
class Sale:
    """A commission that is in force, with the rows behind it."""

    row: Commission
    order: Conversion
    credit: Credit
    is_new: bool | None
    click: Click | None

    @cached_property
    def revenue(self) -> Fraction:
        """What the customer paid for this partner's part, in the program's currency."""
        return self.order.amount_minor * Fraction(self.credit.share_bps, 10_000) * RATES[self.order.currency]

    @property
    def earned(self) -> int:
        """What is left of the commission."""
        return self.row.amount_minor - self.row.reversed_minor

    def told(self, name: str) -> str:
        """What its click tells."""
        return told(self.click, name) if self.click else ""

    def lines(self, key: str) -> dict[str, Fraction]:
        """Which part of the order each product (`sku`) or category (`group`) is; all of it is of nothing where it names none."""
        paid: dict[str, int] = defaultdict(int)
        for item in self.order.items:
            paid[item.get(key) or ""] += item["amount_minor"]
        return {label: Fraction(minor, sum(paid.values())) for label, minor in paid.items()} or {"": Fraction(1)}


def told(click: Click, name: str) -> str:
    """What a click tells: its country, device, page or sub id."""
    agent = click.user_agent or ""
    device = ("phone" if "Mobi" in agent else "computer") if agent else ""
    found = {"device": device, "sub1": click.subs.get("sub1", "")}
    return str(found[name] if name in found else getattr(click, name) or "")


Six = tuple[int, int, int, int, int, int]
"""Clicks, valid clicks, orders, revenue, earnings, what came back of commissions."""


class Rows:
    """All rows of a program as they are now."""

    def __init__(self, session: Session, program: Program) -> None:
        session.expire_all()
        self.program, self.session = program, session
        self.clicks = self._all(Click)
        self.orders = {order.id: order for order in self._all(Conversion)}
        self.refunds, self.events, self.steps, self.costs = map(self._all, (Refund, OrderEvent, VisitStep, PartnerCost))
        self.enrolled = self._all(Enrollment)
        shares = {one.id: one for one in session.scalars(sa.select(Credit))}
        outcomes = {one.id: one for one in session.scalars(sa.select(Attribution))}
        by_id = {one.id: one for one in self.clicks}
        self.live = [
            Sale(one, self.orders[one.conversion_id], shares[one.credit_id], outcomes[one.attribution_id].is_new_customer, by_id.get(shares[one.credit_id].click_id))
            for one in self._all(Commission) if one.is_live
        ]  # fmt: skip
        self.sold = [one for one in self.live if one.row.status in SOLD]

    def _all(self, table: Any) -> list[Any]:
        return list(self.session.scalars(sa.select(table).where(table.program_id == self.program.id)))

    def sales(self, period: Period) -> list[Sale]:
        """Those of orders of these days."""
        return [one for one in self.sold if period.starts_at <= one.order.occurred_at < period.ends_at]

    def arrivals(self, period: Period) -> list[Click]:
        """The clicks of hours that begin in these days."""
        return [one for one in self.clicks if period.starts_at <= _hour(one.occurred_at) < period.ends_at]

    def six(self, sales: Collection[Sale], clicks: Collection[Click] = ()) -> Six:
        """What they come to."""
        return (
            len(clicks), sum(one.verdict is ClickVerdict.VALID for one in clicks), len({one.order.id for one in sales}),
            exactly(sum(one.revenue for one in sales)), sum(one.earned for one in sales), sum(one.row.reversed_minor for one in sales),
        )  # fmt: skip

    def by(self, period: Period, of_sale: Callable[[Sale], Any], of_click: Callable[[Click], Any] | None = None, *, partner: Partner | None = None) -> dict[Any, Six]:  # fmt: skip
        """The same by what each of them is of, of one partner or of all, without what is nothing."""
        sales: dict[Any, list[Sale]] = defaultdict(list)
        clicks: dict[Any, list[Click]] = defaultdict(list)
        for sale in self.sales(period):
            if partner is None or sale.row.partner_id == partner.id:
                sales[of_sale(sale)].append(sale)
        for click in self.arrivals(period) if of_click else ():
            if partner is None or click.partner_id == partner.id:
                clicks[of_click(click)].append(click)  # type: ignore[misc] # there is one
        return {label: self.six(sales[label], clicks[label]) for label in sales.keys() | clicks.keys()}

    def customers(self, sales: Collection[Sale]) -> tuple[int, int]:
        """Orders of new customers, and of those of whom it is known."""
        new, known = ({one.order.id for one in sales if one.is_new in which} for which in ((True,), (True, False)))
        return len(new), len(known)

    def spent(self, period: Period, partners: Collection[UUID] | None = None) -> int:
        """What partners cost beside commissions."""
        return sum(
            one.amount_minor for one in self.costs
            if one.currency == "EUR" and one.removed_at is None and period.first <= one.spent_on < period.end
            and (partners is None or one.partner_id in partners)
        )  # fmt: skip

    def funnel(self, period: Period, *, of: Callable[[Click], bool] = lambda _click: True) -> tuple[int, ...]:
        """Visits, the three steps, visits that bought, those that are kept, and those of which nobody knows yet."""
        begun = {one.id: one for one in self.arrivals(period) if of(one)}
        valid = [one for one in begun.values() if one.verdict is ClickVerdict.VALID]
        people = {one.id for one in begun.values() if one.verdict in {ClickVerdict.VALID, ClickVerdict.DUPLICATE}}
        steps = [len({one.click_id for one in self.steps if one.step == name and not one.is_test} & people) for name in ("product", "cart", "checkout")]  # fmt: skip
        bought: dict[UUID, set[CommissionStatus]] = defaultdict(set)
        for sale in self.sold:
            if sale.click and sale.click.id in begun:
                bought[sale.click.id].add(sale.row.status)
        kept = sum(bool(states & KEPT) for states in bought.values())
        waiting = sum(bool(states & WAITING) and not states & KEPT for states in bought.values())
        return len(valid), *steps, len(bought), kept, waiting

    def items(self, period: Period, key: str, partner: Partner | None = None) -> dict[str, tuple[int, int, int, int]]:
        """By product or category: orders, revenue, earnings, what came back of commissions."""
        orders: dict[str, set[UUID]] = defaultdict(set)
        money: dict[str, list[Fraction]] = defaultdict(lambda: [Fraction(0)] * 3)
        for sale in self.sales(period):
            for label, part in sale.lines(key).items() if partner is None or sale.row.partner_id == partner.id else ():
                orders[label].add(sale.order.id)
                for place, minor in enumerate((sale.revenue, sale.earned, sale.row.reversed_minor)):
                    money[label][place] += minor * part
        return {label: (len(found), *map(exactly, money[label])) for label, found in orders.items()}

    def goods(self, period: Period, key: str) -> dict[str, tuple[int, int, int, int, int, int]]:
        """By product or category: orders, pieces, revenue, earnings, what customers gave back of it, orders of which something came back."""
        pieces: dict[str, int] = defaultdict(int)
        lost: dict[str, Fraction] = defaultdict(Fraction)
        came_back: dict[str, set[UUID]] = defaultdict(set)
        sales = self.sales(period)
        group_of = {item["sku"]: item.get(key) or "" for sale in sales for item in sale.order.items}
        for sale in sales:
            back = self.back(sale.order)
            for sku, part in sale.lines("sku").items():
                label = group_of.get(sku, "")
                lost[label] += sale.revenue * part * back[sku]
                came_back[label] |= {sale.order.id} if back[sku] else set()
        for order in {sale.order.id: sale.order for sale in sales}.values():
            for item in order.items:
                pieces[item.get(key) or ""] += item["quantity"]
        found = self.items(period, key)
        return {
            label: (orders, pieces[label], revenue, earned, exactly(lost[label]), len(came_back[label]))
            for label, (orders, revenue, earned, _back) in found.items()
        }  # fmt: skip

    def back(self, order: Conversion) -> dict[str, Fraction]:
        """What part of each line of an order came back. The story names a line's own money, or spreads a refund over all."""
        every = {item["sku"]: item["amount_minor"] for item in order.items} or {"": 1}
        refunds = [one for one in self.refunds if one.conversion_id == order.id]
        cancelled = any(one.type is OrderEventType.CANCELLED for one in self.events if one.conversion_id == order.id)
        if cancelled:
            return dict.fromkeys(every, Fraction(1))
        found = dict.fromkeys(every, Fraction(0))
        for one in refunds:
            for item in one.items:
                found[item["sku"]] += Fraction(item["amount_minor"], every[item["sku"]])
            if not one.items:
                found = {sku: part + Fraction(one.amount_minor, order.amount_minor) for sku, part in found.items()}
        return found

    def margin(self, period: Period) -> dict[UUID, tuple[int, ...]]:
        """By partner: orders, list price, discounts, returns, tax and shipping, goods, commissions, other costs."""
        found: dict[UUID, list[Fraction]] = defaultdict(lambda: [Fraction(0)] * 6)
        orders: dict[UUID, set[UUID]] = defaultdict(set)
        groups = {item["sku"]: item.get("group", "") for order in self.orders.values() for item in order.items}
        for sale in self.sales(period):
            if sale.row.currency != "EUR":
                continue
            sums, order = found[sale.row.partner_id], sale.order
            orders[sale.row.partner_id].add(order.id)
            sums[5] += sale.earned
            of_paid = sale.revenue / order.amount_minor
            for sku, part in sale.lines("sku").items():
                paid, discount, tax = (minor * of_paid * part for minor in (order.amount_minor, order.discount_minor, order.tax_minor + order.shipping_minor))  # fmt: skip
                back = self.back(order)[sku]
                net = (paid - tax) * (1 - back)
                goods = net * Fraction(10_000 - MARGINS.get(groups.get(sku, ""), MARGINS[""]), 10_000)
                for place, minor in enumerate((paid + discount, discount, paid * back, tax * (1 - back), goods)):
                    sums[place] += minor
        spent = {one.partner_id: self.spent(period, {one.partner_id}) for one in self.enrolled}
        return {
            partner: (len(orders[partner]), *map(exactly, found[partner]), spent[partner])
            for partner in spent if partner in found or spent[partner]
        }  # fmt: skip

    def shop_margin(self, period: Period) -> int | None:
        """What the shop keeps of its revenue, in basis points, of the days of which it told its costs."""
        days = [
            one for one in self._all(ShopDay) if period.first <= one.day < period.end and one.costs_minor is not None
        ]
        revenue = sum(one.revenue_minor for one in days)
        return part_bps(revenue - sum(one.costs_minor for one in days), revenue)


def month_of(moment: datetime) -> tuple[int, int]:
    """The month of the program's calendar."""
    here = moment.astimezone(ZoneInfo(ZONE))
    return here.year, here.month


def months_between(first: tuple[int, int], later: tuple[int, int]) -> int:
    """How many months lie between two."""
    return (later[0] - first[0]) * 12 + later[1] - first[1]


def exactly(minor: Fraction | int) -> int:
    """A whole number of minor units: the story's parts have no rest."""
    assert Fraction(minor).denominator == 1, minor
    return int(minor)


def part_bps(part: int, whole: int) -> int | None:
    """A share in basis points, half to even."""
    return rounded(Decimal(part * 10_000) / whole) if whole > 0 else None


def rounded(number: Decimal) -> int:
    """To a whole number, half to even."""
    return int(number.quantize(Decimal(1), ROUND_HALF_EVEN))


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def without_nothing(found: dict[Any, Any]) -> dict[Any, Any]:
    """Without labels of which nothing is counted."""
    return {label: numbers for label, numbers in found.items() if any(numbers)}
