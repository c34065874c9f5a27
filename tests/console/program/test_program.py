"""Settings and going live."""

import pytest
import sqlalchemy as sa
from console_cast import NO_MOMENTS, Cast, settings_of, text_of
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from affiliate.accounts.models import AuditEvent
from affiliate.programs import labels
from affiliate.programs.models import Program, ProgramStatus


def save(browser: FlaskClient, program: Program, **changes: str) -> TestResponse:
    return browser.post("/console/casa/settings", data=settings_of(program, **changes), follow_redirects=True)


def test_what_was_changed_is_stored_and_audited(cast: Cast, mara: FlaskClient) -> None:
    changes = {
        "mission": "Pots for life", "payout_min": "25", "validation_days": "14", "accent": "#0A5A6E",
        "allowed_hosts": "WWW.shop.example\n\nshop.example", "time_zone": "Europe/Rome", "cookie_by_default": "y",
    }  # fmt: skip
    assert "Settings saved." in text_of(save(mara, cast.program, **changes))
    cast.settle()
    program = cast.program
    assert (program.mission, program.payout_min_minor, program.validation_days) == ("Pots for life", 25_00, 14)
    assert (program.accent, program.time_zone, program.cookie_by_default) == ("#0a5a6e", "Europe/Rome", True)
    assert program.allowed_hosts == ["www.shop.example", "shop.example"]
    assert "Validation period, days: 30 → 14" in text_of(mara.get("/console/casa/history"))


def test_signs_of_other_channels_are_stored_in_one_spelling_and_go_into_the_tag(cast: Cast, mara: FlaskClient) -> None:
    assert "utm_medium=cpc: search_ads" in mara.get("/console/casa/settings").text
    assert "data-paid" not in mara.get("/console/casa/tracking").text
    save(mara, cast.program, channel_signs=" TDUID : tradedoubler\r\n\r\ngclid: google_ads\r\ntduid: tradedoubler")
    cast.settle()
    assert cast.program.channel_signs == ["tduid: tradedoubler", "gclid: google_ads"]
    assert 'data-paid="tduid"' in text_of(mara.get("/console/casa/tracking"))
    save(mara, cast.program, channel_signs="")
    cast.settle()
    assert cast.program.channel_signs == []


def test_labels_for_web_analytics_are_off_until_the_usual_ones_are_saved(cast: Cast, mara: FlaskClient) -> None:
    url = "/console/casa/settings"
    assert cast.program.landing_labels == []
    assert f'href="{url}?labels=usual#s5"' in mara.get(url).text
    usual = text_of(mara.get(f"{url}?labels=usual"))
    assert "\n".join(labels.USUAL) in usual
    save(mara, cast.program, landing_labels="\r\n".join(labels.USUAL))
    cast.settle()
    assert cast.program.landing_labels == [*labels.USUAL]
    assert "Labels for web analytics: – → utm_source={program}, utm_medium=affiliate" in text_of(
        mara.get("/console/casa/history")
    )
    assert "utm_source={program}" in text_of(mara.get(f"{url}/overview"))


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("name", "", "Write a name"),
        ("shop_url", "htp:/casa-ondera", "This is not a full address."),
        ("allowed_hosts", "https://shop.example/x", "Write the host alone"),
        ("allowed_hosts", "elsewhere.example", "The shop's own host is missing"),
        ("payout_min", "1.005", "Write an amount"),
        ("validation_days", "many", "Not a valid integer value"),
        ("accent", "#f0c36b", "Text in this colour could not be read."),
        ("click_parameter", "Aff Click", "Use small letters"),
        ("fallback_url", "nowhere", "This is not a full address."),
        ("channel_signs", "gclid means google", "Write one sign a line"),
        ("landing_labels", "utm_source={click}", "This macro is not known."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_stays_typed(
    cast: Cast, mara: FlaskClient, field: str, typed: str, told: str
) -> None:
    response = save(mara, cast.program, **{field: typed})
    page = text_of(response)
    assert response.status_code == 422
    assert told in page
    assert f'href="#{field}"' in page
    assert typed in page
    assert cast.session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "program.update")).all() == []


def test_a_colour_that_is_too_light_gets_a_suggestion(cast: Cast, mara: FlaskClient) -> None:
    assert "The nearest shade that can be read: #" in text_of(save(mara, cast.program, accent="#f0c36b"))


def test_two_people_do_not_overwrite_one_another(cast: Cast, mara: FlaskClient) -> None:
    old = settings_of(cast.program, name="Second")
    save(mara, cast.program, name="First")
    page = mara.post("/console/casa/settings", data=old, follow_redirects=True)
    assert "Somebody else changed these settings in between." in text_of(page)
    cast.settle()
    assert cast.program.name == "First"


def test_a_time_that_no_page_of_ours_held_is_no_fault(cast: Cast, mara: FlaskClient) -> None:
    for number, seen_at in enumerate(NO_MOMENTS):
        answer = save(mara, cast.program, name=f"Name {number}", seen_at=seen_at)
        assert "Settings saved." in text_of(answer)


def test_a_draft_goes_live_only_with_a_goal(cast: Cast, mara: FlaskClient) -> None:
    cast.program.status = ProgramStatus.DRAFT
    cast.session.commit()
    assert "Before the program goes live" in text_of(mara.get("/console/casa/"))
    live = lambda: text_of(mara.post("/console/casa/settings/live", follow_redirects=True))  # noqa: E731 - used twice
    assert "A program goes live with at least one goal." in live()
    goal = {"metric": "sales", "target": "100", "starts_on": "2026-11-01", "last_on": "2026-11-30"}
    assert "Goal added: Sales, 100." in text_of(mara.post("/console/casa/goals", data=goal, follow_redirects=True))
    assert "Casa Ondera is live" in live()
    assert "Before the program goes live" not in text_of(mara.get("/console/casa/"))
    assert "is paused" in text_of(mara.post("/console/casa/settings/pause", follow_redirects=True))
    cast.settle()
    assert cast.program.status is ProgramStatus.PAUSED
