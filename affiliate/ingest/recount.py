"""Recounting: the rollups computed again from the clicks that are kept, and every place where the two do not agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from affiliate.db import UtcDateTime
from affiliate.ingest import partitions
from affiliate.ingest.clickrules import RETENTION, ClickVerdict
from affiliate.ingest.models import Click
from affiliate.ingest.rollup_models import LABEL_LENGTH_MAX, OTHER, ROLLUPS, ClickLabel, LabelKind

_COMMON = ("hour", "verdict", "shard", "clicks")


@dataclass(frozen=True, slots=True)
class Difference:
    """One hour that a rollup counts otherwise than the clicks do."""

    rollup: str
    key: dict[str, str]
    clicks: int
    counted: int


@dataclass(frozen=True, slots=True)
class Recount:
    """What was compared, from the first month that is kept whole, and what was found; at most the asked number for each rollup."""

    since: datetime
    raw: int
    by_verdict: dict[ClickVerdict, int]
    differences: Sequence[Difference]


def recount(session: Session, *, limit: int, now: datetime) -> Recount:
    """Compare every rollup with the clicks, hour by hour. Reads all clicks that are kept, once for each rollup."""
    since = partitions.month_of(now - RETENTION, later=1)
    differences = [found for rollup in ROLLUPS for found in _differences(session, rollup, since, limit)]
    by_verdict = _by_verdict(session, since)
    return Recount(since, sum(by_verdict.values()), by_verdict, differences)


def _by_verdict(session: Session, since: datetime) -> dict[ClickVerdict, int]:
    kept = sa.select(Click.verdict, sa.func.count()).where(_counts(since)).group_by(Click.verdict)
    return {verdict: number for verdict, number in session.execute(kept)}  # noqa: C416 - a row is no pair to `dict`


def _counts(since: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(Click.occurred_at >= since, Click.verdict != ClickVerdict.TEST)


def _differences(session: Session, rollup: Any, since: datetime, limit: int) -> list[Difference]:
    table = rollup.__table__
    names = [column.name for column in table.columns if column.name not in _COMMON]
    key = [*names, "hour", "verdict"]
    clicks = _recounted(session, names, since)
    counted = sa.select(
        *(table.c[name] for name in key), sa.literal(0).label("clicks"), table.c.clicks.label("counted")
    ).where(table.c.hour >= since)
    both = sa.union_all(clicks, counted).subquery()
    sums = [sa.func.sum(both.c[name]) for name in ("clicks", "counted")]
    columns = [both.c[name] for name in key]
    found = sa.select(*columns, *sums).group_by(*columns).having(sums[0] != sums[1]).order_by(*columns).limit(limit)
    return [
        Difference(table.name, dict(zip(key, map(str, row[:-2]), strict=True)), int(row[-2]), int(row[-1]))
        for row in session.execute(found)
    ]


def _recounted(session: Session, names: Sequence[str], since: datetime) -> sa.Select[Any]:
    """The clicks themselves under the columns of a rollup."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    if is_sqlite:
        hour: Any = sa.func.strftime("%Y-%m-%d %H:00:00.000000", Click.occurred_at)
        day: Any = sa.func.date(Click.occurred_at)
    else:
        hour = sa.func.date_trunc("hour", Click.occurred_at, "UTC")
        day = sa.cast(sa.func.timezone("UTC", Click.occurred_at), sa.Date)
    sub, host, creative = aliased(ClickLabel), aliased(ClickLabel), aliased(ClickLabel)
    own_sub = sa.func.substr(sa.func.coalesce(Click.subs["sub1"].as_string(), ""), 1, LABEL_LENGTH_MAX)
    labelled = {
        "sub": _label(own_sub, sub),
        "referrer_host": _label(Click.referrer_host, host),
        "creative": _label(Click.creative, creative),
        "hour": sa.type_coerce(hour, UtcDateTime),
    }
    columns = [labelled[name] if name in labelled else getattr(Click, name) for name in (*names, "hour", "verdict")]
    source = sa.select(*(column.label(name) for column, name in zip(columns, (*names, "hour", "verdict"), strict=True)))
    if "sub" in names:
        source = source.outerjoin(sub, _names(sub, LabelKind.SUB, Click.partner_id, day, own_sub))
    if "referrer_host" in names:
        of_program = _names(host, LabelKind.REFERRER, Click.program_id, day, Click.referrer_host)
        source = source.outerjoin(host, of_program)
    if "creative" in names:
        mine = _names(creative, LabelKind.CREATIVE, Click.partner_id, day, Click.creative)
        source = source.outerjoin(creative, mine).where(Click.creative != "")
    one_each = source.where(_counts(since)).subquery()
    return sa.select(*one_each.c, sa.literal(1).label("clicks"), sa.literal(0).label("counted"))


def _names(label: Any, kind: LabelKind, owner: Any, day: Any, text: Any) -> sa.ColumnElement[bool]:
    return sa.and_(
        label.kind == kind,
        label.program_id == Click.program_id,
        label.owner_id == owner,
        label.day == day,
        label.label == text,
    )


def _label(text: Any, admitted: Any) -> Any:
    """The label that a click counts under: its own if it was admitted on that day."""
    return sa.case((sa.or_(text == "", admitted.label.is_not(None)), text), else_=OTHER)
