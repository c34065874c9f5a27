"""The fraud rules over a mixed month with two percent of fraud: how much of it they find, how many honest orders they stop, at what cost.

Among the honest are a sale day, partners of very different size, customers behind ten mobile addresses, a podcast whose code
is used without clicks, and a few people who shop through a data centre's VPN: these the rules stop wrongly, and it counts.
"""

import random
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from figures import Figure
from money_stages import upgrade
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.attribution.models import Attribution, Credit
from affiliate.fraud import judging
from affiliate.fraud.models import FraudVerdict
from affiliate.fraud.signals import Verdict
from affiliate.ingest.models import Click, ClickVerdict, Conversion, ConversionRevision, Trust
from affiliate.ingest.rollup_models import PartnerClickHour, ProgramClickHour
from affiliate.links.models import Coupon, Link, LinkStatus
from affiliate.partners.models import Enrollment, EnrollmentStatus, Partner
from affiliate.programs.models import Program, ProgramStatus

BEGINS = datetime(2026, 10, 1, tzinfo=UTC)
DAYS = 30
SALE_DAY = 21
PARTNERS = 40
ORDERS_A_DAY = 150
MINUTE = timedelta(minutes=1)


def measure() -> Iterator[Figure]:
    """Precision and recall in percent, and the cost of a credit, on SQLite."""
    with tempfile.TemporaryDirectory(prefix="affiliate-bench-") as folder:
        engine = db.make_engine(f"sqlite:///{folder}/bench.db")
        upgrade(engine)
        with Session(engine, expire_on_commit=False) as session:
            month = _Month(session)
            month.fill()
            seconds = _judge(session, month)
            stopped = set(
                session.scalars(sa.select(FraudVerdict.conversion_id).where(FraudVerdict.verdict != Verdict.PASS))
            )
        engine.dispose()
    found = len(stopped & month.frauds)
    yield Figure("fraud rules: orders of the month", len(month.orders))
    yield Figure("fraud rules: of these fraud, %", 100 * len(month.frauds) / len(month.orders))
    yield Figure("fraud rules: precision, %", 100 * found / len(stopped))
    yield Figure("fraud rules: recall, %", 100 * found / len(month.frauds))
    yield Figure("fraud rules: µs a credit", seconds / len(month.orders) * 1_000_000)


def _judge(session: Session, month: "_Month") -> float:
    """Judge each day's orders on their evening, as the stage would; the seconds that took."""
    began = time.perf_counter()
    for day in range(DAYS):
        evening = BEGINS + timedelta(days=day + 1)
        of_day = [order for order, at in month.orders.items() if evening - timedelta(days=1) <= at < evening]
        judging.judge(session, conversion_ids=of_day, now=evening)
        session.commit()
    return time.perf_counter() - began


