"""Segments of customers: where each stands (new, second order, loyal, lapsed), and kinds that cut across (high basket, by coupon, by first partner).

Customers are known as cohorts know them; all their credited orders that count are read, however old, for who is loyal is said by
all of them. One statement: it reads each such order once, so its cost grows with the program's credited orders (as that of cohorts
does) and not with its days; what comes out is a handful of rows. It is counted once an hour and kept, never while a large program waits.
"""

import enum
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.attribution.models import Credit
from affiliate.commissions.models import Commission
from affiliate.ingest.models import Conversion
from affiliate.partners.facts import ChannelKind
from affiliate.partners.models import Partner
from affiliate.reports.metrics import Facts
from affiliate.reports.queries import NOT_COUNTED

LAPSED_AFTER = timedelta(days=180)
LOYAL_FROM = 3
HIGH_PERCENT = 150
"""A high basket: on average so much of the mean order of all known customers."""


class Segment(enum.StrEnum):
    """What a customer is. The first four are each customer's place: one of them; the others cut across."""

    NEW = "new"  # one order
    SECOND = "second"  # more, and fewer than a loyal one
    LOYAL = "loyal"  # `LOYAL_FROM` or more
    LAPSED = "lapsed"  # however many, the last one `LAPSED_AFTER` ago
    HIGH_BASKET = "high_basket"
    BY_COUPON = "by_coupon"  # at least half of the orders
    ALL = "all"


PLACES = (Segment.NEW, Segment.SECOND, Segment.LOYAL, Segment.LAPSED)
FIRST = "first:"
"""The key of customers whose first order came by a partner with this kind of channel, or none."""


@dataclass(frozen=True, slots=True)
class Line:
    """What a segment is worth. `gaps` is how many times a customer of it ordered again, `gap_seconds` how long that took in all."""

    key: str  # a `Segment`, or FIRST and a kind of channel
    customers: int
    orders: int
    revenue_minor: int
    earned_minor: int
    reversed_minor: int
    gaps: int
    gap_seconds: int

    def facts(self, currency: str) -> Facts:
        """The same as the metrics read it."""
        return Facts(
            currency, conversions=self.orders, revenue_minor=self.revenue_minor, earned_minor=self.earned_minor,
            reversed_minor=self.reversed_minor,
        )  # fmt: skip

    @property
    def days_between(self) -> int | None:
        """How many days lie between one order and the next on average; unknown where nobody ordered again."""
        return None if not self.gaps else round(timedelta(seconds=self.gap_seconds / self.gaps) / timedelta(days=1))


def lines(session: Session, *, program_id: UUID, currency: str, now: datetime) -> list[Line]:
    """The segments with anybody in them."""
    orders = _orders(program_id, currency).cte("orders")
    customers = _customers(orders).cte("customers")
    mine, one = customers.c, sa.literal
    mean = sa.select(sa.func.sum(orders.c.revenue) * HIGH_PERCENT, sa.func.count() * 100).subquery("mean")
    share, whole = mean.c
    is_here = mine.last_at > one(now - LAPSED_AFTER, db.UtcDateTime())
    place = sa.case(
        (~is_here, Segment.LAPSED.value), (mine.orders >= LOYAL_FROM, Segment.LOYAL.value), (mine.orders == 1, Segment.NEW.value), else_=Segment.SECOND.value,
    )  # fmt: skip
    parts = [
        _summed(mine, place).group_by(place),
        _summed(mine, one(Segment.HIGH_BASKET.value)).join(mean, sa.true()).where(mine.revenue * whole >= mine.orders * share, share > 0),
        _summed(mine, one(Segment.BY_COUPON.value)).where(mine.by_coupon * 2 >= mine.orders),
        _summed(mine, one(Segment.ALL.value)),
        _first(mine),
    ]  # fmt: skip
    rows = session.execute(sa.union_all(*parts))
    found = (Line(str(key), *(int(number or 0) for number in numbers)) for key, *numbers in rows)
    return sorted((line for line in found if line.customers), key=_place)


def as_document(found: Iterable[Line]) -> dict[str, Any]:
    """Segments as they are stored."""
    return {"segments": [asdict(one) for one in found]}


