"""Every write on who gets no newsletters: a reader's choice, and addresses whose mail comes back. Never commits."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.db import insert_new
from affiliate.newsletters import audiences, bounces, openings, prospects
from affiliate.newsletters.bounce_hooks import Notice
from affiliate.newsletters.bounces import Report
from affiliate.newsletters.content import IssueKind
from affiliate.newsletters.models import (
    MailBounce,
    NewsletterDelivery,
    NewsletterIssue,
    NewsletterRefusal,
    SuppressedAddress,
)
from affiliate.newsletters.tokens import ReaderToken

_REASON_LENGTH_MAX = 500


def choose(
    session: Session, *, user_id: UUID, program_id: UUID, wanted: Collection[IssueKind], source: str, now: datetime
) -> None:
    """What a person wants of a program from now on: these kinds, and no others. Doing it twice changes nothing.

    Who wants none is left alone altogether: the program is told of no openings either.
    """
    mine = (NewsletterRefusal.user_id == user_id, NewsletterRefusal.program_id == program_id)
    session.execute(sa.delete(NewsletterRefusal).where(*mine, NewsletterRefusal.kind.in_(list(wanted))))
    rows = [
        {
            "id": ids.new_at(now),
            "user_id": user_id,
            "program_id": program_id,
            "kind": kind,
            "source": source,
            "created_at": now,
        }
        for kind in IssueKind
        if kind not in wanted
    ]
    insert_new(session, NewsletterRefusal, rows)
    if not wanted:
        openings.withdraw(session, user_id=user_id, program_id=program_id)


def unsubscribe(session: Session, *, token: ReaderToken, source: str, now: datetime) -> None:
    """Stop every newsletter of a program to its reader, by a link in one of them. Doing it twice changes nothing."""
    if token.is_prospect:
        prospects.stop(session, prospect_id=token.reader_id, now=now)
    else:
        choose(session, user_id=token.reader_id, program_id=token.program_id, wanted=(), source=source, now=now)
    note_unsubscribed(session, token=token, now=now)


def note_unsubscribed(session: Session, *, token: ReaderToken, now: datetime) -> None:
    """Write down at the delivery that its reader stopped because of it."""
    reader = NewsletterDelivery.prospect_id if token.is_prospect else NewsletterDelivery.user_id
    here = (
        NewsletterDelivery.id == token.delivery_id, reader == token.reader_id,
        NewsletterDelivery.unsubscribed_at.is_(None),
    )  # fmt: skip
    session.execute(sa.update(NewsletterDelivery).where(*here).values(unsubscribed_at=now))


def record_bounce(session: Session, *, report: Report, now: datetime) -> bool:
    """Take down that a mail came back, and suppress its address where the rule says so. Gives whether it was news to us."""
    address = audiences.address_of(session, delivery_id=report.delivery_id)
    if address is None:
        return False
    row = {
        "id": ids.new_at(now), "delivery_id": report.delivery_id, "address": address, "code": report.code,
        "text": report.text, "occurred_at": now,
    }  # fmt: skip
    if not insert_new(session, MailBounce, [row]):
        return False
    session.execute(
        sa.update(NewsletterDelivery).where(NewsletterDelivery.id == report.delivery_id).values(bounced_at=now)
    )
    since = now - timedelta(days=bounces.DAYS)
    if bounces.is_dead(audiences.bounce_codes(session, address=address, since=since)):
        reason = f"{report.code} {report.text}".strip()[:_REASON_LENGTH_MAX]
        insert_new(session, SuppressedAddress, [{"address": address, "reason": reason, "suppressed_at": now}])
    return True


def take_notice(session: Session, *, notice: Notice, now: datetime) -> bool:
    """The same for what a mail provider told: of the mail that it names, else of the last one that left for the address.

    Who called a mail spam gets no more of them, as if by one click.
    """
    delivery_id = _named_delivery(notice.message_id)
    if delivery_id is None or audiences.address_of(session, delivery_id=delivery_id) is None:
        since = now - timedelta(days=bounces.DAYS)
        delivery_id = audiences.last_delivery_to(session, address=notice.address, since=since)
    if delivery_id is None:
        return False
    if notice.is_complaint:
        _stop_who_complained(session, delivery_id, now)
        return True
    return record_bounce(session, report=Report(delivery_id, notice.code, notice.text), now=now)


def _stop_who_complained(session: Session, delivery_id: UUID, now: datetime) -> None:
    delivery = session.get_one(NewsletterDelivery, delivery_id)
    program_id = session.get_one(NewsletterIssue, delivery.issue_id).program_id
    reader_id = delivery.user_id or delivery.prospect_id
    if reader_id is not None:
        token = ReaderToken(reader_id, program_id, delivery_id, is_prospect=delivery.prospect_id is not None)
        unsubscribe(session, token=token, source="complaint", now=now)


def _named_delivery(message_id: str) -> UUID | None:
    try:
        return UUID(message_id.partition("@")[0])
    except ValueError:
        return None


def lift(session: Session, *, address: str, program_id: UUID, actor: Actor, now: datetime) -> None:
    """Write to an address again. What came back before counts no more."""
    session.execute(sa.delete(SuppressedAddress).where(SuppressedAddress.address == address))
    session.execute(sa.delete(MailBounce).where(MailBounce.address == address))
    audit.record(
        session, actor=actor, action="newsletter.lift_suppression", subject_kind="program", subject_id=program_id,
        program_id=program_id, now=now,
    )  # fmt: skip
