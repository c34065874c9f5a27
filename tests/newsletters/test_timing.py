"""A mail comes at the reader's own hour and never at night, also where clocks are changed."""

from datetime import UTC, datetime, timedelta

import pytest

from affiliate.newsletters import timing

NOW = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "due"),
    [
        ("UTC", "2026-11-16T12:00"),
        ("Europe/Rome", "2026-11-16T12:00"),
        ("Asia/Tokyo", "2026-11-16T23:00"),  # 21:00 there: quiet until 8 in the morning
        ("America/Los_Angeles", "2026-11-16T16:00"),  # 4 in the morning there
        ("Nowhere/AtAll", "2026-11-16T12:00"),
    ],
)
def test_quiet_hours_are_the_readers_own(zone: str, due: str) -> None:
    at = timing.due_at(send_at=NOW, send_wall=None, zone=zone, keeps_quiet_hours=True, not_before=NOW)
    assert at.strftime("%Y-%m-%dT%H:%M") == due
    now = timing.due_at(send_at=NOW, send_wall=None, zone=zone, keeps_quiet_hours=False, not_before=NOW)
    assert now == NOW


@pytest.mark.parametrize(
    ("at", "leaves"),
    [
        ("2026-11-16T19:59:59", "2026-11-16T19:59:59"),
        ("2026-11-16T20:00:00", "2026-11-17T07:00:00"),  # 21:00 in Rome
        ("2026-11-17T06:59:59", "2026-11-17T07:00:00"),
        ("2026-11-17T07:00:00", "2026-11-17T07:00:00"),
        ("2026-10-24T22:00:00", "2026-10-25T07:00:00"),  # the night in which clocks go back
    ],
)
def test_what_would_leave_at_night_leaves_in_the_morning(at: str, leaves: str) -> None:
    asked = datetime.fromisoformat(f"{at}+00:00")
    assert timing.not_at_night(asked, zone="Europe/Rome").strftime("%Y-%m-%dT%H:%M:%S") == leaves


def test_an_hour_that_is_over_means_at_once() -> None:
    wall = datetime(2026, 11, 16, 9, 0)  # noqa: DTZ001 - a wall clock, of no zone
    at = timing.due_at(send_at=None, send_wall=wall, zone="Europe/Rome", keeps_quiet_hours=True, not_before=NOW)
    assert at == NOW


def test_there_are_ten_minutes_to_think_again_and_the_first_zone_is_not_missed() -> None:
    assert timing.release_at(send_at=None, send_wall=None, now=NOW) == NOW + timedelta(minutes=10)
    assert timing.release_at(send_at=NOW + timedelta(minutes=2), send_wall=None, now=NOW) == NOW + timedelta(minutes=10)
    later = NOW + timedelta(days=2)
    assert timing.release_at(send_at=later, send_wall=None, now=NOW) == later
    first = timing.release_at(send_at=None, send_wall=later.replace(tzinfo=None), now=NOW)
    there = later.replace(tzinfo=None)
    due = timing.due_at(
        send_at=None, send_wall=there, zone="Pacific/Kiritimati", keeps_quiet_hours=False, not_before=first
    )
    assert due == first
