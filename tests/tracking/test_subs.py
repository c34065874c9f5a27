"""Sub ids: whatever a network calls them, they arrive as sub1 to sub10."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affiliate.tracking import subs

OWN = [f"sub{number}" for number in range(1, 11)]
NAMES = st.sampled_from([*subs.ALIASES, "utm_source", "SUB1", "subId2", "colour"])


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("sub1", "sub1"),
        ("sub10", "sub10"),
        ("SUB3", "sub3"),
        ("aff_sub", "sub1"),
        ("aff_sub5", "sub5"),
        ("subId2", "sub2"),
        ("clickref", "sub1"),
        ("clickref6", "sub6"),
        ("param4", "sub4"),
        ("sid", "sub1"),
        ("u1", "sub1"),
        ("epi", "sub1"),
        ("afftrack", "sub1"),
        ("sharedid", "sub4"),
    ],
)
def test_each_alias_means_a_sub_id(name: str, means: str) -> None:
    assert subs.normalised([(name, "label")]) == {means: "label"}


@pytest.mark.parametrize("name", ["sub11", "sub0", "sub", "clickref7", "aff_sub6", "utm_source", "subs1"])
def test_other_names_are_no_sub_ids(name: str) -> None:
    assert subs.normalised([(name, "label")]) == {}


def test_our_own_name_wins_over_an_alias_wherever_it_stands() -> None:
    assert subs.normalised([("clickref", "alias"), ("sub1", "own")]) == {"sub1": "own"}
    assert subs.normalised([("sub1", "own"), ("clickref", "alias")]) == {"sub1": "own"}


def test_the_first_of_two_equal_names_counts() -> None:
    assert subs.normalised([("sub2", "first"), ("sub2", "second")]) == {"sub2": "first"}


@given(st.lists(st.tuples(NAMES, st.text(max_size=400)), max_size=30))
def test_whatever_comes_in_only_ten_short_printable_labels_come_out(parameters: list[tuple[str, str]]) -> None:
    found = subs.normalised(parameters)
    assert set(found) <= set(OWN)
    assert all(0 < len(label) <= subs.SUB_LENGTH_MAX and label.isprintable() for label in found.values())


@given(st.lists(st.tuples(NAMES, st.text(min_size=1, max_size=20)), max_size=10), st.sampled_from(OWN))
def test_a_label_under_our_own_name_is_never_lost(others: list[tuple[str, str]], name: str) -> None:
    assert subs.normalised([(name, "kept"), *others])[name] == "kept"
