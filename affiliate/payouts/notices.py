"""Mails that payouts call for. The money's transaction leaves a notice of ids alone; a job writes the mails and takes the notice away.

Ten thousand letters take longer than anybody may hold the books. So they are written while nothing is locked, and come
into the outbox in the transaction in which their notices go: a job that is killed loses nothing and tells nobody twice.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, mailer, settings
from affiliate.accounts import stops
from affiliate.accounts.models import User
from affiliate.mailer import Letter, OutboxMail
from affiliate.partners import noticing, readers
from affiliate.partners.models import Member, PartnerNotice
from affiliate.payouts import mails
from affiliate.payouts.mails import Recipient
from affiliate.payouts.models import NoticeKind, PaperState, Payout, PayoutNotice, PayoutStatus
from affiliate.programs.models import Program
from affiliate.senders import Of

Letters = dict[tuple[UUID, NoticeKind], list[OutboxMail | PartnerNotice]]
"""Notices, each with what it calls for, letters and a notice in the portal: nothing, if there is nothing to tell any more."""


def call_for(session: Session, *, kind: NoticeKind, payout_ids: Iterable[UUID]) -> None:
    """These payouts call for their mails, once each."""
    db.insert_new(session, PayoutNotice, [{"payout_id": payout_id, "kind": kind} for payout_id in payout_ids])


def written(session: Session, *, limit: int, now: datetime) -> Letters:
    """The letters of the `limit` oldest notices, in each reader's language. Nothing is stored yet."""
    oldest = sa.select(PayoutNotice.payout_id, PayoutNotice.kind).order_by(PayoutNotice.payout_id, PayoutNotice.kind)
    letters: Letters = {(payout_id, kind): [] for payout_id, kind in session.execute(oldest.limit(limit))}
    for payout_id, kind, partner_id, program_id, facts in _payouts(
        session, {payout_id for payout_id, _kind in letters}
    ):
        if (payout_id, kind) in letters:
            told = partial(_letter, kind, facts)
            about: dict[str, Any] = {"program_id": program_id, "partner_id": partner_id, "kind": mails.KINDS[kind]}
            letters[payout_id, kind].append(noticing.notice(**about, letter=told, now=now))
    for payout_id, kind, reader in _readers(session, {payout_id for payout_id, _kind in letters}):
        if (payout_id, kind) in letters:
            letter = mails.LETTERS[kind](reader)
            letters[payout_id, kind].append(
                mailer.written(
                    recipient=reader.email,
                    letter=letter,
                    locale=reader.language,
                    stop_url=stops.address(settings.current(), user_id=reader.user_id, kind=mails.KINDS[kind]),
                    program=Of(reader.program_id, reader.program),
                    now=now,
                )
            )
    return letters


def hand_over(session: Session, *, letters: Letters) -> int:
    """Put letters into the outbox as their notices go, and give the number of notices. What another job took meanwhile is left alone."""
    taken = 0
    for kind, group in groupby(sorted(letters, key=lambda each: each[1]), key=lambda each: each[1]):
        mine = PayoutNotice.payout_id.in_(sorted(payout_id for payout_id, _kind in group))
        gone = sa.delete(PayoutNotice).where(mine, PayoutNotice.kind == kind).returning(PayoutNotice.payout_id)
        payout_ids = session.scalars(gone, execution_options={"synchronize_session": False}).all()
        session.add_all(mail for payout_id in payout_ids for mail in letters[payout_id, kind])
        taken += len(payout_ids)
    return taken


def _letter(kind: NoticeKind, facts: Sequence[Any], person: User) -> Letter:
    return mails.LETTERS[kind](Recipient(person.id, person.email, person.name, person.locale, *facts))


_IS_PAID = Payout.status == PayoutStatus.PAID
_WAITS = sa.and_(Payout.status == PayoutStatus.PROPOSED, Payout.paper == PaperState.AWAITED)
_KIND = sa.case((_IS_PAID, NoticeKind.PAID.value), else_=NoticeKind.INVOICE_WANTED.value)
_SENT_MINOR = sa.func.coalesce(Payout.paid_minor, Payout.amount_minor - Payout.withheld_minor)
_FACTS = (
    sa.case((_IS_PAID, _SENT_MINOR), else_=Payout.amount_minor),
    sa.case((_IS_PAID, sa.func.coalesce(Payout.paid_currency, Payout.currency)), else_=Payout.currency),
    Program.id,
    Program.name,
    Program.slug,
    Program.own_host,
)


def _payouts(
    session: Session, payout_ids: Iterable[UUID]
) -> Iterable[tuple[UUID, NoticeKind, UUID, UUID, Sequence[Any]]]:
    """The payouts of which there still is something to tell: whose they are, and the last fields of `Recipient`."""
    rows = (
        sa.select(Payout.id, _KIND, Payout.partner_id, Payout.program_id, *_FACTS)
        .join(Program, Program.id == Payout.program_id)
        .where(db.among(session, Payout.id, list(payout_ids)), sa.or_(_IS_PAID, _WAITS))
        .order_by(Payout.id)
    )
    for payout_id, told, partner_id, program_id, *facts in session.execute(rows):
        yield payout_id, NoticeKind(told), partner_id, program_id, facts


def _readers(session: Session, payout_ids: Iterable[UUID]) -> Sequence[tuple[UUID, NoticeKind, Recipient]]:
    """The people who get a mail about each payout of which there still is something to tell."""
    gets = sa.or_(
        sa.and_(_IS_PAID, readers.gets(mails.KINDS[NoticeKind.PAID])),
        sa.and_(_WAITS, readers.gets(mails.KINDS[NoticeKind.INVOICE_WANTED])),
    )
    rows = (
        sa.select(Payout.id, _KIND, User.id, User.email, User.name, User.locale, *_FACTS)
        .join(Member, Member.partner_id == Payout.partner_id)
        .join(User, User.id == Member.user_id)
        .join(Program, Program.id == Payout.program_id)
        .where(db.among(session, Payout.id, list(payout_ids)), gets)
        .order_by(User.email)
    )
    return [(payout_id, NoticeKind(told), Recipient(*facts)) for payout_id, told, *facts in session.execute(rows)]
