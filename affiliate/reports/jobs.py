"""Jobs of reports: what pages read is computed beforehand, and reports go out by mail."""

from datetime import timedelta
from uuid import UUID

from affiliate import clock, db
from affiliate.reports import keeping, service, visitors

PROGRAMS_MAX = 20
MAILS_MAX = 50
HOURS_MAX = 500
_STALE_AFTER = timedelta(hours=1)
_RECENT = timedelta(hours=48)
_LATE = timedelta(days=35)


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


def count_visitors() -> int:
    """Count the visitors of the last two days by country, device and page; gives how many hours of partners."""
    return _count(_RECENT)


def count_late_visitors() -> int:
    """The same for the month before: clicks that came late, verdicts that changed."""
    return _count(_LATE)


def send_reports() -> int:
    """Send the reports whose time has come; gives how many mails. What a killed one leaves, the next one sends."""
    with db.reading() as session:
        due = keeping.due(session, limit=MAILS_MAX, now=clock.now())
    return sum(_sent(report_id) for report_id in due)


def _sent(report_id: UUID) -> bool:
    from affiliate.reports import (
        mailing,
    )  # here, because it needs the words of pages, and there is seldom something to send

    now = clock.now()
    with db.reading() as session:
        outgoing = mailing.written(session, report_id=report_id, now=now)
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
