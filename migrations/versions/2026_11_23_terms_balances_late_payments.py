"""terms by language, labels for web analytics, balances of partners carried on, and the payout that a case is about.

One idea per migration; it runs on SQLite and PostgreSQL, with data in the tables.
"""

import sqlalchemy as sa
from alembic import op

from affiliate import db

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ACCOUNTS = (
    *("expense", "pending", "approved", "in_transit", "clawback", "paid", "tax_payable"),
    *("adjustments", "write_off", "vat", "rounding"),
)


_APPROVED = sa.text("status = 'approved'")
_POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_LATE = "closed_at IS NULL AND kind = 'late_payment' AND order_id = '' AND happened_at IS NULL"
_ONE_LATE = {
    "uq_cases_late_payout": (("partner_id", "payout_id"), sa.text(f"{_LATE} AND payout_id IS NOT NULL")),
    "uq_cases_late": (("program_id", "partner_id"), sa.text(f"{_LATE} AND payout_id IS NULL")),
}
"""One open case about a payout, and one about what is in none yet."""


def _balances() -> None:
    """What lies on each partner's account, up to the position of the program's total: totals of before are added up anew."""
    name = sa.Enum(*_ACCOUNTS, name="account_name", native_enum=False, create_constraint=True, length=32)
    op.create_table(
        "ledger_balances",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("name", name, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("balance_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_ledger_balances_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", "name", "currency", "partner_id", name=op.f("pk_ledger_balances")),
    )
    op.execute("DELETE FROM ledger_totals")
    with op.batch_alter_table(
        "ledger_totals"
    ) as batch_op:  # a job of the version before must not carry it on without them
        batch_op.alter_column(
            "position", new_column_name="carried_to", existing_type=_POSITION, existing_nullable=False
        )
    op.create_index(
        "ix_commissions_approved",
        "commissions",
        ["program_id", "approved_at"],
        postgresql_include=["partner_id", "currency", "amount_minor", "reversed_minor"],
        postgresql_where=_APPROVED,
        sqlite_where=_APPROVED,
    )


def upgrade() -> None:
    _balances()
    with op.batch_alter_table("public_texts") as batch_op:
        batch_op.add_column(sa.Column("terms", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("public_texts") as batch_op:
        batch_op.alter_column("terms", server_default=None)
    with op.batch_alter_table("programs") as batch_op:
        batch_op.add_column(sa.Column("landing_labels", db.Json, nullable=False, server_default="[]"))
    with op.batch_alter_table("programs") as batch_op:
        batch_op.alter_column("landing_labels", server_default=None)
    with op.batch_alter_table("cases") as batch_op:
        batch_op.add_column(sa.Column("payout_id", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(op.f("fk_cases_payout_id_payouts"), "payouts", ["payout_id"], ["id"])
    for name, (columns, where) in _ONE_LATE.items():
        op.create_index(name, "cases", [*columns], unique=True, postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    for name in _ONE_LATE:
        op.drop_index(name, "cases")
    with op.batch_alter_table("cases") as batch_op:
        batch_op.drop_constraint(op.f("fk_cases_payout_id_payouts"), type_="foreignkey")
        batch_op.drop_column("payout_id")
    with op.batch_alter_table("public_texts") as batch_op:
        batch_op.drop_column("terms")
    op.drop_index("ix_commissions_approved", "commissions")
    with op.batch_alter_table("programs") as batch_op:
        batch_op.drop_column("landing_labels")
    with op.batch_alter_table("ledger_totals") as batch_op:
        batch_op.alter_column(
            "carried_to", new_column_name="position", existing_type=_POSITION, existing_nullable=False
        )
    op.drop_table("ledger_balances")
