"""A page of rows that are worked out already: it stands beside one of them, by its key, wherever that row is by now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from affiliate.reports.partner_ranking import Towards

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Beside:
    """Where a page begins or ends: at a row that somebody saw, by its key."""

    key: str
    towards: Towards


@dataclass(frozen=True, slots=True)
class Leaf(Generic[Row]):
    """Some rows of a list, the first of them after so many; of how many they are; and the key of a row."""

    rows: Sequence[Row]
    first: int
    number: int
    key: Callable[[Row], str]


def leaf(
    every: Sequence[Row], *, key: Callable[[Row], str], size: int, first: int = 0, beside: Beside | None = None
) -> Leaf[Row]:
    """So many of these rows: after the `first` ones, or beside a row; the first ones where that one is not among them any more."""
    first = first if beside is None else _first(every, key, beside, size)
    return Leaf(every[first : first + size], first, len(every), key)


def _first(every: Sequence[Row], key: Callable[[Row], str], beside: Beside, size: int) -> int:
    place = next((number for number, row in enumerate(every) if key(row) == beside.key), None)
    if place is None:
        return 0
    if beside.towards == "after" and place + 1 < len(every):
        return place + 1
    return max((len(every) if beside.towards == "after" else place) - size, 0)
