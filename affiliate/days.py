"""Which days can be chosen: those of our time. At the ends of the calendar there is no midnight in every time zone. Pure."""

from datetime import date

FIRST, LAST = date(2000, 1, 1), date(2100, 1, 1)
"""The first and the last day that can be chosen, both included."""


def is_ours(day: date) -> bool:
    """Whether the day lies in our time."""
    return FIRST <= day <= LAST


def read(text: str) -> date:
    """The day of an ISO text such as 2026-11-22.

    Raises:
        ValueError: it is no day, or none of our time.
    """
    day = date.fromisoformat(text)
    if not is_ours(day):
        raise ValueError(text)
    return day
