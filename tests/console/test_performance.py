"""Performance of a program: every table adds up to the same, ROI is right, and only its own people see it."""

import csv
import io
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from console_cast import Cast, text_of
from factories import (
    make_attribution,
    make_click,
    make_clicks,
    make_commission,
    make_conversion,
    make_link,
    make_partner,
)
from flask.testing import FlaskClient

from affiliate import clock
from affiliate.attribution.models import ChannelLoss, Credit
from affiliate.ingest.models import ClickVerdict
from affiliate.partners.models import Partner


@pytest.fixture
def hour() -> datetime:
    return clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=3)


@pytest.fixture
def busy(cast: Cast, hour: datetime) -> Cast:
    """Two partners with clicks of three places, a sale each, and another program's beside."""
    session = cast.session
    for name, clicks, earned in (("Anna’s Table", 60, 20_00), ("Bread & Co", 40, 5_00)):
        partner = make_partner(session, program=cast.program, name=name)
        link = make_link(session, program=cast.program, partner=partner)
        make_clicks(session, link=link, hour=hour, clicks=clicks)
        make_clicks(session, link=link, hour=hour, clicks=5, verdict=ClickVerdict.DUPLICATE)
        sold = make_commission(
            session, program=cast.program, partner=partner, link=link, earned_at=hour, amount_minor=earned
        )
        click = make_click(session, link=link, occurred_at=hour, country="IT", referrer_host="blog.example")
        session.get_one(Credit, sold.credit_id).click_id = click.id
    elsewhere = make_partner(session, program=cast.other, name="Elsewhere")
    make_clicks(session, link=make_link(session, program=cast.other, partner=elsewhere), hour=hour, clicks=1_000)
    session.commit()
    return cast


def _table(browser: FlaskClient, query: str) -> list[dict[str, str]]:
    answer = browser.get(f"/console/casa/performance.csv?{query}")
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


@pytest.mark.parametrize("by", ["partner", "day", "country", "source"])
def test_every_table_adds_up_to_the_same(mara: FlaskClient, busy: Cast, by: str) -> None:
    rows = _table(mara, f"by={by}")
    sums = [
        sum(float(row[name] or 0) for row in rows) for name in ("clicks_raw", "clicks_valid", "conversions", "revenue")
    ]
    assert sums == [110, 100, 2, 200.0]


def test_roi_is_what_came_in_over_what_was_paid(mara: FlaskClient, busy: Cast) -> None:
    best, other = _table(mara, "by=partner&order=-roi")
    assert (best["revenue"], best["earnings"], best["roi_bps"]) == ("100.00", "5.00", "190000")
    assert (other["revenue"], other["earnings"], other["roi_bps"]) == ("100.00", "20.00", "40000")
    assert "1,900" in text_of(mara.get("/console/casa/performance"))


def test_sales_stand_where_their_click_came_from(mara: FlaskClient, busy: Cast) -> None:
    assert {row["country"]: row["conversions"] for row in _table(mara, "by=country")} == {"": "0", "IT": "2"}
    assert "Italy" in mara.get("/console/casa/performance?by=country").text
    assert {row["source"]: row["conversions"] for row in _table(mara, "by=source")} == {"": "0", "blog.example": "2"}


def test_a_wrong_period_is_named(mara: FlaskClient, busy: Cast) -> None:
    assert "Choose a first and a last day" in mara.get("/console/casa/performance?first=x&last=y").text


def test_an_empty_program_is_taught(mara: FlaskClient, cast: Cast) -> None:
    assert (
        "Nothing happened in these days" in mara.get("/console/casa/performance?first=2020-01-01&last=2020-01-02").text
    )


def test_what_other_channels_took_is_told_by_partner_and_adds_up(mara: FlaskClient, busy: Cast, hour: datetime) -> None:
    assert "No order was lost" in text_of(mara.get("/console/casa/performance/channels"))
    anna = busy.session.scalars(sa.select(Partner).where(Partner.name == "Anna’s Table")).one()
    for number in range(3):
        order = make_conversion(busy.session, program=busy.program, order_id=f"L-{number}", occurred_at=hour)
        order.is_test = number == 2  # never counts
        outcome = make_attribution(busy.session, conversion=order, partner=None)
        busy.session.add(ChannelLoss(attribution_id=outcome.id, partner_id=anna.id, channel="google"))
    busy.session.commit()
    page = text_of(mara.get("/console/casa/performance/channels"))
    assert "66.67\u00a0%" in page
    assert "Bread & Co" not in page  # lost nothing
    rows = list(
        csv.DictReader(io.StringIO(mara.get("/console/casa/performance/channels.csv").text.removeprefix("\ufeff")))
    )
    assert [(row["name"], row["orders_lost"], row["orders_kept"], row["lost_share_bps"]) for row in rows] == [
        ("Anna’s Table", "2", "1", "6667")
    ]
    assert mara.get("/console/casa/performance/channels?first=x").status_code == 200
