"""The policy as sentences and form, a change previewed, tried in money and switched on, and nobody else's business."""

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from accounts_cast import give, make_person
from console_cast import Cast, public, text_of
from factories import make_click, make_conversion, make_link
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from affiliate import clock
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import AuditEvent, GrantRole
from affiliate.attribution import service as attribution
from affiliate.partners.classes import PartnerClass
from affiliate.partners.models import Enrollment
from affiliate.payouts import adjusting
from affiliate.payouts.models import Adjustment
from affiliate.programs.models import AttributionPolicy
from affiliate.replay import jobs
from affiliate.replay.models import Replay, ReplayStatus

FORM = {
    "seen_version": "1", "model": "last_click", "window_days": "30", "kind_windows": "", "first_weight": "40",
    "middle_weight": "20", "last_weight": "40", "half_life_days": "7", "binding": "first", "binding_days": "",
    "channels": "", "other_channels": "yield", "place_manual": "1", "place_click_id": "2", "place_coupon": "3",
    "place_visitor": "4", "place_site": "0", "place_customer_id": "0", "place_email_hash": "0",
}  # fmt: skip


def send(browser: FlaskClient, act: str, **changes: str) -> TestResponse:
    return browser.post("/console/casa/attribution", data=FORM | {"act": act} | changes, follow_redirects=True)


def versions(cast: Cast) -> list[dict[str, Any]]:
    cast.settle()
    rows = cast.session.scalars(
        sa.select(AttributionPolicy)
        .where(AttributionPolicy.program_id == cast.program.id)
        .order_by(AttributionPolicy.version)
    )
    found = [row.terms for row in rows]
    cast.session.commit()
    return found


def the_replay(cast: Cast) -> Replay:
    """As it is stored now."""
    cast.settle()
    found = cast.session.scalars(sa.select(Replay).execution_options(populate_existing=True)).one()
    cast.session.commit()
    return found


def test_the_policy_in_force_is_told_in_sentences(cast: Cast, mara: FlaskClient) -> None:
    page = text_of(mara.get("/console/casa/attribution"))
    assert "The partner whose contact came last before the order gets the whole sale." in page
    assert "A contact counts for 30 days." in page


def test_a_change_is_shown_before_anything_happens(cast: Cast, mara: FlaskClient) -> None:
    page = text_of(send(mara, "preview", model="position_based", window_days="14", channels="Google: overrule"))
    assert "The first contact gets 40 %, the last 40 %, and those between share 20 %.".replace(" %", "\u00a0%") in page
    assert "google: takes the sale if the customer came through it last." in page
    assert len(versions(cast)) == 1


