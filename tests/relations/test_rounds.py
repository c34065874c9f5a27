"""Duties that come round, trials, and who may lead: the pure rules."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from affiliate.relations import leading, rounds, trials
from affiliate.relations.rounds import Cadence, Outcome
from affiliate.relations.trials import Standing, Trial

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
OLD, NEW = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("cadence", "first_on", "after", "due"),
    [
        (Cadence.DAILY, date(2026, 11, 1), date(2026, 11, 5), date(2026, 11, 6)),
        (Cadence.WEEKLY, date(2026, 11, 2), date(2026, 11, 2), date(2026, 11, 9)),
        (Cadence.WEEKLY, date(2026, 11, 2), date(2026, 11, 25), date(2026, 11, 30)),
        (Cadence.WEEKLY, date(2026, 11, 9), date(2026, 11, 1), date(2026, 11, 9)),
        (Cadence.MONTHLY, date(2027, 1, 31), date(2027, 1, 31), date(2027, 2, 28)),
        (Cadence.MONTHLY, date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31)),
        (Cadence.MONTHLY, date(2026, 11, 15), date(2026, 12, 14), date(2026, 12, 15)),
        (Cadence.QUARTERLY, date(2026, 11, 30), date(2026, 11, 30), date(2027, 2, 28)),
        (Cadence.QUARTERLY, date(2026, 11, 30), date(2027, 2, 28), date(2027, 5, 30)),
        (Cadence.ONCE, date(2026, 11, 1), date(2026, 11, 1), None),
        (Cadence.CONTINUOUS, date(2026, 11, 1), date(2026, 11, 1), None),
    ],
)
def test_the_next_day_is_counted_from_the_first(
    cadence: Cadence, first_on: date, after: date, due: date | None
) -> None:
    assert rounds.next_due(cadence, first_on=first_on, after=after) == due


@pytest.mark.parametrize(
    ("told", "again"),
    [
        ([], False),
        (["missed"], False),
        (["missed", "done", "done"], False),
        (["missed", "done", "late"], True),
        (["missed", "missed", "done", "done", "done"], False),
        (["missed", "missed", "done", "done", "late"], True),
    ],
)
def test_misses_are_repeated_from_two_in_three_or_three_of_those_kept(told: list[str], again: bool) -> None:
    assert rounds.is_repeated(told) is again


def test_a_partner_is_judged_by_the_last_round_of_each_of_its_last_duties() -> None:
    told = [["missed"], ["done", "late"], [], ["missed", "done"], ["done"], ["late"], ["done"], ["missed"]]
    assert rounds.last_of_each(told) == ["late", "done", "done", "late", "done", "missed"]
    assert rounds.slipped(rounds.last_of_each(told)) == 3


def test_the_last_six_rounds_are_kept() -> None:
    told: list[str] = []
    for _ in range(7):
        told = rounds.kept(told, Outcome.DONE)
    assert rounds.kept(told, Outcome.LATE) == ["done"] * 5 + ["late"]


@pytest.mark.parametrize(
    ("orders", "earned", "reversed_", "day", "standing"),
    [
        (0, 0, 0, 10, Standing.RUNNING),
        (5, 100, 20, 10, Standing.PASSED),
        (5, 100, 21, 10, Standing.RUNNING),
        (5, 100, 21, 30, Standing.OVER),
        (4, 100, 0, 30, Standing.OVER),
        (21, 100, 0, 10, Standing.BEYOND),
    ],
)
def test_a_trial_is_passed_by_orders_that_stay(
    orders: int, earned: int, reversed_: int, day: int, standing: Standing
) -> None:
    trial = Trial(ends_on=date(2026, 11, 30), orders_min=5, orders_max=20)
    today = date(2026, 11, day)
    assert trials.standing(trial, orders=orders, earned_minor=earned, reversed_minor=reversed_, today=today) is standing


def test_a_newcomer_leads_only_where_everybody_is_new() -> None:
    since = {OLD: NOW - timedelta(days=90), NEW: NOW - timedelta(days=89)}
    assert leading.newcomers(since, now=NOW) == {NEW}
    assert leading.newcomers({NEW: since[NEW]}, now=NOW) == frozenset()
