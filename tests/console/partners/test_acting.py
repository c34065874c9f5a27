"""Acting for a partner: for a reason, from one browser, for half an hour, logged with both names, and never on what is its own business."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from console_cast import Cast, public, text_of
from flask import Flask
from flask.testing import FlaskClient

from affiliate import clock
from affiliate.accounts.models import AuditEvent, Grant
from affiliate.links.models import Link
from affiliate.partners.models import ActingTerm
from affiliate.portal import acting as portal_acting

REASON = {"reason": "The partner asked by phone"}


def begin(cast: Cast, browser: FlaskClient) -> None:
    answer = browser.post(f"/console/casa/partners/{public('ptn', cast.partner)}/act-for", data=REASON)
    assert answer.headers["Location"] == "/portal/casa/"


def test_what_is_done_is_logged_under_both_names(cast: Cast, mara: FlaskClient) -> None:
    assert mara.get("/portal/casa/").status_code == 404
    begin(cast, mara)
    page = text_of(mara.get("/portal/casa/"))
    assert "Mara Example acts for Slow Kitchen until" in page
    assert "The partner asked by phone" in page
    mara.post("/portal/casa/links", data={"landing_url": cast.program.shop_url, "name": "Made by phone"})
    cast.session.commit()
    made = cast.session.scalars(sa.select(Link).where(Link.name == "Made by phone")).one()
    event = cast.session.scalars(sa.select(AuditEvent).where(AuditEvent.subject_id == made.id)).one()
    assert (event.actor_id, event.details["acting_for"]) == (cast.mara.id, str(cast.partner.id))
    cast.session.commit()
    history = text_of(mara.get("/console/casa/history"))
    assert "for Slow Kitchen" in history
    assert "began to act for a partner" in history


@pytest.mark.parametrize(
    "path",
    [
        "payouts",
        "payment-details",
        "papers",
        "team",
        "data",
        "postbacks",
        "keys",
        "preferences",
        "statement",
        "settings/profile",
    ],
)
def test_what_is_the_partners_own_business_stays_closed(cast: Cast, mara: FlaskClient, path: str) -> None:
    begin(cast, mara)
    for answer in (mara.get(f"/portal/casa/{path}"), mara.post(f"/portal/casa/{path}")):
        assert answer.status_code in {403, 404, 405}, path


def test_every_page_of_the_portal_is_open_or_closed_on_purpose(app: Flask) -> None:
    views = {
        app.view_functions[rule.endpoint] for rule in app.url_map.iter_rules() if rule.endpoint.startswith("portal.")
    }
    modules = {view.__module__.rpartition(".")[2] for view in views}
    closed = {
        "account", "data", "kept", "keys", "mailed", "notices", "paper_forms", "papers", "payment", "payouts", "postbacks",
        "preferences", "profile", "statement", "team", "telling",
    }  # fmt: skip
    assert (portal_acting.OPEN | portal_acting.READ) & closed == set()
    assert modules - closed - portal_acting.READ - portal_acting.OPEN == set()


def test_it_ends_by_itself_by_hand_and_with_the_right(cast: Cast, mara: FlaskClient) -> None:
    begin(cast, mara)
    stopped = mara.post("/portal/casa/acting/stop", follow_redirects=True)
    assert "You no longer act for Slow Kitchen" in text_of(stopped)
    assert mara.get("/portal/casa/").status_code == 404
    begin(cast, mara)
    past = {"ends_at": clock.now() - timedelta(seconds=1)}
    cast.session.execute(sa.update(ActingTerm).where(ActingTerm.ended_at.is_(None)).values(past))
    cast.session.commit()
    assert mara.get("/portal/casa/").status_code == 404
    begin(cast, mara)
    cast.session.execute(sa.delete(Grant).where(Grant.user_id == cast.mara.id))
    cast.session.commit()
    assert mara.get("/portal/casa/").status_code == 404


def test_only_managers_act_with_a_reason_for_partners_of_the_program(
    cast: Cast, mara: FlaskClient, finn: FlaskClient
) -> None:
    address = f"/console/casa/partners/{public('ptn', cast.partner)}/act-for"
    assert finn.post(address, data=REASON).status_code == 404
    assert "Say why" in text_of(mara.post(address, data={"reason": " "}, follow_redirects=True))
    applicant = f"/console/casa/partners/{public('ptn', cast.applicant)}/act-for"
    assert mara.post(applicant, data=REASON).status_code == 404
    assert cast.session.scalar(sa.select(sa.func.count()).select_from(ActingTerm)) == 0
    cast.session.commit()


def test_another_browser_of_the_same_person_acts_for_nobody(cast: Cast, mara: FlaskClient, browser_of: object) -> None:
    begin(cast, mara)
    other = browser_of(cast.mara)  # type: ignore[operator] # the fixture is a function
    assert other.get("/portal/casa/").status_code == 404
    assert mara.get("/portal/casa/").status_code == 200
