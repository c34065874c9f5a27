"""Lists of pages that hold several, or a form: each is leafed through to its end, apart from the others."""

import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from console_cast import Cast, public, text_of
from factories import make_commission, make_partner
from flask.testing import FlaskClient
from tax_cast import make_buyer, make_profile, make_rule

from affiliate import clock, ids
from affiliate.commissions.models import PlanSimulation
from affiliate.console import leafing, paging
from affiliate.console.goals import goals
from affiliate.console.partners import erasures
from affiliate.console.queries import replays
from affiliate.console.rules import replay_sheets
from affiliate.payouts.models import Adjustment, AdjustmentKind, AdjustmentStatus, CostKind, PartnerCost
from affiliate.privacy.models import ErasureRequest, ErasureStatus
from affiliate.programs.models import Goal, GoalMetric
from affiliate.replay import service
from affiliate.replay.models import Replay, ReplayChange, ReplayStatus
from affiliate.reports.shared_models import SharedReport

NAMES = ("Row-A", "Row-B", "Row-C")
HERE = "/console/casa"


@pytest.fixture(autouse=True)
def one_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(paging.page_of.__kwdefaults__, "size", 1)
    monkeypatch.setitem(replays.changes.__kwdefaults__, "size", 1)
    monkeypatch.setattr(leafing, "PAGE_SIZE", 1)
    monkeypatch.setattr(replay_sheets, "EXPORT_SIZE", 1)
    monkeypatch.setattr(erasures, "WAITING_SHOWN", 1)
    monkeypatch.setattr(goals, "OVER_SHOWN", 1)


def entries(cast: Cast) -> str:
    for number, name in enumerate(NAMES):
        partner = make_partner(cast.session, program=cast.program, name=name)
        facts = {"program_id": cast.program.id, "partner_id": partner.id, "entered_by_id": cast.mara.id}
        at = clock.now() - timedelta(hours=number)
        kind, status = AdjustmentKind.BONUS, AdjustmentStatus.PROPOSED
        row = Adjustment(id=ids.new(), **facts, kind=kind, amount_minor=1, currency="EUR", reason="So.")
        row.status, row.entered_at = status, at
        cast.session.add(row)
    return "payouts/entries"


def costs(cast: Cast) -> str:
    for number, name in enumerate(NAMES):
        facts = {"program_id": cast.program.id, "partner_id": cast.partner.id, "entered_by_id": cast.mara.id}
        now = clock.now()
        row = PartnerCost(id=ids.new(), **facts, kind=CostKind.SAMPLES, amount_minor=1, currency="EUR", note=name)
        row.spent_on, row.entered_at = now.date() - timedelta(days=number), now
        cast.session.add(row)
    return f"payouts/partners/{public('ptn', cast.partner)}/entries"


def wishes(cast: Cast) -> str:
    for number, name in enumerate(NAMES):
        partner = make_partner(cast.session, program=cast.program, name=name)
        row = ErasureRequest(id=ids.new(), program_id=cast.program.id, partner_id=partner.id)
        row.status, row.asked_by_id = ErasureStatus.ASKED, cast.mara.id
        row.asked_at = clock.now() - timedelta(hours=number)
        cast.session.add(row)
    return "erasures"


def shared(cast: Cast) -> str:
    for number, name in enumerate(NAMES):
        at = clock.now() - timedelta(hours=number)
        row = SharedReport(id=ids.new(), program_id=cast.program.id, title=name, arguments={}, time_zone="UTC")
        row.names_partners, row.views, row.ends_at = False, 0, at
        row.created_by_id, row.created_at = cast.mara.id, at
        cast.session.add(row)
    return "performance/shared"


def profiles(cast: Cast) -> str:
    make_buyer(cast.session, cast.program)
    make_rule(cast.session, cast.program)
    for name in NAMES:
        partner = make_partner(cast.session, program=cast.program, name=name)
        make_profile(cast.session, cast.program, partner.id)
    return "papers"


def margins(cast: Cast) -> str:
    for number, name in enumerate(NAMES):
        partner = make_partner(cast.session, program=cast.program, name=name)
        earned = {"earned_at": clock.now(), "amount_minor": 10_00 - number}
        make_commission(cast.session, program=cast.program, partner=partner, **earned)
    return f"performance/margin?month={clock.now():%Y-%m}"


def tried(cast: Cast) -> str:
    now = clock.now()
    partners = [make_partner(cast.session, program=cast.program, name=name) for name in NAMES]
    sums = {str(partner.id): 20_00 for partner in partners}
    row = Replay(id=ids.new(), program_id=cast.program.id, status=ReplayStatus.DONE, base_version=1)
    row.terms, row.totals = {"model": "first_click"}, {"orders": 2, "changed": 1, "today": sums, "tomorrow": sums}
    row.starts_at, row.ends_at, row.orders = now - timedelta(days=30), now, 2
    row.created_at = row.finished_at = now
    cast.session.add(row)
    return "performance/what-if?name=row-"


def simulated(cast: Cast) -> str:
    now = clock.now()
    partners = [make_partner(cast.session, program=cast.program, name=name) for name in NAMES]
    sums = {str(partner.id): [1, 10_00, 20_00] for partner in partners}
    row = PlanSimulation(id=ids.new(), program_id=cast.program.id, plan_name="Bold", terms={}, state={"partners": sums})
    row.starts_at, row.ends_at, row.orders_done, row.orders_total = now - timedelta(days=30), now, 3, 3
    row.created_at = row.finished_at = now
    cast.session.add(row)
    return f"plans/simulations/{public('sim', row)}"


def replayed(cast: Cast) -> str:
    tried(cast)
    return f"replays/{public('rpl', cast.session.scalars(sa.select(Replay)).one())}"


