"""Who is paid what in a run, and who is not and why: a pure function of what each partner is due."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID


class Blocked(enum.StrEnum):
    """Why a partner is left out of a run. What it is due stays, and comes up again in the next one."""

    PARTNER_INACTIVE = "partner_inactive"  # paused, banned or not approved in this program
    NEGATIVE_BALANCE = "negative_balance"  # owes more from refunds than it has earned since
    BELOW_MINIMUM = "below_minimum"


@dataclass(frozen=True, slots=True)
class Due:
    """What a partner is due in one currency: approved commissions that no payout holds, less what it owes back.

    Amounts in minor units; `commissions` and `clawbacks` say of how many rows they are the sum.
    """

    partner_id: UUID
    partner_name: str
    is_active: bool
    currency: str
    earned_minor: int
    clawed_back_minor: int
    commissions: int
    clawbacks: int

    @property
    def amount_minor(self) -> int:
        """What would be paid."""
        return self.earned_minor - self.clawed_back_minor


@dataclass(frozen=True, slots=True)
class Schedule:
    """A run as it would be proposed now."""

    payable: list[Due]
    blocked: list[tuple[Due, Blocked]]

    @property
    def total_minor(self) -> int:
        """What would be paid to all of them."""
        return sum(due.amount_minor for due in self.payable)


def group(dues: Sequence[Due], *, minimum_minor: int) -> Schedule:
    """Split the dues of a program into those that are paid and those that wait, each with its first reason."""
    reasons = [(due, why_blocked(due, minimum_minor=minimum_minor)) for due in dues]
    return Schedule(
        payable=[due for due, reason in reasons if reason is None],
        blocked=[(due, reason) for due, reason in reasons if reason is not None],
    )


def why_blocked(due: Due, *, minimum_minor: int) -> Blocked | None:
    """Why this partner is not paid now, or nothing if it is. Nothing at all is never paid."""
    if not due.is_active:
        return Blocked.PARTNER_INACTIVE
    if due.amount_minor < 0:
        return Blocked.NEGATIVE_BALANCE
    if due.amount_minor < max(minimum_minor, 1):
        return Blocked.BELOW_MINIMUM
    return None