def test_a_policy_is_published_from_a_day_on_and_audited(cast: Cast, mara: FlaskClient) -> None:
    send(mara, "publish", window_days="14", place_coupon="1", place_manual="0", starts_on="2026-01-05")
    terms = versions(cast)[1]
    assert (terms["window_days"], terms["ladder"]) == (14, ["coupon", "click_id", "visitor"])
    actions = list(cast.session.scalars(sa.select(AuditEvent.action)))
    assert "attribution_policy.publish" in actions
    cast.session.commit()
    page = text_of(mara.get("/console/casa/attribution"))
    assert page.count('<span class="sub">Mara Example</span>') == 1  # the first version nobody published
    assert "Somebody else changed the attribution" in text_of(send(mara, "publish", starts_on="2026-01-05"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"window_days": "0"}, "Choose from 1 to 365 days."),
        ({"last_weight": "50"}, "must add up to 100 %"),
        ({"first_weight": "much"}, "Write a percentage"),
        ({"channels": "google"}, "cannot be read"),
        ({"kind_windows": "lead: soon"}, "cannot be read"),
        ({f"place_{step}": "0" for step in ("manual", "click_id", "coupon", "visitor")}, "Choose at least one way"),
        ({"starts_on": ""}, "Choose a day from which it counts."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(cast: Cast, mara: FlaskClient, changes: dict[str, str], told: str) -> None:
    response = send(mara, "publish", **{"starts_on": "2026-01-05"} | changes)
    assert told in text_of(response)
    assert len(versions(cast)) == 1


def test_a_replay_tells_the_money_and_is_switched_on_from_its_page(cast: Cast, mara: FlaskClient) -> None:
    now = clock.now()
    link = make_link(cast.session, program=cast.program, partner=cast.partner)
    click = make_click(cast.session, link=link, occurred_at=now - timedelta(days=2))
    make_conversion(cast.session, program=cast.program, click_id=click.id, occurred_at=now, received_at=now)
    attribution.attribute_waiting(cast.session, limit=9, clicks_until=now, now=now)
    cast.books.work(now=now)
    cast.settle()
    send(mara, "replay", place_click_id="0", place_visitor="0")
    replay = the_replay(cast)
    address = f"/console/casa/replays/{public('rpl', replay)}"
    assert "You may close this page." in text_of(mara.get(address))
    jobs.advance()
    replay = the_replay(cast)
    assert (replay.status, replay.totals["changed"]) == (ReplayStatus.DONE, 1)
    page = text_of(mara.get(address))
    assert "1 order would change" in page
    assert "€10.00" in page
    change = re.search(rf"{address}/cnv_\w+", page)
    assert change is not None
    both = text_of(mara.get(change[0]))
    assert "Accepted, takes the sale" in both
    assert "The program does not recognise customers in this way." in both
    tomorrow = str(clock.now().date())
    assert "Policy 2 counts" in text_of(
        mara.post(f"{address}/publish", data={"starts_on": tomorrow}, follow_redirects=True)
    )
    assert versions(cast)[1]["ladder"] == ["manual", "coupon"]


def test_a_replay_is_stopped_and_goes_on(cast: Cast, mara: FlaskClient) -> None:
    mara.post("/console/casa/attribution/check")
    replay = the_replay(cast)
    address = f"/console/casa/replays/{public('rpl', replay)}"
    for act, status in (("stop", ReplayStatus.STOPPED), ("resume", ReplayStatus.RUNNING)):
        mara.post(f"{address}/{act}")
        assert the_replay(cast).status is status
    assert "Another replay of this program runs." in text_of(
        mara.post("/console/casa/attribution/check", follow_redirects=True)
    )


def test_finance_and_other_programs_see_nothing(cast: Cast, finn: FlaskClient, mara: FlaskClient) -> None:
    assert finn.get("/console/casa/attribution").status_code == 404
    mara.post("/console/casa/attribution/check")
    replay = the_replay(cast)
    assert mara.get(f"/console/{cast.other.slug}/replays/{public('rpl', replay)}").status_code == 404


def test_a_partner_is_ranked_and_promised_a_window(cast: Cast, mara: FlaskClient) -> None:
    page = f"/console/casa/partners/{public('ptn', cast.partner)}"
    answer = mara.post(f"{page}/attribution", data={"partner_class": "preferred", "window_days": "60"})
    assert answer.status_code == 303
    enrollment = cast.session.scalars(sa.select(Enrollment).where(Enrollment.partner_id == cast.partner.id)).one()
    assert (enrollment.partner_class, enrollment.attribution_window_days) == (PartnerClass.PREFERRED, 60)
    cast.session.commit()
    told = text_of(mara.get(page))
    assert '<option value="preferred" selected>' in told
    refused = {"partner_class": "preferred", "window_days": "400"}
    assert "Choose from 1 to 365 days" in text_of(mara.post(f"{page}/attribution", data=refused, follow_redirects=True))


def test_a_manager_gives_an_order_to_a_partner_with_a_reason_and_another_person_agrees(
    cast: Cast, mara: FlaskClient
) -> None:
    now = clock.now()
    conversion = make_conversion(cast.session, program=cast.program, occurred_at=now, received_at=now)
    attribution.attribute_waiting(cast.session, limit=9, clicks_until=now, now=now)
    cast.session.commit()
    page = f"/console/casa/conversions/{public('cnv', conversion)}"
    assert "No partner brought this customer." in text_of(mara.get(page))
    for data in ({"partner": "Nobody", "reason": "A fair"}, {"partner": cast.partner.name, "reason": " "}):
        assert "Kept." not in text_of(mara.post(f"{page}/credit", data=data, follow_redirects=True))
    said = {"partner": cast.partner.name, "reason": "They met at a fair."}
    waits = text_of(mara.post(f"{page}/credit", data=said, follow_redirects=True))
    assert "waits for a second person." in waits
    assert "No partner brought this customer." in waits
    entry = cast.session.scalars(sa.select(Adjustment)).one()
    someone = make_person(cast.session, "Second")
    give(cast.session, someone, GrantRole.MANAGER, cast.program)
    here: dict[str, Any] = {"adjustment_id": entry.id, "program_id": cast.program.id, "now": now}
    adjusting.approve(cast.session, **here, actor=Actor("user", someone.id))
    cast.session.commit()
    attribution.attribute_waiting(cast.session, limit=9, clicks_until=now, now=now)
    cast.session.commit()
    told = text_of(mara.get(page))
    assert f"{cast.partner.name} brought this customer." in told
    assert "A manager gave the sale to the partner." in told


def test_what_other_channels_took_is_told_on_the_partners_page(cast: Cast, mara: FlaskClient) -> None:
    now, terms = clock.now(), {"window_days": 30, "other_channels": "overrule"}
    cast.session.execute(sa.update(AttributionPolicy).values(terms=terms))
    link = make_link(cast.session, program=cast.program, partner=cast.partner)
    click = make_click(cast.session, link=link, occurred_at=now - timedelta(days=2))
    for channel in (None, None, None, "google"):
        order = {"click_id": click.id, "channel": channel, "occurred_at": now, "received_at": now}
        make_conversion(cast.session, program=cast.program, **order)
    attribution.attribute_waiting(cast.session, limit=9, clicks_until=now, now=now)
    cast.session.commit()
    page = text_of(mara.get(f"/console/casa/partners/{public('ptn', cast.partner)}"))
    assert "1 order went to other paid channels that the customer came through last: 25\u00a0% of all." in page


@pytest.mark.parametrize(("typed", "days"), [("7", 7), ("365", 365), ("8", 30), ("x", 30)])
def test_the_days_of_a_replay_are_chosen_among_those_that_are_offered(
    cast: Cast, mara: FlaskClient, typed: str, days: int
) -> None:
    page = mara.get("/console/casa/attribution").text
    offered = re.findall(r'<option value="(\d+)"', page.split('id="check-days"')[1].split("</select>")[0])
    assert offered == ["7", "30", "90", "365"]
    assert 'id="try-days"' in send(mara, "preview", window_days="14").text
    send(mara, "replay", window_days="14", days=typed)
    replay = the_replay(cast)
    assert replay.ends_at - replay.starts_at == timedelta(days=days)