def from_document(document: dict[str, Any]) -> list[Line]:
    """Segments as they were stored."""
    return [Line(**one) for one in document["segments"]]


def _orders(program_id: UUID, currency: str) -> sa.Select[Any]:
    """Each credited order of a known customer, numbered for it, with the kind of channel of the partner with the largest share."""
    order = Conversion.id
    largest = sa.func.row_number().over(
        partition_by=order, order_by=(Commission.level, Credit.share_bps.desc(), Credit.id)
    )  # fmt: skip
    rows = (
        sa.select(
            order, sa.func.coalesce(Conversion.customer_id, Conversion.email_hash).label("customer"), Conversion.occurred_at.label("at"),
            sa.case((Commission.currency == currency, Commission.revenue_minor), else_=0).label("revenue"),
            (Commission.amount_minor - Commission.reversed_minor).label("earned"), Commission.reversed_minor.label("back"),
            sa.case((Credit.coupon_id.is_not(None), 1), else_=0).label("by_coupon"), Partner.channels[(0, "kind")].as_string().label("kind"),
            largest.label("place"),
        )
        .join(Conversion, Conversion.id == Commission.conversion_id)
        .join(Credit, Credit.id == Commission.credit_id)
        .join(Partner, Partner.id == Commission.partner_id)
        .where(
            Commission.program_id == program_id, Commission.is_live, Commission.status.not_in(NOT_COUNTED),
            sa.func.coalesce(Conversion.customer_id, Conversion.email_hash).is_not(None),
        )
        .subquery()
        .c
    )  # fmt: skip
    number = sa.func.row_number().over(partition_by=rows.customer, order_by=(rows.at, rows.id)).label("number")
    sums = (sa.cast(sa.func.sum(rows[name]), sa.BigInteger).label(name) for name in ("revenue", "earned", "back"))
    kind = sa.func.max(sa.case((rows.place == 1, rows.kind))).label("kind")
    by_coupon = sa.func.max(rows.by_coupon).label("by_coupon")
    columns: tuple[Any, ...] = (rows.customer, rows.at, *sums, by_coupon, kind, number)
    found: sa.Select[Any] = sa.select(*columns)
    return found.group_by(rows.id, rows.customer, rows.at)


def _customers(orders: sa.CTE) -> sa.Select[Any]:
    """Each customer with what all of its orders say."""
    one = orders.c
    seconds = (db.whole_second(sa.func.max(one.at)) - db.whole_second(sa.func.min(one.at))).label("seconds")
    sums = (
        sa.cast(sa.func.sum(one[name]), sa.BigInteger).label(name) for name in ("revenue", "earned", "back", "by_coupon")
    )  # fmt: skip
    first = sa.func.max(sa.case((one.number == 1, one.kind))).label("first_kind")
    last_at = sa.func.max(one.at).label("last_at")
    columns: tuple[Any, ...] = (sa.func.count().label("orders"), last_at, seconds, *sums, first)
    return sa.select(*columns).group_by(one.customer)


def _summed(mine: Any, key: Any) -> sa.Select[Any]:
    numbers = (mine.orders, mine.revenue, mine.earned, mine.back, mine.orders - 1, mine.seconds)
    sums = (sa.cast(sa.func.sum(number), sa.BigInteger) for number in numbers)
    return sa.select(key.label("key"), sa.func.count(), *sums).select_from(mine.orders.table)


def _first(mine: Any) -> sa.Select[Any]:
    key = sa.literal(FIRST) + sa.func.coalesce(mine.first_kind, "")
    return _summed(mine, key).group_by(key)


def _place(line: Line) -> tuple[int, int, str]:
    """By which lines stand: segments in their order, then first partners, most customers first."""
    keys = [one.value for one in Segment]
    return (keys.index(line.key), 0, "") if line.key in keys else (len(keys), -line.customers, line.key)


def channel(key: str) -> ChannelKind | None:
    """The kind of channel that a key names; none where it is not known, or where the key is a segment."""
    kind = key.removeprefix(FIRST)
    return ChannelKind(kind) if key.startswith(FIRST) and kind in set(ChannelKind) else None
