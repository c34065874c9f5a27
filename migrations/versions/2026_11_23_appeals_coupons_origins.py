"""appeals, coupons and origins.

One idea per migration; it runs on SQLite and PostgreSQL, with data in the tables.
"""

import sqlalchemy as sa
from alembic import op

from affiliate import db

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


_KINDS = ("missing_sale", "wrong_amount", "late_payment")


def _allow(*kinds: str) -> None:
    named = ", ".join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table("cases") as batch_op:
        batch_op.drop_constraint(op.f("ck_cases_case_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_cases_case_kind"), sa.text(f"kind IN ({named})"))


_WAITING = "closed_at IS NULL AND order_id <> ''"
_CLAIM, _APPEAL = f"{_WAITING} AND kind <> 'fraud_appeal'", "closed_at IS NULL AND kind = 'fraud_appeal'"


def _waiting(name: str, where: str, *columns: str) -> None:
    told = {"postgresql_where": sa.text(where), "sqlite_where": sa.text(where)}
    op.create_index(name, "cases", list(columns), unique=True, **told)


def _one_waiting_claim(where: str) -> None:
    _waiting("uq_cases_waiting", where, "program_id", "partner_id", "kind", "order_id")


_NOW = {"postgresql": "now()", "sqlite": "strftime('%Y-%m-%d %H:%M:%S.000000', 'now')"}
_PROMISED = {
    "postgresql": "{since} + make_interval(days => CAST(p.case_answer_days AS INTEGER))",
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S.000000', {since}, '+' || p.case_answer_days || ' days')",
}
_EMPTY = {"postgresql": "CAST('{}' AS JSONB)", "sqlite": "'{}'"}


def _cases_of_appeals(dialect: str) -> None:
    """Each appeal becomes a case with its id: it sorts by its time, and what was said stands in it with the decision's id.

    A word that put a rejected order under review again heard the appeal: it is not declined. Nobody had promised an
    answer to what is still open, so its time starts now, and no mail comes of it.
    """
    now, promised = _NOW[dialect], _PROMISED[dialect]
    op.execute(f"""INSERT INTO cases (
            id, program_id, partner_id, kind, status, order_id, conversion_id, trace, answer_by, reminded_at,
            closed_at, closed_by_id, opened_by_id, opened_at, updated_at)
        SELECT a.id, a.program_id, a.partner_id, 'fraud_appeal',
            CASE WHEN d.id IS NULL THEN 'open' WHEN d.verdict = 'reject' THEN 'declined' ELSE 'accepted' END,
            c.order_id, a.conversion_id, {_EMPTY[dialect]},
            CASE WHEN d.id IS NULL THEN {promised.format(since=now)} ELSE {promised.format(since="a.opened_at")} END,
            CASE WHEN d.id IS NULL THEN {now} END,
            d.decided_at, d.decided_by_id, a.opened_by_id, a.opened_at, COALESCE(d.decided_at, a.opened_at)
        FROM fraud_appeals a JOIN programs p ON p.id = a.program_id JOIN conversions c ON c.id = a.conversion_id
            LEFT JOIN fraud_decisions d ON d.id = a.decision_id""")  # noqa: S608 - our names
    said = "INSERT INTO case_messages (id, case_id, side, status, text, by_id, said_at) SELECT "
    op.execute(
        f"{said} a.id, a.id, 'partner', 'open', a.text, a.opened_by_id, a.opened_at FROM fraud_appeals a "
        "JOIN cases s ON s.id = a.id"
    )
    op.execute(
        f"{said} d.id, a.id, 'program', s.status, d.note, d.decided_by_id, d.decided_at FROM fraud_appeals a "
        "JOIN cases s ON s.id = a.id JOIN fraud_decisions d ON d.id = a.decision_id"
    )


_TEXTS = {"sub1": 100, "country": 2, "device": 20, "referrer_host": 100, "creative": 120}
_ORIGIN = ("link_id", "coupon_id", "click_id", *_TEXTS)
_SUMMED = (
    *("is_live", "status", "currency", "conversion_id", "attribution_id"),
    *("revenue_minor", "amount_minor", "reversed_minor"),
)
_BEFORE = (*_SUMMED[:4], "credit_id", *_SUMMED[4:])


def _index(told: tuple[str, ...]) -> None:
    op.drop_index("ix_commissions_partner", "commissions")
    columns = ["program_id", "partner_id", "earned_at"]
    op.create_index("ix_commissions_partner", "commissions", columns, postgresql_include=list(told))


