"""How a partner is paid, as its own people enter and see it."""

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from factories import make_member, make_user
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate import clock
from affiliate.currencies.models import ExchangeRate
from affiliate.mailer import OutboxMail
from affiliate.payouts.models import PayoutMethod
from affiliate.payouts.vault import vault_of
from affiliate.settings import current

PAGE = "/portal/casa/payouts/details"
IBAN = "IT60X0542811101000000123456"
BANK = {"kind": "bank", "holder": "Marta Sala", "account": IBAN}


@pytest.fixture
def unpaid(app_session: Session, cast: Cast) -> Cast:
    """Marta's partner before it has said where the money goes."""
    app_session.execute(sa.delete(PayoutMethod))
    app_session.commit()
    return cast


def enter(browser: FlaskClient, **form: Any) -> Any:
    return browser.post(f"{PAGE}/change", data=BANK | form, follow_redirects=True)


def methods(session: Session) -> list[PayoutMethod]:
    found = list(session.scalars(sa.select(PayoutMethod).order_by(PayoutMethod.created_at)))
    session.commit()
    return found


def test_the_first_entry_is_asked_for_taken_and_shown_masked(
    marta: FlaskClient, app_session: Session, unpaid: Cast
) -> None:
    assert "You have not said yet where your money goes" in marta.get("/portal/casa/payouts").text
    page = enter(marta).text
    assert "IT60 •••• 3456" in page
    assert IBAN not in page
    (method,) = [each for each in methods(app_session) if each.partner_id == unpaid.partner.id]
    assert vault_of(current()).open(method.details)["iban"] == IBAN
    assert "You have not said yet" not in marta.get("/portal/casa/payouts").text


def test_a_change_shows_its_pause_and_writes_to_everybody(
    marta: FlaskClient, app_session: Session, unpaid: Cast
) -> None:
    enter(marta)
    page = enter(marta, account="DE89370400440532013000").text
    assert "Nothing is paid until" in page
    assert len(methods(app_session)) == 2
    assert app_session.scalars(sa.select(OutboxMail.subject)).all() == ["Your payment details were changed"]


def test_a_wrong_number_is_said_at_its_field(marta: FlaskClient, app_session: Session, unpaid: Cast) -> None:
    response = enter(marta, account="IT60X0542811101000000123457")
    assert response.status_code == 422
    assert "This is not an IBAN" in response.text
    assert methods(app_session) == []


def test_an_unknown_way_is_refused(marta: FlaskClient, unpaid: Cast) -> None:
    assert enter(marta, kind="cheque").status_code == 422


def test_somebody_who_only_works_there_cannot_change_it(marta: FlaskClient, app_session: Session, unpaid: Cast) -> None:
    app_session.execute(sa.text("UPDATE members SET role = 'finance'"))
    app_session.commit()
    assert "Only an owner of the account" in marta.get(PAGE).text
    assert enter(marta).status_code == 403
    assert methods(app_session) == []


def test_the_password_is_asked_for_again_before_a_change(marta: FlaskClient, unpaid: Cast) -> None:
    with marta.session_transaction() as cookie:
        cookie["fs_paa"] = 0.0
    cookie_gone = marta.post(f"{PAGE}/change", data=BANK)
    assert cookie_gone.status_code == 302
    assert "/verify" in cookie_gone.location


def test_a_colleague_sees_it_too(app_session: Session, unpaid: Cast, marta: FlaskClient) -> None:
    make_member(app_session, user=make_user(app_session), partner=unpaid.partner)
    app_session.commit()
    enter(marta)
    enter(marta, account="DE89370400440532013000")
    assert len(app_session.scalars(sa.select(OutboxMail.recipient)).all()) == 2


def test_a_statement_is_shown_and_downloaded_for_the_days_asked_for(marta: FlaskClient, cast: Cast) -> None:
    page = marta.get("/portal/casa/payouts/statement?first=2026-01-01&last=2026-12-31").text
    assert "Opening balance" in page
    assert "first=2026-01-01" in page
    file = marta.get("/portal/casa/payouts/statement.csv?first=2026-01-01&last=2026-12-31").text.splitlines()
    assert file[1].startswith("2026-01-01,opening_balance")
    assert file[-1].startswith("2026-12-31,closing_balance")


@pytest.mark.parametrize("days", ["first=x", "last=9999-99-99", "first=0001-01-01", "first=2026-02-01&last=2026-01-01"])
def test_days_that_make_no_sense_give_the_last_year(marta: FlaskClient, cast: Cast, days: str) -> None:
    assert marta.get(f"/portal/casa/payouts/statement?{days}").status_code == 200


def test_an_account_in_another_currency_is_chosen_among_those_with_a_rate(
    marta: FlaskClient, app_session: Session, unpaid: Cast
) -> None:
    app_session.add(
        ExchangeRate(day=date(2026, 11, 20), source="ecb", currency="PLN", per_euro="4.2", stored_at=clock.now())
    )
    app_session.commit()
    form = marta.get(f"{PAGE}/change").text
    assert ('value="EUR"' in form, 'value="PLN"' in form, 'value="USD"' in form) == (True, True, False)
    assert enter(marta, currency="USD").status_code == 422
    assert "IT60 •••• 3456</span>, in PLN" in enter(marta, currency="PLN").text


def test_the_programs_own_currency_is_kept_as_it_is_shown_with_rates_or_without(
    marta: FlaskClient, app_session: Session, unpaid: Cast
) -> None:
    enter(marta, currency="EUR")
    assert [method.currency for method in methods(app_session)] == ["EUR"]
