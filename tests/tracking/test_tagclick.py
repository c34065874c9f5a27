"""Arrivals that the tag reports: an id that follows from the nonce, and the facts of a click."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tracking_cast import CLICK_ID, COOKIE_NAME, KEYS, LINK_ID, NOW, PROGRAM_ID, VISITOR_ID, link, program, view

from affiliate import ids, signing
from affiliate.programs import labels
from affiliate.tracking import tagclick
from affiliate.tracking.codec import ClickEvent, decode, encode
from affiliate.tracking.facts import ProgramFacts
from affiliate.tracking.keys import visitor_token
from affiliate.tracking.tagclick import Arrival, BadNonce

DAY_MS = 86_400_000
NOW_MS = int(NOW.timestamp() * 1000)
COOKIE = f"{COOKIE_NAME}={visitor_token(KEYS, program_id=PROGRAM_ID, visitor_id=VISITOR_ID)}"


def nonce(ago_ms: int = 0, random: str = "0123456789abcdef") -> str:
    """A nonce of the tag."""
    return f"{NOW_MS - ago_ms}.{random}"


def arrived(**changes: Any) -> ClickEvent:
    """The click of an arrival on the shop's front page."""
    values: dict[str, Any] = {
        "nonce": nonce(),
        "page_url": "https://www.shop.example/?ref=anna&sub1=blog",
        "referrer": "https://blog.example/",
        "address": "203.0.113.77",
        "user_agent": "Mozilla/5.0",
        "cookies": "",
        "has_opted_out": False,
    }
    return tagclick.click(Arrival(**values | changes), link(), program(), view(), KEYS, now=NOW)


def test_an_arrival_is_a_click_of_its_link_at_the_moment_of_the_nonce() -> None:
    click = arrived(nonce=nonce(60_000))
    assert (click.source, click.link_id, click.link_state) == ("tag", LINK_ID, "active")
    assert click.occurred_at == NOW - timedelta(minutes=1)
    assert click.subs == {"sub1": "blog"}
    assert click.address_prefix == "203.0.113.0/24"
    assert decode(encode(click)) == click


def test_an_arrival_carries_what_its_page_tells_of_advertising_and_consent() -> None:
    click = arrived(page_url="https://www.shop.example/?ref=anna&gclid=g1&utm_source=blog", consent=True)
    assert (click.ad_ids, click.utm, click.consent) == ({"gclid": "g1"}, {"source": "blog"}, "given")
    assert arrived().consent == "none"
    assert arrived(consent=True, has_opted_out=True).consent == "refused"
    assert arrived(consent=False, cookies=COOKIE).visitor_id is None


def test_the_address_of_the_page_is_kept_without_what_may_be_personal_in_it() -> None:
    assert arrived(page_url="https://www.shop.example/a/b?email=x#y").landing_url == "https://www.shop.example/a/b"


@pytest.mark.parametrize("url", ["", "javascript:alert(1)", "https://[", "https://a@b/", "//shop.example", "x" * 5_000])
def test_what_is_no_page_is_replaced_by_the_links_own(url: str) -> None:
    assert arrived(page_url=url).landing_url == link().landing_url


@given(st.integers(-5 * 60_000, 7 * DAY_MS), st.text("0123456789abcdef", min_size=8, max_size=64))
def test_the_same_nonce_has_the_same_id_with_the_layout_of_a_uuid7(ago_ms: int, random: str) -> None:
    sent = nonce(ago_ms, random)
    identifier = tagclick.click_id(program(), sent, now=NOW)
    assert identifier == tagclick.click_id(program(), sent, now=NOW)
    assert (identifier.version, identifier.variant) == (7, "specified in RFC 4122")
    assert int(ids.moment_of(identifier).timestamp() * 1000) == NOW_MS - ago_ms


def test_another_nonce_or_another_program_has_another_id() -> None:
    identifiers = {
        tagclick.click_id(program(), nonce(), now=NOW),
        tagclick.click_id(program(), nonce(random="f" * 16), now=NOW),
        tagclick.click_id(program(id=LINK_ID), nonce(), now=NOW),
    }
    assert len(identifiers) == 3


