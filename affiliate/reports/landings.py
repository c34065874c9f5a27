"""Where visits begin: clicks of a program by page of the shop, counted from the clicks soon after they came.

As `visitors` is: a job looks for hours whose counts do not add up to those of `click_hours_program`, and counts these anew.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.ingest import bulk, partitions
from affiliate.ingest.models import Click, ClickVerdict
from affiliate.ingest.rollup_models import OTHER, ProgramClickHour
from affiliate.reports.landing_models import PAGE_LENGTH_MAX, LandingHour

PAGES_MAX = 200
"""The most pages of a program's hour, those with the most clicks; the others count as OTHER."""
_LOCK = 4  # `clicks`, `labels` and `visitors` have the numbers before
_HOUR = timedelta(hours=1)

Hour = tuple[UUID, datetime]


def page_of(url: str) -> str:
    """The page of an address, without its query: host and path, no slash at the end. The same page has one name."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.netloc.lower()}{parts.path.rstrip('/')}"[:PAGE_LENGTH_MAX]


def stale(session: Session, *, since: datetime, limit: int) -> list[Hour]:
    """Hours of programs since then whose counts differ from those of the program, the newest first."""
    names = ("program_id", "hour", "verdict")
    ours, theirs = (
        sa.select(*(getattr(rollup, name) for name in names), (rollup.clicks * sign).label("clicks")).where(rollup.hour >= since)
        for rollup, sign in ((LandingHour, -1), (ProgramClickHour, 1))
    )  # fmt: skip
    both = sa.union_all(ours, theirs).subquery()
    of_verdict = sa.select(both.c.program_id, both.c.hour).group_by(*(both.c[name] for name in names))
    wrong = of_verdict.having(sa.func.sum(both.c.clicks) != 0).subquery()
    found = sa.select(*wrong.c).distinct().order_by(wrong.c.hour.desc(), wrong.c.program_id)
    return [(program_id, hour) for program_id, hour in session.execute(found.limit(limit))]


def count(session: Session, *, program_id: UUID, hour: datetime) -> None:
    """Count this hour of a program anew."""
    bulk.lock(session, _LOCK, {program_id.int})
    session.execute(sa.delete(LandingHour).where(LandingHour.program_id == program_id, LandingHour.hour == hour))
    # The head of an id is the click's time: a stretch of time is a range of the primary key.
    of_hour = (Click.id >= partitions.first_id(hour), Click.id < partitions.first_id(hour + _HOUR))
    here = (Click.program_id == program_id, Click.verdict != ClickVerdict.TEST, *of_hour)
    keys = (Click.landing_url, Click.verdict)
    pages: Counter[tuple[str, ClickVerdict]] = Counter()
    for url, verdict, clicks in session.execute(sa.select(*keys, sa.func.count()).where(*here).group_by(*keys)):
        pages[page_of(url), verdict] += clicks
    rows: list[dict[str, Any]] = [
        {"program_id": program_id, "hour": hour, "page": page, "verdict": verdict, "clicks": clicks}
        for (page, verdict), clicks in _capped(pages).items()
    ]
    if rows:
        session.execute(sa.insert(LandingHour), rows)


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
