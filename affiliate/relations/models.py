"""Tables of relations: Case and CaseMessage."""

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.models import User
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.files import StoredFile
from affiliate.ingest.models import Conversion
from affiliate.partners.models import Partner
from affiliate.payouts.models import Adjustment, Payout
from affiliate.programs.models import Program


class CaseKind(enum.StrEnum):
    """What a case is about. A fraud appeal goes with a `FraudAppeal`: both are opened and closed in one transaction."""

    MISSING_SALE = "missing_sale"
    WRONG_AMOUNT = "wrong_amount"
    LATE_PAYMENT = "late_payment"
    FRAUD_APPEAL = "fraud_appeal"


class CaseStatus(enum.StrEnum):
    """Where a case is."""

    OPEN = "open"  # waits for the program
    ASKED = "asked"  # waits for the partner
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


WAITING = (CaseStatus.OPEN, CaseStatus.ASKED)
"""The states of a case that is not over."""


class Side(enum.StrEnum):
    """Who says something in a case."""

    PARTNER = "partner"
    PROGRAM = "program"


_IS_WAITING = sa.text("closed_at IS NULL AND order_id <> '' AND kind <> 'fraud_appeal'")
_LATE = "closed_at IS NULL AND kind = 'late_payment' AND order_id = '' AND happened_at IS NULL"
_IS_LATE, _IS_LATE_PAYOUT = (sa.text(f"{_LATE} AND payout_id IS {what}") for what in ("NULL", "NOT NULL"))
_IS_APPEAL = sa.text("closed_at IS NULL AND kind = 'fraud_appeal'")


class Case(Base):
    """Something that a partner claims. `answer_by` is when the program promised to answer what was said last.

    `trace` is what the system knew of the order when the case was opened. A credit by hand or a manual entry that settled
    it is named by `conversion_id` and `adjustment_id`.
    """

    __tablename__ = "cases"
    __table_args__ = (
        sa.Index(
            "uq_cases_waiting", "program_id", "partner_id", "kind", "order_id",
            unique=True, postgresql_where=_IS_WAITING, sqlite_where=_IS_WAITING,
        ),
        # One order number can stand for several conversions, each with its own review.
        sa.Index(
            "uq_cases_appeal", "partner_id", "conversion_id",
            unique=True, postgresql_where=_IS_APPEAL, sqlite_where=_IS_APPEAL,
        ),
        sa.Index(
            "uq_cases_late_payout", "partner_id", "payout_id",
            unique=True, postgresql_where=_IS_LATE_PAYOUT, sqlite_where=_IS_LATE_PAYOUT,
        ),
        sa.Index(
            "uq_cases_late", "program_id", "partner_id",
            unique=True, postgresql_where=_IS_LATE, sqlite_where=_IS_LATE,
        ),
        sa.Index("ix_cases_status", "program_id", "status", "answer_by"),
        sa.Index("ix_cases_partner", "partner_id", "program_id"),
        sa.CheckConstraint("(status IN ('open', 'asked')) = (closed_at IS NULL)", name="closed_once"),
    )  # fmt: skip

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    kind: Mapped[CaseKind] = mapped_column(enum_column(CaseKind))
    status: Mapped[CaseStatus] = mapped_column(enum_column(CaseStatus))
    order_id: Mapped[str] = mapped_column(sa.String(120))  # empty when only the day is known
    happened_at: Mapped[datetime | None]
    claimed_minor: Mapped[int | None]  # in the program's currency
    conversion_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(Conversion.id))
    adjustment_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(Adjustment.id))
    payout_id: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey(Payout.id)
    )  # that a late payment is about, if one is made
    trace: Mapped[dict[str, Any]]
    answer_by: Mapped[datetime]
    reminded_at: Mapped[datetime | None]  # about the present `answer_by`
    closed_at: Mapped[datetime | None]
    closed_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    opened_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    opened_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CaseMessage(Base):
    """What one side said, with a picture or a PDF as proof where there is one; more of them are rows without words. Both sides read all of it, for ever."""

    __tablename__ = "case_messages"
    __table_args__ = (sa.Index("ix_case_messages_case", "case_id", "id"),)

    id: Mapped[PrimaryKey]
    case_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Case.id))
    side: Mapped[Side] = mapped_column(enum_column(Side))
    status: Mapped[CaseStatus] = mapped_column(enum_column(CaseStatus))  # what the case became by it
    text: Mapped[str] = mapped_column(sa.Text)
    file_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(StoredFile.id))
    by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    said_at: Mapped[datetime]
