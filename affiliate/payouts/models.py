"""Tables of payouts: PayoutRun, Payout, PayoutNotice, PayoutPolicy, PayoutMethod, PayoutBlock, Adjustment, PartnerCost.

A run is what one person proposes and another approves, a payout one partner's part of it; a method says where the money goes.
"""

import enum
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.models import User
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.ingest.models import Conversion
from affiliate.partners.models import Partner
from affiliate.payouts.methods import MethodKind
from affiliate.payouts.schedule import Cadence
from affiliate.programs.models import Program


class PayoutStatus(enum.StrEnum):
    """Where a run or a payout is. Only a payout fails; a run is paid once none of its payouts is on its way."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ReasonCode(enum.StrEnum):
    """Why a payout is not paid, or a run is over, where no person says it: pages say it in the reader's language."""

    RETURNED = "returned"  # the bank or the service sent it back; `reason` is what its file says, often a code
    ALL_FAILED = "all_failed"
    PARTNER_STOPPED = "partner_stopped"


class PaperState(enum.StrEnum):
    """Where the paper of a payout is."""

    NONE = "none"  # the program asks for none, or the partner has no tax profile
    AWAITED = "awaited"  # the partner's own invoice: nothing is approved before
    ACCEPTED = "accepted"  # its invoice is right
    DUE = "due"  # ours to write, once the payout is approved
    ISSUED = "issued"
    CANCELLED = "cancelled"  # the payout failed, and corrections have taken its papers back


class PayoutRun(Base):
    """One list of payouts. The maker is not the checker: the database refuses it too."""

    __tablename__ = "payout_runs"
    __table_args__ = (
        sa.CheckConstraint(
            "approved_by_id IS NULL OR approved_by_id <> proposed_by_id OR is_single_handed", name="four_eyes"
        ),
        sa.CheckConstraint("status <> 'failed'", name="runs_do_not_fail"),
        sa.CheckConstraint("status NOT IN ('approved', 'paid') OR approved_by_id IS NOT NULL", name="approved_first"),
        sa.Index("ix_payout_runs_program", "program_id", "proposed_at"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    currency: Mapped[str] = mapped_column(sa.String(3))
    status: Mapped[PayoutStatus] = mapped_column(enum_column(PayoutStatus))
    total_minor: Mapped[int]  # of its payouts, without those taken out
    is_single_handed: Mapped[bool] = mapped_column(default=False)  # one person did both, as the program's policy allows
    proposed_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey(User.id))
    proposed_at: Mapped[datetime]
    approved_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    approved_at: Mapped[datetime | None]
    paid_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    paid_at: Mapped[datetime | None]
    cancelled_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    cancelled_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(sa.String(500))  # why it was cancelled
    reason_code: Mapped[ReasonCode | None] = mapped_column(enum_column(ReasonCode))


class Payout(Base):
    """What one partner gets in one run: earned minus clawed back plus the paper's taxes, fixed when it was proposed, and the account it goes to.

    Of `amount_minor`, `withheld_minor` goes to the state; the rest is sent.
    """

    __tablename__ = "payouts"
    __table_args__ = (
        sa.UniqueConstraint("run_id", "partner_id"),
        sa.CheckConstraint("amount_minor > 0", name="amount_above_zero"),
        sa.CheckConstraint(
            "amount_minor = earned_minor - clawed_back_minor + vat_minor + stamp_minor", name="amount_adds_up"
        ),
        sa.CheckConstraint("withheld_minor BETWEEN 0 AND amount_minor", name="withheld_within_amount"),
        sa.Index("ix_payouts_paper", "paper", "status"),
    )

    id: Mapped[PrimaryKey]
    run_id: Mapped[UUID] = mapped_column(sa.ForeignKey(PayoutRun.id))
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id), index=True)
    currency: Mapped[str] = mapped_column(sa.String(3))
    status: Mapped[PayoutStatus] = mapped_column(enum_column(PayoutStatus))
    earned_minor: Mapped[int]
    clawed_back_minor: Mapped[int]
    amount_minor: Mapped[int]
    vat_minor: Mapped[int] = mapped_column(default=0)
    stamp_minor: Mapped[int] = mapped_column(default=0)
    withheld_minor: Mapped[int] = mapped_column(default=0)
    paid_currency: Mapped[str | None] = mapped_column(sa.String(3))  # of its account, where that is another one
    paid_minor: Mapped[int | None]  # what is sent, in that currency
    exchange: Mapped[dict[str, Any] | None]  # by which rate
    paper: Mapped[PaperState] = mapped_column(enum_column(PaperState), default=PaperState.NONE)
    notice: Mapped[dict[str, Any] | None]  # the payment notice: who buys from whom, and all its amounts, frozen
    created_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    method_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("payout_methods.id"))
    taken_out_at: Mapped[datetime | None]  # out of a proposed run, which then pays less
    failed_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(sa.String(500))  # why it was taken out or failed
    reason_code: Mapped[ReasonCode | None] = mapped_column(enum_column(ReasonCode))

    @property
    def to_pay_minor(self) -> int:
        """What is sent."""
        return self.amount_minor - self.withheld_minor


