"""The jobs of privacy: make copies that were asked for, throw old ones away."""

from affiliate import clock, db
from affiliate.accounts.models import User
from affiliate.privacy import copying, mails
from affiliate.programs.models import Program

_SWEPT = 100


def make_copy() -> int:
    """Make the oldest copy that waits, and tell who asked; how many. It is read in one snapshot, and nobody waits meanwhile."""
    with db.transaction() as session:
        copy = copying.claim(session, now=clock.now())
    if copy is None:
        return 0
    with db.reading() as session:
        content = copying.packed(session, copy=copy)
    with db.transaction() as session:
        now = clock.now()
        if copying.hand_over(session, copy_id=copy.id, content=content, now=now):
            person, program = session.get_one(User, copy.asked_by_id), session.get_one(Program, copy.program_id)
            mails.tell_ready(session, person=person, program=program, now=now)
    return 1


def sweep() -> int:
    """Throw away copies whose term is over; how many."""
    with db.transaction() as session:
        return copying.sweep(session, limit=_SWEPT, now=clock.now())
