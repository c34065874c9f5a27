"""Several things at once in one row of a report: which may be combined, and how counts of a day join those of the days before. Pure."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from affiliate.reports.asked import SUBS, By

ROWS_MAX = 20_000
"""The most rows of one report, as of one export; what would be a further one counts in a row of all others."""

AT_LEAST, AT_MOST = 2, 4
"""How many things a row combines."""

OF_PARTNER = (By.DAY, By.LINK, *SUBS, By.CREATIVE, By.COUNTRY, By.DEVICE, By.REFERRER, By.COUPON)
OF_PROGRAM = (By.DAY, By.PARTNER, *OF_PARTNER[1:])
"""What can be combined, in the order of the columns. Products have no clicks, and an order has several."""

OTHERS = "\x1f"  # no label of a click: control characters are taken out of them
_HOUR = timedelta(hours=1)

Labels = tuple[str, ...]
Counts = tuple[int, ...]
"""Clicks, valid clicks, orders, revenue, earnings and reversals; amounts in minor units."""


@dataclass(frozen=True, slots=True)
class Joined:
    """What a day adds: counts of rows that are there, and rows that are new, each by its key."""

    grown: Mapping[str, Counts]
    new: Mapping[str, tuple[Labels, Counts]]


def chosen(names: Iterable[str], *, possible: Sequence[By]) -> tuple[By, ...] | None:
    """The things that were chosen, in the order of the columns; null where they are too few, too many or unknown."""
    wanted = set(names)
    found = tuple(by for by in possible if by.value in wanted)
    return found if AT_LEAST <= len(found) <= AT_MOST and len(found) == len(wanted) else None


def whole_hour(moment: datetime) -> datetime:
    """The next whole UTC hour, or this one: rollups cut clicks there, wherever the day of a zone begins."""
    cut = moment.replace(minute=0, second=0, microsecond=0)
    return cut if cut == moment else cut + _HOUR


def added(first: Counts, second: Counts) -> Counts:
    """Both together."""
    return tuple(one + other for one, other in zip(first, second, strict=True))


def key_of(labels: Labels) -> str:
    """What a row is found by: the SHA-256 of its labels."""
    return hashlib.sha256("\x00".join(labels).encode()).hexdigest()


def fold(rows: Iterable[tuple[Labels, Counts]], *, room: int) -> dict[Labels, Counts]:
    """The rows by their labels; once `room` are there, the others together in one."""
    found: dict[Labels, Counts] = {}
    for labels, counts in rows:
        place = labels if labels in found or len(found) < room else (OTHERS,) * len(labels)
        found[place] = added(found[place], counts) if place in found else counts
    return found


def join(day: Mapping[Labels, Counts], *, known: Iterable[str], rows: int) -> Joined:
    """What a day adds to a report that has so many rows, of which `known` are those that the day has too.

    New rows beyond ROWS_MAX count in the row of all others; those with the most clicks come first.
    """
    there, grown, new, rest = (
        set(known),
        dict[str, Counts](),
        dict[str, tuple[Labels, Counts]](),
        dict[Labels, Counts](),
    )
    for labels, counts in sorted(day.items(), key=lambda row: (*(-count for count in row[1]), row[0])):
        key = key_of(labels)
        if key in there:
            grown[key] = counts
        elif rows + len(new) < ROWS_MAX:
            new[key] = labels, counts
        else:
            others = (OTHERS,) * len(labels)
            rest[others] = added(rest[others], counts) if others in rest else counts
    for labels, counts in rest.items():
        key = key_of(labels)
        if key in there:
            grown[key] = added(grown[key], counts) if key in grown else counts
        else:
            before = new.get(key)
            new[key] = labels, added(before[1], counts) if before else counts
    return Joined(grown, new)
