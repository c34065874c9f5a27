"""A copy of everything, and the wish to be forgotten, as owner and manager meet them."""

import csv
import io
import zipfile
from datetime import timedelta

import pytest
import sqlalchemy as sa
from accounts_cast import give, is_signed_in, make_person, sign_in
from factories import NOW, make_commission, make_member
from flask import Flask
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate import clock
from affiliate.accounts.models import GrantRole
from affiliate.files import StoredFile
from affiliate.ledger import postings
from affiliate.ledger import service as ledger
from affiliate.mailer import OutboxMail
from affiliate.money import Money
from affiliate.partners.models import Partner
from affiliate.privacy import jobs
from affiliate.privacy.models import DataCopy, ErasureRequest

PAGE = "/portal/casa/data"


@pytest.fixture
def manager(app: Flask, app_session: Session, cast: Cast) -> FlaskClient:
    """The browser of somebody who manages the program."""
    person = make_person(app_session, "Mona")
    give(app_session, person, GrantRole.MANAGER, cast.program)
    browser = app.test_client()
    sign_in(browser, person)
    return browser


def ask_for_copy(browser: FlaskClient) -> str:
    return browser.post(f"{PAGE}/copy", follow_redirects=True).text


def test_a_copy_is_made_by_a_job_and_holds_what_is_ours_to_tell(
    marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    cast.link.name = "=HYPERLINK(1)"
    make_commission(app_session, program=cast.program, partner=cast.partner, order_id="A-1")
    make_commission(app_session, program=cast.program, partner=cast.other, order_id="B-2")
    app_session.commit()
    assert "The copy is being made" in ask_for_copy(marta)
    assert "within the last hour" in ask_for_copy(marta)
    assert (jobs.make_copy(), jobs.make_copy()) == (1, 0)
    (mail,) = app_session.scalars(sa.select(OutboxMail)).all()
    assert (mail.recipient, "/portal/casa/data" in mail.body_text) == ("marta@example.test", True)
    copy = app_session.scalars(sa.select(DataCopy)).one()
    app_session.commit()
    address = f"{PAGE}/{copy.id}.zip"
    assert address in marta.get(PAGE).text
    archive = zipfile.ZipFile(io.BytesIO(marta.get(address).data))
    tables = {
        name: list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig")))) for name in archive.namelist()
    }
    assert [row["name"] for row in tables["partners.csv"]] == ["Slow Kitchen"]
    assert [row["name"] for row in tables["links.csv"]] == ["'=HYPERLINK(1)"]
    assert [row["partner_id"] for row in tables["commissions.csv"]] == [str(cast.partner.id)]
    assert [row["email"] for row in tables["users.csv"]] == ["marta@example.test"]
    assert "password" not in tables["users.csv"][0]
    assert "details" not in tables["payout_methods.csv"][0]
    assert tables["acts.csv"][0]["action"] == "partner.ask_copy"


def test_a_copy_ends_after_its_term_and_is_nobody_elses(
    app: Flask, marta: FlaskClient, manager: FlaskClient, app_session: Session, cast: Cast
) -> None:
    ask_for_copy(marta)
    jobs.make_copy()
    copy = app_session.scalars(sa.select(DataCopy)).one()
    app_session.commit()
    address = f"{PAGE}/{copy.id}.zip"
    assert marta.get(address).status_code == 200
    assert manager.get(address).status_code == 404
    second = make_person(app_session, "Otto")
    make_member(app_session, user=second, partner=cast.partner)
    app_session.commit()
    otto = app.test_client()
    sign_in(otto, second)
    assert otto.get(address).status_code == 404  # another owner's: it holds Marta's own rows
    assert address not in otto.get(PAGE).text
    assert "The copy is being made" in ask_for_copy(otto)
    app_session.execute(sa.delete(DataCopy).where(DataCopy.asked_by_id == second.id))
    app_session.commit()
    assert app.test_client().get(address).status_code == 302
    copy.expires_at = clock.now() - timedelta(seconds=1)
    app_session.commit()
    assert marta.get(address).status_code == 404
    assert (jobs.sweep(), jobs.sweep()) == (1, 0)
    assert app_session.scalars(sa.select(StoredFile.id)).all() == []
    assert "Its term is over" in marta.get(PAGE).text


def test_a_partner_is_forgotten_after_a_managers_word_and_not_while_money_is_open(
    marta: FlaskClient, manager: FlaskClient, app_session: Session, cast: Cast
) -> None:
    commission = make_commission(app_session, program=cast.program, partner=cast.partner)
    mine = {"program_id": cast.program.id, "partner_id": cast.partner.id}
    accrued = postings.accrue(**mine, commission_id=commission.id, amount=Money(10_00, "EUR"))
    ledger.post(app_session, postings=accrued, now=NOW)
    app_session.commit()
    assert "€10.00 is still on its way" in marta.get(PAGE).text
    assert "The program was asked" in marta.post(f"{PAGE}/erasure", follow_redirects=True).text
    assert "mona@example.test" in app_session.scalars(sa.select(OutboxMail.recipient)).all()
    request_id = app_session.scalars(sa.select(ErasureRequest.id)).one()
    app_session.commit()
    here = "/console/casa/erasures"
    page = manager.get(here).text
    assert "Slow Kitchen" in page
    assert f"{request_id}/erase" not in page.split("popovertarget")[0]
    answer = manager.post(f"{here}/{request_id}/erase")
    assert (answer.status_code, "Money is still on its way" in answer.text) == (409, True)
    taken = postings.reverse(
        **mine, adjustment_id=commission.id, amount=Money(10_00, "EUR"), taken_from=postings.AccountName.PENDING
    )
    ledger.post(app_session, postings=taken, now=NOW)
    app_session.commit()
    assert "The partner is erased" in manager.post(f"{here}/{request_id}/erase", follow_redirects=True).text
    assert not is_signed_in(marta)
    assert sign_in(marta, cast.person).status_code == 200  # the form again: there is no such account
    app_session.expire_all()
    assert app_session.get_one(Partner, cast.partner.id).name == "erased"
    app_session.commit()
    assert "Slow Kitchen" not in manager.get(here).text
    assert manager.post(f"{here}/{request_id}/erase").status_code == 409


def test_a_refusal_reaches_the_partner_as_text(
    marta: FlaskClient, manager: FlaskClient, app_session: Session, cast: Cast
) -> None:
    marta.post(f"{PAGE}/erasure")
    request_id = app_session.scalars(sa.select(ErasureRequest.id)).one()
    app_session.commit()
    refuse = f"/console/casa/erasures/{request_id}/refuse"
    manager.post(refuse, data={"reason": "  "})
    assert "Withdraw the request" in marta.get(PAGE).text
    manager.post(refuse, data={"reason": "<b>A case is open</b>"})
    assert "&lt;b&gt;A case is open&lt;/b&gt;" in marta.get(PAGE).text
    assert "decided or withdrawn already" in marta.post(f"{PAGE}/erasure/withdraw", follow_redirects=True).text
