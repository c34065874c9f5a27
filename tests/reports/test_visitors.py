"""Clicks by country, device and page are counted from the clicks, add up to the partner's, and mend themselves."""

from collections import defaultdict
from datetime import timedelta

import event_cast
import pytest
import sqlalchemy as sa
from factories import make_link, make_partner, make_program
from sqlalchemy.orm import Session

from affiliate.ingest import clicks as ingest
from affiliate.ingest import service
from affiliate.ingest.clickrules import ClickVerdict
from affiliate.ingest.rollup_models import OTHER
from affiliate.links.models import Link
from affiliate.reports import visitors
from affiliate.reports.models import VisitorHour, VisitorKind

NOW = event_cast.NOW
SINCE = NOW - timedelta(days=2)
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
TABLET = "Mozilla/5.0 (Linux; Android 15; SM-X710) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"


@pytest.fixture
def link(session: Session) -> Link:
    program = make_program(session)
    return make_link(session, program=program, partner=make_partner(session, program=program))


def _click(session: Session, link: Link, number: int, **changes: object) -> None:
    mine = {"program_id": link.program_id, "partner_id": link.partner_id, "link_id": link.id}
    service.store_batch(session, events=[event_cast.click(number, **mine, **changes)], now=NOW)


def _counted(session: Session, kind: VisitorKind) -> dict[str, int]:
    found = sa.select(VisitorHour.label, sa.func.sum(VisitorHour.clicks)).where(VisitorHour.kind == kind)
    return {label: int(clicks) for label, clicks in session.execute(found.group_by(VisitorHour.label))}


def _count_all(session: Session) -> int:
    stale = visitors.stale(session, since=SINCE, limit=100)
    for stretch in stale:
        visitors.count(session, stretch=stretch)
    return len(stale)


def test_each_click_is_counted_once_under_what_it_told(session: Session, link: Link) -> None:
    _click(session, link, 1, country="IT", referrer="https://blog.example/post", user_agent=PHONE)
    _click(session, link, 2, country="IT", user_agent=TABLET)
    _click(session, link, 3, country="PL", seconds=-7200)
    assert _count_all(session) == 1
    assert _counted(session, VisitorKind.COUNTRY) == {"IT": 2, "PL": 1}
    assert _counted(session, VisitorKind.DEVICE) == {"phone": 1, "tablet": 1, "computer": 1}
    assert _counted(session, VisitorKind.REFERRER) == {"blog.example": 1, "": 2}
    assert _count_all(session) == 0


def test_what_comes_late_or_gets_another_verdict_is_counted_anew(session: Session, link: Link) -> None:
    _click(session, link, 1, country="IT")
    _count_all(session)
    _click(session, link, 2, country="PL", seconds=1)
    assert _count_all(session) == 1
    assert _counted(session, VisitorKind.COUNTRY) == {"IT": 1, "PL": 1}
    ingest.overrule(
        session, click_id=event_cast.numbered(1), expected=ClickVerdict.VALID, verdict=ClickVerdict.BOT, now=NOW
    )
    assert _count_all(session) == 1
    by_verdict = defaultdict(int)
    for row in session.scalars(sa.select(VisitorHour).where(VisitorHour.kind == VisitorKind.COUNTRY)):
        by_verdict[row.label, row.verdict] += row.clicks
    assert by_verdict == {("IT", ClickVerdict.BOT): 1, ("PL", ClickVerdict.VALID): 1}


def test_the_rarest_pages_of_an_hour_count_together(
    session: Session, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors, "LABELS_MAX", 2)
    for number, host in enumerate(["a", "a", "b", "b", "c", "d"], start=1):
        _click(session, link, number, seconds=number, referrer=f"https://{host}.example/")
    _count_all(session)
    assert _counted(session, VisitorKind.REFERRER) == {"a.example": 2, "b.example": 2, OTHER: 2}
