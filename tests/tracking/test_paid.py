"""What an address says of advertising."""

from typing import Any

import pytest

from affiliate.tracking import paid


def test_ids_campaigns_and_the_creative_are_read_by_their_names() -> None:
    found = paid.facts([("GCLID", "g1"), ("utm_source", "blog"), ("utm_evil", "x"), ("a_bid", "b7"), ("colour", "red")])
    assert found == paid.AdFacts(creative="b7", ad_ids={"gclid": "g1"}, utm={"source": "blog"})


def test_our_own_name_of_a_creative_wins_and_the_first_of_equal_names_counts() -> None:
    found = paid.facts([("a_bid", "b7"), ("creative", "ours"), ("creative", "second"), ("gclid", ""), ("gclid", "g2")])
    assert (found.creative, found.ad_ids) == ("ours", {"gclid": "g2"})


def test_values_are_cut_and_cleaned() -> None:
    found = paid.facts([("gclid", "a\0b" + "c" * 1_000), ("creative", "x" * 100)])
    assert found.ad_ids["gclid"].startswith("abc")
    assert len(found.ad_ids["gclid"]) <= paid.VALUE_LENGTH_MAX
    assert len(found.creative or "") == paid.CREATIVE_LENGTH_MAX


@pytest.mark.parametrize(
    ("ad_ids", "utm", "channel"),
    [
        ({"gclid": "1"}, {}, ("google_ads", "gclid")),
        ({"msclkid": "1"}, {"medium": "email"}, ("microsoft_ads", "msclkid")),
        ({"awc": "1"}, {}, ("awin", "awc")),
        ({"fbclid": "1"}, {}, None),  # every link out of Facebook has one
        ({"fbclid": "1"}, {"medium": "Paid_Social"}, ("paid_social", "utm_medium")),
        ({}, {"medium": "cpc"}, ("search_ads", "utm_medium")),
        ({}, {"medium": "organic"}, None),
        ({}, {}, None),
    ],
)
def test_the_paid_channel_follows_from_the_facts(ad_ids: dict[str, str], utm: dict[str, str], channel: Any) -> None:
    assert paid.channel(ad_ids, utm) == channel
