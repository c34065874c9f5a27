"""Addresses that links may point to: what people write, and what attackers write."""

import re

import pytest
from ada_url import URL
from hypothesis import example, given
from hypothesis import strategies as st

from affiliate.links.hosts import LandingProblem, completed, host_of, landing_problem

ALLOWED = ["shop.example", "www.shop.example", "shop.localhost:8001"]


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example",
        "https://shop.example/",
        "HTTPS://Shop.Example/Pans",
        "http://www.shop.example/pans?size=26&colour=red#reviews",
        "https://shop.example:443/",
        "http://shop.example:80/",
        "http://shop.localhost:8001/product/1",
        "https://shop.example?sale=1",
        "https://shop.example#@other.example",
        "https://shop.example/@maker//other.example",
        "https://shop.example/%2e%2e/caf%C3%A9",
        "https://shop.example/?next=https://other.example",
    ],
)
def test_an_address_of_the_shop_is_allowed(url: str) -> None:
    assert landing_problem(url, ALLOWED) is None


HOSTILE = [
    ("", LandingProblem.EMPTY),
    ("   ", LandingProblem.EMPTY),
    ("https://shop.example/" + "a" * 2000, LandingProblem.TOO_LONG),
    ("https://shop.example\t.other.example/", LandingProblem.CONTROL_CHARACTER),
    ("https://other.\nexample/", LandingProblem.CONTROL_CHARACTER),
    ("java\nscript:alert(1)", LandingProblem.CONTROL_CHARACTER),
    (" https://shop.example/", LandingProblem.CONTROL_CHARACTER),
    ("\x00https://shop.example/", LandingProblem.CONTROL_CHARACTER),
    ("https://shop.example/\r\nSet-Cookie: a=b", LandingProblem.CONTROL_CHARACTER),
    ("https://shop.example\x85/", LandingProblem.CONTROL_CHARACTER),
    ("https://shop.example\\@other.example/", LandingProblem.BACKSLASH),
    ("https:\\\\other.example", LandingProblem.BACKSLASH),
    ("https://other.example\\.shop.example/", LandingProblem.BACKSLASH),
    ("/\\other.example", LandingProblem.BACKSLASH),
    ("https://shор.example/", LandingProblem.NOT_ASCII),  # Cyrillic o and p
    ("https://shop.exam\uff50le/", LandingProblem.NOT_ASCII),
    ("https://shop\u3002example/", LandingProblem.NOT_ASCII),
    ("https://shop.example\u2044@other.example", LandingProblem.NOT_ASCII),
    ("https://shop.example/caf\u00e9", LandingProblem.NOT_ASCII),
    ("//shop.example/", LandingProblem.NOT_A_WEB_ADDRESS),
    ("shop.example", LandingProblem.NOT_A_WEB_ADDRESS),
    ("https:shop.example", LandingProblem.NOT_A_WEB_ADDRESS),
    ("https:/shop.example", LandingProblem.NOT_A_WEB_ADDRESS),
    ("https:///shop.example", LandingProblem.NOT_A_WEB_ADDRESS),
    ("https://", LandingProblem.NOT_A_WEB_ADDRESS),
    ("ftp://shop.example/", LandingProblem.NOT_A_WEB_ADDRESS),
    ("javascript://shop.example/%0aalert(1)", LandingProblem.NOT_A_WEB_ADDRESS),
    ("data:text/html,shop.example", LandingProblem.NOT_A_WEB_ADDRESS),
    ("blob:https://shop.example/", LandingProblem.NOT_A_WEB_ADDRESS),
    ("https://shop.example@other.example/", LandingProblem.CREDENTIALS),
    ("https://shop.example:443@other.example/", LandingProblem.CREDENTIALS),
    ("https://user:word@shop.example/", LandingProblem.CREDENTIALS),
    ("https://@shop.example/", LandingProblem.CREDENTIALS),
    ("https://other.example;@shop.example/", LandingProblem.CREDENTIALS),
    ("https://shop%2eexample/", LandingProblem.BAD_HOST),
    ("https://shop.example%2eother.example/", LandingProblem.BAD_HOST),
    ("https://shop.example%00.other.example/", LandingProblem.BAD_HOST),
    ("https://shop..example/", LandingProblem.BAD_HOST),
    ("https://.shop.example/", LandingProblem.BAD_HOST),
    ("https://shop.example./", LandingProblem.BAD_HOST),
    ("https://shop.example:/", LandingProblem.BAD_HOST),
    ("https://shop.example:0443/", LandingProblem.BAD_HOST),
    ("https://shop.example:99999/", LandingProblem.BAD_HOST),
    ("https://shop.example:8o/", LandingProblem.BAD_HOST),
    ("https://[::1]/", LandingProblem.BAD_HOST),
    ("https://[shop.example]/", LandingProblem.BAD_HOST),
    ("https://shop.example,other.example/", LandingProblem.BAD_HOST),
    ("https://shop.example;/", LandingProblem.BAD_HOST),
    ("https://-shop.example/", LandingProblem.BAD_HOST),
    ("https://other.example/", LandingProblem.HOST_NOT_ALLOWED),
    ("https://other.example/shop.example", LandingProblem.HOST_NOT_ALLOWED),
    ("https://other.example?shop.example", LandingProblem.HOST_NOT_ALLOWED),
    ("https://other.example#shop.example", LandingProblem.HOST_NOT_ALLOWED),
    ("https://shop.example.other.example/", LandingProblem.HOST_NOT_ALLOWED),
    ("https://evilshop.example/", LandingProblem.HOST_NOT_ALLOWED),
    ("https://pans.shop.example/", LandingProblem.HOST_NOT_ALLOWED),
    ("https://shop.example:8443/", LandingProblem.HOST_NOT_ALLOWED),
    ("http://shop.example:443/", LandingProblem.HOST_NOT_ALLOWED),
    ("http://shop.localhost/", LandingProblem.HOST_NOT_ALLOWED),
    ("https://0x7f000001/", LandingProblem.HOST_NOT_ALLOWED),
    ("https://2130706433/", LandingProblem.HOST_NOT_ALLOWED),
    ("https://xn--shp-vnd8h.example/", LandingProblem.HOST_NOT_ALLOWED),
]


