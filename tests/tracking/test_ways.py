"""What is worked out of a link beforehand: nothing of it may outlive what it follows from."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tracking_cast import CLICK_ID, KEYS, NOW, PROGRAM_ID, VISITOR_ID, link, program, request, view

from affiliate import signing
from affiliate.tracking import keys, ways
from affiliate.tracking.codec import ClickEvent
from affiliate.tracking.decide import decide
from affiliate.tracking.facts import View
from affiliate.tracking.keys import Keys


def state_seen(known: View, after: timedelta = timedelta()) -> str:
    """What a click finds."""
    decision = decide(request(), known, KEYS, now=NOW + after, click_id=CLICK_ID, fresh_visitor_id=lambda: VISITOR_ID)
    assert isinstance(decision.event, ClickEvent)
    return decision.event.link_state


def test_a_link_that_was_clicked_still_ends_at_its_term() -> None:
    known = view(link_facts=link(expires_at=NOW + timedelta(minutes=1)))
    assert state_seen(known) == "active"
    assert state_seen(known, timedelta(minutes=1)) == "link_expired"


def test_a_new_view_knows_nothing_of_the_old_ones_ways() -> None:
    known = view()
    assert state_seen(known) == "active"
    assert state_seen(replace(known, programs={PROGRAM_ID: program(is_live=False)})) == "program_inactive"


def test_other_keys_sign_anew() -> None:
    known, others = view(), Keys.of("another-secret-that-only-tests-know-012345")
    for each in (KEYS, others, KEYS):
        way = ways.way_of("anna", known, each)
        assert way is not None
        token = way.home.click_token(CLICK_ID)
        assert signing.read_click_token(each.click, token, program_id=PROGRAM_ID) == CLICK_ID


@given(st.uuids())
def test_tokens_begun_once_are_those_made_one_by_one(identifier: UUID) -> None:
    click = signing.click_tokens(KEYS.click, program_id=PROGRAM_ID)
    visitor = keys.visitor_tokens(KEYS, program_id=PROGRAM_ID)
    assert click(identifier) == signing.click_token(KEYS.click, program_id=PROGRAM_ID, click_id=identifier)
    assert visitor(identifier) == keys.visitor_token(KEYS, program_id=PROGRAM_ID, visitor_id=identifier)


def test_no_more_ways_are_kept_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "WAYS_MAX", 3)
    known = replace(view(), links={f"code{number}": link() for number in range(5)})
    for code in (*known.links, "nobody"):
        ways.way_of(code, known, KEYS)
        assert len(known.ways) <= 3
    assert "nobody" not in known.ways
