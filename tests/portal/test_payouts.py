"""Payouts and what they consist of."""

from typing import Any

from factories import NOW, make_commission, make_payout
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.commissions.models import AdjustmentSource, Commission, CommissionAdjustment, CommissionStatus
from affiliate.payouts.models import Payout, PayoutStatus


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
