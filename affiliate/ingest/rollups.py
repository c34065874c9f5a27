"""Moving the exact rollups: every click counts once in each of them, in the transaction that stores it or changes its verdict.

Rows are written in one order (table, then key) in every transaction, after all locks: nobody waits crosswise. Each process has
its own shard of rows, so that consumers side by side do not queue for the row of a busy link.
"""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.ingest import bulk, labels
from affiliate.ingest.clickrules import ClickVerdict
from affiliate.ingest.rollup_models import LABEL_LENGTH_MAX, OTHER, ROLLUPS, LabelKind, Owner

_SHARDS = 8
_COMMON = 4  # the last columns of each: hour, verdict, shard, clicks
_TABLES = [
    (table, tuple(column.name for column in table.columns)[:-_COMMON])
    for table in (rollup.metadata.tables[rollup.__tablename__] for rollup in ROLLUPS)
]


class Counted(NamedTuple):
    """What one click is counted under. `sub` and `referrer_host` are as the click has them; empty means none."""

    program_id: UUID
    partner_id: UUID
    link_id: UUID
    hour: datetime
    verdict: ClickVerdict
    sub: str
    country: str
    referrer_host: str


def counted(click: Any, *, verdict: ClickVerdict, sub: str | None, country: str | None, referrer_host: str) -> Counted:
    """What a click (an event or a row) is counted under."""
    hour = click.occurred_at.replace(minute=0, second=0, microsecond=0)
    label = (sub or "")[:LABEL_LENGTH_MAX]
    return Counted(
        click.program_id, click.partner_id, click.link_id, hour, verdict, label, country or "", referrer_host
    )


def count(session: Session, *, new: Mapping[Counted, int], moved: Mapping[Counted, int]) -> None:
    """Count new clicks, and move those whose verdict has changed (a minus under the old one, a plus under the new one).

    New clicks may bring labels; a moved one stays under the label that it was counted under.
    """
    deltas = Counter(_labelled(session, new, admits=True))
    for key, clicks in _labelled(session, moved, admits=False).items():
        deltas[key] += clicks
    shard = os.getpid() % _SHARDS if session.get_bind().dialect.name == "postgresql" else 0
    for table, dimensions in _TABLES:
        bulk.add_counts(session, table, _summed(deltas, dimensions, shard))


def _summed(deltas: Mapping[Counted, int], columns: tuple[str, ...], shard: int) -> list[tuple[Any, ...]]:
    positions = [Counted._fields.index(name) for name in (*columns, "hour", "verdict")]
    sums: Counter[tuple[Any, ...]] = Counter()
    for key, clicks in deltas.items():
        sums[tuple([key[position] for position in positions])] += clicks
    keys = sorted((key for key, clicks in sums.items() if clicks), key=_sortable)
    return [(*key, shard, sums[key]) for key in keys]


def _sortable(key: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple([part.int if isinstance(part, UUID) else part for part in key])  # UUIDs compare many times slower


def _labelled(session: Session, deltas: Mapping[Counted, int], *, admits: bool) -> dict[Counted, int]:
    """The same with OTHER for the labels that do not count under their own name, and without tests, which count nowhere."""
    wanted: dict[Owner, set[str]] = {}
    for owner, label in _owners(deltas):
        wanted.setdefault(owner, set()).add(label)
    admitted = labels.admitted(session, wanted, admits=admits)
    found: Counter[Counted] = Counter()
    for key, clicks in deltas.items():
        if key.verdict is not ClickVerdict.TEST:
            day = key.hour.date()
            sub = _named(key.sub, admitted.get(_sub_owner(key, day)))
            host = _named(key.referrer_host, admitted.get(_host_owner(key, day)))
            found[key._replace(sub=sub, referrer_host=host)] += clicks
    return found


def _owners(deltas: Iterable[Counted]) -> Iterable[tuple[Owner, str]]:
    for key in deltas:
        if key.verdict is not ClickVerdict.TEST:
            day = key.hour.date()
            if key.sub and key.sub != OTHER:
                yield _sub_owner(key, day), key.sub
            if key.referrer_host and key.referrer_host != OTHER:
                yield _host_owner(key, day), key.referrer_host


def _sub_owner(key: Counted, day: date) -> Owner:
    return Owner(LabelKind.SUB, key.program_id, key.partner_id, day)


def _host_owner(key: Counted, day: date) -> Owner:
    return Owner(LabelKind.REFERRER, key.program_id, key.program_id, day)


def _named(label: str, admitted: frozenset[str] | None) -> str:
    return label if not label or (admitted and label in admitted) else OTHER
