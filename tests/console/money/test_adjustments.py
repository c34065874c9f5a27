"""Bonuses, corrections and costs in the console: entered by one, approved by another, seen by the partner."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from console_cast import Cast, public, text_of
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from affiliate import clock
from affiliate.ledger import queries as ledger
from affiliate.partners.models import Enrollment, EnrollmentStatus
from affiliate.payouts.models import Adjustment, AdjustmentStatus, PartnerCost

BONUS = {"kind": "bonus", "amount": "25.00", "reason": "A good month."}


def page(cast: Cast) -> str:
    return f"/console/casa/payouts/partners/{public('ptn', cast.partner)}/entries"


def enter(browser: FlaskClient, cast: Cast, **form: str) -> TestResponse:
    return browser.post(page(cast), data=BONUS | form, follow_redirects=True)


def newest(cast: Cast) -> Adjustment:
    rows = sa.select(Adjustment).order_by(Adjustment.entered_at.desc()).limit(1)
    entry = cast.session.scalars(rows.execution_options(populate_existing=True)).one()
    cast.session.commit()
    return entry


def decide(browser: FlaskClient, cast: Cast, what: str) -> TestResponse:
    address = f"/console/casa/payouts/entries/{public('man', newest(cast))}/{what}"
    return browser.post(address, follow_redirects=True)


def test_a_bonus_is_entered_by_one_and_approved_by_another(cast: Cast, mara: FlaskClient, finn: FlaskClient) -> None:
    assert "€25.00 for Slow Kitchen waits for a second person." in text_of(enter(mara, cast))
    assert "1 bonus or correction waits for a second person." in text_of(finn.get("/console/casa/payouts"))
    own = text_of(mara.get("/console/casa/payouts/entries"))
    assert "Withdraw" in own
    assert ">Approve" not in own
    assert "You made this entry. Ask a second person to approve it." in text_of(decide(mara, cast, "approve"))
    assert "€25.00 approved." in text_of(decide(finn, cast, "approve"))
    cast.assert_proven()
    balances = ledger.balances_of(cast.session, program_id=cast.program.id, partner_id=cast.partner.id)
    assert balances["approved"] == 25_00


def test_who_is_too_late_sees_what_became_of_the_entry(cast: Cast, mara: FlaskClient, finn: FlaskClient) -> None:
    enter(mara, cast)
    decide(mara, cast, "decline")
    late = decide(finn, cast, "approve")
    assert late.status_code == 409
    assert "Somebody has decided on this entry in the meantime." in text_of(late)
    assert "Declined" in text_of(late)
    assert newest(cast).status is AdjustmentStatus.DECLINED


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"amount": "-5.00"}, "Only a correction can take money away."),
        ({"amount": "0"}, "Write an amount that is not zero."),
        ({"amount": "lots"}, "Write an amount, for example 49.90"),
        ({"reason": ""}, "This is needed."),
    ],
)
def test_a_wrong_entry_is_said_at_its_field(cast: Cast, mara: FlaskClient, form: dict[str, str], sentence: str) -> None:
    answer = enter(mara, cast, **form)
    assert answer.status_code == 422
    assert sentence in text_of(answer)


def test_the_debt_of_a_partner_that_left_is_written_off_by_two_people(
    cast: Cast, mara: FlaskClient, finn: FlaskClient
) -> None:
    enter(mara, cast, kind="correction", amount="-8.00")
    decide(finn, cast, "approve")
    assert "has left" not in text_of(mara.get(page(cast)))
    cast.session.execute(sa.update(Enrollment).values(status=EnrollmentStatus.PAUSED))
    cast.session.commit()
    assert "This partner has left and owes €8.00." in text_of(mara.get(page(cast)))
    mara.post(page(cast).replace("/entries", "/write_off"), data={"reason": "They closed."})
    assert "€8.00 approved." in text_of(decide(finn, cast, "approve"))
    cast.assert_proven()
    assert ledger.program_balances(cast.session, program_id=cast.program.id)["write_off"] == -8_00
    assert "has left" not in text_of(mara.get(page(cast)))


def test_a_cost_is_kept_and_can_be_removed(cast: Cast, mara: FlaskClient) -> None:
    today = clock.now().date().isoformat()
    form = {"cost-kind": "samples", "cost-spent_on": today, "cost-amount": "12.50", "cost-note": "Two pans."}
    address = page(cast).replace("/entries", "/costs")
    assert "Two pans." in text_of(mara.post(address, data=form, follow_redirects=True))
    cost = cast.session.scalars(sa.select(PartnerCost)).one()
    cost_address = f"{address}/{public('cst', cost)}/remove"
    cast.session.commit()
    later = (clock.now() + timedelta(days=9)).date().isoformat()
    wrong = mara.post(address, data=form | {"cost-spent_on": later})
    assert (wrong.status_code, "not in the future" in text_of(wrong)) == (422, True)
    gone = mara.post(cost_address, follow_redirects=True)
    assert "Two pans." not in text_of(gone)
