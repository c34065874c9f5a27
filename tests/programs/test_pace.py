"""Goals against the straight line and the season of the year before."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    ("today", "past", "reached", "ahead"),
    [
        (date(2026, 11, 1), 0, 5, None),
        (date(2026, 11, 3), 8, 8, None),  # two days of thirty tell nothing yet
        (date(2026, 11, 4), 8, 9, 80),
        (date(2026, 11, 16), 40, 42, 80),
        (date(2026, 11, 30), 29, 29, 30),
        (date(2026, 11, 30), 29, 60, 60),  # what came today is there
        (date(2026, 11, 17), 4, 4, 8),  # 7.5, half to even
        (date(2026, 11, 16), -7, -7, 0),  # more was taken back than came
    ],
)
def test_a_goal_leads_to_what_its_days_so_far_would_bring_in_all(
    today: date, past: int, reached: int, ahead: int | None
) -> None:
    for kind in (Kind.SUM, Kind.LIMIT):
        found = pace.outlook(kind=kind, target=100, past=past, reached=reached, span=span(today))
        assert (found.line, found.season) == (ahead, None)


@pytest.mark.parametrize(
    ("season", "ahead"),
    [
        (None, None),
        (Season(16, 80), 100),
        (Season(8, 80), 200),
        (Season(7, 80), None),  # the year before had hardly begun
        (Season(0, 80), None),
        (Season(10, 19), None),  # no season
        (Season(90, 80), 20),
    ],
)
def test_the_season_tells_what_is_still_to_come(season: Season | None, ahead: int | None) -> None:
    found = pace.outlook(kind=Kind.SUM, target=100, past=20, reached=20, span=span(date(2026, 11, 16)), season=season)
    assert (found.line, found.season) == (40, ahead)


def test_a_share_leads_nowhere() -> None:
    found = pace.outlook(
        kind=Kind.SHARE, target=40_00, past=10_00, reached=10_00, span=span(date(2026, 11, 16)), season=Season(16, 80)
    )
    assert (found.line, found.season) == (None, None)


@given(
    past=st.integers(-10_000, 10_000), more=st.integers(-100, 100), days=st.integers(-5, 40), until=st.integers(-5, 500),
    whole=st.integers(-5, 500), kind=st.sampled_from([Kind.SUM, Kind.LIMIT]),
)  # fmt: skip
def test_a_goal_leads_to_what_it_has_or_more_and_in_the_end_to_what_it_had(
    *, past: int, more: int, days: int, until: int, whole: int, kind: Kind
) -> None:
    here = span(NOVEMBER[0] + timedelta(days=days))
    reached = past if here.is_over else past + more
    found = pace.outlook(kind=kind, target=100, past=past, reached=reached, span=here, season=Season(until, whole))
    assert all(ahead is None or ahead >= max(reached, 0) for ahead in (found.line, found.season))
    if here.is_over:
        assert (found.line, found.season) == (max(reached, 0), None)


def test_the_year_before_a_leap_day_is_the_day_before_march() -> None:
    assert pace.year_before(date(2028, 2, 29)) == date(2027, 2, 28)
    assert pace.year_before(date(2028, 3, 1)) == date(2027, 3, 1)
