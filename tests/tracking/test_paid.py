"""What an address says of advertising."""

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