@pytest.mark.parametrize(
    "sent",
    [
        nonce(7 * DAY_MS + 1),
        nonce(-5 * 60_000 - 1),
        "9999999999999.0123456789abcdef",
        "0000000000000.0123456789abcdef",
        nonce(random="short"),
        nonce(random="x" * 65),
        nonce(random="ABCDEFGH"),
        "",
        "1763294400000",
        "١٧٦٣٢٩٤٤٠٠٠٠٠.0123456789abcdef",
        nonce() + "\n",
    ],
)
def test_a_nonce_of_another_shape_or_time_is_refused(sent: str) -> None:
    with pytest.raises(BadNonce):
        arrived(nonce=sent)


def test_a_visitor_who_opted_out_is_not_recognised() -> None:
    assert arrived(cookies=COOKIE).visitor_id == VISITOR_ID
    assert arrived(cookies=COOKIE, has_opted_out=True).visitor_id is None
    assert arrived().visitor_id is None


TOKEN = signing.click_token(KEYS.click, program_id=PROGRAM_ID, click_id=CLICK_ID)


def touched(click_token: str | None = TOKEN, *, of: ProgramFacts | None = None, **changes: Any) -> Any:
    """The touch of an arrival by an advertisement."""
    values: dict[str, Any] = {
        "nonce": nonce(60_000),
        "page_url": "https://www.shop.example/?gclid=g1&email=x",
        "referrer": "",
        "address": "203.0.113.77",
        "user_agent": "Mozilla/5.0",
        "cookies": "",
        "has_opted_out": False,
    }
    return tagclick.touch(Arrival(**values | changes), click_token, of or program(), KEYS, now=NOW)


def test_an_arrival_by_an_advertisement_is_a_touch_tied_to_the_click_before_it() -> None:
    touch = touched()
    assert (touch.channel, touch.evidence, touch.click_id) == ("google_ads", "gclid", CLICK_ID)
    assert touch.occurred_at == NOW - timedelta(minutes=1)
    assert decode(encode(touch)) == touch
    assert touched(None, cookies=COOKIE).visitor_id == VISITOR_ID


def test_each_program_says_by_what_it_knows_another_channel() -> None:
    ours = program(channel_signs=("tduid: tradedoubler",))
    assert touched(of=ours) is None
    found = touched(of=ours, page_url="https://www.shop.example/?TDUID=x&tduid=&gclid=g1")
    assert (found.channel, found.evidence) == ("tradedoubler", "tduid")


def test_what_our_own_redirect_wrote_into_an_address_is_no_other_channel() -> None:
    ours, page = (
        program(landing_labels=labels.USUAL),
        "https://www.shop.example/?utm_source=ondera&utm_medium=affiliate",
    )
    assert touched(page_url=page).channel == "affiliate"
    assert touched(of=ours, page_url=page) is None  # the shop took the click id out, and the labels stayed
    assert touched(of=ours, page_url=page.replace("ondera", "awin")).channel == "affiliate"
    assert touched(of=ours, page_url=f"{page}&gclid=g1").evidence == "gclid"


def test_a_touch_that_nothing_ties_to_an_order_is_none() -> None:
    assert touched(None) is None
    assert touched("clk_made-up.signature") is None
    assert touched(None, cookies=COOKIE, has_opted_out=True) is None
    assert touched(page_url="https://www.shop.example/?utm_medium=organic") is None


@pytest.mark.parametrize(
    ("referrer", "is_known"),
    [
        ("https://blog.example/post", True),
        ("https://WWW.blog.example", True),
        ("https://blog.example:8443/", False),
        ("https://other.blog.example/", False),
        ("https://blog.example@evil.example/", False),
        ("", False),
    ],
)
def test_a_partner_is_known_by_its_confirmed_site(referrer: str, *, is_known: bool) -> None:
    known = replace(view(), sites={(PROGRAM_ID, "blog.example"): "anna", (LINK_ID, "other.blog.example"): "anna"})
    arrival = Arrival(nonce(), "", referrer, "", "", "", has_opted_out=False)
    assert (tagclick.link_of(arrival, None, program(), known) is not None) is is_known
    assert tagclick.link_of(arrival, "nobody", program(), known) is None
