"""Every write on the way of an issue to its readers: release, claim, outcome, what a dead job left. Never commits.

A delivery is claimed in a committed transaction before the talk with the mail server, and gets its outcome after it. Nobody
ever takes a claimed one again: what died in between is uncertain.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts.actors import SYSTEM, Actor
from affiliate.db import insert_new
from affiliate.newsletters import (
    audiences,
    bounces,
    counting,
    mailroom,
    preferences,
    queries,
    segments,
    service,
    timing,
)
from affiliate.newsletters.carrier import Answer, Verdict
from affiliate.newsletters.models import DeliveryStatus, IssueStatus, NewsletterDelivery, NewsletterIssue
from affiliate.newsletters.unwelcome import through_another, unwelcome
from affiliate.programs.models import Program

CHUNK = 500
ATTEMPTS_MAX = 6
CLAIM_MAX = timedelta(seconds=100)
"""Longer than a job may run: who claimed before is dead."""

_WAITS = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 240, 720))  # before the second try, the third, …
_HOLDS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15))  # while the server is away
_BEHIND = timedelta(seconds=1)  # later than all that are due
_ERROR_LENGTH_MAX = 500
_RESENDABLE = (DeliveryStatus.UNCERTAIN, DeliveryStatus.FAILED, DeliveryStatus.REFUSED)


def release(session: Session, *, issue: NewsletterIssue, now: datetime) -> int:
    """Write down the next readers of an issue whose time has come; gives how many rows were looked at, zero when all are there.

    From the first call on the issue cannot be taken back. A job that dies goes on after the last reader. In an archived
    program, where nothing is left to say, or where the saved choice of its readers was deleted, nothing begins to leave: the
    issue is a draft again.
    """
    program = session.get_one(Program, issue.program_id)
    if issue.status is IssueStatus.SCHEDULED and (trouble := _keeps_from_leaving(session, issue, program)) is not None:
        service.undo(session, issue_id=issue.id, program_id=program.id, actor=SYSTEM, now=now)
        _move(session, issue.id, (IssueStatus.DRAFT,), {"trouble": trouble or None})
        return 1
    values = {"status": IssueStatus.SENDING, "updated_at": now}
    if _move(session, issue.id, (IssueStatus.SCHEDULED,), values):
        session.refresh(issue)
        counting.write_down(
            session, issue_id=issue.id, urls=mailroom.addresses_in(session, issue=issue, program=program)
        )
    elif not _move(session, issue.id, (IssueStatus.SENDING,), values):
        return 0  # taken back in this moment
    elif service.lacks_choice(
        session, issue
    ):  # else the readers who are not written down yet would be none, without a word
        _move(
            session,
            issue.id,
            (IssueStatus.SENDING,),
            {"status": IssueStatus.STOPPED, "trouble": service.CHOICE_DELETED},
        )
        return 0
    readers = _next_readers(session, issue, program.time_zone, now)
    insert_new(session, NewsletterDelivery, [_delivery(issue, reader, now) for reader in readers])
    if not readers:
        _move(session, issue.id, (IssueStatus.SENDING,), {"released_at": now})
    return len(readers)


def _keeps_from_leaving(session: Session, issue: NewsletterIssue, program: Program) -> str | None:
    """What the writer of an issue is told because of which it must not begin to leave; empty where there is nothing to tell."""
    if program.archived_at is not None:
        return ""  # sent later, when the program is opened again, it would say what was true once
    if service.lacks_choice(session, issue):
        return service.CHOICE_DELETED
    return service.NOTHING_TO_SAY if service.is_empty(session, issue) else None


@dataclass(frozen=True, slots=True)
class _Reader:
    """Who gets a delivery: a person of a partner, or a prospect."""

    zone: str
    user_id: UUID | None = None
    partner_id: UUID | None = None
    prospect_id: UUID | None = None


def _next_readers(session: Session, issue: NewsletterIssue, program_zone: str, now: datetime) -> list[_Reader]:
    """Those of partners first, then prospects."""
    segment = segments.read(issue.segment)
    last_user, last_prospect = queries.last_readers(session, issue_id=issue.id)
    here: dict[str, Any] = {"issue": issue, "segment": segment, "limit": CHUNK}
    people = audiences.readers_after(session, **here, after=last_user, now=now)
    if people:
        return [_Reader(row.time_zone or program_zone, row.user_id, row.partner_id) for row in people]
    found = audiences.prospects_after(session, **here, after=last_prospect)
    return [_Reader(program_zone, prospect_id=row.prospect_id) for row in found]


def _delivery(issue: NewsletterIssue, reader: _Reader, now: datetime) -> dict[str, Any]:
    due_at = timing.due_at(
        send_at=issue.send_at,
        send_wall=datetime.fromisoformat(issue.send_wall) if issue.send_wall else None,
        zone=reader.zone,
        keeps_quiet_hours=issue.keeps_quiet_hours,
        not_before=issue.release_at or now,
    )
    who = {"user_id": reader.user_id, "partner_id": reader.partner_id, "prospect_id": reader.prospect_id}
    facts = {"id": ids.new_at(now), "issue_id": issue.id, "due_at": due_at}
    return facts | who | {"status": DeliveryStatus.WAITING, "attempts": 0}


def keep_quiet(session: Session, *, issue_id: UUID, limit: int, now: datetime) -> int:
    """Put mails off to the morning whose readers sleep now; gives how many.

    A mail was due by day when it was released: since then it was tried again, sent again, its issue stopped and resumed, or so
    many were before it that night has come. It looks at the next `limit` mails that are due: once it finds none, as many may leave.
    """
    put_off: dict[datetime, list[UUID]] = {}
    for row in queries.zones_of_next(session, issue_id=issue_id, limit=limit, now=now):
        put_off.setdefault(timing.not_at_night(now, zone=row.zone), []).append(row.id)
    put_off.pop(now, None)
    for morning, delivery_ids in put_off.items():
        here = (NewsletterDelivery.id.in_(delivery_ids), NewsletterDelivery.status == DeliveryStatus.WAITING)
        _changed(session, sa.update(NewsletterDelivery).where(*here).values(due_at=morning))
    return sum(map(len, put_off.values()))


def skip_unwelcome(session: Session, *, issue_id: UUID, limit: int, now: datetime) -> int:
    """Drop mails to readers who have said stop or are none any more since the release, and to addresses that were suppressed since; gives how many.

    It looks at the next `limit` mails that are due: once it finds none, as many may leave. Who is a reader through another
    partner by now gets the mail as that one's.
    """
    waiting = (NewsletterDelivery.issue_id == issue_id, NewsletterDelivery.status == DeliveryStatus.WAITING)
    in_turn = (NewsletterDelivery.due_at, NewsletterDelivery.id)
    due = sa.select(NewsletterDelivery.id).where(*waiting, NewsletterDelivery.due_at <= now).order_by(*in_turn)
    here = (
        NewsletterDelivery.id.in_(due.limit(limit).correlate(None)),
        NewsletterDelivery.status == DeliveryStatus.WAITING,
    )
    is_moved, other = through_another(session, issue_id=issue_id, now=now)
    _changed(session, sa.update(NewsletterDelivery).where(*here, is_moved).values(partner_id=other))
    skipped = sa.update(NewsletterDelivery).where(*here, unwelcome(session, issue_id=issue_id))
    return _changed(session, skipped.values(status=DeliveryStatus.SKIPPED, settled_at=now))


# Built once, and run past the session's own machinery: either would cost more for each mail than running them does.
_TABLE = cast("sa.Table", NewsletterDelivery.__table__)
_SENDING = sa.exists().where(
    NewsletterIssue.id == _TABLE.c.issue_id, NewsletterIssue.status == sa.literal(IssueStatus.SENDING)
)
_HERE = (
    _TABLE.c.id == sa.bindparam("here"),
    _TABLE.c.status == sa.bindparam("expected"),
    _TABLE.c.attempts == sa.bindparam("seen"),
)
_CLAIM = sa.update(_TABLE).where(*_HERE, _SENDING)
_CLAIM = _CLAIM.values({name: sa.bindparam(name) for name in ("status", "attempts", "claimed_at")})
_SETTLE = sa.update(_TABLE).where(*_HERE)
_SETTLE = _SETTLE.values(
    {name: sa.bindparam(name) for name in ("status", "attempts", "claimed_at", "due_at", "settled_at", "error")}
)


def claim(session: Session, *, delivery: NewsletterDelivery, now: datetime) -> bool:
    """Take a delivery for the talk that follows; false when somebody else did, or the issue was stopped meanwhile."""
    here = {"here": delivery.id, "expected": DeliveryStatus.WAITING, "seen": delivery.attempts}
    values = {"status": DeliveryStatus.CLAIMED, "attempts": delivery.attempts + 1, "claimed_at": now}
    return _count(session.connection().execute(_CLAIM, here | values)) == 1


def settle(
    session: Session, *, delivery: NewsletterDelivery, answer: Answer, claimed_at: datetime, now: datetime
) -> None:
    """Write down what the server said to a claimed delivery; `delivery` is as it was before the claim."""
    attempts = delivery.attempts + 1
    error = answer.text[:_ERROR_LENGTH_MAX] or None
    here = {"here": delivery.id, "expected": DeliveryStatus.CLAIMED, "seen": attempts}
    values: dict[str, Any] = {
        "status": _STATUS_OF.get(answer.verdict), "attempts": attempts, "claimed_at": claimed_at, "due_at": delivery.due_at,
        "settled_at": now, "error": error,
    }  # fmt: skip
    if answer.verdict is Verdict.LATER:
        values |= _put_off(attempts, now)
    elif (
        answer.verdict is Verdict.AWAY
    ):  # nothing was said about this mail: it waits, behind the others, should it be the cause
        values |= {
            "attempts": delivery.attempts,
            "claimed_at": None,
            "due_at": now + _BEHIND,
            "settled_at": None,
            "error": None,
        }
    if _count(session.connection().execute(_SETTLE, here | values)) and answer.is_about_address:
        code = bounces.code_of(answer.text) or "5.0.0"
        report = bounces.Report(delivery.id, code, answer.text[:_ERROR_LENGTH_MAX])
        preferences.record_bounce(session, report=report, now=now)


_STATUS_OF = {
    Verdict.TAKEN: DeliveryStatus.SENT,
    Verdict.REFUSED: DeliveryStatus.REFUSED,
    Verdict.UNKNOWN: DeliveryStatus.UNCERTAIN,
    Verdict.AWAY: DeliveryStatus.WAITING,
}


def _put_off(attempts: int, now: datetime) -> dict[str, Any]:
    if attempts >= ATTEMPTS_MAX:
        return {"status": DeliveryStatus.FAILED}
    return {"status": DeliveryStatus.WAITING, "due_at": now + _WAITS[attempts - 1], "settled_at": None}


def hold(session: Session, *, issue_id: UUID, error: str, now: datetime) -> None:
    """The mail server is away: ask it again later, after growing waits. No delivery is the worse for it."""
    issue = session.get_one(NewsletterIssue, issue_id, populate_existing=True)
    wait = _HOLDS[min(issue.holds, len(_HOLDS) - 1)]
    values = {"held_until": now + wait, "holds": issue.holds + 1, "trouble": error[:_ERROR_LENGTH_MAX]}
    _move(session, issue_id, (IssueStatus.SENDING,), values)


def end_hold(session: Session, *, issue_id: UUID) -> None:
    """The mail server took a mail again."""
    held = (NewsletterIssue.id == issue_id, NewsletterIssue.holds > 0)
    session.execute(sa.update(NewsletterIssue).where(*held).values(holds=0, held_until=None, trouble=None))


def halt(session: Session, *, issue_id: UUID, error: str, now: datetime) -> None:
    """Stop an issue that the server refuses mail after mail: a manager looks at it before everybody is refused."""
    values = {"status": IssueStatus.STOPPED, "trouble": error[:_ERROR_LENGTH_MAX], "updated_at": now}
    _move(session, issue_id, (IssueStatus.SENDING,), values)


def halt_empty(session: Session, *, issue_ids: Collection[UUID], now: datetime) -> None:
    """Stop those of these issues that have nothing to say any more, since partners took back their consent to all that is in them."""
    for issue_id in issue_ids:
        if service.is_empty(session, session.get_one(NewsletterIssue, issue_id)):
            halt(session, issue_id=issue_id, error=service.NOTHING_TO_SAY, now=now)


def tidy(session: Session, *, now: datetime) -> int:
    """What dead jobs left becomes uncertain, and issues without open mails are sent; gives how many mails became uncertain."""
    dead = (NewsletterDelivery.status == DeliveryStatus.CLAIMED, NewsletterDelivery.claimed_at < now - CLAIM_MAX)
    values = {"status": DeliveryStatus.UNCERTAIN, "settled_at": now}
    left = _changed(session, sa.update(NewsletterDelivery).where(*dead).values(values))
    under_way = sa.exists().where(
        NewsletterDelivery.issue_id == NewsletterIssue.id,
        NewsletterDelivery.status.in_((DeliveryStatus.WAITING, DeliveryStatus.CLAIMED)),
    )
    over = (NewsletterIssue.status == IssueStatus.SENDING, NewsletterIssue.released_at.is_not(None), ~under_way)
    sent = {"status": IssueStatus.SENT, "finished_at": now, "held_until": None, "trouble": None}
    _changed(session, sa.update(NewsletterIssue).where(*over).values(sent))
    return left


def resend(session: Session, *, delivery_id: UUID, program_id: UUID, actor: Actor, now: datetime) -> None:
    """Send a mail again that is uncertain or was not taken: a manager's choice, never made by itself.

    Raises:
        NoSuchIssue: no such delivery here. IssueMoved: it is under way or has arrived.
    """
    delivery = queries.delivery_in(session, delivery_id=delivery_id, program_id=program_id)
    if delivery is None:
        raise service.NoSuchIssue("There is no such mail in this program.")
    again = (NewsletterDelivery.id == delivery_id, NewsletterDelivery.status.in_(_RESENDABLE))
    if not _resend(session, delivery.issue_id, *again, program_id=program_id, actor=actor, now=now):
        raise service.IssueMoved("This mail is under way or has arrived. Nothing was changed.")


def resend_failed(session: Session, *, issue_id: UUID, program_id: UUID, actor: Actor, now: datetime) -> int:
    """Send all mails of an issue again that were put off too often; those that are uncertain are looked at one by one.

    Raises:
        NoSuchIssue: not in this program.
    """
    service.found(session, issue_id=issue_id, program_id=program_id)
    failed = (NewsletterDelivery.issue_id == issue_id, NewsletterDelivery.status == DeliveryStatus.FAILED)
    return _resend(session, issue_id, *failed, program_id=program_id, actor=actor, now=now)


def _resend(
    session: Session, issue_id: UUID, *which: sa.ColumnElement[bool], program_id: UUID, actor: Actor, now: datetime
) -> int:
    again = {"status": DeliveryStatus.WAITING, "attempts": 0, "due_at": now, "error": None, "settled_at": None}
    changed = sa.update(NewsletterDelivery).where(*which).values(again).returning(NewsletterDelivery.id)
    count = len(session.scalars(changed.execution_options(synchronize_session=False)).all())
    if count:
        reopened = (NewsletterIssue.id == issue_id, NewsletterIssue.status == IssueStatus.SENT)
        values = {"status": IssueStatus.SENDING, "finished_at": None}
        session.execute(sa.update(NewsletterIssue).where(*reopened).values(values))
        issue = service.found(session, issue_id=issue_id, program_id=program_id)
        service.write_audit(session, issue, "newsletter.resend", actor=actor, now=now)
    return count


def _move(session: Session, issue_id: UUID, expected: tuple[IssueStatus, ...], values: dict[str, Any]) -> bool:
    here = (NewsletterIssue.id == issue_id, NewsletterIssue.status.in_(expected))
    return _changed(session, sa.update(NewsletterIssue).where(*here).values(values)) == 1


def _changed(session: Session, statement: Any) -> int:
    return _count(session.execute(statement.execution_options(synchronize_session=False)))


def _count(result: Any) -> int:
    return result.rowcount if isinstance(result, CursorResult) else 0
