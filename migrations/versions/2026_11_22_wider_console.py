"""Tables for working with partners: campaigns, cohorts and margins, steps of visits, prospects, chats, shared reports, roles.

It runs on SQLite and PostgreSQL, with data in the tables; new columns of old tables are nullable. Going back fails, whole, where
rows hold what the first tables cannot (deliveries to prospects, the narrower roles): nothing is thrown away unasked.
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
        "landing_hours",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("hour", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("page", sa.String(length=200), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum(
                "valid",
                "bot",
                "prefetch",
                "head",
                "embedded",
                "duplicate",
                "own_team",
                "test",
                "link_paused",
                "link_expired",
                "partner_inactive",
                "program_inactive",
                "past_retention",
                name="click_verdict",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("clicks", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("program_id", "hour", "page", "verdict", name=op.f("pk_landing_hours")),
    )
    with op.batch_alter_table("landing_hours", schema=None) as batch_op:
        batch_op.create_index("ix_landing_hours_hour", ["hour"], unique=False)

    op.create_table(
        "link_sub_hours",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("hour", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("sub", sa.String(length=100), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum(
                "valid",
                "bot",
                "prefetch",
                "head",
                "embedded",
                "duplicate",
                "own_team",
                "test",
                "link_paused",
                "link_expired",
                "partner_inactive",
                "program_inactive",
                "past_retention",
                name="click_verdict",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("clicks", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint(
            "program_id", "partner_id", "link_id", "hour", "sub", "verdict", name=op.f("pk_link_sub_hours")
        ),
    )
    with op.batch_alter_table("link_sub_hours", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_link_sub_hours_hour"), ["hour"], unique=False)

    op.create_table(
        "step_hours_partner",
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column(
            "step",
            sa.Enum(
                "product",
                "cart",
                "checkout",
                name="visit_step_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("hour", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum(
                "valid",
                "bot",
                "prefetch",
                "head",
                "embedded",
                "duplicate",
                "own_team",
                "test",
                "link_paused",
                "link_expired",
                "partner_inactive",
                "program_inactive",
                "past_retention",
                name="click_verdict",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("clicks", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint(
            "program_id", "partner_id", "device", "step", "hour", "verdict", "shard", name=op.f("pk_step_hours_partner")
        ),
    )
    op.create_table(
        "step_hours_program",
        sa.Column("device", sa.String(length=16), nullable=False),
        sa.Column(
            "step",
            sa.Enum(
                "product",
                "cart",
                "checkout",
                name="visit_step_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("hour", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum(
                "valid",
                "bot",
                "prefetch",
                "head",
                "embedded",
                "duplicate",
                "own_team",
                "test",
                "link_paused",
                "link_expired",
                "partner_inactive",
                "program_inactive",
                "past_retention",
                name="click_verdict",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("clicks", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint(
            "program_id", "device", "step", "hour", "verdict", "shard", name=op.f("pk_step_hours_program")
        ),
    )
    with op.batch_alter_table("step_hours_program", schema=None) as batch_op:
        batch_op.create_index("ix_step_hours_program_hour", ["program_id", "hour"], unique=False)

    op.create_table(
        "step_hours_source",
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "step",
            sa.Enum(
                "product",
                "cart",
                "checkout",
                name="visit_step_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("hour", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum(
                "valid",
                "bot",
                "prefetch",
                "head",
                "embedded",
                "duplicate",
                "own_team",
                "test",
                "link_paused",
                "link_expired",
                "partner_inactive",
                "program_inactive",
                "past_retention",
                name="click_verdict",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("clicks", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint(
            "program_id", "source", "partner_id", "step", "hour", "verdict", "shard", name=op.f("pk_step_hours_source")
        ),
    )
    op.create_table(
        "visit_steps",
        sa.Column("click_id", sa.Uuid(), nullable=False),
        sa.Column(
            "step",
            sa.Enum(
                "product",
                "cart",
                "checkout",
                name="visit_step_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("received_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("counted_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("click_id", "step", "is_test", name=op.f("pk_visit_steps")),
    )
    with op.batch_alter_table("visit_steps", schema=None) as batch_op:
        batch_op.create_index(
            "ix_visit_steps_tests",
            ["program_id", "received_at"],
            unique=False,
            postgresql_where=sa.text("is_test"),
            sqlite_where=sa.text("is_test"),
        )
        batch_op.create_index(
            "ix_visit_steps_waiting",
            ["click_id"],
            unique=False,
            postgresql_where=sa.text("counted_at IS NULL AND NOT is_test"),
            sqlite_where=sa.text("counted_at IS NULL AND NOT is_test"),
        )

    op.create_table(
        "acting_terms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("started_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_acting_terms_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_acting_terms_program_id_programs")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_acting_terms_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acting_terms")),
    )
    with op.batch_alter_table("acting_terms", schema=None) as batch_op:
        batch_op.create_index(
            "uq_acting_terms_open",
            ["session_id"],
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL"),
            sqlite_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "annotations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("text", sa.String(length=120), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("removed_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_annotations_created_by_id_users")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_annotations_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_annotations")),
    )
    with op.batch_alter_table("annotations", schema=None) as batch_op:
        batch_op.create_index("ix_annotations_program", ["program_id", "day"], unique=False)

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
        "campaigns",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("cost_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("removed_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("cost_minor >= 0", name=op.f("ck_campaigns_cost_not_negative")),
        sa.CheckConstraint("ends_on > starts_on", name=op.f("ck_campaigns_ends_after_start")),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_campaigns_created_by_id_users")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_campaigns_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
    )
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.create_index("ix_campaigns_program", ["program_id", "starts_on"], unique=False)

    op.create_table(
        "chat_hooks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("slack", "teams", "json", name="chat_kind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("closed_url", sa.Text(), nullable=False),
        sa.Column(
            "events", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("locale", sa.String(length=5), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_chat_hooks_created_by_id_users")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_chat_hooks_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_hooks")),
    )
    with op.batch_alter_table("chat_hooks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_chat_hooks_program_id"), ["program_id"], unique=False)

    op.create_table(
        "combinations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "running",
                "stopped",
                "done",
                "failed",
                name="combination_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "dimensions", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("days_done", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rows", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("asked_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["asked_by_id"], ["users.id"], name=op.f("fk_combinations_asked_by_id_users")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_combinations_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_combinations_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_combinations")),
    )
    with op.batch_alter_table("combinations", schema=None) as batch_op:
        batch_op.create_index("ix_combinations_owner", ["program_id", "partner_id", "created_at"], unique=False)
        batch_op.create_index(
            "ix_combinations_running",
            ["created_at"],
            unique=False,
            postgresql_where=sa.text("status = 'running'"),
            sqlite_where=sa.text("status = 'running'"),
        )

    op.create_table(
        "counted_grids",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column(
            "grid", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("computed_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_counted_grids_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", "kind", name=op.f("pk_counted_grids")),
    )
    op.create_table(
        "late_marks",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_late_marks_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", name=op.f("pk_late_marks")),
    )
    op.create_table(
        "product_margins",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.String(length=100), nullable=False),
        sa.Column("margin_bps", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("margin_bps BETWEEN 0 AND 10000", name=op.f("ck_product_margins_margin_is_a_share")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_product_margins_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", "category", name=op.f("pk_product_margins")),
    )
    op.create_table(
        "program_brands",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("logo_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["logo_id"], ["stored_files.id"], name=op.f("fk_program_brands_logo_id_stored_files")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_program_brands_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", name=op.f("pk_program_brands")),
    )
    op.create_table(
        "program_setups",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("counting_kept_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "way",
            sa.Enum(
                "server",
                "pixel",
                "tag",
                "postback",
                name="setup_way",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("test_link_id", sa.Uuid(), nullable=True),
        sa.Column("started_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_program_setups_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", name=op.f("pk_program_setups")),
    )
    op.create_table(
        "prospects",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("locale", sa.String(length=5), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "asked",
                "confirmed",
                "stopped",
                name="prospect_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("consent_text", sa.Text(), nullable=False),
        sa.Column("asked_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("stopped_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_prospects_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prospects")),
        sa.UniqueConstraint("program_id", "email", name=op.f("uq_prospects_program_id_email")),
    )
    with op.batch_alter_table("prospects", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_prospects_asked_at"), ["asked_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_prospects_email"), ["email"], unique=False)
        batch_op.create_index("ix_prospects_status", ["program_id", "status", "id"], unique=False)

    op.create_table(
        "service_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=True),
        sa.Column(
            "measure",
            sa.Enum(
                "answer_time",
                "on_time",
                "damaged",
                "complaints",
                "feedback",
                "results",
                "adaptability",
                name="service_measure",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("removed_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("ends_on > starts_on", name=op.f("ck_service_entries_ends_after_start")),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_service_entries_created_by_id_users")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_service_entries_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_service_entries_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_entries")),
    )
    with op.batch_alter_table("service_entries", schema=None) as batch_op:
        batch_op.create_index("ix_service_entries_partner", ["partner_id", "starts_on"], unique=False)
        batch_op.create_index("ix_service_entries_program", ["program_id", "starts_on"], unique=False)

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
    op.create_table(
        "campaign_parts",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "partner",
                "link",
                "coupon",
                "creative",
                name="part_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("thing_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_parts_campaign_id_campaigns")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "kind", "thing_id", name=op.f("pk_campaign_parts")),
    )
    op.create_table(
        "chat_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hook_id", sa.Uuid(), nullable=False),
        sa.Column(
            "event",
            sa.Enum("alarm", "late", "test", name="chat_event", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("occasion", sa.String(length=100), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "waiting",
                "delivered",
                "given_up",
                name="delivery_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("send_after", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("answer_code", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("answer", sa.String(length=300), nullable=False),
        sa.Column("error", sa.String(length=300), nullable=False),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["hook_id"], ["chat_hooks.id"], name=op.f("fk_chat_deliveries_hook_id_chat_hooks")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chat_deliveries")),
        sa.UniqueConstraint("hook_id", "occasion", name=op.f("uq_chat_deliveries_hook_id_occasion")),
    )
    with op.batch_alter_table("chat_deliveries", schema=None) as batch_op:
        batch_op.create_index("ix_chat_deliveries_due", ["status", "send_after"], unique=False)
        batch_op.create_index("ix_chat_deliveries_finished", ["finished_at"], unique=False)

    op.create_table(
        "combination_rows",
        sa.Column("combination_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column(
            "labels", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("clicks_raw", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("clicks_valid", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("conversions", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revenue_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("earned_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reversed_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["combination_id"],
            ["combinations.id"],
            name=op.f("fk_combination_rows_combination_id_combinations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("combination_id", "key", name=op.f("pk_combination_rows")),
    )
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.add_column(sa.Column("partner_id", sa.Uuid(), nullable=True))
        batch_op.create_index(batch_op.f("ix_api_keys_partner_id"), ["partner_id"], unique=False)

    with op.batch_alter_table("commissions", schema=None) as batch_op:
        batch_op.create_index("ix_commissions_program", ["program_id", "earned_at"], unique=False)

    with op.batch_alter_table("newsletter_deliveries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("prospect_id", sa.Uuid(), nullable=True))
        batch_op.alter_column("user_id", existing_type=sa.CHAR(length=32), nullable=True)
        batch_op.alter_column("partner_id", existing_type=sa.CHAR(length=32), nullable=True)
        batch_op.create_index(batch_op.f("ix_newsletter_deliveries_prospect_id"), ["prospect_id"], unique=False)
        batch_op.create_unique_constraint(
            batch_op.f("uq_newsletter_deliveries_issue_id_prospect_id"), ["issue_id", "prospect_id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_newsletter_deliveries_prospect_id_prospects"), "prospects", ["prospect_id"], ["id"]
        )

    with op.batch_alter_table("order_events", schema=None) as batch_op:
        batch_op.create_index("ix_order_events_program_time", ["program_id", "occurred_at"], unique=False)

    with op.batch_alter_table("partner_momentum", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("earned_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )

    with op.batch_alter_table("program_figures", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "creatives",
                sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
                nullable=True,
            )
        )

    with op.batch_alter_table("programs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("archived_at", db.UtcDateTime(timezone=True), nullable=True))

    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.create_index("ix_refunds_program_time", ["program_id", "occurred_at"], unique=False)
    with op.batch_alter_table("grants") as batch_op:
        batch_op.drop_constraint(op.f("ck_grants_grant_role"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_grants_grant_role"),
            sa.text("role IN ('partner', 'manager', 'finance', 'admin', 'reader', 'logistics', 'tech', 'marketing')"),
        )
    with op.batch_alter_table("mail_refusals") as batch_op:
        batch_op.drop_constraint(op.f("ck_mail_refusals_mail_kind"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_mail_refusals_mail_kind"),
            sa.text(
                "kind IN ('membership', 'payment_details', 'invoices', 'paid', 'day', 'cases', 'agreed', 'creatives', 'stories', 'postbacks', 'late', 'alarms', 'complaints', 'answers', 'duties')"
            ),
        )
    with op.batch_alter_table("newsletter_deliveries") as batch_op:
        batch_op.create_check_constraint(
            op.f("ck_newsletter_deliveries_one_reader"), sa.text("(user_id IS NULL) <> (prospect_id IS NULL)")
        )


def downgrade() -> None:
    with op.batch_alter_table("grants") as batch_op:
        batch_op.drop_constraint(op.f("ck_grants_grant_role"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_grants_grant_role"), sa.text("role IN ('partner', 'manager', 'finance', 'admin')")
        )
    with op.batch_alter_table("mail_refusals") as batch_op:
        batch_op.drop_constraint(op.f("ck_mail_refusals_mail_kind"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_mail_refusals_mail_kind"),
            sa.text(
                "kind IN ('membership', 'payment_details', 'invoices', 'paid', 'day', 'cases', 'agreed', 'creatives', 'stories', 'postbacks')"
            ),
        )
    with op.batch_alter_table("newsletter_deliveries") as batch_op:
        batch_op.drop_constraint(op.f("ck_newsletter_deliveries_one_reader"), type_="check")
    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.drop_index("ix_refunds_program_time")

    with op.batch_alter_table("programs", schema=None) as batch_op:
        batch_op.drop_column("archived_at")

    with op.batch_alter_table("program_figures", schema=None) as batch_op:
        batch_op.drop_column("creatives")

    with op.batch_alter_table("partner_momentum", schema=None) as batch_op:
        batch_op.drop_column("earned_minor")

    with op.batch_alter_table("order_events", schema=None) as batch_op:
        batch_op.drop_index("ix_order_events_program_time")

    with op.batch_alter_table("newsletter_deliveries", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_newsletter_deliveries_prospect_id_prospects"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("uq_newsletter_deliveries_issue_id_prospect_id"), type_="unique")
        batch_op.drop_index(batch_op.f("ix_newsletter_deliveries_prospect_id"))
        batch_op.alter_column("partner_id", existing_type=sa.CHAR(length=32), nullable=False)
        batch_op.alter_column("user_id", existing_type=sa.CHAR(length=32), nullable=False)
        batch_op.drop_column("prospect_id")

    with op.batch_alter_table("commissions", schema=None) as batch_op:
        batch_op.drop_index("ix_commissions_program")

    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_keys_partner_id"))
        batch_op.drop_column("partner_id")

    op.drop_table("combination_rows")
    with op.batch_alter_table("chat_deliveries", schema=None) as batch_op:
        batch_op.drop_index("ix_chat_deliveries_finished")
        batch_op.drop_index("ix_chat_deliveries_due")

    op.drop_table("chat_deliveries")
    op.drop_table("campaign_parts")
    op.drop_table("bulk_subjects")
    with op.batch_alter_table("shared_reports", schema=None) as batch_op:
        batch_op.drop_index("ix_shared_reports_program")

    op.drop_table("shared_reports")
    with op.batch_alter_table("service_entries", schema=None) as batch_op:
        batch_op.drop_index("ix_service_entries_program")
        batch_op.drop_index("ix_service_entries_partner")

    op.drop_table("service_entries")
    with op.batch_alter_table("prospects", schema=None) as batch_op:
        batch_op.drop_index("ix_prospects_status")
        batch_op.drop_index(batch_op.f("ix_prospects_email"))
        batch_op.drop_index(batch_op.f("ix_prospects_asked_at"))

    op.drop_table("prospects")
    op.drop_table("program_setups")
    op.drop_table("program_brands")
    op.drop_table("product_margins")
    op.drop_table("late_marks")
    op.drop_table("counted_grids")
    with op.batch_alter_table("combinations", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_combinations_running",
            postgresql_where=sa.text("status = 'running'"),
            sqlite_where=sa.text("status = 'running'"),
        )
        batch_op.drop_index("ix_combinations_owner")

    op.drop_table("combinations")
    with op.batch_alter_table("chat_hooks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_chat_hooks_program_id"))

    op.drop_table("chat_hooks")
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.drop_index("ix_campaigns_program")

    op.drop_table("campaigns")
    with op.batch_alter_table("bulk_acts", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_bulk_acts_running",
            postgresql_where=sa.text("status = 'running'"),
            sqlite_where=sa.text("status = 'running'"),
        )
        batch_op.drop_index("ix_bulk_acts_program")

    op.drop_table("bulk_acts")
    with op.batch_alter_table("annotations", schema=None) as batch_op:
        batch_op.drop_index("ix_annotations_program")

    op.drop_table("annotations")
    with op.batch_alter_table("acting_terms", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_acting_terms_open",
            postgresql_where=sa.text("ended_at IS NULL"),
            sqlite_where=sa.text("ended_at IS NULL"),
        )

    op.drop_table("acting_terms")
    with op.batch_alter_table("visit_steps", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_visit_steps_waiting",
            postgresql_where=sa.text("counted_at IS NULL AND NOT is_test"),
            sqlite_where=sa.text("counted_at IS NULL AND NOT is_test"),
        )
        batch_op.drop_index(
            "ix_visit_steps_tests", postgresql_where=sa.text("is_test"), sqlite_where=sa.text("is_test")
        )

    op.drop_table("visit_steps")
    op.drop_table("step_hours_source")
    with op.batch_alter_table("step_hours_program", schema=None) as batch_op:
        batch_op.drop_index("ix_step_hours_program_hour")

    op.drop_table("step_hours_program")
    op.drop_table("step_hours_partner")
    with op.batch_alter_table("link_sub_hours", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_link_sub_hours_hour"))

    op.drop_table("link_sub_hours")
    with op.batch_alter_table("landing_hours", schema=None) as batch_op:
        batch_op.drop_index("ix_landing_hours_hour")

    op.drop_table("landing_hours")
