"""Every SELECT on forms, drafts, messages, invitations and public texts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts import queries as accounts
from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.models import Grant, GrantRole, User
from affiliate.joining import questions
from affiliate.joining.models import (
    ApplicationDraft,
    ApplicationForm,
    ApplicationMessage,
    Article,
    DraftState,
    Invitation,
    PublicText,
)
from affiliate.joining.questions import Question
from affiliate.partners.models import Application, Enrollment
from affiliate.programs.models import Program, ProgramStatus

MESSAGES_SHOWN = 100
MANAGERS_MAX = 20
SOURCES_SHOWN = 200
ARTICLES_SHOWN = 100


def form_of(session: Session, *, program_id: UUID) -> tuple[Question, ...]:
    """The questions of a program's form, in order, those not asked included."""
    stored = session.get(ApplicationForm, program_id)
    return questions.complete(questions.from_documents(stored.questions) if stored else questions.STANDARD)


def form_row(session: Session, *, program_id: UUID) -> ApplicationForm | None:
    """The form as it is stored; None while the program asks the standard questions."""
    return session.get(ApplicationForm, program_id)


def draft(session: Session, *, draft_id: UUID, program_id: UUID) -> ApplicationDraft | None:
    """A draft of this program, as it stands in the database now."""
    found = sa.select(ApplicationDraft).where(
        ApplicationDraft.id == draft_id, ApplicationDraft.program_id == program_id
    )
    return session.scalar(found.execution_options(populate_existing=True))


def drafts_of(session: Session, *, user_id: UUID, program_id: UUID) -> ApplicationDraft | None:
    """The draft that a signed-in person left open in this program, the youngest one."""
    mine = (ApplicationDraft.user_id == user_id, ApplicationDraft.program_id == program_id)
    found = sa.select(ApplicationDraft).where(*mine, ApplicationDraft.state == DraftState.OPEN)
    return session.scalar(found.order_by(ApplicationDraft.id.desc()).limit(1))


def old_drafts(session: Session, *, before: datetime, limit: int) -> Sequence[ApplicationDraft]:
    """Up to `limit` drafts that were never received, and that nobody has touched since."""
    waiting = ApplicationDraft.state.in_((DraftState.OPEN, DraftState.SENT))
    found = sa.select(ApplicationDraft).where(waiting, ApplicationDraft.saved_at < before)
    return session.scalars(found.order_by(ApplicationDraft.saved_at).limit(limit)).all()


def application(session: Session, *, application_id: UUID) -> tuple[Application, Enrollment] | None:
    """An application with the membership that it asks for."""
    found = (
        sa.select(Application, Enrollment)
        .join(Enrollment, Enrollment.id == Application.enrollment_id)
        .where(Application.id == application_id)
    )
    row = session.execute(found).one_or_none()
    return None if row is None else (row[0], row[1])


def application_of_partner(
    session: Session, *, program_id: UUID, partner_id: UUID
) -> tuple[Application, Enrollment] | None:
    """A partner's present application in a program."""
    found = (
        sa.select(Application, Enrollment)
        .join(Enrollment, Enrollment.id == Application.enrollment_id)
        .where(Enrollment.program_id == program_id, Enrollment.partner_id == partner_id, Application.is_current)
    )
    row = session.execute(found).one_or_none()
    return None if row is None else (row[0], row[1])


def messages(session: Session, *, application_id: UUID) -> Sequence[ApplicationMessage]:
    """What was asked and answered about an application, oldest first."""
    found = sa.select(ApplicationMessage).where(ApplicationMessage.application_id == application_id)
    return session.scalars(found.order_by(ApplicationMessage.id).limit(MESSAGES_SHOWN)).all()


def message_count(session: Session, *, application_id: UUID, is_of_program: bool) -> int:
    """How many messages one side has written about an application."""
    written = (
        ApplicationMessage.application_id == application_id,
        ApplicationMessage.is_of_program == is_of_program,
    )
    return session.scalar(sa.select(sa.func.count()).where(*written)) or 0


