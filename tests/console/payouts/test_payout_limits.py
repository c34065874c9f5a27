"""The page that bounds what each person may approve: audited, and never for oneself."""

import pytest
import sqlalchemy as sa
from console_cast import Cast, public, text_of
from flask.testing import FlaskClient

from affiliate import clock
from affiliate.accounts.models import AuditEvent, Grant, User
from affiliate.payouts import service as payouts

PAGE = "/console/casa/payouts/limits"


def limits_of(cast: Cast, user: User) -> list[int | None]:
    found = list(cast.session.scalars(sa.select(Grant.payout_limit_minor).where(Grant.user_id == user.id)))
    cast.session.commit()  # SQLite lets nobody else write before
    return found


def set_limit(browser: FlaskClient, user: User, amount: str) -> str:
    answer = browser.post(f"{PAGE}/{public('usr', user)}", data={"amount": amount}, follow_redirects=True)
    return text_of(answer)


def test_a_manager_bounds_what_finance_may_approve_and_takes_the_limit_away(cast: Cast, mara: FlaskClient) -> None:
    page = text_of(mara.get(PAGE))
    assert all(name in page for name in ("Mara", "Max", "Finn", "Ada", "any amount", "in all programs"))
    assert "€500.00" in set_limit(mara, cast.finn, "500.00")
    assert limits_of(cast, cast.finn) == [500_00]
    assert "€500.00" not in set_limit(mara, cast.finn, "")
    assert limits_of(cast, cast.finn) == [None]
    told = cast.session.scalars(sa.select(AuditEvent.details).where(AuditEvent.action == "grant.limit")).all()
    assert [each["after"]["payout_limit_minor"] for each in told] == [500_00, None]


@pytest.mark.parametrize("amount", ["-1", "much", "1.234567"])
def test_what_is_no_amount_changes_nothing(cast: Cast, mara: FlaskClient, amount: str) -> None:
    set_limit(mara, cast.finn, amount)
    assert limits_of(cast, cast.finn) == [None]


def test_nobody_changes_the_own_limit_and_a_role_everywhere_has_none_here(cast: Cast, mara: FlaskClient) -> None:
    assert "Nobody changes the own limit" in set_limit(mara, cast.mara, "1000000")
    set_limit(mara, cast.ada, "1.00")
    assert limits_of(cast, cast.mara) == limits_of(cast, cast.ada) == [None]


def test_finance_sees_the_limits_and_changes_none(cast: Cast, finn: FlaskClient) -> None:
    assert "Mara" in text_of(finn.get(PAGE))
    assert finn.post(f"{PAGE}/{public('usr', cast.mara)}", data={"amount": "1.00"}).status_code == 404
    assert limits_of(cast, cast.mara) == [None]


def test_what_a_limit_would_have_meant_is_told_and_nothing_is_saved(cast: Cast, mara: FlaskClient) -> None:
    cast.approved_sale("1")
    run = payouts.propose(cast.session, program_id=cast.program.id, actor=cast.books.alice, now=clock.now())
    assert run.total_minor == 10_00
    cast.session.commit()

    def told(amount: str) -> str:
        form = {"amount": amount, "act": "look"}
        return text_of(mara.post(f"{PAGE}/{public('usr', cast.finn)}", data=form, follow_redirects=True))

    assert "The last 30 days had 1 payout run; above €9.99: 1. Nothing is saved yet." in told("9.99")
    assert "above €10.00: 0." in told("10.00")
    assert "Without a limit no run needs anybody else." in told("")
    assert limits_of(cast, cast.finn) == [None]
