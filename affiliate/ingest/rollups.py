"""Moving the exact rollups: every click counts once in each of them, in the transaction that stores it or changes its verdict.

Rows are written in one order (table, then key) in every transaction, after all locks: nobody waits crosswise. Each process has
its own shard of rows, so that consumers side by side do not queue for the row of a busy link.

A click is counted under numbers and texts, not under UUIDs and instants: those cost more to compare than all the rest.
"""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.ingest import bulk, labels
from affiliate.ingest.clickrules import ClickVerdict
from affiliate.ingest.rollup_models import LABEL_LENGTH_MAX, OTHER, ROLLUPS, LabelKind, Owner

_SHARDS = 8
_HOUR_SECONDS = 3600
_VALID = ClickVerdict.VALID.value  # asking an enum each time is slow
_TEST = ClickVerdict.TEST.value
_ROLLUPS: Sequence[Any] = ROLLUPS
_TABLES = [(rollup.__table__, rollup.DIMENSIONS, rollup.NAMED_BY) for rollup in _ROLLUPS]


class Counted(NamedTuple):
    """What one click is counted under: ids as numbers, the hour since 1970. Empty texts mean none."""

    program_id: int
    partner_id: int
    link_id: int
    hour: int
    verdict: str
    sub: str
    country: str
    referrer_host: str
    creative: str


def counted(click: Any, *, verdict: ClickVerdict, sub: str | None, referrer_host: str) -> Counted:
    """What a click (an event or a row) is counted under."""
    return Counted(
        click.program_id.int,
        click.partner_id.int,
        click.link_id.int,
        int(click.occurred_at.timestamp()) // _HOUR_SECONDS,
        _VALID if verdict is ClickVerdict.VALID else verdict.value,
        sub[:LABEL_LENGTH_MAX] if sub else "",
        click.country or "",
        referrer_host,
        click.creative or "",
    )


def count(session: Session, *, new: Sequence[Counted], moved: Mapping[Counted, int]) -> None:
    """Count new clicks, and move those whose verdict has changed (a minus under the old one, a plus under the new one).

    New clicks may bring labels; a moved one stays under the label that it was counted under. Tests count nowhere.
    """
    keys = _labelled(session, [key for key in new if key.verdict != _TEST], admits=True)
    moves = dict(zip(_labelled(session, list(moved), admits=False), moved.values(), strict=True)) if moved else {}
    shard = os.getpid() % _SHARDS if session.get_bind().dialect.name == "postgresql" else 0
    columns: dict[str, Sequence[Any]] = dict(zip(Counted._fields, zip(*keys, strict=True), strict=True)) if keys else {}
    for table, dimensions, named_by in _TABLES:
        names = (*dimensions, "hour", "verdict")
        if named_by is None:
            sums = Counter(zip(*(columns[name] for name in names), strict=True) if keys else ())
        else:
            sums = Counter(_part(key, names) for key in keys if getattr(key, named_by))
        for key, clicks in moves.items():
            if named_by is None or getattr(key, named_by):
                sums[_part(key, names)] += clicks
        write = [_WRITERS.get(name, str) for name in names]
        rows = [
            (*[as_text(part) for as_text, part in zip(write, key, strict=True)], shard, clicks)
            for key, clicks in sorted(sums.items())
            if clicks
        ]
        bulk.add_counts(session, table, (*names, "shard", "clicks"), rows)


def _part(key: Counted, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple([getattr(key, name) for name in names])


@lru_cache(maxsize=1024)
def _hour_at(number: int) -> datetime:
    """The beginning of this hour since 1970."""
    return datetime.fromtimestamp(number * _HOUR_SECONDS, tz=UTC)


_WRITERS: dict[str, Callable[[Any], Any]] = {
    "program_id": ids.repeated_digits,
    "partner_id": ids.repeated_digits,
    "link_id": ids.repeated_digits,
    "hour": _hour_at,
}


def _labelled(session: Session, keys: Sequence[Counted], *, admits: bool) -> list[Counted]:
    """The same with OTHER for the labels that do not count under their own name."""
    of_subs = {(key.program_id, key.partner_id, key.hour // 24, key.sub) for key in keys}
    of_hosts = {(key.program_id, key.program_id, key.hour // 24, key.referrer_host) for key in keys}
    of_creatives = {(key.program_id, key.partner_id, key.hour // 24, key.creative) for key in keys if key.creative}
    wanted: dict[Owner, set[str]] = {}
    for kind, found in ((LabelKind.SUB, of_subs), (LabelKind.REFERRER, of_hosts), (LabelKind.CREATIVE, of_creatives)):
        by_owner: dict[tuple[int, int, int], set[str]] = {}  # by numbers as long as there are many: see above
        for program_id, owner_id, day, label in found:
            if label and label != OTHER:
                by_owner.setdefault((program_id, owner_id, day), set()).add(label)
        wanted |= {_owner(kind, *owner): names for owner, names in by_owner.items()}
    admitted = labels.admitted(session, wanted, admits=admits)
    late = {(owner, label) for owner, names in wanted.items() for label in names - admitted[owner]}
    return [_renamed(key, late) for key in keys] if late else list(keys)


def _renamed(key: Counted, late: set[tuple[Owner, str]]) -> Counted:
    day = key.hour // 24
    if (_owner(LabelKind.SUB, key.program_id, key.partner_id, day), key.sub) in late:
        key = key._replace(sub=OTHER)
    if (_owner(LabelKind.REFERRER, key.program_id, key.program_id, day), key.referrer_host) in late:
        key = key._replace(referrer_host=OTHER)
    if (_owner(LabelKind.CREATIVE, key.program_id, key.partner_id, day), key.creative) in late:
        key = key._replace(creative=OTHER)
    return key


@lru_cache(maxsize=65_536)
def _owner(kind: LabelKind, program_id: int, owner_id: int, day: int) -> Owner:
    return Owner(kind, UUID(int=program_id), UUID(int=owner_id), date.fromordinal(_DAY_0 + day))


_DAY_0 = date(1970, 1, 1).toordinal()
