"""Where rows of a program name a partner who is being forgotten: its recruiting addresses, who came by them, stories it told."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.joining.models import ApplicationDraft, Article, ArticleKind, Invitation
from affiliate.partners.models import Application, Enrollment
from affiliate.privacy.inventory import ERASED

_QUIET = {"synchronize_session": False}


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
