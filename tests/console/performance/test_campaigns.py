"""Campaigns in the console: written down, changed, removed, shown with what they brought and what that does not say."""

import csv
import io
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from console_cast import Cast, public, text_of
from factories import make_commission, make_partner
from flask.testing import FlaskClient

from affiliate import clock, ids
from affiliate.accounts.models import User
from affiliate.reports.models import ShopDay
from affiliate.reports.written_models import Campaign

LIST = "/console/casa/campaigns"


def _days_ago(days: int) -> date:
    return clock.now().date() - timedelta(days=days)


def _form(**fields: Any) -> dict[str, Any]:
    values = {"name": "Autumn pans", "starts_on": _days_ago(14).isoformat(), "last_on": _days_ago(8).isoformat()}
    return values | {"cost": "50", "partner": "slow kitchen"} | fields


def _campaign(cast: Cast) -> Campaign:
    """The newest one; SQLite lets nobody else write while a transaction is open."""
    found = cast.session.scalars(sa.select(Campaign).order_by(Campaign.id.desc()).limit(1)).one()
    cast.settle()
    return found


def _sell(cast: Cast, number: int, *, days_ago: int, partner: Any = None) -> None:
    for _ in range(number):
        make_commission(
            cast.session, program=cast.program, partner=partner or cast.partner,
            earned_at=clock.now() - timedelta(days=days_ago),
        )  # fmt: skip


def test_a_campaign_is_written_down_and_tells_what_it_brought(mara: FlaskClient, cast: Cast) -> None:
    other = make_partner(cast.session, program=cast.program)
    _sell(cast, 30, days_ago=10)
    _sell(cast, 10, days_ago=17)
    _sell(cast, 4, days_ago=3)
    _sell(cast, 10, days_ago=10, partner=other)
    _sell(cast, 10, days_ago=17, partner=other)
    cast.session.add(
        ShopDay(
            program_id=cast.program.id, day=_days_ago(10), currency="EUR", orders=60, revenue_minor=6_000_00,
            costs_minor=3_000_00, updated_at=clock.now(),
        )
    )  # fmt: skip
    cast.session.commit()
    made = mara.post(f"{LIST}/new", data=_form())
    assert made.status_code == 303, text_of(made)
    page = text_of(mara.get(made.location))
    assert "30 sales against 10 in as many days before." in page
    assert "it would have been 10: +20 by the campaign." in page
    rows = list(csv.DictReader(io.StringIO(mara.get(f"{made.location}.csv").text.removeprefix("\ufeff"))))
    told = {row["span"]: (row["conversions"], row["revenue"], row["earnings"], row["cost"]) for row in rows}
    assert told["before"] == ("10", "1000.00", "100.00", "100.00")
    assert told["during"] == ("30", "3000.00", "300.00", "350.00")
    assert told["after"][0] == "4"
    assert [row["margin"] for row in rows] == ["", "1150.00", ""]  # 3,000 × 50 % − 350, where the shop told its costs
    assert "Autumn pans" in text_of(mara.get(LIST))
    assert mara.get(f"{LIST}.xlsx").data[:2] == b"PK"


def test_what_means_nothing_is_said_at_its_field_and_nothing_is_kept(mara: FlaskClient, cast: Cast) -> None:
    answer = mara.post(f"{LIST}/new", data=_form(partner="Nobody", link="ragu\nnolink", cost="x", name=""))
    assert answer.status_code == 422
    answer = mara.post(f"{LIST}/new", data=_form(partner="Nobody", link="ragu\nnolink"))
    assert "Nobody" in text_of(answer)
    assert "not the only one of this name: nolink" in text_of(answer)
    answer = mara.post(f"{LIST}/new", data=_form(last_on=_days_ago(20).isoformat()))
    assert "The last day is not before the first" in text_of(answer)
    assert cast.session.scalar(sa.select(sa.func.count()).select_from(Campaign)) == 0


def test_who_was_too_late_changes_nothing(mara: FlaskClient, cast: Cast) -> None:
    address = mara.post(f"{LIST}/new", data=_form()).location
    seen = {"seen_at": _campaign(cast).updated_at.isoformat()}
    cast.settle()
    assert mara.post(f"{address}/edit", data=_form(name="Winter pans") | seen).status_code == 303
    late = mara.post(f"{address}/edit", data=_form(name="Spring pans") | seen)
    assert late.status_code == 409
    assert "Winter pans" in text_of(late)
    assert "ragu" not in text_of(mara.get(f"{address}/edit"))
    assert "Slow Kitchen" in text_of(mara.get(f"{address}/edit"))
    assert mara.post(f"{address}/remove").status_code == 303
    assert mara.get(address).status_code == 404
    assert mara.post(f"{address}/remove").status_code == 404


def test_finance_reads_campaigns_and_changes_none(finn: FlaskClient, mara: FlaskClient) -> None:
    address = mara.post(f"{LIST}/new", data=_form()).location
    assert finn.get(address).status_code == 200
    assert f"{address}/edit" not in finn.get(address).text
    assert finn.post(f"{LIST}/new", data=_form()).status_code == 404


def test_a_campaign_of_another_program_is_not_there(
    mara: FlaskClient, cast: Cast, browser_of: Callable[[User], FlaskClient]
) -> None:
    mara.post(f"{LIST}/new", data=_form())
    address = f"/console/altra/campaigns/{public('cmp', _campaign(cast))}"
    cast.settle()
    assert browser_of(cast.ada).get(address).status_code == 404


def test_pages_of_campaigns_take_few_queries(mara: FlaskClient, cast: Cast, count_queries: Any) -> None:
    for number in range(11):
        mara.post(f"{LIST}/new", data=_form(name=f"Campaign {number}"))
    address = f"{LIST}/{public('cmp', _campaign(cast))}"
    cast.settle()
    for page in (LIST, address):
        mara.get(page)
        with count_queries() as counted:
            assert mara.get(page).status_code == 200
        assert len(counted) <= 20, "\n".join(counted.statements)
    assert "Next" in text_of(mara.get(LIST))


def test_the_file_holds_every_campaign_that_the_list_finds(mara: FlaskClient, cast: Cast) -> None:
    ahead, now = clock.now().date() + timedelta(days=30), clock.now()
    facts = {
        "program_id": cast.program.id,
        "note": "",
        "cost_minor": 0,
        "currency": "EUR",
        "created_at": now,
        "updated_at": now,
    }
    cast.session.add_all(
        Campaign(
            id=ids.new(), name=f"{'Winter' if number else 'Spring'} {number}", starts_on=ahead + timedelta(days=number),
            ends_on=ahead + timedelta(days=number + 1), **facts,
        )
        for number in range(101)
    )  # fmt: skip
    cast.session.commit()

    def names(asked: str = "") -> list[str]:
        text = mara.get(f"{LIST}.csv{asked}").text.removeprefix("\ufeff")
        return [row["campaign"] for row in csv.DictReader(io.StringIO(text))]

    assert names() == [*(f"Winter {number}" for number in range(100, 0, -1)), "Spring 0"]
    assert names("?name=spring") == ["Spring 0"]
    assert "campaigns.csv?name=spring" in text_of(mara.get(f"{LIST}?name=spring"))
