"""Copies of a partner's data: asked for by an owner, made by a job as a ZIP of tables, kept for a week."""

import io
import zipfile
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import files, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.errors import Conflict
from affiliate.files import File, StoredFile
from affiliate.partners.models import Partner
from affiliate.privacy import inventory, packing, queries
from affiliate.privacy.models import DataCopy
from affiliate.programs.models import Program

N_ = str  # marks a sentence for the translators
KEPT_FOR = timedelta(days=7)
ROWS_MAX = 100_000
"""Of each table: the newest of more are in the reports."""
_EVERY = timedelta(hours=1)
_LEASE = timedelta(minutes=5)
ATTEMPTS_MAX = 3
_NAME = "my-data.zip"
_README = """Everything that the program keeps about you, one table per file, as CSV (UTF-8).

Amounts are in minor units (cents) of the currency beside them; times are UTC. partners.csv is you, members.csv
your people; users.csv, user_sessions.csv and acts.csv are about the person who asked for this copy alone.
Passwords, keys and the full numbers of bank accounts are in no copy. A file ends after {rows} rows.
"""


class AskedJustNow(Conflict):
    """One copy an hour."""

    code = "asked_just_now"

    def __init__(self) -> None:
        super().__init__(N_("You asked for a copy within the last hour. It is on this page as soon as it is made."))


def ask(session: Session, *, program: Program, partner_id: UUID, actor: Actor, now: datetime) -> DataCopy:
    """Ask for a copy; a job makes it. It is for who asked alone: it holds that person's own rows too.

    Raises:
        AskedJustNow: within an hour of the person's last one.
    """
    person_id: UUID = actor.id  # type: ignore[assignment] # a person asks: the route is an owner's
    session.execute(sa.select(Partner.id).where(Partner.id == partner_id).with_for_update())
    latest = queries.copies(session, partner_id=partner_id, person_id=person_id, limit=1)
    if latest and latest[0].asked_at > now - _EVERY:
        raise AskedJustNow
    copy = DataCopy(id=ids.new_at(now), program_id=program.id, partner_id=partner_id, asked_at=now, attempts=0)
    copy.asked_by_id = person_id
    session.add(copy)
    session.flush()
    audit.record(
        session, actor=actor, action="partner.ask_copy", subject_kind="partner", subject_id=partner_id,
        program_id=program.id, now=now,
    )  # fmt: skip
    return copy


def claim(session: Session, *, now: datetime) -> DataCopy | None:
    """The oldest copy that waits to be made, held until its lease ends; null if there is none."""
    begun = sa.or_(DataCopy.begun_at.is_(None), DataCopy.begun_at < now - _LEASE)
    waiting = sa.select(DataCopy).where(DataCopy.ready_at.is_(None), DataCopy.attempts < ATTEMPTS_MAX, begun)
    copy = session.scalar(waiting.order_by(DataCopy.asked_at).limit(1))
    if copy is None:
        return None
    held = (DataCopy.id == copy.id, DataCopy.attempts == copy.attempts)
    taking = sa.update(DataCopy).where(*held).values(begun_at=now, attempts=copy.attempts + 1)
    taken = session.scalar(taking.returning(DataCopy.id).execution_options(synchronize_session=False))
    return copy if taken is not None else None


def packed(session: Session, *, copy: DataCopy) -> bytes:
    """The ZIP of everything that the tables hold of the partner."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", _README.format(rows=f"{ROWS_MAX:,}"))
        for entry in inventory.ENTRIES:
            if entry.hidden is None:
                continue
            names, rows = queries.rows_of(
                session, entry=entry, partner_id=copy.partner_id, person_ids=[copy.asked_by_id], limit=ROWS_MAX
            )
            archive.writestr(f"{entry.table}.csv", packing.table(names, rows))
        acts = queries.acts_of(session, person_ids=[copy.asked_by_id], limit=ROWS_MAX)
        archive.writestr("acts.csv", packing.acts(acts))
    return buffer.getvalue()


def hand_over(session: Session, *, copy_id: UUID, content: bytes, now: datetime) -> bool:
    """Keep the finished copy, and say so; a second one of the same wish is thrown away."""
    file_id = files.keep(session, File(_NAME, "application/zip", content), now=now)
    ready = {"file_id": file_id, "ready_at": now, "expires_at": now + KEPT_FOR}
    done = sa.update(DataCopy).where(DataCopy.id == copy_id, DataCopy.ready_at.is_(None)).values(ready)
    is_first = session.scalar(done.returning(DataCopy.id).execution_options(synchronize_session=False)) is not None
    if not is_first:
        session.execute(sa.delete(StoredFile).where(StoredFile.id == file_id))
    return is_first


def sweep(session: Session, *, limit: int, now: datetime) -> int:
    """Throw away copies whose term is over; how many."""
    old = session.execute(
        sa.select(DataCopy.id, DataCopy.file_id)
        .where(DataCopy.expires_at <= now, DataCopy.file_id.is_not(None))
        .limit(limit)
    ).all()
    gone = sa.update(DataCopy).where(DataCopy.id.in_([row[0] for row in old])).values(file_id=None)
    session.execute(gone.execution_options(synchronize_session=False))
    session.execute(sa.delete(StoredFile).where(StoredFile.id.in_([row[1] for row in old])))
    return len(old)
