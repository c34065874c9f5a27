"""One mail each morning instead of one for each sale: what came in yesterday, what was approved, what was taken back.

The numbers are the ledger's of that day, cut in the program's time zone. A day is written about once, whoever was killed in between.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import User
from affiliate.ledger.models import LedgerAccount, LedgerTransfer, TransferKind
from affiliate.notifications import mails
from affiliate.notifications.models import DayMail
from affiliate.partners import posting, readers
from affiliate.partners.models import Member
from affiliate.programs.models import Program

MORNING_HOUR = 6  # of the program's clock
_IN = (TransferKind.ACCRUE, TransferKind.APPROVE)
_KINDS = (*_IN, TransferKind.REVERSE, TransferKind.CLAW_BACK)


@dataclass(frozen=True, slots=True)
class Day:
    """Yesterday, in the program's own time: half-open."""

    day: date
    start: datetime
    end: datetime


Sums = Mapping[TransferKind, tuple[int, int]]
"""How many movements of each kind, and their sum in minor units of the program's currency."""


def day_before(now: datetime, *, zone: str) -> Day | None:
    """The day to write about, once it is morning."""
    local = now.astimezone(ZoneInfo(zone))
    if local.hour < MORNING_HOUR:
        return None
    midnight = datetime.combine(local.date(), time(), ZoneInfo(zone))
    yesterday = local.date() - timedelta(days=1)
    return Day(yesterday, datetime.combine(yesterday, time(), ZoneInfo(zone)), midnight)


def write(session: Session, *, program: Program, limit: int, now: datetime) -> int:
    """Write to the people of up to `limit` partners about their day; how many partners."""
    day = day_before(now, zone=program.time_zone)
    waiting = _waiting(session, program, day, limit) if day else []
    rows = [{"program_id": program.id, "day": day.day, "partner_id": each} for each in waiting] if day else []
    written = db.insert_new(session, DayMail, rows, returning=DayMail.partner_id)
    if day is not None and written:
        _write(session, program, day, written, now)
    return len(written)


def _write(session: Session, program: Program, day: Day, partner_ids: Collection[UUID], now: datetime) -> None:
    sums = _sums(session, program, day, partner_ids)
    for partner_id, person in _people(session, partner_ids):
        letter = mails.of_day(program, person, day.day, sums[partner_id])
        posting.post(session, person=person, letter=letter, kind=MailKind.DAY, now=now)


def _people(session: Session, partner_ids: Collection[UUID]) -> Sequence[tuple[UUID, User]]:
    found = (
        sa.select(Member.partner_id, User)
        .join(User, User.id == Member.user_id)
        .where(Member.partner_id.in_(partner_ids), readers.gets(MailKind.DAY))
        .order_by(Member.id)
    )
    return [(row[0], row[1]) for row in session.execute(found)]


def _moved(program: Program, day: Day, *columns: Any) -> sa.Select[*tuple[Any, ...]]:
    """What happened to partners' commissions on the day."""
    of_partner = sa.case(
        (LedgerTransfer.kind.in_(_IN), LedgerTransfer.credit_account_id), else_=LedgerTransfer.debit_account_id
    )
    return (
        sa.select(*columns)
        .select_from(LedgerTransfer)
        .join(LedgerAccount, LedgerAccount.id == of_partner)
        .where(
            LedgerTransfer.program_id == program.id, LedgerTransfer.posted_at >= day.start,
            LedgerTransfer.posted_at < day.end, LedgerTransfer.kind.in_(_KINDS),
        )
    )  # fmt: skip


def _waiting(session: Session, program: Program, day: Day, limit: int) -> list[UUID]:
    told = sa.exists().where(
        DayMail.program_id == program.id, DayMail.day == day.day, DayMail.partner_id == LedgerAccount.partner_id
    )
    found = _moved(program, day, LedgerAccount.partner_id).where(~told).distinct()
    return [row[0] for row in session.execute(found.order_by(LedgerAccount.partner_id).limit(limit))]


def _sums(session: Session, program: Program, day: Day, partner_ids: Collection[UUID]) -> dict[UUID, Sums]:
    columns = (LedgerAccount.partner_id, LedgerTransfer.kind, sa.func.count(), sa.func.sum(LedgerTransfer.amount_minor))
    grouped = _moved(program, day, *columns).where(LedgerAccount.partner_id.in_(partner_ids))
    sums: dict[UUID, dict[TransferKind, tuple[int, int]]] = {each: {} for each in partner_ids}
    for partner_id, kind, count, amount in session.execute(grouped.group_by(columns[0], columns[1])):
        sums[partner_id][kind] = (count, int(amount))
    return dict(sums)
