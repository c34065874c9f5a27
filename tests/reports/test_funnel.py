"""Funnels as shares: each stage against the one before it, and what a shop that does not tell its steps sees."""

import pytest

from affiliate.reports.funnel import Funnel, Stage, incomplete, lines


def shares(funnel: Funnel) -> list[tuple[int | None, int | None, int | None, int | None]]:
    """Number, share of the visits, share of the stage before, and what was abandoned, for each stage."""
    return [(line.number, line.of_visits_bps, line.of_before_bps, line.abandoned_bps) for line in lines(funnel)]


def test_each_stage_is_a_share_of_the_one_before() -> None:
    funnel = Funnel(visit=200, product=100, cart=50, checkout=20, order=10, kept=4, waiting=3)
    assert shares(funnel) == [
        (200, 100_00, None, None),
        (100, 50_00, 50_00, 50_00),
        (50, 25_00, 50_00, 50_00),
        (20, 10_00, 40_00, 60_00),
        (10, 5_00, 50_00, 50_00),
        (4, 2_00, 57_14, 42_86),  # of the seven that are validated
    ]
    assert [line.left for line in lines(funnel)] == [None, 100, 50, 30, 10, 3]


def test_without_any_step_told_orders_are_held_against_visits() -> None:
    found = shares(Funnel(visit=100, order=10, kept=10))
    assert found[1:4] == [(None, None, None, None)] * 3
    assert found[4:] == [(10, 10_00, 10_00, 90_00), (10, 10_00, 100_00, 0)]


def test_a_step_that_some_pages_do_not_tell_is_passed_over_and_named() -> None:
    funnel = Funnel(visit=100, product=50, cart=20, checkout=5, order=10)
    assert incomplete(funnel) == [Stage.CHECKOUT]
    assert shares(funnel)[4] == (10, 10_00, 50_00, 50_00)
    assert shares(Funnel(visit=100, product=50, cart=20, order=10))[3] == (None, None, None, None)


def test_a_step_where_nobody_came_is_a_zero_and_no_gap() -> None:
    assert shares(Funnel(visit=100, product=50, cart=20))[3:5] == [(0, 0, 0, 100_00), (0, 0, 0, 100_00)]
    assert incomplete(Funnel(visit=100, product=50, cart=20)) == []


@pytest.mark.parametrize("funnel", [Funnel(), Funnel(order=3, kept=1)], ids=["nothing", "orders-without-visits"])
def test_nothing_is_divided_by_nothing(funnel: Funnel) -> None:
    assert [line.of_visits_bps for line in lines(funnel)] == [None] * 6
    assert lines(funnel)[4].of_before_bps is None
