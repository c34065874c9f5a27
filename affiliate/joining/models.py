"""Tables of joining: ApplicationForm, ApplicationDraft, ApplicationMessage, Invitation, PublicText, Article."""

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.models import User
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.partners.models import Application, Partner
from affiliate.programs.models import Program


class DraftState(enum.StrEnum):
    """Where an application is before a manager reads it."""

    OPEN = "open"
    SENT = "sent"  # waits until the applicant shows that the address is their own
    RECEIVED = "received"


class ArticleKind(enum.StrEnum):
    """What a public text of a program is."""

    ARTICLE = "article"
    STORY = "story"  # of a partner, who agreed to it


class ApplicationForm(Base):
    """What a program asks its applicants, as documents of `questions`; a program without a row asks the standard ones."""

    __tablename__ = "application_forms"

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id), primary_key=True)
    questions: Mapped[list[Any]]
    updated_at: Mapped[datetime]


class ApplicationDraft(Base):
    """An application from its first saved word until it is received; then it is an Application with the same id.

    `typed` is what the form holds, `answers` what was read of it when it was sent. A draft that nobody goes on with is removed.
    """

    __tablename__ = "application_drafts"
    __table_args__ = (sa.Index("ix_application_drafts_age", "state", "saved_at"),)

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    user_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))  # who was signed in, or proved the mailbox
    state: Mapped[DraftState] = mapped_column(enum_column(DraftState))
    typed: Mapped[dict[str, Any]]
    files: Mapped[dict[str, Any]] = mapped_column(default=dict)  # by question: file_id, name
    who: Mapped[dict[str, Any]] = mapped_column(default=dict)  # email, name, partner_name, website, country
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    asked: Mapped[list[Any]] = mapped_column(default=list)
    locale: Mapped[str] = mapped_column(sa.String(5))
    source: Mapped[str] = mapped_column(sa.String(120), default="")
    invitation_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("invitations.id"))
    started_at: Mapped[datetime]
    saved_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class ApplicationMessage(Base):
    """A question of the program about an application, or the applicant's answer."""

    __tablename__ = "application_messages"
    __table_args__ = (sa.Index("ix_application_messages_application", "application_id", "id"),)

    id: Mapped[PrimaryKey]
    application_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Application.id))
    is_of_program: Mapped[bool]
    author_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    text: Mapped[str] = mapped_column(sa.Text)
    said_at: Mapped[datetime]


class Invitation(Base):
    """An address by which people are asked to join: sent to one of them, or handed out; of a manager, or of a partner who recruits.

    `name` is the source that is kept with each application that came by it. Null limits mean none.
    """

    __tablename__ = "invitations"
    __table_args__ = (sa.Index("ix_invitations_program", "program_id", "created_at"),)

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    code: Mapped[str] = mapped_column(sa.String(24), unique=True)
    name: Mapped[str] = mapped_column(sa.String(80))
    email: Mapped[str | None] = mapped_column(sa.String(255))  # of the one person it was sent to
    recruiter_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(Partner.id))
    lets_in: Mapped[bool] = mapped_column(default=False)  # whoever comes by it is approved without being read
    uses: Mapped[int] = mapped_column(default=0)
    uses_max: Mapped[int | None]
    expires_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]


class PublicText(Base):
    """What a program says of itself in one language, in Markdown; `questions` are pairs of question and answer."""

    __tablename__ = "public_texts"
    __table_args__ = (sa.PrimaryKeyConstraint("program_id", "language"),)

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    language: Mapped[str] = mapped_column(sa.String(5))
    headline: Mapped[str] = mapped_column(sa.String(300))
    summary: Mapped[str] = mapped_column(sa.String(300))  # of the page, as search engines show it
    stands_for: Mapped[str] = mapped_column(sa.Text)
    sold: Mapped[str] = mapped_column(sa.Text)
    audience: Mapped[str] = mapped_column(sa.Text)
    questions: Mapped[list[Any]]
    terms: Mapped[str] = mapped_column(sa.Text, default="")  # where empty, those of the program hold
    updated_at: Mapped[datetime]


class Article(Base):
    """A public text of a program: about its work, or the story of a partner. It is public from `published_at` on."""

    __tablename__ = "articles"
    __table_args__ = (
        sa.UniqueConstraint("program_id", "slug"),
        sa.Index("ix_articles_published", "program_id", "published_at"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    slug: Mapped[str] = mapped_column(sa.String(80))
    language: Mapped[str] = mapped_column(sa.String(5))
    kind: Mapped[ArticleKind] = mapped_column(enum_column(ArticleKind))
    title: Mapped[str] = mapped_column(sa.String(160))
    summary: Mapped[str] = mapped_column(sa.String(300))
    body: Mapped[str] = mapped_column(sa.Text)
    told_by: Mapped[str] = mapped_column(sa.String(120), default="")  # of a story: whose it is
    published_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
