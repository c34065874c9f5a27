"""How good service was, written down: read, entered by hand, taken from tables, removed. Audited; never commits.

A number of the same partner, measure, days and source takes the place of the one before, which stays as history.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import days, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import User
from affiliate.errors import Invalid, NotFound
from affiliate.partners.models import Enrollment, Partner
from affiliate.reports import service_measures
from affiliate.reports.service_measures import ServiceMeasure
from affiliate.reports.written_models import NAME_LENGTH_MAX, TEXT_LENGTH_MAX, ServiceEntry

N_ = str  # marks a sentence for the translators

SHOWN_MAX = 200
DAYS_MAX = 400
_TOO_LONG = N_("This is too long.")


class NoSuchEntry(NotFound):
    """There is no such entry in this program, or it was removed."""


class UnknownPartner(NotFound):
    """The partner is not in this program."""


class Became(enum.StrEnum):
    """What became of a number that was told."""

    NEW = "new"
    REPLACED = "replaced"
    KNOWN = "known"  # the same as before: nothing is written


@dataclass(frozen=True, slots=True)
class Said:
    """A number as it is to be: of a partner, or (null) of the program; days half-open; `number` in the measure's unit."""

    partner_id: UUID | None
    measure: ServiceMeasure
    number: int
    starts_on: date
    ends_on: date
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """An entry with the names that people read; `partner_name` null: of the program."""

    entry: ServiceEntry
    partner_name: str | None
    by: str | None


def entries(
    session: Session, *, program_id: UUID, partner_id: UUID | None = None, limit: int = SHOWN_MAX, offset: int = 0
) -> Sequence[Row]:
    """The entries of a program, or of one of its partners, the latest days first."""
    found = (
        sa.select(ServiceEntry, Partner.name, User.name)
        .outerjoin(Partner, Partner.id == ServiceEntry.partner_id)
        .outerjoin(User, User.id == ServiceEntry.created_by_id)
        .where(ServiceEntry.program_id == program_id, ServiceEntry.removed_at.is_(None))
        .order_by(ServiceEntry.ends_on.desc(), ServiceEntry.id.desc())
    )
    if partner_id is not None:
        found = found.where(ServiceEntry.partner_id == partner_id)
    return [Row(*row) for row in session.execute(found.limit(limit).offset(offset))]


def partners_called(session: Session, *, program_id: UUID, names: Sequence[str]) -> dict[str, list[UUID]]:
    """By each name or public id, in lower case, the partners of the program that are called so."""
    called: dict[str, list[UUID]] = {name.lower(): [] for name in names}
    so = sa.or_(
        Partner.name.in_(names),
        sa.func.lower(Partner.name).in_(called),
        Partner.id.in_([found for name in names if (found := ids.read("ptn", name))]),
    )
    rows = sa.select(Partner.id, Partner.name).join(Enrollment, Enrollment.partner_id == Partner.id)
    for partner_id, name in session.execute(rows.where(Enrollment.program_id == program_id, so)) if names else ():
        for key in (name.lower(), ids.public("ptn", partner_id)):
            called.setdefault(key, []).append(partner_id)
    return called


def check(said: Said, *, today: date) -> None:
    """Whether a number can be told so.

    Raises:
        Invalid: names each wrong field.
    """
    wrong: dict[str, str] = {}
    if problem := service_measures.problem(said.measure, said.number):
        wrong["number"] = problem
    if not days.is_ours(said.starts_on) or not 0 < (said.ends_on - said.starts_on).days <= DAYS_MAX:
        wrong["ends_on"] = N_("The last day is not before the first, and at most 400 days are one entry.")
    elif said.starts_on > today:
        wrong["starts_on"] = N_("This day has not come yet.")
    if len(said.note) > TEXT_LENGTH_MAX:
        wrong["note"] = _TOO_LONG
    if len(said.source) > NAME_LENGTH_MAX:
        wrong["source"] = _TOO_LONG
    if wrong:
        raise Invalid({field: [sentence] for field, sentence in wrong.items()})


def tell(
    session: Session, *, program_id: UUID, said: Sequence[Said], today: date, actor: Actor, now: datetime
) -> list[Became]:
    """Write down numbers, each in its turn; gives what became of each.

    Raises:
        Invalid: one cannot be so. UnknownPartner: one of them is not in this program.
    """
    _see_partners(session, program_id, {one.partner_id for one in said if one.partner_id is not None})
    became = []
    for one in said:
        check(one, today=today)
        became.append(_tell(session, program_id, one, actor=actor, now=now))
    return became


