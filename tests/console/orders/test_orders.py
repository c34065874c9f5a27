"""Orders: their state, who is credited and why, and everything that happened to one."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from console_cast import Cast, text_of
from factories import make_attribution, make_click, make_conversion, make_link, make_order_event, make_refund
from flask.testing import FlaskClient

from affiliate import clock, ids
from affiliate.ingest.models import Conversion, ConversionRevision, OrderEventType


@pytest.fixture
def orders(cast: Cast) -> Cast:
    """One order of each state."""
    now = clock.now()
    cast.sale("credited")
    nobodys = make_conversion(cast.session, program=cast.program, order_id="nobodys", occurred_at=now)
    make_attribution(cast.session, conversion=nobodys, partner=None)
    make_conversion(cast.session, program=cast.program, order_id="waiting", occurred_at=now)
    unsure = make_conversion(cast.session, program=cast.program, order_id="unsure", occurred_at=now, trust=1)
    make_attribution(cast.session, conversion=unsure, partner=cast.partner)
    trial = make_conversion(cast.session, program=cast.program, order_id="trial", occurred_at=now, is_test=True)
    make_attribution(cast.session, conversion=trial, partner=None)
    make_conversion(cast.session, program=cast.other, order_id="foreign", occurred_at=now)
    cast.session.commit()
    return cast


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"credited", "nobodys", "waiting", "unsure", "trial"}),
        ("?state=credited", {"credited", "unsure"}),
        ("?state=uncredited", {"nobodys"}),
        ("?state=waiting", {"waiting"}),
        ("?state=unverified", {"unsure"}),
        ("?state=test", {"trial"}),
        ("?order=nobodys", {"nobodys"}),
        ("?order=foreign", set()),
    ],
)
def test_the_list_is_narrowed_by_state_and_order(orders: Cast, mara: FlaskClient, query: str, shown: set[str]) -> None:
    page = mara.get(f"/console/casa/conversions{query}").text
    everything = ("credited", "nobodys", "waiting", "unsure", "trial", "foreign")
    assert {order for order in everything if f">{order}</a>" in page} == shown


def test_each_order_says_its_state_and_its_partner(orders: Cast, mara: FlaskClient) -> None:
    page = text_of(mara.get("/console/casa/conversions"))
    for word in (
        "Being attributed",
        "Being verified",
        "Without a partner",
        "No partner brought this customer.",
        "Slow Kitchen",
    ):
        assert word in page


def test_the_file_of_orders_says_what_the_list_says(orders: Cast, mara: FlaskClient) -> None:
    lines = mara.get("/console/casa/conversions.csv?state=unverified").text.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("unsure,cnv_")
    assert lines[1].endswith(",100.00,EUR,api,no,no,unverified,Slow Kitchen")


def test_an_order_shows_every_contact_with_its_verdict(cast: Cast, mara: FlaskClient) -> None:
    now = clock.now()
    link = make_link(cast.session, program=cast.program, partner=cast.partner, name="Sunday ragù")
    click = make_click(cast.session, link=link, occurred_at=now - timedelta(days=2))
    conversion = make_conversion(
        cast.session, program=cast.program, order_id="10482", occurred_at=now, click_id=click.id
    )
    touch = {"kind": "click", "code": None, "partner_id": str(cast.partner.id), "link_id": str(link.id)}
    touches = [
        touch
        | {
            "id": str(ids.new()),
            "at": (now - timedelta(days=40)).isoformat(),
            "recognised_by": "visitor",
            "outcome": "refused",
            "reason": "outside_window",
        },
        touch
        | {
            "id": str(click.id),
            "at": click.occurred_at.isoformat(),
            "recognised_by": "click_id",
            "outcome": "credited",
            "reason": None,
        },
    ]
    trace = {
        "model": "last_click",
        "policy_version": 1,
        "window_days": 30,
        "ladder": [],
        "touches": touches,
        "credits": [],
    }
    make_attribution(cast.session, conversion=conversion, partner=cast.partner, link=link, trace=trace)
    cast.session.commit()
    page = text_of(mara.get(f"/console/casa/conversions/{ids.public('cnv', conversion.id)}"))
    assert "Slow Kitchen brought this customer." in page
    assert "Click on Sunday ragù, Slow Kitchen" in page
    assert "Outside the window: 40 days before the order, 30 days count." in page
    assert "Accepted, takes the sale" in page


def test_an_order_tells_what_happened_to_it_in_order(cast: Cast, mara: FlaskClient) -> None:
    commission = cast.sale("10482", days_ago=3)
    conversion = cast.session.get_one(Conversion, commission.conversion_id)
    moment = clock.now()
    revision = ConversionRevision(
        id=ids.new(), conversion_id=conversion.id, delivery_id=ids.new(), revision=1, trust=1, facts={},
        differences={"amount_minor": [90_00, 100_00]}, replaced_at=moment - timedelta(days=2),
    )  # fmt: skip
    cast.session.add(revision)
    make_order_event(
        cast.session, conversion=conversion, type=OrderEventType.SHIPPED, occurred_at=moment - timedelta(days=1)
    )
    make_refund(cast.session, conversion=conversion, amount_minor=40_00, reason="Broken lid", occurred_at=moment)
    make_refund(cast.session, conversion=conversion, amount_minor=1_00, reason="returned", occurred_at=moment)
    cast.books.work()
    cast.settle()
    page = text_of(mara.get(f"/console/casa/conversions/{ids.public('cnv', conversion.id)}"))
    said = [
        "Arrived here",
        "Amount: €90.00 → €100.00",
        "Shipped",
        "Refund of €40.00",
        "“Broken lid”",
        "The order came back",
        "€4.00 of commission reversed",
    ]
    assert [text for text in said if text in page] == said
    places = [page.index(text) for text in said[:4]]
    assert places == sorted(places)
    assert "€5.90" in page


def test_an_order_without_a_partner_says_why(orders: Cast, mara: FlaskClient) -> None:
    listed = mara.get("/console/casa/conversions?order=nobodys").text
    address = listed.split('href="/console/casa/conversions/cnv_')[1][:26]
    page = text_of(mara.get(f"/console/casa/conversions/cnv_{address}"))
    assert "No partner brought this customer." in page
    assert "Nobody earns commission on this order." in page


def test_an_order_that_nobody_confirmed_is_verified_by_hand_with_a_reason(orders: Cast, mara: FlaskClient) -> None:
    unsure = orders.session.scalars(sa.select(Conversion).where(Conversion.order_id == "unsure")).one()
    address = f"/console/casa/conversions/{ids.public('cnv', unsure.id)}"
    orders.session.commit()  # SQLite has one writer at a time
    assert "Verify it by hand" in text_of(mara.get(address))
    assert "Say why" in text_of(mara.post(f"{address}/verify", data={"reason": ""}, follow_redirects=True))
    done = text_of(mara.post(f"{address}/verify", data={"reason": "Seen in the shop"}, follow_redirects=True))
    assert "Verified. The order is being decided again." in done
    assert "Verify it by hand" not in done
    assert "verified an order by hand" in text_of(mara.get("/console/casa/history"))


def test_a_refund_without_a_rate_is_shown_and_settled_by_hand(cast: Cast, mara: FlaskClient) -> None:
    conversion = cast.session.get_one(Conversion, cast.sale("10482", days_ago=3).conversion_id)
    refund = make_refund(cast.session, conversion=conversion, amount_minor=55_00, currency="XAU")
    cast.books.work()
    cast.settle()
    cast.session.commit()
    address = f"/console/casa/conversions/{ids.public('cnv', conversion.id)}"
    assert "wait to be settled" in text_of(mara.get("/console/casa/conversions"))
    assert "No exchange rate is known: nothing was taken for it yet." in text_of(mara.get(address))
    form = {"amount": "fifty", "currency": "EUR", "reason": "Bank slip 17"}
    act = f"{address}/refunds/{ids.public('ref', refund.id)}"
    assert "Write an amount" in text_of(mara.post(act, data=form, follow_redirects=True))
    done = text_of(mara.post(act, data=form | {"amount": "50.00"}, follow_redirects=True))
    assert "Settled by hand as €50.00." in done
    assert "wait to be settled" not in text_of(mara.get("/console/casa/conversions"))
    assert mara.post(act, data=form | {"amount": "50.00"}).status_code == 409
    assert "settled a refund by hand" in text_of(mara.get("/console/casa/history"))
