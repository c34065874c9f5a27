"""Moving the exact rollups: every click counts once in each of them, in the transaction that stores it or changes its verdict.

Rows are written in one order (table, then key) in every transaction, after all locks: nobody waits crosswise. Consumers side by side
take turns at the row of a busy link: they queue for its repeats already, and rows of their own would be twice as many to read.

A click is counted under texts and the number of its hour, not under UUIDs and instants: those cost more to compare than all the rest.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.ingest import bulk, changed_days, labels
from affiliate.ingest.clickrules import ClickVerdict
from affiliate.ingest.rollup_models import LABEL_LENGTH_MAX, OTHER, ROLLUPS, SHARD, LabelKind, Owner

_HOUR_SECONDS = 3600
_VALID = ClickVerdict.VALID.value  # asking an enum each time is slow
_TEST = ClickVerdict.TEST.value
_ROLLUPS: Sequence[Any] = ROLLUPS
_TABLES = [(rollup.__table__, rollup.DIMENSIONS, rollup.NAMED_BY) for rollup in _ROLLUPS]


class Counted(NamedTuple):
    """What one click is counted under: ids as their digits, the hour since 1970. Empty texts mean none."""

    program_id: str
    partner_id: str
    link_id: str
    hour: int
    verdict: str
    sub: str
    country: str
    referrer_host: str
    creative: str


def counted(click: Any, *, verdict: ClickVerdict, host: str) -> Counted:
    """What a click (an event or a row) that came from a page of this host is counted under."""
    sub = click.subs.get("sub1")
    return Counted(
        ids.repeated_digits(click.program_id.int),
        ids.repeated_digits(click.partner_id.int),
        ids.repeated_digits(click.link_id.int),
        hour_of(click.occurred_at),
        _VALID if verdict is ClickVerdict.VALID else verdict.value,
        sub[:LABEL_LENGTH_MAX] if sub else "",
        click.country or "",
        host,
        click.creative or "",
    )


def hour_of(moment: datetime) -> int:
    """The hour since 1970."""
    return int(moment.timestamp()) // _HOUR_SECONDS


def count(session: Session, *, new: Sequence[Counted], moved: Mapping[Counted, int]) -> None:
    """Count new clicks, and move those whose verdict has changed (a minus under the old one, a plus under the new one).

    New clicks may bring labels; a moved one stays under the label that it was counted under. Tests count nowhere.
    """
    keys = _labelled(session, [key for key in new if key.verdict != _TEST], admits=True)
    moves = dict(zip(_labelled(session, list(moved), admits=False), moved.values(), strict=True)) if moved else {}
    changed_days.note_clicks(
        session, {(UUID(key.program_id), date.fromordinal(_DAY_0 + key.hour // 24)) for key in moves}
    )
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
        rows = [
            (*dimensions_of, _hour_at(hour), verdict, SHARD, clicks)
            for (*dimensions_of, hour, verdict), clicks in sorted(sums.items())
            if clicks
        ]
        bulk.add_counts(session, table, (*names, "shard", "clicks"), rows)


def _part(key: Counted, names: Sequence[str]) -> tuple[Any, ...]:
    return tuple([getattr(key, name) for name in names])


@lru_cache(maxsize=1024)
def _hour_at(number: int) -> datetime:
    """The beginning of this hour since 1970."""
    return datetime.fromtimestamp(number * _HOUR_SECONDS, tz=UTC)


def _labelled(session: Session, keys: Sequence[Counted], *, admits: bool) -> list[Counted]:
    """The same with OTHER for the labels that do not count under their own name."""
    used = {(LabelKind.SUB, key.program_id, key.partner_id, key.hour // 24, key.sub) for key in keys if key.sub}
    used |= {
        (LabelKind.REFERRER, key.program_id, key.program_id, key.hour // 24, key.referrer_host)
        for key in keys
        if key.referrer_host
    }
    used |= {
        (LabelKind.CREATIVE, key.program_id, key.partner_id, key.hour // 24, key.creative)
        for key in keys
        if key.creative
    }
    unsure = {use for use in used - labels.counted(session) if use[-1] != OTHER}
    if not unsure:
        return list(keys)
    wanted: dict[Owner, set[str]] = {}
    for kind, program_id, owner_id, day, label in unsure:
        wanted.setdefault(_owner(kind, program_id, owner_id, day), set()).add(label)
    admitted = labels.admitted(session, wanted, admits=admits)
    late = {use for use in unsure if use[-1] not in admitted[_owner(*use[:-1])]}
    labels.count_from_now(session, unsure - late)
    return [_renamed(key, late) for key in keys] if late else list(keys)


def _renamed(key: Counted, late: set[labels.Use]) -> Counted:
    program_id, partner_id, day = key.program_id, key.partner_id, key.hour // 24
    if (LabelKind.SUB, program_id, partner_id, day, key.sub) in late:
        key = key._replace(sub=OTHER)
    if (LabelKind.REFERRER, program_id, program_id, day, key.referrer_host) in late:
        key = key._replace(referrer_host=OTHER)
    if (LabelKind.CREATIVE, program_id, partner_id, day, key.creative) in late:
        key = key._replace(creative=OTHER)
    return key


@lru_cache(maxsize=65_536)
def _owner(kind: LabelKind, program_id: str, owner_id: str, day: int) -> Owner:
    return Owner(kind, UUID(program_id), UUID(owner_id), date.fromordinal(_DAY_0 + day))


_DAY_0 = date(1970, 1, 1).toordinal()