def would_become(session: Session, *, program_id: UUID, said: Sequence[Said]) -> list[Became]:
    """What would become of each of these numbers, if they were told now."""
    if not said:
        return []
    first, end = min(one.starts_on for one in said), max(one.ends_on for one in said)
    there = _live(program_id).where(ServiceEntry.starts_on >= first, ServiceEntry.ends_on <= end)
    known = {_key_of(row): (row.number, row.note) for row in session.scalars(there)}
    found = []
    for one in said:
        before, known[_key(one)] = known.get(_key(one)), (one.number, one.note)
        is_same = before == (one.number, one.note)
        found.append(Became.NEW if before is None else Became.KNOWN if is_same else Became.REPLACED)
    return found


def remove(session: Session, *, program_id: UUID, entry_id: UUID, actor: Actor, now: datetime) -> None:
    """Count an entry no longer.

    Raises:
        NoSuchEntry: not in this program, or removed before.
    """
    here = (ServiceEntry.id == entry_id, ServiceEntry.program_id == program_id, ServiceEntry.removed_at.is_(None))
    gone = sa.update(ServiceEntry).where(*here).values(removed_at=now).returning(ServiceEntry.id)
    if session.scalar(gone) is None:
        raise NoSuchEntry(N_("There is no such entry."))
    _audit(session, session.get_one(ServiceEntry, entry_id), "service.remove", actor=actor, now=now)


def _tell(session: Session, program_id: UUID, said: Said, *, actor: Actor, now: datetime) -> Became:
    here = _live(program_id).where(*_same(said)).order_by(ServiceEntry.id.desc()).limit(1)
    before = session.scalar(here.with_for_update())
    if before is not None and (before.number, before.note) == (said.number, said.note):
        return Became.KNOWN
    if before is not None:
        before.removed_at = now
    values: dict[str, Any] = {name: getattr(said, name) for name in said.__dataclass_fields__}
    entry = ServiceEntry(
        id=ids.new_at(now), program_id=program_id, created_at=now,
        created_by_id=actor.id if actor.kind == "user" else None, **values,
    )  # fmt: skip
    session.add(entry)
    session.flush()
    _audit(session, entry, "service.enter", actor=actor, now=now)
    return Became.NEW if before is None else Became.REPLACED


def _see_partners(session: Session, program_id: UUID, partner_ids: set[UUID]) -> None:
    mine = sa.select(Enrollment.partner_id).where(Enrollment.program_id == program_id)
    if partner_ids - set(session.scalars(mine.where(Enrollment.partner_id.in_(partner_ids)))):
        raise UnknownPartner(N_("There is no such partner in this program."))


def _live(program_id: UUID) -> sa.Select[ServiceEntry]:
    return sa.select(ServiceEntry).where(ServiceEntry.program_id == program_id, ServiceEntry.removed_at.is_(None))


def _same(said: Said) -> list[sa.ColumnElement[bool]]:
    return [
        ServiceEntry.partner_id.is_not_distinct_from(said.partner_id), ServiceEntry.measure == said.measure,
        ServiceEntry.starts_on == said.starts_on, ServiceEntry.ends_on == said.ends_on, ServiceEntry.source == said.source,
    ]  # fmt: skip


def _key(said: Said) -> tuple[Any, ...]:
    return said.partner_id, said.measure, said.starts_on, said.ends_on, said.source


def _key_of(entry: ServiceEntry) -> tuple[Any, ...]:
    return entry.partner_id, entry.measure, entry.starts_on, entry.ends_on, entry.source


def _audit(session: Session, entry: ServiceEntry, action: str, *, actor: Actor, now: datetime) -> None:
    details = {"measure": entry.measure.value, "number": entry.number, "first": entry.starts_on.isoformat()}
    kind, subject = ("program", entry.program_id) if entry.partner_id is None else ("partner", entry.partner_id)
    audit.record(
        session, actor=actor, action=action, subject_kind=kind, subject_id=subject, program_id=entry.program_id,
        details=details | {"end": entry.ends_on.isoformat()}, now=now,
    )  # fmt: skip
