"""Every write on notices: what a partner's people are told in the portal, beside their mails. Never commits.

A notice says what the letter of the same kind says, in all our languages: whoever reads it later chooses the language then.
"""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import User
from affiliate.mailer import Letter
from affiliate.partners import notices
from affiliate.partners.models import NoticeRead, PartnerNotice
from affiliate.speech import say

N_ = str  # marks a sentence for the translators

LANGUAGES = ("en", "it", "pl")
KEPT_FOR = timedelta(days=notices.KEPT_DAYS)
_PATH_LENGTH_MAX = 500


def note(
    session: Session, *, program_id: UUID, partner_ids: Collection[UUID], kind: MailKind,
    letter: Callable[[User], Letter], now: datetime,
) -> None:  # fmt: skip
    """Tell these partners what the letter says."""
    told = _told(letter)
    session.add_all(_notice(told, program_id, each, kind, now) for each in partner_ids)


def notice(
    *, program_id: UUID, partner_id: UUID, kind: MailKind, letter: Callable[[User], Letter], now: datetime
) -> PartnerNotice:
    """The same for one partner, for whoever adds it to the session later."""
    return _notice(_told(letter), program_id, partner_id, kind, now)


def _notice(
    told: tuple[dict[str, Any], str], program_id: UUID, partner_id: UUID, kind: MailKind, now: datetime
) -> PartnerNotice:
    texts, path = told
    return PartnerNotice(
        id=ids.new_at(now), program_id=program_id, partner_id=partner_id, kind=kind, texts=texts, path=path,
        is_passed_on=False, created_at=now,
    )  # fmt: skip


def _told(letter: Callable[[User], Letter]) -> tuple[dict[str, Any], str]:
    """What a letter to nobody in particular says in each language, without its greeting; and the path that it leads to."""
    texts: dict[str, Any] = {}
    path = ""
    for language in LANGUAGES:
        nobody = User(name="", email="", locale=language, time_zone=None)
        written, hello = letter(nobody), say(N_("Hello %(name)s,"), language, name="")
        label, address = written.act or ("", "")
        path = _path(address)[:_PATH_LENGTH_MAX]
        lines = [each for each in written.paragraphs if each != hello]
        texts[language] = {"title": written.subject, "lines": lines, "act": label}
    return texts, path


def _path(address: str) -> str:
    """The address without its host: the portal is wherever its reader is signed in."""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def read(session: Session, *, notice_id: UUID, user_id: UUID) -> None:
    """A person has read a notice. Twice changes nothing."""
    db.insert_new(session, NoticeRead, [{"notice_id": notice_id, "user_id": user_id}])


def read_all(session: Session, *, reader: notices.Reader, now: datetime) -> int:
    """A person has read all that stand on the page; gives how many were new."""
    found = notices.of_reader(session, reader=reader, now=now)
    rows = [{"notice_id": each.id, "user_id": reader.user_id} for each, is_read in found if not is_read]
    return len(db.insert_new(session, NoticeRead, rows))


def sweep(session: Session, *, limit: int, now: datetime) -> int:
    """Forget notices that are older than their term; how many."""
    old = sa.select(PartnerNotice.id).where(PartnerNotice.created_at <= now - KEPT_FOR)
    gone = session.scalars(old.order_by(PartnerNotice.created_at).limit(limit)).all()
    session.execute(sa.delete(NoticeRead).where(NoticeRead.notice_id.in_(gone)))
    session.execute(sa.delete(PartnerNotice).where(PartnerNotice.id.in_(gone)))
    return len(gone)
