"""What a partner reads about validation: how long it really takes, and what a sale still waits for."""

from datetime import timedelta

from factories import make_commission
from flask.testing import FlaskClient
from portal_cast import Cast
from sqlalchemy.orm import Session

from affiliate import clock
from affiliate.commissions.maturity import Milestone
from affiliate.commissions.models import CommissionStatus
from affiliate.reports import jobs


def test_the_terms_say_how_long_it_takes_and_a_sale_what_it_waits_for(
    marta: FlaskClient, app_session: Session, cast: Cast
) -> None:
    assert "Half are approved within" not in marta.get("/portal/casa/").text
    ordered = clock.now() - timedelta(days=30)
    for days in (9, 11, 20):
        make_commission(
            app_session, program=cast.program, partner=cast.partner, earned_at=ordered,
            status=CommissionStatus.APPROVED, approved_at=ordered + timedelta(days=days),
        )  # fmt: skip
    waiting = make_commission(app_session, program=cast.program, partner=cast.partner, awaits=Milestone.DELIVERED)
    app_session.commit()
    jobs.compute_figures()
    home = marta.get("/portal/casa/").text
    assert "Half are approved within" in home
    assert "11 days" in home
    assert waiting.awaits is Milestone.DELIVERED
    assert "It waits until the order is delivered" in home
