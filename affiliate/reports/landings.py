"""Where visits begin: valid clicks of a program by page of the shop, counted from the clicks soon after they came.

As `visitors` is: a job looks for hours whose counts do not add up to those of `click_hours_program`, and counts these anew.
"""

from collections import Counter
from collections.abc import Iterable
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
    counted = sa.select(LandingHour.program_id, LandingHour.hour, (-LandingHour.clicks).label("clicks"))
    clicked = sa.select(ProgramClickHour.program_id, ProgramClickHour.hour, ProgramClickHour.clicks).where(
        ProgramClickHour.verdict == ClickVerdict.VALID, ProgramClickHour.hour >= since
    )
    both = sa.union_all(clicked, counted.where(LandingHour.hour >= since)).subquery()
    wrong = sa.select(both.c.program_id, both.c.hour).group_by(both.c.program_id, both.c.hour)
    found = wrong.having(sa.func.sum(both.c.clicks) != 0).order_by(both.c.hour.desc(), both.c.program_id)
    return [(program_id, hour) for program_id, hour in session.execute(found.limit(limit))]


def count(session: Session, *, program_id: UUID, hour: datetime) -> None:
    """Count this hour of a program anew."""
    bulk.lock(session, _LOCK, {program_id.int})
    session.execute(sa.delete(LandingHour).where(LandingHour.program_id == program_id, LandingHour.hour == hour))
    here = (Click.program_id == program_id, Click.verdict == ClickVerdict.VALID)
    # The head of an id is the click's time: a stretch of time is a range of the primary key.
    of_hour = (Click.id >= partitions.first_id(hour), Click.id < partitions.first_id(hour + _HOUR))
    urls = sa.select(Click.landing_url, sa.func.count()).where(*here, *of_hour).group_by(Click.landing_url)
    rows: list[dict[str, Any]] = [
        {"program_id": program_id, "hour": hour, "page": page, "clicks": clicks}
        for page, clicks in _capped(session.execute(urls).tuples()).items()
    ]
    if rows:
        session.execute(sa.insert(LandingHour), rows)


def _capped(urls: Iterable[tuple[str, int]]) -> Counter[str]:
    """The pages of these addresses, the rarest under OTHER."""
    pages: Counter[str] = Counter()
    for url, clicks in urls:
        pages[page_of(url)] += clicks
    if len(pages) <= PAGES_MAX:
        return pages
    most = sorted(pages.items(), key=lambda pair: (-pair[1], pair[0]))
    kept = Counter(dict(most[:PAGES_MAX]))
    kept[OTHER] += sum(clicks for _page, clicks in most[PAGES_MAX:])
    return kept
