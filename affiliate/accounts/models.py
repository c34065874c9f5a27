"""Tables of people and keys: User, MailRefusal, Grant, UserSession, ApiKey, AuditEvent."""

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.mail_kinds import MailKind
from affiliate.db import Base, PrimaryKey, enum_column


class GrantRole(enum.StrEnum):
    """What a person may do. A partner's rights come from `Member`; the grant opens the portal."""

    PARTNER = "partner"
    MANAGER = "manager"
    FINANCE = "finance"
    ADMIN = "admin"
    READER = "reader"  # sees the figures, changes nothing
    LOGISTICS = "logistics"  # orders and what comes back, complaints
    TECH = "tech"  # tracking, what came in, dead letters
    MARKETING = "marketing"  # partners and their figures, creatives, newsletters


class User(Base):
    """A person who signs in. `password` is an argon2 hash, or null until the person has set one."""

    __tablename__ = "users"

    id: Mapped[PrimaryKey]
    email: Mapped[str] = mapped_column(sa.String(255), unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    locale: Mapped[str | None] = mapped_column(sa.String(5))
    time_zone: Mapped[str | None] = mapped_column(sa.String(64))
    password: Mapped[str | None] = mapped_column(sa.String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(sa.String(64), unique=True)
    tf_primary_method: Mapped[str | None] = mapped_column(sa.String(64))
    tf_totp_secret: Mapped[str | None] = mapped_column(sa.String(255))  # encrypted
    tf_last_counter: Mapped[int | None]  # the time step of the last accepted code: a code works once
    mf_recovery_codes: Mapped[list[Any] | None]  # encrypted
    created_at: Mapped[datetime]


class MailRefusal(Base):
    """A kind of mail to a partner's people that a person does not want. No row: wanted."""

    __tablename__ = "mail_refusals"
    __table_args__ = (sa.PrimaryKeyConstraint("user_id", "kind"),)

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    kind: Mapped[MailKind] = mapped_column(enum_column(MailKind))
    created_at: Mapped[datetime]


class NoticeRefusal(Base):
    """A kind of notice that a person does not want in the portal. No row: wanted."""

    __tablename__ = "notice_refusals"
    __table_args__ = (sa.PrimaryKeyConstraint("user_id", "kind"),)

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    kind: Mapped[MailKind] = mapped_column(enum_column(MailKind))
    created_at: Mapped[datetime]


class Grant(Base):
    """A role of a user, in one program or (program_id null) in all of them."""

    __tablename__ = "grants"
    __table_args__ = (
        sa.Index(
            "uq_grants_one_program",
            "user_id",
            "role",
            "program_id",
            unique=True,
            postgresql_where=sa.text("program_id IS NOT NULL"),
            sqlite_where=sa.text("program_id IS NOT NULL"),
        ),
        sa.Index(
            "uq_grants_all_programs",
            "user_id",
            "role",
            unique=True,
            postgresql_where=sa.text("program_id IS NULL"),
            sqlite_where=sa.text("program_id IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    role: Mapped[GrantRole] = mapped_column(enum_column(GrantRole))
    program_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("programs.id"))
    payout_limit_minor: Mapped[int | None]  # the largest payout run that this grant may approve; null: any
    created_at: Mapped[datetime]


class UserSession(Base):
    """One sign-in on one browser. The cookie names it; ending the row ends the session, whatever the cookie says."""

    __tablename__ = "user_sessions"

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"), index=True)
    device: Mapped[str] = mapped_column(sa.String(60), default="")  # "Firefox, Linux": enough to know it again
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ApiKey(Base):
    """A key of a program, or (with `partner_id`) of one partner in it, which reads that partner's rows and nothing else.

    Only the SHA-256 of the secret is kept; `prefix` is shown to tell keys apart.
    """

    __tablename__ = "api_keys"

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"), index=True)
    partner_id: Mapped[UUID | None] = mapped_column(index=True)  # no foreign key: ingest knows keys and no partners
    name: Mapped[str] = mapped_column(sa.String(120))
    prefix: Mapped[str] = mapped_column(sa.String(16))
    secret_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    scopes: Mapped[list[Any]]
    is_test: Mapped[bool] = mapped_column(default=False)
    created_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey("users.id"))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    updated_at: Mapped[datetime] = mapped_column(index=True)


class AuditEvent(Base):
    """Who did what to which thing, when. Written in the transaction of the change; never edited.

    `details` alone can be erased, together with the salt without which their hash tells nothing about them.
    """

    __tablename__ = "audit_events"
    __table_args__ = (sa.Index("ix_audit_events_subject", "subject_kind", "subject_id"),)

    position: Mapped[int] = mapped_column(primary_key=True)  # the order in which rows were written
    id: Mapped[UUID] = mapped_column(unique=True)
    occurred_at: Mapped[datetime] = mapped_column(index=True)
    program_id: Mapped[UUID | None] = mapped_column(index=True)
    actor_kind: Mapped[str] = mapped_column(sa.String(16))  # user, key, system
    actor_id: Mapped[UUID | None]
    action: Mapped[str] = mapped_column(sa.String(64))  # noun.verb: enrollment.approve
    subject_kind: Mapped[str] = mapped_column(sa.String(32))
    subject_id: Mapped[UUID]
    details: Mapped[dict[str, Any]]
    salt: Mapped[str | None] = mapped_column(sa.String(32))
    details_hash: Mapped[str] = mapped_column(sa.String(64))  # of salt and details
