"""How often the addresses of an issue are opened: a sum for each, and nothing about who opened it.

The mail leads through an address of ours that is the same for every reader, so that no consent is needed. What opens on the way
(scanners of mail, known bots) is led on without being counted, as far as it says what it is.
"""

import hashlib
from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.db import insert_new
from affiliate.newsletters.models import NewsletterLink

LINKS_MAX = 100
_CODE_LENGTH = 12


def code_of(url: str) -> str:
    """The name of an address in ours: the same address of an issue has one sum, in whatever language it stands."""
    return hashlib.sha256(url.encode()).hexdigest()[:_CODE_LENGTH]


def write_down(session: Session, *, issue_id: UUID, urls: Sequence[str]) -> None:
    """Keep where an issue leads whose first mail is about to leave."""
    session.execute(sa.delete(NewsletterLink).where(NewsletterLink.issue_id == issue_id))
    rows = [{"issue_id": issue_id, "code": code_of(url), "url": url, "clicks": 0} for url in urls[:LINKS_MAX]]
    if rows:
        insert_new(session, NewsletterLink, rows, returning=NewsletterLink.code)


def count(session: Session, *, issue_id: UUID, code: str) -> None:
    """One more."""
    opened = (NewsletterLink.issue_id == issue_id, NewsletterLink.code == code)
    session.execute(sa.update(NewsletterLink).where(*opened).values(clicks=NewsletterLink.clicks + 1))
