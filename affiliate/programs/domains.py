"""A host name of a program's own for its links and pages. Takes session and now; never commits.

It counts once it is proved, by a TXT record of the name or by what the host answers, and is looked at again and again:
a host that lost its proof for two days is a stranger's, and everything leads where the installation answers.
"""

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, settings, signing
from affiliate.accounts import audit
from affiliate.accounts.actors import SYSTEM, Actor
from affiliate.errors import Conflict, Invalid
from affiliate.programs import addresses, rules
from affiliate.programs.models import Program, ProgramDomain

N_ = str  # marks a sentence for the translators

TXT_LABEL = "_affiliate"
PROOF_PATH = "/.well-known/affiliate-host"
SOON = timedelta(minutes=1)  # between looks at a host that is new
LATER = timedelta(hours=1)  # after its first hour
AGAIN = timedelta(hours=6)  # between looks at a proved one
FAILURES_MAX = 8  # two days of looks without a proof
GRACE = timedelta(days=2)  # the same by the clock: a host that was just named is looked at more often
_PROBLEM_LENGTH_MAX = 300


class NoDomain(Conflict):
    """There is no host to look at."""

    code = "no_domain"

    def __init__(self) -> None:
        super().__init__(N_("No host is named."))


def row_of(session: Session, *, program_id: UUID) -> ProgramDomain | None:
    """The host that a program wants, if any."""
    return session.get(ProgramDomain, program_id, populate_existing=True)


def program_at(session: Session, *, host: str) -> Program | None:
    """The program whose proved host this is."""
    return session.scalar(sa.select(Program).where(Program.own_host == host))


def is_ours(session: Session, *, host: str) -> bool:
    """Whether a program has or wants this host: a certificate may be asked for, with which its proof can be shown."""
    wanted = sa.exists().where(ProgramDomain.host == host)
    return bool(session.scalar(sa.select(sa.or_(sa.exists().where(Program.own_host == host), wanted))))


def proof(secret_key: str, *, program_id: UUID, host: str) -> str:
    """What has to stand in the TXT record, or be answered: nobody else can tell it, and it is for this host alone."""
    key = signing.derive(secret_key, "host proof")
    return f"affiliate-host={signing.keyed_hash(key, f'{program_id}:{host}')[:40]}"


def answer(session: Session, *, secret_key: str, host: str) -> str | None:
    """What we answer for a host that leads to us: its proof, if exactly one program wants it."""
    found = session.scalars(sa.select(ProgramDomain.program_id).where(ProgramDomain.host == host).limit(2)).all()
    return proof(secret_key, program_id=found[0], host=host) if len(found) == 1 else None


def claim(session: Session, *, program: Program, typed: str, actor: Actor, now: datetime) -> None:
    """Want this host from now on. A proved one goes on until the new one is, for two days.

    Raises:
        Invalid: no host name, the installation's own, or another program's.
    """
    host = rules.clean_host(typed)
    wrong = _problem(session, program.id, host)
    if wrong:
        raise Invalid({"host": [wrong]})
    present = row_of(session, program_id=program.id)
    if present is not None and present.host == host:
        return
    facts: dict[str, Any] = {
        "program_id": program.id, "host": host, "asked_at": now, "proved_at": None, "checked_at": None, "failures": 0,
        "problem": None, "updated_at": now,
    }  # fmt: skip
    if not db.insert_new(session, ProgramDomain, [facts]):
        change = sa.update(ProgramDomain).where(ProgramDomain.program_id == program.id).values(facts)
        session.execute(change.execution_options(synchronize_session=False))
    _record(session, "program.domain", program.id, actor=actor, now=now, told={"host": host})


def _problem(session: Session, program_id: UUID, host: str) -> str | None:
    if rules.host_problem(host) or ":" in host or "." not in host or _is_address(host):
        return N_("Write the name of a host alone, for example partners.shop.example.")
    if host in addresses.own_hosts(settings.current()):
        return N_("The installation itself answers there. Choose a name of the program's own.")
    taken = program_at(session, host=host)
    if taken is not None and taken.id != program_id:
        return N_("Another program has this host.")
    return None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def give_up(session: Session, *, program_id: UUID, actor: Actor, now: datetime) -> None:
    """Want no host any more: links and pages are where the installation answers.

    Raises:
        NoDomain: there is none.
    """
    gone = sa.delete(ProgramDomain).where(ProgramDomain.program_id == program_id).returning(ProgramDomain.host)
    host = session.scalar(gone.execution_options(synchronize_session=False))
    if host is None:
        raise NoDomain
    _move(session, program_id, None, now)
    _record(session, "program.domain_off", program_id, actor=actor, now=now, told={"host": host})


