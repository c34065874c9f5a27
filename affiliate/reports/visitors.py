"""Clicks of a partner by country, device and referring page, and of its links by sub id: counted from the clicks themselves, soon after they came.

Not in the transaction of the clicks, which would have to write three times as many counts: a job looks for hours whose counts
do not add up to those of `click_hours_partner`, and counts these anew. So a count that is there is right, or is about to be.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.ingest import bulk, origins
from affiliate.ingest.models import Click, ClickVerdict
from affiliate.ingest.rollup_models import OTHER, PartnerClickHour
from affiliate.reports.models import LinkSubHour, VisitorHour, VisitorKind

LABELS_MAX = 50
"""The most labels of a partner's hour, those with the most clicks; the others count as OTHER."""
_HOUR = timedelta(hours=1)
_HOUR_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is counted anew together: some partners of a program in some hours of one UTC day."""

    program_id: UUID
    starts_at: datetime
    ends_at: datetime
    partner_ids: frozenset[UUID]


TOLD = {VisitorKind.COUNTRY: "country", VisitorKind.DEVICE: "device", VisitorKind.REFERRER: "referrer_host"}
"""What of a click's origin each kind is."""


def stale(session: Session, *, since: datetime, limit: int) -> list[Stretch]:
    """Where the counts since then differ from those of the partner: at most so many hours of partners, the newest first."""
    key = ("program_id", "partner_id", "hour", "verdict")
    # Sub ids of links stand for all: what this module counts is written together.
    counted = _one_side(LinkSubHour, key, -1).where(LinkSubHour.hour >= since)
    clicked = _one_side(PartnerClickHour, key, 1).where(PartnerClickHour.hour >= since)
    both = sa.union_all(clicked, counted).subquery()
    of_verdict = sa.select(*(both.c[name] for name in key[:3])).group_by(*(both.c[name] for name in key))
    wrong = of_verdict.having(sa.func.sum(both.c.clicks) != 0).subquery()
    found = sa.select(*wrong.c).distinct().order_by(wrong.c.hour.desc(), wrong.c.program_id, wrong.c.partner_id)
    days: dict[tuple[UUID, date], list[tuple[datetime, UUID]]] = defaultdict(list)
    for program_id, partner_id, hour in session.execute(found.limit(limit)):
        days[program_id, hour.date()].append((hour, partner_id))
    return [_stretch(program_id, hours) for (program_id, _day), hours in days.items()]


def _stretch(program_id: UUID, hours: Sequence[tuple[datetime, UUID]]) -> Stretch:
    moments = [hour for hour, _partner_id in hours]
    partner_ids = frozenset(partner_id for _hour, partner_id in hours)
    return Stretch(program_id, min(moments), max(moments) + _HOUR, partner_ids)


def count(session: Session, *, stretch: Stretch) -> None:
    """Count these hours of these partners anew."""
    bulk.lock(session, bulk.Lock.VISITORS, {partner_id.int for partner_id in stretch.partner_ids})
    _count_visitors(session, stretch)
    _count_subs(session, stretch)


def _forget(session: Session, table: Any, stretch: Stretch) -> None:
    mine = (table.program_id == stretch.program_id, table.partner_id.in_(stretch.partner_ids))
    session.execute(sa.delete(table).where(*mine, table.hour >= stretch.starts_at, table.hour < stretch.ends_at))


def _count_visitors(session: Session, stretch: Stretch) -> None:
    _forget(session, VisitorHour, stretch)
    told = origins.told()
    labels_of = (told[TOLD[kind]].label(kind.value) for kind in VisitorKind)
    sums: dict[tuple[UUID, datetime, VisitorKind], Counter[tuple[str, ClickVerdict]]] = defaultdict(Counter)
    for partner_id, second, verdict, *labels, clicks in session.execute(_groups(stretch, *labels_of)):
        for kind, label in zip(VisitorKind, labels, strict=True):
            sums[partner_id, datetime.fromtimestamp(int(second), UTC), kind][label, verdict] += clicks
    rows = [
        {
            "program_id": stretch.program_id, "partner_id": partner_id, "kind": kind, "hour": hour,
            "label": label, "verdict": verdict, "clicks": clicks,
        }
        for (partner_id, hour, kind), counts in sums.items()
        for (label, verdict), clicks in _capped(counts).items()
    ]  # fmt: skip
    if rows:
        session.execute(sa.insert(VisitorHour), rows)


def _count_subs(session: Session, stretch: Stretch) -> None:
    _forget(session, LinkSubHour, stretch)
    sums: dict[tuple[UUID, UUID, datetime], Counter[tuple[str, ClickVerdict]]] = defaultdict(Counter)
    for partner_id, second, verdict, link_id, sub, clicks in session.execute(
        _groups(stretch, Click.link_id, origins.sub_id())
    ):
        sums[partner_id, link_id, datetime.fromtimestamp(int(second), UTC)][sub, verdict] += clicks
    rows = [
        {
            "program_id": stretch.program_id, "partner_id": partner_id, "link_id": link_id, "hour": hour,
            "sub": sub, "verdict": verdict, "clicks": clicks,
        }
        for (partner_id, link_id, hour), counts in sums.items()
        for (sub, verdict), clicks in _capped(counts).items()
    ]  # fmt: skip
    if rows:
        session.execute(sa.insert(LinkSubHour), rows)


def _one_side(rollup: Any, key: Sequence[str], sign: int) -> sa.Select[Any]:
    return sa.select(*(getattr(rollup, name) for name in key), (rollup.clicks * sign).label("clicks"))


def _groups(stretch: Stretch, *told: Any) -> sa.Select[Any]:
    """The clicks by partner, hour, verdict and by all that is told at once."""
    epoch = sa.extract("epoch", Click.occurred_at)
    hour = (epoch - epoch % _HOUR_SECONDS).label("hour")
    keys: list[Any] = [Click.partner_id, hour, Click.verdict, *told]
    return (
        sa.select(*keys, sa.func.count())
        .where(Click.program_id == stretch.program_id, Click.partner_id.in_(stretch.partner_ids))
        .where(Click.occurred_at >= stretch.starts_at, Click.occurred_at < stretch.ends_at)
        .where(Click.verdict != ClickVerdict.TEST)
        .group_by(*keys)
    )


def _capped(counts: Counter[tuple[str, ClickVerdict]]) -> Counter[tuple[str, ClickVerdict]]:
    """The same with the rarest labels under OTHER."""
    by_label: Counter[str] = Counter()
    for (label, _verdict), clicks in counts.items():
        by_label[label] += clicks
    if len(by_label) <= LABELS_MAX:
        return counts
    kept = {label for label, _ in sorted(by_label.items(), key=lambda pair: (-pair[1], pair[0]))[:LABELS_MAX]}
    capped: Counter[tuple[str, ClickVerdict]] = Counter()
    for (label, verdict), clicks in counts.items():
        capped[label if label in kept else OTHER, verdict] += clicks
    return capped
