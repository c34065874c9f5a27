"""Tables of newsletters: NewsletterIssue, Prospect, NewsletterDelivery, NewsletterLink, NewsletterRefusal, ProspectRefusal, OpeningConsent, NewsletterOpening, StoryConsent, MailBounce, SuppressedAddress."""

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.models import User
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.newsletters.content import IssueKind
from affiliate.partners.models import Partner
from affiliate.programs.models import Program

__all__ = [
    "ConsentStatus",
    "DeliveryStatus",
    "IssueKind",
    "IssueStatus",
    "MailBounce",
    "NewsletterDelivery",
    "NewsletterIssue",
    "NewsletterLink",
    "NewsletterOpening",
    "NewsletterRefusal",
    "OpeningConsent",
    "Prospect",
    "ProspectRefusal",
    "ProspectStatus",
    "StoryConsent",
    "SuppressedAddress",
]


class IssueStatus(enum.StrEnum):
    """Where an issue is. A scheduled one can be taken back; from `sending` on its text and readers stand."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    STOPPED = "stopped"
    SENT = "sent"


class DeliveryStatus(enum.StrEnum):
    """Where one mail to one person is.

    `claimed` is the short time of the talk with the mail server. Who died then leaves `uncertain`: the server may have
    taken the mail, so nobody but a manager sends it again.
    """

    WAITING = "waiting"
    CLAIMED = "claimed"
    SENT = "sent"
    REFUSED = "refused"  # the server will not take it, now or later
    FAILED = "failed"  # put off as often as we ask
    UNCERTAIN = "uncertain"
    SKIPPED = "skipped"  # after the release the reader said stop or is none any more, or the address was suppressed


class ProspectStatus(enum.StrEnum):
    """Where somebody is who wants to hear of a program without being its partner."""

    ASKED = "asked"  # somebody typed the address; whoever reads it has not confirmed yet
    CONFIRMED = "confirmed"
    STOPPED = "stopped"


class ConsentStatus(enum.StrEnum):
    """What a partner says to a story about it."""

    ASKED = "asked"
    GIVEN = "given"
    DECLINED = "declined"


class NewsletterIssue(Base):
    """One newsletter. `texts`, `blocks` and `segment` are documents of `content` and `segments`; `version` counts saves.

    `send_at` is an instant; `send_wall` is a wall clock (`2026-11-24T09:00`) of each reader's own zone; neither: at once.
    """

    __tablename__ = "newsletter_issues"
    __table_args__ = (
        sa.Index("ix_newsletter_issues_program", "program_id", "created_at"),
        sa.Index("ix_newsletter_issues_status", "status", "release_at"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    kind: Mapped[IssueKind] = mapped_column(enum_column(IssueKind))
    status: Mapped[IssueStatus] = mapped_column(enum_column(IssueStatus))
    language: Mapped[str] = mapped_column(sa.String(5))  # what readers get whose own language is not complete
    texts: Mapped[dict[str, Any]]
    blocks: Mapped[list[Any]]
    segment: Mapped[dict[str, Any]]
    in_archive: Mapped[bool] = mapped_column(
        default=True
    )  # whether every partner may read it later, or its readers only
    version: Mapped[int] = mapped_column(default=1)
    send_at: Mapped[datetime | None]
    send_wall: Mapped[str | None] = mapped_column(sa.String(16))
    keeps_quiet_hours: Mapped[bool] = mapped_column(default=True)
    release_at: Mapped[datetime | None]  # until then it can be taken back
    released_at: Mapped[datetime | None]  # when every reader had a delivery
    finished_at: Mapped[datetime | None]
    held_until: Mapped[datetime | None]  # the mail server was away: nobody asks it before
    holds: Mapped[int] = mapped_column(default=0)  # how often in a row
    trouble: Mapped[str | None] = mapped_column(sa.String(500))
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    scheduled_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Prospect(Base):
    """Somebody who asked for news of a program and is no partner of it. Written to once `confirmed`, and never before.

    `consent_text` is what was agreed to, in the words that the form showed. An erased one keeps its row without a name.
    """

    __tablename__ = "prospects"
    __table_args__ = (
        sa.UniqueConstraint("program_id", "email"),
        sa.Index("ix_prospects_status", "program_id", "status", "id"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    email: Mapped[str] = mapped_column(sa.String(255), index=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    locale: Mapped[str] = mapped_column(sa.String(5))
    status: Mapped[ProspectStatus] = mapped_column(enum_column(ProspectStatus))
    source: Mapped[str] = mapped_column(sa.String(120))  # the word that the address of the form carried
    consent_text: Mapped[str] = mapped_column(sa.Text)
    asked_at: Mapped[datetime] = mapped_column(index=True)
    confirmed_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]


class NewsletterDelivery(Base):
    """One issue to one reader, once: a person of a partner, or a prospect. Its id is in the Message-ID, so that a bounce finds it."""

    __tablename__ = "newsletter_deliveries"
    __table_args__ = (
        sa.UniqueConstraint("issue_id", "user_id"),
        sa.UniqueConstraint("issue_id", "prospect_id"),
        sa.CheckConstraint("(user_id IS NULL) <> (prospect_id IS NULL)", name="one_reader"),
        sa.Index("ix_newsletter_deliveries_due", "status", "due_at"),
        sa.Index("ix_newsletter_deliveries_issue", "issue_id", "status"),
        sa.Index("ix_newsletter_deliveries_claimed", "claimed_at"),
    )

    id: Mapped[PrimaryKey]
    issue_id: Mapped[UUID] = mapped_column(sa.ForeignKey(NewsletterIssue.id))
    user_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id), index=True)
    partner_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(Partner.id))  # whose person it is
    prospect_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(Prospect.id), index=True)
    status: Mapped[DeliveryStatus] = mapped_column(enum_column(DeliveryStatus))
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    error: Mapped[str | None] = mapped_column(sa.String(500))
    unsubscribed_at: Mapped[datetime | None]
    bounced_at: Mapped[datetime | None]


class NewsletterLink(Base):
    """An address that an issue leads to, and how often it was opened: of nobody in particular, the same for every reader."""

    __tablename__ = "newsletter_links"
    __table_args__ = (sa.PrimaryKeyConstraint("issue_id", "code"),)

    issue_id: Mapped[UUID] = mapped_column(sa.ForeignKey(NewsletterIssue.id))
    code: Mapped[str] = mapped_column(sa.String(16))  # a hash of the address
    url: Mapped[str] = mapped_column(sa.String(2000))
    clicks: Mapped[int] = mapped_column(default=0)


class NewsletterRefusal(Base):
    """A person does not want newsletters of a kind from a program. `source`: one_click, page, account, complaint."""

    __tablename__ = "newsletter_refusals"
    __table_args__ = (sa.UniqueConstraint("user_id", "program_id", "kind"),)

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey(User.id))
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    kind: Mapped[IssueKind] = mapped_column(enum_column(IssueKind))
    source: Mapped[str] = mapped_column(sa.String(16))
    created_at: Mapped[datetime]


class ProspectRefusal(Base):
    """A prospect does not want newsletters of a kind. No row: wanted."""

    __tablename__ = "prospect_refusals"
    __table_args__ = (sa.PrimaryKeyConstraint("prospect_id", "kind"),)

    prospect_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Prospect.id))
    kind: Mapped[IssueKind] = mapped_column(enum_column(IssueKind))


class OpeningConsent(Base):
    """A reader lets a program know when it opens its newsletters. No row: no mail to it asks. `source`: page, account.

    `consent_text` is what was agreed to, in the words that the page showed. Taken back, the row goes, and with it all
    that was recorded under it.
    """

    __tablename__ = "opening_consents"
    __table_args__ = (
        sa.UniqueConstraint("user_id", "program_id"),
        sa.UniqueConstraint("prospect_id"),
        sa.CheckConstraint("(user_id IS NULL) <> (prospect_id IS NULL)", name="one_reader"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    user_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    prospect_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(Prospect.id))
    consent_text: Mapped[str] = mapped_column(sa.Text)
    source: Mapped[str] = mapped_column(sa.String(16))
    agreed_at: Mapped[datetime]


class NewsletterOpening(Base):
    """A mail that left with a picture, and whether its reader opened it: not when, not where, not with what."""

    __tablename__ = "newsletter_openings"

    delivery_id: Mapped[UUID] = mapped_column(sa.ForeignKey(NewsletterDelivery.id), primary_key=True)
    consent_id: Mapped[UUID] = mapped_column(sa.ForeignKey(OpeningConsent.id, ondelete="CASCADE"), index=True)
    is_opened: Mapped[bool] = mapped_column(default=False)


class StoryConsent(Base):
    """What a partner says to exactly this story about it; `fingerprint` is of the text, so that another text asks anew."""

    __tablename__ = "story_consents"
    __table_args__ = (
        sa.UniqueConstraint("issue_id", "partner_id", "fingerprint"),
        sa.Index("ix_story_consents_partner", "program_id", "partner_id", "status"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    issue_id: Mapped[UUID] = mapped_column(sa.ForeignKey(NewsletterIssue.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    fingerprint: Mapped[str] = mapped_column(sa.String(64))
    story: Mapped[dict[str, Any]]  # the texts by language, as they were shown
    status: Mapped[ConsentStatus] = mapped_column(enum_column(ConsentStatus))
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answered_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))


class MailBounce(Base):
    """A mail that came back, or that the server refused for its address. One per delivery."""

    __tablename__ = "mail_bounces"
    __table_args__ = (sa.Index("ix_mail_bounces_address", "address", "occurred_at"),)

    id: Mapped[PrimaryKey]
    delivery_id: Mapped[UUID] = mapped_column(sa.ForeignKey(NewsletterDelivery.id), unique=True)
    address: Mapped[str] = mapped_column(sa.String(255))
    code: Mapped[str] = mapped_column(sa.String(16))  # enhanced status code: 5.1.1
    text: Mapped[str] = mapped_column(sa.String(500))
    occurred_at: Mapped[datetime]


class SuppressedAddress(Base):
    """An address that no newsletter goes to any more, because mail to it comes back."""

    __tablename__ = "suppressed_addresses"

    address: Mapped[str] = mapped_column(sa.String(255), primary_key=True)
    reason: Mapped[str] = mapped_column(sa.String(500))
    suppressed_at: Mapped[datetime] = mapped_column(index=True)
