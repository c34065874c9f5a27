"""The funnel of a program: its figures are those of the rows behind it, however it is narrowed, and only its own people see it."""

import csv
import io
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from console_cast import Cast, text_of
from factories import make_commission, make_link, make_partner, tell_origin
from flask.testing import FlaskClient

from affiliate import clock, ids
from affiliate.commissions.models import CommissionStatus
from affiliate.ingest import service as ingest
from affiliate.links.models import Link
from affiliate.reports import landings, mailing, timetable, visitors
from affiliate.reports.models import SavedReport, ShopDay
from affiliate.steering import choosing
from affiliate.tracking.codec import ClickEvent, Event, StepEvent
from affiliate.tracking.steps import STEPS

AGENTS = {
    "phone": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Mobile/15E148",
    "computer": "Mozilla/5.0 (X11; Linux x86_64)",
}
BLOG, NEWS = "blog.example", "news.example"
P = CommissionStatus


@dataclass(frozen=True)
class Visit:
    """What a test made up about a visit: how far it came, and what became of its order."""

    link: Link
    at: datetime
    device: str
    source: str
    furthest: int  # how many of STEPS
    sold: CommissionStatus | None = None


def _visits(mine: Link, theirs: Link, now: datetime) -> list[Visit]:
    """Sixty visits of two months, in a pattern without a common measure."""
    ends = (None, P.PENDING, P.APPROVED, None, P.REVERSED, P.PAID, None, P.DECLINED, None, P.UNDER_REVIEW, P.TEST)
    return [
        Visit(
            (mine, theirs)[number % 3 == 0], now - timedelta(hours=22 * number + 1), ("phone", "computer")[number % 5 < 2],
            (BLOG, NEWS)[number % 7 < 3], number % 4, ends[number % 11] if number % 4 == 3 else None,
        )
        for number in range(60)
    ]  # fmt: skip


def _events(visit: Visit, number: int) -> list[Event]:
    link = visit.link
    click = ClickEvent(
        click_id=ids.new_at(visit.at), program_id=link.program_id, partner_id=link.partner_id, link_id=link.id,
        occurred_at=visit.at, source="redirect", link_state="active", method="GET", purpose=None, fetch_dest="document",
        visitor_id=None, subs={}, landing_url="https://shop.example/", referrer=f"https://{visit.source}/post",
        user_agent=AGENTS[visit.device], address_prefix=None, address_hash=f"{number:064x}",
    )  # fmt: skip
    told = [StepEvent(click.click_id, link.program_id, step, is_test=False, received_at=visit.at) for step in STEPS]
    return [click, *told[: visit.furthest]]


