"""Tables of partners: Partner, Member, Enrollment, Application, PartnerTerms, ActingTerm, PartnerMark, PartnerNotice, NoticeRead."""

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.mail_kinds import MailKind
from affiliate.accounts.roles import MemberRole
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.partners.classes import PartnerClass


class EnrollmentStatus(enum.StrEnum):
    """Where a partner stands in a program."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    PAUSED = "paused"
    BANNED = "banned"


class Partner(Base):
    """Who promotes: a blogger, a shop, an agency, a customer who recommends."""

    __tablename__ = "partners"

    id: Mapped[PrimaryKey]
    name: Mapped[str] = mapped_column(sa.String(120))
    website: Mapped[str | None] = mapped_column(sa.String(500))
    country: Mapped[str | None] = mapped_column(sa.String(2))
    channels: Mapped[list[Any]] = mapped_column(
        default=list
    )  # [{kind, address, people}], as `joining.answers` reads them
    created_at: Mapped[datetime]


class Member(Base):
    """A person of a partner."""

    __tablename__ = "members"
    __table_args__ = (sa.UniqueConstraint("user_id", "partner_id"),)

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey("partners.id"), index=True)
    role: Mapped[MemberRole] = mapped_column(enum_column(MemberRole))
    created_at: Mapped[datetime]


class MemberInvitation(Base):
    """A word to somebody to join a partner's people. The mail holds the token, this row its SHA-256.

    One open invitation per address and partner; a newer one takes its place.
    """

    __tablename__ = "member_invitations"
    __table_args__ = (
        sa.Index(
            "uq_member_invitations_open",
            "partner_id",
            "email",
            unique=True,
            postgresql_where=sa.text("closed_at IS NULL"),
            sqlite_where=sa.text("closed_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey("partners.id"))
    email: Mapped[str] = mapped_column(sa.String(255))
    role: Mapped[MemberRole] = mapped_column(enum_column(MemberRole))
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    invited_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]  # accepted, withdrawn, or replaced by a newer one


class Enrollment(Base):
    """A partner's membership in a program."""

    __tablename__ = "enrollments"
    __table_args__ = (
        sa.UniqueConstraint("program_id", "partner_id"),
        sa.Index("ix_enrollments_status", "program_id", "status"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey("partners.id"), index=True)
    status: Mapped[EnrollmentStatus] = mapped_column(enum_column(EnrollmentStatus))
    partner_class: Mapped[PartnerClass] = mapped_column(enum_column(PartnerClass), default=PartnerClass.STANDARD)
    attribution_window_days: Mapped[int | None]  # promised to this partner instead of the program's window
    reason: Mapped[str | None] = mapped_column(sa.String(500))
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("users.id"))
    apply_again_at: Mapped[
        datetime | None
    ]  # of a refused one: from when on it may apply once more; null: not by itself
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime] = mapped_column(index=True)


class Application(Base):
    """What an applicant wrote. `answers` by the key of the question; the enrollment carries the decision.

    `asked` are the questions as they were put, so that an answer is read beside its question after the form has changed.
    Who was refused and applies again has a new row; the old one is not current any more.
    """

    __tablename__ = "applications"
    __table_args__ = (
        sa.Index(
            "uq_applications_current",
            "enrollment_id",
            unique=True,
            postgresql_where=sa.text("is_current"),
            sqlite_where=sa.text("is_current"),
        ),
    )

    id: Mapped[PrimaryKey]
    enrollment_id: Mapped[UUID] = mapped_column(sa.ForeignKey("enrollments.id"))
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    answers: Mapped[dict[str, Any]]
    asked: Mapped[list[Any]] = mapped_column(default=list)
    source: Mapped[str] = mapped_column(sa.String(120), default="")  # through what the applicant came
    is_current: Mapped[bool] = mapped_column(default=True)
    submitted_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]  # when the applicant showed that the address is their own


class PartnerTerms(Base):
    """What plans know of a partner in a program: its group, and who recruited it."""

    __tablename__ = "partner_terms"
    __table_args__ = (
        sa.PrimaryKeyConstraint("program_id", "partner_id"),
        sa.CheckConstraint("recruiter_id <> partner_id", name="nobody_recruits_himself"),
        sa.Index(
            "ix_partner_terms_recruiter",
            "program_id",
            "recruiter_id",
            postgresql_where=sa.text("recruiter_id IS NOT NULL"),
            sqlite_where=sa.text("recruiter_id IS NOT NULL"),
        ),
    )

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey("partners.id"))
    group_name: Mapped[str | None] = mapped_column(sa.String(40))
    recruiter_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("partners.id"))
    updated_at: Mapped[datetime]


class ActingTerm(Base):
    """A stretch of time in which somebody of the program's team uses the portal for a partner, from one browser.

    It ends by itself, with the sign-in, or when the person says so; what was done in it names both in the audit trail.
    """

    __tablename__ = "acting_terms"
    __table_args__ = (
        sa.Index(
            "uq_acting_terms_open",
            "session_id",
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
            sqlite_where=sa.text("ended_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    session_id: Mapped[UUID]  # the sign-in; old ones are swept
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey("partners.id"))
    reason: Mapped[str] = mapped_column(sa.String(500))
    started_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class MarkKind(enum.StrEnum):
    """What a mark was made of."""

    ACCOUNT = "account"  # where the money goes
    VAT_ID = "vat_id"
    CONNECTION = "connection"  # from which its people sign in; the key changes every month
    DEVICE = "device"  # connection and browser together


class PartnerMark(Base):
    """A keyed hash of something that tells who stands behind a partner: equal ones are found, and none can be read.

    Of connections and devices for some weeks, then removed. Of accounts also those that were replaced.
    """

    __tablename__ = "partner_marks"
    __table_args__ = (
        sa.PrimaryKeyConstraint("partner_id", "kind", "mark"),
        sa.Index("ix_partner_marks_mark", "kind", "mark"),
        sa.Index("ix_partner_marks_age", "kind", "noted_at"),
    )

    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey("partners.id"))
    kind: Mapped[MarkKind] = mapped_column(enum_column(MarkKind))
    mark: Mapped[str] = mapped_column(sa.String(64))
    noted_at: Mapped[datetime]


class PartnerNotice(Base):
    """Something that a partner's people are told beside their mails: in the portal, and in the partner's chats.

    `texts` by language: `title`, `lines`, `act`. `path` leads to what it is about. `is_passed_on`: the chats were told.
    """

    __tablename__ = "partner_notices"
    __table_args__ = (
        sa.Index("ix_partner_notices_partner", "program_id", "partner_id", "created_at"),
        sa.Index("ix_partner_notices_age", "created_at"),
        sa.Index(
            "ix_partner_notices_fresh",
            "id",
            postgresql_where=sa.text("NOT is_passed_on"),
            sqlite_where=sa.text("NOT is_passed_on"),
        ),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey("partners.id"))
    kind: Mapped[MailKind] = mapped_column(enum_column(MailKind))
    texts: Mapped[dict[str, Any]]
    path: Mapped[str] = mapped_column(sa.String(500))
    is_passed_on: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class NoticeRead(Base):
    """A person has read a notice."""

    __tablename__ = "notice_reads"
    __table_args__ = (sa.PrimaryKeyConstraint("notice_id", "user_id"),)

    notice_id: Mapped[UUID] = mapped_column(sa.ForeignKey("partner_notices.id"))
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), index=True)
