"""Who is paid in a run, who waits, and for which reason."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from affiliate.payouts.schedule import Blocked, Cadence, Due, due_on, group, why_blocked

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
READY: dict[str, Any] = {"method_id": UUID(int=2), "usable_from": NOW}


def due(earned: int, clawed: int = 0, *, is_active: bool = True, **how: Any) -> Due:
    return Due(UUID(int=1), "Ada", is_active, "EUR", earned, clawed, 1, 1, **READY | how)


@pytest.mark.parametrize(
    ("given", "minimum_minor", "reason"),
    [
        (due(25_00), 25_00, None),
        (due(24_99), 25_00, Blocked.BELOW_MINIMUM),
        (due(30_00, 5_00), 25_00, None),
        (due(30_00, 5_01), 25_00, Blocked.BELOW_MINIMUM),
        (due(1), 0, None),
        (due(5_00, 5_00), 0, Blocked.BELOW_MINIMUM),  # nothing is never paid
        (due(5_00, 5_01), 0, Blocked.NEGATIVE_BALANCE),
        (due(0, 1), 0, Blocked.NEGATIVE_BALANCE),
        (due(100_00, is_active=False), 0, Blocked.PARTNER_INACTIVE),
        (due(0, 100_00, is_active=False), 0, Blocked.PARTNER_INACTIVE),
        (due(100_00, method_id=None, usable_from=None), 0, Blocked.DETAILS_MISSING),
        (due(1, method_id=None, usable_from=None), 5_00, Blocked.BELOW_MINIMUM),
        (due(100_00, usable_from=NOW + timedelta(seconds=1)), 0, Blocked.DETAILS_CHANGED),
        (due(100_00, block_reason="We are asking."), 0, Blocked.PAYMENT_BLOCK),
    ],
)
def test_a_partner_is_paid_or_waits_with_a_reason(given: Due, minimum_minor: int, reason: Blocked | None) -> None:
    assert why_blocked(given, minimum_minor=minimum_minor, now=NOW) is reason


dues = st.builds(due, st.integers(0, 10**9), st.integers(0, 10**9), is_active=st.booleans())


@given(given=st.lists(dues, max_size=20), minimum=st.integers(0, 10**9))
def test_everybody_is_in_exactly_one_list_and_only_amounts_above_zero_are_paid(given: list[Due], minimum: int) -> None:
    schedule = group(given, minimum_minor=minimum, now=NOW)
    assert sorted(map(id, [*schedule.payable, *(one for one, _ in schedule.blocked)])) == sorted(map(id, given))
    assert all(one.amount_minor >= max(minimum, 1) and one.is_active for one in schedule.payable)
    assert schedule.total_minor == sum(one.amount_minor for one in schedule.payable)


@pytest.mark.parametrize(
    ("cadence", "last_run_on", "day"),
    [
        (Cadence.MANUAL, date(2026, 10, 1), None),
        (Cadence.WEEKLY, date(2026, 11, 16), date(2026, 11, 23)),
        (Cadence.WEEKLY, None, date(2026, 11, 16)),  # a Monday: today
        (Cadence.TWICE_A_MONTH, date(2026, 11, 1), date(2026, 11, 15)),
        (Cadence.TWICE_A_MONTH, date(2026, 11, 15), date(2026, 12, 1)),
        (Cadence.MONTHLY, date(2026, 9, 3), date(2026, 10, 1)),  # missed
        (Cadence.MONTHLY, None, date(2026, 12, 1)),
    ],
)
def test_the_next_run_is_due_on_a_day_of_its_cadence(
    cadence: Cadence, last_run_on: date | None, day: date | None
) -> None:
    assert due_on(cadence, last_run_on=last_run_on, today=NOW.date()) == day
