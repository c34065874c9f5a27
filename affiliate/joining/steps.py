"""The first steps of a partner: what is done, what comes next, and what to do where one is stuck. Pure."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

STUCK_AFTER = timedelta(days=3)
"""Who has not done a step for so long after it could wants help."""


class StepKind(enum.StrEnum):
    """One of the first steps, in their order."""

    PROFILE = "profile"
    LINK = "link"
    CREATIVE = "creative"
    CLICK = "click"
    PAYOUT = "payout"
    TAXES = "taxes"


_BY_A_LINK = frozenset({StepKind.CREATIVE, StepKind.CLICK})


@dataclass(frozen=True, slots=True)
class Done:
    """What a partner has done so far. `links_since` is when its first link was made; null: none yet. `has_taxes` is null where nobody asks.

    `joined_at` is when it was let in; null: not yet.
    """

    has_profile: bool
    can_be_paid: bool
    links_since: datetime | None
    has_creative: bool
    has_click: bool
    has_taxes: bool | None = None
    joined_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A step: done, the next one, or to come; `is_stuck` where it could have been done for long, and was not."""

    kind: StepKind
    is_done: bool
    is_next: bool
    is_stuck: bool = False


def first_steps(done: Done, *, now: datetime) -> Sequence[Step]:
    """All steps in their order; nothing once all are done."""
    states: dict[StepKind, bool] = {
        StepKind.PROFILE: done.has_profile,
        StepKind.LINK: done.links_since is not None,
        StepKind.CREATIVE: done.has_creative,
        StepKind.CLICK: done.has_click,
        StepKind.PAYOUT: done.can_be_paid,
    }
    if done.has_taxes is not None:
        states[StepKind.TAXES] = done.has_taxes
    if all(states.values()):
        return ()
    ahead = next(kind for kind, is_done in states.items() if not is_done)
    return tuple(
        Step(kind, is_done, kind is ahead, not is_done and _waits(done, kind, now)) for kind, is_done in states.items()
    )


def _waits(done: Done, kind: StepKind, now: datetime) -> bool:
    """Whether a step could have been done for long: without a link nobody can use a creative or click."""
    possible_since = done.links_since if kind in _BY_A_LINK else done.joined_at
    return possible_since is not None and now - possible_since >= STUCK_AFTER
