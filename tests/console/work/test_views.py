"""The pages for four people: their figures agree with what is counted another way, each panel stands there, and few statements make them."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from accounts_cast import give, make_person
from console_cast import Cast, text_of
from creative_cast import make_creative
from factories import (
    make_clicks,
    make_commission,
    make_conversion,
    make_link,
    make_order_event,
    make_partner,
    make_refund,
    tell_origin,
)
from flask.testing import FlaskClient

from affiliate import clock, formats, ids
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import GrantRole, User
from affiliate.canary.models import CanaryRun, CanaryState
from affiliate.console.queries import views
from affiliate.console.work import view_business
from affiliate.ingest.models import Conversion, OrderEvent, OrderEventType, Refund, Trust
from affiliate.payouts.models import CostKind, PartnerCost
from affiliate.reports import campaigning, remarks
from affiliate.reports.campaign_facts import WHOLE
from affiliate.reports.campaigning import Draft

BrowserOf = Callable[[User], FlaskClient]


def test_balances_stand_as_they_did_at_the_end_of_a_day(
    cast: Cast, mara: FlaskClient, count_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.approved_sale("1", amount_minor=100_00)
    cast.session.commit()
    today = clock.now().date()

    def told(day: date) -> dict[str, str]:
        answer = mara.get(f"/console/casa/views/finance.csv?day={day}")
        rows = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
        return {row["account"]: row["balance"] for row in rows if row["balance"] not in {"0.00", "0"}}

    before, now = told(today - timedelta(days=400)), told(today)
    assert (before, now) == ({}, {"approved": "10.00", "expense": "-10.00"})
    later = clock.now() + timedelta(days=3)
    with monkeypatch.context() as patched:
        patched.setattr(view_business, "request_now", lambda: later)
        assert told(later.date() - timedelta(days=1)) == now  # from the transfers, not as they stand
    with count_queries() as counter:
        page = text_of(mara.get(f"/console/casa/views/finance?day={today - timedelta(days=400)}"))
    assert len(counter) <= 20
    panel = page[page.index('id="p-as-of"') : page.index('id="p-status"')]
    assert ("€10.00" in panel, "€0.00" in panel) == (False, True)
    assert "Choose a day." in text_of(mara.get("/console/casa/views/finance?day=x"))
    assert mara.get(f"/console/casa/views/finance.xlsx?day={today}").data[:2] == b"PK"


@pytest.fixture
def now() -> datetime:
    return clock.now().replace(microsecond=0)


@pytest.fixture
def told(cast: Cast, now: datetime) -> Cast:
    """Orders of some ways, old and new, test and real, with returns and what the shop told of them; the same beside in another program."""
    session = cast.session
    for program in (cast.program, cast.other):
        for days, fields in (
            (1, {"source": "api"}), (2, {"source": "api", "is_test": True}), (3, {"source": "postback"}),
            (5, {"source": "pixel", "trust": Trust.OPEN}), (6, {"source": "pixel", "is_test": True}), (20, {"source": "import"}), (40, {"source": "api"}),
        ):  # fmt: skip
            order = make_conversion(session, program=program, occurred_at=now - timedelta(days=days), received_at=now - timedelta(days=days, hours=-1), **fields)  # fmt: skip
            make_refund(session, conversion=order, amount_minor=None if days == 3 else days * 100, reason="too small")
            make_order_event(session, conversion=order, type=OrderEventType.CANCELLED)
            if days > 4:
                make_order_event(session, conversion=order, type=OrderEventType.SHIPPED)
    session.commit()
    return cast


def test_what_became_of_orders_is_what_the_rows_say(told: Cast, now: datetime) -> None:
    since = now - timedelta(days=30)
    found = views.order_life(told.session, program_id=told.program.id, since=since)

    def real(table: Any) -> list[Any]:
        mine = (row for row in told.session.query(table) if row.program_id == told.program.id and not row.is_test)
        return [row for row in mine if row.occurred_at >= since]

    events = Counter(row.type for row in real(OrderEvent))
    assert (found.orders, found.refunds) == (len(real(Conversion)), len(real(Refund))) == (4, 4)
    assert found.unverified == sum(row.trust < Trust.SIGNED for row in real(Conversion)) == 1
    assert found.events == {each: events[each] for each in OrderEventType}
    assert (events[OrderEventType.CANCELLED], events[OrderEventType.SHIPPED]) == (4, 2)
    told.session.commit()


def test_the_newest_returns_come_first_and_tests_not_at_all(told: Cast) -> None:
    every = [row for row in told.session.query(Refund) if row.program_id == told.program.id and not row.is_test]
    expected = sorted(every, key=lambda row: row.occurred_at, reverse=True)
    found = views.newest_refunds(told.session, program_id=told.program.id)
    assert [(row.order_id, row.amount_minor, row.conversion_id) for row in found] == [
        (row.order_id, row.amount_minor, row.conversion_id) for row in expected
    ]
    assert [row.amount_minor for row in found] == [100, None, 500, 2_000, 4_000]
    assert len(views.newest_refunds(told.session, program_id=told.program.id, limit=2)) == 2
    told.session.commit()


def test_ways_in_count_orders_and_tests_apart(told: Cast, now: datetime) -> None:
    since = now - timedelta(days=7)
    found = views.sources(told.session, program_id=told.program.id, since=since)
    rows = [row for row in told.session.query(Conversion) if row.program_id == told.program.id]
    by_hand = {}
    for row in sorted(rows, key=lambda row: row.received_at):
        if row.occurred_at >= since:
            orders, tests, _last = by_hand.pop(row.source, (0, 0, None))
            by_hand[row.source] = (orders + (not row.is_test), tests + row.is_test, row.received_at)
    assert [(one.source, one.orders, one.tests, one.last_at) for one in found] == [
        (source, *numbers) for source, numbers in reversed(by_hand.items())
    ]
    assert [(one.source, one.orders, one.tests) for one in found] == [
        ("api", 1, 1),
        ("postback", 1, 0),
        ("pixel", 1, 1),
    ]
    told.session.commit()


def test_costs_beside_commissions_are_summed_by_kind(cast: Cast, now: datetime) -> None:
    today = now.date()
    entered = {"entered_by_id": cast.mara.id, "entered_at": now, "note": "reel"}
    for program, kind, days, minor, more in (
        (cast.program, CostKind.FLAT_FEE, 0, 12_00, {}),
        (cast.program, CostKind.FLAT_FEE, 30, 3_00, {}),
        (cast.program, CostKind.FLAT_FEE, 31, 500_00, {}),
        (cast.program, CostKind.SAMPLES, 2, 7_50, {}),
        (cast.program, CostKind.SAMPLES, 2, 900_00, {"removed_at": now, "removed_by_id": cast.mara.id}),
        (cast.program, CostKind.SAMPLES, 2, 800_00, {"currency": "PLN"}),
        (cast.other, CostKind.SAMPLES, 2, 700_00, {}),
    ):
        spent = {"spent_on": today - timedelta(days=days), "amount_minor": minor, "currency": "EUR"}
        cast.session.add(PartnerCost(id=ids.new(), program_id=program.id, partner_id=cast.partner.id, kind=kind, **entered | spent | more))  # fmt: skip
    cast.session.commit()
    here: dict[str, Any] = {"program_id": cast.program.id, "currency": "EUR"}
    found = views.costs(cast.session, **here, since=today - timedelta(days=30))
    assert found == dict.fromkeys(CostKind, 0) | {CostKind.FLAT_FEE: 15_00, CostKind.SAMPLES: 7_50}
    cast.session.commit()


def test_logistics_and_tech_show_these_figures(told: Cast, mara: FlaskClient) -> None:
    page = text_of(mara.get("/console/casa/views/logistics"))
    assert _tile(page, "Orders") == "4"
    assert _tile(page, "Returns") == "4"
    assert _tile(page, "Cancelled") == "4"
    assert _tile(page, "Being verified") == "1"
    assert [row[-1] for row in _panel(page, "returns")] == ["€1.00", "All that was left", "€5.00", "€20.00", "€40.00"]
    rows = _panel(text_of(mara.get("/console/casa/views/tech")), "sources")
    assert [row[:3] for row in rows] == [["api", "1", "1"], ["postback", "1", "0"], ["pixel", "1", "1"]]


def test_marketing_shows_campaigns_creatives_momentum_and_the_notes_on_the_chart(
    cast: Cast, mara: FlaskClient, now: datetime, count_queries: Any
) -> None:
    session, today = cast.session, now.date()
    link = make_link(session, program=cast.program, partner=cast.partner)
    names = []
    for title, clicks, earned in (("Quiet pan", 30, []), ("Red pan", 10, [3_00]), ("Blue pan", 20, [5_00, 6_00])):
        made = make_creative(session, program=cast.program, now=now - timedelta(days=40), title=title)
        names.append(ids.public("crv", made.id))
        make_clicks(session, link=link, hour=now.replace(minute=0, second=0) - timedelta(days=2), clicks=clicks, creative=names[-1])  # fmt: skip
        for amount in earned:
            sold = make_commission(session, program=cast.program, partner=cast.partner, earned_at=now - timedelta(days=2), amount_minor=amount)  # fmt: skip
            tell_origin(session, sold, creative=names[-1])
    make_commission(session, program=cast.program, partner=cast.partner, earned_at=now - timedelta(days=2), amount_minor=99_00)  # fmt: skip
    for number in range(6):
        _campaign(cast, f"Campaign {number}", today - timedelta(days=10 + 10 * number), now)
    remarks.note(session, program_id=cast.program.id, day=today - timedelta(days=4), text="The page was down", actor=SYSTEM, now=now)  # fmt: skip
    session.commit()
    mara.get("/console/casa/views/marketing")  # what the first request of a process asks once
    with count_queries() as counter:
        page = text_of(mara.get("/console/casa/views/marketing"))
    assert len(counter) <= 20, counter.statements
    assert _panel(page, "creatives") == [
        ["Blue pan", "20", "2", "€11.00", "€200.00"], ["Red pan", "10", "1", "€3.00", "€100.00"], ["Quiet pan", "30", "0", "€0.00", "€0.00"],
    ]  # fmt: skip
    campaigns = _panel(page, "campaigns")
    assert [row[0][:10] for row in campaigns] == [f"Campaign {number}" for number in range(5)]
    assert campaigns[0][2:4] == ["4", "€400.00"]
    assert "The page was down" in page
    assert "Campaign: Campaign 0" in page
    assert _panel(page, "momentum")


def test_the_tech_of_one_program_learns_of_the_test_order_that_ran_through_it(
    cast: Cast, browser_of: BrowserOf, now: datetime
) -> None:
    person, elsewhere = make_person(cast.session, "Tech"), make_person(cast.session, "Elsewhere")
    give(cast.session, person, GrantRole.TECH, cast.program)
    give(cast.session, elsewhere, GrantRole.TECH, cast.other)
    older, newer = now - timedelta(hours=2), now - timedelta(hours=1)
    beside = make_partner(cast.session, program=cast.other)
    for program, partner, at, state, finding in (
        (cast.program, cast.partner, older, CanaryState.FAILED, "does ingest run?"),
        (cast.other, beside, newer, CanaryState.PASSED, None),
    ):
        cast.session.add(
            CanaryRun(
                id=ids.new(), program_id=program.id, partner_id=partner.id, conversion_id=ids.new(), order_id="canary",
                state=state, finding=finding, started_at=at, stepped_at=at,
            )
        )  # fmt: skip
    cast.session.commit()
    page = text_of(browser_of(person).get("/console/casa/views/tech"))
    assert "The test order through this program" in page
    assert "does ingest run?" in page
    other = text_of(browser_of(elsewhere).get("/console/altra/views/tech"))
    assert "It went the whole way" in other
    assert "does ingest run?" not in other
    everything = text_of(browser_of(cast.ada).get("/console/casa/views/tech"))
    assert "The test order of the installation" in everything
    assert "It went the whole way" in everything


def _campaign(cast: Cast, name: str, first: date, now: datetime) -> None:
    """Nine days of the whole program."""
    draft = Draft(name, "", first, first + timedelta(days=9), 0, WHOLE)
    campaigning.begin(cast.session, program_id=cast.program.id, currency="EUR", draft=draft, actor=SYSTEM, now=now)


def _tile(page: str, label: str) -> str:
    """The number below a label."""
    found = re.search(rf"<dt[^>]*>{label}</dt>\s*<dd[^>]*>(.*?)</dd>", page, re.DOTALL)
    assert found, label
    return _bare(found[1]).split(" ")[0]


def _panel(page: str, key: str) -> list[list[str]]:
    """The cells of a panel's rows."""
    part = page[page.index(f'aria-labelledby="p-{key}"') :]
    body = part[part.index("<tbody>") : part.index("</tbody>")]
    return [
        [_bare(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)]
        for row in body.split("</tr>")[:-1]
    ]


def _bare(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", "  ", markup).split()).replace(formats.UNKNOWN, "–")
