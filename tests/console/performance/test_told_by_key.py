"""Campaigns, cohorts and margin by key: equal to the console's files to the unit, and to sums made by hand."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from console_cast import Cast, public
from factories import make_commission, make_partner, make_refund
from flask import Flask
from flask.testing import FlaskClient
from money_cast import person

from affiliate import clock
from affiliate.accounts import service as accounts
from affiliate.commissions.models import Commission
from affiliate.ingest.models import Conversion
from affiliate.reports import grids

Get = Callable[..., Any]


@pytest.fixture
def get(app: Flask, cast: Cast) -> Get:
    """Reads an address of the API with a key of the program."""

    def call(path: str, *, scopes: tuple[str, ...] = ("reports:read",), partner_id: Any = None) -> Any:
        _key, secret = accounts.create_api_key(
            cast.session, program_id=cast.program.id, name="Test", scopes=list(scopes), partner_id=partner_id,
            actor=person(cast.mara), now=clock.now(),
        )  # fmt: skip
        cast.session.commit()
        return app.test_client().get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {secret}"})

    return call


def _file(browser: FlaskClient, path: str) -> list[dict[str, str]]:
    text = browser.get(f"/console/casa/{path}").text
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def _cell(value: Any) -> str:
    """A value of the API as the file writes it."""
    if value is None:
        return ""
    return value["amount"] if isinstance(value, dict) else str(value)


def _sell(cast: Cast) -> None:
    """Some sales of two partners this month and in the days before, one returned in part."""
    other = make_partner(cast.session, program=cast.program, name="Ewa's Pans")
    for number, partner in enumerate((cast.partner, other, cast.partner)):
        made = make_commission(
            cast.session, program=cast.program, partner=partner, earned_at=clock.now() - timedelta(days=8 * number)
        )
        order = cast.session.get_one(Conversion, made.conversion_id)
        order.customer_id = f"c-{number % 2}"
        if number == 1:
            make_refund(cast.session, conversion=order, amount_minor=12_34)
    cast.session.commit()


def test_a_campaign_by_key_equals_its_file(cast: Cast, mara: FlaskClient, get: Get) -> None:
    _sell(cast)
    first, last = ((clock.now() - timedelta(days=days)).date().isoformat() for days in (20, 2))
    form = {"name": "Autumn pans", "starts_on": first, "last_on": last, "cost": "50", "partner": "slow kitchen"}
    assert mara.post("/console/casa/campaigns/new", data=form).status_code == 303
    [listed] = get("campaigns").json
    assert (listed["name"], listed["first"], listed["last"], listed["cost"]["amount"]) == (
        "Autumn pans", first, last, "50.00",
    )  # fmt: skip
    assert (listed["figures"]["conversions"], listed["figures"]["revenue"]["amount"]) == (1, "100.00")
    told = get(f"campaigns/{listed['id']}").json
    assert told["parts"]["partners"] == [public("ptn", cast.partner)]
    for row in _file(mara, f"campaigns/{listed['id']}.csv"):
        span = told["spans"][row["span"]]
        assert (span["first"], span["last"]) == (row["first"], row["last"])
        assert {name: _cell(value) for name, value in span["figures"].items()} == {
            name: text for name, text in row.items() if name in span["figures"]
        }
    assert get("campaigns/cmp_00000000000000000000000000").status_code == 404


@pytest.mark.parametrize(
    ("whose", "page"), [("partners", "partners-by-month"), ("customers", "customers-by-first-order")]
)
def test_cohorts_by_key_equal_their_file(cast: Cast, mara: FlaskClient, get: Get, whose: str, page: str) -> None:
    _sell(cast)
    rows = get(f"reports/cohorts?of={whose}").json["rows"]
    told = [
        {"month": one["month"], "size": str(one["size"]), "months_after": str(after), "currency": "EUR"}
        | {name: _cell(value) for name, value in month.items()}
        for one in rows
        for after, month in enumerate(one["months"])
    ]
    assert told == _file(mara, f"performance/{page}.csv")
    if whose == "customers":
        assert sum(one["size"] for one in rows) == 2
        assert sum(month["orders"] for one in rows for month in one["months"]) == 3


def test_margin_by_key_equals_its_file_and_the_sum_of_orders(cast: Cast, mara: FlaskClient, get: Get) -> None:
    _sell(cast)
    months = {f"{clock.now() - timedelta(days=8 * number):%Y-%m}" for number in range(3)}
    earned = 0
    for month in sorted(months):
        told = get(f"reports/margin?month={month}").json
        rows = {row["partner_id"]: row for row in told["rows"]}
        for line in _file(mara, f"performance/margin.csv?month={month}"):
            row = rows[line["partner"]]
            assert {name: _cell(value) for name, value in row.items() if name in line and name != "partner"} == {
                name: text for name, text in line.items() if name in row and name != "partner"
            }
        earned += sum(round(100 * float(row["commission"]["amount"])) for row in told["rows"])
    assert earned == cast.session.scalar(sa.select(sa.func.sum(Commission.amount_minor - Commission.reversed_minor)))
    assert get("reports/margin?month=2001-01").status_code == 422
    assert get("reports/margin?month=2026-13").status_code == 422


def test_these_figures_are_for_keys_of_the_program_that_may_read_reports(cast: Cast, get: Get) -> None:
    for path in ("campaigns", "reports/cohorts", "reports/margin"):
        assert get(path).status_code == 200
        assert get(path, scopes=("links:read",)).status_code == 403
        assert get(path, partner_id=cast.partner.id).status_code == 403
    assert get(f"reports/cohorts?partner={public('ptn', cast.partner)}").status_code == 422
    assert get(f"reports/cohorts?of=customers&partner={public('ptn', cast.partner)}").status_code == 200


@pytest.mark.parametrize("path", ["reports/cohorts?of=customers", "reports/margin"])
def test_a_key_is_told_to_ask_later_while_a_large_program_is_being_counted(
    cast: Cast, get: Get, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    _sell(cast)
    monkeypatch.setattr(grids, "SALES_READ_MAX", 0)
    answer = get(path)
    assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (503, "not_counted", "300")
