"""The story: from one seed, in order, and plausible."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from affiliate.demo import cast, story
from affiliate.tracking import codec
from affiliate.tracking.codec import ClickEvent, ConversionEvent, OrderStageEvent, RefundEvent, Trust

PROGRAM = UUID(int=99)
UNTIL = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)


def links() -> list[story.StoryLink]:
    return [
        story.StoryLink(
            link_id=UUID(int=number),
            partner_id=UUID(int=number),
            landing_url="http://localhost/demo/shop/",
            clicks_per_day=promoter.clicks_per_day,
            sale_bps=promoter.sale_bps,
            subs=promoter.subs,
            referrer=promoter.website,
            coupon=promoter.coupon,
        )
        for number, promoter in enumerate(cast.PROMOTERS, start=1)
    ]


def told(program_id: UUID = PROGRAM, until: datetime = UNTIL) -> list[tuple[datetime, list[codec.Event]]]:
    return list(story.tell(program_id=program_id, links=links(), until=until))


@pytest.fixture(scope="module")
def days() -> list[tuple[datetime, list[codec.Event]]]:
    return told()


@pytest.fixture(scope="module")
def events(days: list[tuple[datetime, list[codec.Event]]]) -> list[Any]:
    return [event for _end, told in days for event in told]


def of(kind: type, events: list[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def test_the_same_seed_tells_the_same_story_for_another_program(events: list[Any]) -> None:
    again = [event for _end, told in told(uuid4()) for event in told]
    facts = [(sale.order_id, sale.amount_minor, sale.occurred_at) for sale in of(ConversionEvent, events)]
    assert facts == [(sale.order_id, sale.amount_minor, sale.occurred_at) for sale in of(ConversionEvent, again)]
    assert len(again) == len(events)


def test_ninety_days_come_in_order_and_end_now(days: list[tuple[datetime, list[codec.Event]]]) -> None:
    ends = [end for end, _events in days]
    assert ends == sorted(ends)
    assert ends[-1] == UNTIL
    assert len(days) == story.DAYS
    for end, told in days:
        moments = [getattr(event, "received_at", None) or event.occurred_at for event in told]  # type: ignore[union-attr]
        assert moments == sorted(moments)
        assert all(end - timedelta(days=1) <= moment < end or end == UNTIL for moment in moments)
        assert all(moment < UNTIL for moment in moments)


def test_an_early_hour_of_the_day_is_a_fine_moment_to_load() -> None:
    dawn = UNTIL.replace(hour=0, minute=1)
    assert all(end <= dawn for end, _events in told(until=dawn))


def test_there_is_enough_of_everything_to_look_at(events: list[Any]) -> None:
    assert len(of(ClickEvent, events)) > 8_000
    assert len(of(ConversionEvent, events)) > 300
    assert len(of(RefundEvent, events)) > 15
    assert len(of(OrderStageEvent, events)) > 2
    refunds = of(RefundEvent, events)
    assert any(refund.amount_minor is None for refund in refunds)
    assert any(refund.amount_minor is not None for refund in refunds)
    assert {sale.coupon for sale in of(ConversionEvent, events)} == {None, cast.COUPON}
    assert any(sale.coupon and not sale.click_id for sale in of(ConversionEvent, events))


def test_an_order_has_one_number_and_is_confirmed_after_the_tag_reported_it(events: list[Any]) -> None:
    reports = Counter(sale.order_id for sale in of(ConversionEvent, events))
    assert set(reports.values()) == {1, 2}
    open_orders = [sale for sale in of(ConversionEvent, events) if sale.trust is Trust.OPEN]
    assert len(open_orders) > 10
    confirmed = {sale.order_id: sale for sale in of(ConversionEvent, events) if sale.trust is Trust.SERVER}
    assert all(
        confirmed[sale.order_id].received_at > sale.received_at for sale in open_orders if sale.order_id in confirmed
    )
    assert sum(sale.order_id in confirmed for sale in open_orders) > len(open_orders) // 2


def test_items_and_shipping_add_up_to_what_was_paid(events: list[Any]) -> None:
    for sale in of(ConversionEvent, events):
        assert sum(item["amount_minor"] for item in sale.items) + sale.shipping_minor == sale.amount_minor


def test_events_can_travel_through_the_stream(events: list[Any]) -> None:
    assert all(codec.decode(codec.encode(event)) == event for event in events[:500])