def _origins_of_commissions() -> None:
    """Each commission learns where its credit came from."""
    for name in _ORIGIN[:3]:
        op.add_column("commissions", sa.Column(name, sa.Uuid(), nullable=True))
    for name, length in _TEXTS.items():
        op.add_column("commissions", sa.Column(name, sa.String(length), server_default="", nullable=False))
    told = ", ".join(f"{name} = (SELECT {name} FROM credits WHERE credits.id = credit_id)" for name in _ORIGIN)  # noqa: S608 - our names
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            f"UPDATE commissions SET {', '.join(f'{name} = c.{name}' for name in _ORIGIN)} FROM credits c "  # noqa: S608 - our names
            "WHERE c.id = commissions.credit_id"
        )
    else:
        op.execute(f"UPDATE commissions SET {told}")  # noqa: S608 - our names
    _moments_of_clicks()
    _index((*_SUMMED, *_ORIGIN[:3], "clicked_at", *_TEXTS))


def _moments_of_clicks() -> None:
    """Credits and their commissions learn when their click was; of clicks that are past their term nobody knows it any more."""
    for table in ("credits", "commissions"):
        op.add_column(table, sa.Column("clicked_at", db.UtcDateTime(timezone=True), nullable=True))
        op.execute(
            f"UPDATE {table} SET clicked_at = (SELECT c.occurred_at FROM clicks c WHERE c.id = {table}.click_id) "  # noqa: S608 - our names
            "WHERE click_id IS NOT NULL"
        )
    known = sa.text("clicked_at IS NOT NULL")
    told = {"postgresql_where": known, "sqlite_where": known}
    op.create_index("ix_commissions_clicked", "commissions", ["program_id", "clicked_at"], **told)


def _sums_of_the_shop() -> None:
    """Sales by product, category and page of the shop; days that were counted without them are counted anew, and weeks with them."""
    amount = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    kinds = sa.Enum("sku", "category", "page", name="shop_kind", native_enum=False, create_constraint=True, length=32)
    op.create_table(
        "sale_days_shop",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("kind", kinds, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("pieces", amount, nullable=False),
        sa.Column("revenue", amount, nullable=False),
        sa.Column("earned", amount, nullable=False),
        sa.Column("back", amount, nullable=False),
        sa.Column("back_orders", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("program_id", "kind", "day", "label", name=op.f("pk_sale_days_shop")),
    )
    for table in ("counted_weeks", "counted_days"):
        op.execute(f"DELETE FROM {table} WHERE part = 'sales'")  # noqa: S608 - our names


def upgrade() -> None:
    _origins_of_commissions()
    op.drop_index("uq_cases_waiting", "cases")
    _allow(*_KINDS, "fraud_appeal")
    _one_waiting_claim(_CLAIM)
    _waiting("uq_cases_appeal", _APPEAL, "partner_id", "conversion_id")
    _cases_of_appeals(op.get_context().dialect.name)
    with op.batch_alter_table("links") as batch_op:
        batch_op.add_column(sa.Column("coupon_id", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(op.f("fk_links_coupon_id_coupons"), "coupons", ["coupon_id"], ["id"])
    _sums_of_the_shop()


def downgrade() -> None:
    op.drop_table("sale_days_shop")
    _index(_BEFORE)
    op.drop_index("ix_commissions_clicked", "commissions")
    with op.batch_alter_table("credits") as batch_op:
        batch_op.drop_column("clicked_at")
    with op.batch_alter_table("commissions") as batch_op:
        for name in (*_ORIGIN, "clicked_at"):
            batch_op.drop_column(name)
    with op.batch_alter_table("links") as batch_op:
        batch_op.drop_constraint(op.f("fk_links_coupon_id_coupons"), type_="foreignkey")
        batch_op.drop_column("coupon_id")
    of_appeals = "SELECT id FROM cases WHERE kind = 'fraud_appeal'"
    op.execute(f"DELETE FROM case_messages WHERE case_id IN ({of_appeals})")  # noqa: S608 - our names
    op.execute("DELETE FROM cases WHERE kind = 'fraud_appeal'")
    op.drop_index("uq_cases_appeal", "cases")
    op.drop_index("uq_cases_waiting", "cases")
    _allow(*_KINDS)
    _one_waiting_claim(_WAITING)