def managers_of(session: Session, *, program_id: UUID) -> Sequence[User]:
    """Who is told of an answer: the program's managers, and those of all programs, if they want to be."""
    managing = (
        Grant.role == GrantRole.MANAGER,
        sa.or_(Grant.program_id == program_id, Grant.program_id.is_(None)),
    )
    theirs = User.id.in_(sa.select(Grant.user_id).where(*managing))
    found = sa.select(User).where(theirs, User.active, accounts.wants(MailKind.ANSWERS))
    return session.scalars(found.order_by(User.id).limit(MANAGERS_MAX)).all()


def invitation_by_code(session: Session, *, code: str) -> tuple[Invitation, Program] | None:
    """An invitation with its program, whatever its state, if the program is open."""
    found = (
        sa.select(Invitation, Program)
        .join(Program, Program.id == Invitation.program_id)
        .where(Invitation.code == code, Program.status == ProgramStatus.LIVE)
    )
    row = session.execute(found).one_or_none()
    return None if row is None else (row[0], row[1])


def invitations_open(session: Session, *, program_id: UUID) -> int:
    """How many invitations managers have made that were not withdrawn; the addresses of recruiters are not counted."""
    made = (Invitation.program_id == program_id, Invitation.recruiter_id.is_(None), Invitation.withdrawn_at.is_(None))
    return session.scalar(sa.select(sa.func.count()).where(*made)) or 0


def invitation_of_recruiter(session: Session, *, program_id: UUID, partner_id: UUID) -> Invitation | None:
    """The address by which a partner recruits others."""
    theirs = (Invitation.program_id == program_id, Invitation.recruiter_id == partner_id)
    return session.scalar(sa.select(Invitation).where(*theirs).order_by(Invitation.id).limit(1))


def came_by(session: Session, *, program_id: UUID) -> dict[str, int]:
    """How many applications came through each source, the busiest first; applications without a source are left out."""
    counted = (
        sa.select(Application.source, sa.func.count().label("applications"))
        .join(Enrollment, Enrollment.id == Application.enrollment_id)
        .where(Enrollment.program_id == program_id, Application.source != "")
        .group_by(Application.source)
        .order_by(sa.func.count().desc(), Application.source)
        .limit(SOURCES_SHOWN)
    )
    return {row.source: row.applications for row in session.execute(counted)}


def texts(session: Session, *, program_ids: Sequence[UUID]) -> dict[UUID, dict[str, PublicText]]:
    """What programs say of themselves, by program and language."""
    found: dict[UUID, dict[str, PublicText]] = {}
    for row in session.scalars(sa.select(PublicText).where(PublicText.program_id.in_(program_ids))):
        found.setdefault(row.program_id, {})[row.language] = row
    return found


def terms_in(session: Session, *, program_id: UUID, language: str) -> str:
    """The terms that a program's page has in a language; empty where those of the program hold."""
    mine = (PublicText.program_id == program_id, PublicText.language == language)
    return session.scalar(sa.select(PublicText.terms).where(*mine)) or ""


def published(
    session: Session, *, program_ids: Sequence[UUID], now: datetime, limit: int = ARTICLES_SHOWN,
    language: str | None = None,
) -> Sequence[Article]:  # fmt: skip
    """The public articles and stories of these programs, youngest first; with a language those written in it before all others."""
    found = sa.select(Article).where(Article.program_id.in_(program_ids), Article.published_at <= now)
    youngest = (Article.published_at.desc(), Article.id.desc())
    order = youngest if language is None else ((Article.language != language), *youngest)
    return session.scalars(found.order_by(*order).limit(limit)).all()


def articles(session: Session, *, program_id: UUID) -> Sequence[Article]:
    """All articles and stories of a program, for its managers, youngest first."""
    found = sa.select(Article).where(Article.program_id == program_id)
    return session.scalars(found.order_by(Article.created_at.desc(), Article.id.desc()).limit(ARTICLES_SHOWN)).all()


def article(session: Session, *, program_id: UUID, slug: str) -> Article | None:
    """One article by its name in addresses."""
    return session.scalar(sa.select(Article).where(Article.program_id == program_id, Article.slug == slug))
