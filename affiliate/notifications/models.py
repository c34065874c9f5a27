"""Tables of notifications: PostbackAddress, PostbackDelivery, PostbackMark, DayMail, DayMark, ChatHook, ChatDelivery, LateMark."""

import enum
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.models import User
from affiliate.commissions.models import Commission
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.notifications.chats import ChatEvent, ChatKind
from affiliate.partners.models import Partner
from affiliate.programs.models import Program


class PostbackEvent(enum.StrEnum):
    """What a partner's system is told of."""

    CONVERSION = "conversion"
    APPROVED = "approved"
    DECLINED = "declined"
    PAID = "paid"
    TEST = "test"  # by the button: it tells of nothing


class SwitchedOff(enum.StrEnum):
    """Why an address is called no more."""

    BY_HAND = "by_hand"
    FAILING = "failing"
    GONE = "gone"  # it answered 410: never again


class DeliveryStatus(enum.StrEnum):
    """Where a call is."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


class PostbackAddress(Base):
    """Where a partner's own system wants to hear of its commissions in a program.

    `live_since` is when it was last switched on: what happened before is not told. `failures` counts failed calls since
    the last one that arrived, `failing_since` is the first of them.
    """

    __tablename__ = "postback_addresses"
    __table_args__ = (
        sa.Index("ix_postback_addresses_partner", "program_id", "partner_id"),
        sa.CheckConstraint("(switched_off_at IS NULL) = (switched_off IS NULL)", name="off_for_a_reason"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id), index=True)
    url: Mapped[str] = mapped_column(sa.String(1000))
    events: Mapped[list[Any]]
    is_signed: Mapped[bool] = mapped_column(default=False)
    secret_version: Mapped[int] = mapped_column(default=1)
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    live_since: Mapped[datetime]
    switched_off_at: Mapped[datetime | None]
    switched_off: Mapped[SwitchedOff | None] = mapped_column(enum_column(SwitchedOff))
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]


class PostbackDelivery(Base):
    """One call, due or done: an outbox row. `attempts` counts calls begun; while one runs, `send_after` is its lease.

    `url` is what is called, finished: what an amount was when it was told stays in the log.
    """

    __tablename__ = "postback_deliveries"
    __table_args__ = (
        sa.UniqueConstraint("address_id", "event", "commission_id"),
        sa.Index(
            "ix_postback_deliveries_due",
            "send_after",
            postgresql_where=sa.text("status = 'waiting'"),
            sqlite_where=sa.text("status = 'waiting'"),
        ),
        sa.Index("ix_postback_deliveries_finished", "finished_at"),
    )

    id: Mapped[PrimaryKey]
    address_id: Mapped[UUID] = mapped_column(sa.ForeignKey(PostbackAddress.id))
    event: Mapped[PostbackEvent] = mapped_column(enum_column(PostbackEvent))
    commission_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(Commission.id))
    url: Mapped[str] = mapped_column(sa.Text)
    status: Mapped[DeliveryStatus] = mapped_column(enum_column(DeliveryStatus))
    attempts: Mapped[int] = mapped_column(default=0)
    send_after: Mapped[datetime]
    answer_code: Mapped[int | None]
    answer: Mapped[str] = mapped_column(sa.String(300), default="")  # the first bytes, as text
    error: Mapped[str] = mapped_column(sa.String(300), default="")
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class PostbackMark(Base):
    """Up to which row the ledger of a program was read for postbacks; and of the payout in the row after it, up to which commission."""

    __tablename__ = "postback_marks"

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id), primary_key=True)
    position: Mapped[int]
    paid_until: Mapped[UUID | None]


class DayMail(Base):
    """The mail about a day of a partner in a program was written. The day is the program's own."""

    __tablename__ = "day_mails"
    __table_args__ = (sa.PrimaryKeyConstraint("program_id", "day", "partner_id"),)

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    day: Mapped[date]
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))


class DayMark(Base):
    """The newest day of a program of which every partner was told. The day is the program's own."""

    __tablename__ = "day_marks"

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id), primary_key=True)
    day: Mapped[date]


class ChatHook(Base):
    """Where a program tells its managers' chat of alarms and of what is late, or a partner's chat of its notices.

    `events` are of `ChatEvent`, or for a partner's chat kinds of notices. Not live: it is told of nothing but tests.
    `closed_url` is encrypted: whoever knows the address may write into the chat. `host` alone is shown.
    """

    __tablename__ = "chat_hooks"

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id), index=True)
    partner_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(Partner.id), index=True)  # none: the managers' own
    kind: Mapped[ChatKind] = mapped_column(enum_column(ChatKind))
    name: Mapped[str] = mapped_column(sa.String(80))
    host: Mapped[str] = mapped_column(sa.String(255))
    closed_url: Mapped[str] = mapped_column(sa.Text)
    events: Mapped[list[Any]]
    locale: Mapped[str] = mapped_column(sa.String(5))
    is_live: Mapped[bool] = mapped_column(default=True)
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]


class ChatDelivery(Base):
    """One message to a chat, due or done: an outbox row. `occasion` names what it tells, so that nothing is told twice."""

    __tablename__ = "chat_deliveries"
    __table_args__ = (
        sa.UniqueConstraint("hook_id", "occasion"),
        sa.Index("ix_chat_deliveries_due", "status", "send_after"),
        sa.Index("ix_chat_deliveries_finished", "finished_at"),
    )

    id: Mapped[PrimaryKey]
    hook_id: Mapped[UUID] = mapped_column(sa.ForeignKey(ChatHook.id))
    event: Mapped[ChatEvent] = mapped_column(enum_column(ChatEvent))
    occasion: Mapped[str] = mapped_column(sa.String(100))
    body: Mapped[str] = mapped_column(sa.Text)  # what is sent, finished
    status: Mapped[DeliveryStatus] = mapped_column(enum_column(DeliveryStatus))
    attempts: Mapped[int] = mapped_column(default=0)
    send_after: Mapped[datetime]
    answer_code: Mapped[int | None]
    answer: Mapped[str] = mapped_column(sa.String(300), default="")
    error: Mapped[str] = mapped_column(sa.String(300), default="")
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class LateMark(Base):
    """The newest day of a program for which what is late was looked up and told. The day is the program's own."""

    __tablename__ = "late_marks"

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id), primary_key=True)
    day: Mapped[date]
