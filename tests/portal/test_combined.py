"""Combined reports on the page: chosen, counted while one watches, stopped, sorted, fetched as files; nobody else's."""

import io
import zipfile
from datetime import timedelta

import pytest
from accounts_cast import give, make_person, sign_in
from factories import make_click, make_clicks
from flask import Flask
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate import clock, ids
from affiliate.accounts.models import GrantRole
from affiliate.reports import combining, jobs

PAGE = "/portal/casa/statistics"


@pytest.fixture
def asked(app_session: Session, marta: FlaskClient, cast: Cast) -> str:
    """The address of a report of links and sub ids that nobody has counted yet."""
    for number, sub in enumerate(["reel", "reel", "=post"]):
        make_click(
            app_session, link=cast.link, subs={"sub1": sub}, occurred_at=clock.now() - timedelta(hours=number + 30)
        )
    app_session.commit()
    today = clock.now().date()
    form = {"first": (today - timedelta(days=6)).isoformat(), "last": today.isoformat(), "thing": ["link", "sub"]}
    answer = marta.post(f"{PAGE}/combined", data=form)
    assert answer.status_code == 303
    return str(answer.location)


def test_a_report_is_watched_stopped_and_goes_on(marta: FlaskClient, asked: str) -> None:
    page = marta.get(asked).text
    assert "Link × Sub id" in page
    assert "0 of 7 days" in page
    assert 'data-renews="3"' in page
    assert "Stopped" in marta.post(f"{asked}/stop", follow_redirects=True).text
    jobs.combine()
    assert "0 of 7 days" in marta.get(asked).text
    marta.post(f"{asked}/resume")
    while jobs.combine():
        pass
    page = marta.get(asked).text
    assert ("of 7 days" in page, "data-renews" in page, ">reel</td>" in page) == (False, False, True)
    assert "Link × Sub id" in marta.get(PAGE).text


def test_any_sub_id_can_be_chosen_where_the_page_of_the_first_points(
    app_session: Session, marta: FlaskClient, cast: Cast
) -> None:
    at = clock.now() - timedelta(hours=30)
    make_click(app_session, link=cast.link, subs={"sub1": "reel", "sub7": "=knives"}, occurred_at=at)
    make_clicks(app_session, link=cast.link, hour=at.replace(minute=0, second=0, microsecond=0), clicks=1, sub="reel")
    app_session.commit()
    by_sub, of_link = (marta.get(f"{address}?by=sub").text for address in (PAGE, ragu(cast)))
    assert 'href="#combine-h">Combine counts sub2 to sub10' in by_sub
    assert "Products are not among them" in by_sub
    assert f"{PAGE}?first=" in of_link.partition("Here is sub1 of each click.")[2][:80]
    assert "Here is sub1" not in marta.get(PAGE).text
    assert by_sub.count('name="thing" value="sub') == 10
    today = clock.now().date()
    form = {"first": (today - timedelta(days=6)).isoformat(), "last": today.isoformat(), "thing": ["sub7", "sub"]}
    made = str(marta.post(f"{PAGE}/combined", data=form).location)
    while jobs.combine():
        pass
    page = marta.get(made).text
    assert ("Sub id 1 × Sub id 7" in page, ">=knives</td>" in page) == (True, True)
    head, row = marta.get(f"{made}.csv").text.splitlines()
    assert (head.split(",")[:3], row.split(",")[:3]) == (["\ufeffsub", "sub7", "clicks_raw"], ["reel", "'=knives", "1"])
    assert marta.get(f"{PAGE}?by=sub7").text.count('aria-label="By day"') == 1  # no rollup counts by it


def ragu(cast: Cast) -> str:
    """The page of the link."""
    return f"/portal/casa/links/{ids.public('lnk', cast.link.id)}"


def test_rows_are_sorted_and_fetched_as_files_without_formulas(marta: FlaskClient, asked: str) -> None:
    while jobs.combine():
        pass
    pages = [marta.get(f"{asked}?sort={order}").text for order in ("-clicks_raw", "clicks_raw", "password")]
    assert [page.index(">reel</td>") < page.index(">=post</td>") for page in pages] == [True, False, True]
    lines = marta.get(f"{asked}.csv").text.splitlines()
    assert lines[0].startswith("\ufefflink,sub,clicks_raw,clicks_valid,conversions,")
    assert [line.split(",")[:4] for line in lines[1:]] == [
        ["/r/ragu", "reel", "2", "2"],
        ["/r/ragu", "'=post", "1", "1"],
    ]
    book = marta.get(f"{asked}.xlsx")
    assert "xl/worksheets/sheet1.xml" in zipfile.ZipFile(io.BytesIO(book.data)).namelist()
    assert marta.get(f"{asked}.pdf").status_code == 404


@pytest.mark.parametrize(
    ("things", "first", "said"),
    [
        (["link"], "2026-11-01", "Choose 2 to 4 things to combine."),
        (["link", "product"], "2026-11-01", "Choose 2 to 4 things to combine."),
        (["link", "sub"], "yesterday", "Choose a first and a last day"),
        (["link", "sub"], "0001-01-01", "Choose a first and a last day"),
    ],
)
def test_what_cannot_be_asked_is_said_on_the_page(
    marta: FlaskClient, cast: Cast, things: list[str], first: str, said: str
) -> None:
    assert cast.program.slug == "casa"
    form = {"first": first, "last": "2026-11-05", "thing": things}
    assert said in marta.post(f"{PAGE}/combined", data=form, follow_redirects=True).text


def test_days_whose_clicks_are_gone_and_a_second_report_are_refused(marta: FlaskClient, asked: str) -> None:
    assert asked
    gone = combining.kept_since(now=clock.now(), zone="Europe/Rome") - timedelta(days=1)
    form = {"first": gone.isoformat(), "last": gone.isoformat(), "thing": ["link", "sub"]}
    assert "Clicks are kept for 400 days" in marta.post(f"{PAGE}/combined", data=form, follow_redirects=True).text
    form["first"] = form["last"] = clock.now().date().isoformat()
    assert "is being counted" in marta.post(f"{PAGE}/combined", data=form, follow_redirects=True).text


def test_the_console_combines_the_whole_program_and_no_partner_reads_it(
    app: Flask, app_session: Session, marta: FlaskClient, asked: str, cast: Cast
) -> None:
    mara = make_person(app_session, "Mara")
    give(app_session, mara, GrantRole.MANAGER, cast.program)
    browser = app.test_client()
    sign_in(browser, mara)
    assert browser.get(asked.replace("portal", "console").replace("statistics", "performance")).status_code == 404
    today = clock.now().date()
    form = {"first": (today - timedelta(days=6)).isoformat(), "last": today.isoformat(), "thing": ["partner", "sub"]}
    made = browser.post("/console/casa/performance/combined", data=form)
    while jobs.combine():
        pass
    page = browser.get(made.location).text
    assert ("Slow Kitchen" in page, "Partner × Sub id" in page) == (True, True)
    assert "Partner × Sub id" in browser.get("/console/casa/performance").text
    mine = made.location.replace("console", "portal").replace("performance", "statistics")
    assert [marta.get(f"{mine}{end}").status_code for end in ("", ".csv")] == [404, 404]
    assert marta.post(f"{mine}/stop").status_code == 404
