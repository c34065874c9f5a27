"""Jobs of reports: what pages read is computed beforehand, and reports go out by mail."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from types import ModuleType
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate import clock, db
from affiliate.reports import (
    activity_store,
    cohort_store,
    combined,
    combined_queries,
    combining,
    customer_store,
    day_counting,
    grids,
    keeping,
    landings,
    margin_store,
    margins,
    segment_store,
    service,
    span_counting,
    visitors,
)
from affiliate.reports.narrowing import Chooser
from affiliate.reports.written_models import CountedGrid

PROGRAMS_MAX = 20
MAILS_MAX = 50
HOURS_MAX = 500
DAYS_MAX = 500
SPANS_MAX = 50
SLICE_SECONDS = 5.0
"""How long one job counts combined reports, so that mail on the same queue does not wait."""

_STALE_AFTER = timedelta(hours=1)
_RECENT = timedelta(hours=48)
_LATE = timedelta(days=35)
_WEEKS = timedelta(days=70)
_TWO_YEARS = timedelta(days=800)

log = logging.getLogger(__name__)


def compute_figures() -> int:
    """Compute the figures of programs anew once an hour; gives how many programs."""
    now = clock.now()
    with db.reading() as session:
        stale = service.stale_programs(session, before=now - _STALE_AFTER, limit=PROGRAMS_MAX)
        found = [service.figures_of(session, program_id=program_id, now=now) for program_id in stale]
    for figures in filter(None, found):
        with db.transaction() as session:
            service.keep_figures(session, figures=figures)
    return len(found)


def count_cohorts() -> int:
    """Count the cohorts of programs anew once an hour; gives how many."""
    now = clock.now()
    with db.reading() as session:
        due = cohort_store.stale(session, now=now, limit=PROGRAMS_MAX)
    for program_id, kind in due:
        _keep(partial(cohort_store.grid_of, program_id=program_id, kind=kind, now=now))
    return len(due)


def count_customers() -> int:
    """Count the new and returning customers of programs anew once an hour; gives how many programs."""
    return _count_programs(customer_store)


def count_segments() -> int:
    """Count the segments of customers of programs anew once an hour; gives how many programs."""
    return _count_programs(segment_store)


def count_active() -> int:
    """Count the active partners of programs anew once an hour; gives how many programs."""
    return _count_programs(activity_store)


def _count_programs(store: ModuleType) -> int:
    now = clock.now()
    with db.reading() as session:
        due = store.stale(session, now=now, limit=PROGRAMS_MAX)
    for program_id in due:
        _keep(partial(store.grid_of, program_id=program_id, now=now))
    return len(due)


def _keep(grid_of: Callable[[Session], CountedGrid]) -> None:
    """Count without a lock, then write what was counted."""
    with db.reading() as session:
        grid = grid_of(session)
    with db.transaction() as session:
        grids.keep(session, grid=grid)


def count_margins() -> int:
    """Count what months left anew, a few at a time; gives how many."""
    now = clock.now()
    with db.reading() as session:
        due = margin_store.stale(session, now=now, limit=PROGRAMS_MAX)
    for program_id, month in due:
        with db.reading() as session:
            by = margins.product_margins(session, program_id=program_id)
            counted = margin_store.grids_of(session, program_id=program_id, month=month, now=now)
        with db.transaction() as session:
            if margins.product_margins(session, program_id=program_id) == by:  # else it is counted by what is no more
                for grid in counted:
                    grids.keep(session, grid=grid)
    return len(due)


def count_visitors() -> int:
    """Count the visitors of the last two days by country, device and page; gives how many hours of partners."""
    return _count(_RECENT)


def count_late_visitors() -> int:
    """The same for the month before: clicks that came late, verdicts that changed."""
    return _count(_LATE)


def count_landings() -> int:
    """Count where the visits of the last two days began, and with what; gives how many stretches of hours."""
    return _count_landings(_RECENT)


def count_late_landings() -> int:
    """The same for the month before."""
    return _count_landings(_LATE)


def combine() -> int:
    """Count combined reports for some seconds, the oldest first, a day at a time; gives how many days. A killed one goes on."""
    began, days = time.monotonic(), 0
    while time.monotonic() - began < SLICE_SECONDS and _combine_day():
        days += 1
    return days


def _combine_day() -> bool:
    """One day: read in a reading transaction, which holds up nobody, then saved in a short one."""
    with db.reading() as session:
        asked = combined_queries.running(session)
        if asked is None:
            return False
        combination_id, done = asked.id, asked.days_done
        try:
            question = combining.question_of(session, asked)
            day = question.day(done)
            counts = combined_queries.counted(session, question, day, room=combined.ROWS_MAX) if day else {}
            failure = ""
        except Exception as error:
            log.exception("combined report %s fails", combination_id)
            failure = f"{type(error).__name__}: {error}"
    with db.transaction() as session:
        if failure:
            combining.fail(session, combination_id=combination_id, error=failure, now=clock.now())
        else:
            combining.save(session, question=question, days_done=done, counts=counts, now=clock.now())
    return True


def count_days() -> int:
    """Count UTC days anew whose sums no longer hold, of the last weeks, for some seconds; gives how many."""
    return _count_days(_WEEKS)


def count_late_days() -> int:
    """The same for all days that a report may ask for."""
    return _count_days(_TWO_YEARS)


def _count_days(back: timedelta) -> int:
    began, now = time.monotonic(), clock.now()
    since = now.date() - back
    with db.reading() as session:
        due = day_counting.due(session, since=since, now=now, limit=DAYS_MAX)
    days = 0
    for one in due:
        with db.reading() as session:
            counted = day_counting.count(session, due=one)
        if counted is not None:
            with db.transaction() as session:
                days += day_counting.save(session, counted=counted, now=clock.now())
        if time.monotonic() - began > SLICE_SECONDS:
            return days
    return days


def count_spans() -> int:
    """Add up the spans of days that pages ask for, one at least and others while there is time, and forget what they do not; gives how many."""
    began, now = time.monotonic(), clock.now()
    with db.reading() as session:
        due = span_counting.due(session, since=now.date() - _TWO_YEARS, now=now, limit=SPANS_MAX)
    spans = 0
    for one in due:
        with db.transaction() as session:
            spans += span_counting.count(session, due=one, now=now)
        if time.monotonic() - began > SLICE_SECONDS:
            break
    with db.transaction() as session:
        span_counting.forget(session, now=now, limit=SPANS_MAX)
    return spans


def send_reports(chooser: Chooser) -> int:
    """Send the reports whose time has come; gives how many mails. What a killed one leaves, the next one sends.

    `steering.jobs` calls it on time, and hands in what a report is narrowed to.
    """
    with db.reading() as session:
        due = keeping.due(session, limit=MAILS_MAX, now=clock.now())
    return sum(_sent(report_id, chooser) for report_id in due)


def _sent(report_id: UUID, chooser: Chooser) -> bool:
    from affiliate.reports import (
        mailing,
    )  # here, because it needs the words of pages, and there is seldom something to send

    now = clock.now()
    with db.reading() as session:
        outgoing = mailing.written(session, report_id=report_id, chooser=chooser, now=now)
    if outgoing is None:
        return False
    with db.transaction() as session:
        return mailing.send(session, outgoing=outgoing, now=now)


def _count(back: timedelta) -> int:
    with db.reading() as session:
        stale = visitors.stale(session, since=clock.now() - back, limit=HOURS_MAX)
    for stretch in stale:
        with db.transaction() as session:
            visitors.count(session, stretch=stretch)
    return sum(len(stretch.partner_ids) for stretch in stale)


def _count_landings(back: timedelta) -> int:
    with db.reading() as session:
        stale = landings.stale(session, since=clock.now() - back, limit=HOURS_MAX)
    for stretch in stale:
        with db.transaction() as session:
            landings.count(session, stretch=stretch)
    return len(stale)
