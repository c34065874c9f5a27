"""The jobs of notifications, all on the slow queue: read the ledger on, make the calls that are due, forget old ones."""

from uuid import UUID

from affiliate import clock, db, settings
from affiliate.notifications import chat_service, collecting, delivering, digests, queries, service
from affiliate.partners import notices, noticing
from affiliate.programs import queries as programs
from affiliate.programs.models import Program

_ROWS = 500
_CALLS = 24
_SWEPT = 1_000
_DAY_BATCH, _DAY_MAX = 100, 2_000


def collect() -> int:
    """Write down the calls that new rows of the ledger ask for; how much was read. Without new rows nobody waits for this."""
    with db.reading() as session:
        program_ids = queries.behind(session)
    return sum(_collect(each) for each in program_ids)


def _collect(program_id: UUID) -> int:
    with db.transaction() as session:
        return collecting.collect(session, program_id=program_id, limit=_ROWS, now=clock.now())


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


def tell_chats() -> int:
    """Write down what partners' chats are told of new notices, send messages that are due, and give their number, as above."""
    loopback = settings.current().env == "test"
    with db.transaction() as session:
        chat_service.pass_on(session, notices=notices.fresh(session, limit=_ROWS), now=clock.now())
        calls = chat_service.claim(session, limit=_CALLS, now=clock.now())
    if not calls:
        return 0
    outcomes = delivering.make(calls, loopback=loopback)
    with db.transaction() as session:
        for call, outcome in zip(calls, outcomes, strict=True):
            chat_service.note(session, call=call, outcome=outcome, now=clock.now())
    return len(calls)


def write_days() -> int:
    """Write the mails about yesterday, in the morning of each program; how many partners were written to."""
    with db.reading() as session:
        found = programs.programs(session)
    return sum(_write_day(each.id) for each in found)


def _write_day(program_id: UUID) -> int:
    """The ledger is read and the letters are written while nothing is locked; each batch is handed over in a short transaction.

    Whoever is killed in between goes on with the rest. Once nobody waits, the day is closed.
    """
    now, done = clock.now(), 0
    with db.reading() as session:
        program = session.get_one(Program, program_id)
        day = digests.due(session, program=program, now=now)
        if day is None:
            return 0
        waiting = digests.waiting(session, program=program, day=day, limit=_DAY_MAX)
    partner_ids = list(waiting)
    for start in range(0, len(partner_ids), _DAY_BATCH):
        sums = {each: waiting[each] for each in partner_ids[start : start + _DAY_BATCH]}
        with db.reading() as session:
            letters = digests.written(session, program=program, day=day, sums=sums, now=now)
        with db.transaction() as session:
            done += digests.hand_over(session, program_id=program_id, day=day, letters=letters)
    if len(waiting) < _DAY_MAX:
        with db.transaction() as session:
            digests.close(session, program_id=program_id, day=day)
    return done


def sweep() -> int:
    """Forget calls that ended long ago, and old notices; how many."""
    with db.transaction() as session:
        now = clock.now()
        calls = service.sweep(session, limit=_SWEPT, now=now) + chat_service.sweep(session, limit=_SWEPT, now=now)
        return calls + noticing.sweep(session, limit=_SWEPT, now=now)
