"""Every write on openings: who lets a program know of them, which mails ask, and that one was opened. Never commits.

A mail asks by a picture of one dot, and only a mail to a reader who agreed holds one. What is recorded hangs on that consent:
taken back, it goes with it, and the pictures of mails from before find nothing to record on, even if the reader agrees again.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.db import insert_new
from affiliate.newsletters.models import NewsletterOpening, OpeningConsent


def agree(
    session: Session, *, program_id: UUID, consent_text: str, source: str, now: datetime, user_id: UUID | None = None,
    prospect_id: UUID | None = None,
) -> None:  # fmt: skip
    """A person or a prospect (one of the two) lets a program know of openings from the next mail on. Twice changes nothing."""
    row = {
        "id": ids.new_at(now), "program_id": program_id, "user_id": user_id, "prospect_id": prospect_id,
        "consent_text": consent_text, "source": source, "agreed_at": now,
    }  # fmt: skip
    insert_new(session, OpeningConsent, [row])


def withdraw(session: Session, *, user_id: UUID, program_id: UUID) -> bool:
    """Nothing is recorded of a person any more, and what was is forgotten. Gives whether there was a consent."""
    return _forget(session, OpeningConsent.user_id == user_id, OpeningConsent.program_id == program_id)


def withdraw_prospect(session: Session, *, prospect_id: UUID) -> bool:
    """The same for a prospect, who is one of a single program."""
    return _forget(session, OpeningConsent.prospect_id == prospect_id)


def expect(session: Session, *, delivery_id: UUID, consent_id: UUID | None) -> bool:
    """Make ready to record that a mail is opened which is about to leave; false if its reader has not agreed.

    It never waits: who holds the consent is taking it back, and the outcome of the mail before hangs on this transaction.
    """
    standing = sa.select(OpeningConsent.id).where(OpeningConsent.id == consent_id)
    locked = standing.with_for_update(read=True, key_share=True, skip_locked=True)
    if consent_id is None or session.scalar(locked) is None:
        return False
    row = {"delivery_id": delivery_id, "consent_id": consent_id, "is_opened": False}
    insert_new(session, NewsletterOpening, [row])  # one that is sent again has its row
    return True


def record(session: Session, *, delivery_id: UUID) -> None:
    """A mail was opened. Twice, and at the same time, is once; of a mail that may not ask, nothing is kept."""
    first = (NewsletterOpening.delivery_id == delivery_id, NewsletterOpening.is_opened.is_(False))
    _run(session, sa.update(NewsletterOpening).where(*first).values(is_opened=True))


def _forget(session: Session, *whose: sa.ColumnElement[bool]) -> bool:
    gone = sa.delete(OpeningConsent).where(*whose).returning(OpeningConsent.id)  # the database takes what hangs on it
    return bool(_run(session, gone).all())


def _run(session: Session, statement: Any) -> Any:
    return session.execute(statement.execution_options(synchronize_session=False))