@pytest.mark.parametrize(("url", "problem"), HOSTILE)
def test_a_hostile_address_is_refused_with_its_reason(url: str, problem: LandingProblem) -> None:
    assert landing_problem(url, ALLOWED) is problem


_PIECES = sorted({piece for url, _ in HOSTILE for piece in [*re.split(r"(\W)", url), "https://", "shop.example"]})


@given(st.lists(st.sampled_from(_PIECES), max_size=10).map("".join) | st.text(max_size=60))
@example("https://shop.example/")
@example("https://shop.example@other.example")
@example("https:\\\\other.example/https://shop.example")
def test_every_browser_reads_an_allowed_host_in_what_passes(text: str) -> None:
    """Against a parser of the standard that browsers follow: what we let through leads where we think it does."""
    url = completed(text)
    if landing_problem(url, ALLOWED) is None:
        read = URL(url)
        assert read.protocol in {"http:", "https:"}
        assert read.host in ALLOWED
        assert read.host == host_of(url)
        assert (read.username, read.password) == ("", "")


@given(st.text(max_size=200))
def test_any_text_gets_an_answer_and_completing_it_twice_changes_nothing(text: str) -> None:
    once = completed(text)
    assert completed(once) == once
    landing_problem(once, ALLOWED)
    host_of(once)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (" https://shop.example/pans \n", "https://shop.example/pans"),
        ("shop.example/pans?size=26", "https://shop.example/pans?size=26"),
        ("shop.localhost:8001/p", "https://shop.localhost:8001/p"),
        ("https://shop.example/caffè?q=ragù", "https://shop.example/caff%C3%A8?q=rag%C3%B9"),
        ("https://shop.example/caff%C3%A8", "https://shop.example/caff%C3%A8"),
    ],
)
def test_what_people_paste_is_completed(typed: str, meant: str) -> None:
    assert completed(typed) == meant
    assert landing_problem(meant, ALLOWED) is None


def test_completing_never_repairs_a_disguised_host() -> None:
    for url, problem in HOSTILE:
        if problem in {LandingProblem.BACKSLASH, LandingProblem.CREDENTIALS, LandingProblem.BAD_HOST}:
            assert landing_problem(completed(url), ALLOWED) is not None


def test_the_message_can_name_the_host() -> None:
    assert host_of("https://Other.Example:8443/x") == "other.example:8443"
    assert host_of("https://other.example:443/x") == "other.example"
    assert host_of("https://a@b/") is None
    assert host_of("nonsense") is None
