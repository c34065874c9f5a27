"""New and returning customers by month: the page, and the same as a file."""

import csv
import io
import re
from datetime import datetime, timedelta

import pytest
from console_cast import Cast, main_of, text_of
from factories import make_commission
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from affiliate import clock
from affiliate.attribution.models import Attribution
from affiliate.ingest.models import Conversion
from affiliate.reports import grids, jobs

ADDRESS = "/console/casa/performance/customers"
FILE = "/console/casa/performance/customer-segments.csv"


def _order(cast: Cast, at: datetime, is_new: bool | None, **fields: int) -> None:
    sold = make_commission(cast.session, program=cast.program, partner=cast.partner, earned_at=at, **fields)
    cast.session.get_one(Attribution, sold.attribution_id).is_new_customer = is_new


def test_the_page_and_its_file_tell_both_kinds(mara: FlaskClient, cast: Cast, app_session: Session) -> None:
    assert "No order yet" in text_of(mara.get(ADDRESS))
    for is_new in (True, True, True, False, None):
        _order(cast, clock.now(), is_new)
    app_session.commit()
    assert "75\u00a0% of the orders whose customer is known came from new ones." in text_of(mara.get(ADDRESS))
    rows = list(csv.DictReader(io.StringIO(mara.get(f"{ADDRESS}.csv").text.removeprefix("\ufeff"))))
    assert [(row["customers"], row["conversions"], row["revenue"]) for row in rows[-3:]] == [
        ("new", "3", "300.00"),
        ("returning", "1", "100.00"),
        ("unknown", "1", "100.00"),
    ]


def test_what_was_counted_is_shown_with_its_moment_until_it_is_counted_again(
    mara: FlaskClient, cast: Cast, app_session: Session
) -> None:
    _order(cast, clock.now(), is_new=True)
    app_session.commit()
    assert jobs.count_customers()
    _order(cast, clock.now(), is_new=False)
    app_session.commit()
    page = text_of(mara.get(ADDRESS))
    assert "100\u00a0% of the orders whose customer is known came from new ones." in page
    assert ", once an hour." in page
    assert "returning,0," in mara.get(f"{ADDRESS}.csv").text.splitlines()[-2]


def test_segments_stand_on_the_page_and_in_their_file(mara: FlaskClient, cast: Cast, app_session: Session) -> None:
    cast.partner.channels = [{"kind": "blog", "address": "https://slow.example", "people": ""}]
    for days_ago, customer in ((1, "loyal"), (11, "loyal"), (31, "loyal"), (400, "gone"), (2, None)):
        at = clock.now() - timedelta(days=days_ago)
        sold = make_commission(cast.session, program=cast.program, partner=cast.partner, earned_at=at)
        cast.session.get_one(Conversion, sold.conversion_id).customer_id = customer
    app_session.commit()
    page = main_of(mara.get(ADDRESS)).partition('id="segments-h"')[2]
    places = re.findall(r'<th scope="row">([^<]*)</th><td class="num">(\d+)</td><td class="num">(\d+)</td>', page)
    assert places == [("Loyal", "1", "3"), ("Lapsed", "1", "1"), ("Blog", "2", "4"), ("All", "2", "4")]
    assert "15 days" in page
    rows = list(csv.DictReader(io.StringIO(mara.get(FILE).text.removeprefix("\ufeff"))))
    assert [row["segment"] for row in rows] == ["loyal", "lapsed", "all", "first:blog"]
    assert rows[0] == {
        "segment": "loyal", "customers": "1", "conversions": "3", "revenue": "300.00", "aov": "100.00",
        "reversal_rate_bps": "0", "earnings": "30.00", "days_between_orders": "15", "currency": "EUR",
    }  # fmt: skip
    assert mara.get(FILE.replace("csv", "xlsx")).status_code == 200


def test_orders_that_name_no_customer_are_in_no_segment_and_the_page_says_so(
    mara: FlaskClient, cast: Cast, app_session: Session
) -> None:
    _order(cast, clock.now(), is_new=True)
    app_session.commit()
    assert "No order names its customer yet" in text_of(mara.get(ADDRESS))
    assert jobs.count_segments()
    assert not jobs.count_segments()


@pytest.mark.parametrize("place", ["customers", "customers-by-first-order", "partners-by-month", "margin"])
def test_a_large_program_that_was_never_counted_says_so_instead_of_counting(
    mara: FlaskClient, cast: Cast, app_session: Session, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    _order(cast, clock.now(), is_new=True)
    app_session.commit()
    monkeypatch.setattr(grids, "SALES_READ_MAX", 0)
    address = f"/console/casa/performance/{place}"
    answer = mara.get(address)
    assert (answer.status_code, "This is being counted" in text_of(answer)) == (200, True)
    assert f"{place}.csv" not in answer.text
    assert mara.get(FILE).status_code == 503
    refused = mara.get(f"{address}.csv")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "300")
    while jobs.count_cohorts() + jobs.count_customers() + jobs.count_segments() + jobs.count_margins():
        pass
    assert "This is being counted" not in text_of(mara.get(address))
    assert mara.get(f"{address}.csv").status_code == 200
