"""What happened in ninety days, told from a fixed seed. Pure: a seed, a cast and a last instant in; events out, in order of arrival."""

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from affiliate import ids
from affiliate.demo import cast
from affiliate.demo.basket import Basket, Line
from affiliate.money import BPS_PER_UNIT
from affiliate.tracking.codec import (
    ClickEvent,
    ConversionEvent,
    Event,
    OrderStageEvent,
    RefundEvent,
    StepEvent,
    Trust,
)
from affiliate.tracking.steps import STEPS

SEED = 26
DAYS = 90
_BOT_BPS, _PREFETCH_BPS, _REPEAT_BPS = 500, 150, 200
_REFUND_BPS, _CANCEL_BPS, _OPEN_BPS, _COUPON_BPS = 800, 150, 800, 2_000
_ORGANIC_PER_DAY = 3
_REACHED = (64, 21, 11)  # of a hundred visits that buy nothing: a product, the cart, the checkout
_AGENTS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
)
_BOT_AGENT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
_WEEKDAY_BPS = (9_000, 9_500, 9_500, 10_000, 10_500, 12_500, 13_000)


@dataclass(frozen=True, slots=True)
class StoryLink:
    """A link as the story needs it."""

    link_id: UUID
    partner_id: UUID
    landing_url: str
    clicks_per_day: int
    sale_bps: int
    subs: tuple[str, ...]
    referrer: str
    coupon: str | None


@dataclass(frozen=True, slots=True)
class _Arrival:
    at: datetime
    event: Event


class _Chance(random.Random):
    """The seed's dice, and the shop's counter of orders."""

    order_number = 20_480

    def happens(self, bps: int) -> bool:
        """True in `bps` of ten thousand cases."""
        return self.randrange(BPS_PER_UNIT) < bps

    def uuid7(self, at: datetime) -> UUID:
        """A UUIDv7 of that instant, the same for the same seed."""
        noise = self.getrandbits(74)
        head = (int(at.timestamp() * 1000) << 80) | (7 << 76) | ((noise >> 62) << 64)
        return UUID(int=head | (2 << 62) | (noise & ((1 << 62) - 1)))

    def order_id(self) -> str:
        """The number of the next order."""
        self.order_number += self.randint(1, 9)
        return str(self.order_number)

    def moment(self, day: datetime) -> datetime:
        """An instant of the day, most of them in the evening."""
        return day + timedelta(seconds=int(self.triangular(6 * 3600, 24 * 3600 - 1, 20 * 3600)))


def tell(*, program_id: UUID, links: Sequence[StoryLink], until: datetime) -> Iterator[tuple[datetime, list[Event]]]:
    """The events of each day up to `until`, with the instant at which the day was worked off; oldest first."""
    chance = _Chance(SEED)
    today = until.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    arrivals: list[_Arrival] = []
    for number in range(DAYS):
        day = today - timedelta(days=DAYS - 1 - number)
        arrivals += _day(chance, program_id=program_id, links=links, day=day, number=number)
    told = sorted((arrival for arrival in arrivals if arrival.at < until), key=lambda arrival: arrival.at)
    for date, group in groupby(told, key=lambda arrival: arrival.at.date()):
        end = datetime(date.year, date.month, date.day, tzinfo=UTC) + timedelta(days=1)
        yield min(end, until), [arrival.event for arrival in group]


