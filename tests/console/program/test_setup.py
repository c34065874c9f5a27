"""The set-up assistant: a program from nothing, step by step, and what it says of a test that did not arrive."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import factories
import pytest
import sqlalchemy as sa
from console_cast import Cast, text_of
from flask.testing import FlaskClient

from affiliate import clock
from affiliate.accounts.models import ApiKey, User
from affiliate.attribution import queries as attribution
from affiliate.commissions import plans
from affiliate.commissions.models import CommissionPlan
from affiliate.console.program.setup_forms import hosts_of, slug_of
from affiliate.ingest.models import ClickVerdict
from affiliate.links.models import Link
from affiliate.programs import setup
from affiliate.programs.models import Goal, Program, ProgramStatus, SetupWay

SHOP = {"name": "Orto Lento", "shop_url": "https://www.orto.example/", "currency": "EUR", "time_zone": "Europe/Rome"}
Go = Callable[..., str]


def begun(browser: FlaskClient, cast: Cast) -> tuple[Program, Go]:
    """A new program, and a way to send a step of its assistant."""
    browser.post("/console/new-program", data=SHOP)
    program = cast.session.scalars(sa.select(Program).where(Program.slug == "orto-lento")).one()
    cast.session.commit()

    def go(step: str, **typed: Any) -> str:
        address = f"/console/orto-lento/setup/{step}"
        return text_of(browser.post(address, data=typed, follow_redirects=True) if typed else browser.get(address))

    return program, go


def test_names_and_hosts_follow_from_what_was_typed() -> None:
    assert slug_of("  Casa Ondera – Più! ") == "casa-ondera-piu"
    assert hosts_of("https://www.shop.example/a") == ["www.shop.example", "shop.example"]
    assert hosts_of("https://shop.example:8443") == ["shop.example:8443", "www.shop.example:8443"]
    assert hosts_of("http://localhost:9") == ["localhost:9"]
    assert hosts_of("nonsense") == []


def test_only_who_manages_all_programs_makes_one(cast: Cast, mara: FlaskClient, browser_of: Any) -> None:
    assert mara.get("/console/new-program").status_code == 404
    assert mara.post("/console/new-program", data=SHOP).status_code == 404
    ada = browser_of(cast.ada)
    assert "New program" in text_of(ada.get("/console/"))
    assert "New program" not in text_of(mara.get("/console/", follow_redirects=True))


def test_hosts_that_nobody_typed_are_not_blamed_for_a_wrong_address(cast: Cast, browser_of: Any) -> None:
    ada = browser_of(cast.ada)
    page = text_of(ada.post("/console/new-program", data=SHOP | {"shop_url": "nowhere"}))
    assert "This is not a full address" in page
    assert "Name at least one host" not in page
    typed = SHOP | {"allowed_hosts": "not a host"}
    assert 'id="allowed_hosts-error"' in ada.post("/console/new-program", data=typed).text


def test_all_programs_are_at_hand_also_for_whoever_works_in_one(cast: Cast, mara: FlaskClient) -> None:
    assert mara.get("/console/").status_code == 302
    assert 'href="/console/?all=yes"' in mara.get("/console/casa/").text
    listed = text_of(mara.get("/console/?all=yes"))
    assert cast.program.name in listed
    assert cast.other.name not in listed


def test_each_step_is_kept_and_leads_to_the_next(cast: Cast, browser_of: Callable[[User], FlaskClient]) -> None:
    program, go = begun(browser_of(cast.ada), cast)
    assert (program.status, program.allowed_hosts) == (ProgramStatus.DRAFT, ["www.orto.example", "orto.example"])
    assert "What counts, and for how long?" in go("pay", rate="7.5", with_tax="y")
    counting = {"window_days": "45", "validation_days": "20", "validation_start": "delivery", "payout_min": "25"}
    assert "What do you want to reach?" in go("counting", **counting)
    assert "Connect the shop" in go("goal", metric="revenue")
    assert 'data-program="orto-lento"' in go("connect", way="server")
    cast.settle()
    plan = cast.session.scalars(sa.select(CommissionPlan).where(CommissionPlan.program_id == program.id)).one()
    assert plan.terms == {"rules": [{"rate_bps": 750}], "base": {"with_tax": True}}
    assert (program.validation_days, program.payout_min_minor, program.attribution_window_days) == (20, 25_00, 45)
    policy = attribution.terms(cast.session, program_ids=[program.id])[program.id][0].policy
    assert (policy.version, policy.window_days) == (2, 45)
    assert cast.session.scalar(sa.select(sa.func.count()).where(Goal.program_id == program.id)) == 1
    known = setup.of(cast.session, program_id=program.id)
    assert known is not None
    assert known.way is SetupWay.SERVER
    cast.session.commit()
    go("pay", rate="7.5", with_tax="y")
    assert cast.session.scalar(sa.select(sa.func.count()).where(CommissionPlan.program_id == program.id)) == 1


def test_what_is_wrong_is_said_and_stays_typed(cast: Cast, browser_of: Callable[[User], FlaskClient]) -> None:
    ada = browser_of(cast.ada)
    page = text_of(ada.post("/console/new-program", data=SHOP | {"shop_url": "orto", "name": ""}))
    assert "This is not a full address." in page
    assert "Write a name" in page
    _program, go = begun(ada, cast)
    assert "Another program is called" in text_of(ada.post("/console/new-program", data=SHOP))
    assert "Say what is paid" in go("pay", rate="", with_tax="y")
    assert 'value="much"' in go("pay", rate="much")
    assert "Choose from 1 to 365 days." in go(
        "counting", window_days="0", validation_days="3", validation_start="order"
    )


def test_what_was_typed_stays_where_somebody_else_was_faster(
    cast: Cast, browser_of: Callable[[User], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken(*_session: Any, **_plan: Any) -> None:
        raise plans.PlanExists("Another plan starts at the same moment. Choose another start.")

    monkeypatch.setattr(plans, "create_plan", taken)
    answer = browser_of(cast.mara).post("/console/casa/setup/pay", data={"rate": "7.25", "with_tax": "y"})
    assert answer.status_code == 409
    assert "Another plan starts at the same moment." in text_of(answer)
    assert 'value="7.25"' in answer.text


def test_a_key_is_shown_once_within_the_call_that_it_is_for(
    cast: Cast, browser_of: Callable[[User], FlaskClient]
) -> None:
    ada = browser_of(cast.ada)
    program, go = begun(ada, cast)
    go("connect", way="server")
    shown = ada.post("/console/orto-lento/setup/key")
    key = cast.session.scalars(sa.select(ApiKey).where(ApiKey.program_id == program.id)).one()
    cast.session.commit()
    assert f"Bearer {key.prefix}" in text_of(shown)
    assert shown.headers["Cache-Control"] == "no-store"
    assert f"Bearer {key.prefix}" not in go("connect")


def test_the_test_link_leads_to_the_shop_with_a_stamp(cast: Cast, browser_of: Callable[[User], FlaskClient]) -> None:
    ada = browser_of(cast.ada)
    program, _go = begun(ada, cast)
    assert ada.get("/console/orto-lento/setup/visit").headers["Location"].endswith("/setup/test")
    ada.post("/console/orto-lento/setup/link")
    ada.post("/console/orto-lento/setup/link")
    link = cast.session.scalars(sa.select(Link).where(Link.program_id == program.id)).one()
    cast.session.commit()
    target = urlsplit(ada.get("/console/orto-lento/setup/visit").headers["Location"])
    assert target.path == f"/r/{link.code}"
    assert parse_qs(target.query)["aff_test"]


def test_what_arrived_and_what_is_missing_is_told(cast: Cast, browser_of: Callable[[User], FlaskClient]) -> None:
    ada = browser_of(cast.ada)
    program, go = begun(ada, cast)
    ada.post("/console/orto-lento/setup/link")
    assert "No test click yet." in go("test")
    link = cast.session.scalars(sa.select(Link).where(Link.program_id == program.id)).one()
    now = clock.now()
    clicked = {"link": link, "verdict": ClickVerdict.TEST, "occurred_at": now - timedelta(minutes=2)}
    click = factories.make_click(cast.session, **clicked)
    cast.session.commit()
    assert "The click is here, and no order yet." in go("test")
    order = {"program": program, "order_id": "T-1", "received_at": now, "occurred_at": now}
    factories.make_conversion(cast.session, **order)
    cast.session.commit()
    page = go("test")
    assert "it was not marked as a test" in page
    assert 'data-renews="3"' in page
    later = now + timedelta(seconds=1)
    test = order | {"order_id": "T-2", "is_test": True, "click_id": click.id, "received_at": later}
    factories.make_conversion(cast.session, **test)
    cast.session.commit()
    assert "it is being given to its click" in go("test")
    assert "To go live, the program needs a goal." in go("test")
