"""By what an address tells of another paid channel: lines that people write, and the first that fits."""

from typing import Any

import pytest

from affiliate.programs import signs

OURS = ("utm_campaign=spring*: search_ads", "tduid: tradedoubler", "utm_source=blog: paid_posts")


@pytest.mark.parametrize(
    ("parameters", "lines", "channel"),
    [
        ({"gclid": "1"}, signs.DEFAULT, ("google_ads", "gclid")),
        ({"utm_medium": "email", "msclkid": "1"}, signs.DEFAULT, ("microsoft_ads", "msclkid")),
        ({"awc": "1"}, signs.DEFAULT, ("awin", "awc")),
        ({"fbclid": "1"}, signs.DEFAULT, None),  # every link out of Facebook has one
        ({"fbclid": "1", "utm_medium": " Paid_Social"}, signs.DEFAULT, ("paid_social", "utm_medium")),
        ({"utm_medium": "cpc"}, signs.DEFAULT, ("search_ads", "utm_medium")),
        ({"utm_medium": "organic"}, signs.DEFAULT, None),
        ({}, signs.DEFAULT, None),
        ({"gclid": "1"}, OURS, None),  # what a program says stands in the place of the usual
        ({"gclid": "1"}, (), None),
        ({"tduid": "x"}, OURS, ("tradedoubler", "tduid")),
        ({"tduid": "x", "utm_campaign": "Spring-Sale"}, OURS, ("search_ads", "utm_campaign")),  # the first that fits
        ({"utm_campaign": "late-spring"}, OURS, None),
        ({"utm_source": "blogger"}, OURS, None),  # no star: the whole value
        ({"tduid": ""}, OURS, None),
        ({"tduid": "x"}, ("not a line", "tduid: tradedoubler"), ("tradedoubler", "tduid")),
    ],
)
def test_the_first_line_that_fits_names_the_channel(
    parameters: dict[str, str], lines: tuple[str, ...], channel: Any
) -> None:
    assert signs.channel(parameters, lines) == channel


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("gclid:google_ads", "gclid: google_ads"),
        ("  UTM_Medium = CPC  :  Search_Ads ", "utm_medium=cpc: search_ads"),
        ("utm_campaign=spring  sale*: search_ads", "utm_campaign=spring sale*: search_ads"),
    ],
)
def test_a_line_is_stored_in_one_spelling(typed: str, stored: str) -> None:
    assert signs.clean(typed) == stored
    assert signs.is_sign(stored)


@pytest.mark.parametrize(
    "line",
    ["", "gclid", ": google_ads", "gclid:", "gclid=: google_ads", "2gclid: x", "a b: x", "a: x y", "a=b=c: d", "a=b&c: d",
     f"{'a' * 41}: x", f"a: {'x' * 41}", f"a={'b' * 81}: x", "gclid: google_ads\n"],
)  # fmt: skip
def test_what_is_no_sign_is_none(line: str) -> None:
    assert not signs.is_sign(line)


def test_all_that_a_program_begins_with_can_be_read_and_is_reported_by_the_tag() -> None:
    assert all(map(signs.is_sign, signs.DEFAULT))
    assert [signs.clean(line) for line in signs.DEFAULT] == [*signs.DEFAULT]
    assert signs.foreign(signs.DEFAULT) == []
    assert signs.foreign(OURS) == ["tduid"]