def look_soon(session: Session, *, program_id: UUID, now: datetime) -> None:
    """Look at the host with the next job.

    Raises:
        NoDomain: there is none.
    """
    soon = (
        sa.update(ProgramDomain).where(ProgramDomain.program_id == program_id).values(checked_at=None, updated_at=now)
    )
    found = session.scalar(soon.returning(ProgramDomain.host).execution_options(synchronize_session=False))
    if found is None:
        raise NoDomain


def due(session: Session, *, now: datetime, limit: int) -> Sequence[ProgramDomain]:
    """The hosts to be looked at now."""
    never = ProgramDomain.checked_at.is_(None)
    fresh = sa.and_(ProgramDomain.asked_at > now - LATER, ProgramDomain.checked_at <= now - SOON)
    wanted = sa.and_(ProgramDomain.proved_at.is_(None), sa.or_(fresh, ProgramDomain.checked_at <= now - LATER))
    proved = ProgramDomain.checked_at <= now - AGAIN
    found = sa.select(ProgramDomain).where(sa.or_(never, wanted, proved))
    return session.scalars(
        found.order_by(ProgramDomain.checked_at.nulls_first(), ProgramDomain.program_id).limit(limit)
    ).all()


def settle(session: Session, *, looked_at: ProgramDomain, problem: str | None, now: datetime) -> None:
    """Write down what a look has found: the proof, or what is wrong instead."""
    same = (ProgramDomain.program_id == looked_at.program_id, ProgramDomain.host == looked_at.host)
    if problem is None:
        values: dict[str, Any] = {"failures": 0, "problem": None, "proved_at": looked_at.proved_at or now}
    else:
        values = {"failures": looked_at.failures + 1, "problem": problem[:_PROBLEM_LENGTH_MAX]}
    is_over = problem is not None and values["failures"] >= FAILURES_MAX and now >= looked_at.asked_at + GRACE
    if is_over:
        values["proved_at"] = None
    change = sa.update(ProgramDomain).where(*same).values(values | {"checked_at": now, "updated_at": now})
    if session.scalar(change.returning(ProgramDomain.host).execution_options(synchronize_session=False)) is None:
        return  # another host was named meanwhile
    program = session.get_one(Program, looked_at.program_id, populate_existing=True)
    if problem is None and program.own_host != looked_at.host:
        _take_over(session, program, looked_at.host, now)
    elif is_over and program.own_host is not None:  # this host, or the one before it, at which nobody looks any more
        told = {"host": program.own_host}
        _move(session, program.id, None, now)
        _record(session, "program.domain_lost", program.id, actor=SYSTEM, now=now, told=told)


def _take_over(session: Session, program: Program, host: str, now: datetime) -> None:
    if program_at(session, host=host) is not None:  # another program was faster
        values = {"proved_at": None, "problem": N_("Another program has this host.")}
        mine = ProgramDomain.program_id == program.id
        session.execute(
            sa.update(ProgramDomain).where(mine).values(values).execution_options(synchronize_session=False)
        )
        return
    _move(session, program.id, host, now)
    _record(session, "program.domain_proved", program.id, actor=SYSTEM, now=now, told={"host": host})


def _move(session: Session, program_id: UUID, host: str | None, now: datetime) -> None:
    change = sa.update(Program).where(Program.id == program_id).values(own_host=host, updated_at=now)
    session.execute(change, execution_options={"synchronize_session": "fetch"})


def _record(
    session: Session, action: str, program_id: UUID, *, actor: Actor, now: datetime, told: dict[str, Any]
) -> None:
    audit.record(
        session, actor=actor, action=action, subject_kind="program", subject_id=program_id,
        program_id=program_id, details=told, now=now,
    )  # fmt: skip
