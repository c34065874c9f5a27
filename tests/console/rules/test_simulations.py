"""The simulator in the console: asked for, followed, read as a table and as a file."""

from datetime import timedelta

from console_cast import Cast, public, text_of
from factories import make_plan
from flask.testing import FlaskClient

from affiliate import clock
from affiliate.commissions import jobs
from affiliate.commissions.terms import simple


def test_a_draft_is_tried_on_the_past_and_the_page_follows(cast: Cast, mara: FlaskClient) -> None:
    cast.sale("1", days_ago=3)
    draft = make_plan(
        cast.session, program=cast.program, name="Bold", terms=simple(rate_bps=20_00), effective_from=None, published_at=None
    )  # fmt: skip
    cast.session.commit()
    today = clock.now().date()
    days = {"starts_on": (today - timedelta(days=9)).isoformat(), "ends_on": today.isoformat()}
    address = f"/console/casa/plans/{public('pln', draft)}"
    page = mara.post(f"{address}/simulate", data=days, follow_redirects=True)
    assert "This page renews itself." in text_of(page)
    assert "data-renews" in page.text
    while jobs.simulate():
        pass
    told = text_of(mara.get(page.request.path))
    assert "This page renews itself." not in told
    assert "Slow Kitchen" in told
    assert "€20.00" in told
    assert "€80.00" in told
    assert "As it was €90.00" in told  # of a base of 100.00
    assert "Slow Kitchen,1,10.00,20.00,10.00,EUR" in mara.get(f"{page.request.path}.csv").text
    assert page.request.path in mara.get(address).text
    refused = mara.post(f"{address}/simulate", data=days | {"starts_on": "2099-01-01"})
    assert refused.status_code == 422
    assert "The period ends before it begins." in text_of(refused)
