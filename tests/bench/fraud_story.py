"""A month of orders for the fraud rules: a program, its partners, and the honest days. Rows are collected, then inserted at once."""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids, settings
from affiliate.accounts.models import User
from affiliate.attribution.models import Attribution, Credit
from affiliate.fraud.models import FraudSettings
from affiliate.ingest.models import Click, ClickVerdict, Conversion, Trust
from affiliate.ingest.rollup_models import PartnerClickHour, ProgramClickHour
from affiliate.links.models import Coupon, Link, LinkStatus
from affiliate.partners.models import Enrollment, EnrollmentStatus, Member, Partner
from affiliate.programs.models import Program, ProgramStatus
from affiliate.tracking.keys import Keys, email_hash

BEGINS = datetime(2026, 10, 1, tzinfo=UTC)
DAYS = 30
SALE_DAY = 21
PARTNERS = 40
ORDERS_A_DAY = 480
PODCAST = 1  # a partner whose code is used without clicks
CLICKS_AN_ORDER = 30
_SHOP = "https://www.casaondera.example/"


@dataclass(slots=True)
class Month:
    """What happened, and which orders somebody made up, by kind."""

    session: Session
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    orders: dict[UUID, datetime] = field(default_factory=dict)
    frauds: dict[UUID, str] = field(default_factory=dict)
    late: set[UUID] = field(default_factory=set)  # judged again a month later: nobody had confirmed them
    rows: dict[Any, list[dict[str, Any]]] = field(default_factory=dict)
    program_id: UUID = field(default_factory=ids.new)
    links: list[tuple[UUID, UUID]] = field(default_factory=list)  # partner and link
    coupons: dict[int, UUID] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: count(100_000))

    def found(self) -> None:
        """The program with its words and banned sites, and forty honest partners."""
        first = {"created_at": BEGINS, "updated_at": BEGINS}
        shop = {"shop_url": _SHOP, "allowed_hosts": ["www.casaondera.example"]}
        facts = {"slug": "bench", "name": "Bench", "status": ProgramStatus.LIVE, "currency": "EUR"}
        self.session.add(Program(id=self.program_id, **facts, **shop, **first))
        self.session.flush()
        words = {"brand_terms": ["casa ondera"], "banned_hosts": ["coupons.example"]}
        told = {"program_id": self.program_id, "version": 1, "document": words, "created_at": BEGINS}
        self.add(FraudSettings, id=ids.new(), **told)
        for number in range(PARTNERS):
            self.partner(mail=f"person{number}@{('gmail.com', 'blog.example')[number % 2]}")
        self.coupon(PODCAST)

    def partner(
        self, *, mail: str, website: str | None = None, status: EnrollmentStatus = EnrollmentStatus.APPROVED
    ) -> int:
        """A partner with one person and one link; its number."""
        number, partner_id, link_id, user_id = len(self.links), ids.new(), ids.new(), ids.new()
        first = {"created_at": BEGINS, "updated_at": BEGINS}
        self.add(Partner, id=partner_id, name=f"Partner {number}", website=website, created_at=BEGINS)
        mine = {"program_id": self.program_id, "partner_id": partner_id}
        self.add(Enrollment, id=ids.new(), **mine, status=status, **first)
        link = {"code": f"p{number}", "name": "", "landing_url": _SHOP, "subs": {}}
        self.add(Link, id=link_id, **mine, **link, status=LinkStatus.ACTIVE, **first)
        person = {"email": mail, "name": mail, "active": True, "fs_uniquifier": user_id.hex, "created_at": BEGINS}
        self.add(User, id=user_id, **person)
        self.add(Member, id=ids.new(), user_id=user_id, partner_id=partner_id, role="owner", created_at=BEGINS)
        self.links.append((partner_id, link_id))
        return number

    def coupon(self, partner: int) -> None:
        """A code of a partner."""
        self.coupons[partner] = ids.new()
        whose = {"program_id": self.program_id, "partner_id": self.links[partner][0], "code": f"CODE{partner}"}
        self.add(Coupon, id=self.coupons[partner], **whose, status=LinkStatus.ACTIVE, created_at=BEGINS)

    def add(self, table: Any, **row: Any) -> None:
        """A row, to be inserted with all others."""
        self.rows.setdefault(table, []).append(row)

    def insert(self) -> None:
        """Everything so far, people before those who refer to them."""
        places = {table.name: place for place, table in enumerate(db.Base.metadata.sorted_tables)}
        for table in sorted(self.rows, key=lambda table: places[table.__tablename__]):
            self.session.execute(sa.insert(table), self.rows[table])
        self.session.commit()

    def honest_day(self, day: int) -> None:
        """Partners of very different size; one day everybody sells six times as much."""
        clicks = dict.fromkeys(range(PARTNERS), 0)
        for _ in range(ORDERS_A_DAY * (6 if day == SALE_DAY else 1)):
            partner = min(int(self.chance.expovariate(0.12)), PARTNERS - 1)
            clicks[partner] += CLICKS_AN_ORDER
            if partner == PODCAST and self.chance.random() < 0.5:
                self.order(partner, self.moment(day), click=None)
            else:
                self.order(partner, self.moment(day), click=self._honest_click())
        for partner, number in clicks.items():
            self.clicks(partner, day, number)

    def pondering(self) -> timedelta:
        """How long people take from click to order: minutes, hours, sometimes days."""
        return timedelta(seconds=int(self.chance.expovariate(1 / 40_000)) + 40)

    def _honest_click(self) -> dict[str, Any]:
        """Some shop behind ten mobile addresses, a few through a data centre's VPN."""
        kind = self.chance.random()
        if kind < 0.05:
            return {"address_hash": f"{self.chance.randrange(10)}" * 64, "network": "mobile"}
        return {"address_hash": ids.new().hex * 2} | ({"network": "datacentre"} if kind < 0.052 else {})

    def clicks(self, partner: int, day: int, clicks: int) -> None:
        """Clicks in the rollups."""
        hour = {"program_id": self.program_id, "hour": BEGINS + timedelta(days=day), "verdict": ClickVerdict.VALID}
        shard = next(self.numbers)
        self.add(PartnerClickHour, **hour, partner_id=self.links[partner][0], clicks=clicks, shard=shard % 30_000)
        self.add(ProgramClickHour, **hour, clicks=clicks, shard=shard % 30_000)

    def moment(self, day: int) -> datetime:
        """Some time of a day."""
        return BEGINS + timedelta(days=day, seconds=self.chance.randrange(86_400))

    @staticmethod
    def hashed(mail: str) -> str:
        """A customer's address as the edge keeps it."""
        return email_hash(Keys.of(settings.current().secret_key), hashlib.sha256(mail.encode()).hexdigest())

    def fraud(self, kind: str, partner: int, at: datetime, click: dict[str, Any] | None, **more: Any) -> UUID:
        """An order that somebody made up."""
        made = self.order(partner, at, click=click, **more)
        self.frauds[made] = kind
        return made

    def click(self, partner: int, at: datetime, **fields: Any) -> UUID:
        """A click that counts."""
        partner_id, link_id = self.links[partner]
        click_id = ids.new_at(at)
        whose = {"program_id": self.program_id, "partner_id": partner_id, "link_id": link_id}
        empty = ("visitor_id", "user_agent", "address_prefix", "address_hash", "network", "referrer", "utm", "ad_ids")
        usual = dict.fromkeys(empty) | {"referrer_host": ""}
        told = {"verdict": ClickVerdict.VALID, "source": "redirect", "subs": {}, "landing_url": _SHOP}
        self.add(Click, id=click_id, **whose, occurred_at=at, received_at=at, **told, **usual | fields)
        return click_id

    def order(
        self,
        partner: int,
        at: datetime,
        *,
        click: dict[str, Any] | None,
        after: timedelta | None = None,
        order_id: str | None = None,
        **fields: Any,
    ) -> UUID:
        """An order credited to a partner, by a click or by its code."""
        number = next(self.numbers)
        order = order_id or str(number)
        made = ids.conversion(program_id=self.program_id, kind="sale", order_id=order)
        click_id = None if click is None else self.click(partner, at - (after or self.pondering()), **click)
        usual = {
            "click_id": click_id, "click_refusal": None, "visitor_id": None, "email_hash": None,
            "coupon": None if click_id else f"CODE{partner}", "trust": Trust.SERVER, "source": "api",
            "amount_minor": self.chance.randrange(20_00, 200_00), "customer_id": f"c{number}",
        }  # fmt: skip
        whole = {"kind": "sale", "order_id": order, "is_test": False, "items": [], "fingerprint": "0" * 64}
        when = {"currency": "EUR", "occurred_at": at, "received_at": at, "attributed_revision": 1}
        self.add(Conversion, id=made, program_id=self.program_id, **whole, **when, **usual | fields)
        version = {"conversion_revision": 1, "version": 1, "is_current": True, "model": "last_click"}
        decided = {"policy_version": 1, "is_new_customer": True, "trace": {}, "decided_at": at}
        attribution_id = ids.new()
        self.add(Attribution, id=attribution_id, conversion_id=made, **version, **decided)
        earned = {"partner_id": self.links[partner][0], "click_id": click_id, "share_bps": 10_000}
        coupon_id = None if click_id else self.coupons[partner]
        self.add(Credit, id=ids.new(), attribution_id=attribution_id, coupon_id=coupon_id, **earned)
        self.orders[made] = at
        return made
