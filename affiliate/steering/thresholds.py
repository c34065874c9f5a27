"""When a figure crosses the threshold of a watch. Pure."""

import enum
from dataclasses import dataclass

N_ = str  # marks a sentence for the translators

LOOK_BACK_MAX = 90
VOLUME_MAX = 1_000_000


class Side(enum.StrEnum):
    """On which side of the threshold a figure is wrong."""

    BELOW = "below"
    ABOVE = "above"


@dataclass(frozen=True, slots=True)
class Threshold:
    """What is allowed: a figure in its own unit, and how much must have happened before it says anything."""

    side: Side
    value: int
    volume_min: int


def crossed(threshold: Threshold, *, value: int | None, volume: int) -> bool | None:
    """Whether the figure is on the wrong side. None when there was too little, or the figure is unknown."""
    if value is None or volume < threshold.volume_min:
        return None
    return value < threshold.value if threshold.side is Side.BELOW else value > threshold.value


def problems(*, threshold: int | None, look_back_days: int, volume_min: int) -> dict[str, str]:
    """One sentence for each wrong part of a watch."""
    found = {}
    if threshold is None:
        found["threshold"] = N_("Write a number.")
    if not 1 <= look_back_days <= LOOK_BACK_MAX:
        found["look_back_days"] = N_("Choose from 1 to 90 days.")
    if not 0 <= volume_min <= VOLUME_MAX:
        found["volume_min"] = N_("Choose from 0 to 1,000,000.")
    return found