@dataclass(slots=True)
class _Month:
    session: Session
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    orders: dict[UUID, datetime] = field(default_factory=dict)
    frauds: set[UUID] = field(default_factory=set)
    rows: dict[Any, list[dict[str, Any]]] = field(default_factory=dict)
    program_id: UUID = field(default_factory=ids.new)
    links: list[tuple[UUID, UUID]] = field(default_factory=list)  # partner and link
    coupon_id: UUID = field(default_factory=ids.new)
    numbers: Iterator[int] = field(default_factory=lambda: count(100_000))

    def fill(self) -> None:
        """A program, its partners, and the month."""
        self._found()
        for day in range(DAYS):
            self._honest_day(day)
        self._frauds()
        for table, rows in self.rows.items():
            self.session.execute(sa.insert(table), rows)
        self.session.commit()

    def _found(self) -> None:
        shop = {"shop_url": "https://www.shop.example/", "allowed_hosts": ["www.shop.example"]}
        first = {"created_at": BEGINS, "updated_at": BEGINS}
        program = Program(
            id=self.program_id, slug="bench", name="Bench", status=ProgramStatus.LIVE, currency="EUR", **shop, **first
        )
        self.session.add(program)
        self.session.flush()
        for number in range(PARTNERS):
            partner_id, link_id = ids.new(), ids.new()
            self._add(Partner, id=partner_id, name=f"Partner {number}", created_at=BEGINS)
            mine = {"program_id": self.program_id, "partner_id": partner_id}
            self._add(Enrollment, id=ids.new(), **mine, status=EnrollmentStatus.APPROVED, **first)
            link = {"code": f"p{number}", "name": "", "landing_url": "https://www.shop.example/", "subs": {}}
            self._add(Link, id=link_id, **mine, **link, status=LinkStatus.ACTIVE, **first)
            self.links.append((partner_id, link_id))
        coupon = {"program_id": self.program_id, "partner_id": self.links[1][0], "code": "PODCAST"}
        self._add(Coupon, id=self.coupon_id, **coupon, status=LinkStatus.ACTIVE, created_at=BEGINS)

    def _add(self, table: Any, **row: Any) -> None:
        self.rows.setdefault(table, []).append(row)

    def _honest_day(self, day: int) -> None:
        times = 6 if day == SALE_DAY else 1
        clicks = dict.fromkeys(range(PARTNERS), 0)
        for _ in range(ORDERS_A_DAY * times):
            partner = min(int(self.chance.expovariate(0.12)), PARTNERS - 1)
            clicks[partner] += 30
            at = self._moment(day)
            if partner == 1 and self.chance.random() < 0.5:
                self._order(partner, at, click=None)
                continue
            click: dict[str, Any] = {"address_hash": ids.new().hex * 2}
            kind = self.chance.random()
            if kind < 0.05:
                click = {"address_hash": f"{self.chance.randrange(10)}" * 64, "network": "mobile"}
            elif kind < 0.052:
                click["network"] = "datacentre"
            after = timedelta(seconds=int(self.chance.expovariate(1 / 40_000)) + 40)
            self._order(partner, at, click=click, after=after)
        for partner, number in clicks.items():
            self._clicks(partner, day, number)

    def _clicks(self, partner: int, day: int, clicks: int) -> None:
        hour = {"program_id": self.program_id, "hour": BEGINS + timedelta(days=day), "verdict": ClickVerdict.VALID}
        self._add(PartnerClickHour, **hour, partner_id=self.links[partner][0], clicks=clicks, shard=0)
        self._add(ProgramClickHour, **hour, clicks=clicks, shard=partner)

    def _moment(self, day: int) -> datetime:
        return BEGINS + timedelta(days=day, seconds=self.chance.randrange(86_400))

    def _frauds(self) -> None:
        """A hundred orders that somebody made up, of eight kinds."""
        for number in range(16):
            self._fraud(30, self._moment(number), {"network": "tor" if number % 2 else "datacentre"})
        for number in range(24):  # a burst on one day, of a partner that is known for little
            self._fraud(20, BEGINS + timedelta(days=25, minutes=number), {"address_hash": ids.new().hex * 2})
        for number in range(14):  # new customers, one connection
            self._fraud(25, BEGINS + timedelta(days=12 + number), {"address_hash": "f" * 64})
        for number in range(12):  # a script that orders seconds after its click
            self._fraud(
                35, BEGINS + timedelta(days=2 + number), {"address_hash": ids.new().hex * 2}, after=timedelta(seconds=2)
            )
        for number in range(10):  # the same order once more
            first = self._order(
                5,
                self._moment(number),
                click={},
                visitor_id=(visitor := ids.new()),
                order_id=f"T-{number}7001",
                amount_minor=80_00,
            )
            at = self.orders[first] + 5 * MINUTE
            self.frauds.add(
                self._order(5, at, click={}, visitor_id=visitor, order_id=f"t{number}7001", amount_minor=80_00)
            )
        for number in range(8):  # clicks made for the customer
            visitor, at = ids.new(), self._moment(number + 3)
            for one in range(40):
                self._click(15, at - timedelta(minutes=90 + one), visitor_id=visitor)
            self._fraud(15, at, {"visitor_id": visitor})
        for number in range(8):
            self._fraud(10, self._moment(number), {}, click_refusal="tampered_click_id")
        for number in range(8):  # a page that tells ten times the amount
            fraud = self._fraud(8, self._moment(number), {})
            facts, differences = {"amount_minor": 500_00, "currency": "EUR"}, {"amount_minor": [500_00, 50_00]}
            before = {"conversion_id": fraud, "delivery_id": ids.new(), "revision": 1, "trust": Trust.OPEN}
            self._add(
                ConversionRevision, id=ids.new(), **before, facts=facts, differences=differences, replaced_at=BEGINS
            )

    def _fraud(self, partner: int, at: datetime, click: dict[str, Any], **more: Any) -> UUID:
        made = self._order(partner, at, click=click, **more)
        self.frauds.add(made)
        return made

    def _click(self, partner: int, at: datetime, **fields: Any) -> UUID:
        partner_id, link_id = self.links[partner]
        click_id = ids.new_at(at)
        whose = {"program_id": self.program_id, "partner_id": partner_id, "link_id": link_id}
        usual = dict.fromkeys(("visitor_id", "user_agent", "address_prefix", "address_hash", "network", "referrer"))
        told = {
            "verdict": ClickVerdict.VALID,
            "source": "redirect",
            "subs": {},
            "landing_url": "https://www.shop.example/",
        }
        self._add(Click, id=click_id, **whose, occurred_at=at, received_at=at, **told, **usual | fields)
        return click_id

    def _order(
        self,
        partner: int,
        at: datetime,
        *,
        click: dict[str, Any] | None,
        after: timedelta = 20 * MINUTE,
        order_id: str | None = None,
        **fields: Any,
    ) -> UUID:
        number = next(self.numbers)
        order = order_id or str(number)
        made = ids.conversion(program_id=self.program_id, kind="sale", order_id=order)
        click_id = None if click is None else self._click(partner, at - after, **click)
        usual = {
            "click_id": click_id,
            "click_refusal": None,
            "visitor_id": None,
            "coupon": None if click_id else "PODCAST",
        }
        facts = {
            "trust": Trust.SERVER,
            "source": "api",
            "amount_minor": self.chance.randrange(20_00, 200_00),
            "currency": "EUR",
        }
        whole = {"kind": "sale", "order_id": order, "is_test": False, "items": [], "fingerprint": "0" * 64}
        who = {"customer_id": f"c{number}", "occurred_at": at, "received_at": at, "attributed_revision": 1}
        self._add(Conversion, id=made, program_id=self.program_id, **whole, **who, **facts | usual | fields)
        outcome = {
            "conversion_id": made,
            "conversion_revision": 1,
            "version": 1,
            "is_current": True,
            "model": "last_click",
        }
        decided = {"policy_version": 1, "is_new_customer": True, "trace": {}, "decided_at": at}
        attribution_id = ids.new()
        self._add(Attribution, id=attribution_id, **outcome, **decided)
        earned = {"partner_id": self.links[partner][0], "click_id": click_id, "share_bps": 10_000}
        coupon_id = None if click_id else self.coupon_id
        self._add(Credit, id=ids.new(), attribution_id=attribution_id, coupon_id=coupon_id, **earned)
        self.orders[made] = at
        return made
