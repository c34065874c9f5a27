"""Clicks of a partner by country, device and referring page: counted from the clicks themselves, soon after they came.

Not in the transaction of the clicks, which would have to write three times as many counts: a job looks for hours whose counts
do not add up to those of `click_hours_partner`, and counts these anew. So a count that is there is right, or is about to be.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.ingest import bulk
from affiliate.ingest.models import Click, ClickVerdict
from affiliate.ingest.rollup_models import OTHER, PartnerClickHour
from affiliate.reports.models import LABEL_LENGTH_MAX, VisitorHour, VisitorKind

LABELS_MAX = 50
"""The most labels of a partner's hour, those with the most clicks; the others count as OTHER."""
_LOCK = 3  # `clicks` and `labels` have the numbers before
_HOUR = timedelta(hours=1)

PHONE, TABLET, COMPUTER = "phone", "tablet", "computer"


@dataclass(frozen=True, slots=True)
class PartnersHour:
    """What is counted anew together: some partners of a program in one hour."""

    program_id: UUID
    starts_at: datetime


def device() -> sa.ColumnElement[str]:
    """What a click was made with, by the name that the browser gives itself; empty where it gave none."""
    agent = sa.func.coalesce(Click.user_agent, "")
    is_android, is_mobile = agent.contains("Android"), agent.contains("Mobi")
    is_tablet = sa.or_(agent.contains("iPad"), agent.contains("Tablet"), sa.and_(is_android, sa.not_(is_mobile)))
    return sa.case((agent == "", ""), (is_tablet, TABLET), (is_mobile, PHONE), else_=COMPUTER)


def label_of(kind: VisitorKind) -> sa.ColumnElement[str]:
    """What a click is counted under."""
    by_kind: Mapping[VisitorKind, sa.ColumnElement[str]] = {
        VisitorKind.COUNTRY: sa.func.coalesce(Click.country, ""),
        VisitorKind.DEVICE: device(),
        VisitorKind.REFERRER: sa.func.substr(Click.referrer_host, 1, LABEL_LENGTH_MAX),
    }
    return by_kind[kind]


def stale(session: Session, *, since: datetime, limit: int) -> dict[PartnersHour, list[UUID]]:
    """The hours since then whose counts differ from those of the partner, at most so many hours of partners, the newest first."""
    key = ("program_id", "partner_id", "hour", "verdict")
    # Devices stand for all three kinds: these are written together.
    counted = _one_side(VisitorHour, key, -1).where(VisitorHour.hour >= since, VisitorHour.kind == VisitorKind.DEVICE)
    clicked = _one_side(PartnerClickHour, key, 1).where(PartnerClickHour.hour >= since)
    both = sa.union_all(clicked, counted).subquery()
    of_verdict = sa.select(*(both.c[name] for name in key[:3])).group_by(*(both.c[name] for name in key))
    wrong = of_verdict.having(sa.func.sum(both.c.clicks) != 0).subquery()
    found = sa.select(*wrong.c).distinct().order_by(wrong.c.hour.desc(), wrong.c.program_id, wrong.c.partner_id)
    hours: dict[PartnersHour, list[UUID]] = defaultdict(list)
    for program_id, partner_id, starts_at in session.execute(found.limit(limit)):
        hours[PartnersHour(program_id, starts_at)].append(partner_id)
    return hours


def count(session: Session, *, hour: PartnersHour, partner_ids: Sequence[UUID]) -> None:
    """Count an hour of these partners anew."""
    bulk.lock(session, _LOCK, {partner_id.int for partner_id in partner_ids})
    mine = (VisitorHour.program_id == hour.program_id, VisitorHour.hour == hour.starts_at)
    session.execute(sa.delete(VisitorHour).where(*mine, VisitorHour.partner_id.in_(partner_ids)))
    sums: dict[tuple[UUID, VisitorKind], Counter[tuple[str, ClickVerdict]]] = defaultdict(Counter)
    for partner_id, verdict, *labels, clicks in session.execute(_groups(hour, partner_ids)):
        for kind, label in zip(VisitorKind, labels, strict=True):
            sums[partner_id, kind][label, verdict] += clicks
    rows = [
        {
            "program_id": hour.program_id, "partner_id": partner_id, "kind": kind, "hour": hour.starts_at,
            "label": label, "verdict": verdict, "clicks": clicks,
        }
        for (partner_id, kind), counts in sums.items()
        for (label, verdict), clicks in _capped(counts).items()
    ]  # fmt: skip
    if rows:
        session.execute(sa.insert(VisitorHour), rows)


def _one_side(rollup: Any, key: Sequence[str], sign: int) -> sa.Select[Any]:
    return sa.select(*(getattr(rollup, name) for name in key), (rollup.clicks * sign).label("clicks"))


def _groups(hour: PartnersHour, partner_ids: Sequence[UUID]) -> sa.Select[Any]:
    """The clicks of the hour by all that is told at once."""
    labels = [label_of(kind).label(kind.value) for kind in VisitorKind]
    keys: list[Any] = [Click.partner_id, Click.verdict, *labels]
    return (
        sa.select(*keys, sa.func.count())
        .where(Click.program_id == hour.program_id, Click.partner_id.in_(partner_ids))
        .where(Click.occurred_at >= hour.starts_at, Click.occurred_at < hour.starts_at + _HOUR)
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
