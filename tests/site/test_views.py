"""The public pages: programs, a worked sale by the real plan, the application."""

import pytest
import sqlalchemy as sa
from accounts_cast import make_person, sign_in
from factories import make_partner, make_plan, make_program, make_user
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from affiliate.commissions.terms import simple
from affiliate.mailer import OutboxMail
from affiliate.partners.models import Application, Enrollment, EnrollmentStatus
from affiliate.programs.models import Program, ProgramStatus

FORM = {
    "name": "Marta S.",
    "email": "marta@kitchen.example",
    "partner_name": "Marta's Slow Kitchen",
    "website": "kitchen.example",
    "country": "IT",
    "channels": "newsletter, 2,400 readers",
    "why": "I cook with it.",
    "terms": "y",
}


@pytest.fixture
def program(app_session: Session) -> Program:
    program = make_program(
        app_session, name="Casa Ondera", slug="casa-ondera", payout_min_minor=25_00, terms="One.\n\nTwo."
    )
    make_plan(app_session, program=program, rate_bps=800)
    app_session.commit()
    return program


def _count(session: Session, table: type) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


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


@pytest.mark.parametrize("path", ["/p/nothing", "/apply/nothing", "/p/draft", "/apply/draft", "/apply/draft/thanks"])
def test_a_program_that_is_not_open_is_not_found(client: FlaskClient, app_session: Session, path: str) -> None:
    make_program(app_session, slug="draft", status=ProgramStatus.DRAFT)
    app_session.commit()
    assert client.get(path).status_code == 404


def test_an_application_is_taken_and_answered_with_thanks(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    answer = client.post("/apply/casa-ondera", data=FORM)
    assert (answer.status_code, answer.location) == (303, "/apply/casa-ondera/thanks")
    application = app_session.scalars(sa.select(Application)).one()
    assert application.answers["website"] == "https://kitchen.example"
    assert application.answers["channels"] == "newsletter, 2,400 readers"
    assert application.answers["terms_accepted_at"]
    assert "has your application" in client.get(answer.location).text


def test_the_answer_is_the_same_for_an_address_that_has_an_account(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    make_user(app_session, email="known@kitchen.example")
    app_session.commit()
    fresh = client.post("/apply/casa-ondera", data=FORM)
    known = client.post("/apply/casa-ondera", data=FORM | {"email": "Known@kitchen.example"})
    assert (known.status_code, known.location, known.data) == (fresh.status_code, fresh.location, fresh.data)
    assert _count(app_session, Enrollment) == 1
    assert _count(app_session, OutboxMail) == 2


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("email", "marta@"),
        ("email", ""),
        ("website", "https://a b"),
        ("website", ""),
        ("country", "XX"),
        ("country", ""),
        ("name", "  "),
        ("channels", ""),
        ("terms", ""),
        ("partner_name", "x" * 121),
    ],
)
def test_a_wrong_field_is_named_and_what_was_typed_stays(
    client: FlaskClient, app_session: Session, program: Program, field: str, typed: str
) -> None:
    answer = client.post(
        "/apply/casa-ondera", data={key: value for key, value in (FORM | {field: typed}).items() if value}
    )
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert f'href="#{field}"' in answer.text
    if field != "channels":
        assert "newsletter, 2,400 readers</textarea>" in answer.text
    assert _count(app_session, Application) == 0


def test_hostile_text_stays_text(client: FlaskClient, program: Program) -> None:
    answer = client.post("/apply/casa-ondera", data=FORM | {"name": "<script>alert(1)</script>\x07", "terms": ""})
    assert "<script>alert(1)" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text


def test_control_characters_are_not_stored(client: FlaskClient, app_session: Session, program: Program) -> None:
    client.post("/apply/casa-ondera", data=FORM | {"partner_name": "Slow\x07 Kitchen\u202e", "why": "a\x07b\r\nc"})
    application = app_session.scalars(sa.select(Application)).one()
    assert (application.answers["partner_name"], application.answers["why"]) == ("Slow Kitchen", "ab\nc")


def test_without_its_token_the_form_is_refused(app: Flask, program: Program) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    assert app.test_client().post("/apply/casa-ondera", data=FORM).status_code == 400


def test_search_engines_are_kept_out_of_private_pages(client: FlaskClient) -> None:
    robots = client.get("/robots.txt").text
    assert "Disallow: /portal/" in robots
    assert "Disallow: /p/" not in robots


def test_a_signed_in_person_applies_with_what_is_known(
    client: FlaskClient, app_session: Session, program: Program
) -> None:
    person = make_person(app_session, "Marta")
    partner = make_partner(app_session, user=person, name="Slow Kitchen")
    app_session.commit()
    sign_in(client, person)
    page = client.get("/apply/casa-ondera").text
    assert 'value="Slow Kitchen"' in page
    assert 'name="email"' not in page
    form = {key: value for key, value in FORM.items() if key not in {"name", "email"}}
    assert client.post("/apply/casa-ondera", data=form).status_code == 303
    [enrollment] = app_session.scalars(sa.select(Enrollment)).all()
    assert enrollment.partner_id == partner.id


@pytest.mark.parametrize("status", list(EnrollmentStatus))
def test_who_has_applied_already_is_led_on(
    client: FlaskClient, app_session: Session, program: Program, status: EnrollmentStatus
) -> None:
    person = make_person(app_session, "Marta")
    make_partner(app_session, program=program, user=person, status=status)
    app_session.execute(sa.update(Enrollment).values(reason="No site yet."))
    app_session.commit()
    sign_in(client, person)
    answer = client.get("/apply/casa-ondera")
    if status in {EnrollmentStatus.REJECTED, EnrollmentStatus.BANNED}:
        assert "Reason: No site yet." in answer.text
    else:
        assert (answer.status_code, answer.location) == (303, "/portal/casa-ondera/")


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
