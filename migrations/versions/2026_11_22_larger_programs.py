"""larger programs.

One idea per migration; it runs on SQLite and PostgreSQL, with data in the tables.
"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from affiliate import db

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


_SUMS = {
    "click_hours_country": "program_id, country, hour, verdict, shard",
    "click_hours_creative": "program_id, partner_id, creative, hour, verdict, shard",
    "click_hours_link": "program_id, partner_id, link_id, hour, verdict, shard",
    "click_hours_partner": "program_id, partner_id, hour, verdict, shard",
    "click_hours_program": "program_id, hour, verdict, shard",
    "click_hours_referrer": "program_id, referrer_host, hour, verdict, shard",
    "click_hours_sub": "program_id, partner_id, sub, hour, verdict, shard",
    "link_sub_hours": "program_id, partner_id, link_id, hour, sub, verdict",
    "step_hours_partner": "program_id, partner_id, device, step, hour, verdict, shard",
    "step_hours_program": "program_id, device, step, hour, verdict, shard",
    "step_hours_source": "program_id, source, partner_id, step, hour, verdict, shard",
    "visitor_hours": "program_id, partner_id, kind, hour, label, verdict",
}
"""The tables of sums with their keys, beside which PostgreSQL keeps the sum from now on, and SQLite the whole row."""
_BY_KEY = " WITHOUT ROWID"


def _keys(*, hold_all: bool) -> None:
    for table, columns in _SUMS.items():
        if op.get_context().dialect.name == "postgresql":
            key = f"CONSTRAINT pk_{table} PRIMARY KEY ({columns}) {'INCLUDE (clicks)' if hold_all else ''}"
            op.execute(f"ALTER TABLE {table} DROP CONSTRAINT pk_{table}, ADD {key}")
        else:
            _rebuild(table, columns, end=_BY_KEY if hold_all else "")


def _rebuild(table: str, columns: str, *, end: str) -> None:
    """Lay a table of SQLite anew, as it is but for how it keeps its rows."""
    connection = op.get_bind()
    of_table = f"SELECT type, sql FROM sqlite_master WHERE tbl_name = '{table}' AND sql IS NOT NULL"  # noqa: S608 - our names
    told = connection.exec_driver_sql(of_table).all()
    [made] = [sql for kind, sql in told if kind == "table"]
    connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {table}_before")
    connection.exec_driver_sql(made.rstrip().removesuffix(_BY_KEY) + end)
    connection.exec_driver_sql(f"INSERT INTO {table} SELECT * FROM {table}_before ORDER BY {columns}")  # noqa: S608 - our names
    connection.exec_driver_sql(f"DROP TABLE {table}_before")
    for sql in [sql for kind, sql in told if kind != "table"]:
        connection.exec_driver_sql(sql)


_SOLD_BY = ("link_id", "coupon_id")
_ORIGIN = {"sub1": 100, "country": 2, "device": 20, "referrer_host": 100, "creative": 120}
"""What a credit keeps of what its click told, with the longest texts."""


def _told() -> str:
    """Credits from before learn it from their clicks, as far as these are kept."""
    is_large = op.get_context().dialect.name == "postgresql"
    sub = "clicks.subs ->> 'sub1'" if is_large else "json_extract(clicks.subs, '$.sub1')"
    agent = "coalesce(clicks.user_agent, '')"
    is_tablet = (
        f"{agent} LIKE '%iPad%' OR {agent} LIKE '%Tablet%' OR ({agent} LIKE '%Android%' AND {agent} NOT LIKE '%Mobi%')"
    )
    return (
        f"UPDATE credits SET sub1 = substr(coalesce({sub}, ''), 1, 100), country = coalesce(clicks.country, ''), "  # noqa: S608 - our texts
        f"device = CASE WHEN {agent} = '' THEN '' WHEN {is_tablet} THEN 'tablet' WHEN {agent} LIKE '%Mobi%' THEN 'phone' ELSE 'computer' END, "
        "referrer_host = substr(coalesce(clicks.referrer_host, ''), 1, 100), creative = coalesce(clicks.creative, '') "
        "FROM clicks WHERE clicks.id = credits.click_id"
    )


def upgrade() -> None:
    op.create_table(
        "active_months_partner",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("clicked", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sold", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("program_id", "month", "partner_id", name=op.f("pk_active_months_partner")),
    )
    op.create_table(
        "changed_days",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column(
            "part",
            sa.Enum("clicks", "sales", name="day_part", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changed_days")),
    )
    with op.batch_alter_table("changed_days", schema=None) as batch_op:
        batch_op.create_index("ix_changed_days_day", ["program_id", "part", "day"], unique=False)

    op.create_table(
        "click_days_partner",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("raw", sa.Integer(), nullable=False),
        sa.Column("valid", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("program_id", "day", "partner_id", name=op.f("pk_click_days_partner")),
    )
    op.create_table(
        "click_weeks_partner",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("raw", sa.Integer(), nullable=False),
        sa.Column("valid", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("program_id", "first", "partner_id", name=op.f("pk_click_weeks_partner")),
    )
    op.create_table(
        "device_hours",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("hour", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("device", sa.String(length=20), nullable=False),
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
        sa.PrimaryKeyConstraint("program_id", "hour", "device", "verdict", name=op.f("pk_device_hours")),
    )
    with op.batch_alter_table("device_hours", schema=None) as batch_op:
        batch_op.create_index("ix_device_hours_hour", ["hour"], unique=False)

    op.create_table(
        "sale_days_label",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "all",
                "new",
                "subscribed",
                "quarter",
                "country",
                "device",
                "referrer",
                "creative",
                "coupon",
                "sku",
                "category",
                name="label_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("conversions", sa.Integer(), nullable=False),
        sa.Column("revenue", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("earned", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reversed", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("program_id", "kind", "day", "label", name=op.f("pk_sale_days_label")),
    )
    op.create_table(
        "sale_days_partner",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("conversions", sa.Integer(), nullable=False),
        sa.Column("revenue", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("earned", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reversed", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("program_id", "day", "partner_id", name=op.f("pk_sale_days_partner")),
    )
    op.create_table(
        "sale_weeks_partner",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("conversions", sa.Integer(), nullable=False),
        sa.Column("revenue", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("earned", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reversed", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("program_id", "first", "partner_id", name=op.f("pk_sale_weeks_partner")),
    )
    op.create_table(
        "counted_days",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column(
            "part",
            sa.Enum("clicks", "sales", name="day_part", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("until", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("clicks", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("counted_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_counted_days_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", "part", "day", name=op.f("pk_counted_days")),
    )
    op.create_table(
        "counted_weeks",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column(
            "part",
            sa.Enum("clicks", "sales", name="day_part", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("versions", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("counted_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_counted_weeks_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", "part", "first", name=op.f("pk_counted_weeks")),
    )
    op.create_table(
        "ledger_totals",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "balances", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_ledger_totals_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", name=op.f("pk_ledger_totals")),
    )
    op.create_table(
        "notice_refusals",
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
                "late",
                "alarms",
                "complaints",
                "answers",
                "duties",
                name="mail_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notice_refusals_user_id_users")),
        sa.PrimaryKeyConstraint("user_id", "kind", name=op.f("pk_notice_refusals")),
    )
    op.create_table(
        "partner_notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
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
                "late",
                "alarms",
                "complaints",
                "answers",
                "duties",
                name="mail_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "texts", sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), "postgresql"), nullable=False
        ),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.Column("is_passed_on", sa.Boolean(), nullable=False),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name=op.f("fk_partner_notices_partner_id_partners")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_partner_notices_program_id_programs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_notices")),
    )
    with op.batch_alter_table("partner_notices", schema=None) as batch_op:
        batch_op.create_index("ix_partner_notices_age", ["created_at"], unique=False)
        batch_op.create_index(
            "ix_partner_notices_fresh",
            ["id"],
            unique=False,
            postgresql_where=sa.text("NOT is_passed_on"),
            sqlite_where=sa.text("NOT is_passed_on"),
        )
        batch_op.create_index("ix_partner_notices_partner", ["program_id", "partner_id", "created_at"], unique=False)

    op.create_table(
        "program_domains",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("asked_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("proved_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("checked_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("problem", sa.String(length=300), nullable=True),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_program_domains_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", name=op.f("pk_program_domains")),
    )
    with op.batch_alter_table("program_domains", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_program_domains_checked_at"), ["checked_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_program_domains_host"), ["host"], unique=False)

    op.create_table(
        "program_senders",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("reply_to", sa.String(length=254), nullable=True),
        sa.Column("address", sa.String(length=254), nullable=True),
        sa.Column("asked_address", sa.String(length=254), nullable=True),
        sa.Column("asked_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.Column("updated_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_program_senders_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", name=op.f("pk_program_senders")),
    )
    op.create_table(
        "notice_reads",
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["partner_notices.id"], name=op.f("fk_notice_reads_notice_id_partner_notices")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_notice_reads_user_id_users")),
        sa.PrimaryKeyConstraint("notice_id", "user_id", name=op.f("pk_notice_reads")),
    )
    with op.batch_alter_table("notice_reads", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_reads_user_id"), ["user_id"], unique=False)

    op.create_table(
        "prospect_refusals",
        sa.Column("prospect_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "news", "offers", "education", name="issue_kind", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["prospect_id"], ["prospects.id"], name=op.f("fk_prospect_refusals_prospect_id_prospects")
        ),
        sa.PrimaryKeyConstraint("prospect_id", "kind", name=op.f("pk_prospect_refusals")),
    )
    with op.batch_alter_table("bulk_subjects", schema=None) as batch_op:
        batch_op.add_column(sa.Column("conversion_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("commission_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("seen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))
        batch_op.add_column(
            sa.Column("amount_minor", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_bulk_subjects_commission_id_commissions"), "commissions", ["commission_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_bulk_subjects_conversion_id_conversions"), "conversions", ["conversion_id"], ["id"]
        )

    with op.batch_alter_table("chat_hooks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("partner_id", sa.Uuid(), nullable=True))
        batch_op.create_index(batch_op.f("ix_chat_hooks_partner_id"), ["partner_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_chat_hooks_partner_id_partners"), "partners", ["partner_id"], ["id"])

    with op.batch_alter_table("commissions", schema=None) as batch_op:
        batch_op.create_index(
            "ix_commissions_payable",
            ["program_id", "partner_id"],
            unique=False,
            postgresql_include=["approved_at", "currency", "amount_minor", "reversed_minor"],
            postgresql_where=sa.text("status = 'approved'"),
            sqlite_where=sa.text("status = 'approved'"),
        )
        batch_op.create_index(
            "ix_commissions_pending",
            ["program_id", "matures_at"],
            unique=False,
            postgresql_include=["amount_minor", "reversed_minor"],
            postgresql_where=sa.text("status = 'pending' AND is_live"),
            sqlite_where=sa.text("status = 'pending' AND is_live"),
        )

    with op.batch_alter_table("ledger_transfers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_transfers_credit_account_id"))
        batch_op.drop_index(batch_op.f("ix_ledger_transfers_debit_account_id"))
        batch_op.create_index("ix_ledger_transfers_credited", ["credit_account_id", "amount_minor"], unique=False)
        batch_op.create_index("ix_ledger_transfers_debited", ["debit_account_id", "amount_minor"], unique=False)

    with op.batch_alter_table("outbox_mails", schema=None) as batch_op:
        batch_op.add_column(sa.Column("program_id", sa.Uuid(), nullable=True))

    with op.batch_alter_table("programs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("own_host", sa.String(length=253), nullable=True))
        batch_op.create_index("uq_programs_own_host", ["own_host"], unique=True)
    with op.batch_alter_table("bulk_acts") as batch_op:
        batch_op.drop_constraint(op.f("ck_bulk_acts_bulk_kind"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_bulk_acts_bulk_kind"),
            sa.text(
                "kind IN ('tag', 'untag', 'group', 'lead', 'approve', 'reject', 'pause', 'resume', 'approve_commissions', 'decline_commissions', 'clear_orders', 'reject_orders')"
            ),
        )
    with op.batch_alter_table("chat_deliveries") as batch_op:
        batch_op.drop_constraint(op.f("ck_chat_deliveries_chat_event"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_chat_deliveries_chat_event"), sa.text("event IN ('alarm', 'late', 'notice', 'test')")
        )
    # The job counts the last 35 days, together with the pages on which visits began; what is older comes from the partners'.
    moved = sa.text(
        "INSERT INTO device_hours (program_id, hour, device, verdict, clicks) "
        "SELECT program_id, hour, label, verdict, sum(clicks) FROM visitor_hours WHERE kind = 'device' AND hour < :counted "
        "GROUP BY program_id, hour, label, verdict"
    )
    counted = sa.bindparam("counted", datetime.now(UTC) - timedelta(days=34), db.UtcDateTime())
    op.execute(moved.bindparams(counted))
    _keys(hold_all=True)
    with op.batch_alter_table("credits") as batch_op:
        for name, length in _ORIGIN.items():
            batch_op.add_column(sa.Column(name, sa.String(length), server_default="", nullable=False))
    op.execute(_told())
    for column in _SOLD_BY:
        op.create_index(op.f(f"ix_credits_{column}"), "credits", [column])


def downgrade() -> None:
    for column in _SOLD_BY:
        op.drop_index(op.f(f"ix_credits_{column}"), "credits")
    with op.batch_alter_table("credits") as batch_op:
        for name in _ORIGIN:
            batch_op.drop_column(name)
    _keys(hold_all=False)
    with op.batch_alter_table("bulk_acts") as batch_op:
        batch_op.drop_constraint(op.f("ck_bulk_acts_bulk_kind"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_bulk_acts_bulk_kind"),
            sa.text("kind IN ('tag', 'untag', 'group', 'lead', 'approve', 'reject', 'pause', 'resume')"),
        )
    with op.batch_alter_table("chat_deliveries") as batch_op:
        batch_op.drop_constraint(op.f("ck_chat_deliveries_chat_event"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_chat_deliveries_chat_event"), sa.text("event IN ('alarm', 'late', 'test')")
        )
    with op.batch_alter_table("programs", schema=None) as batch_op:
        batch_op.drop_index("uq_programs_own_host")
        batch_op.drop_column("own_host")

    with op.batch_alter_table("outbox_mails", schema=None) as batch_op:
        batch_op.drop_column("program_id")

    with op.batch_alter_table("ledger_transfers", schema=None) as batch_op:
        batch_op.drop_index("ix_ledger_transfers_debited")
        batch_op.drop_index("ix_ledger_transfers_credited")
        batch_op.create_index(batch_op.f("ix_ledger_transfers_debit_account_id"), ["debit_account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_transfers_credit_account_id"), ["credit_account_id"], unique=False)

    with op.batch_alter_table("commissions", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_commissions_pending",
            postgresql_include=["amount_minor", "reversed_minor"],
            postgresql_where=sa.text("status = 'pending' AND is_live"),
            sqlite_where=sa.text("status = 'pending' AND is_live"),
        )
        batch_op.drop_index(
            "ix_commissions_payable",
            postgresql_include=["approved_at", "currency", "amount_minor", "reversed_minor"],
            postgresql_where=sa.text("status = 'approved'"),
            sqlite_where=sa.text("status = 'approved'"),
        )

    with op.batch_alter_table("chat_hooks", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_chat_hooks_partner_id_partners"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_chat_hooks_partner_id"))
        batch_op.drop_column("partner_id")

    with op.batch_alter_table("bulk_subjects", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_bulk_subjects_conversion_id_conversions"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_bulk_subjects_commission_id_commissions"), type_="foreignkey")
        batch_op.drop_column("amount_minor")
        batch_op.drop_column("seen")
        batch_op.drop_column("commission_id")
        batch_op.drop_column("conversion_id")

    op.drop_table("prospect_refusals")
    with op.batch_alter_table("notice_reads", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_reads_user_id"))

    op.drop_table("notice_reads")
    op.drop_table("program_senders")
    with op.batch_alter_table("program_domains", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_program_domains_host"))
        batch_op.drop_index(batch_op.f("ix_program_domains_checked_at"))

    op.drop_table("program_domains")
    with op.batch_alter_table("partner_notices", schema=None) as batch_op:
        batch_op.drop_index("ix_partner_notices_partner")
        batch_op.drop_index(
            "ix_partner_notices_fresh",
            postgresql_where=sa.text("NOT is_passed_on"),
            sqlite_where=sa.text("NOT is_passed_on"),
        )
        batch_op.drop_index("ix_partner_notices_age")

    op.drop_table("partner_notices")
    op.drop_table("notice_refusals")
    op.drop_table("ledger_totals")
    op.drop_table("counted_weeks")
    op.drop_table("counted_days")
    op.drop_table("sale_weeks_partner")
    op.drop_table("sale_days_partner")
    op.drop_table("sale_days_label")
    with op.batch_alter_table("device_hours", schema=None) as batch_op:
        batch_op.drop_index("ix_device_hours_hour")

    op.drop_table("device_hours")
    op.drop_table("click_weeks_partner")
    op.drop_table("click_days_partner")
    with op.batch_alter_table("changed_days", schema=None) as batch_op:
        batch_op.drop_index("ix_changed_days_day")

    op.drop_table("changed_days")
    op.drop_table("active_months_partner")
