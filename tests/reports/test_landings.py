"""Where visits begin, and with what: by their hour, counted soon after, capped, and counted anew where a verdict changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from event_cast import NOW, PROGRAM_ID, click
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.ingest import service
from affiliate.ingest.clickrules import ClickVerdict
from affiliate.reports import day_recount, jobs, landings
from affiliate.reports.landing_models import DeviceHour, LandingHour
from affiliate.tracking.codec import ClickEvent


def arrival(number: int, page: str, *, at: datetime = NOW) -> ClickEvent:
    """A click that led to this page."""
    moment = at + timedelta(seconds=number)
    return click(number, landing_url=page, occurred_at=moment)._replace(click_id=ids.new_at(moment))


def recount(session: Session, table: Any = LandingHour, label: Any = LandingHour.page) -> dict[str, int]:
    """What is counted after every stale hour was counted."""
    for stretch in landings.stale(session, since=NOW - timedelta(days=1), limit=10):
        landings.count(session, stretch=stretch)
    assert landings.stale(session, since=NOW - timedelta(days=1), limit=10) == []
    valid = table.verdict == ClickVerdict.VALID
    found = sa.select(label, sa.func.sum(table.clicks)).where(valid).group_by(label)
    return {name: int(clicks) for name, clicks in session.execute(found)}


def test_pages_are_counted_without_their_queries_and_only_valid_clicks(session: Session) -> None:
    pages = [
        "https://Shop.example/pan/?size=26#top", "https://shop.example/pan", "https://shop.example/", "https://shop.example",
    ]  # fmt: skip
    events = [arrival(number * 60, page) for number, page in enumerate(pages)]
    events.append(arrival(600, pages[0])._replace(user_agent="curl/8"))
    service.store_batch(session, events=events, now=NOW)
    assert recount(session) == {"shop.example/pan": 2, "shop.example": 2}
    service.overrule(
        session, click_id=events[0].click_id, expected=ClickVerdict.VALID, verdict=ClickVerdict.BOT, now=NOW
    )
    service.store_batch(session, events=[arrival(900, "https://shop.example/pot")], now=NOW)
    assert recount(session) == {"shop.example/pan": 1, "shop.example": 2, "shop.example/pot": 1}


def test_devices_of_a_program_are_counted_with_the_pages(session: Session) -> None:
    phone, tablet = "Mozilla/5.0 (iPhone) Mobile", "Mozilla/5.0 (iPad) Mobile"
    agents = [phone, phone, tablet, "Mozilla/5.0 (X11; Linux x86_64)", ""]
    events = [
        arrival(number * 60, "https://shop.example/")._replace(user_agent=agent) for number, agent in enumerate(agents)
    ]
    service.store_batch(session, events=events, now=NOW)
    told = {"phone": 2, "tablet": 1, "computer": 1}
    assert recount(session, DeviceHour, DeviceHour.device) == told
    service.overrule(
        session, click_id=events[0].click_id, expected=ClickVerdict.VALID, verdict=ClickVerdict.BOT, now=NOW
    )
    assert recount(session, DeviceHour, DeviceHour.device) == told | {"phone": 1}


def test_devices_that_are_not_those_of_the_clicks_are_told_once_all_are_counted(session: Session) -> None:
    phone = arrival(0, "https://shop.example/")._replace(user_agent="Mozilla/5.0 (iPhone) Mobile")
    service.store_batch(session, events=[phone], now=NOW)
    recount(session)
    assert day_recount.recount(session, limit=9, now=NOW) == []
    session.execute(sa.update(DeviceHour).values(device="tablet"))
    found = day_recount.recount(session, limit=9, now=NOW)
    hour = f"program={PROGRAM_ID} hour={NOW:%Y-%m-%dT%HZ}"
    assert [(one.table, one.key, one.counted, one.found) for one in found] == [
        ("device_hours", f"{hour} device=phone verdict=valid", "clicks=0", "clicks=1"),
        ("device_hours", f"{hour} device=tablet verdict=valid", "clicks=1", "clicks=0"),
    ]
    service.store_batch(session, events=[arrival(60, "https://shop.example/")], now=NOW)
    assert day_recount.recount(session, limit=9, now=NOW) == []  # the job will count this hour anew


def test_hours_one_after_the_other_are_counted_together_each_for_itself(session: Session) -> None:
    hour = timedelta(hours=1)
    midnight = datetime(2026, 6, 2, tzinfo=UTC)
    hours = [midnight + number * hour for number in (-2, -1, 0, 1, 3)]
    events = [arrival(0, "https://shop.example/pan", at=at) for at in hours for _ in range(2)]
    service.store_batch(session, events=events, now=midnight + 4 * hour)
    stretches = landings.stale(session, since=hours[0], limit=10)
    assert [(found.starts_at, found.ends_at) for found in stretches] == [
        (hours[4], hours[4] + hour), (hours[2], hours[3] + hour), (hours[0], midnight)
    ]  # fmt: skip
    for stretch in stretches:
        landings.count(session, stretch=stretch)
    assert landings.stale(session, since=hours[0], limit=10) == []
    of_hour = sa.select(LandingHour.hour, sa.func.sum(LandingHour.clicks)).group_by(LandingHour.hour)
    assert {at: int(clicks) for at, clicks in session.execute(of_hour)} == dict.fromkeys(hours, 2)


def test_the_rarest_pages_of_an_hour_count_together(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landings, "PAGES_MAX", 2)
    events = [arrival(60 * number, f"https://shop.example/{name}") for number, name in enumerate("aabbcd")]
    service.store_batch(session, events=events, now=NOW)
    assert recount(session) == {"shop.example/a": 2, "shop.example/b": 2, "other": 2}


def test_what_is_no_address_has_no_page() -> None:
    assert [landings.page_of(url) for url in ("", "https://[broken", "https://x.example/a/?b")] == [
        "",
        "",
        "x.example/a",
    ]


def test_the_job_counts_recent_hours_and_then_has_nothing_to_do(app_session: Session) -> None:
    now = clock.now()
    service.store_batch(app_session, events=[arrival(0, "https://shop.example/pan", at=now)], now=now)
    app_session.commit()
    assert [jobs.count_landings(), jobs.count_landings(), jobs.count_late_landings()] == [1, 0, 0]
    assert app_session.query(LandingHour).one().program_id == PROGRAM_ID
