"""wider console.

One idea per migration; it runs on SQLite and PostgreSQL, with data in the tables.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from affiliate import db

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bulk_acts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "tag",
                "untag",
                "group",
                "lead",
                "approve",
                "reject",
                "pause",
                "resume",
                name="bulk_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "arguments", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "status",
            sa.Enum(
                "running", "stopped", "done", name="bulk_status", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("total", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("done", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("changed", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_bulk_acts_created_by_id_users")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_bulk_acts_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_acts")),
    )
    with op.batch_alter_table("bulk_acts", schema=None) as batch_op:
        batch_op.create_index("ix_bulk_acts_program", ["program_id", "created_at"], unique=False)
        batch_op.create_index(
            "ix_bulk_acts_running",
            ["created_at"],
            unique=False,
            postgresql_where=sa.text("status = 'running'"),
            sqlite_where=sa.text("status = 'running'"),
        )

    op.create_table(
        "shared_reports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column(
            "arguments", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("names_partners", sa.Boolean(), nullable=False),
        sa.Column("ends_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("views", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("viewed_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_shared_reports_created_by_id_users")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_shared_reports_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shared_reports")),
    )
    with op.batch_alter_table("shared_reports", schema=None) as batch_op:
        batch_op.create_index("ix_shared_reports_program", ["program_id", "created_at"], unique=False)

    op.create_table(
        "bulk_subjects",
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("changed", sa.Boolean(), nullable=True),
        sa.Column("refusal", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(["act_id"], ["bulk_acts.id"], name=op.f("fk_bulk_subjects_act_id_bulk_acts")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_bulk_subjects_partner_id_partners")),
        sa.PrimaryKeyConstraint("act_id", "place", name=op.f("pk_bulk_subjects")),
    )
    with op.batch_alter_table("grants") as batch_op:
        batch_op.drop_constraint(op.f("ck_grants_grant_role"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_grants_grant_role"),
            sa.text("role IN ('partner', 'manager', 'finance', 'admin', 'reader', 'logistics', 'tech', 'marketing')"),
        )


def downgrade() -> None:
    with op.batch_alter_table("grants") as batch_op:
        batch_op.drop_constraint(op.f("ck_grants_grant_role"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_grants_grant_role"), sa.text("role IN ('partner', 'manager', 'finance', 'admin')")
        )
    op.drop_table("bulk_subjects")
    with op.batch_alter_table("shared_reports", schema=None) as batch_op:
        batch_op.drop_index("ix_shared_reports_program")

    op.drop_table("shared_reports")
    with op.batch_alter_table("bulk_acts", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_bulk_acts_running",
            postgresql_where=sa.text("status = 'running'"),
            sqlite_where=sa.text("status = 'running'"),
        )
        batch_op.drop_index("ix_bulk_acts_program")

    op.drop_table("bulk_acts")
