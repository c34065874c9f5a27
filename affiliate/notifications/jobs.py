"""The jobs of notifications, all on the slow queue: read the ledger on, make the calls that are due, forget old ones."""

from uuid import UUID

from affiliate import clock, db, settings
from affiliate.notifications import collecting, delivering, digests, queries, service
from affiliate.programs import queries as programs
from affiliate.programs.models import Program

_ROWS = 500
_CALLS = 24
_SWEPT = 1_000
_DAY_BATCH, _DAY_BATCHES = 100, 20


def collect() -> int:
    """Write down the calls that new rows of the ledger ask for; how many rows."""
    with db.transaction() as session:
        return collecting.collect(session, limit=_ROWS, now=clock.now())


def deliver() -> int:
    """Make calls that are due, and give their number. Nobody's database waits while they are made."""
    configured = settings.current()
    with db.transaction() as session:
        calls = delivering.claim(session, limit=_CALLS, secret_key=configured.secret_key, now=clock.now())
    if not calls:
        return 0
    outcomes = delivering.make(calls, loopback=configured.env == "test")
    with db.transaction() as session:
        for call, outcome in zip(calls, outcomes, strict=True):
            delivering.note(session, call=call, outcome=outcome, now=clock.now())
    return len(calls)


def write_days() -> int:
    """Write the mails about yesterday, in the morning of each program; how many partners were written to."""
    with db.reading() as session:
        found = programs.programs(session)
    return sum(_write_day(each.id) for each in found)


def _write_day(program_id: UUID) -> int:
    """In small batches, each a transaction: whoever is killed goes on with the rest."""
    done = 0
    for _ in range(_DAY_BATCHES):
        with db.transaction() as session:
            program = session.get_one(Program, program_id)
            step = digests.write(session, program=program, limit=_DAY_BATCH, now=clock.now())
        done += step
        if step < _DAY_BATCH:
            break
    return done


def sweep() -> int:
    """Forget calls that ended long ago; how many."""
    with db.transaction() as session:
        return service.sweep(session, limit=_SWEPT, now=clock.now())
