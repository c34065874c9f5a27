"""first tables.

One idea per migration; it runs on SQLite and PostgreSQL, with data in the tables.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from affiliate import db
from affiliate.ingest import partitions
from affiliate.ledger import ddl

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_events",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=True),
        sa.Column("actor_kind", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject_kind", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column(
            "details", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("salt", sa.String(length=32), nullable=True),
        sa.Column("details_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_events")),
        sa.UniqueConstraint("id", name=op.f("uq_audit_events_id")),
    )
    with op.batch_alter_table("audit_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_events_occurred_at"), ["occurred_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_events_program_id"), ["program_id"], unique=False)
        batch_op.create_index("ix_audit_events_subject", ["subject_kind", "subject_id"], unique=False)

    op.create_table(
        "channel_touches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("visitor_id", sa.Uuid(), nullable=True),
        sa.Column("click_id", sa.Uuid(), nullable=True),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("evidence", sa.String(length=255), nullable=False),
        sa.Column("occurred_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_touches")),
    )
    with op.batch_alter_table("channel_touches", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_channel_touches_click_id"), ["click_id"], unique=False)
        batch_op.create_index("ix_channel_touches_visitor", ["visitor_id", "occurred_at"], unique=False)

    op.create_table(
        "click_hours_country",
        sa.Column("country", sa.String(length=2), nullable=False),
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
            "program_id", "country", "hour", "verdict", "shard", name=op.f("pk_click_hours_country")
        ),
    )
    op.create_table(
        "click_hours_creative",
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("creative", sa.String(length=100), nullable=False),
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
            "program_id", "partner_id", "creative", "hour", "verdict", "shard", name=op.f("pk_click_hours_creative")
        ),
    )
    with op.batch_alter_table("click_hours_creative", schema=None) as batch_op:
        batch_op.create_index("ix_click_hours_creative_creative", ["program_id", "creative"], unique=False)

    op.create_table(
        "click_hours_link",
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
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
            "program_id", "partner_id", "link_id", "hour", "verdict", "shard", name=op.f("pk_click_hours_link")
        ),
    )
    op.create_table(
        "click_hours_partner",
        sa.Column("partner_id", sa.Uuid(), nullable=False),
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
            "program_id", "partner_id", "hour", "verdict", "shard", name=op.f("pk_click_hours_partner")
        ),
    )
    with op.batch_alter_table("click_hours_partner", schema=None) as batch_op:
        batch_op.create_index("ix_click_hours_partner_hour", ["program_id", "hour"], unique=False)

    op.create_table(
        "click_hours_program",
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
        sa.PrimaryKeyConstraint("program_id", "hour", "verdict", "shard", name=op.f("pk_click_hours_program")),
    )
    op.create_table(
        "click_hours_referrer",
        sa.Column("referrer_host", sa.String(length=100), nullable=False),
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
            "program_id", "referrer_host", "hour", "verdict", "shard", name=op.f("pk_click_hours_referrer")
        ),
    )
    op.create_table(
        "click_hours_sub",
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("sub", sa.String(length=100), nullable=False),
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
            "program_id", "partner_id", "sub", "hour", "verdict", "shard", name=op.f("pk_click_hours_sub")
        ),
    )
    op.create_table(
        "click_labels",
        sa.Column(
            "kind",
            sa.Enum(
                "sub", "referrer", "creative", name="label_kind", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("kind", "program_id", "owner_id", "day", "label", name=op.f("pk_click_labels")),
    )
    with op.batch_alter_table("click_labels", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_click_labels_day"), ["day"], unique=False)

    op.create_table(
        "clicks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("received_at", db.UtcDateTime(timezone=True), nullable=False),
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
        sa.Column("overruled_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("visitor_id", sa.Uuid(), nullable=True),
        sa.Column(
            "subs", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("landing_url", sa.String(length=2000), nullable=False),
        sa.Column("referrer", sa.String(length=500), nullable=True),
        sa.Column("referrer_host", sa.String(length=100), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=True),
        sa.Column("address_prefix", sa.String(length=50), nullable=True),
        sa.Column("address_hash", sa.String(length=64), nullable=True),
        sa.Column("creative", sa.String(length=120), nullable=True),
        sa.Column(
            "ad_ids",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=True,
        ),
        sa.Column(
            "utm",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=True,
        ),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("network", sa.String(length=16), nullable=True),
        sa.Column("consent", sa.String(length=16), nullable=False),
        sa.Column("fetch_dest", sa.String(length=32), nullable=True),
        sa.Column("fetch_site", sa.String(length=32), nullable=True),
        sa.Column("fetch_user", sa.String(length=32), nullable=True),
        sa.Column("fetch_mode", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clicks")),
        postgresql_partition_by="RANGE (id)",
    )
    with op.batch_alter_table("clicks", schema=None) as batch_op:
        batch_op.create_index("ix_clicks_partner", ["program_id", "partner_id", "occurred_at"], unique=False)
        batch_op.create_index("ix_clicks_visitor", ["visitor_id", "occurred_at"], unique=False)

    op.create_table(
        "dead_letters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stream", sa.String(length=40), nullable=False),
        sa.Column("entry_id", sa.String(length=40), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("failed_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
        sa.UniqueConstraint("stream", "entry_id", name=op.f("uq_dead_letters_stream_entry_id")),
    )
    op.create_table(
        "exchange_rates",
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("per_euro", sa.String(length=24), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("stored_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("currency", "day", name=op.f("pk_exchange_rates")),
    )
    with op.batch_alter_table("exchange_rates", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_exchange_rates_day"), ["day"], unique=False)

    op.create_table(
        "ledger_proofs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("checked_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("transfers", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "findings", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_proofs")),
    )
    with op.batch_alter_table("ledger_proofs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_proofs_checked_at"), ["checked_at"], unique=False)

    op.create_table(
        "ledger_seals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "chain",
            sa.Enum("transfers", "audit", name="chain_name", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("last_position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rows", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("digests", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("public_key", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_seals")),
        sa.UniqueConstraint("chain", "number", name=op.f("uq_ledger_seals_chain_number")),
    )
    with op.batch_alter_table("ledger_seals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_seals_sealed_at"), ["sealed_at"], unique=False)

    op.create_table(
        "outbox_mails",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recipient", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("body_text", sa.Text(), nullable=False),
        sa.Column("body_html", sa.Text(), nullable=True),
        sa.Column("stop_url", sa.String(length=500), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "waiting", "sent", "failed", name="mail_status", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("send_after", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("sent_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_mails")),
    )
    with op.batch_alter_table("outbox_mails", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_mails_due", ["status", "send_after"], unique=False)

    op.create_table(
        "partners",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("website", sa.String(length=500), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column(
            "channels", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partners")),
    )
    op.create_table(
        "programs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft", "live", "paused", name="program_status", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("shop_url", sa.String(length=500), nullable=False),
        sa.Column(
            "allowed_hosts",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("fallback_url", sa.String(length=500), nullable=True),
        sa.Column("click_parameter", sa.String(length=40), nullable=False),
        sa.Column("cookie_by_default", sa.Boolean(), nullable=False),
        sa.Column(
            "channel_signs",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=False,
        ),
        sa.Column("attribution_window_days", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("validation_days", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "validation_start",
            sa.Enum(
                "order",
                "payment",
                "shipping",
                "delivery",
                name="validation_start",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("payout_min_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("accent", sa.String(length=7), nullable=True),
        sa.Column("case_answer_days", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pixel_secret_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("postback_token_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("policy_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("mission", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programs")),
        sa.UniqueConstraint("slug", name=op.f("uq_programs_slug")),
    )
    with op.batch_alter_table("programs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_programs_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "rejected_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("conversion_id", sa.Uuid(), nullable=True),
        sa.Column(
            "reason",
            sa.Enum(
                "conflicting_body",
                "lower_trust",
                "unknown_program",
                "bad_signature",
                "bad_fields",
                "unknown_link",
                "past_retention",
                name="reject_reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "payload", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("received_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejected_events")),
    )
    with op.batch_alter_table("rejected_events", schema=None) as batch_op:
        batch_op.create_index(
            "ix_rejected_events_conversion",
            ["conversion_id"],
            unique=False,
            postgresql_where=sa.text("conversion_id IS NOT NULL"),
            sqlite_where=sa.text("conversion_id IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_rejected_events_program_id"), ["program_id"], unique=False)

    op.create_table(
        "stored_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("media_type", sa.String(length=80), nullable=False),
        sa.Column("byte_count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stored_files")),
    )
    op.create_table(
        "suppressed_addresses",
        sa.Column("address", sa.String(length=255), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("suppressed_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_suppressed_addresses")),
    )
    with op.batch_alter_table("suppressed_addresses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_suppressed_addresses_suppressed_at"), ["suppressed_at"], unique=False)

    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("locale", sa.String(length=5), nullable=True),
        sa.Column("time_zone", sa.String(length=64), nullable=True),
        sa.Column("password", sa.String(length=255), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.String(length=64), nullable=False),
        sa.Column("tf_primary_method", sa.String(length=64), nullable=True),
        sa.Column("tf_totp_secret", sa.String(length=255), nullable=True),
        sa.Column("tf_last_counter", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "mf_recovery_codes",
            sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"),
            nullable=True,
        ),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
        sa.UniqueConstraint("fs_uniquifier", name=op.f("uq_users_fs_uniquifier")),
    )
    op.create_table(
        "visitor_hours",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "country",
                "device",
                "referrer",
                name="visitor_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("hour", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
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
            "program_id", "partner_id", "kind", "hour", "label", "verdict", name=op.f("pk_visitor_hours")
        ),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column(
            "scopes", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_api_keys_created_by_id_users")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_api_keys_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_api_keys_secret_hash")),
    )
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_keys_program_id"), ["program_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_api_keys_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "application_forms",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column(
            "questions", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_application_forms_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", name=op.f("pk_application_forms")),
    )
    op.create_table(
        "articles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("article", "story", name="article_kind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("summary", sa.String(length=300), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("told_by", sa.String(length=120), nullable=False),
        sa.Column("published_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_articles_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_articles")),
        sa.UniqueConstraint("program_id", "slug", name=op.f("uq_articles_program_id_slug")),
    )
    with op.batch_alter_table("articles", schema=None) as batch_op:
        batch_op.create_index("ix_articles_published", ["program_id", "published_at"], unique=False)

    op.create_table(
        "attribution_policies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("effective_from", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "terms", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("applied_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_attribution_policies_created_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["program_id"], ["programs.id"], name=op.f("fk_attribution_policies_program_id_programs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attribution_policies")),
        sa.UniqueConstraint("program_id", "version", name=op.f("uq_attribution_policies_program_id_version")),
    )
    with op.batch_alter_table("attribution_policies", schema=None) as batch_op:
        batch_op.create_index(
            "ix_attribution_policies_waiting",
            ["created_at"],
            unique=False,
            postgresql_where=sa.text("applied_at IS NULL"),
            sqlite_where=sa.text("applied_at IS NULL"),
        )

    op.create_table(
        "canary_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("conversion_id", sa.Uuid(), nullable=False),
        sa.Column("click_id", sa.Uuid(), nullable=True),
        sa.Column("order_id", sa.String(length=120), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "ordered",
                "refunded",
                "passed",
                "failed",
                name="canary_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("finding", sa.String(length=500), nullable=True),
        sa.Column("started_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("stepped_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_canary_runs_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_canary_runs_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_canary_runs")),
    )
    with op.batch_alter_table("canary_runs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_canary_runs_started_at"), ["started_at"], unique=False)

    op.create_table(
        "commission_plans",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "terms", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("effective_from", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("published_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(published_at IS NULL) = (effective_from IS NULL)", name=op.f("ck_commission_plans_starts_when_published")
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_commission_plans_created_by_id_users")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_commission_plans_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commission_plans")),
        sa.UniqueConstraint("program_id", "effective_from", name=op.f("uq_commission_plans_program_id_effective_from")),
    )
    op.create_table(
        "conversions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=120), nullable=False),
        sa.Column("trust", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("attributed_revision", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tax_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("shipping_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("discount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("click_id", sa.Uuid(), nullable=True),
        sa.Column("click_refusal", sa.String(length=32), nullable=True),
        sa.Column("visitor_id", sa.Uuid(), nullable=True),
        sa.Column("coupon", sa.String(length=60), nullable=True),
        sa.Column("customer_id", sa.String(length=120), nullable=True),
        sa.Column("email_hash", sa.String(length=64), nullable=True),
        sa.Column("new_customer", sa.Boolean(), nullable=True),
        sa.Column("channel", sa.String(length=40), nullable=True),
        sa.Column("payment_method", sa.String(length=40), nullable=True),
        sa.Column(
            "items", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("amended_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("occurred_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("received_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_conversions_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversions")),
    )
    with op.batch_alter_table("conversions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_conversions_click_id"), ["click_id"], unique=False)
        batch_op.create_index(
            "ix_conversions_customer_id",
            ["customer_id", "program_id", "occurred_at"],
            unique=False,
            postgresql_where=sa.text("customer_id IS NOT NULL"),
            sqlite_where=sa.text("customer_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_conversions_email_hash",
            ["email_hash", "program_id", "occurred_at"],
            unique=False,
            postgresql_where=sa.text("email_hash IS NOT NULL"),
            sqlite_where=sa.text("email_hash IS NOT NULL"),
        )
        batch_op.create_index("ix_conversions_order", ["program_id", "order_id"], unique=False)
        batch_op.create_index("ix_conversions_program_time", ["program_id", "occurred_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_conversions_received_at"), ["received_at"], unique=False)
        batch_op.create_index("ix_conversions_visitor", ["visitor_id", "occurred_at"], unique=False)
        batch_op.create_index(
            "ix_conversions_waiting",
            ["received_at"],
            unique=False,
            postgresql_where=sa.text("attributed_revision < revision"),
            sqlite_where=sa.text("attributed_revision < revision"),
        )

    op.create_table(
        "coupons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column(
            "status",
            sa.Enum("active", "paused", name="link_status", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_coupons_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_coupons_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupons")),
        sa.UniqueConstraint("program_id", "code", name=op.f("uq_coupons_program_id_code")),
    )
    with op.batch_alter_table("coupons", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_coupons_partner_id"), ["partner_id"], unique=False)

    op.create_table(
        "creatives",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "banner",
                "text",
                "post",
                "mail",
                "html",
                "video",
                "document",
                "feed",
                name="creative_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "proposed",
                "live",
                "refused",
                name="creative_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("campaign", sa.String(length=60), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("landing_url", sa.String(length=2000), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("only_partner_id", sa.Uuid(), nullable=True),
        sa.Column("proposed_by_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("end_note", sa.String(length=500), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("decided_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_creatives_created_by_id_users")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["users.id"], name=op.f("fk_creatives_decided_by_id_users")),
        sa.ForeignKeyConstraint(
            ["only_partner_id"], ["partners.id"], name=op.f("fk_creatives_only_partner_id_partners")
        ),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_creatives_program_id_programs")),
        sa.ForeignKeyConstraint(["proposed_by_id"], ["partners.id"], name=op.f("fk_creatives_proposed_by_id_partners")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_creatives")),
    )
    with op.batch_alter_table("creatives", schema=None) as batch_op:
        batch_op.create_index("ix_creatives_program", ["program_id", "status", "starts_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_creatives_proposed_by_id"), ["proposed_by_id"], unique=False)

    op.create_table(
        "data_copies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("begun_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("ready_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("expires_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["asked_by_id"], ["users.id"], name=op.f("fk_data_copies_asked_by_id_users")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_files.id"], name=op.f("fk_data_copies_file_id_stored_files")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_data_copies_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_data_copies_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_copies")),
    )
    with op.batch_alter_table("data_copies", schema=None) as batch_op:
        batch_op.create_index("ix_data_copies_partner", ["partner_id", "asked_at"], unique=False)

    op.create_table(
        "day_mails",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_day_mails_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_day_mails_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", "day", "partner_id", name=op.f("pk_day_mails")),
    )
    op.create_table(
        "day_marks",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_day_marks_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", name=op.f("pk_day_marks")),
    )
    op.create_table(
        "duties",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("task", sa.String(length=200), nullable=False),
        sa.Column(
            "side",
            sa.Enum("partner", "program", name="side", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column(
            "cadence",
            sa.Enum(
                "once",
                "continuous",
                "daily",
                "weekly",
                "monthly",
                "quarterly",
                name="cadence",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("first_on", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "in_progress",
                "on_track",
                "done",
                name="duty_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "rounds", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("reminded_on", sa.Date(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_duties_owner_id_users")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_duties_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_duties_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duties")),
    )
    with op.batch_alter_table("duties", schema=None) as batch_op:
        batch_op.create_index(
            "ix_duties_due",
            ["due_on"],
            unique=False,
            postgresql_where=sa.text("due_on IS NOT NULL"),
            sqlite_where=sa.text("due_on IS NOT NULL"),
        )
        batch_op.create_index("ix_duties_partner", ["program_id", "partner_id"], unique=False)

    op.create_table(
        "enrollments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "approved",
                "rejected",
                "paused",
                "banned",
                name="enrollment_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "partner_class",
            sa.Enum(
                "preferred",
                "standard",
                "low",
                name="partner_class",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attribution_window_days", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("decided_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("apply_again_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["decided_by_id"], ["users.id"], name=op.f("fk_enrollments_decided_by_id_users")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_enrollments_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_enrollments_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrollments")),
        sa.UniqueConstraint("program_id", "partner_id", name=op.f("uq_enrollments_program_id_partner_id")),
    )
    with op.batch_alter_table("enrollments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enrollments_partner_id"), ["partner_id"], unique=False)
        batch_op.create_index("ix_enrollments_status", ["program_id", "status"], unique=False)
        batch_op.create_index(batch_op.f("ix_enrollments_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "erasure_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "asked",
                "withdrawn",
                "refused",
                "done",
                name="erasure_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("asked_by_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(["asked_by_id"], ["users.id"], name=op.f("fk_erasure_requests_asked_by_id_users")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["users.id"], name=op.f("fk_erasure_requests_decided_by_id_users")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_erasure_requests_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_erasure_requests_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_requests")),
    )
    with op.batch_alter_table("erasure_requests", schema=None) as batch_op:
        batch_op.create_index(
            "uq_erasure_requests_open",
            ["partner_id"],
            unique=True,
            postgresql_where=sa.text("status = 'asked'"),
            sqlite_where=sa.text("status = 'asked'"),
        )

    op.create_table(
        "fraud_days",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("orders", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("orders_by_click", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("orders_by_code", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("orders_by_machine", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("orders_refunded", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_fraud_days_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", "owner_id", "day", name=op.f("pk_fraud_days")),
    )
    op.create_table(
        "fraud_settings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "document", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_fraud_settings_created_by_id_users")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_fraud_settings_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fraud_settings")),
        sa.UniqueConstraint("program_id", "version", name=op.f("uq_fraud_settings_program_id_version")),
    )
    op.create_table(
        "goals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column(
            "metric",
            sa.Enum(
                "sales",
                "revenue",
                "new_customers",
                "clicks",
                "subscribers",
                "active_partners",
                "new_customer_share",
                "cost",
                name="goal_metric",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("target", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_goals_owner_id_users")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_goals_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_goals")),
    )
    with op.batch_alter_table("goals", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_goals_program_id"), ["program_id"], unique=False)

    op.create_table(
        "grants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "partner",
                "manager",
                "finance",
                "admin",
                name="grant_role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("program_id", sa.Uuid(), nullable=True),
        sa.Column("payout_limit_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_grants_program_id_programs")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_grants_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
    )
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.create_index(
            "uq_grants_all_programs",
            ["user_id", "role"],
            unique=True,
            postgresql_where=sa.text("program_id IS NULL"),
            sqlite_where=sa.text("program_id IS NULL"),
        )
        batch_op.create_index(
            "uq_grants_one_program",
            ["user_id", "role", "program_id"],
            unique=True,
            postgresql_where=sa.text("program_id IS NOT NULL"),
            sqlite_where=sa.text("program_id IS NOT NULL"),
        )

    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=True),
        sa.Column("recruiter_id", sa.Uuid(), nullable=True),
        sa.Column("lets_in", sa.Boolean(), nullable=False),
        sa.Column("uses", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uses_max", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("expires_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_invitations_created_by_id_users")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_invitations_program_id_programs")),
        sa.ForeignKeyConstraint(["recruiter_id"], ["partners.id"], name=op.f("fk_invitations_recruiter_id_partners")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("code", name=op.f("uq_invitations_code")),
    )
    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.create_index("ix_invitations_program", ["program_id", "created_at"], unique=False)

    op.create_table(
        "kpi_watches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column(
            "side",
            sa.Enum("below", "above", name="side", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("threshold", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("look_back_days", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("volume_min", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "quiet", "alarm", "too_little", name="watch_state", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("value", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("since", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("checked_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("removed_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("look_back_days BETWEEN 1 AND 90", name=op.f("ck_kpi_watches_look_back")),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_kpi_watches_created_by_id_users")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_kpi_watches_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kpi_watches")),
    )
    with op.batch_alter_table("kpi_watches", schema=None) as batch_op:
        batch_op.create_index("ix_kpi_watches_program", ["program_id", "removed_at"], unique=False)

    op.create_table(
        "ledger_accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=True),
        sa.Column(
            "name",
            sa.Enum(
                "expense",
                "pending",
                "approved",
                "in_transit",
                "clawback",
                "paid",
                "tax_payable",
                "adjustments",
                "write_off",
                "vat",
                "rounding",
                name="account_name",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_ledger_accounts_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_ledger_accounts_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_accounts")),
        sa.UniqueConstraint("id", "program_id", "currency", name=op.f("uq_ledger_accounts_id_program_id_currency")),
    )
    with op.batch_alter_table("ledger_accounts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_accounts_partner_id"), ["partner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_accounts_program_id"), ["program_id"], unique=False)

    op.create_table(
        "links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("landing_url", sa.String(length=2000), nullable=False),
        sa.Column(
            "subs", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "status",
            sa.Enum("active", "paused", name="link_status", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("expires_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_links_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_links_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_links")),
        sa.UniqueConstraint("code", name=op.f("uq_links_code")),
    )
    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_links_partner_id"), ["partner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_links_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "mail_refusals",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "membership",
                "payment_details",
                "invoices",
                "paid",
                "day",
                "cases",
                "agreed",
                "creatives",
                "stories",
                "postbacks",
                name="mail_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_mail_refusals_user_id_users")),
        sa.PrimaryKeyConstraint("user_id", "kind", name=op.f("pk_mail_refusals")),
    )
    op.create_table(
        "member_invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=255), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "owner",
                "marketer",
                "finance",
                "reader",
                name="member_role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("invited_by_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("closed_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["invited_by_id"], ["users.id"], name=op.f("fk_member_invitations_invited_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_member_invitations_partner_id_partners")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_invitations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_member_invitations_token_hash")),
    )
    with op.batch_alter_table("member_invitations", schema=None) as batch_op:
        batch_op.create_index(
            "uq_member_invitations_open",
            ["partner_id", "email"],
            unique=True,
            postgresql_where=sa.text("closed_at IS NULL"),
            sqlite_where=sa.text("closed_at IS NULL"),
        )

    op.create_table(
        "members",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "owner",
                "marketer",
                "finance",
                "reader",
                name="member_role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_members_partner_id_partners")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_members_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
        sa.UniqueConstraint("user_id", "partner_id", name=op.f("uq_members_user_id_partner_id")),
    )
    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_members_partner_id"), ["partner_id"], unique=False)

    op.create_table(
        "newsletter_issues",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "news", "offers", "education", name="issue_kind", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "scheduled",
                "sending",
                "stopped",
                "sent",
                name="issue_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column(
            "texts", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "blocks", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "segment", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("in_archive", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("send_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("send_wall", sa.String(length=16), nullable=True),
        sa.Column("keeps_quiet_hours", sa.Boolean(), nullable=False),
        sa.Column("release_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("released_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("finished_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("held_until", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("holds", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("trouble", sa.String(length=500), nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("scheduled_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_newsletter_issues_created_by_id_users")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_newsletter_issues_program_id_programs")),
        sa.ForeignKeyConstraint(
            ["scheduled_by_id"], ["users.id"], name=op.f("fk_newsletter_issues_scheduled_by_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_newsletter_issues")),
    )
    with op.batch_alter_table("newsletter_issues", schema=None) as batch_op:
        batch_op.create_index("ix_newsletter_issues_program", ["program_id", "created_at"], unique=False)
        batch_op.create_index("ix_newsletter_issues_status", ["status", "release_at"], unique=False)

    op.create_table(
        "newsletter_refusals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "news", "offers", "education", name="issue_kind", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["program_id"], ["programs.id"], name=op.f("fk_newsletter_refusals_program_id_programs")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_newsletter_refusals_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_newsletter_refusals")),
        sa.UniqueConstraint(
            "user_id", "program_id", "kind", name=op.f("uq_newsletter_refusals_user_id_program_id_kind")
        ),
    )
    op.create_table(
        "order_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.String(length=120), nullable=False),
        sa.Column("conversion_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.String(length=120), nullable=False),
        sa.Column(
            "type",
            sa.Enum(
                "paid",
                "shipped",
                "delivered",
                "cancelled",
                "amended",
                name="order_event_type",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("tax_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("shipping_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("occurred_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("received_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("taken_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_order_events_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_events")),
    )
    with op.batch_alter_table("order_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_order_events_conversion_id"), ["conversion_id"], unique=False)
        batch_op.create_index("ix_order_events_order", ["program_id", "order_id"], unique=False)
        batch_op.create_index(
            "ix_order_events_waiting",
            ["received_at"],
            unique=False,
            postgresql_where=sa.text("taken_at IS NULL AND type = 'cancelled'"),
            sqlite_where=sa.text("taken_at IS NULL AND type = 'cancelled'"),
        )

    op.create_table(
        "paper_series",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("series", sa.String(length=8), nullable=False),
        sa.Column("year", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("last_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_paper_series_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", "series", "year", name=op.f("pk_paper_series")),
    )
    op.create_table(
        "partner_care",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("deputy_id", sa.Uuid(), nullable=True),
        sa.Column("trial_scope", sa.String(length=500), nullable=False),
        sa.Column("trial_starts_on", sa.Date(), nullable=True),
        sa.Column("trial_ends_on", sa.Date(), nullable=True),
        sa.Column("trial_orders_min", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("trial_orders_max", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("graduated_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("lead_id <> deputy_id", name=op.f("ck_partner_care_two_people")),
        sa.ForeignKeyConstraint(["deputy_id"], ["users.id"], name=op.f("fk_partner_care_deputy_id_users")),
        sa.ForeignKeyConstraint(["lead_id"], ["users.id"], name=op.f("fk_partner_care_lead_id_users")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_partner_care_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_partner_care_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", "partner_id", name=op.f("pk_partner_care")),
    )
    with op.batch_alter_table("partner_care", schema=None) as batch_op:
        batch_op.create_index("ix_partner_care_lead", ["program_id", "lead_id"], unique=False)
        batch_op.create_index(
            "ix_partner_care_trial",
            ["program_id", "trial_ends_on"],
            unique=False,
            postgresql_where=sa.text("trial_ends_on IS NOT NULL"),
            sqlite_where=sa.text("trial_ends_on IS NOT NULL"),
        )

    op.create_table(
        "partner_costs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "flat_fee",
                "samples",
                "agency_hours",
                "other",
                name="cost_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("spent_on", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("entered_by_id", sa.Uuid(), nullable=False),
        sa.Column("entered_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("removed_by_id", sa.Uuid(), nullable=True),
        sa.Column("removed_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_partner_costs_amount_above_zero")),
        sa.ForeignKeyConstraint(["entered_by_id"], ["users.id"], name=op.f("fk_partner_costs_entered_by_id_users")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_partner_costs_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_partner_costs_program_id_programs")),
        sa.ForeignKeyConstraint(["removed_by_id"], ["users.id"], name=op.f("fk_partner_costs_removed_by_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_costs")),
    )
    with op.batch_alter_table("partner_costs", schema=None) as batch_op:
        batch_op.create_index("ix_partner_costs_program", ["program_id", "spent_on"], unique=False)

    op.create_table(
        "partner_goals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "metric",
            sa.Enum(
                "sales",
                "revenue",
                "new_customers",
                "clicks",
                "subscribers",
                "active_partners",
                "new_customer_share",
                "cost",
                name="goal_metric",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("target", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "proposed",
                "agreed",
                "declined",
                "ended",
                name="goal_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "proposed_by",
            sa.Enum("partner", "program", name="side", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("decided_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_partner_goals_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_partner_goals_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_goals")),
    )
    with op.batch_alter_table("partner_goals", schema=None) as batch_op:
        batch_op.create_index("ix_partner_goals_partner", ["program_id", "partner_id", "status"], unique=False)

    op.create_table(
        "partner_marks",
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "account",
                "vat_id",
                "connection",
                "device",
                name="mark_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("noted_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_partner_marks_partner_id_partners")),
        sa.PrimaryKeyConstraint("partner_id", "kind", "mark", name=op.f("pk_partner_marks")),
    )
    with op.batch_alter_table("partner_marks", schema=None) as batch_op:
        batch_op.create_index("ix_partner_marks_age", ["kind", "noted_at"], unique=False)
        batch_op.create_index("ix_partner_marks_mark", ["kind", "mark"], unique=False)

    op.create_table(
        "partner_momentum",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "momentum",
            sa.Enum(
                "rising",
                "steady",
                "fading",
                "dormant",
                "needs_support",
                name="momentum",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "never_started",
                "just_begun",
                "silent",
                "clicks_without_sales",
                "sales_changed",
                "clicks_changed",
                "too_little",
                name="reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("now", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("before", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("weight_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("since", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("seen_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("computed_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_partner_momentum_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_partner_momentum_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", "partner_id", name=op.f("pk_partner_momentum")),
    )
    with op.batch_alter_table("partner_momentum", schema=None) as batch_op:
        batch_op.create_index("ix_partner_momentum_state", ["program_id", "momentum", "weight_minor"], unique=False)

    op.create_table(
        "partner_notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("noted_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name=op.f("fk_partner_notes_by_id_users")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_partner_notes_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_partner_notes_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_notes")),
    )
    with op.batch_alter_table("partner_notes", schema=None) as batch_op:
        batch_op.create_index("ix_partner_notes_partner", ["program_id", "partner_id", "id"], unique=False)

    op.create_table(
        "partner_segments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column(
            "filters", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_partner_segments_created_by_id_users")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_partner_segments_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_segments")),
        sa.UniqueConstraint("program_id", "name", name=op.f("uq_partner_segments_program_id_name")),
    )
    op.create_table(
        "partner_tags",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("tag", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_partner_tags_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_partner_tags_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", "partner_id", "tag", name=op.f("pk_partner_tags")),
    )
    with op.batch_alter_table("partner_tags", schema=None) as batch_op:
        batch_op.create_index("ix_partner_tags_tag", ["program_id", "tag"], unique=False)

    op.create_table(
        "partner_terms",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("group_name", sa.String(length=40), nullable=True),
        sa.Column("recruiter_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("recruiter_id <> partner_id", name=op.f("ck_partner_terms_nobody_recruits_himself")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_partner_terms_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_partner_terms_program_id_programs")),
        sa.ForeignKeyConstraint(["recruiter_id"], ["partners.id"], name=op.f("fk_partner_terms_recruiter_id_partners")),
        sa.PrimaryKeyConstraint("program_id", "partner_id", name=op.f("pk_partner_terms")),
    )
    with op.batch_alter_table("partner_terms", schema=None) as batch_op:
        batch_op.create_index(
            "ix_partner_terms_recruiter",
            ["program_id", "recruiter_id"],
            unique=False,
            postgresql_where=sa.text("recruiter_id IS NOT NULL"),
            sqlite_where=sa.text("recruiter_id IS NOT NULL"),
        )

    op.create_table(
        "payout_blocks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("blocked_by_id", sa.Uuid(), nullable=False),
        sa.Column("blocked_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("lifted_by_id", sa.Uuid(), nullable=True),
        sa.Column("lifted_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["blocked_by_id"], ["users.id"], name=op.f("fk_payout_blocks_blocked_by_id_users")),
        sa.ForeignKeyConstraint(["lifted_by_id"], ["users.id"], name=op.f("fk_payout_blocks_lifted_by_id_users")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_payout_blocks_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_payout_blocks_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_blocks")),
    )
    with op.batch_alter_table("payout_blocks", schema=None) as batch_op:
        batch_op.create_index(
            "uq_payout_blocks_open",
            ["program_id", "partner_id"],
            unique=True,
            postgresql_where=sa.text("lifted_at IS NULL"),
            sqlite_where=sa.text("lifted_at IS NULL"),
        )

    op.create_table(
        "payout_methods",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "bank",
                "paypal",
                "wise",
                "other",
                name="method_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("masked", sa.String(length=80), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("usable_from", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_payout_methods_created_by_id_users")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_payout_methods_partner_id_partners")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_methods")),
    )
    with op.batch_alter_table("payout_methods", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payout_methods_partner_id"), ["partner_id"], unique=False)
        batch_op.create_index(
            "uq_payout_methods_current",
            ["partner_id"],
            unique=True,
            postgresql_where=sa.text("replaced_at IS NULL"),
            sqlite_where=sa.text("replaced_at IS NULL"),
        )

    op.create_table(
        "payout_policies",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column(
            "cadence",
            sa.Enum(
                "manual",
                "weekly",
                "twice_a_month",
                "monthly",
                name="cadence",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("net_days", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("is_one_person", sa.Boolean(), nullable=False),
        sa.Column("adjustment_limit_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("payer_name", sa.String(length=70), nullable=True),
        sa.Column("payer_account", sa.Text(), nullable=True),
        sa.Column("wise_template", sa.Text(), nullable=True),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("net_days BETWEEN 0 AND 120", name=op.f("ck_payout_policies_net_days_in_range")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_payout_policies_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", name=op.f("pk_payout_policies")),
    )
    op.create_table(
        "payout_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "proposed",
                "approved",
                "paid",
                "failed",
                "cancelled",
                name="payout_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("total_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("is_single_handed", sa.Boolean(), nullable=False),
        sa.Column("proposed_by_id", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("approved_by_id", sa.Uuid(), nullable=True),
        sa.Column("approved_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("paid_by_id", sa.Uuid(), nullable=True),
        sa.Column("paid_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("cancelled_by_id", sa.Uuid(), nullable=True),
        sa.Column("cancelled_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column(
            "reason_code",
            sa.Enum(
                "returned",
                "all_failed",
                "partner_stopped",
                name="reason_code",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.CheckConstraint("status <> 'failed'", name=op.f("ck_payout_runs_runs_do_not_fail")),
        sa.CheckConstraint(
            "status NOT IN ('approved', 'paid') OR approved_by_id IS NOT NULL",
            name=op.f("ck_payout_runs_approved_first"),
        ),
        sa.CheckConstraint(
            "approved_by_id IS NULL OR approved_by_id <> proposed_by_id OR is_single_handed",
            name=op.f("ck_payout_runs_four_eyes"),
        ),
        sa.ForeignKeyConstraint(["approved_by_id"], ["users.id"], name=op.f("fk_payout_runs_approved_by_id_users")),
        sa.ForeignKeyConstraint(["cancelled_by_id"], ["users.id"], name=op.f("fk_payout_runs_cancelled_by_id_users")),
        sa.ForeignKeyConstraint(["paid_by_id"], ["users.id"], name=op.f("fk_payout_runs_paid_by_id_users")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_payout_runs_program_id_programs")),
        sa.ForeignKeyConstraint(["proposed_by_id"], ["users.id"], name=op.f("fk_payout_runs_proposed_by_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_runs")),
    )
    with op.batch_alter_table("payout_runs", schema=None) as batch_op:
        batch_op.create_index("ix_payout_runs_program", ["program_id", "proposed_at"], unique=False)

    op.create_table(
        "plan_examples",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "order", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("expected_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_plan_examples_created_by_id_users")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_plan_examples_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_examples")),
    )
    with op.batch_alter_table("plan_examples", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_examples_program_id"), ["program_id"], unique=False)

    op.create_table(
        "plan_simulations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("plan_name", sa.String(length=120), nullable=False),
        sa.Column(
            "terms", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("starts_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "state", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("orders_done", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("orders_total", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_plan_simulations_created_by_id_users")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_plan_simulations_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_simulations")),
    )
    with op.batch_alter_table("plan_simulations", schema=None) as batch_op:
        batch_op.create_index(
            "ix_plan_simulations_open",
            ["created_at"],
            unique=False,
            postgresql_where=sa.text("finished_at IS NULL"),
            sqlite_where=sa.text("finished_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_plan_simulations_program_id"), ["program_id"], unique=False)

    op.create_table(
        "postback_addresses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.String(length=1000), nullable=False),
        sa.Column(
            "events", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("is_signed", sa.Boolean(), nullable=False),
        sa.Column("secret_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("failures", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("failing_since", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("live_since", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("switched_off_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column(
            "switched_off",
            sa.Enum(
                "by_hand", "failing", "gone", name="switched_off", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(switched_off_at IS NULL) = (switched_off IS NULL)", name=op.f("ck_postback_addresses_off_for_a_reason")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_postback_addresses_created_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_postback_addresses_partner_id_partners")
        ),
        sa.ForeignKeyConstraint(
            ["program_id"], ["programs.id"], name=op.f("fk_postback_addresses_program_id_programs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_postback_addresses")),
    )
    with op.batch_alter_table("postback_addresses", schema=None) as batch_op:
        batch_op.create_index("ix_postback_addresses_partner", ["program_id", "partner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_postback_addresses_partner_id"), ["partner_id"], unique=False)

    op.create_table(
        "postback_marks",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("paid_until", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_postback_marks_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", name=op.f("pk_postback_marks")),
    )
    op.create_table(
        "program_figures",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column(
            "medians", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("validation_seconds", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("computed_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_program_figures_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", name=op.f("pk_program_figures")),
    )
    op.create_table(
        "public_texts",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("headline", sa.String(length=300), nullable=False),
        sa.Column("summary", sa.String(length=300), nullable=False),
        sa.Column("stands_for", sa.Text(), nullable=False),
        sa.Column("sold", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column(
            "questions", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_public_texts_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", "language", name=op.f("pk_public_texts")),
    )
    op.create_table(
        "refunds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.String(length=120), nullable=False),
        sa.Column("conversion_id", sa.Uuid(), nullable=False),
        sa.Column("refund_id", sa.String(length=120), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column(
            "items", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("occurred_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("received_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("taken_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("is_set_aside", sa.Boolean(), nullable=False),
        sa.Column("settled_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("settled_currency", sa.String(length=3), nullable=True),
        sa.Column(
            "exchange",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_refunds_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
    )
    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refunds_conversion_id"), ["conversion_id"], unique=False)
        batch_op.create_index("ix_refunds_order", ["program_id", "order_id"], unique=False)
        batch_op.create_index(
            "ix_refunds_set_aside",
            ["program_id"],
            unique=False,
            postgresql_where=sa.text("is_set_aside"),
            sqlite_where=sa.text("is_set_aside"),
        )
        batch_op.create_index(
            "ix_refunds_waiting",
            ["received_at"],
            unique=False,
            postgresql_where=sa.text("taken_at IS NULL"),
            sqlite_where=sa.text("taken_at IS NULL"),
        )

    op.create_table(
        "replays",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "running",
                "stopped",
                "done",
                "failed",
                name="replay_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("base_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("terms", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("starts_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ends_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("orders", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cursor_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("cursor_id", sa.Uuid(), nullable=True),
        sa.Column(
            "totals", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_replays_created_by_id_users")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_replays_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replays")),
    )
    with op.batch_alter_table("replays", schema=None) as batch_op:
        batch_op.create_index("ix_replays_program", ["program_id", "created_at"], unique=False)
        batch_op.create_index(
            "ix_replays_running",
            ["created_at"],
            unique=False,
            postgresql_where=sa.text("status = 'running'"),
            sqlite_where=sa.text("status = 'running'"),
        )

    op.create_table(
        "rubrics",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column(
            "weights", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("accept_from", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("refuse_below", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_rubrics_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", name=op.f("pk_rubrics")),
    )
    op.create_table(
        "saved_reports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column(
            "arguments", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "every",
            sa.Enum("day", "week", "month", name="every", native_enum=False, create_constraint=True, length=32),
            nullable=True,
        ),
        sa.Column("hour", sa.SmallInteger(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("next_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(every IS NULL) = (next_at IS NULL)", name=op.f("ck_saved_reports_due_when_mailed")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_saved_reports_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_saved_reports_program_id_programs")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_saved_reports_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_reports")),
    )
    with op.batch_alter_table("saved_reports", schema=None) as batch_op:
        batch_op.create_index(
            "ix_saved_reports_due",
            ["next_at"],
            unique=False,
            postgresql_where=sa.text("next_at IS NOT NULL"),
            sqlite_where=sa.text("next_at IS NOT NULL"),
        )
        batch_op.create_index("ix_saved_reports_owner", ["user_id", "program_id", "partner_id"], unique=False)

    op.create_table(
        "shop_days",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("orders", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revenue_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("visitors", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("new_customers", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("costs_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("orders >= 0 AND revenue_minor >= 0", name=op.f("ck_shop_days_totals_not_negative")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_shop_days_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", "day", name=op.f("pk_shop_days")),
    )
    op.create_table(
        "tax_profiles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("is_company", sa.Boolean(), nullable=False),
        sa.Column("legal_name", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("vat_id", sa.String(length=20), nullable=True),
        sa.Column("tax_number", sa.String(length=40), nullable=True),
        sa.Column("rule_code", sa.String(length=40), nullable=True),
        sa.Column(
            "paper",
            sa.Enum(
                "own_invoice",
                "self_billing",
                "receipt",
                name="paper_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("agreed_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("agreed_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("paper <> 'receipt' OR vat_id IS NULL", name=op.f("ck_tax_profiles_receipt_without_vat_id")),
        sa.CheckConstraint(
            "paper <> 'self_billing' OR agreed_at IS NOT NULL", name=op.f("ck_tax_profiles_self_billing_by_agreement")
        ),
        sa.ForeignKeyConstraint(["agreed_by_id"], ["users.id"], name=op.f("fk_tax_profiles_agreed_by_id_users")),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_tax_profiles_created_by_id_users")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_tax_profiles_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_tax_profiles_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_profiles")),
    )
    with op.batch_alter_table("tax_profiles", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tax_profiles_partner_id"), ["partner_id"], unique=False)
        batch_op.create_index(
            "uq_tax_profiles_current",
            ["program_id", "partner_id"],
            unique=True,
            postgresql_where=sa.text("replaced_at IS NULL"),
            sqlite_where=sa.text("replaced_at IS NULL"),
        )

    op.create_table(
        "tax_rules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("base_share_bps", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rate_bps", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("vat_bps", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stamp_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stamp_above_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by_id", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint("base_share_bps BETWEEN 0 AND 10000", name=op.f("ck_tax_rules_base_share_in_range")),
        sa.CheckConstraint("rate_bps BETWEEN 0 AND 10000", name=op.f("ck_tax_rules_rate_in_range")),
        sa.CheckConstraint(
            "stamp_minor >= 0 AND stamp_above_minor >= 0", name=op.f("ck_tax_rules_stamp_not_below_zero")
        ),
        sa.CheckConstraint("vat_bps BETWEEN 0 AND 10000", name=op.f("ck_tax_rules_vat_in_range")),
        sa.ForeignKeyConstraint(["confirmed_by_id"], ["users.id"], name=op.f("fk_tax_rules_confirmed_by_id_users")),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_tax_rules_created_by_id_users")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_tax_rules_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_rules")),
        sa.UniqueConstraint("program_id", "code", "valid_from", name=op.f("uq_tax_rules_program_id_code_valid_from")),
    )
    op.create_table(
        "tax_settings",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("legal_name", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("vat_id", sa.String(length=20), nullable=True),
        sa.Column("tax_number", sa.String(length=40), nullable=True),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column("demands_profile", sa.Boolean(), nullable=False),
        sa.Column("offers_self_billing", sa.Boolean(), nullable=False),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_tax_settings_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", name=op.f("pk_tax_settings")),
    )
    op.create_table(
        "user_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("device", sa.String(length=60), nullable=False),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("expires_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_sessions_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_sessions")),
    )
    with op.batch_alter_table("user_sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_user_sessions_user_id"), ["user_id"], unique=False)

    op.create_table(
        "validation_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("lines_total", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lines_checked", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lines_done", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uploaded_by_id", sa.Uuid(), nullable=True),
        sa.Column("uploaded_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by_id", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("finished_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["confirmed_by_id"], ["users.id"], name=op.f("fk_validation_files_confirmed_by_id_users")
        ),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_validation_files_program_id_programs")),
        sa.ForeignKeyConstraint(
            ["uploaded_by_id"], ["users.id"], name=op.f("fk_validation_files_uploaded_by_id_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_validation_files")),
    )
    with op.batch_alter_table("validation_files", schema=None) as batch_op:
        batch_op.create_index(
            "ix_validation_files_open",
            ["uploaded_at"],
            unique=False,
            postgresql_where=sa.text("finished_at IS NULL"),
            sqlite_where=sa.text("finished_at IS NULL"),
        )
        batch_op.create_index("ix_validation_files_program", ["program_id", "uploaded_at"], unique=False)

    op.create_table(
        "application_drafts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "open", "sent", "received", name="draft_state", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "typed", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "files", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("who", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False),
        sa.Column(
            "answers", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "asked", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("locale", sa.String(length=5), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("invitation_id", sa.Uuid(), nullable=True),
        sa.Column("started_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("saved_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("sent_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["invitation_id"], ["invitations.id"], name=op.f("fk_application_drafts_invitation_id_invitations")
        ),
        sa.ForeignKeyConstraint(
            ["program_id"], ["programs.id"], name=op.f("fk_application_drafts_program_id_programs")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_application_drafts_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_drafts")),
    )
    with op.batch_alter_table("application_drafts", schema=None) as batch_op:
        batch_op.create_index("ix_application_drafts_age", ["state", "saved_at"], unique=False)

    op.create_table(
        "applications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("enrollment_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "answers", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "asked", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("submitted_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["enrollment_id"], ["enrollments.id"], name=op.f("fk_applications_enrollment_id_enrollments")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_applications_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applications")),
    )
    with op.batch_alter_table("applications", schema=None) as batch_op:
        batch_op.create_index(
            "uq_applications_current",
            ["enrollment_id"],
            unique=True,
            postgresql_where=sa.text("is_current"),
            sqlite_where=sa.text("is_current"),
        )

    op.create_table(
        "attributions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversion_id", sa.Uuid(), nullable=False),
        sa.Column("conversion_revision", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("model", sa.String(length=32), nullable=False),
        sa.Column("policy_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("is_new_customer", sa.Boolean(), nullable=True),
        sa.Column(
            "reason",
            sa.Enum(
                "no_touch",
                "all_refused",
                "other_channel",
                name="unattributed",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "trace", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("decided_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("commissioned_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversion_id"], ["conversions.id"], name=op.f("fk_attributions_conversion_id_conversions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attributions")),
        sa.UniqueConstraint(
            "conversion_id", "conversion_revision", name=op.f("uq_attributions_conversion_id_conversion_revision")
        ),
        sa.UniqueConstraint("conversion_id", "version", name=op.f("uq_attributions_conversion_id_version")),
    )
    with op.batch_alter_table("attributions", schema=None) as batch_op:
        batch_op.create_index(
            "ix_attributions_waiting",
            ["decided_at"],
            unique=False,
            postgresql_where=sa.text("commissioned_at IS NULL"),
            sqlite_where=sa.text("commissioned_at IS NULL"),
        )
        batch_op.create_index(
            "uq_attributions_current",
            ["conversion_id"],
            unique=True,
            postgresql_where=sa.text("is_current"),
            sqlite_where=sa.text("is_current"),
        )

    op.create_table(
        "confirmed_sites",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("withdrawn_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_confirmed_sites_link_id_links")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_confirmed_sites_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmed_sites")),
    )
    with op.batch_alter_table("confirmed_sites", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_confirmed_sites_updated_at"), ["updated_at"], unique=False)
        batch_op.create_index(
            "uq_confirmed_sites_host",
            ["program_id", "host"],
            unique=True,
            postgresql_where=sa.text("withdrawn_at IS NULL"),
            sqlite_where=sa.text("withdrawn_at IS NULL"),
        )

    op.create_table(
        "conversion_revisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversion_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("trust", sa.SmallInteger(), nullable=False),
        sa.Column(
            "facts", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "differences", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("replaced_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversion_id"], ["conversions.id"], name=op.f("fk_conversion_revisions_conversion_id_conversions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversion_revisions")),
        sa.UniqueConstraint(
            "conversion_id", "delivery_id", name=op.f("uq_conversion_revisions_conversion_id_delivery_id")
        ),
    )
    with op.batch_alter_table("conversion_revisions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_conversion_revisions_conversion_id"), ["conversion_id"], unique=False)

    op.create_table(
        "creative_groups",
        sa.Column("creative_id", sa.Uuid(), nullable=False),
        sa.Column("group_name", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["creative_id"], ["creatives.id"], name=op.f("fk_creative_groups_creative_id_creatives")
        ),
        sa.PrimaryKeyConstraint("creative_id", "group_name", name=op.f("pk_creative_groups")),
    )
    op.create_table(
        "creative_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("creative_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject", sa.String(length=150), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("alt", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("width", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("height", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("item_count", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_creative_versions_created_by_id_users")),
        sa.ForeignKeyConstraint(
            ["creative_id"], ["creatives.id"], name=op.f("fk_creative_versions_creative_id_creatives")
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["stored_files.id"], name=op.f("fk_creative_versions_file_id_stored_files")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_creative_versions")),
        sa.UniqueConstraint("creative_id", "version", name=op.f("uq_creative_versions_creative_id_version")),
    )
    op.create_table(
        "fraud_decisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("conversion_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum("pass", "flag", "reject", name="verdict", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("rule", sa.String(length=40), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversion_id"], ["conversions.id"], name=op.f("fk_fraud_decisions_conversion_id_conversions")
        ),
        sa.ForeignKeyConstraint(["decided_by_id"], ["users.id"], name=op.f("fk_fraud_decisions_decided_by_id_users")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_fraud_decisions_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_fraud_decisions_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fraud_decisions")),
        sa.UniqueConstraint(
            "conversion_id", "partner_id", "number", name=op.f("uq_fraud_decisions_conversion_id_partner_id_number")
        ),
    )
    op.create_table(
        "fraud_places",
        sa.Column("conversion_id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("connection", sa.String(length=64), nullable=False),
        sa.Column("occurred_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversion_id"], ["conversions.id"], name=op.f("fk_fraud_places_conversion_id_conversions")
        ),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_fraud_places_program_id_programs")),
        sa.PrimaryKeyConstraint("conversion_id", name=op.f("pk_fraud_places")),
    )
    with op.batch_alter_table("fraud_places", schema=None) as batch_op:
        batch_op.create_index("ix_fraud_places_connection", ["connection", "occurred_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_fraud_places_occurred_at"), ["occurred_at"], unique=False)

    op.create_table(
        "ledger_transfers",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "accrue",
                "approve",
                "reverse",
                "claw_back",
                "offset",
                "send",
                "settle",
                "fail",
                "add_tax",
                "withhold",
                "adjust",
                "write_off",
                name="transfer_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("debit_account_id", sa.Uuid(), nullable=False),
        sa.Column("credit_account_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "source_kind",
            sa.Enum(
                "commission",
                "adjustment",
                "payout",
                "manual",
                name="source_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("leg", sa.SmallInteger(), nullable=False),
        sa.Column("posted_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_ledger_transfers_amount_above_zero")),
        sa.CheckConstraint("debit_account_id <> credit_account_id", name=op.f("ck_ledger_transfers_two_accounts")),
        sa.ForeignKeyConstraint(
            ["credit_account_id", "program_id", "currency"],
            ["ledger_accounts.id", "ledger_accounts.program_id", "ledger_accounts.currency"],
            name=op.f("fk_ledger_transfers_credit_account_id_program_id_currency_ledger_accounts"),
        ),
        sa.ForeignKeyConstraint(
            ["debit_account_id", "program_id", "currency"],
            ["ledger_accounts.id", "ledger_accounts.program_id", "ledger_accounts.currency"],
            name=op.f("fk_ledger_transfers_debit_account_id_program_id_currency_ledger_accounts"),
        ),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_ledger_transfers_program_id_programs")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_ledger_transfers")),
        sa.UniqueConstraint("id", name=op.f("uq_ledger_transfers_id")),
        sa.UniqueConstraint(
            "kind", "source_kind", "source_id", "leg", name=op.f("uq_ledger_transfers_kind_source_kind_source_id_leg")
        ),
    )
    with op.batch_alter_table("ledger_transfers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_transfers_credit_account_id"), ["credit_account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_transfers_debit_account_id"), ["debit_account_id"], unique=False)
        batch_op.create_index("ix_ledger_transfers_of_program", ["program_id", "position"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_transfers_posted_at"), ["posted_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_transfers_source_id"), ["source_id"], unique=False)

    op.create_table(
        "manual_credits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("conversion_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversion_id"], ["conversions.id"], name=op.f("fk_manual_credits_conversion_id_conversions")
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_manual_credits_created_by_id_users")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_manual_credits_partner_id_partners")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manual_credits")),
    )
    with op.batch_alter_table("manual_credits", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_manual_credits_conversion_id"), ["conversion_id"], unique=False)

    op.create_table(
        "newsletter_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "waiting",
                "claimed",
                "sent",
                "refused",
                "failed",
                "uncertain",
                "skipped",
                name="delivery_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("due_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("settled_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("unsubscribed_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("bounced_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["newsletter_issues.id"], name=op.f("fk_newsletter_deliveries_issue_id_newsletter_issues")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_newsletter_deliveries_partner_id_partners")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_newsletter_deliveries_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_newsletter_deliveries")),
        sa.UniqueConstraint("issue_id", "user_id", name=op.f("uq_newsletter_deliveries_issue_id_user_id")),
    )
    with op.batch_alter_table("newsletter_deliveries", schema=None) as batch_op:
        batch_op.create_index("ix_newsletter_deliveries_claimed", ["claimed_at"], unique=False)
        batch_op.create_index("ix_newsletter_deliveries_due", ["status", "due_at"], unique=False)
        batch_op.create_index("ix_newsletter_deliveries_issue", ["issue_id", "status"], unique=False)
        batch_op.create_index(batch_op.f("ix_newsletter_deliveries_user_id"), ["user_id"], unique=False)

    op.create_table(
        "newsletter_links",
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("clicks", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["newsletter_issues.id"], name=op.f("fk_newsletter_links_issue_id_newsletter_issues")
        ),
        sa.PrimaryKeyConstraint("issue_id", "code", name=op.f("pk_newsletter_links")),
    )
    op.create_table(
        "order_reductions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("conversion_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("is_reinstatement", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_order_reductions_amount_not_negative")),
        sa.ForeignKeyConstraint(
            ["conversion_id"], ["conversions.id"], name=op.f("fk_order_reductions_conversion_id_conversions")
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_order_reductions_created_by_id_users")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_order_reductions_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_reductions")),
    )
    with op.batch_alter_table("order_reductions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_order_reductions_conversion_id"), ["conversion_id"], unique=False)

    op.create_table(
        "order_verifications",
        sa.Column("conversion_id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("verified_by_id", sa.Uuid(), nullable=True),
        sa.Column("verified_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversion_id"], ["conversions.id"], name=op.f("fk_order_verifications_conversion_id_conversions")
        ),
        sa.ForeignKeyConstraint(
            ["program_id"], ["programs.id"], name=op.f("fk_order_verifications_program_id_programs")
        ),
        sa.ForeignKeyConstraint(
            ["verified_by_id"], ["users.id"], name=op.f("fk_order_verifications_verified_by_id_users")
        ),
        sa.PrimaryKeyConstraint("conversion_id", name=op.f("pk_order_verifications")),
    )
    with op.batch_alter_table("order_verifications", schema=None) as batch_op:
        batch_op.create_index("ix_order_verifications_program", ["program_id", "verified_at"], unique=False)

    op.create_table(
        "partner_goal_notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("goal_id", sa.Uuid(), nullable=False),
        sa.Column(
            "side",
            sa.Enum("partner", "program", name="side", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reached", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("said_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name=op.f("fk_partner_goal_notes_by_id_users")),
        sa.ForeignKeyConstraint(
            ["goal_id"], ["partner_goals.id"], name=op.f("fk_partner_goal_notes_goal_id_partner_goals")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_goal_notes")),
    )
    with op.batch_alter_table("partner_goal_notes", schema=None) as batch_op:
        batch_op.create_index("ix_partner_goal_notes_goal", ["goal_id", "id"], unique=False)

    op.create_table(
        "payouts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "proposed",
                "approved",
                "paid",
                "failed",
                "cancelled",
                name="payout_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("earned_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("clawed_back_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("vat_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stamp_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("withheld_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("paid_currency", sa.String(length=3), nullable=True),
        sa.Column("paid_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "exchange", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=True
        ),
        sa.Column(
            "paper",
            sa.Enum(
                "none",
                "awaited",
                "accepted",
                "due",
                "issued",
                "cancelled",
                name="paper_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "notice", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=True
        ),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("paid_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("method_id", sa.Uuid(), nullable=True),
        sa.Column("taken_out_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("failed_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column(
            "reason_code",
            sa.Enum(
                "returned",
                "all_failed",
                "partner_stopped",
                name="reason_code",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.CheckConstraint(
            "amount_minor = earned_minor - clawed_back_minor + vat_minor + stamp_minor",
            name=op.f("ck_payouts_amount_adds_up"),
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payouts_amount_above_zero")),
        sa.CheckConstraint("withheld_minor BETWEEN 0 AND amount_minor", name=op.f("ck_payouts_withheld_within_amount")),
        sa.ForeignKeyConstraint(["method_id"], ["payout_methods.id"], name=op.f("fk_payouts_method_id_payout_methods")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_payouts_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_payouts_program_id_programs")),
        sa.ForeignKeyConstraint(["run_id"], ["payout_runs.id"], name=op.f("fk_payouts_run_id_payout_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payouts")),
        sa.UniqueConstraint("run_id", "partner_id", name=op.f("uq_payouts_run_id_partner_id")),
    )
    with op.batch_alter_table("payouts", schema=None) as batch_op:
        batch_op.create_index("ix_payouts_paper", ["paper", "status"], unique=False)
        batch_op.create_index(batch_op.f("ix_payouts_partner_id"), ["partner_id"], unique=False)

    op.create_table(
        "report_mailings",
        sa.Column("report_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("sent_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["saved_reports.id"],
            name=op.f("fk_report_mailings_report_id_saved_reports"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("report_id", "due_at", name=op.f("pk_report_mailings")),
    )
    op.create_table(
        "story_consents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column(
            "story", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "status",
            sa.Enum(
                "asked",
                "given",
                "declined",
                name="consent_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("asked_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("answered_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["answered_by_id"], ["users.id"], name=op.f("fk_story_consents_answered_by_id_users")),
        sa.ForeignKeyConstraint(
            ["issue_id"], ["newsletter_issues.id"], name=op.f("fk_story_consents_issue_id_newsletter_issues")
        ),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_story_consents_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_story_consents_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_story_consents")),
        sa.UniqueConstraint(
            "issue_id", "partner_id", "fingerprint", name=op.f("uq_story_consents_issue_id_partner_id_fingerprint")
        ),
    )
    with op.batch_alter_table("story_consents", schema=None) as batch_op:
        batch_op.create_index("ix_story_consents_partner", ["program_id", "partner_id", "status"], unique=False)

    op.create_table(
        "validation_lines",
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_id", sa.String(length=120), nullable=False),
        sa.Column(
            "word",
            sa.Enum("approved", "declined", name="word", native_enum=False, create_constraint=True, length=32),
            nullable=True,
        ),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("is_repeated", sa.Boolean(), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum(
                "approve",
                "reduce",
                "decline",
                "reinstate",
                "unchanged",
                "unknown",
                "no_commission",
                "not_verified",
                "more_than_order",
                "other_currency",
                "twice",
                "unreadable",
                name="verdict",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["validation_files.id"], name=op.f("fk_validation_lines_file_id_validation_files")
        ),
        sa.PrimaryKeyConstraint("file_id", "number", name=op.f("pk_validation_lines")),
    )
    op.create_table(
        "vat_checks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("vat_id", sa.String(length=20), nullable=False),
        sa.Column(
            "answer",
            sa.Enum(
                "waiting",
                "valid",
                "invalid",
                "unavailable",
                name="vat_answer",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("asked_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("answered_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["tax_profiles.id"], name=op.f("fk_vat_checks_profile_id_tax_profiles")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vat_checks")),
    )
    with op.batch_alter_table("vat_checks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vat_checks_profile_id"), ["profile_id"], unique=False)
        batch_op.create_index(
            "ix_vat_checks_waiting",
            ["asked_at"],
            unique=False,
            postgresql_where=sa.text("answer = 'waiting'"),
            sqlite_where=sa.text("answer = 'waiting'"),
        )

    op.create_table(
        "adjustments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "bonus",
                "make_good",
                "correction",
                "volume",
                "write_off",
                name="adjustment_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "proposed",
                "posted",
                "declined",
                name="adjustment_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column(
            "facts", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=True
        ),
        sa.Column("is_single_handed", sa.Boolean(), nullable=False),
        sa.Column("entered_by_id", sa.Uuid(), nullable=True),
        sa.Column("entered_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("payout_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(status = 'proposed') = (decided_at IS NULL)", name=op.f("ck_adjustments_decided_once")),
        sa.CheckConstraint(
            "amount_minor > 0 OR kind = 'correction'", name=op.f("ck_adjustments_only_corrections_take")
        ),
        sa.CheckConstraint("payout_id IS NULL OR status = 'posted'", name=op.f("ck_adjustments_posted_before_paid")),
        sa.CheckConstraint(
            "status <> 'posted' OR decided_by_id <> entered_by_id OR is_single_handed",
            name=op.f("ck_adjustments_second_person"),
        ),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_adjustments_amount_not_zero")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["users.id"], name=op.f("fk_adjustments_decided_by_id_users")),
        sa.ForeignKeyConstraint(["entered_by_id"], ["users.id"], name=op.f("fk_adjustments_entered_by_id_users")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_adjustments_partner_id_partners")),
        sa.ForeignKeyConstraint(["payout_id"], ["payouts.id"], name=op.f("fk_adjustments_payout_id_payouts")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_adjustments_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjustments")),
    )
    with op.batch_alter_table("adjustments", schema=None) as batch_op:
        batch_op.create_index("ix_adjustments_partner", ["program_id", "partner_id", "entered_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_adjustments_payout_id"), ["payout_id"], unique=False)

    op.create_table(
        "application_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("is_of_program", sa.Boolean(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("said_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name=op.f("fk_application_messages_application_id_applications")
        ),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_application_messages_author_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_messages")),
    )
    with op.batch_alter_table("application_messages", schema=None) as batch_op:
        batch_op.create_index("ix_application_messages_application", ["application_id", "id"], unique=False)

    op.create_table(
        "assessments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("reviewer_id", sa.Uuid(), nullable=False),
        sa.Column(
            "marks", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "evidence", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("facts_digest", sa.String(length=16), nullable=False),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name=op.f("fk_assessments_application_id_applications")
        ),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_assessments_program_id_programs")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["users.id"], name=op.f("fk_assessments_reviewer_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessments")),
        sa.UniqueConstraint("application_id", "reviewer_id", name=op.f("uq_assessments_application_id_reviewer_id")),
    )
    with op.batch_alter_table("assessments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assessments_program_id"), ["program_id"], unique=False)

    op.create_table(
        "channel_losses",
        sa.Column("attribution_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["attribution_id"], ["attributions.id"], name=op.f("fk_channel_losses_attribution_id_attributions")
        ),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_channel_losses_partner_id_partners")),
        sa.PrimaryKeyConstraint("attribution_id", "partner_id", name=op.f("pk_channel_losses")),
    )
    with op.batch_alter_table("channel_losses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_channel_losses_partner_id"), ["partner_id"], unique=False)

    op.create_table(
        "credits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("attribution_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=True),
        sa.Column("coupon_id", sa.Uuid(), nullable=True),
        sa.Column("click_id", sa.Uuid(), nullable=True),
        sa.Column("share_bps", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["attribution_id"], ["attributions.id"], name=op.f("fk_credits_attribution_id_attributions")
        ),
        sa.ForeignKeyConstraint(["coupon_id"], ["coupons.id"], name=op.f("fk_credits_coupon_id_coupons")),
        sa.ForeignKeyConstraint(["link_id"], ["links.id"], name=op.f("fk_credits_link_id_links")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_credits_partner_id_partners")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credits")),
        sa.UniqueConstraint("attribution_id", "partner_id", name=op.f("uq_credits_attribution_id_partner_id")),
    )
    with op.batch_alter_table("credits", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_credits_partner_id"), ["partner_id"], unique=False)

    op.create_table(
        "filed_invoices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("invoiced_on", sa.Date(), nullable=False),
        sa.Column("total_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("vat_id", sa.String(length=20), nullable=True),
        sa.Column("file_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "filed",
                "accepted",
                "refused",
                name="filed_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("filed_by_id", sa.Uuid(), nullable=True),
        sa.Column("filed_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.CheckConstraint("(status = 'filed') = (decided_at IS NULL)", name=op.f("ck_filed_invoices_decided_once")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["users.id"], name=op.f("fk_filed_invoices_decided_by_id_users")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_files.id"], name=op.f("fk_filed_invoices_file_id_stored_files")),
        sa.ForeignKeyConstraint(["filed_by_id"], ["users.id"], name=op.f("fk_filed_invoices_filed_by_id_users")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_filed_invoices_partner_id_partners")),
        sa.ForeignKeyConstraint(["payout_id"], ["payouts.id"], name=op.f("fk_filed_invoices_payout_id_payouts")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_filed_invoices_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filed_invoices")),
    )
    with op.batch_alter_table("filed_invoices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_filed_invoices_partner_id"), ["partner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_filed_invoices_payout_id"), ["payout_id"], unique=False)
        batch_op.create_index("ix_filed_invoices_status", ["program_id", "status"], unique=False)
        batch_op.create_index(
            "uq_filed_invoices_number",
            ["program_id", "partner_id", "number"],
            unique=True,
            postgresql_where=sa.text("status <> 'refused'"),
            sqlite_where=sa.text("status <> 'refused'"),
        )
        batch_op.create_index(
            "uq_filed_invoices_payout",
            ["payout_id"],
            unique=True,
            postgresql_where=sa.text("status <> 'refused'"),
            sqlite_where=sa.text("status <> 'refused'"),
        )

    op.create_table(
        "fraud_appeals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("conversion_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.Column("opened_by_id", sa.Uuid(), nullable=True),
        sa.Column("opened_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversion_id"], ["conversions.id"], name=op.f("fk_fraud_appeals_conversion_id_conversions")
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["fraud_decisions.id"], name=op.f("fk_fraud_appeals_decision_id_fraud_decisions")
        ),
        sa.ForeignKeyConstraint(["opened_by_id"], ["users.id"], name=op.f("fk_fraud_appeals_opened_by_id_users")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_fraud_appeals_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_fraud_appeals_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fraud_appeals")),
    )
    with op.batch_alter_table("fraud_appeals", schema=None) as batch_op:
        batch_op.create_index("ix_fraud_appeals_program", ["program_id", "decision_id"], unique=False)
        batch_op.create_index(
            "uq_fraud_appeals_open",
            ["conversion_id", "partner_id"],
            unique=True,
            postgresql_where=sa.text("decision_id IS NULL"),
            sqlite_where=sa.text("decision_id IS NULL"),
        )

    op.create_table(
        "fraud_orders",
        sa.Column("conversion_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("attribution_id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("by_code", sa.Boolean(), nullable=False),
        sa.Column("by_machine", sa.Boolean(), nullable=False),
        sa.Column("refunded", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attribution_id"], ["attributions.id"], name=op.f("fk_fraud_orders_attribution_id_attributions")
        ),
        sa.ForeignKeyConstraint(
            ["conversion_id"], ["conversions.id"], name=op.f("fk_fraud_orders_conversion_id_conversions")
        ),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_fraud_orders_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_fraud_orders_program_id_programs")),
        sa.PrimaryKeyConstraint("conversion_id", "partner_id", name=op.f("pk_fraud_orders")),
    )
    with op.batch_alter_table("fraud_orders", schema=None) as batch_op:
        batch_op.create_index("ix_fraud_orders_partner", ["program_id", "partner_id", "occurred_at"], unique=False)
        batch_op.create_index("ix_fraud_orders_program", ["program_id", "occurred_at"], unique=False)

    op.create_table(
        "fraud_verdicts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("conversion_id", sa.Uuid(), nullable=False),
        sa.Column("attribution_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum("pass", "flag", "reject", name="verdict", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column(
            "findings", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("settings_version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=True),
        sa.Column("answer_by", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("recheck_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("judged_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["attribution_id"], ["attributions.id"], name=op.f("fk_fraud_verdicts_attribution_id_attributions")
        ),
        sa.ForeignKeyConstraint(
            ["conversion_id"], ["conversions.id"], name=op.f("fk_fraud_verdicts_conversion_id_conversions")
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["fraud_decisions.id"], name=op.f("fk_fraud_verdicts_decision_id_fraud_decisions")
        ),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_fraud_verdicts_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_fraud_verdicts_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fraud_verdicts")),
        sa.UniqueConstraint("attribution_id", "partner_id", name=op.f("uq_fraud_verdicts_attribution_id_partner_id")),
    )
    with op.batch_alter_table("fraud_verdicts", schema=None) as batch_op:
        batch_op.create_index("ix_fraud_verdicts_order", ["conversion_id", "partner_id"], unique=False)
        batch_op.create_index(
            "ix_fraud_verdicts_queue",
            ["program_id", "answer_by"],
            unique=False,
            postgresql_where=sa.text("verdict = 'flag'"),
            sqlite_where=sa.text("verdict = 'flag'"),
        )
        batch_op.create_index(
            "ix_fraud_verdicts_recheck",
            ["recheck_at"],
            unique=False,
            postgresql_where=sa.text("recheck_at IS NOT NULL"),
            sqlite_where=sa.text("recheck_at IS NOT NULL"),
        )

    op.create_table(
        "mail_bounces",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.String(length=255), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("occurred_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["newsletter_deliveries.id"],
            name=op.f("fk_mail_bounces_delivery_id_newsletter_deliveries"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_bounces")),
        sa.UniqueConstraint("delivery_id", name=op.f("uq_mail_bounces_delivery_id")),
    )
    with op.batch_alter_table("mail_bounces", schema=None) as batch_op:
        batch_op.create_index("ix_mail_bounces_address", ["address", "occurred_at"], unique=False)

    op.create_table(
        "papers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "invoice",
                "receipt",
                "correction",
                name="document_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("series", sa.String(length=8), nullable=False),
        sa.Column("year", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("corrects_id", sa.Uuid(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("taxable_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("vat_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stamp_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("withheld_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "document", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("issued_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["corrects_id"], ["papers.id"], name=op.f("fk_papers_corrects_id_papers")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_files.id"], name=op.f("fk_papers_file_id_stored_files")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_papers_partner_id_partners")),
        sa.ForeignKeyConstraint(["payout_id"], ["payouts.id"], name=op.f("fk_papers_payout_id_payouts")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_papers_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_papers")),
        sa.UniqueConstraint(
            "program_id", "series", "year", "number", name=op.f("uq_papers_program_id_series_year_number")
        ),
    )
    with op.batch_alter_table("papers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_papers_corrects_id"), ["corrects_id"], unique=False)
        batch_op.create_index("ix_papers_partner", ["program_id", "partner_id", "issued_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_papers_payout_id"), ["payout_id"], unique=False)
        batch_op.create_index(
            "ix_papers_unrendered",
            ["issued_at"],
            unique=False,
            postgresql_where=sa.text("file_id IS NULL"),
            sqlite_where=sa.text("file_id IS NULL"),
        )

    op.create_table(
        "payout_notices",
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("invoice_wanted", "paid", name="notice_kind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["payout_id"], ["payouts.id"], name=op.f("fk_payout_notices_payout_id_payouts")),
        sa.PrimaryKeyConstraint("payout_id", "kind", name=op.f("pk_payout_notices")),
    )
    op.create_table(
        "replay_changes",
        sa.Column("replay_id", sa.Uuid(), nullable=False),
        sa.Column("conversion_id", sa.Uuid(), nullable=False),
        sa.Column("attribution_id", sa.Uuid(), nullable=False),
        sa.Column("occurred_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "today", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "tomorrow", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column(
            "trace", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["attribution_id"], ["attributions.id"], name=op.f("fk_replay_changes_attribution_id_attributions")
        ),
        sa.ForeignKeyConstraint(
            ["conversion_id"], ["conversions.id"], name=op.f("fk_replay_changes_conversion_id_conversions")
        ),
        sa.ForeignKeyConstraint(["replay_id"], ["replays.id"], name=op.f("fk_replay_changes_replay_id_replays")),
        sa.PrimaryKeyConstraint("replay_id", "conversion_id", name=op.f("pk_replay_changes")),
    )
    op.create_table(
        "cases",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "missing_sale",
                "wrong_amount",
                "late_payment",
                name="case_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "open",
                "asked",
                "accepted",
                "declined",
                "withdrawn",
                name="case_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("order_id", sa.String(length=120), nullable=False),
        sa.Column("happened_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("claimed_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("conversion_id", sa.Uuid(), nullable=True),
        sa.Column("adjustment_id", sa.Uuid(), nullable=True),
        sa.Column(
            "trace", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("answer_by", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("reminded_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("closed_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("closed_by_id", sa.Uuid(), nullable=True),
        sa.Column("opened_by_id", sa.Uuid(), nullable=True),
        sa.Column("opened_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(status IN ('open', 'asked')) = (closed_at IS NULL)", name=op.f("ck_cases_closed_once")),
        sa.ForeignKeyConstraint(["adjustment_id"], ["adjustments.id"], name=op.f("fk_cases_adjustment_id_adjustments")),
        sa.ForeignKeyConstraint(["closed_by_id"], ["users.id"], name=op.f("fk_cases_closed_by_id_users")),
        sa.ForeignKeyConstraint(["conversion_id"], ["conversions.id"], name=op.f("fk_cases_conversion_id_conversions")),
        sa.ForeignKeyConstraint(["opened_by_id"], ["users.id"], name=op.f("fk_cases_opened_by_id_users")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_cases_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_cases_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
    )
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.create_index("ix_cases_partner", ["partner_id", "program_id"], unique=False)
        batch_op.create_index("ix_cases_status", ["program_id", "status", "answer_by"], unique=False)
        batch_op.create_index(
            "uq_cases_waiting",
            ["program_id", "partner_id", "kind", "order_id"],
            unique=True,
            postgresql_where=sa.text("closed_at IS NULL AND order_id <> ''"),
            sqlite_where=sa.text("closed_at IS NULL AND order_id <> ''"),
        )

    op.create_table(
        "commissions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("conversion_id", sa.Uuid(), nullable=False),
        sa.Column("attribution_id", sa.Uuid(), nullable=False),
        sa.Column("credit_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=True),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("turn", sa.SmallInteger(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "unverified",
                "test",
                "under_review",
                "pending",
                "approved",
                "in_payout",
                "paid",
                "reversed",
                "declined",
                name="commission_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "no_plan",
                "no_exchange_rate",
                "no_rule",
                "pays_nothing",
                "capped",
                "zero_base",
                "share_too_small",
                "refunded",
                "order_cancelled",
                "superseded",
                "declined_by_manager",
                "rejected",
                name="commission_reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("base_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revenue_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reversed_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("counted_currency", sa.String(length=3), nullable=False),
        sa.Column("counted_base_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("counted_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "trace", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("earned_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("matures_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "awaits",
            sa.Enum(
                "paid", "shipped", "delivered", name="milestone", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.Column("approved_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("paid_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("payout_id", sa.Uuid(), nullable=True),
        sa.Column("reinstated_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(status IN ('in_payout', 'paid')) = (payout_id IS NOT NULL)",
            name=op.f("ck_commissions_payout_when_in_one"),
        ),
        sa.CheckConstraint(
            "reversed_minor >= 0 AND reversed_minor <= amount_minor", name=op.f("ck_commissions_reversed_within_amount")
        ),
        sa.ForeignKeyConstraint(
            ["attribution_id"], ["attributions.id"], name=op.f("fk_commissions_attribution_id_attributions")
        ),
        sa.ForeignKeyConstraint(
            ["conversion_id"], ["conversions.id"], name=op.f("fk_commissions_conversion_id_conversions")
        ),
        sa.ForeignKeyConstraint(["credit_id"], ["credits.id"], name=op.f("fk_commissions_credit_id_credits")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_commissions_partner_id_partners")),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["commission_plans.id"], name=op.f("fk_commissions_plan_id_commission_plans")
        ),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_commissions_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commissions")),
    )
    with op.batch_alter_table("commissions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_commissions_attribution_id"), ["attribution_id"], unique=False)
        batch_op.create_index(
            "ix_commissions_awaiting",
            ["awaits", "conversion_id"],
            unique=False,
            postgresql_where=sa.text("awaits IS NOT NULL AND status = 'pending'"),
            sqlite_where=sa.text("awaits IS NOT NULL AND status = 'pending'"),
        )
        batch_op.create_index(batch_op.f("ix_commissions_conversion_id"), ["conversion_id"], unique=False)
        batch_op.create_index("ix_commissions_maturing", ["status", "matures_at"], unique=False)
        batch_op.create_index("ix_commissions_partner", ["program_id", "partner_id", "earned_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_commissions_payout_id"), ["payout_id"], unique=False)
        batch_op.create_index(
            "uq_commissions_live",
            ["conversion_id", "partner_id", "plan_id"],
            unique=True,
            postgresql_where=sa.text("is_live AND level = 1"),
            sqlite_where=sa.text("is_live AND level = 1"),
        )
        batch_op.create_index(
            "uq_commissions_live_recruiter",
            ["credit_id", "partner_id"],
            unique=True,
            postgresql_where=sa.text("is_live AND level > 1"),
            sqlite_where=sa.text("is_live AND level > 1"),
        )
        batch_op.create_index("uq_commissions_source", ["credit_id", "level", "turn"], unique=True)

    op.create_table(
        "case_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column(
            "side",
            sa.Enum("partner", "program", name="side", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "open",
                "asked",
                "accepted",
                "declined",
                "withdrawn",
                name="case_status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("file_id", sa.Uuid(), nullable=True),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("said_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["users.id"], name=op.f("fk_case_messages_by_id_users")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_messages_case_id_cases")),
        sa.ForeignKeyConstraint(["file_id"], ["stored_files.id"], name=op.f("fk_case_messages_file_id_stored_files")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_messages")),
    )
    with op.batch_alter_table("case_messages", schema=None) as batch_op:
        batch_op.create_index("ix_case_messages_case", ["case_id", "id"], unique=False)

    op.create_table(
        "commission_adjustments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("commission_id", sa.Uuid(), nullable=False),
        sa.Column(
            "source_kind",
            sa.Enum(
                "refund",
                "order_event",
                "attribution",
                "validation",
                "manager",
                "review",
                name="adjustment_source",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("exceeds_original", sa.Boolean(), nullable=False),
        sa.Column("is_clawback", sa.Boolean(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=True),
        sa.Column(
            "decline_reason",
            sa.Enum(
                "returned",
                "not_paid",
                "duplicate",
                "own_purchase",
                "against_terms",
                "other",
                name="decline_reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_commission_adjustments_amount_not_negative")),
        sa.ForeignKeyConstraint(
            ["commission_id"], ["commissions.id"], name=op.f("fk_commission_adjustments_commission_id_commissions")
        ),
        sa.ForeignKeyConstraint(
            ["partner_id"], ["partners.id"], name=op.f("fk_commission_adjustments_partner_id_partners")
        ),
        sa.ForeignKeyConstraint(
            ["program_id"], ["programs.id"], name=op.f("fk_commission_adjustments_program_id_programs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commission_adjustments")),
        sa.UniqueConstraint(
            "commission_id",
            "source_kind",
            "source_id",
            name=op.f("uq_commission_adjustments_commission_id_source_kind_source_id"),
        ),
    )
    with op.batch_alter_table("commission_adjustments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_commission_adjustments_partner_id"), ["partner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_commission_adjustments_payout_id"), ["payout_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_commission_adjustments_source_id"), ["source_id"], unique=False)

    op.create_table(
        "postback_deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("address_id", sa.Uuid(), nullable=False),
        sa.Column(
            "event",
            sa.Enum(
                "conversion",
                "approved",
                "declined",
                "paid",
                "test",
                name="postback_event",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("commission_id", sa.Uuid(), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
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
        sa.ForeignKeyConstraint(
            ["address_id"], ["postback_addresses.id"], name=op.f("fk_postback_deliveries_address_id_postback_addresses")
        ),
        sa.ForeignKeyConstraint(
            ["commission_id"], ["commissions.id"], name=op.f("fk_postback_deliveries_commission_id_commissions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_postback_deliveries")),
        sa.UniqueConstraint(
            "address_id", "event", "commission_id", name=op.f("uq_postback_deliveries_address_id_event_commission_id")
        ),
    )
    with op.batch_alter_table("postback_deliveries", schema=None) as batch_op:
        batch_op.create_index(
            "ix_postback_deliveries_due",
            ["send_after"],
            unique=False,
            postgresql_where=sa.text("status = 'waiting'"),
            sqlite_where=sa.text("status = 'waiting'"),
        )
        batch_op.create_index("ix_postback_deliveries_finished", ["finished_at"], unique=False)

    dialect = op.get_bind().dialect.name
    for statement in (*partitions.initial(dialect), *ddl.all_statements(dialect)):
        op.execute(statement)


def downgrade() -> None:
    with op.batch_alter_table("postback_deliveries", schema=None) as batch_op:
        batch_op.drop_index("ix_postback_deliveries_finished")
        batch_op.drop_index(
            "ix_postback_deliveries_due",
            postgresql_where=sa.text("status = 'waiting'"),
            sqlite_where=sa.text("status = 'waiting'"),
        )

    op.drop_table("postback_deliveries")
    with op.batch_alter_table("commission_adjustments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_commission_adjustments_source_id"))
        batch_op.drop_index(batch_op.f("ix_commission_adjustments_payout_id"))
        batch_op.drop_index(batch_op.f("ix_commission_adjustments_partner_id"))

    op.drop_table("commission_adjustments")
    with op.batch_alter_table("case_messages", schema=None) as batch_op:
        batch_op.drop_index("ix_case_messages_case")

    op.drop_table("case_messages")
    with op.batch_alter_table("commissions", schema=None) as batch_op:
        batch_op.drop_index("uq_commissions_source")
        batch_op.drop_index(
            "uq_commissions_live_recruiter",
            postgresql_where=sa.text("is_live AND level > 1"),
            sqlite_where=sa.text("is_live AND level > 1"),
        )
        batch_op.drop_index(
            "uq_commissions_live",
            postgresql_where=sa.text("is_live AND level = 1"),
            sqlite_where=sa.text("is_live AND level = 1"),
        )
        batch_op.drop_index(batch_op.f("ix_commissions_payout_id"))
        batch_op.drop_index("ix_commissions_partner")
        batch_op.drop_index("ix_commissions_maturing")
        batch_op.drop_index(batch_op.f("ix_commissions_conversion_id"))
        batch_op.drop_index(
            "ix_commissions_awaiting",
            postgresql_where=sa.text("awaits IS NOT NULL AND status = 'pending'"),
            sqlite_where=sa.text("awaits IS NOT NULL AND status = 'pending'"),
        )
        batch_op.drop_index(batch_op.f("ix_commissions_attribution_id"))

    op.drop_table("commissions")
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_cases_waiting",
            postgresql_where=sa.text("closed_at IS NULL AND order_id <> ''"),
            sqlite_where=sa.text("closed_at IS NULL AND order_id <> ''"),
        )
        batch_op.drop_index("ix_cases_status")
        batch_op.drop_index("ix_cases_partner")

    op.drop_table("cases")
    op.drop_table("replay_changes")
    op.drop_table("payout_notices")
    with op.batch_alter_table("papers", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_papers_unrendered", postgresql_where=sa.text("file_id IS NULL"), sqlite_where=sa.text("file_id IS NULL")
        )
        batch_op.drop_index(batch_op.f("ix_papers_payout_id"))
        batch_op.drop_index("ix_papers_partner")
        batch_op.drop_index(batch_op.f("ix_papers_corrects_id"))

    op.drop_table("papers")
    with op.batch_alter_table("mail_bounces", schema=None) as batch_op:
        batch_op.drop_index("ix_mail_bounces_address")

    op.drop_table("mail_bounces")
    with op.batch_alter_table("fraud_verdicts", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_fraud_verdicts_recheck",
            postgresql_where=sa.text("recheck_at IS NOT NULL"),
            sqlite_where=sa.text("recheck_at IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_fraud_verdicts_queue",
            postgresql_where=sa.text("verdict = 'flag'"),
            sqlite_where=sa.text("verdict = 'flag'"),
        )
        batch_op.drop_index("ix_fraud_verdicts_order")

    op.drop_table("fraud_verdicts")
    with op.batch_alter_table("fraud_orders", schema=None) as batch_op:
        batch_op.drop_index("ix_fraud_orders_program")
        batch_op.drop_index("ix_fraud_orders_partner")

    op.drop_table("fraud_orders")
    with op.batch_alter_table("fraud_appeals", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_fraud_appeals_open",
            postgresql_where=sa.text("decision_id IS NULL"),
            sqlite_where=sa.text("decision_id IS NULL"),
        )
        batch_op.drop_index("ix_fraud_appeals_program")

    op.drop_table("fraud_appeals")
    with op.batch_alter_table("filed_invoices", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_filed_invoices_payout",
            postgresql_where=sa.text("status <> 'refused'"),
            sqlite_where=sa.text("status <> 'refused'"),
        )
        batch_op.drop_index(
            "uq_filed_invoices_number",
            postgresql_where=sa.text("status <> 'refused'"),
            sqlite_where=sa.text("status <> 'refused'"),
        )
        batch_op.drop_index("ix_filed_invoices_status")
        batch_op.drop_index(batch_op.f("ix_filed_invoices_payout_id"))
        batch_op.drop_index(batch_op.f("ix_filed_invoices_partner_id"))

    op.drop_table("filed_invoices")
    with op.batch_alter_table("credits", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_credits_partner_id"))

    op.drop_table("credits")
    with op.batch_alter_table("channel_losses", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_channel_losses_partner_id"))

    op.drop_table("channel_losses")
    with op.batch_alter_table("assessments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_assessments_program_id"))

    op.drop_table("assessments")
    with op.batch_alter_table("application_messages", schema=None) as batch_op:
        batch_op.drop_index("ix_application_messages_application")

    op.drop_table("application_messages")
    with op.batch_alter_table("adjustments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_adjustments_payout_id"))
        batch_op.drop_index("ix_adjustments_partner")

    op.drop_table("adjustments")
    with op.batch_alter_table("vat_checks", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_vat_checks_waiting",
            postgresql_where=sa.text("answer = 'waiting'"),
            sqlite_where=sa.text("answer = 'waiting'"),
        )
        batch_op.drop_index(batch_op.f("ix_vat_checks_profile_id"))

    op.drop_table("vat_checks")
    op.drop_table("validation_lines")
    with op.batch_alter_table("story_consents", schema=None) as batch_op:
        batch_op.drop_index("ix_story_consents_partner")

    op.drop_table("story_consents")
    op.drop_table("report_mailings")
    with op.batch_alter_table("payouts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_payouts_partner_id"))
        batch_op.drop_index("ix_payouts_paper")

    op.drop_table("payouts")
    with op.batch_alter_table("partner_goal_notes", schema=None) as batch_op:
        batch_op.drop_index("ix_partner_goal_notes_goal")

    op.drop_table("partner_goal_notes")
    with op.batch_alter_table("order_verifications", schema=None) as batch_op:
        batch_op.drop_index("ix_order_verifications_program")

    op.drop_table("order_verifications")
    with op.batch_alter_table("order_reductions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_reductions_conversion_id"))

    op.drop_table("order_reductions")
    op.drop_table("newsletter_links")
    with op.batch_alter_table("newsletter_deliveries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_newsletter_deliveries_user_id"))
        batch_op.drop_index("ix_newsletter_deliveries_issue")
        batch_op.drop_index("ix_newsletter_deliveries_due")
        batch_op.drop_index("ix_newsletter_deliveries_claimed")

    op.drop_table("newsletter_deliveries")
    with op.batch_alter_table("manual_credits", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_manual_credits_conversion_id"))

    op.drop_table("manual_credits")
    with op.batch_alter_table("ledger_transfers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_transfers_source_id"))
        batch_op.drop_index(batch_op.f("ix_ledger_transfers_posted_at"))
        batch_op.drop_index("ix_ledger_transfers_of_program")
        batch_op.drop_index(batch_op.f("ix_ledger_transfers_debit_account_id"))
        batch_op.drop_index(batch_op.f("ix_ledger_transfers_credit_account_id"))

    op.drop_table("ledger_transfers")
    with op.batch_alter_table("fraud_places", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_fraud_places_occurred_at"))
        batch_op.drop_index("ix_fraud_places_connection")

    op.drop_table("fraud_places")
    op.drop_table("fraud_decisions")
    op.drop_table("creative_versions")
    op.drop_table("creative_groups")
    with op.batch_alter_table("conversion_revisions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_conversion_revisions_conversion_id"))

    op.drop_table("conversion_revisions")
    with op.batch_alter_table("confirmed_sites", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_confirmed_sites_host",
            postgresql_where=sa.text("withdrawn_at IS NULL"),
            sqlite_where=sa.text("withdrawn_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_confirmed_sites_updated_at"))

    op.drop_table("confirmed_sites")
    with op.batch_alter_table("attributions", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_attributions_current", postgresql_where=sa.text("is_current"), sqlite_where=sa.text("is_current")
        )
        batch_op.drop_index(
            "ix_attributions_waiting",
            postgresql_where=sa.text("commissioned_at IS NULL"),
            sqlite_where=sa.text("commissioned_at IS NULL"),
        )

    op.drop_table("attributions")
    with op.batch_alter_table("applications", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_applications_current", postgresql_where=sa.text("is_current"), sqlite_where=sa.text("is_current")
        )

    op.drop_table("applications")
    with op.batch_alter_table("application_drafts", schema=None) as batch_op:
        batch_op.drop_index("ix_application_drafts_age")

    op.drop_table("application_drafts")
    with op.batch_alter_table("validation_files", schema=None) as batch_op:
        batch_op.drop_index("ix_validation_files_program")
        batch_op.drop_index(
            "ix_validation_files_open",
            postgresql_where=sa.text("finished_at IS NULL"),
            sqlite_where=sa.text("finished_at IS NULL"),
        )

    op.drop_table("validation_files")
    with op.batch_alter_table("user_sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_user_sessions_user_id"))

    op.drop_table("user_sessions")
    op.drop_table("tax_settings")
    op.drop_table("tax_rules")
    with op.batch_alter_table("tax_profiles", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_tax_profiles_current",
            postgresql_where=sa.text("replaced_at IS NULL"),
            sqlite_where=sa.text("replaced_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_tax_profiles_partner_id"))

    op.drop_table("tax_profiles")
    op.drop_table("shop_days")
    with op.batch_alter_table("saved_reports", schema=None) as batch_op:
        batch_op.drop_index("ix_saved_reports_owner")
        batch_op.drop_index(
            "ix_saved_reports_due",
            postgresql_where=sa.text("next_at IS NOT NULL"),
            sqlite_where=sa.text("next_at IS NOT NULL"),
        )

    op.drop_table("saved_reports")
    op.drop_table("rubrics")
    with op.batch_alter_table("replays", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_replays_running",
            postgresql_where=sa.text("status = 'running'"),
            sqlite_where=sa.text("status = 'running'"),
        )
        batch_op.drop_index("ix_replays_program")

    op.drop_table("replays")
    with op.batch_alter_table("refunds", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_refunds_waiting", postgresql_where=sa.text("taken_at IS NULL"), sqlite_where=sa.text("taken_at IS NULL")
        )
        batch_op.drop_index(
            "ix_refunds_set_aside", postgresql_where=sa.text("is_set_aside"), sqlite_where=sa.text("is_set_aside")
        )
        batch_op.drop_index("ix_refunds_order")
        batch_op.drop_index(batch_op.f("ix_refunds_conversion_id"))

    op.drop_table("refunds")
    op.drop_table("public_texts")
    op.drop_table("program_figures")
    op.drop_table("postback_marks")
    with op.batch_alter_table("postback_addresses", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_postback_addresses_partner_id"))
        batch_op.drop_index("ix_postback_addresses_partner")

    op.drop_table("postback_addresses")
    with op.batch_alter_table("plan_simulations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_plan_simulations_program_id"))
        batch_op.drop_index(
            "ix_plan_simulations_open",
            postgresql_where=sa.text("finished_at IS NULL"),
            sqlite_where=sa.text("finished_at IS NULL"),
        )

    op.drop_table("plan_simulations")
    with op.batch_alter_table("plan_examples", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_plan_examples_program_id"))

    op.drop_table("plan_examples")
    with op.batch_alter_table("payout_runs", schema=None) as batch_op:
        batch_op.drop_index("ix_payout_runs_program")

    op.drop_table("payout_runs")
    op.drop_table("payout_policies")
    with op.batch_alter_table("payout_methods", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_payout_methods_current",
            postgresql_where=sa.text("replaced_at IS NULL"),
            sqlite_where=sa.text("replaced_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_payout_methods_partner_id"))

    op.drop_table("payout_methods")
    with op.batch_alter_table("payout_blocks", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_payout_blocks_open",
            postgresql_where=sa.text("lifted_at IS NULL"),
            sqlite_where=sa.text("lifted_at IS NULL"),
        )

    op.drop_table("payout_blocks")
    with op.batch_alter_table("partner_terms", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_partner_terms_recruiter",
            postgresql_where=sa.text("recruiter_id IS NOT NULL"),
            sqlite_where=sa.text("recruiter_id IS NOT NULL"),
        )

    op.drop_table("partner_terms")
    with op.batch_alter_table("partner_tags", schema=None) as batch_op:
        batch_op.drop_index("ix_partner_tags_tag")

    op.drop_table("partner_tags")
    op.drop_table("partner_segments")
    with op.batch_alter_table("partner_notes", schema=None) as batch_op:
        batch_op.drop_index("ix_partner_notes_partner")

    op.drop_table("partner_notes")
    with op.batch_alter_table("partner_momentum", schema=None) as batch_op:
        batch_op.drop_index("ix_partner_momentum_state")

    op.drop_table("partner_momentum")
    with op.batch_alter_table("partner_marks", schema=None) as batch_op:
        batch_op.drop_index("ix_partner_marks_mark")
        batch_op.drop_index("ix_partner_marks_age")

    op.drop_table("partner_marks")
    with op.batch_alter_table("partner_goals", schema=None) as batch_op:
        batch_op.drop_index("ix_partner_goals_partner")

    op.drop_table("partner_goals")
    with op.batch_alter_table("partner_costs", schema=None) as batch_op:
        batch_op.drop_index("ix_partner_costs_program")

    op.drop_table("partner_costs")
    with op.batch_alter_table("partner_care", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_partner_care_trial",
            postgresql_where=sa.text("trial_ends_on IS NOT NULL"),
            sqlite_where=sa.text("trial_ends_on IS NOT NULL"),
        )
        batch_op.drop_index("ix_partner_care_lead")

    op.drop_table("partner_care")
    op.drop_table("paper_series")
    with op.batch_alter_table("order_events", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_order_events_waiting",
            postgresql_where=sa.text("taken_at IS NULL AND type = 'cancelled'"),
            sqlite_where=sa.text("taken_at IS NULL AND type = 'cancelled'"),
        )
        batch_op.drop_index("ix_order_events_order")
        batch_op.drop_index(batch_op.f("ix_order_events_conversion_id"))

    op.drop_table("order_events")
    op.drop_table("newsletter_refusals")
    with op.batch_alter_table("newsletter_issues", schema=None) as batch_op:
        batch_op.drop_index("ix_newsletter_issues_status")
        batch_op.drop_index("ix_newsletter_issues_program")

    op.drop_table("newsletter_issues")
    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_members_partner_id"))

    op.drop_table("members")
    with op.batch_alter_table("member_invitations", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_member_invitations_open",
            postgresql_where=sa.text("closed_at IS NULL"),
            sqlite_where=sa.text("closed_at IS NULL"),
        )

    op.drop_table("member_invitations")
    op.drop_table("mail_refusals")
    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_links_updated_at"))
        batch_op.drop_index(batch_op.f("ix_links_partner_id"))

    op.drop_table("links")
    with op.batch_alter_table("ledger_accounts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_accounts_program_id"))
        batch_op.drop_index(batch_op.f("ix_ledger_accounts_partner_id"))

    op.drop_table("ledger_accounts")
    with op.batch_alter_table("kpi_watches", schema=None) as batch_op:
        batch_op.drop_index("ix_kpi_watches_program")

    op.drop_table("kpi_watches")
    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.drop_index("ix_invitations_program")

    op.drop_table("invitations")
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_grants_one_program",
            postgresql_where=sa.text("program_id IS NOT NULL"),
            sqlite_where=sa.text("program_id IS NOT NULL"),
        )
        batch_op.drop_index(
            "uq_grants_all_programs",
            postgresql_where=sa.text("program_id IS NULL"),
            sqlite_where=sa.text("program_id IS NULL"),
        )

    op.drop_table("grants")
    with op.batch_alter_table("goals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_goals_program_id"))

    op.drop_table("goals")
    op.drop_table("fraud_settings")
    op.drop_table("fraud_days")
    with op.batch_alter_table("erasure_requests", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_erasure_requests_open",
            postgresql_where=sa.text("status = 'asked'"),
            sqlite_where=sa.text("status = 'asked'"),
        )

    op.drop_table("erasure_requests")
    with op.batch_alter_table("enrollments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_enrollments_updated_at"))
        batch_op.drop_index("ix_enrollments_status")
        batch_op.drop_index(batch_op.f("ix_enrollments_partner_id"))

    op.drop_table("enrollments")
    with op.batch_alter_table("duties", schema=None) as batch_op:
        batch_op.drop_index("ix_duties_partner")
        batch_op.drop_index(
            "ix_duties_due", postgresql_where=sa.text("due_on IS NOT NULL"), sqlite_where=sa.text("due_on IS NOT NULL")
        )

    op.drop_table("duties")
    op.drop_table("day_marks")
    op.drop_table("day_mails")
    with op.batch_alter_table("data_copies", schema=None) as batch_op:
        batch_op.drop_index("ix_data_copies_partner")

    op.drop_table("data_copies")
    with op.batch_alter_table("creatives", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_creatives_proposed_by_id"))
        batch_op.drop_index("ix_creatives_program")

    op.drop_table("creatives")
    with op.batch_alter_table("coupons", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_coupons_partner_id"))

    op.drop_table("coupons")
    with op.batch_alter_table("conversions", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_conversions_waiting",
            postgresql_where=sa.text("attributed_revision < revision"),
            sqlite_where=sa.text("attributed_revision < revision"),
        )
        batch_op.drop_index("ix_conversions_visitor")
        batch_op.drop_index(batch_op.f("ix_conversions_received_at"))
        batch_op.drop_index("ix_conversions_program_time")
        batch_op.drop_index("ix_conversions_order")
        batch_op.drop_index(
            "ix_conversions_email_hash",
            postgresql_where=sa.text("email_hash IS NOT NULL"),
            sqlite_where=sa.text("email_hash IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_conversions_customer_id",
            postgresql_where=sa.text("customer_id IS NOT NULL"),
            sqlite_where=sa.text("customer_id IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_conversions_click_id"))

    op.drop_table("conversions")
    op.drop_table("commission_plans")
    with op.batch_alter_table("canary_runs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_canary_runs_started_at"))

    op.drop_table("canary_runs")
    with op.batch_alter_table("attribution_policies", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_attribution_policies_waiting",
            postgresql_where=sa.text("applied_at IS NULL"),
            sqlite_where=sa.text("applied_at IS NULL"),
        )

    op.drop_table("attribution_policies")
    with op.batch_alter_table("articles", schema=None) as batch_op:
        batch_op.drop_index("ix_articles_published")

    op.drop_table("articles")
    op.drop_table("application_forms")
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_keys_updated_at"))
        batch_op.drop_index(batch_op.f("ix_api_keys_program_id"))

    op.drop_table("api_keys")
    op.drop_table("visitor_hours")
    op.drop_table("users")
    with op.batch_alter_table("suppressed_addresses", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_suppressed_addresses_suppressed_at"))

    op.drop_table("suppressed_addresses")
    op.drop_table("stored_files")
    with op.batch_alter_table("rejected_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rejected_events_program_id"))
        batch_op.drop_index(
            "ix_rejected_events_conversion",
            postgresql_where=sa.text("conversion_id IS NOT NULL"),
            sqlite_where=sa.text("conversion_id IS NOT NULL"),
        )

    op.drop_table("rejected_events")
    with op.batch_alter_table("programs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_programs_updated_at"))

    op.drop_table("programs")
    op.drop_table("partners")
    with op.batch_alter_table("outbox_mails", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_mails_due")

    op.drop_table("outbox_mails")
    with op.batch_alter_table("ledger_seals", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_seals_sealed_at"))

    op.drop_table("ledger_seals")
    with op.batch_alter_table("ledger_proofs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_proofs_checked_at"))

    op.drop_table("ledger_proofs")
    with op.batch_alter_table("exchange_rates", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_exchange_rates_day"))

    op.drop_table("exchange_rates")
    op.drop_table("dead_letters")
    with op.batch_alter_table("clicks", schema=None) as batch_op:
        batch_op.drop_index("ix_clicks_visitor")
        batch_op.drop_index("ix_clicks_partner")

    op.drop_table("clicks")
    with op.batch_alter_table("click_labels", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_click_labels_day"))

    op.drop_table("click_labels")
    op.drop_table("click_hours_sub")
    op.drop_table("click_hours_referrer")
    op.drop_table("click_hours_program")
    with op.batch_alter_table("click_hours_partner", schema=None) as batch_op:
        batch_op.drop_index("ix_click_hours_partner_hour")

    op.drop_table("click_hours_partner")
    op.drop_table("click_hours_link")
    with op.batch_alter_table("click_hours_creative", schema=None) as batch_op:
        batch_op.drop_index("ix_click_hours_creative_creative")

    op.drop_table("click_hours_creative")
    op.drop_table("click_hours_country")
    with op.batch_alter_table("channel_touches", schema=None) as batch_op:
        batch_op.drop_index("ix_channel_touches_visitor")
        batch_op.drop_index(batch_op.f("ix_channel_touches_click_id"))

    op.drop_table("channel_touches")
    with op.batch_alter_table("audit_events", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_events_subject")
        batch_op.drop_index(batch_op.f("ix_audit_events_program_id"))
        batch_op.drop_index(batch_op.f("ix_audit_events_occurred_at"))

    op.drop_table("audit_events")
