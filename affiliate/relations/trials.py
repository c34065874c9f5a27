"""The trial of a new partner: a small scope first, wider with trust. Pure.

The limits are watched, not enforced: an order beyond them is an order, and is paid. Who passes them is shown to a manager, who
graduates the partner or talks to it.
"""

import enum
from dataclasses import dataclass
from datetime import date

from affiliate.money import BPS_PER_UNIT

RETURNS_BPS_MAX = 20_00
"""A trial is passed with no more than a fifth of its commission taken back."""


class Standing(enum.StrEnum):
    """How a trial stands."""

    RUNNING = "running"
    PASSED = "passed"  # can graduate
    BEYOND = "beyond"  # more orders than its scope allows
    OVER = "over"  # its days have passed without enough orders, or with too many returns


@dataclass(frozen=True, slots=True)
class Trial:
    """What was agreed: until which day (not part of it), orders needed to graduate, and orders allowed at most."""

    ends_on: date
    orders_min: int
    orders_max: int


def standing(trial: Trial, *, orders: int, earned_minor: int, reversed_minor: int, today: date) -> Standing:
    """How the trial stands. Amounts are commissions of its days, before and by reversals."""
    if trial.orders_max and orders > trial.orders_max:
        return Standing.BEYOND
    returns_bps = reversed_minor * BPS_PER_UNIT // earned_minor if earned_minor else 0
    if orders >= trial.orders_min and returns_bps <= RETURNS_BPS_MAX:
        return Standing.PASSED
    return Standing.OVER if today >= trial.ends_on else Standing.RUNNING