def _day(
    chance: _Chance, *, program_id: UUID, links: Sequence[StoryLink], day: datetime, number: int
) -> Iterator[_Arrival]:
    growth_bps = 6_000 + number * 60  # the program grows by nine tenths over the three months
    for link in links:
        expected = link.clicks_per_day * growth_bps * _WEEKDAY_BPS[day.weekday()] // BPS_PER_UNIT**2
        for _ in range(chance.randint(expected * 6 // 10, expected * 14 // 10 + 1)):
            yield from _visit(chance, program_id=program_id, link=link, at=chance.moment(day))
    for _ in range(chance.randrange(_ORGANIC_PER_DAY + 1)):  # these came by themselves, some with a partner's coupon
        coupon = cast.COUPON if chance.happens(_COUPON_BPS) else None
        yield from _order(chance, program_id=program_id, at=chance.moment(day), coupon=coupon)


def _visit(chance: _Chance, *, program_id: UUID, link: StoryLink, at: datetime) -> Iterator[_Arrival]:
    bot, prefetch = chance.happens(_BOT_BPS), chance.happens(_PREFETCH_BPS)
    visitor = chance.uuid7(at)
    click = ClickEvent(
        click_id=chance.uuid7(at),
        program_id=program_id,
        partner_id=link.partner_id,
        link_id=link.link_id,
        occurred_at=at,
        source="redirect",
        link_state="active",
        method="GET",
        purpose="prefetch" if prefetch else None,
        fetch_dest=None if bot else "document",
        visitor_id=None if bot else visitor,
        subs={"sub1": chance.choice(link.subs)},
        landing_url=link.landing_url,
        referrer=None if bot else link.referrer,
        user_agent=_BOT_AGENT if bot else chance.choice(_AGENTS),
        address_prefix=f"203.0.{chance.randrange(256)}.0/24",
        address_hash=hashlib.sha256(visitor.bytes).hexdigest(),
    )
    yield _Arrival(at, click)
    if chance.happens(_REPEAT_BPS):  # a second tap on the same link
        again = at + timedelta(seconds=chance.randint(2, 20))
        yield _Arrival(again, _again(click, click_id=chance.uuid7(again), at=again))
    bought = not bot and not prefetch and chance.happens(link.sale_bps)
    if not bot and not prefetch:
        yield from _steps(click, bought=bought)
    if bought:
        bought_at = at + timedelta(minutes=int(chance.expovariate(1 / 900)) + 2)
        coupon = link.coupon if link.coupon and chance.happens(_COUPON_BPS) else None
        yield from _order(
            chance, program_id=program_id, at=bought_at, click_id=click.click_id, visitor_id=visitor, coupon=coupon
        )


def _steps(click: ClickEvent, *, bought: bool) -> Iterator[_Arrival]:
    """How far the visit came: by the end of its id, so that nothing else of the story changes."""
    of_hundred = click.click_id.int % 100
    reached = 3 if bought else sum(of_hundred < share for share in _REACHED)
    for number, step in enumerate(STEPS[:reached], start=1):
        at = click.occurred_at + timedelta(seconds=30 * number)
        yield _Arrival(at, StepEvent(click.click_id, click.program_id, step, is_test=False, received_at=at))


def _again(click: ClickEvent, *, click_id: UUID, at: datetime) -> ClickEvent:
    return click._replace(click_id=click_id, occurred_at=at)


def _order(
    chance: _Chance,
    *,
    program_id: UUID,
    at: datetime,
    click_id: UUID | None = None,
    visitor_id: UUID | None = None,
    coupon: str | None,
) -> Iterator[_Arrival]:
    """An order and what becomes of it. A few are first reported by the tag alone, and confirmed by the shop's server later."""
    order_id = chance.order_id()
    basket = _basket(chance, coupon)
    sale = ConversionEvent(
        delivery_id=chance.uuid7(at),
        conversion_id=ids.conversion(program_id=program_id, kind="sale", order_id=order_id),
        program_id=program_id,
        kind="sale",
        order_id=order_id,
        trust=Trust.SERVER,
        source="api",
        is_test=False,
        amount_minor=basket.total_minor,
        tax_minor=basket.tax_minor,
        shipping_minor=basket.shipping_minor,
        discount_minor=basket.discount_minor,
        currency=cast.CURRENCY,
        click_id=click_id,
        click_refusal=None,
        visitor_id=visitor_id,
        coupon=coupon,
        customer_id=f"customer-{chance.randrange(4_000)}",
        email_hash=None,
        new_customer=chance.happens(6_000),
        channel=None,
        payment_method=chance.choice(("card", "paypal", "transfer")),
        items=[_item(line, basket) for line in basket.lines],
        fingerprint=hashlib.sha256(order_id.encode()).hexdigest(),
        occurred_at=at,
        received_at=at,
    )
    if chance.happens(_OPEN_BPS):
        yield _Arrival(at, sale._replace(trust=Trust.OPEN, source="tag"))
        confirmed_at = at + timedelta(hours=chance.randint(12, 240))
        yield _Arrival(confirmed_at, sale._replace(delivery_id=chance.uuid7(confirmed_at), received_at=confirmed_at))
    else:
        yield _Arrival(at, sale)
    yield from _afterwards(chance, sale)


def _basket(chance: _Chance, coupon: str | None) -> Basket:
    weights = [product.weight for product in cast.PRODUCTS]
    picked = {product.sku: product for product in chance.choices(cast.PRODUCTS, weights, k=chance.choice((1, 1, 2, 3)))}
    return Basket(tuple(Line(product, chance.choice((1, 1, 1, 2))) for product in picked.values()), coupon)


def _item(line: Line, basket: Basket) -> dict[str, Any]:
    return {
        "sku": line.product.sku,
        "name": line.product.name,
        "group": line.product.group,
        "quantity": line.quantity,
        "amount_minor": line.paid_minor(basket.discount_bps),
    }


def _afterwards(chance: _Chance, sale: ConversionEvent) -> Iterator[_Arrival]:
    """A few orders are cancelled within a day, some come back, in whole or in part."""
    if chance.happens(_CANCEL_BPS):
        at = sale.occurred_at + timedelta(hours=chance.randint(1, 20))
        event_id = f"cancel-{sale.order_id}"
        cancelled = OrderStageEvent(
            delivery_id=chance.uuid7(at),
            order_event_id=ids.order_event(program_id=sale.program_id, order_id=sale.order_id, event_id=event_id),
            conversion_id=sale.conversion_id,
            program_id=sale.program_id,
            order_id=sale.order_id,
            event_id=event_id,
            type="cancelled",
            amount_minor=None,
            currency=None,
            tax_minor=None,
            shipping_minor=None,
            fingerprint=hashlib.sha256(event_id.encode()).hexdigest(),
            is_test=False,
            occurred_at=at,
            received_at=at,
        )
        yield _Arrival(at, cancelled)
    elif chance.happens(_REFUND_BPS):
        at = sale.occurred_at + timedelta(days=chance.randint(3, 24), hours=chance.randint(0, 12))
        yield _Arrival(at, _refund(chance, sale, at))


def _refund(chance: _Chance, sale: ConversionEvent, at: datetime) -> RefundEvent:
    refund_id = f"return-{sale.order_id}"
    returned = [chance.choice(sale.items)] if len(sale.items) > 1 else []
    return RefundEvent(
        delivery_id=chance.uuid7(at),
        refund_uuid=ids.refund(program_id=sale.program_id, order_id=sale.order_id, refund_id=refund_id),
        conversion_id=sale.conversion_id,
        program_id=sale.program_id,
        order_id=sale.order_id,
        refund_id=refund_id,
        amount_minor=returned[0]["amount_minor"] if returned else None,
        currency=sale.currency if returned else None,
        items=returned,
        reason="returned",
        fingerprint=hashlib.sha256(refund_id.encode()).hexdigest(),
        is_test=False,
        occurred_at=at,
        received_at=at,
    )
