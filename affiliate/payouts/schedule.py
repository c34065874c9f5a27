"""Who is paid what in a run, and who is not and why; and when a run is due. Pure functions of what each partner is due."""

import calendar
import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

_MIDDLE = 15


class Blocked(enum.StrEnum):
    """Why a partner is left out of a run. What it is due stays, and comes up again in the next one."""

    PARTNER_INACTIVE = "partner_inactive"  # paused, banned or not approved in this program
    PAYMENT_BLOCK = "payment_block"  # a manager said no for now
    UNDER_REVIEW = "under_review"  # a fraud rule spoke: these commissions wait for a manager, the others are paid
    NEGATIVE_BALANCE = "negative_balance"  # owes more from refunds than it has earned since
    BELOW_MINIMUM = "below_minimum"
    TAX_PROFILE_MISSING = "tax_profile_missing"  # the program pays nobody without one
    INVOICE_AWAITED = "invoice_awaited"  # is in a proposed run, and has not sent its invoice yet
    DETAILS_MISSING = "details_missing"  # has not said yet where the money goes
    DETAILS_CHANGED = "details_changed"  # has just said something else: the pause gives its people time to object


class Cadence(enum.StrEnum):
    """How often a program pays."""

    MANUAL = "manual"
    WEEKLY = "weekly"  # on Mondays
    TWICE_A_MONTH = "twice_a_month"  # on the 1st and the 15th
    MONTHLY = "monthly"  # on the 1st


@dataclass(frozen=True, slots=True)
class Due:
    """What a partner is due in one currency: approved commissions and entries that no payout holds, less what it owes back.

    Amounts in minor units; `commissions`, `clawbacks` and `entries` say of how many rows they are the sum.
    """

    partner_id: UUID
    partner_name: str
    is_active: bool
    currency: str
    earned_minor: int
    clawed_back_minor: int
    commissions: int
    clawbacks: int
    entries: int = 0
    method_id: UUID | None = None
    usable_from: datetime | None = None
    block_reason: str | None = None
    vat_minor: int = 0
    stamp_minor: int = 0
    withheld_minor: int = 0
    lacks_profile: bool = False
    paper: str = "none"
    notice: dict[str, Any] | None = None

    @property
    def amount_minor(self) -> int:
        """What would be paid: the commissions and what its paper adds to them, tax withheld inside."""
        return self.taxable_minor + self.vat_minor + self.stamp_minor

    @property
    def taxable_minor(self) -> int:
        """The commissions in it, less what they set off."""
        return self.earned_minor - self.clawed_back_minor

    @property
    def is_overtaxed(self) -> bool:
        """Corrections of older papers take back more tax than the new one has: it waits until more is earned."""
        return min(self.vat_minor, self.withheld_minor) < 0 or self.withheld_minor >= max(self.amount_minor, 1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A run as it would be proposed now."""

    payable: list[Due]
    blocked: list[tuple[Due, Blocked]]

    @property
    def total_minor(self) -> int:
        """What would be paid to all of them."""
        return sum(due.amount_minor for due in self.payable)


def group(dues: Sequence[Due], *, minimum_minor: int, now: datetime) -> Schedule:
    """Split the dues of a program into those that are paid and those that wait, each with its first reason."""
    reasons = [(due, why_blocked(due, minimum_minor=minimum_minor, now=now)) for due in dues]
    return Schedule(
        payable=[due for due, reason in reasons if reason is None],
        blocked=[(due, reason) for due, reason in reasons if reason is not None],
    )


def why_blocked(due: Due, *, minimum_minor: int, now: datetime) -> Blocked | None:
    """Why this partner is not paid now, or nothing if it is. Nothing at all is never paid."""
    tests = (
        (not due.is_active, Blocked.PARTNER_INACTIVE),
        (due.block_reason is not None, Blocked.PAYMENT_BLOCK),
        (due.taxable_minor < 0, Blocked.NEGATIVE_BALANCE),
        (due.taxable_minor < max(minimum_minor, 1), Blocked.BELOW_MINIMUM),
        (due.is_overtaxed, Blocked.NEGATIVE_BALANCE),
        (due.lacks_profile, Blocked.TAX_PROFILE_MISSING),
        (due.method_id is None or due.usable_from is None, Blocked.DETAILS_MISSING),
        (due.usable_from is not None and due.usable_from > now, Blocked.DETAILS_CHANGED),
    )
    return next((reason for is_so, reason in tests if is_so), None)


def due_on(cadence: Cadence, *, last_run_on: date | None, today: date) -> date | None:
    """The day on which the next run is due, in the past if it was missed; None if runs come when somebody wants one."""
    if cadence is Cadence.MANUAL:
        return None
    day = today if last_run_on is None else last_run_on + timedelta(days=1)
    while not _is_payday(cadence, day):
        day += timedelta(days=1)
    return day


def _is_payday(cadence: Cadence, day: date) -> bool:
    if cadence is Cadence.WEEKLY:
        return day.weekday() == calendar.MONDAY
    return day.day == 1 or (cadence is Cadence.TWICE_A_MONTH and day.day == _MIDDLE)