def changed(cast: Cast) -> str:
    page, replay = replayed(cast), cast.session.scalars(sa.select(Replay)).one()
    for name in NAMES:  # all of one moment
        sold = make_commission(cast.session, program=cast.program, partner=cast.partner, order_id=f"Order-{name[-1]}")
        facts = {
            "conversion_id": sold.conversion_id,
            "attribution_id": sold.attribution_id,
            "occurred_at": sold.earned_at,
        }
        today, tomorrow = {str(cast.partner.id): 10_00}, {str(cast.applicant.id): 20_00}
        cast.session.add(ReplayChange(replay_id=replay.id, **facts, today=today, tomorrow=tomorrow, trace={}))
    return page


def over(cast: Cast) -> str:
    today = clock.now().date()
    for number in range(3):
        row = Goal(id=ids.new(), program_id=cast.program.id, metric=GoalMetric.SALES, created_at=clock.now())
        row.target, row.starts_on = 701 + number, today - timedelta(days=60)
        row.ends_on = today - timedelta(days=1 + number)
        cast.session.add(row)
    return "goals"


@pytest.mark.parametrize(
    ("made", "argument", "told"),
    [
        (entries, "waits", "Row-."),
        (costs, "costs", "Row-."),
        (wishes, "waits", "Row-."),
        (shared, "page", "Row-."),
        (profiles, "profiles", "Row-."),
        (margins, "after", "Row-."),
        (tried, "after", "Row-."),
        (simulated, "after", "Row-."),
        (replayed, "after", "Row-."),
        (changed, "page", "Order-."),
        (over, "page", "0 of (70.)"),
    ],
)
def test_each_list_is_leafed_through_to_its_end(
    cast: Cast, mara: FlaskClient, made: Callable[[Cast], str], argument: str, told: str
) -> None:
    address = f"{HERE}/{made(cast)}"
    cast.session.commit()
    pages = [mara.get(address)]
    while found := re.search(rf'rel="next" href="([^"]*[?&;]{argument}=[^"]*)"', pages[-1].text):
        pages.append(mara.get(html.unescape(found[1])))
        assert len(pages) < 5
    rows = [set(re.findall(told, _table(page.text, made))) for page in pages]
    assert [len(each) for each in rows] == [1, 1, 1]
    assert len(set.union(*rows)) == 3
    back = re.search(rf'rel="prev" href="([^"]*[?&;](?:{argument}|before)=[^"]*)"', pages[-1].text)
    assert back is not None
    assert set(re.findall(told, _table(mara.get(html.unescape(back[1])).text, made))) == rows[1]


def _table(text: str, made: Callable[[Cast], str]) -> str:
    """The page without its charts, which draw more than a page of rows."""
    part = text.split("<main")[1]
    return part.split('id="rows-h"')[1] if made in {margins, tried, simulated} else part


def test_the_files_of_a_replay_hold_all_and_its_page_says_where_not_all_are_kept(
    cast: Cast, mara: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "CHANGES_KEPT", 0)
    address = f"{HERE}/{changed(cast)}"
    cast.session.commit()
    assert "The first 0 of 1 are kept, here and in the file." in mara.get(address).text
    partners, orders = (mara.get(f"{address}/{table}.csv").text.splitlines() for table in ("partners", "orders"))
    assert [line.split(",", 1)[1] for line in partners[1:]] == [f"{name},20.00,20.00,0.00,EUR" for name in NAMES]
    told = sorted(tuple(line.split(",")[n] for n in (1, 4, 5, 6)) for line in orders[1:-1])
    assert orders[-1] == "the first 0 of 1 orders that would change,,,,,,,"
    both = ((cast.partner.name, "10.00", "0.00"), (cast.applicant.name, "0.00", "20.00"))
    assert told == sorted((f"Order-{letter}", *amounts) for letter in "ABC" for amounts in both)
    assert mara.get(f"{address}/orders.xlsx").status_code == 200
    elsewhere = address.replace(HERE, f"/console/{cast.other.slug}")
    assert mara.get(f"{elsewhere}/orders.csv").status_code == 404


def test_profiles_are_searched_by_partner(cast: Cast, mara: FlaskClient) -> None:
    address = f"{HERE}/{profiles(cast)}"
    cast.session.commit()
    found = mara.get(f"{address}?name=ROW-B").text
    assert ("Row-B" in found, "Row-A" in found, 'rel="next"' in found) == (True, False, False)


def test_costs_are_leafed_through_beside_a_form_that_was_refused(cast: Cast, mara: FlaskClient) -> None:
    address = f"{HERE}/{costs(cast)}"
    cast.session.commit()
    refused = mara.post(address.replace("/entries", "/costs"), data={"cost-kind": "samples"})
    following = re.search(r'rel="next" href="([^"]*)"', refused.text)
    assert (refused.status_code, following is not None) == (422, True)
    assert following is not None
    assert mara.get(html.unescape(following[1])).status_code == 200


def test_a_place_beyond_the_last_row_leads_to_the_first_page_with_the_filters(cast: Cast, mara: FlaskClient) -> None:
    cast.sale("1")
    beyond = paging.Cursor("older", clock.now() - timedelta(days=400), ids.new()).text()
    address = f"/console/casa/commissions?status=pending&page={beyond}"
    answer = mara.get(address)
    assert (answer.status_code, answer.location) == (302, "/console/casa/commissions?status=pending")
    page = text_of(mara.get(answer.location))
    assert "There is nothing at this place any more." in page
    assert "Slow Kitchen" in page
    empty = mara.get("/console/casa/commissions?status=paid")
    assert (empty.status_code, "There is nothing at this place" in text_of(empty)) == (200, False)
