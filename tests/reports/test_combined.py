"""Rows that combine several things: which, how days join, and what happens when there are too many."""

from datetime import UTC, datetime

import pytest

from affiliate.reports import combined
from affiliate.reports.asked import By

ONE = (1, 1, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["day", "link"], (By.DAY, By.LINK)),
        (["sub", "link"], (By.LINK, By.SUB)),
        (["sub10", "link", "sub2", "sub"], (By.LINK, By.SUB, By.SUB2, By.SUB10)),
        (["sub11", "link"], None),
        (["link"], None),
        (["day", "link", "sub", "country", "device"], None),
        (["link", "partner"], None),
        (["link", "colour"], None),
        ([], None),
    ],
)
def test_two_to_four_things_are_combined_in_the_order_of_the_columns(
    names: list[str], expected: tuple[By, ...] | None
) -> None:
    assert combined.chosen(names, possible=combined.OF_PARTNER) == expected


@pytest.mark.parametrize(("minute", "hour"), [(0, 10), (1, 11), (30, 11)])
def test_a_day_begins_with_the_next_whole_hour(minute: int, hour: int) -> None:
    assert combined.whole_hour(datetime(2026, 11, 1, 10, minute, tzinfo=UTC)).hour == hour


def test_equal_labels_add_up_and_what_has_no_room_counts_together() -> None:
    rows = [
        (("a", "x"), ONE),
        (("b", "x"), ONE),
        (("a", "x"), (2, 1, 1, 500, 50, 0)),
        (("c", "x"), ONE),
        (("d", "x"), ONE),
    ]
    assert combined.fold(rows, room=2) == {
        ("a", "x"): (3, 2, 1, 500, 50, 0),
        ("b", "x"): ONE,
        (combined.OTHERS, combined.OTHERS): (2, 2, 0, 0, 0, 0),
    }


def test_a_day_grows_rows_that_are_there_and_adds_new_ones() -> None:
    known = combined.key_of(("a",))
    joined = combined.join({("a",): ONE, ("b",): ONE}, known=[known], rows=1)
    assert joined.grown == {known: ONE}
    assert joined.new == {combined.key_of(("b",)): (("b",), ONE)}


def test_beyond_the_most_rows_new_ones_count_in_one_row_of_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(combined, "ROWS_MAX", 2)
    others = (combined.OTHERS,)
    key = combined.key_of(others)
    day = {("b",): ONE, ("c",): (9, 9, 0, 0, 0, 0), ("d",): ONE, others: ONE}
    joined = combined.join(day, known=[], rows=1)
    assert joined.new == {combined.key_of(("c",)): (("c",), (9, 9, 0, 0, 0, 0)), key: (others, (3, 3, 0, 0, 0, 0))}
    again = combined.join(day, known=[key, combined.key_of(("c",))], rows=2)
    assert again.new == {}
    assert again.grown == {combined.key_of(("c",)): (9, 9, 0, 0, 0, 0), key: (3, 3, 0, 0, 0, 0)}