class NoticeKind(enum.StrEnum):
    """What the people of a paid partner are told by mail."""

    INVOICE_WANTED = "invoice_wanted"
    PAID = "paid"


class PayoutNotice(Base):
    """A payout calls for a mail that is not written yet. The row goes as its mails come into the outbox."""

    __tablename__ = "payout_notices"

    payout_id: Mapped[PrimaryKey] = mapped_column(sa.ForeignKey(Payout.id))
    kind: Mapped[NoticeKind] = mapped_column(enum_column(NoticeKind), primary_key=True)


class AdjustmentKind(enum.StrEnum):
    """What a manual entry is for."""

    BONUS = "bonus"
    MAKE_GOOD = "make_good"  # for an order that was not tracked
    CORRECTION = "correction"  # the only one that may take money away
    VOLUME = "volume"  # a step for all units was reached: the difference for the period's earlier orders; no person enters it
    WRITE_OFF = "write_off"  # of the debt of a partner that has left
    CREDIT = "credit"  # of an order by hand: no money by itself, its commission is


class AdjustmentStatus(enum.StrEnum):
    """Where a manual entry is."""

    PROPOSED = "proposed"  # waits for a second person
    POSTED = "posted"
    CREDITED = "credited"  # the order of a credit is the partner's: nothing is posted, its commission follows
    DECLINED = "declined"


class Adjustment(Base):
    """An entry by hand. Once posted it is owed with the next payout, or netted by it if it is below zero.

    A write-off is above zero and makes a debt smaller instead. A credit of an order by hand waits here for its second person,
    and its amount is what the order would have earned when it was entered.
    """

    __tablename__ = "adjustments"
    __table_args__ = (
        sa.CheckConstraint("amount_minor <> 0", name="amount_not_zero"),
        sa.CheckConstraint("amount_minor > 0 OR kind = 'correction'", name="only_corrections_take"),
        sa.CheckConstraint(
            "status NOT IN ('posted', 'credited') OR decided_by_id <> entered_by_id OR is_single_handed",
            name="second_person",
        ),
        sa.CheckConstraint("(status = 'proposed') = (decided_at IS NULL)", name="decided_once"),
        sa.CheckConstraint("payout_id IS NULL OR status = 'posted'", name="posted_before_paid"),
        sa.CheckConstraint("(kind = 'credit') = (conversion_id IS NOT NULL)", name="credit_of_order"),
        sa.CheckConstraint("kind <> 'credit' OR status <> 'posted'", name="credits_post_nothing"),
        sa.CheckConstraint("kind = 'credit' OR status <> 'credited'", name="only_orders_are_credited"),
        sa.Index("ix_adjustments_partner", "program_id", "partner_id", "entered_at"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    kind: Mapped[AdjustmentKind] = mapped_column(enum_column(AdjustmentKind))
    status: Mapped[AdjustmentStatus] = mapped_column(enum_column(AdjustmentStatus))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(sa.String(3))
    reason: Mapped[str] = mapped_column(sa.String(500))  # the partner reads it
    conversion_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(Conversion.id))  # of a credit
    facts: Mapped[dict[str, Any] | None]  # of a volume entry: its plan, and the first and last day of its period
    is_single_handed: Mapped[bool] = mapped_column(default=False)  # within the limit, or a company of one
    entered_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))  # null: the program itself
    entered_at: Mapped[datetime]
    decided_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    decided_at: Mapped[datetime | None]
    payout_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(Payout.id), index=True)  # the one that holds it


