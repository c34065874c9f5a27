"""The public pages: programs, a worked sale by the real plan."""

import pytest
from factories import make_plan, make_program
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from affiliate.commissions.terms import simple
from affiliate.programs.models import Program, ProgramStatus


@pytest.fixture
def program(app_session: Session) -> Program:
    program = make_program(
        app_session, name="Casa Ondera", slug="casa-ondera", payout_min_minor=25_00, terms="One.\n\nTwo."
    )
    make_plan(app_session, program=program, rate_bps=800)
    app_session.commit()
    return program


def test_the_home_page_lists_live_programs_and_no_others(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    make_program(app_session, name="A draft", status=ProgramStatus.DRAFT)
    app_session.commit()
    page = client.get("/").text
    assert 'href="/p/casa-ondera"' in page
    assert "8\u00a0% for a sale" in page
    assert "A draft" not in page


def test_the_home_page_without_programs_says_what_will_stand_there(client: FlaskClient) -> None:
    assert "No program is open yet" in client.get("/").text


def test_the_home_page_asks_as_often_for_many_programs_as_for_one(
    client: FlaskClient, app_session: Session, program: Program, count_queries: object
) -> None:
    with count_queries() as one:  # type: ignore[operator]
        client.get("/")
    for _ in range(5):
        make_plan(app_session, program=make_program(app_session))
    app_session.commit()
    with count_queries() as many:  # type: ignore[operator]
        client.get("/")
    assert len(many) == len(one)


def test_a_program_shows_a_sale_computed_by_its_plan(client: FlaskClient, program: Program) -> None:
    page = client.get("/p/casa-ondera").text
    assert "€105.74" in page  # 129.00 without 22 % of tax
    assert '<span class="closed money">€8.46</span>' in page
    assert "Paid from" in page
    assert "€25.00" in page
    assert "<p>Two.</p>" in page


def test_a_fixed_plan_is_shown_as_what_one_sale_pays(client: FlaskClient, app_session: Session) -> None:
    program = make_program(app_session, slug="fixed")
    make_plan(app_session, program=program, terms=simple(fixed_minor=5_00))
    app_session.commit()
    assert '<span class="closed money">€5.00</span>' in client.get("/p/fixed").text


def test_a_program_without_a_plan_still_has_its_page(client: FlaskClient, app_session: Session) -> None:
    make_program(app_session, slug="new")
    app_session.commit()
    assert client.get("/p/new").status_code == 200


@pytest.mark.parametrize("path", ["/p/nothing", "/apply/nothing", "/p/draft", "/apply/draft", "/apply/draft/status/x"])
def test_a_program_that_is_not_open_is_not_found(client: FlaskClient, app_session: Session, path: str) -> None:
    make_program(app_session, slug="draft", status=ProgramStatus.DRAFT)
    app_session.commit()
    assert client.get(path).status_code == 404


def test_search_engines_are_kept_out_of_private_pages(client: FlaskClient) -> None:
    robots = client.get("/robots.txt").text
    assert "Disallow: /portal/" in robots
    assert "Disallow: /p/" not in robots


def test_a_programs_own_colour_comes_as_a_style_sheet_of_ours(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    assert "accent.css" not in client.get("/p/casa-ondera").text
    program.accent = "#7a1f3d"
    app_session.commit()
    assert 'href="/p/casa-ondera/accent.css?v=7a1f3d"' in client.get("/p/casa-ondera").text
    answer = client.get("/p/casa-ondera/accent.css")
    assert (answer.mimetype, "#7a1f3d" in answer.text) == ("text/css", True)
    assert client.get("/p/nobodys/accent.css").status_code == 404
