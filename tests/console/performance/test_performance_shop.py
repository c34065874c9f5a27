"""Partners beside the shop: the share, the table that brings the totals, and who may send it."""

import csv
import io
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from console_cast import Cast, text_of
from factories import make_clicks, make_commission, make_link
from flask.testing import FlaskClient

from affiliate import clock
from affiliate.accounts.models import AuditEvent
from affiliate.reports.models import ShopDay

ADDRESS = "/console/casa/performance/shop"


@pytest.fixture
def day(cast: Cast) -> datetime:
    """A day with 20 valid clicks and two sales of 100.00."""
    noon = clock.now().replace(hour=10, minute=0, second=0, microsecond=0) - timedelta(days=2)
    make_clicks(
        cast.session, link=make_link(cast.session, program=cast.program, partner=cast.partner), hour=noon, clicks=20
    )
    for _number in range(2):
        make_commission(cast.session, program=cast.program, partner=cast.partner, earned_at=noon)
    cast.session.commit()
    return noon


def _send(browser: FlaskClient, *rows: str) -> tuple[int, str]:
    table = io.BytesIO("\n".join(["day;orders;revenue;visitors;costs", *rows]).encode())
    answer = browser.post(ADDRESS, data={"table": (table, "totals.csv")})
    return answer.status_code, text_of(answer)


def test_a_table_brings_the_totals_and_the_page_holds_both_sides_together(
    mara: FlaskClient, finn: FlaskClient, cast: Cast, day: datetime
) -> None:
    assert "told no totals" in text_of(finn.get(ADDRESS))
    status, page = _send(
        mara, f"{day.date()};10;1,000.00;220;600", f"{day.date()};1;1;;", "soon;1;1;;", "2026-01-01;x;1;;"
    )
    assert (status, "1 new, 0 replaced, 0 known already, 3 refused" in page) == (200, True)
    assert "stands in the table twice" in page
    page = text_of(finn.get(ADDRESS))
    assert "Partners brought 20\u00a0% of the shop's revenue: €200.00 of €1,000.00." in page
    assert "10\u00a0%" in page  # 2 of 20 by partners
    assert "4\u00a0%" in page  # 8 of 200 without
    assert "40\u00a0%" in page  # the margin
    (row,) = csv.DictReader(io.StringIO(mara.get(f"{ADDRESS}.csv").text.removeprefix("\ufeff")))
    assert (row["orders"], row["revenue"], row["partner_orders"], row["partner_revenue"]) == (
        "10",
        "1000.00",
        "2",
        "200.00",
    )


def test_the_same_table_again_changes_nothing_and_another_replaces(
    mara: FlaskClient, cast: Cast, day: datetime
) -> None:
    _send(mara, f"{day.date()};10;1000;;")
    assert "0 replaced, 1 known already" in _send(mara, f"{day.date()};10;1000;;")[1]
    assert "1 replaced" in _send(mara, f"{day.date()};1;1000;;")[1]
    assert "its totals of these days are not complete" in text_of(mara.get(ADDRESS))  # partners alone had two
    cast.session.expire_all()
    assert cast.session.scalars(sa.select(ShopDay.orders)).all() == [1]
    acts = sa.select(sa.func.count()).select_from(AuditEvent).where(AuditEvent.action == "shop_totals.tell")
    assert cast.session.scalar(acts) == 2


def test_only_managers_send_totals(finn: FlaskClient, cast: Cast, day: datetime) -> None:
    assert _send(finn, f"{day.date()};10;1000;;")[0] == 404
    assert cast.session.scalars(sa.select(ShopDay)).all() == []


def test_what_is_no_table_is_said_at_the_field(mara: FlaskClient, cast: Cast) -> None:
    answer = mara.post(ADDRESS, data={"table": (io.BytesIO(b"a;b\n1;2"), "x.csv")})
    assert (answer.status_code, "has no column" in text_of(answer)) == (422, True)
    assert "Choose a file first" in text_of(mara.post(ADDRESS, data={}))
