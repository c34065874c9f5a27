"""One mail each morning instead of one for each sale: what came in yesterday, what was approved, what was taken back.

The numbers are the ledger's of that day, cut in the program's time zone. A day is written about once, whoever was killed in between.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import User
from affiliate.ledger.models import LedgerAccount, LedgerTransfer, TransferKind
from affiliate.mailer import OutboxMail
from affiliate.notifications import chat_queries, mails
from affiliate.notifications.models import DayMail, DayMark
from affiliate.partners import noticing, posting, readers
from affiliate.partners.models import Member, PartnerNotice
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


def due(session: Session, *, program: Program, now: datetime) -> Day | None:
    """The day to write about, once it is morning; None where everybody was told."""
    day = day_before(now, zone=program.time_zone)
    done = session.get(DayMark, program.id)
    return None if day is None or (done is not None and done.day >= day.day) else day


def waiting(session: Session, *, program: Program, day: Day, limit: int) -> dict[UUID, Sums]:
    """What the day was for up to `limit` partners who were not told of it yet. The ledger is read once, and nothing is stored."""
    told = sa.exists().where(
        DayMail.program_id == program.id, DayMail.day == day.day, DayMail.partner_id == LedgerAccount.partner_id
    )
    of_partner = sa.case(
        (LedgerTransfer.kind.in_(_IN), LedgerTransfer.credit_account_id), else_=LedgerTransfer.debit_account_id
    )
    found = (
        sa.select(LedgerAccount.partner_id, *(sum_ for kind in _KINDS for sum_ in _sums(kind)))
        .select_from(LedgerTransfer)
        .join(LedgerAccount, LedgerAccount.id == of_partner)
        .where(
            LedgerTransfer.program_id == program.id, LedgerTransfer.posted_at >= day.start,
            LedgerTransfer.posted_at < day.end, LedgerTransfer.kind.in_(_KINDS), ~told,
        )
        .group_by(LedgerAccount.partner_id)
        .order_by(LedgerAccount.partner_id)
        .limit(limit)
    )  # fmt: skip
    rows: Sequence[Any] = session.execute(found).all()
    return {
        partner_id: {
            kind: (count, int(amount)) for kind, count, amount in zip(_KINDS, sums[::2], sums[1::2], strict=True)
        }
        for partner_id, *sums in rows
    }


def _sums(kind: TransferKind) -> tuple[sa.ColumnElement[int], sa.ColumnElement[int]]:
    """How many movements of a kind, and what they come to."""
    mine = LedgerTransfer.kind == kind
    amount = sa.func.coalesce(sa.func.sum(LedgerTransfer.amount_minor).filter(mine), 0)
    return sa.func.count().filter(mine), amount


def written(
    session: Session, *, program: Program, day: Day, sums: Mapping[UUID, Sums], now: datetime
) -> dict[UUID, list[OutboxMail | PartnerNotice]]:
    """What tells the people of these partners, by partner: letters, and a notice where a chat of theirs wants it. Nothing is stored yet."""
    letters: dict[UUID, list[OutboxMail | PartnerNotice]] = {partner_id: [] for partner_id in sums}
    for partner_id in _with_chats(session, program.id, sums):
        told = partial(mails.of_day, program, day=day.day, sums=sums[partner_id])
        facts: dict[str, Any] = {"program_id": program.id, "partner_id": partner_id, "kind": MailKind.DAY}
        letters[partner_id].append(noticing.notice(**facts, letter=told, now=now))
    for partner_id, person in _people(session, sums):
        letter = mails.of_day(program, person, day.day, sums[partner_id])
        letters[partner_id].append(
            posting.written(person=person, letter=letter, kind=MailKind.DAY, program=program, now=now)
        )
    return letters


def _with_chats(session: Session, program_id: UUID, partner_ids: Collection[UUID]) -> list[UUID]:
    hooks = chat_queries.live_of(session, partner_ids=partner_ids)
    wanting = {hook.partner_id for hook in hooks if hook.program_id == program_id and MailKind.DAY.value in hook.events}
    return [each for each in partner_ids if each in wanting]


def hand_over(
    session: Session, *, program_id: UUID, day: Day, letters: Mapping[UUID, Sequence[OutboxMail | PartnerNotice]]
) -> int:
    """Put letters into the outbox, once for each partner and day; how many partners nobody else had told meanwhile."""
    rows = [{"program_id": program_id, "day": day.day, "partner_id": each} for each in letters]
    told = db.insert_new(session, DayMail, rows, returning=DayMail.partner_id)
    session.add_all(mail for partner_id in told for mail in letters[partner_id])
    return len(told)


def close(session: Session, *, program_id: UUID, day: Day) -> None:
    """Everybody was told of this day: its ledger is not read for it again."""
    if not db.insert_new(session, DayMark, [{"program_id": program_id, "day": day.day}]):
        older = (DayMark.program_id == program_id, DayMark.day < day.day)
        session.execute(sa.update(DayMark).where(*older).values(day=day.day))


def _people(session: Session, partner_ids: Collection[UUID]) -> Sequence[tuple[UUID, User]]:
    found = (
        sa.select(Member.partner_id, User)
        .join(User, User.id == Member.user_id)
        .where(Member.partner_id.in_(partner_ids), readers.gets(MailKind.DAY))
        .order_by(Member.id)
    )
    return [(row[0], row[1]) for row in session.execute(found)]
