"""Where rows of a program name a partner who is being forgotten: its recruiting addresses, who came by them, stories about it."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.joining.models import ApplicationDraft, Article, ArticleKind, Invitation
from affiliate.newsletters import mails
from affiliate.newsletters.content import BlockKind
from affiliate.newsletters.models import ConsentStatus, NewsletterIssue, StoryConsent
from affiliate.partners.models import Application, Enrollment
from affiliate.privacy.inventory import ERASED

_QUIET = {"synchronize_session": False}
_ISSUES_AT_ONCE = 100


def stories_of(session: Session, *, partner_id: UUID, names: Collection[str]) -> Sequence[UUID]:
    """The stories in the partner's programs that say to be told by it, or by one of these people."""
    programs = sa.select(Enrollment.program_id).where(Enrollment.partner_id == partner_id)
    told = sa.select(Article.id, Article.told_by).where(Article.program_id.in_(programs))
    known = [re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE) for name in names if name]
    rows = session.execute(told.where(Article.kind == ArticleKind.STORY))
    return [row[0] for row in rows if any(name.search(row[1]) for name in known)]


def forget_stories(session: Session, *, story_ids: Collection[UUID], now: datetime) -> None:
    """Take stories out of publication, without what they told; their addresses go too, which were made of the titles."""
    for story_id in story_ids:
        nothing = {"slug": f"{ERASED}-{story_id.hex}", "title": ERASED, "summary": "", "body": "", "told_by": ERASED}
        gone = sa.update(Article).where(Article.id == story_id).values(**nothing, published_at=None, updated_at=now)
        session.execute(gone, execution_options=_QUIET)


def forget_told(session: Session, *, partner_id: UUID, now: datetime) -> None:
    """Take what newsletters tell about the partner out of them, wherever they are, and its consent back: no mail and no archive tells it.

    Tests of issues that have not left go with it, because nothing says which issue one was of.
    A save by somebody who reads an issue now finds that it changed, so that the story does not come back.
    """
    theirs = StoryConsent.partner_id == partner_id
    declined = {"status": ConsentStatus.DECLINED, "answered_at": now}
    session.execute(sa.update(StoryConsent).where(theirs).values(declined), execution_options=_QUIET)
    programs = sa.select(Enrollment.program_id).where(Enrollment.partner_id == partner_id)
    mails.forget_tests(session, program_ids=session.scalars(programs).all())
    naming = sa.cast(NewsletterIssue.blocks, sa.Text).contains(str(partner_id))
    found = sa.select(NewsletterIssue).where(NewsletterIssue.program_id.in_(programs), naming).with_for_update()
    found = found.order_by(NewsletterIssue.id).limit(_ISSUES_AT_ONCE).execution_options(populate_existing=True)
    issues = session.scalars(found).all()
    while issues:
        for issue in issues:
            issue.blocks = [_without_story(block, partner_id) for block in issue.blocks]
            issue.version, issue.updated_at = issue.version + 1, now
        session.flush()
        issues = session.scalars(found.where(NewsletterIssue.id > issues[-1].id)).all()


def _without_story(block: dict[str, Any], partner_id: UUID) -> dict[str, Any]:
    """The block, and if it tells about the partner, then without its words. Each text stays one, or the issue would lack a language."""
    if block["kind"] != BlockKind.STORY or block["partner_id"] != str(partner_id):
        return block
    texts = {
        language: {name: ERASED if text else "" for name, text in said.items()}
        for language, said in block["texts"].items()
    }
    return block | {"texts": texts, "partner_id": ""}


def forget_recruiting(session: Session, *, partner_id: UUID, now: datetime) -> None:
    """Close the addresses by which the partner brought others, and take its name out of where those came from."""
    theirs = Invitation.recruiter_id == partner_id
    came = sa.select(ApplicationDraft.id).where(
        ApplicationDraft.invitation_id.in_(sa.select(Invitation.id).where(theirs))
    )
    source = {"source": f"recruiter:{ERASED}"}
    session.execute(sa.update(Application).where(Application.id.in_(came)).values(source), execution_options=_QUIET)
    session.execute(
        sa.update(ApplicationDraft).where(ApplicationDraft.id.in_(came)).values(source), execution_options=_QUIET
    )
    closed = sa.func.coalesce(Invitation.withdrawn_at, now)
    session.execute(
        sa.update(Invitation).where(theirs).values(name=ERASED, withdrawn_at=closed), execution_options=_QUIET
    )
