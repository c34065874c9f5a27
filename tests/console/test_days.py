"""Days at the edges of the calendar: no form takes them, for no page could count from there."""

from typing import Any

import pytest
import sqlalchemy as sa
from console_cast import Cast, public, text_of
from flask.testing import FlaskClient

from affiliate.joining.models import Invitation
from affiliate.relations.care_models import Duty, PartnerCare, PartnerGoal

EDGES = ("0001-01-01", "1999-12-31", "2100-01-02", "9999-12-31")
GOAL = {"metric": "sales", "target": "10"}
TRIAL = {"scope": "", "orders_min": "1", "orders_max": "0"}
DUTY = {"task": "Two posts", "side": "partner", "cadence": "quarterly"}


@pytest.mark.parametrize("day", EDGES)
def test_what_is_agreed_with_a_partner_has_days_of_our_time(
    cast: Cast, mara: FlaskClient, marta: FlaskClient, day: str
) -> None:
    here, days = f"/console/casa/partners/{public('ptn', cast.partner)}", {"starts_on": day, "last_on": day}
    for browser, path, form in (
        (marta, "/portal/casa/together/goals", GOAL | days),
        (mara, f"{here}/goals", GOAL | days),
        (mara, f"{here}/trial", TRIAL | days),
        (mara, f"{here}/duties", DUTY | {"first_on": day}),
    ):
        answer: Any = browser.post(path, data=form, follow_redirects=True)
        assert (answer.status_code, "Choose a day." in text_of(answer)) == (422, True), path
    found = [cast.session.scalars(sa.select(kind.id)).all() for kind in (PartnerGoal, Duty)]
    trials = cast.session.scalars(sa.select(PartnerCare.trial_ends_on)).all()
    assert (found, [one for one in trials if one]) == ([[], []], [])


@pytest.mark.parametrize("day", EDGES)
def test_a_form_says_at_its_field_that_the_day_is_none_of_our_time(cast: Cast, mara: FlaskClient, day: str) -> None:
    for path, form in (
        ("/console/casa/invitations", {"locale": "en", "name": "Fair", "last_on": day}),
        ("/console/casa/goals", GOAL | {"starts_on": day, "last_on": day}),
    ):
        answer = mara.post(path, data=form)
        assert (answer.status_code, 'id="last_on-error"' in answer.text) == (422, True), path
    assert cast.session.scalars(sa.select(Invitation.id)).all() == []


def test_a_filter_of_such_days_is_none(cast: Cast, marta: FlaskClient) -> None:
    cast.program.time_zone = "Pacific/Auckland"  # its first midnight lies before the calendar
    cast.session.commit()
    for first, last in (("0001-01-01", "0001-01-02"), ("9999-12-30", "9999-12-31")):
        assert marta.get(f"/portal/casa/commissions?first={first}&last={last}").status_code == 200
