"""Jobs of newsletters: release what is due, send in short batches, read what came back.

A job is short, so that the mails of accounts on the same queue never wait long behind a newsletter.
"""

import contextlib
import logging
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from affiliate import clock, db, settings
from affiliate.newsletters import bounces, carrier, delivering, openings, preferences, prospects, queries, timing
from affiliate.newsletters.carrier import Answer, Carrier, ServerAway, Verdict
from affiliate.newsletters.mailroom import Mailroom
from affiliate.newsletters.models import NewsletterDelivery
from affiliate.settings import Settings

SEND_EVERY_SECONDS = 5
SECONDS_MAX = 5.0
BATCH_MAX = 1_000
CHUNKS_MAX = 20
REPORTS_MAX = 200
REFUSALS_MAX = 20
"""So many refusals in a row mean that it is not the addresses."""

log = logging.getLogger(__name__)


def release() -> int:
    """Write down the readers of the issues whose time has come, in small transactions; gives how many rows were looked at."""
    looked = 0
    for _ in range(CHUNKS_MAX):
        now = clock.now()
        with db.transaction() as session:
            issue = queries.to_release(session, now=now)
            if issue is None:
                break
            looked += delivering.release(session, issue=issue, now=now)
    return looked


def send() -> int:
    """Send what is due, as much as the rate and a few seconds allow; gives how many mails were handed over."""
    now, to = clock.now(), settings.current()
    with db.reading() as session:
        issue_ids = queries.sending(session)
        is_left = queries.is_claimed(session, before=now - delivering.CLAIM_MAX)
    if not issue_ids and not is_left:
        return 0
    with db.transaction() as session:
        delivering.tidy(session, now=now)
        delivering.halt_empty(session, issue_ids=issue_ids, now=now)
        for issue_id in issue_ids:
            while delivering.keep_quiet(session, issue_id=issue_id, limit=BATCH_MAX, now=now):
                pass
            while delivering.skip_unwelcome(session, issue_id=issue_id, limit=BATCH_MAX, now=now):
                pass
    if not issue_ids:  # an issue that was stopped after its sender died: what it left is listed, and nothing leaves
        return 0
    with db.reading() as session:
        rows = queries.due(session, limit=_allowance(session, to, now), now=now)
        room = Mailroom(session, rows, to, now=now) if rows else None
    if room is None:
        return 0
    rows = [row for row in rows if room.has_words_for(row)]  # consent went since the look above: the next job stops it
    if not rows:
        return 0
    try:
        with carrier.connection(to) as carry:
            return _Round(room, carry).go(rows)
    except ServerAway as error:
        _hold(rows, str(error))
        return 0


