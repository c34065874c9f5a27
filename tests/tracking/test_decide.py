"""The decision about a click: where it leads, which cookie it sets, what it records."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tracking_cast import (
    CLICK_ID,
    COOKIE_NAME,
    KEYS,
    LINK_ID,
    NOW,
    PARTNER_ID,
    PROGRAM_ID,
    VISITOR_ID,
    link,
    program,
    request,
    view,
)

from affiliate import ids, signing
from affiliate.programs import labels
from affiliate.tracking import reading
from affiliate.tracking.codec import ClickEvent, RejectedEvent, decode, encode
from affiliate.tracking.decide import Decision, decide
from affiliate.tracking.facts import View
from affiliate.tracking.keys import stamp, team_cookie, visitor_token
from affiliate.tracking.network import Networks

PARTNER = ids.public("ptn", PARTNER_ID)
TOKEN = signing.click_token(KEYS.click, program_id=PROGRAM_ID, click_id=CLICK_ID)
CONSENTING = view(of=program(cookie_by_default=True))


def decided(known: View | None = None, **changes: Any) -> Decision:
    """The decision about a request for the link `anna`."""
    return decide(
        request(**changes), known or view(), KEYS, now=NOW, click_id=CLICK_ID, fresh_visitor_id=lambda: VISITOR_ID
    )


def recorded(decision: Decision) -> ClickEvent:
    """The click of a decision."""
    assert isinstance(decision.event, ClickEvent)
    return decision.event


def test_a_click_leads_to_the_landing_page_with_its_query_and_the_click_id() -> None:
    decision = decided()
    assert decision.status == 302
    assert decision.location == f"https://www.shop.example/shoes?colour=red&aff_click={TOKEN}#new"


def test_a_click_is_recorded_with_its_facts() -> None:
    click = recorded(decided(query="sub1=newsletter&clickref2=top"))
    assert (click.click_id, click.program_id, click.partner_id, click.link_id) == (
        CLICK_ID,
        PROGRAM_ID,
        PARTNER_ID,
        LINK_ID,
    )
    assert click.occurred_at == NOW
    assert click.link_state == "active"
    assert click.subs == {"sub1": "newsletter", "sub2": "top"}
    assert click.landing_url == "https://www.shop.example/shoes?colour=red#new"
    assert click.referrer == "https://blog.example/"
    assert click.address_prefix == "203.0.113.0/24"
    assert "203.0.113.77" not in str(click)


def test_a_click_carries_what_the_request_tells_of_advertising_consent_and_origin() -> None:
    known = replace(view(), networks=Networks(lists={"datacentre": ["203.0.113.0/24"]}, country_of=lambda _: "IT"))
    query = "gclid=g1&utm_medium=cpc&creative=b7&cons=1"
    click = recorded(decided(known, query=query, fetch_site="cross-site", fetch_user="?1", fetch_mode="navigate"))
    assert (click.ad_ids, click.utm, click.creative) == ({"gclid": "g1"}, {"medium": "cpc"}, "b7")
    assert (click.country, click.network, click.consent) == ("IT", "datacentre", "given")
    assert (click.fetch_site, click.fetch_user, click.fetch_mode) == ("cross-site", "?1", "navigate")


def test_what_the_visitor_says_about_consent_is_recorded_and_decides_about_the_cookie() -> None:
    assert (recorded(decided()).consent, decided().cookie) == ("none", None)
    assert recorded(decided(CONSENTING)).consent == "default"
    refused = decided(CONSENTING, query="gdpr=1&gdpr_consent=nothing")
    assert (recorded(refused).consent, recorded(refused).visitor_id, refused.cookie) == ("refused", None, None)


def test_a_browser_of_the_programs_own_team_is_marked_by_our_cookie_alone() -> None:
    name, value = team_cookie(program(), KEYS)
    assert recorded(decided(cookies=f"a=b; {name}={value}")).is_own_team
    assert not recorded(decided(cookies=f"{name}=made-up; x={value}")).is_own_team
    assert not recorded(decided()).is_own_team


def test_a_click_of_the_installation_itself_is_marked_by_a_fresh_signature_that_does_not_travel_on() -> None:
    token = stamp(KEYS.test, program_id=PROGRAM_ID, now=NOW)
    decision = decided(query=f"aff_test={token}")
    assert recorded(decision).is_test
    assert "aff_test" not in str(decision.location)
    stale = stamp(KEYS.test, program_id=PROGRAM_ID, now=NOW - timedelta(minutes=5))
    foreign = stamp(KEYS.test, program_id=LINK_ID, now=NOW)
    for wrong in (stale, foreign, "", "made-up", "9" * 40 + ".x", token[:-1], "١٢٣.x"):
        assert not recorded(decided(query=f"aff_test={quote(wrong)}")).is_test


def test_the_name_of_the_click_parameter_is_the_programs() -> None:
    known = view(of=program(click_parameter="irclickid"))
    assert f"irclickid={TOKEN}" in str(decided(known).location)


def test_an_old_click_id_in_the_landing_page_or_the_address_is_replaced() -> None:
    known = view(link_facts=link(landing_url="https://www.shop.example/?aff_click=old"))
    assert decided(known, query="aff_click=made-up").location == f"https://www.shop.example/?aff_click={TOKEN}"


def test_other_parameters_of_the_address_travel_on_and_do_not_overwrite_the_landing_page() -> None:
    location = str(decided(query="utm_source=blog+post&colour=blue&sub1=x&gclid=1").location)
    assert parse_qsl(urlsplit(location).query) == [
        ("colour", "red"),
        ("utm_source", "blog post"),
        ("gclid", "1"),
        ("aff_click", TOKEN),
    ]


LABELLED = program(
    landing_labels=(*labels.USUAL, "utm_id=é {program}/{sub2}", "aff_click=x"), allowed_hosts=("www.shop.example",)
)


@pytest.mark.parametrize(
    ("query", "changes", "told"),
    [
        ("", {}, f"colour=red&utm_source=ondera&utm_medium=affiliate&utm_campaign=anna&utm_content={PARTNER}"),
        ("sub1=a%26b%20c&sub2=%C3%A9", {}, f"colour=red&utm_source=ondera&utm_medium=affiliate&utm_campaign=anna&utm_content={PARTNER}&utm_term=a%26b%20c&utm_id=%C3%A9%20ondera%2F%C3%A9"),
        ("", {"subs": {"sub1": "own"}, "landing_url": "https://www.shop.example/?utm_source=mine&utm_content="}, "utm_source=mine&utm_content=&utm_medium=affiliate&utm_campaign=anna&utm_term=own"),
        ("utm_medium=video", {}, f"colour=red&utm_medium=video&utm_source=ondera&utm_campaign=anna&utm_content={PARTNER}"),
        ("url=https://www.shop.example/pans?utm_campaign=deep", {}, f"utm_campaign=deep&utm_source=ondera&utm_medium=affiliate&utm_content={PARTNER}"),
        ("", {"is_paused": True}, "colour=red"),
    ],
)  # fmt: skip
def test_an_address_carries_the_programs_labels_and_keeps_those_that_it_has(
    query: str, changes: dict[str, Any], told: str
) -> None:
    decision = decided(view(of=LABELLED, link_facts=link(**changes)), query=query)
    assert urlsplit(decision.location or "").query == f"{told}&aff_click={TOKEN}"
    assert "ondera" not in recorded(decision).landing_url + str(recorded(decision).utm)  # nothing of them is recorded


def test_labels_by_long_sub_ids_are_left_out_and_the_address_stays_short() -> None:
    long = {f"sub{number}": "Ż" * 255 for number in (1, 2)}
    decision = decided(view(of=LABELLED, link_facts=link(subs=long)))
    named = {pair.partition("=")[0] for pair in urlsplit(decision.location or "").query.split("&")}
    assert {"utm_source", "utm_campaign", "aff_click"} <= named
    assert "utm_term" not in named
    assert recorded(decision).subs == long


def test_the_links_own_sub_ids_stand_unless_the_address_says_otherwise() -> None:
    known = view(link_facts=link(subs={"sub1": "of the link", "sub2": "kept"}))
    assert recorded(decided(known, query="sub1=of+the+address")).subs == {"sub1": "of the address", "sub2": "kept"}


@pytest.mark.parametrize(
    "wanted",
    [
        "https://shop.example/sale",
        "https://www.shop.example/sale?size=42#top",
        "http://WWW.shop.example/sale",
        "shop.example/sale",
    ],
)
def test_a_deep_link_to_an_allowed_host_is_followed(wanted: str) -> None:
    click = recorded(decided(query=f"url={quote(wanted, safe='')}"))
    assert click.landing_url.endswith(wanted.partition("://")[2] or wanted)


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/",
        "https://shop.example@evil.example/",
        "https://shop.example\\@evil.example/",
        "https://evil.example\\.shop.example/",
        "https:/\\evil.example/",
        "https://shop.example.evil.example/",
        "https://shop.example%2eevil.example/",
        "https://ѕhop.example/",
        "https://shop.example:8443/",
        "https://sh\top.example/",
        "java\nscript:alert(1)",
        "javascript:alert(1)",
        "data:text/html,x",
        "/sale",
        "",
        "https://shop.example/" + "a" * 2_000,
    ],
)
def test_a_refused_deep_link_leads_to_the_links_own_page(wanted: str) -> None:
    decision = decided(query=f"url={quote(wanted, safe='')}")
    assert recorded(decision).landing_url == "https://www.shop.example/shoes?colour=red#new"
    assert str(decision.location).startswith("https://www.shop.example/shoes?")


@given(st.text(max_size=60), st.sampled_from(["", "https://", "https://shop.example", "//", "http:\\\\", "https://a@"]))
def test_no_deep_link_ever_leaves_the_allowed_hosts(text: str, head: str) -> None:
    location = str(decided(query=f"url={quote(head + text, safe='')}").location)
    assert urlsplit(location).hostname in {"shop.example", "www.shop.example"}
    assert urlsplit(location).port in {None, 80, 443}


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=60), st.text(max_size=60))
def test_whatever_a_browser_sends_the_answer_is_an_address_that_a_header_can_carry(
    query: str, agent: str, cookies: str, purpose: str
) -> None:
    decision = decided(CONSENTING, query=query, user_agent=agent, referrer=agent, cookies=cookies, purpose=purpose)
    assert decision.status == 302
    assert all("\x21" <= character <= "\x7e" for character in str(decision.location))
    assert f"aff_click={TOKEN}" in str(decision.location)
    assert decode(encode(decision.event)) == decision.event


def test_a_landing_page_with_letters_of_other_alphabets_is_encoded_for_the_header() -> None:
    known = view(link_facts=link(landing_url="https://www.shop.example/żółte buty?q=ż"))
    location = str(decided(known).location)
    assert location.startswith("https://www.shop.example/%C5%BC%C3%B3%C5%82te%20buty?q=%C5%BC&aff_click=")


@pytest.mark.parametrize(
    ("known", "state"),
    [
        (view(of=program(is_live=False)), "program_inactive"),
        (view(approved=False), "partner_inactive"),
        (view(link_facts=link(is_paused=True)), "link_paused"),
        (view(link_facts=link(expires_at=NOW)), "link_expired"),
        (view(link_facts=link(expires_at=NOW + timedelta(seconds=1))), "active"),
    ],
)
def test_a_click_that_cannot_count_still_leads_on_and_says_why(known: View, state: str) -> None:
    decision = decided(known, query="cons=1")
    assert recorded(decision).link_state == state
    assert str(decision.location).startswith("https://www.shop.example/shoes?colour=red&aff_click=")
    assert (decision.cookie is not None) == (state == "active")


def test_a_click_that_cannot_count_leads_to_the_fallback_page_where_there_is_one() -> None:
    known = view(of=program(fallback_url="https://shop.example/over"), link_facts=link(is_paused=True))
    assert decided(known).location == f"https://shop.example/over?aff_click={TOKEN}"


def test_an_unknown_code_is_recorded_and_shown_as_not_found() -> None:
    decision = decided(code="nobody\x00" + "x" * 100)
    assert (decision.status, decision.location, decision.cookie) == (404, None, None)
    assert isinstance(decision.event, RejectedEvent)
    assert decision.event.reason == "unknown_link"
    assert decision.event.payload["code"].startswith("nobodyx")
    assert len(decision.event.payload["code"]) <= 40


def test_an_unknown_code_leads_to_the_fallback_page_of_the_only_program() -> None:
    only = view(of=program(fallback_url="https://shop.example/welcome"))
    assert decided(only, code="nobody").location == "https://shop.example/welcome"
    another = program(id=LINK_ID, slug="another")
    two = replace(only, programs={**only.programs, another.id: another})
    assert decided(two, code="nobody").status == 404


@pytest.mark.parametrize(
    ("by_default", "query", "has_opted_out", "is_known"),
    [
        (False, "", False, False),
        (False, "cons=1", False, True),
        (False, "cons=yes", False, False),
        (False, "cons=1", True, False),
        (True, "", False, True),
        (True, "cons=0", False, False),
        (True, "", True, False),
        (True, "cons=1", True, False),
    ],
)
def test_a_visitor_is_recognised_only_with_consent(
    *, by_default: bool, query: str, has_opted_out: bool, is_known: bool
) -> None:
    decision = decided(view(of=program(cookie_by_default=by_default)), query=query, has_opted_out=has_opted_out)
    assert (decision.cookie is not None) == is_known
    assert (recorded(decision).visitor_id is not None) == is_known


def test_the_cookie_lasts_for_the_attribution_window_and_is_hidden_from_scripts() -> None:
    value = visitor_token(KEYS, program_id=PROGRAM_ID, visitor_id=VISITOR_ID)
    assert decided(CONSENTING).cookie == f"{COOKIE_NAME}={value}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax"
    assert str(decided(CONSENTING, is_secure=True).cookie).endswith("; SameSite=Lax; Secure")


def test_a_known_visitor_stays_the_same_and_a_forged_one_becomes_a_new_one() -> None:
    value = visitor_token(KEYS, program_id=PROGRAM_ID, visitor_id=LINK_ID)
    assert recorded(decided(CONSENTING, cookies=f"a=b; {COOKIE_NAME}={value}; c=d")).visitor_id == LINK_ID
    assert recorded(decided(CONSENTING, cookies=f"{COOKIE_NAME}={value}x")).visitor_id == VISITOR_ID


def test_a_refusal_ends_the_cookie_and_silence_leaves_it() -> None:
    cookies = f"{COOKIE_NAME}=anything"
    assert str(decided(query="cons=0", cookies=cookies).cookie).startswith(f"{COOKIE_NAME}=; Path=/; Max-Age=0;")
    assert decided(query="cons=0").cookie is None
    assert decided(cookies=cookies).cookie is None


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "HEAD"},
        {"purpose": "prefetch;prerender"},
        {"fetch_dest": "image"},
        {"fetch_dest": "iframe"},
        {"fetch_dest": "empty"},
    ],
)
def test_what_no_person_opened_is_redirected_and_gets_no_cookie(changes: dict[str, str]) -> None:
    decision = decided(CONSENTING, **changes)
    assert decision.status == 302
    assert decision.cookie is None
    assert recorded(decision).visitor_id is None
    for name, value in changes.items():
        assert getattr(recorded(decision), name) == value


def test_a_long_user_agent_and_too_many_parameters_are_cut() -> None:
    decision = decided(user_agent="x" * 1_000, query="&".join(f"p{n}=1" for n in range(200)))
    assert len(str(recorded(decision).user_agent)) == 300
    assert decision.location == f"https://www.shop.example/shoes?colour=red&aff_click={TOKEN}#new"


@settings(deadline=None, max_examples=60)
@given(query=st.text(st.sampled_from("ab=&%2+ż"), max_size=20))
def test_queries_are_read_as_the_library_reads_them(query: str) -> None:
    assert reading.parameters_of(query) == parse_qsl(query, keep_blank_values=True)


def test_a_query_with_more_fields_than_anybody_needs_is_left_aside() -> None:
    for sign in ("&", "&+"):
        assert decided(query=sign.join(f"sub{number}=x" for number in range(500))).event.subs == {}


def test_at_a_programs_own_host_links_of_others_are_unknown() -> None:
    other = replace(
        program(), id=LINK_ID, slug="other", own_host="go.other.example", fallback_url="https://other.example/"
    )
    mine = replace(program(), own_host="go.shop.example")
    known = replace(
        view(of=mine), programs={PROGRAM_ID: mine, LINK_ID: other},
        hosts={"go.shop.example": PROGRAM_ID, "go.other.example": LINK_ID},
    )  # fmt: skip
    for host in ("go.shop.example", "GO.shop.example.:8443", "track.example", ""):
        assert recorded(decided(known, host=host)).link_id == LINK_ID, host
    strange = decided(known, host="go.other.example:443")
    assert isinstance(strange.event, RejectedEvent)
    assert (strange.status, strange.location) == (302, "https://other.example/")
