"""Every page of the console: who may open it, that it opens empty and full, and what it costs in queries."""

from collections.abc import Callable
from typing import Any

import pytest
from accounts_cast import give, make_person
from console_cast import Cast, public, text_of
from factories import make_partner, make_refund
from flask import Flask
from flask.testing import FlaskClient

from affiliate import ids
from affiliate.accounts.models import GrantRole, User
from affiliate.ingest.models import Conversion
from affiliate.partners.models import EnrollmentStatus

SHARED = ["", "applications", "partners", "goals", "conversions", "commissions", "payouts", "ledger", "history"]
FILES = ["partners.csv", "conversions.csv", "commissions.csv", "ledger.csv"]
MANAGING = [
    "settings",
    "creatives",
    "creatives/new",
    "plans",
    "plans/new",
    "validation",
    "tracking",
    "tracking/secret",
    "requests",
    "rejected",
]
ALL = SHARED + FILES + MANAGING


def answers(browser: FlaskClient, pages: list[str], program: str = "casa") -> dict[str, int]:
    """The status of each page."""
    return {page: browser.get(f"/console/{program}/{page}").status_code for page in pages}


def test_each_page_opens_for_the_manager_without_anything_in_it(cast: Cast, mara: FlaskClient) -> None:
    assert answers(mara, ALL) == dict.fromkeys(ALL, 200)


def test_each_page_opens_with_sales_refunds_and_payouts(cast: Cast, mara: FlaskClient) -> None:
    cast.sale("10482")
    commission = cast.approved_sale("10400")
    make_refund(cast.session, conversion=cast.session.get_one(Conversion, commission.conversion_id), amount_minor=10_00)
    cast.books.work()
    cast.session.commit()
    assert commission.amount_minor == 10_00
    assert answers(mara, ALL) == dict.fromkeys(ALL, 200)


def test_finance_sees_the_partners_and_the_money_and_neither_settings_nor_tracking(
    cast: Cast, finn: FlaskClient
) -> None:
    assert answers(finn, SHARED + FILES) == dict.fromkeys(SHARED + FILES, 200)
    assert answers(finn, MANAGING) == dict.fromkeys(MANAGING, 404)


def test_finance_cannot_change_the_program_or_decide_commissions(cast: Cast, finn: FlaskClient) -> None:
    addresses = [
        "settings", "settings/live", "settings/pause", "plans/new", "validation", "goals", "tracking/secret", "tracking/keys",
        "commissions/approve", "commissions/decline", "dead-letters",
    ]  # fmt: skip
    told = {address: finn.post(f"/console/casa/{address}").status_code for address in addresses}
    assert told == dict.fromkeys(addresses, 404)


def test_a_manager_of_one_program_finds_no_other(cast: Cast, mara: FlaskClient) -> None:
    assert answers(mara, ALL, "altra") == dict.fromkeys(ALL, 404)


def test_an_outsider_is_led_to_the_door_and_a_partner_finds_nothing(
    cast: Cast, client: FlaskClient, browser_of: Callable[[User], FlaskClient]
) -> None:
    assert client.get("/console/casa/").headers["Location"].startswith("/login?next=")
    partner = browser_of(make_person(cast.session, "Zoe"))
    assert partner.get("/console/casa/").status_code == 404
    assert partner.get("/console/").status_code == 404


def test_things_of_another_program_are_not_found_here(
    cast: Cast, mara: FlaskClient, browser_of: Callable[[User], FlaskClient]
) -> None:
    commission = cast.approved_sale("10400")
    give(cast.session, cast.max, GrantRole.MANAGER, cast.other)
    stranger = browser_of(cast.max)
    ours = [
        f"partners/{public('ptn', cast.partner)}",
        f"commissions/{public('com', commission)}",
        f"conversions/{ids.public('cnv', commission.conversion_id)}",
    ]
    assert [mara.get(f"/console/casa/{page}").status_code for page in ours] == [200, 200, 200]
    assert [stranger.get(f"/console/altra/{page}").status_code for page in ours] == [404, 404, 404]
    assert stranger.post(f"/console/altra/{ours[0]}/pause").status_code == 404


def test_a_made_up_id_is_not_found(cast: Cast, mara: FlaskClient) -> None:
    made_up = ["partners/ptn_x", "commissions/com_0", "conversions/10482", "payouts/run_!"]
    assert answers(mara, made_up) == dict.fromkeys(made_up, 404)


def test_a_strange_filter_counts_as_none(cast: Cast, mara: FlaskClient) -> None:
    strange = [
        "partners?number=0&days=x&status=none", "commissions?status=none&partner=x&due=-1&page=zz", "conversions?state=x&page=o1",
        "ledger?partner=x&before=y", "history?kind=none", "applications?status=none", "?kind=none",
    ]  # fmt: skip
    assert answers(mara, strange) == dict.fromkeys(strange, 200)


def test_a_page_costs_the_same_queries_whatever_stands_on_it(cast: Cast, mara: FlaskClient, count_queries: Any) -> None:
    def queries(page: str) -> int:
        with count_queries() as counter:
            assert mara.get(f"/console/casa/{page}").status_code == 200
        return len(counter)

    _grow(cast, "1")
    few = {page: queries(page) for page in SHARED}
    for name in "2345":
        _grow(cast, name)
    assert {page: queries(page) for page in SHARED} == few
    assert max(few.values()) <= 20


def _grow(cast: Cast, name: str) -> None:
    """More of everything that lists show."""
    partner = make_partner(cast.session, program=cast.program, name=f"Partner {name}")
    make_partner(cast.session, program=cast.program, name=f"Applicant {name}", status=EnrollmentStatus.PENDING)
    cast.session.commit()
    cast.sale(f"new-{name}", partner=partner)
    cast.approved_sale(f"old-{name}", partner=partner)


def test_pages_are_private_and_pages_with_a_secret_are_kept_nowhere(cast: Cast, mara: FlaskClient) -> None:
    assert mara.get("/console/casa/").headers["Cache-Control"] == "private, no-cache"
    assert mara.get("/console/casa/tracking/secret").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("language", ["it", "pl"])
def test_pages_open_in_each_language(cast: Cast, mara: FlaskClient, language: str) -> None:
    cast.approved_sale("10400")
    for page in SHARED + MANAGING:
        response = mara.get(f"/console/casa/{page}", headers={"Accept-Language": language})
        assert response.status_code == 200
        assert f'<html lang="{language}"' in response.text


def test_the_door_leads_straight_on_when_there_is_one_program(
    cast: Cast, mara: FlaskClient, browser_of: Callable[[User], FlaskClient]
) -> None:
    assert mara.get("/console/").headers["Location"] == "/console/casa/"
    page = text_of(browser_of(cast.ada).get("/console/"))
    assert "Casa Ondera" in page
    assert "/console/altra/" in page


def test_names_from_outside_are_escaped(app: Flask, cast: Cast, mara: FlaskClient) -> None:
    cast.partner.name = "<script>alert(1)</script>"
    cast.session.commit()
    cast.approved_sale("<b>10400</b>")
    for page in SHARED:
        assert "<script>alert" not in mara.get(f"/console/casa/{page}").text
        assert "<b>10400" not in mara.get(f"/console/casa/{page}").text
