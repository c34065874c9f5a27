"""A person's own account: a copy of it and its end, whatever the role; the partner's books and people stay."""

import csv
import io
import zipfile
from typing import Any

import pytest
import sqlalchemy as sa
from accounts_cast import give, is_signed_in, make_person, sign_in
from factories import make_commission, make_link, make_member, make_partner, make_program
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from affiliate import clock, files, ids, mailer, tables
from affiliate.accounts import audit
from affiliate.accounts.models import AuditEvent, GrantRole, User
from affiliate.commissions.models import Commission
from affiliate.files import File, StoredFile
from affiliate.joining import service as joining
from affiliate.joining.service import Origin
from affiliate.mailer import OutboxMail
from affiliate.partners.models import Enrollment, EnrollmentStatus, Member, MemberRole, Partner
from affiliate.privacy.models import ErasureRequest, ErasureStatus
from affiliate.reports.models import SavedReport

PAGE = "/account/data"
WORD = "Pentolaccia"


@pytest.fixture
def partner(app_session: Session) -> Partner:
    """A partner with an owner, a link and a sale."""
    program = make_program(app_session, slug="casa")
    found = make_partner(app_session, program=program, name="Slow Kitchen", user=make_person(app_session, "Olga"))
    make_commission(app_session, program=program, partner=found, link=make_link(app_session, program=program, partner=found))  # fmt: skip
    app_session.commit()
    return found


def join(app: Flask, session: Session, partner: Partner, role: MemberRole) -> tuple[FlaskClient, User]:
    """The browser of a person who works for the partner in this role."""
    person = make_person(session, WORD)
    make_member(session, user=person, partner=partner).role = role
    session.commit()
    browser = app.test_client()
    sign_in(browser, person)
    return browser, person


def table(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))


@pytest.mark.parametrize("role", [MemberRole.MARKETER, MemberRole.FINANCE, MemberRole.READER])
def test_everybody_gets_a_copy_of_the_own_account_and_of_nobody_elses(
    app: Flask, app_session: Session, partner: Partner, role: MemberRole
) -> None:
    browser, person = join(app, app_session, partner, role)
    assert PAGE in browser.get("/account/").text
    assert PAGE in browser.get("/portal/casa/settings").text
    answer = browser.post(f"{PAGE}/copy")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    assert [row["email"] for row in table(archive, "users.csv")] == [person.email]
    assert "password" not in table(archive, "users.csv")[0]
    assert [(row["partner"], row["role"]) for row in table(archive, "memberships.csv")] == [
        ("Slow Kitchen", role.value)
    ]
    assert table(archive, "acts.csv")[0]["action"] == "user.copy"
    assert not {"commissions.csv", "links.csv", "members.csv"} & set(archive.namelist())
    assert app.test_client().post(f"{PAGE}/copy").status_code == 302


def everything(session: Session) -> str:
    found = [
        f"{table.name}: {row!r}" for table in tables.metadata.sorted_tables for row in session.execute(sa.select(table))
    ]
    session.commit()
    return "\n".join(found)


@pytest.mark.parametrize("role", list(MemberRole))
def test_an_account_ends_and_the_partners_rows_stay(
    app: Flask, app_session: Session, partner: Partner, role: MemberRole
) -> None:
    browser, person = join(app, app_session, partner, role)
    now: dict[str, Any] = {"now": clock.now()}
    program = make_program(app_session)
    draft = joining.begin(app_session, program=program, origin=Origin(word=WORD), user_id=person.id, locale="en", **now)
    kept = files.keep(app_session, File(WORD, "text/plain", b"-"), **now)
    draft.files = {"proof": {"file_id": kept.hex, "name": WORD}}
    mailer.enqueue(app_session, recipient=person.email, subject=WORD, body_text=WORD, **now)
    report: dict[str, Any] = {"program_id": program.id, "user_id": person.id, "created_at": now["now"]}
    for whose in (partner.id, None):  # one of them from a role that the person had once
        app_session.add(SavedReport(id=ids.new(), **report, partner_id=whose, name=WORD, arguments={}, time_zone="UTC"))
    app_session.commit()
    archive = zipfile.ZipFile(io.BytesIO(browser.post(f"{PAGE}/copy").data))
    assert [row["name"] for row in table(archive, "saved_reports.csv")] == [WORD, WORD]
    assert browser.get(PAGE).status_code == 200
    assert "Your account is erased." in browser.post(f"{PAGE}/erase", follow_redirects=True).text
    assert not is_signed_in(browser)
    assert sign_in(browser, person).status_code == 200  # the form again: there is no such account
    left = everything(app_session)
    assert [line for line in left.splitlines() if WORD.lower() in line.lower()] == []
    app_session.expire_all()
    assert app_session.scalars(sa.select(StoredFile.id)).all() == []
    assert app_session.scalars(sa.select(OutboxMail.id)).all() == []
    assert app_session.get_one(Partner, partner.id).name == "Slow Kitchen"
    assert len(app_session.scalars(sa.select(Commission.id)).all()) == 1
    assert len(app_session.scalars(sa.select(Member.id)).all()) == 1
    assert all(audit.is_intact(row) for row in app_session.execute(sa.select(AuditEvent.__table__)).mappings())


def test_the_only_owner_of_a_partner_and_who_works_for_a_program_are_told_what_to_do_first(
    app: Flask, app_session: Session, partner: Partner
) -> None:
    olga = app_session.scalars(sa.select(User)).one()
    mona = make_person(app_session, "Mona")
    give(app_session, mona, GrantRole.MANAGER)
    for person, said in ((olga, "You are the only owner of a partner."), (mona, "You have a role in a program.")):
        browser = app.test_client()
        sign_in(browser, person)
        page = browser.get(PAGE).text
        assert said in page
        assert f"{PAGE}/erase" not in page
        assert said in browser.post(f"{PAGE}/erase", follow_redirects=True).text
        assert is_signed_in(browser)
        assert (f"{PAGE}/partners" in page) is (person is olga)
    app_session.expire_all()
    assert {person.active for person in app_session.scalars(sa.select(User))} == {True}
    assert len(app_session.scalars(sa.select(Member.id)).all()) == 1


def test_the_only_owner_of_a_partner_that_was_refused_asks_from_the_account_that_it_be_forgotten(
    app: Flask, app_session: Session, partner: Partner
) -> None:
    """No page of the portal opens to them."""
    olga = app_session.scalars(sa.select(User)).one()
    app_session.execute(sa.update(Enrollment).values(status=EnrollmentStatus.REJECTED))
    app_session.commit()
    browser = app.test_client()
    sign_in(browser, olga)
    for _twice in range(2):
        page = browser.post(f"{PAGE}/partners", follow_redirects=True).text
        assert f"waiting for the program: {partner.name}" in page
        assert f"{PAGE}/partners" not in page
    (asked,) = app_session.scalars(sa.select(ErasureRequest)).all()
    assert (asked.partner_id, asked.status, asked.asked_by_id) == (partner.id, ErasureStatus.ASKED, olga.id)
