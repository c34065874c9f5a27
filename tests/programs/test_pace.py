"""Goals against the straight line and the season of the year before."""

from datetime import date

import pytest

from affiliate.programs import pace
from affiliate.programs.pace import Kind, Season, Span, State

NOVEMBER = (date(2026, 11, 1), date(2026, 12, 1))


def span(today: date) -> Span:
    return Span(*NOVEMBER, today)


@pytest.mark.parametrize(
    ("today", "asked"),
    [(date(2026, 10, 1), 0), (date(2026, 11, 1), 0), (date(2026, 11, 16), 50), (date(2026, 12, 24), 100)],
)
def test_the_straight_line_asks_for_its_part_of_the_days_that_are_over(today: date, asked: int) -> None:
    assert pace.straight_line(target=100, span=span(today)) == asked


@pytest.mark.parametrize(
    ("today", "reached", "state"),
    [
        (date(2026, 10, 31), 0, State.TO_COME),
        (date(2026, 11, 1), 0, State.ON_COURSE),
        (date(2026, 11, 16), 45, State.ON_COURSE),
        (date(2026, 11, 16), 44, State.BEHIND),
        (date(2026, 11, 16), 100, State.REACHED),
        (date(2026, 12, 1), 99, State.MISSED),
    ],
)
def test_a_goal_is_behind_below_nine_tenths_of_the_line(today: date, reached: int, state: State) -> None:
    found = pace.course(kind=Kind.SUM, target=100, reached=reached, of=0, span=span(today))
    assert found.state is state


def test_the_season_asks_for_what_the_year_before_had_by_this_day() -> None:
    # Last year most came after the 16th: twenty percent by now is on course, though the line asks for half.
    found = pace.course(
        kind=Kind.SUM, target=100, reached=20, of=0, span=span(date(2026, 11, 16)), season=Season(16, 80)
    )
    assert (found.line, found.season, found.state) == (50, 20, State.ON_COURSE)


@pytest.mark.parametrize("season", [None, Season(0, 0), Season(10, 19)])
def test_a_year_before_with_hardly_anything_has_no_season(season: Season | None) -> None:
    found = pace.course(kind=Kind.SUM, target=100, reached=20, of=0, span=span(date(2026, 11, 16)), season=season)
    assert (found.season, found.asked, found.state) == (None, 50, State.BEHIND)


@pytest.mark.parametrize(
    ("today", "spent", "state"),
    [
        (date(2026, 11, 2), 10, State.ON_COURSE),
        (date(2026, 11, 16), 60, State.ON_COURSE),
        (date(2026, 11, 16), 61, State.BEHIND),
        (date(2026, 11, 16), 101, State.MISSED),
        (date(2026, 12, 1), 100, State.REACHED),
    ],
)
def test_a_limit_is_kept_by_staying_below_it(today: date, spent: int, state: State) -> None:
    assert pace.course(kind=Kind.LIMIT, target=100, reached=spent, of=0, span=span(today)).state is state


@pytest.mark.parametrize(
    ("today", "share", "of", "state"),
    [
        (date(2026, 11, 16), 10_00, 9, State.ON_COURSE),
        (date(2026, 11, 16), 10_00, 10, State.BEHIND),
        (date(2026, 11, 16), 36_00, 10, State.ON_COURSE),
        (date(2026, 12, 1), 40_00, 10, State.REACHED),
        (date(2026, 12, 1), 39_00, 10, State.MISSED),
    ],
)
def test_a_share_is_judged_as_it_is_once_there_are_ten_orders(today: date, share: int, of: int, state: State) -> None:
    assert pace.course(kind=Kind.SHARE, target=40_00, reached=share, of=of, span=span(today)).state is state


def test_the_year_before_a_leap_day_is_the_day_before_march() -> None:
    assert pace.year_before(date(2028, 2, 29)) == date(2027, 2, 28)
    assert pace.year_before(date(2028, 3, 1)) == date(2027, 3, 1)
