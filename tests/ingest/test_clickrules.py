"""Which clicks count, rule by rule, each with the innocent twin that must pass."""

from datetime import timedelta
from typing import Any

import pytest
from event_cast import LINK_ID, NOW, click, numbered
from hypothesis import given
from hypothesis import strategies as st

from affiliate.ingest import clickrules
from affiliate.ingest.clickrules import REPEAT_TERM, RETENTION, RULES, Arrival, ClickVerdict

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, ClickVerdict.VALID),
        ({"occurred_at": NOW - RETENTION}, ClickVerdict.PAST_RETENTION),
        ({"occurred_at": NOW - RETENTION + timedelta(seconds=1)}, ClickVerdict.VALID),
        ({"method": "HEAD"}, ClickVerdict.HEAD),
        ({"method": "POST", "source": "tag"}, ClickVerdict.VALID),
        ({"purpose": "prefetch"}, ClickVerdict.PREFETCH),
        ({"purpose": "prefetch;prerender"}, ClickVerdict.PREFETCH),
        ({"purpose": "Preview"}, ClickVerdict.PREFETCH),
        ({"purpose": ""}, ClickVerdict.VALID),
        ({"fetch_dest": "image"}, ClickVerdict.EMBEDDED),
        ({"fetch_dest": "iframe"}, ClickVerdict.EMBEDDED),
        ({"fetch_dest": "empty"}, ClickVerdict.EMBEDDED),
        ({"fetch_dest": "empty", "source": "tag"}, ClickVerdict.VALID),
        ({"fetch_dest": None}, ClickVerdict.VALID),
        ({"user_agent": GOOGLEBOT}, ClickVerdict.BOT),
        ({"user_agent": "curl/8.5.0"}, ClickVerdict.BOT),
        ({"user_agent": None}, ClickVerdict.BOT),
        ({"is_own_team": True}, ClickVerdict.OWN_TEAM),
        ({"is_own_team": True, "user_agent": GOOGLEBOT}, ClickVerdict.BOT),
        ({"is_test": True, "user_agent": None, "link_state": "link_paused"}, ClickVerdict.TEST),
        ({"link_state": "program_inactive"}, ClickVerdict.PROGRAM_INACTIVE),
        ({"link_state": "partner_inactive"}, ClickVerdict.PARTNER_INACTIVE),
        ({"link_state": "link_paused"}, ClickVerdict.LINK_PAUSED),
        ({"link_state": "link_expired"}, ClickVerdict.LINK_EXPIRED),
    ],
)
def test_a_click_gets_the_verdict_of_the_first_rule_against_it(changes: dict[str, Any], verdict: ClickVerdict) -> None:
    assert clickrules.verdict(click(**changes), now=NOW) == verdict


def test_every_verdict_has_its_rule() -> None:
    by_rule = {reason for reason, _ in RULES}
    assert by_rule | {ClickVerdict.VALID, ClickVerdict.DUPLICATE} == set(ClickVerdict)


def test_a_bot_that_only_asks_for_the_head_is_counted_under_head() -> None:
    assert clickrules.verdict(click(method="HEAD", user_agent=GOOGLEBOT), now=NOW) == ClickVerdict.HEAD


def arrival(number: int, *, seconds: float, address: str | None = "a", **changes: Any) -> Arrival:
    at = NOW + timedelta(seconds=seconds)
    values: dict[str, Any] = {"link_id": LINK_ID, "visitor_id": None, "user_agent": "ua", "occurred_at": at}
    return Arrival(click_id=numbered(number), address_hash=address, **values | changes)


def test_the_second_arrival_within_the_term_is_a_repeat() -> None:
    assert clickrules.repeats([arrival(1, seconds=0), arrival(2, seconds=9.999)]) == {numbered(2)}


def test_the_term_is_half_open() -> None:
    assert clickrules.repeats([arrival(1, seconds=0), arrival(2, seconds=REPEAT_TERM.total_seconds())]) == set()


def test_a_repeat_of_a_repeat_is_a_repeat() -> None:
    arrivals = [arrival(number, seconds=number * 6) for number in range(4)]
    assert clickrules.repeats(arrivals) == {numbered(1), numbered(2), numbered(3)}


def test_another_link_visitor_or_browser_makes_no_repeat() -> None:
    others = [
        arrival(1, seconds=0, visitor_id=numbered(71), address=None),
        arrival(2, seconds=1, visitor_id=numbered(72), address=None),
        arrival(3, seconds=2, visitor_id=numbered(71), address=None, link_id=numbered(9)),
        arrival(4, seconds=3, address="a", user_agent="one"),
        arrival(5, seconds=4, address="a", user_agent="two"),
        arrival(6, seconds=5, address=None),
        arrival(7, seconds=6, address=None),
    ]
    assert clickrules.repeats(others) == set()


def test_a_visitor_is_known_again_from_another_address() -> None:
    arrivals = [
        arrival(1, seconds=0, visitor_id=numbered(7)),
        arrival(2, seconds=1, visitor_id=numbered(7), address="b"),
    ]
    assert clickrules.repeats(arrivals) == {numbered(2)}


moments = st.lists(st.tuples(st.integers(0, 60), st.sampled_from("ab")), max_size=12)


@given(moments, st.randoms())
def test_repeats_do_not_depend_on_the_order_of_arrival(drawn: Any, random: Any) -> None:
    arrivals = [arrival(number, seconds=at, address=address) for number, (at, address) in enumerate(drawn)]
    shuffled = random.sample(arrivals, len(arrivals))
    assert clickrules.repeats(shuffled) == clickrules.repeats(arrivals)


@given(moments, st.integers(0, 12))
def test_more_arrivals_never_make_fewer_repeats(drawn: Any, known: int) -> None:
    arrivals = [arrival(number, seconds=at, address=address) for number, (at, address) in enumerate(drawn)]
    assert clickrules.repeats(arrivals[:known]) <= clickrules.repeats(arrivals)
