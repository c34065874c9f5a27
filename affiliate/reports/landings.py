"""Where visits begin, and with what: clicks of a program by page of the shop and by device, counted from the clicks soon after they came.

As `visitors` is: a job looks for hours whose counts do not add up to those of `click_hours_program`, and counts these anew.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.ingest import bulk, partitions
from affiliate.ingest.devices import device
from affiliate.ingest.models import Click, ClickVerdict
from affiliate.ingest.rollup_models import OTHER, ProgramClickHour
from affiliate.reports.landing_models import PAGE_LENGTH_MAX, DeviceHour, LandingHour

PAGES_MAX = 200
"""The most pages of a program's hour, those with the most clicks; the others count as OTHER."""
_HOUR = timedelta(hours=1)
Hours = Mapping[datetime, Counter[tuple[str, ClickVerdict]]]
"""Clicks by their hour, label and verdict."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Hours of a program one after the other, all of one UTC day, which are counted anew together."""

    program_id: UUID
    starts_at: datetime
    ends_at: datetime


def page_of(url: str) -> str:
    """The page of an address, without its query: host and path, no slash at the end. The same page has one name."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.netloc.lower()}{parts.path.rstrip('/')}"[:PAGE_LENGTH_MAX]


def stale(session: Session, *, since: datetime, limit: int) -> list[Stretch]:
    """Where the counts since then differ from those of the program: at most so many hours, the newest first."""
    names = ("program_id", "hour", "verdict")
    ours, theirs = (
        sa.select(*(getattr(rollup, name) for name in names), (rollup.clicks * sign).label("clicks")).where(rollup.hour >= since)
        for rollup, sign in ((DeviceHour, -1), (ProgramClickHour, 1))  # devices stand for both: they are written together
    )  # fmt: skip
    both = sa.union_all(ours, theirs).subquery()
    of_verdict = sa.select(both.c.program_id, both.c.hour).group_by(*(both.c[name] for name in names))
    wrong = of_verdict.having(sa.func.sum(both.c.clicks) != 0).subquery()
    found = sa.select(*wrong.c).distinct().order_by(wrong.c.hour.desc(), wrong.c.program_id)
    days: dict[tuple[UUID, date], list[datetime]] = defaultdict(list)
    for program_id, hour in session.execute(found.limit(limit)):
        days[program_id, hour.date()].append(hour)
    return [stretch for (program_id, _day), hours in days.items() for stretch in _stretches(program_id, hours)]


def _stretches(program_id: UUID, hours: Sequence[datetime]) -> list[Stretch]:
    """The same hours, which come newest first, as few stretches."""
    found: list[Stretch] = []
    for hour in hours:
        ends_at = hour + _HOUR
        if found and found[-1].starts_at == ends_at:
            ends_at = found.pop().ends_at
        found.append(Stretch(program_id, hour, ends_at))
    return found


def count(session: Session, *, stretch: Stretch) -> None:
    """Count these hours of a program anew."""
    bulk.lock(session, bulk.Lock.LANDINGS, {stretch.program_id.int})
    pages, devices = _counted(session, stretch)
    _replace(session, LandingHour, "page", stretch, pages)
    _replace(session, DeviceHour, "device", stretch, devices)


def wrong_devices(session: Session, *, stretch: Stretch) -> list[tuple[datetime, str, ClickVerdict, int, int]]:
    """By hour, device and verdict: clicks as they are counted in these hours, and as they are, where that is not the same.

    Hours of which not all clicks are counted are passed over: they wait to be counted anew.
    """
    stored: dict[datetime, Counter[tuple[str, ClickVerdict]]] = defaultdict(Counter)
    columns = (DeviceHour.hour, DeviceHour.device, DeviceHour.verdict, DeviceHour.clicks)
    for hour, device_name, verdict, clicks in session.execute(sa.select(*columns).where(*_in(DeviceHour, stretch))):
        stored[hour][device_name, verdict] = clicks
    _pages, fresh = _counted(session, stretch)
    return [
        (hour, *key, counts[key], fresh[hour][key])
        for hour, counts in sorted(stored.items())
        if hour in fresh and _by_verdict(counts) == _by_verdict(fresh[hour])
        for key in sorted(counts.keys() | fresh[hour].keys())
        if counts[key] != fresh[hour][key]
    ]


def _by_verdict(counts: Counter[tuple[str, ClickVerdict]]) -> Counter[ClickVerdict]:
    found: Counter[ClickVerdict] = Counter()
    for (_label, verdict), clicks in counts.items():
        found[verdict] += clicks
    return found


def _counted(session: Session, stretch: Stretch) -> tuple[Hours, Hours]:
    """What the clicks of these hours say, by page and by device."""
    pages: dict[datetime, Counter[tuple[str, ClickVerdict]]] = defaultdict(Counter)
    devices: dict[datetime, Counter[tuple[str, ClickVerdict]]] = defaultdict(Counter)
    for second, url, kind, verdict, clicks in session.execute(_groups(stretch)):
        hour = datetime.fromtimestamp(int(second), UTC)
        pages[hour][page_of(url), verdict] += clicks
        devices[hour][kind, verdict] += clicks
    return {hour: _capped(counts) for hour, counts in pages.items()}, devices


def _in(table: Any, stretch: Stretch) -> tuple[sa.ColumnElement[bool], ...]:
    return table.program_id == stretch.program_id, table.hour >= stretch.starts_at, table.hour < stretch.ends_at


def _replace(session: Session, table: Any, name: str, stretch: Stretch, hours: Hours) -> None:
    """Put these counts in the place of those before."""
    session.execute(sa.delete(table).where(*_in(table, stretch)))
    rows: list[dict[str, Any]] = [
        {"program_id": stretch.program_id, "hour": hour, name: label, "verdict": verdict, "clicks": clicks}
        for hour, counts in hours.items()
        for (label, verdict), clicks in counts.items()
    ]
    if rows:
        session.execute(sa.insert(table), rows)


def _groups(stretch: Stretch) -> sa.Select[Any]:
    """The clicks by hour, address, device and verdict."""
    epoch = sa.extract("epoch", Click.occurred_at)
    hour = (epoch - epoch % _HOUR.seconds).label("hour")
    keys: list[Any] = [hour, Click.landing_url, device().label("device"), Click.verdict]
    # The head of an id is the click's time: a stretch of time is a range of the primary key.
    ids_of = (Click.id >= partitions.first_id(stretch.starts_at), Click.id < partitions.first_id(stretch.ends_at))
    then = (Click.occurred_at >= stretch.starts_at, Click.occurred_at < stretch.ends_at)
    here = (Click.program_id == stretch.program_id, Click.verdict != ClickVerdict.TEST)
    return sa.select(*keys, sa.func.count()).where(*here, *ids_of, *then).group_by(*keys)


def _capped(counts: Counter[tuple[str, ClickVerdict]]) -> Counter[tuple[str, ClickVerdict]]:
    """The same with the rarest pages under OTHER."""
    by_page: Counter[str] = Counter()
    for (page, _verdict), clicks in counts.items():
        by_page[page] += clicks
    if len(by_page) <= PAGES_MAX:
        return counts
    kept = {page for page, _clicks in sorted(by_page.items(), key=lambda pair: (-pair[1], pair[0]))[:PAGES_MAX]}
    capped: Counter[tuple[str, ClickVerdict]] = Counter()
    for (page, verdict), clicks in counts.items():
        capped[page if page in kept else OTHER, verdict] += clicks
    return capped
