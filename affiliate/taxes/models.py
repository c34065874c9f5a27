"""Tables of taxes: TaxSettings, TaxRule, TaxProfile, VatCheck. Rules and profiles are never edited: a change is a new row."""

import enum
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from affiliate.accounts.models import User
from affiliate.db import Base, PrimaryKey, enum_column
from affiliate.partners.models import Partner
from affiliate.programs.models import Program
from affiliate.taxes.figures import PaperKind


class TaxSettings(Base):
    """The buyer on all papers of a program, and what it asks of its partners. Without a row nothing is asked."""

    __tablename__ = "tax_settings"

    program_id: Mapped[PrimaryKey] = mapped_column(sa.ForeignKey(Program.id))
    legal_name: Mapped[str] = mapped_column(sa.String(200))
    address: Mapped[str] = mapped_column(sa.String(500))
    country: Mapped[str] = mapped_column(sa.String(2))
    vat_id: Mapped[str | None] = mapped_column(sa.String(20))
    tax_number: Mapped[str | None] = mapped_column(sa.String(40))
    text: Mapped[str] = mapped_column(sa.String(200), default="")  # what is bought, as the papers say it
    demands_profile: Mapped[bool] = mapped_column(default=False)  # nobody is paid without a tax profile
    offers_self_billing: Mapped[bool] = mapped_column(default=False)
    updated_at: Mapped[datetime]


class TaxRule(Base):
    """What a kind of partner is taxed like from a day on. An example counts as unconfirmed until an accountant has seen it."""

    __tablename__ = "tax_rules"
    __table_args__ = (
        sa.UniqueConstraint("program_id", "code", "valid_from"),
        sa.CheckConstraint("base_share_bps BETWEEN 0 AND 10000", name="base_share_in_range"),
        sa.CheckConstraint("rate_bps BETWEEN 0 AND 10000", name="rate_in_range"),
        sa.CheckConstraint("vat_bps BETWEEN 0 AND 10000", name="vat_in_range"),
        sa.CheckConstraint("stamp_minor >= 0 AND stamp_above_minor >= 0", name="stamp_not_below_zero"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    code: Mapped[str] = mapped_column(sa.String(40))
    name: Mapped[str] = mapped_column(sa.String(120))
    country: Mapped[str] = mapped_column(sa.String(2))
    valid_from: Mapped[date]
    base_share_bps: Mapped[int]
    rate_bps: Mapped[int]
    vat_bps: Mapped[int]
    stamp_minor: Mapped[int]
    stamp_above_minor: Mapped[int]
    note: Mapped[str] = mapped_column(sa.String(300), default="")  # the law, as it stands on the paper
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]
    confirmed_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    confirmed_at: Mapped[datetime | None]


class TaxProfile(Base):
    """Who a partner is for the taxes of a program, and which paper its money needs. A change ends it with a new row."""

    __tablename__ = "tax_profiles"
    __table_args__ = (
        sa.Index(
            "uq_tax_profiles_current",
            "program_id",
            "partner_id",
            unique=True,
            postgresql_where=sa.text("replaced_at IS NULL"),
            sqlite_where=sa.text("replaced_at IS NULL"),
        ),
        sa.CheckConstraint("paper <> 'self_billing' OR agreed_at IS NOT NULL", name="self_billing_by_agreement"),
        sa.CheckConstraint("paper <> 'receipt' OR vat_id IS NULL", name="receipt_without_vat_id"),
    )

    id: Mapped[PrimaryKey]
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Program.id))
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey(Partner.id), index=True)
    is_company: Mapped[bool]
    legal_name: Mapped[str] = mapped_column(sa.String(200))
    address: Mapped[str] = mapped_column(sa.String(500))
    country: Mapped[str] = mapped_column(sa.String(2))
    vat_id: Mapped[str | None] = mapped_column(sa.String(20))
    tax_number: Mapped[str | None] = mapped_column(sa.String(40))
    rule_code: Mapped[str | None] = mapped_column(sa.String(40))
    paper: Mapped[PaperKind] = mapped_column(enum_column(PaperKind))
    locale: Mapped[str] = mapped_column(sa.String(8), default="en")  # the language of papers that we write
    agreed_at: Mapped[datetime | None]  # to self-billing
    agreed_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey(User.id))
    created_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]


class VatAnswer(enum.StrEnum):
    """What VIES said of a number."""

    WAITING = "waiting"
    VALID = "valid"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"  # the service of that country gave no answer, several times


class VatCheck(Base):
    """One question to VIES about the VAT number of a profile, with its answer."""

    __tablename__ = "vat_checks"
    __table_args__ = (
        sa.Index(
            "ix_vat_checks_waiting",
            "asked_at",
            postgresql_where=sa.text("answer = 'waiting'"),
            sqlite_where=sa.text("answer = 'waiting'"),
        ),
    )

    id: Mapped[PrimaryKey]
    profile_id: Mapped[UUID] = mapped_column(sa.ForeignKey(TaxProfile.id), index=True)
    vat_id: Mapped[str] = mapped_column(sa.String(20))
    answer: Mapped[VatAnswer] = mapped_column(enum_column(VatAnswer))
    attempts: Mapped[int] = mapped_column(default=0)
    name: Mapped[str | None] = mapped_column(sa.String(200))  # as registered there, where the country tells it
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
