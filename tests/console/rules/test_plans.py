"""Commission plans in the console: drafted, read as sentences, held to their examples, published, without JavaScript."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from console_cast import Cast, public, text_of
from factories import make_link, make_plan
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from affiliate import clock
from affiliate.commissions import documents
from affiliate.commissions.models import CommissionPlan
from affiliate.console.rules.plan_forms import Named, PlanForm
from affiliate.console.rules.plan_shown import shown

BLANK = {"name": "Autumn", "rate": "7.5", "fixed": "", "counts": "orders", "period": "month", "mode": "above"}
ROW = {"who": "", "who_named": "", "what": "", "what_named": "", "customer": "", "kind": "", "months": "", "rate": "", "fixed": ""}  # fmt: skip


def row(number: int, **fields: str) -> dict[str, str]:
    return {f"rules-{number}-{name}": value for name, value in (ROW | fields).items()}


def draft(browser: FlaskClient, address: str = "new", **form: str) -> TestResponse:
    return browser.post(f"/console/casa/plans/{address}", data=BLANK | form, follow_redirects=True)


def stored(cast: Cast) -> list[CommissionPlan]:
    found = cast.session.scalars(sa.select(CommissionPlan).order_by(CommissionPlan.created_at, CommissionPlan.id)).all()
    cast.session.commit()
    return [one for one in found if one.name != "Standard"]


def publish(browser: FlaskClient, plan: CommissionPlan, days: int = 2) -> TestResponse:
    start = (clock.now() + timedelta(days=days)).date().isoformat()
    address = f"/console/casa/plans/{public('pln', plan)}/publish"
    return browser.post(address, data={"starts_on": start}, follow_redirects=True)


def test_a_draft_is_kept_reads_as_sentences_and_counts_from_its_day_on(cast: Cast, mara: FlaskClient) -> None:
    assert "New plan" in text_of(mara.get("/console/casa/plans"))
    page = text_of(draft(mara))
    assert "The draft is kept. Nobody is paid by it yet." in page
    assert "7.5\u00a0% of the base." in page
    [made] = stored(cast)
    assert (made.terms, made.effective_from) == ({"rules": [{"rate_bps": 750}]}, None)
    assert "Draft" in text_of(mara.get("/console/casa/plans"))
    page = text_of(publish(mara, made))
    assert "“Autumn” counts for orders from" in page
    assert "To come" in page
    cast.settle()
    view = text_of(mara.get(f"/console/casa/plans/{public('pln', made)}"))
    assert "Published: it stays as it is." in view


def test_every_part_of_the_form_is_read_and_shown_again(app: Flask, cast: Cast, mara: FlaskClient) -> None:
    link = make_link(cast.session, program=cast.program, partner=cast.partner, code="autumn")
    cast.session.commit()
    form = {
        "fixed": "1", "with_tax": "y", "order_minor": "50", "day_orders": "9", "first_bonus": "5", "milestone": "100",
        "milestone_bonus": "250", "recruiter": "5", "counts": "amount", "steps-0-above": "1000", "steps-0-rate": "9",
        **row(0, what="categories", what_named="shoes, boots", rate="12"),
        **row(1, who="partner", who_named="slow kitchen", customer="new", rate="0"),
        **row(2, who="link", who_named="autumn", months="12", fixed="3"),
        **row(3, who="group", who_named="gold", kind="lead", fixed="2.50"),
    }  # fmt: skip
    assert "The draft is kept." in text_of(draft(mara, **form))
    [made] = stored(cast)
    expected: dict[str, Any] = {
        "rules": [
            {"rate_bps": 750, "fixed_minor": 100, "tiers": {"counts": "amount", "period": "month", "mode": "above", "steps": [{"above": 1000_00, "rate_bps": 900}]}},
            {"when": {"categories": ["shoes", "boots"]}, "rate_bps": 1200},
            {"when": {"partner": str(cast.partner.id), "customer": "new"}, "rate_bps": 0},
            {"when": {"link": str(link.id), "customer_months_max": 12}, "fixed_minor": 300},
            {"when": {"group": "gold", "kind": "lead"}, "fixed_minor": 250},
        ],
        "base": {"with_tax": True},
        "caps": {"order_minor": 50_00, "day_orders": 9},
        "bonuses": [{"orders": 1, "amount_minor": 5_00}, {"orders": 100, "amount_minor": 250_00}],
        "recruiter_bps": 500,
    }  # fmt: skip
    assert made.terms == expected
    page = mara.get(f"/console/casa/plans/{public('pln', made)}")
    for sentence in (
        "€2.50 an order for lead for partners in group gold.",
        "Nothing for partner Slow Kitchen from new customers.",
        "12\u00a0% of the base for category shoes, boots.",
        "At most €50.00 an order.",
        "Bonus for sale number 100: €250.00.",
    ):
        assert sentence in text_of(page)
    named = Named({("partner", "Slow Kitchen"): cast.partner.id, ("link", "autumn"): link.id})
    with app.test_request_context():
        again = PlanForm(formdata=None, data=shown(expected, name="Autumn", currency="EUR", names=named.names))
        assert documents.clean(again.document(currency="EUR", named=named) or {}) == expected


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"rate": "a lot"}, "Write a percentage"),
        ({"rate": "101"}, "Give a percentage from 0 to 100."),
        ({"rate": ""}, "Say what is paid"),
        ({"name": ""}, "Give the plan a name"),
        (row(0, who="partner", who_named="Nobody", rate="1"), "There is none of this name in the program."),
        (row(0, what="skus", rate="1"), "Name at least one."),
        (row(0, rate="1"), "Two rules are equally specific"),
        ({"milestone_bonus": "5"}, "Write a whole number"),
        (
            {"steps-0-above": "10", "steps-0-rate": "9", "steps-1-above": "5", "steps-1-rate": "9"},
            "Each step must begin",
        ),
        ({"counts": "moons"}, "Not a valid choice"),
    ],
)
def test_a_wrong_draft_is_said_at_its_field(cast: Cast, mara: FlaskClient, form: dict[str, str], told: str) -> None:
    response = draft(mara, **form)
    assert response.status_code == 422
    assert told in text_of(response)
    assert stored(cast) == []


def test_more_exceptions_are_a_button_away_and_lose_nothing(cast: Cast, mara: FlaskClient) -> None:
    page = draft(mara, more="1", **row(0, what="skus", what_named="boot", rate="1"))
    assert 'name="rules-3-rate"' in page.text
    assert 'value="boot"' in page.text
    assert stored(cast) == []


def test_examples_block_a_plan_that_breaks_them_and_say_how(cast: Cast, mara: FlaskClient) -> None:
    example = {"name": "Shoes", "amount": "100", "items": "shoes 60; shirts 40", "customer": "", "expected": "10"}
    page = text_of(mara.post("/console/casa/plans/examples", data=example, follow_redirects=True))
    assert "Example saved" in page
    draft(mara)
    [made] = stored(cast)
    refused = publish(mara, made)
    assert refused.status_code == 422
    assert "This plan breaks a saved example." in text_of(refused)
    assert "Pays €7.50, must pay €10.00." in text_of(refused)
    draft(mara, public("pln", made), rate="10")
    assert "counts for orders from" in text_of(publish(mara, made))


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"name": ""}, "Give the example a name"),
        ({"expected": ""}, "This is needed."),
        ({"amount": "lots"}, "Write an amount"),
        ({"items": "shoes"}, "Write an amount"),
    ],
)
def test_a_wrong_example_is_said_at_its_field(cast: Cast, mara: FlaskClient, form: dict[str, str], told: str) -> None:
    example = {"name": "Shoes", "amount": "100", "items": "", "customer": "", "expected": "10"}
    response = mara.post("/console/casa/plans/examples", data=example | form)
    assert response.status_code == 422
    assert told in text_of(response)


def test_a_plan_does_not_reach_back_over_orders_that_have_their_commission(cast: Cast, mara: FlaskClient) -> None:
    cast.sale("1")
    draft(mara)
    response = publish(mara, stored(cast)[0], days=-2)
    assert response.status_code == 422
    assert "Orders since then already have their commission." in text_of(response)


def test_a_published_plan_is_copied_not_changed(cast: Cast, mara: FlaskClient) -> None:
    draft(mara)
    [made] = stored(cast)
    publish(mara, made)
    late = draft(mara, public("pln", made), rate="9.25")
    assert (late.status_code, "This plan is published and stays as it is." in text_of(late)) == (409, True)
    assert 'value="9.25"' in late.text  # what was typed stays, and can become another draft
    assert 'action="/console/casa/plans/new"' in late.text
    copy = mara.get(f"/console/casa/plans/new?copy={public('pln', made)}")
    assert 'value="7.5"' in copy.text
    draft(mara, name="Other")
    other = next(one for one in stored(cast) if one.name == "Other")
    gone = mara.post(f"/console/casa/plans/{public('pln', other)}/discard", follow_redirects=True)
    assert "The draft is gone." in text_of(gone)
    assert mara.get(f"/console/casa/plans/{public('pln', other)}").status_code == 404


def test_another_programs_plan_is_not_here(cast: Cast, mara: FlaskClient) -> None:
    theirs = make_plan(cast.session, program=cast.other)
    cast.session.commit()
    assert mara.get(f"/console/casa/plans/{public('pln', theirs)}").status_code == 404