def _allowance(session: Any, to: Settings, now: Any) -> int:
    """How many mails may leave now: the part of the rate that falls on one round, and never more than it in a minute."""
    gone = queries.claimed_since(session, since=now - timedelta(minutes=1))
    share = -(-to.newsletter_rate * SEND_EVERY_SECONDS // 60)
    return max(min(to.newsletter_rate - gone, share, BATCH_MAX), 0)


def _hold(rows: Sequence[Any], error: str) -> None:
    with db.transaction() as session:
        for issue_id in {row.NewsletterDelivery.issue_id for row in rows}:
            delivering.hold(session, issue_id=issue_id, error=error, now=clock.now())


class _Round:
    """One connection, one mail after the other. One commit a mail: the outcome of the last and the claim of the next."""

    def __init__(self, room: Mailroom, carry: Carrier) -> None:
        self._room, self._carry = room, carry
        self._open: tuple[NewsletterDelivery, Answer, datetime] | None = None
        self._taken, self._refused_in_a_row = 0, 0
        self._may_ask = False

    def go(self, rows: Sequence[Any]) -> int:
        """Send until the rows, the time or the server's patience end."""
        ends_at = time.monotonic() + SECONDS_MAX
        for row in rows:
            if time.monotonic() > ends_at or not self._one(row):
                break
        self._settle_and(None, clock.now())
        if self._taken:
            with db.transaction() as session:
                for issue_id in {row.NewsletterDelivery.issue_id for row in rows}:
                    delivering.end_hold(session, issue_id=issue_id)
        return self._taken

    def _one(self, row: Any) -> bool:
        """Send one mail; whether to go on. Where night has come since the batch was read, the next job puts it off."""
        delivery, now = row.NewsletterDelivery, clock.now()
        if row.quiet_zone is not None and timing.not_at_night(now, zone=row.quiet_zone) > now:
            return True
        message, unwritten = self._written(row, now)
        if not self._settle_and(row, now):
            return True
        if row.consent_id is not None and not self._may_ask:  # taken back since the row was read
            message, unwritten = self._written(row, now, may_ask=False)
        answer = unwritten or self._carry(self._room.envelope_sender, row.email, message)
        self._open = (delivery, answer, now)
        return self._goes_on(row, answer)

    def _written(self, row: Any, now: datetime, *, may_ask: bool = True) -> tuple[bytes, Answer | None]:
        """The message of one mail, or why there is none."""
        try:
            return self._room.message(row, now=now, may_ask=may_ask), None
        except Exception as error:  # noqa: BLE001 - one mail that cannot be written holds up no other
            log.warning("newsletter delivery %s cannot be written: %s", row.NewsletterDelivery.id, type(error).__name__)
            return b"", Answer(Verdict.REFUSED, f"cannot be written: {type(error).__name__}")

    def _settle_and(self, next_row: Any, now: datetime) -> bool:
        """Write the open outcome down and claim the next mail, in one commit; whether it is ours."""
        with db.transaction() as session:
            if self._open is not None:
                delivery, answer, claimed_at = self._open
                delivering.settle(session, delivery=delivery, answer=answer, claimed_at=claimed_at, now=now)
            is_ours = next_row is not None and self._claim(session, next_row, now)
        self._open = None
        return is_ours

    def _claim(self, session: Session, row: Any, now: datetime) -> bool:
        delivery = row.NewsletterDelivery
        if not delivering.claim(session, delivery=delivery, now=now):
            return False
        self._may_ask = openings.expect(session, delivery_id=delivery.id, consent_id=row.consent_id)
        return True

    def _goes_on(self, row: Any, answer: Answer) -> bool:
        self._taken += answer.verdict is Verdict.TAKEN
        self._refused_in_a_row = self._refused_in_a_row + 1 if answer.verdict is Verdict.REFUSED else 0
        if answer.verdict is Verdict.AWAY and not self._taken:
            _hold(
                [row], answer.text
            )  # after some mails it is only tired of this connection: the next job opens another
        if self._refused_in_a_row >= REFUSALS_MAX:
            with db.transaction() as session:
                delivering.halt(session, issue_id=row.NewsletterDelivery.issue_id, error=answer.text, now=clock.now())
        return answer.verdict not in {Verdict.AWAY, Verdict.UNKNOWN} and self._refused_in_a_row < REFUSALS_MAX


def forget_unconfirmed() -> int:
    """Forget addresses that asked for news and were not confirmed in a week; gives how many."""
    with db.transaction() as session:
        return prospects.sweep(session, limit=BATCH_MAX, now=clock.now())


def read_bounces() -> int:
    """Read the reports in the bounce mailbox; gives how many were looked at. What was read moves from `new` to `cur`."""
    folder = settings.current().bounce_maildir
    if not folder:
        return 0
    new, read = Path(folder) / "new", Path(folder) / "cur"
    found = sorted(path for path in new.iterdir() if path.is_file())[:REPORTS_MAX] if new.is_dir() else []
    for path in found:
        _take_report(path)
        read.mkdir(exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # another worker reads the same box
            path.rename(read / f"{path.name.partition(':2,')[0]}:2,S")
    return len(found)


def _take_report(path: Path) -> None:
    try:
        with path.open("rb") as file:
            report = bounces.read(file.read(bounces.BYTES_MAX))
    except FileNotFoundError:  # as below
        return
    if report is None:
        log.info("a mail in the bounce mailbox is no report of ours: %s", path.name)
        return
    with db.transaction() as session:
        preferences.record_bounce(session, report=report, now=clock.now())
