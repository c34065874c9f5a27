"""busy programs.

One idea per migration; it runs on SQLite and PostgreSQL, with data in the tables.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


_BY_LABEL = "program_id, partner_id, sub, hour, verdict, shard"
_BY_HOUR = "program_id, partner_id, hour, sub, verdict, shard"
"""By hour a batch writes to one place for each partner and not for each sub id, and a page of a month reads that month alone."""


def _order(before: str, after: str) -> None:
    if op.get_context().dialect.name == "postgresql":
        key = f"CONSTRAINT pk_click_hours_sub PRIMARY KEY ({after}) INCLUDE (clicks)"
        op.execute(f"ALTER TABLE click_hours_sub DROP CONSTRAINT pk_click_hours_sub, ADD {key}")
        return
    connection = op.get_bind()
    of_table = "SELECT sql FROM sqlite_master WHERE name = 'click_hours_sub'"
    made = connection.exec_driver_sql(of_table).scalar_one()
    if f"({before})" not in made:
        raise RuntimeError(f"click_hours_sub has another key than it should: {made}")
    connection.exec_driver_sql("ALTER TABLE click_hours_sub RENAME TO click_hours_sub_before")
    connection.exec_driver_sql(made.replace(f"({before})", f"({after})"))
    connection.exec_driver_sql(f"INSERT INTO click_hours_sub SELECT * FROM click_hours_sub_before ORDER BY {after}")  # noqa: S608 - our names
    connection.exec_driver_sql("DROP TABLE click_hours_sub_before")


_KINDS = (
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
)


def _allow(*kinds: str) -> None:
    named = ", ".join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table("sale_days_label") as batch_op:
        batch_op.drop_constraint(op.f("ck_sale_days_label_label_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_sale_days_label_label_kind"), sa.text(f"kind IN ({named})"))


def _doubt_sales() -> None:
    """Days that were counted by other kinds are counted anew, and weeks with them: versions begin again."""
    for table in ("counted_weeks", "counted_days"):
        op.execute(f"DELETE FROM {table} WHERE part = 'sales'")  # noqa: S608 - our names


_INDEXES: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("ix_conversions_program_time", "conversions", ("program_id", "occurred_at"), ("trust", "is_test")),
    (
        *("ix_commissions_partner", "commissions", ("program_id", "partner_id", "earned_at")),
        (
            *("is_live", "status", "currency", "conversion_id", "credit_id", "attribution_id"),
            *("revenue_minor", "amount_minor", "reversed_minor"),
        ),
    ),
)
"""Indexes, and what PostgreSQL keeps in them from now on of that which pages add up."""


def _indexes(*, tell: bool) -> None:
    for name, table, columns, told in _INDEXES:
        op.drop_index(name, table)
        op.create_index(name, table, list(columns), postgresql_include=list(told) if tell else [])


def upgrade() -> None:
    _order(_BY_LABEL, _BY_HOUR)
    _allow(*_KINDS, "status")
    _doubt_sales()
    _indexes(tell=True)


def downgrade() -> None:
    _indexes(tell=False)
    op.execute("DELETE FROM sale_days_label WHERE kind = 'status'")
    _allow(*_KINDS)
    _order(_BY_HOUR, _BY_LABEL)
