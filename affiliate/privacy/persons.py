"""A person's own account: a copy of it, and the end of it. What belongs to a partner stays with the partner. Never commits.

No manager decides about it: nothing is owed to a person, and the books are of partners. Who is the last owner of a partner
hands it over first, or asks that the partner be forgotten; who works for a program gives the roles back first.
"""

import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import User
from affiliate.errors import Conflict
from affiliate.files import StoredFile
from affiliate.partners import facts, team
from affiliate.partners.models import MemberInvitation
from affiliate.privacy import erasing, inventory, packing, queries
from affiliate.privacy.inventory import Fate
from affiliate.privacy.models import DataCopy

N_ = str  # marks a sentence for the translators
ROWS_MAX = 10_000
"""Of each table of one person."""
PARTNERS_MAX = 50
NAME = "my-account.zip"
_README = """What is kept about your account, one table per file, as CSV (UTF-8). Times are UTC.

users.csv is you; memberships.csv says for whom you work here; acts.csv is what you did. What belongs to a partner
(links, sales, payouts, cases) is in the copy that its owners can ask for. Passwords and keys are in no copy.
A file ends after {rows} rows.
"""


class WorksHere(Conflict):
    """The person has a role in a program."""

    code = "works_here"

    def __init__(self) -> None:
        super().__init__(N_("You have a role in a program. Ask an administrator to take it away first."))


class OnlyOwner(Conflict):
    """Nobody else owns a partner of this person."""

    code = "only_owner"

    def __init__(self) -> None:
        super().__init__(
            N_(
                "You are the only owner of a partner. Make somebody else an owner, or ask that the partner be forgotten."
            )
        )


def packed(session: Session, *, person_id: UUID) -> bytes:
    """The ZIP of what the tables hold of this person and of nobody else."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", _README.format(rows=f"{ROWS_MAX:,}"))
        for entry in inventory.ENTRIES:
            if queries.is_a_persons(entry) and entry.hidden is not None:
                names, rows = queries.rows_of(
                    session, entry=entry, partner_id=None, person_ids=[person_id], limit=ROWS_MAX
                )
                archive.writestr(f"{entry.table}.csv", packing.table(names, rows))
        memberships = queries.memberships_of(session, person_id=person_id, limit=ROWS_MAX)
        told = ((name, member.role.value, member.created_at) for member, name in memberships)
        archive.writestr("memberships.csv", packing.table(["partner", "role", "created_at"], told))
        archive.writestr("acts.csv", packing.acts(queries.acts_of(session, person_ids=[person_id], limit=ROWS_MAX)))
    return buffer.getvalue()


def note_copy(session: Session, *, person_id: UUID, actor: Actor, now: datetime) -> None:
    """Write down that a person got a copy."""
    audit.record(session, actor=actor, action="user.copy", subject_kind="user", subject_id=person_id, now=now)


def refusal(session: Session, *, person_id: UUID) -> Conflict | None:
    """Why this account cannot end now; null when it can."""
    if queries.is_staff(session, person_id=person_id):
        return WorksHere()
    return OnlyOwner() if owned_alone(session, person_id=person_id) else None


def owned_alone(session: Session, *, person_id: UUID) -> Sequence[Any]:
    """The partners that stand in the way of the account's end: id, name, and whether they wait to be forgotten."""
    return queries.owned_alone(session, person_id=person_id, limit=PARTNERS_MAX)


def ask_for_partners(session: Session, *, person_id: UUID, actor: Actor, now: datetime) -> int:
    """Ask that the partners be forgotten of which a person is the only owner; gives of how many. Their programs decide.

    Whoever was refused or banned has no other page to ask from.
    """
    asked = 0
    for partner in owned_alone(session, person_id=person_id):
        program = queries.program_of(session, partner_id=partner.id)
        if program is not None and not partner.waits:
            erasing.ask(session, program=program, partner_id=partner.id, actor=actor, now=now)
            asked += 1
    return asked


def erase(session: Session, *, person_id: UUID, actor: Actor, now: datetime) -> None:
    """End an account for good: nobody can sign in to it, and what others wrote beside its id names nobody any more.

    Raises:
        WorksHere. OnlyOwner.
    """
    person = session.scalars(sa.select(User).where(User.id == person_id).with_for_update()).one()
    if queries.is_staff(session, person_id=person_id):
        raise WorksHere
    _leave_teams(session, person_id, actor, now)
    event_ids = queries.events_about_person(session, person_id=person_id)
    _forget_files(session, person_id)
    session.execute(sa.delete(MemberInvitation).where(MemberInvitation.email == person.email))
    erasing.forget_addresses(session, [person.email], now)
    _forget_rows(session, person_id)
    erasing.forget_people(session, [person_id])
    audit.erase(session, event_ids=event_ids)
    audit.record(session, actor=actor, action="user.erase", subject_kind="user", subject_id=person_id, now=now)
    session.expire_all()


def _leave_teams(session: Session, person_id: UUID, actor: Actor, now: datetime) -> None:
    for member, _name in queries.memberships_of(session, person_id=person_id, limit=ROWS_MAX):
        try:
            team.remove(session, partner_id=member.partner_id, member_id=member.id, actor=actor, now=now)
        except team.LastOwner as refused:
            raise OnlyOwner from refused


def _forget_files(session: Session, person_id: UUID) -> None:
    """Copies that the person asked for, and what was uploaded with drafts that nobody received; what was received is the partner's."""
    drafts = queries.unreceived_files(session, person_id=person_id)
    uploads = [UUID(str(each["file_id"])) for told in drafts for each in told.values() if facts.is_file(each)]
    theirs = DataCopy.asked_by_id == person_id
    copies: Sequence[UUID | None] = session.scalars(sa.select(DataCopy.file_id).where(theirs)).all()
    session.execute(sa.delete(DataCopy).where(theirs))
    session.execute(sa.delete(StoredFile).where(StoredFile.id.in_([*uploads, *filter(None, copies)])))


def _forget_rows(session: Session, person_id: UUID) -> None:
    for entry in inventory.ENTRIES:
        if not queries.is_a_persons(entry):
            continue
        mine = queries.mine(entry, partner_id=None, person_ids=[person_id])
        if entry.fate is Fate.BLANK:
            session.execute(sa.update(queries.table_of(entry)).where(mine).values(**entry.blank))
        elif entry.fate is Fate.DELETE:
            session.execute(sa.delete(queries.table_of(entry)).where(mine))
