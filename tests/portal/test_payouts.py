"""Payouts and what they consist of."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

from factories import NOW, make_commission, make_payout, make_user
from flask.testing import FlaskClient
from money_cast import MATURE, Books, person
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import service as accounts
from affiliate.commissions.models import AdjustmentSource, Commission, CommissionAdjustment, CommissionStatus
from affiliate.ledger import queries as ledger
from affiliate.money import Money
from affiliate.payouts import adjusting, queries, service
from affiliate.payouts.models import AdjustmentKind, Payout, PayoutStatus
from affiliate.payouts.statements import OWED


def _take(session: Session, commission: Commission, amount_minor: int, payout: Payout | None) -> None:
    """Take from a commission that is in a payout; `payout` is the one that set it off."""
    commission.reversed_minor += amount_minor
    values: dict[str, Any] = {
        "program_id": commission.program_id,
        "partner_id": commission.partner_id,
        "commission_id": commission.id,
    }
    values |= {
        "source_kind": AdjustmentSource.REFUND,
        "source_id": ids.new(),
        "amount_minor": amount_minor,
        "currency": "EUR",
    }
    values |= {"is_clawback": True, "payout_id": payout.id if payout else None, "created_at": NOW}
    session.add(CommissionAdjustment(id=ids.new(), **values))


def test_an_empty_list_says_when_the_first_payout_comes(marta: FlaskClient, cast: Cast) -> None:
    page = marta.get("/portal/casa/payouts").text
    assert "Nothing was paid yet." in page
    assert "from €25.00 on" in page


def test_a_payout_lists_its_sales_and_what_it_set_off_and_adds_up(
    marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    common: dict[str, Any] = {"program": cast.program, "partner": cast.partner}
    old = make_payout(
        app_session, **common, proposer=cast.person, amount_minor=9_00, status=PayoutStatus.PAID, paid_at=NOW
    )
    returned = make_commission(
        app_session, **common, order_id="OLD", amount_minor=9_00, status=CommissionStatus.PAID, payout_id=old.id
    )
    new = make_payout(
        app_session, **common, proposer=cast.person, amount_minor=41_00, earned_minor=45_00, clawed_back_minor=4_00
    )
    make_commission(
        app_session, **common, order_id="NEW", amount_minor=45_00, status=CommissionStatus.IN_PAYOUT, payout_id=new.id
    )
    _take(app_session, returned, 4_00, new)
    app_session.commit()
    page = marta.get(f"/portal/casa/payouts/{ids.public('pay', new.id)}").text
    assert '<span class="closed">€45.00</span>' in page  # the sales
    assert "\u2212€4.00" in page  # what came back of an earlier one
    assert ">OLD</a>" in page
    assert '<span class="closed money">€41.00</span>' in page
    earlier = marta.get(f"/portal/casa/payouts/{ids.public('pay', old.id)}").text
    assert '<span class="closed">€9.00</span>' in earlier  # what was taken since does not change it


def test_a_cancelled_payout_says_where_its_sales_are(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    payout = make_payout(
        app_session, program=cast.program, partner=cast.partner, proposer=cast.person, status=PayoutStatus.CANCELLED
    )
    app_session.commit()
    assert "its sales are in the next one" in marta.get(f"/portal/casa/payouts/{ids.public('pay', payout.id)}").text


def test_another_partners_payout_is_not_found(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    theirs = make_payout(
        app_session, program=cast.program, partner=cast.other, proposer=cast.person, amount_minor=77_00
    )
    app_session.commit()
    assert marta.get(f"/portal/casa/payouts/{ids.public('pay', theirs.id)}").status_code == 404
    assert "€77.00" not in marta.get("/portal/casa/payouts").text


def test_statement_ledger_api_and_page_say_the_same(marta: FlaskClient, app_session: Session, cast: Cast) -> None:
    books = Books(
        app_session, cast.program, cast.partner, person(make_user(app_session)), person(make_user(app_session))
    )
    books.order(amount_minor=400_00)
    books.work(now=MATURE)
    whose: dict[str, Any] = {"program_id": cast.program.id, "now": MATURE}
    facts = {
        "kind": AdjustmentKind.BONUS,
        "amount": Money(25_00, "EUR"),
        "reason": "A good month.",
        "actor": books.alice,
    }
    for amount_minor in (5_00, 25_00):  # one is paid, the other waits
        entry = adjusting.enter(
            app_session, partner_id=cast.partner.id, **whose, **facts | {"amount": Money(amount_minor, "EUR")}
        )
        adjusting.approve(app_session, adjustment_id=entry.id, actor=books.bob, **whose)
        if amount_minor == 5_00:
            run = service.propose(app_session, actor=books.alice, **whose)
            service.approve_run(app_session, run_id=run.id, actor=books.bob, **whose)
            service.mark_paid(app_session, run_id=run.id, actor=books.bob, **whose)
    books.assert_proven()
    (payout,) = queries.payouts_of(app_session, run_id=run.id)
    _key, secret = accounts.create_api_key(
        app_session, program_id=cast.program.id, name="Books", scopes=["payouts:read"], actor=books.alice, now=NOW
    )
    app_session.commit()
    days = {"first": NOW.date().isoformat(), "last": (MATURE + timedelta(days=1)).date().isoformat()}
    lines = list(csv.DictReader(io.StringIO(marta.get("/portal/casa/payouts/statement.csv", query_string=days).text)))
    owed = sum(minor for name, minor in ledger_balances(app_session, cast).items() if name in OWED)
    assert (
        (lines[-1]["what"], Money(owed, "EUR").text())
        == ("closing_balance", lines[-1]["balance"])
        == ("closing_balance", "25.00")
    )
    assert sum(Decimal(line["amount"] or 0) for line in lines) == Decimal(lines[-1]["balance"])
    assert [line["reason"] for line in lines if line["what"] == "adjust"] == ["A good month."] * 2
    page = marta.get("/portal/casa/payouts/statement", query_string=days).text
    assert ("A good month." in page, "€25.00" in page) == (True, True)
    paid = [line["amount"] for line in lines if line["what"] == "settle"]
    headers = {"Authorization": f"Bearer {secret}"}
    told = marta.get("/api/v1/payouts", headers=headers).json or []
    moved = marta.get("/api/v1/ledger", headers=headers).json or []
    assert paid == [f"-{one['amount']['amount']}" for one in told] == [f"-{Money(payout.amount_minor, 'EUR').text()}"]
    assert [one["amount"]["amount"] for one in moved if one["kind"] == "settle"] == [told[0]["amount"]["amount"]]
    one = marta.get(f"/portal/casa/payouts/{ids.public('pay', payout.id)}").text
    assert ("A good month." in one, f"€{Money(payout.amount_minor, 'EUR').text()}" in one) == (True, True)
    assert "The next payout takes them into account." in marta.get("/portal/casa/payouts").text


def ledger_balances(session: Session, cast: Cast) -> dict[Any, int]:
    return dict(ledger.balances_of(session, program_id=cast.program.id, partner_id=cast.partner.id))