@dataclass(frozen=True)
class Busy:
    """A program with visits."""

    cast: Cast
    visits: list[Visit]
    now: datetime

    def expected(self, *, days: int = 30, until: int = 0, **narrowed: Any) -> list[int]:
        """The stages, counted one by one."""
        first = (self.now - timedelta(days=days + until - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
        end = first + timedelta(days=days)
        found = [
            visit
            for visit in self.visits
            if first <= visit.at < end and all(_of(visit, name) == value for name, value in narrowed.items())
        ]
        sold = [visit.sold for visit in found if visit.sold not in {None, P.TEST}]
        steps = [sum(visit.furthest >= number for visit in found) for number in (1, 2, 3)]
        return [len(found), *steps, len(sold), sum(one in {P.APPROVED, P.PAID} for one in sold)]


def _of(visit: Visit, name: str) -> Any:
    return ids.public("ptn", visit.link.partner_id) if name == "partner" else getattr(visit, name)


@pytest.fixture
def busy(cast: Cast) -> Busy:
    session, now = cast.session, clock.now().replace(minute=30, second=0, microsecond=0)
    cast.program.time_zone = "UTC"
    ours = session.query(Link).filter_by(code="ragu").one()
    other = make_partner(session, program=cast.program, name="Bread & Co")
    made = _visits(ours, make_link(session, program=cast.program, partner=other), now)
    told = [_events(visit, number) for number, visit in enumerate(made)]
    ingest.store_batch(session, events=[event for events in told for event in events], now=now)
    for visit, events in zip(made, told, strict=True):
        if visit.sold:
            _sell(cast, visit, events[0])
    elsewhere = make_link(session, program=cast.other, partner=make_partner(session, program=cast.other))
    foreign = Visit(elsewhere, now - timedelta(days=1), "phone", BLOG, 3)
    ingest.store_batch(session, events=_events(foreign, 999), now=now)
    session.commit()
    for stretch in visitors.stale(session, since=now - timedelta(days=70), limit=1_000):
        visitors.count(session, stretch=stretch)
    for beginnings in landings.stale(session, since=now - timedelta(days=70), limit=1_000):
        landings.count(session, stretch=beginnings)
    session.commit()
    return Busy(cast, made, now)


def _sell(cast: Cast, visit: Visit, click: Any) -> None:
    """A sale of this visit, and by the same click another one: two orders of one visit are one."""
    for _ in range(2):
        paid = visit.sold is P.PAID  # a payout of its own would say no more
        sold = make_commission(
            cast.session, program=cast.program, partner=cast.session.get_one(type(cast.partner), visit.link.partner_id),
            earned_at=visit.at + timedelta(days=2), status=P.APPROVED if paid else visit.sold,
        )  # fmt: skip
        tell_origin(cast.session, sold, click_id=click.click_id)


def _table(browser: FlaskClient, query: str = "") -> list[dict[str, str]]:
    answer = browser.get(f"/console/casa/performance/funnel.csv?{query}")
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def _numbers(rows: list[dict[str, str]], column: str = "visits") -> list[int]:
    return [int(row[column]) for row in rows]


def test_its_figures_are_those_of_the_visits_behind_it(mara: FlaskClient, busy: Busy) -> None:
    partner = ids.public("ptn", busy.visits[0].link.partner_id)
    narrowings: list[dict[str, str]] = [
        {}, {"partner": partner}, {"device": "phone"}, {"source": BLOG}, {"partner": partner, "device": "computer"},
        {"partner": partner, "source": NEWS},
    ]  # fmt: skip
    for wanted in narrowings:
        rows = _table(mara, "&".join(f"{name}={value}" for name, value in wanted.items()))
        assert [row["stage"] for row in rows] == ["visit", "product", "cart", "checkout", "order", "kept"]
        assert _numbers(rows) == busy.expected(**wanted), wanted
        assert _numbers(rows, "visits_compared") == busy.expected(until=30, **wanted), wanted
        assert _numbers(rows)[0] > _numbers(rows)[3] > 0, wanted


def test_the_page_shows_stages_partners_and_both_sides_in_few_questions(
    mara: FlaskClient, busy: Busy, count_queries: Any
) -> None:
    today = busy.now.date()
    session = busy.cast.session
    for back in range(3):
        session.add(
            ShopDay(
                program_id=busy.cast.program.id, day=today - timedelta(days=back), currency="EUR", orders=50,
                revenue_minor=5_000_00, visitors=1_000, updated_at=busy.now,
            )
        )  # fmt: skip
    session.commit()
    mara.get("/console/casa/performance/funnel")
    with count_queries() as counter:
        answer = mara.get("/console/casa/performance/funnel")
    assert len(counter) <= 20
    text = text_of(answer)
    visits, *_rest = busy.expected()
    assert answer.status_code == 200
    assert f'Valid clicks</span></th><td class="num">{visits}</td>' in text
    for words in (
        "Bread & Co",
        "Slow Kitchen",
        "With and without partners",
        "From visit to kept order",
        "are not validated yet",
    ):
        assert words in text


def test_a_narrowed_page_carries_its_filters_on_and_never_two_of_a_kind(mara: FlaskClient, busy: Busy) -> None:
    html = mara.get(f"/console/casa/performance/funnel?device=phone&source={BLOG}&first=2026-01-01&last=x").text
    assert "device=phone" in html
    assert f"source={BLOG}&amp;device" not in html
    assert "Choose a first and a last day" in html
    both = _table(mara, f"device=phone&source={BLOG}")
    assert _numbers(both) == _numbers(_table(mara, "device=phone"))


def test_a_shop_that_tells_no_step_learns_how(mara: FlaskClient, busy: Busy) -> None:
    visit = Visit(busy.visits[0].link, busy.now - timedelta(days=200), "phone", BLOG, 0)
    ingest.store_batch(busy.cast.session, events=_events(visit, 5), now=busy.now)
    trial = StepEvent(ids.new(), busy.cast.program.id, "cart", is_test=True, received_at=busy.now)
    ingest.store_batch(busy.cast.session, events=[trial], now=busy.now)
    busy.cast.session.commit()
    day = visit.at.date().isoformat()
    html = mara.get(f"/console/casa/performance/funnel?first={day}&last={day}").text
    assert "data-aff-press" in html
    assert "Last tests" in html
    assert [row["visits"] for row in _table(mara, f"first={day}&last={day}")] == ["1", "", "", "", "0", "0"]


def test_it_is_kept_and_mailed_as_every_report_with_its_filters(mara: FlaskClient, busy: Busy) -> None:
    page = mara.get("/console/casa/performance/funnel?span=7d&device=phone")
    for name, value in (("page", "funnel"), ("span", "7d"), ("device", "phone")):
        assert f'name="{name}" value="{value}"' in page.text
    form = {"name": "Way to the till", "page": "funnel", "span": "7d", "device": "phone"}
    mara.post("/console/casa/performance/kept", data=form)
    assert (
        "/console/casa/performance/funnel?span=7d&amp;device=phone" in mara.get("/console/casa/performance/kept").text
    )
    session = busy.cast.session
    kept = session.query(SavedReport).filter_by(name="Way to the till").one()
    kept.every, kept.hour, kept.time_zone = timetable.Every.MONTH, 8, "UTC"
    kept.next_at = busy.now.replace(day=1, hour=8, minute=0)
    session.commit()
    outgoing = mailing.written(session, report_id=kept.id, chooser=choosing.narrowed, now=busy.now)
    assert outgoing is not None
    assert outgoing.mail is not None
    end = kept.next_at.replace(hour=0)
    first = (end - timedelta(days=1)).replace(day=1)
    days, until = (end - first).days, (busy.now.date() - end.date()).days + 1
    lines = [line.split("  |  ") for line in outgoing.mail.body_text.splitlines()]
    for stage, number in zip(
        ("Visit", "Product", "Cart"), busy.expected(days=days, until=until, device="phone"), strict=False
    ):
        assert any(line[:2] == [stage, str(number)] for line in lines), stage


def test_the_file_comes_as_a_workbook_too_and_nobody_elses_partner_can_be_asked_for(
    mara: FlaskClient, busy: Busy
) -> None:
    answer = mara.get("/console/casa/performance/funnel.xlsx")
    assert (answer.status_code, answer.data[:2]) == (200, b"PK")
    assert mara.get("/console/casa/performance/funnel.pdf").status_code == 404
    foreign = ids.public("ptn", make_partner(busy.cast.session, program=busy.cast.other).id)
    busy.cast.session.commit()
    for partner, status in (("ptn_made_up", 404), (foreign, 404), ("", 200)):
        assert mara.get(f"/console/casa/performance/funnel?partner={partner}").status_code == status
