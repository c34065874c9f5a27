"""Jobs of steering: look at watched figures and at what is late, judge the momentum of partners, send reports on time."""

from datetime import datetime, timedelta
from uuid import UUID

from affiliate import clock, db
from affiliate.programs.models import Program
from affiliate.reports import jobs as reports
from affiliate.steering import choosing, queries, service

BATCH_MAX = 50
PROGRAMS_MAX = 500
_EASTMOST = timedelta(hours=14)  # where a day begins first


def check() -> int:
    """Look at watches whose hour has come; gives how many."""
    with db.transaction() as session:
        return service.check_due(session, limit=BATCH_MAX, now=clock.now())


def tell_late() -> int:
    """Tell managers in the morning of each program what is late; gives in how many programs it was looked."""
    now = clock.now()
    with db.reading() as session:
        found = queries.untold(session, before=(now + _EASTMOST).date(), limit=PROGRAMS_MAX)
    return sum(_tell_late(program.id, now) for program in found)


def _tell_late(program_id: UUID, now: datetime) -> bool:
    with db.transaction() as session:
        return service.tell_late(session, program=session.get_one(Program, program_id), now=now)


def judge() -> int:
    """Judge the partners of one program that waits for it; gives how many."""
    with db.transaction() as session:
        return service.compute_due(session, now=clock.now())


def send_reports() -> int:
    """Send the kept reports whose time has come, also those that are narrowed to a choice; gives how many mails."""
    return reports.send_reports(choosing.narrowed)
