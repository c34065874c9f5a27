"""Reports that people keep: under a name, and by mail when they wish. A person's own, of a partner or of a whole program."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.errors import Invalid, NotFound
from affiliate.reports import timetable
from affiliate.reports.models import SavedReport
from affiliate.reports.timetable import Every

KEPT_MAX = 20
"""The most reports that a person keeps of one owner."""
MAILED_MAX = 5
"""The most reports that a person gets by mail, of all owners together."""
NAME_LENGTH_MAX = 80
HOURS = range(24)


class NoSuchReport(NotFound):
    """There is no such report, or it is somebody else's."""

    def __init__(self) -> None:
        super().__init__("There is no such report.")


class Wrong(enum.StrEnum):
    """Why a report cannot be kept or mailed as asked."""

    NAMELESS = "nameless"
    TOO_MANY_KEPT = "too_many_kept"
    TOO_MANY_MAILED = "too_many_mailed"
    NO_HOUR = "no_hour"


class BadReport(Invalid):
    """The report cannot be kept or mailed as asked: `wrong` says why."""

    def __init__(self, field: str, wrong: Wrong) -> None:
        super().__init__({field: [wrong.value]})
        self.wrong = wrong


class Keepable(Protocol):
    """A report as somebody asks for it: `asked.Asked`, or a page of its own (`pages.Wanted`)."""

    def arguments(self) -> Mapping[str, str]:
        """What of it has to be kept."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who keeps reports of whom: a partner, or (partner null) the program itself."""

    user_id: UUID
    program_id: UUID
    partner_id: UUID | None


@dataclass(frozen=True, slots=True)
class Mailing:
    """When a report comes: every so often, at an hour of a time zone's day."""

    every: Every
    hour: int
    zone: str


def kept(session: Session, *, owner: Owner) -> Sequence[SavedReport]:
    """What a person keeps of this owner, by name."""
    return session.scalars(_of(owner).order_by(SavedReport.name, SavedReport.id).limit(KEPT_MAX)).all()


def keep(session: Session, *, owner: Owner, name: str, asked: Keepable, zone: str, now: datetime) -> SavedReport:
    """Keep a report under a name; one of the same name is replaced.

    Raises:
        BadReport: without a name, or there are too many already.
    """
    name = " ".join(name.split())[:NAME_LENGTH_MAX]
    if not name:
        raise BadReport("name", Wrong.NAMELESS)
    mine = session.scalars(_of(owner).with_for_update()).all()
    for each in mine:
        if each.name == name:
            each.arguments = dict(asked.arguments())
            return each
    if len(mine) >= KEPT_MAX:
        raise BadReport("name", Wrong.TOO_MANY_KEPT)
    whose = {"program_id": owner.program_id, "partner_id": owner.partner_id, "user_id": owner.user_id}
    added = SavedReport(
        id=ids.new_at(now),
        **whose,
        name=name,
        arguments=dict(asked.arguments()),
        time_zone=zone,
        hour=8,
        created_at=now,
    )
    session.add(added)
    return added


def hour_of(text: str) -> int:
    """The hour that was typed; -1, which no mail comes at, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(HOURS[-1])) else -1


def mail(session: Session, *, owner: Owner, report_id: UUID, mailing: Mailing | None, now: datetime) -> SavedReport:
    """Have a report sent by mail from now on, or (null) no more.

    Raises:
        NoSuchReport: there is none, or it is somebody else's.
        BadReport: there is no such hour, or the person gets too many by mail already.
    """
    found = one(session, owner=owner, report_id=report_id)
    if mailing is None:
        found.every, found.next_at = None, None
        return found
    if mailing.hour not in HOURS:
        raise BadReport("hour", Wrong.NO_HOUR)
    if found.every is None and _mailed(session, owner.user_id) >= MAILED_MAX:
        raise BadReport("every", Wrong.TOO_MANY_MAILED)
    found.every, found.hour, found.time_zone = mailing.every, mailing.hour, mailing.zone
    found.next_at = timetable.next_at(mailing.every, hour=mailing.hour, zone=mailing.zone, after=now)
    return found


def take_away(session: Session, *, owner: Owner, report_id: UUID) -> str:
    """Keep a report no longer; gives its name.

    Raises:
        NoSuchReport: there is none, or it is somebody else's.
    """
    found = one(session, owner=owner, report_id=report_id)
    session.delete(found)
    return found.name


def one(session: Session, *, owner: Owner, report_id: UUID) -> SavedReport:
    """A report that a person keeps, locked.

    Raises:
        NoSuchReport: there is none, or it is somebody else's.
    """
    found = session.scalar(_of(owner).where(SavedReport.id == report_id).with_for_update())
    if found is None:
        raise NoSuchReport
    return found


def stop(session: Session, *, report_id: UUID) -> bool:
    """Send a report no more, at the wish of whoever has its mail; false if it was not sent any more."""
    stopping = sa.update(SavedReport).where(SavedReport.id == report_id, SavedReport.every.is_not(None))
    done = session.execute(stopping.values(every=None, next_at=None).returning(SavedReport.id))
    return done.first() is not None


def due(session: Session, *, limit: int, now: datetime) -> list[UUID]:
    """The reports whose time has come, the oldest first."""
    found = sa.select(SavedReport.id).where(SavedReport.next_at <= now).order_by(SavedReport.next_at, SavedReport.id)
    return list(session.scalars(found.limit(limit)))


def _of(owner: Owner) -> sa.Select[SavedReport]:
    mine = (SavedReport.user_id == owner.user_id, SavedReport.program_id == owner.program_id)
    partner_id = SavedReport.partner_id
    whose = partner_id.is_(None) if owner.partner_id is None else partner_id == owner.partner_id
    return sa.select(SavedReport).where(*mine, whose)


def _mailed(session: Session, user_id: UUID) -> int:
    mine = (SavedReport.user_id == user_id, SavedReport.every.is_not(None))
    return session.scalar(sa.select(sa.func.count()).select_from(SavedReport).where(*mine)) or 0