class CostKind(enum.StrEnum):
    """What a partner has cost beside its commissions."""

    FLAT_FEE = "flat_fee"
    SAMPLES = "samples"
    AGENCY_HOURS = "agency_hours"
    OTHER = "other"


class PartnerCost(Base):
    """Money spent on a partner outside of this ledger, so that its return can be reckoned. What the partner is paid here is no such cost."""

    __tablename__ = "partner_costs"
    __table_args__ = (
        sa.CheckConstraint("amount_minor > 0", name="amount_above_zero"),
        sa.Index("ix_partner_costs_program", "program_id", "spent_on"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    kind: Mapped[CostKind] = mapped_column(enum_column(CostKind))
    spent_on: Mapped[date]  # in the program's time zone
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(sa.String(3))
    note: Mapped[str] = mapped_column(sa.String(500))
    entered_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey(User.id))
    entered_at: Mapped[datetime]
    removed_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    removed_at: Mapped[datetime | None]  # it was a mistake, and counts no more


class PayoutPolicy(Base):
    """How a program pays. A program without a row pays when somebody proposes, with two people, all that is approved."""

    __tablename__ = "payout_policies"
    __table_args__ = (sa.CheckConstraint("net_days BETWEEN 0 AND 120", name="net_days_in_range"),)

    program_id: Mapped[PrimaryKey] = mapped_column(sa.ForeignKey(Program.id))
    cadence: Mapped[Cadence] = mapped_column(enum_column(Cadence))
    net_days: Mapped[int]  # a commission is paid so many days after its approval
    is_one_person: Mapped[bool]  # who proposes may approve: four eyes are knowingly switched off
    adjustment_limit_minor: Mapped[int] = mapped_column(default=0)  # what one person may post to a partner in 30 days
    payer_name: Mapped[str | None] = mapped_column(sa.String(70))
    payer_account: Mapped[str | None] = mapped_column(sa.Text)  # the program's own IBAN, encrypted
    wise_template: Mapped[str | None] = mapped_column(sa.Text)  # the columns of its file for Wise; null: the usual ones
    updated_at: Mapped[datetime]


class PayoutMethod(Base):
    """Where a partner's money goes. Never edited: a change is a new row, usable after its pause, and ends the old one."""

    __tablename__ = "payout_methods"
    __table_args__ = (
        sa.Index(
            "uq_payout_methods_current",
            "partner_id",
            unique=True,
            postgresql_where=sa.text("replaced_at IS NULL"),
            sqlite_where=sa.text("replaced_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id), index=True)
    kind: Mapped[MethodKind] = mapped_column(enum_column(MethodKind))
    details: Mapped[str] = mapped_column(sa.Text)  # encrypted
    masked: Mapped[str] = mapped_column(sa.String(80))
    currency: Mapped[str | None] = mapped_column(sa.String(3))  # in which to pay there; null: what each program pays in
    usable_from: Mapped[datetime]
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]


class PayoutBlock(Base):
    """A manager's no to paying a partner for now, with the reason. A lifted block stays as history."""

    __tablename__ = "payout_blocks"
    __table_args__ = (
        sa.Index(
            "uq_payout_blocks_open",
            "program_id",
            "partner_id",
            unique=True,
            postgresql_where=sa.text("lifted_at IS NULL"),
            sqlite_where=sa.text("lifted_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id))
    reason: Mapped[str] = mapped_column(sa.String(500))
    blocked_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey(User.id))
    blocked_at: Mapped[datetime]
    lifted_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    lifted_at: Mapped[datetime | None]
