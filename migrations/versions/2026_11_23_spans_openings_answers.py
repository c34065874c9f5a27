"""spans, openings, and whose dead letters are.

One idea per migration; it runs on SQLite and PostgreSQL, with data in the tables.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from affiliate import db

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _amount() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _numbers(*names: str, kind: sa.types.TypeEngine[int] | None = None) -> list[sa.Column[int]]:
    return [sa.Column(name, kind or sa.Integer(), nullable=False) for name in names]


_MONEY = ("revenue", "earned", "reversed")
_OF_WEEKS = (
    ("click_weeks_partner", ("raw", "valid"), ()),
    ("sale_weeks_partner", ("conversions", "new", "known"), _MONEY),
)


def _spans() -> None:
    """Days are added up by partner in spans of any length, clicks and sales together; weeks were the only ones, each part by itself."""
    for table in ("counted_weeks", *(name for name, *_columns in _OF_WEEKS)):
        op.drop_table(table)
    ends = ("program_id", "first", "until")
    op.create_table(
        "counted_spans",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("counted_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("forgotten_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_counted_spans_program_id_programs")),
        sa.PrimaryKeyConstraint(*ends, name=op.f("pk_counted_spans")),
    )
    op.create_table(
        "spans_partner",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        *_numbers("raw", "valid", "conversions", "new", "known"),
        *_numbers(*_MONEY, kind=_amount()),
        sa.PrimaryKeyConstraint(*ends, "partner_id", name=op.f("pk_spans_partner")),
    )


def _weeks() -> None:
    """As they were; the job adds them up again."""
    op.drop_table("spans_partner")
    op.drop_table("counted_spans")
    for table, numbers, amounts in _OF_WEEKS:
        op.create_table(
            table,
            sa.Column("program_id", sa.Uuid(), nullable=False),
            sa.Column("first", sa.Date(), nullable=False),
            sa.Column("partner_id", sa.Uuid(), nullable=False),
            *_numbers(*numbers),
            *_numbers(*amounts, kind=_amount()),
            sa.PrimaryKeyConstraint("program_id", "first", "partner_id", name=op.f(f"pk_{table}")),
        )
    part = sa.Enum("clicks", "sales", name="day_part", native_enum=False, create_constraint=True, length=32)
    op.create_table(
        "counted_weeks",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("part", part, nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("versions", _amount(), nullable=False),
        sa.Column("counted_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_counted_weeks_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", "part", "first", name=op.f("pk_counted_weeks")),
    )


_DOUBT = (
    ("ix_changed_days_day", ["program_id", "part", "day"]),
    ("ix_changed_days_moment", ["program_id", "part", "day", "moment"]),
)
_DAY_BEGINS = {"postgresql": "CAST(day AS timestamp) AT TIME ZONE 'UTC'", "sqlite": "day || ' 00:00:00.000000'"}


def _kinds_of_doubt(parts: tuple[str, ...], *, was: str, name: str) -> None:
    with op.batch_alter_table("changed_days") as batch_op:
        batch_op.drop_constraint(op.f(f"ck_changed_days_{was}"), type_="check")
        batch_op.create_check_constraint(
            op.f(f"ck_changed_days_{name}"), sa.text(f"part IN ({', '.join(map(repr, parts))})")
        )


def _moments_of_doubt(dialect: str) -> None:
    """Of a day that is in doubt it is known from which moment on. Of those from before: from its beginning."""
    op.add_column("changed_days", sa.Column("moment", db.UtcDateTime(timezone=True), nullable=True))
    op.execute(f"UPDATE changed_days SET moment = {_DAY_BEGINS[dialect]}")  # noqa: S608 - our names
    with op.batch_alter_table("changed_days") as batch_op:
        batch_op.alter_column("moment", nullable=False)
    _kinds_of_doubt(("clicks", "sales", "visits"), was="day_part", name="doubt")
    op.drop_index(_DOUBT[0][0], "changed_days")
    op.create_index(_DOUBT[1][0], "changed_days", _DOUBT[1][1])


def _days_of_doubt() -> None:
    """Today's sales stood counted up to the hour, which would pass for the whole day: all are counted anew."""
    op.execute("DELETE FROM counted_days WHERE part = 'sales'")
    op.execute("UPDATE changed_days SET part = 'sales' WHERE part = 'visits'")
    op.drop_index(_DOUBT[1][0], "changed_days")
    op.create_index(_DOUBT[0][0], "changed_days", _DOUBT[0][1])
    _kinds_of_doubt(("clicks", "sales"), was="doubt", name="day_part")
    with op.batch_alter_table("changed_days") as batch_op:
        batch_op.drop_column("moment")


def _openings_of_newsletters() -> None:
    """Nobody has agreed to anything yet, and no mail that has left tells of its opening."""
    op.create_table(
        "opening_consents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("prospect_id", sa.Uuid(), nullable=True),
        sa.Column("consent_text", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("agreed_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(user_id IS NULL) <> (prospect_id IS NULL)", name=op.f("ck_opening_consents_one_reader")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_opening_consents_program_id_programs")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_opening_consents_user_id_users")),
        sa.ForeignKeyConstraint(
            ["prospect_id"], ["prospects.id"], name=op.f("fk_opening_consents_prospect_id_prospects")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opening_consents")),
        sa.UniqueConstraint("user_id", "program_id", name=op.f("uq_opening_consents_user_id_program_id")),
        sa.UniqueConstraint("prospect_id", name=op.f("uq_opening_consents_prospect_id")),
    )
    deliveries, consents = ["newsletter_deliveries.id"], ["opening_consents.id"]
    op.create_table(
        "newsletter_openings",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("is_opened", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"], deliveries, name=op.f("fk_newsletter_openings_delivery_id_newsletter_deliveries")
        ),
        sa.ForeignKeyConstraint(
            ["consent_id"],
            consents,
            name=op.f("fk_newsletter_openings_consent_id_opening_consents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_newsletter_openings")),
    )
    op.create_index(op.f("ix_newsletter_openings_consent_id"), "newsletter_openings", ["consent_id"])


def _programs_of_dead_letters() -> None:
    """Those from before name none: they stay with those who manage all programs."""
    op.add_column("dead_letters", sa.Column("program_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_dead_letters_program_id"), "dead_letters", ["program_id"])


_ROUNDS_ENDED = {
    "postgresql": ("CAST(updated_at AT TIME ZONE 'UTC' AS DATE)", "CAST('[]' AS JSONB)"),
    "sqlite": ("date(updated_at)", "'[]'"),
}


def _days_of_rounds(dialect: str) -> None:
    """On what day the last round of each duty was due. Of those from before, the day on which it was last touched is known."""
    op.add_column("duties", sa.Column("settled_on", sa.Date(), nullable=True))
    day, nothing = _ROUNDS_ENDED[dialect]
    is_another = f"due_on IS NULL OR due_on <> {day}"  # else the present day would pass for one that was missed
    op.execute(f"UPDATE duties SET settled_on = {day} WHERE rounds <> {nothing} AND ({is_another})")  # noqa: S608 - our names


def _items_of_partners() -> None:
    """Sales of a partner by product and category; days that were counted without them are counted anew."""
    kinds = sa.Enum("sku", "category", "page", name="shop_kind", native_enum=False, create_constraint=True, length=32)
    op.create_table(
        "sale_days_item",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("kind", kinds, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        *_numbers("conversions"),
        *_numbers(*_MONEY, kind=_amount()),
        sa.PrimaryKeyConstraint("program_id", "partner_id", "kind", "day", "label", name=op.f("pk_sale_days_item")),
    )
    op.create_index("ix_sale_days_item_day", "sale_days_item", ["program_id", "day"])
    op.execute("DELETE FROM counted_days WHERE part = 'sales'")


_LABELLED = {
    "postgresql_where": sa.text("subs ->> 'sub10' IS NOT NULL"),
    "sqlite_where": sa.text("json_extract(subs, '$.sub10') IS NOT NULL"),
}


_ENTRIES = ("bonus", "make_good", "correction", "volume", "write_off")
_CREDITS = {
    "credit_of_order": "(kind = 'credit') = (conversion_id IS NOT NULL)",
    "credits_post_nothing": "kind <> 'credit' OR status <> 'posted'",
    "only_orders_are_credited": "kind = 'credit' OR status <> 'credited'",
}


def _allow_entries(batch_op: Any, kinds: tuple[str, ...], statuses: tuple[str, ...], counts: str) -> None:
    """Which entries by hand there are, and which of them need a second person."""
    checks = {
        "adjustment_kind": f"kind IN ({', '.join(map(repr, kinds))})",
        "adjustment_status": f"status IN ({', '.join(map(repr, statuses))})",
        "second_person": f"{counts} OR decided_by_id <> entered_by_id OR is_single_handed",
    }
    for name, text in checks.items():
        batch_op.drop_constraint(op.f(f"ck_adjustments_{name}"), type_="check")
        batch_op.create_check_constraint(op.f(f"ck_adjustments_{name}"), sa.text(text))


def _credits_with_a_second_person() -> None:
    """A credit by hand waits where entries wait."""
    with op.batch_alter_table("adjustments") as batch_op:
        batch_op.add_column(sa.Column("conversion_id", sa.Uuid(), nullable=True))
        name = op.f("fk_adjustments_conversion_id_conversions")
        batch_op.create_foreign_key(name, "conversions", ["conversion_id"], ["id"])
        statuses = ("proposed", "posted", "credited", "declined")
        _allow_entries(batch_op, (*_ENTRIES, "credit"), statuses, "status NOT IN ('posted', 'credited')")
        for name, text in _CREDITS.items():
            batch_op.create_check_constraint(op.f(f"ck_adjustments_{name}"), sa.text(text))


def _no_credits_with_a_second_person() -> None:
    of_credits = "SELECT id FROM adjustments WHERE kind = 'credit'"
    op.execute(f"UPDATE cases SET adjustment_id = NULL WHERE adjustment_id IN ({of_credits})")  # noqa: S608 - our names
    op.execute("DELETE FROM adjustments WHERE kind = 'credit'")
    with op.batch_alter_table("adjustments") as batch_op:
        for name in _CREDITS:
            batch_op.drop_constraint(op.f(f"ck_adjustments_{name}"), type_="check")
        _allow_entries(batch_op, _ENTRIES, ("proposed", "posted", "declined"), "status <> 'posted'")
        batch_op.drop_constraint(op.f("fk_adjustments_conversion_id_conversions"), type_="foreignkey")
        batch_op.drop_column("conversion_id")


_REASONS = (
    "never_started", "just_begun", "silent", "clicks_without_sales", "sales_changed", "clicks_changed", "too_little",
)  # fmt: skip


def _allow_reasons(reasons: tuple[str, ...]) -> None:
    """By which rules of momentum a partner may be judged."""
    name = op.f("ck_partner_momentum_reason")
    with op.batch_alter_table("partner_momentum") as batch_op:
        batch_op.drop_constraint(name, type_="check")
        batch_op.create_check_constraint(name, sa.text(f"reason IN ({', '.join(map(repr, reasons))})"))


def _only_reasons_from_before() -> None:
    """Who was judged by the rule that goes has no momentum until the job looks again: any other reason would be untrue."""
    op.execute("DELETE FROM partner_momentum WHERE reason = 'few_sales'")
    _allow_reasons(_REASONS)


def _addresses_of_feeds() -> None:
    """No partner has one yet: each is made when somebody asks for it."""
    partners, creatives = ["partners.id"], ["creatives.id"]
    op.create_table(
        "feed_addresses",
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("creative_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Uuid(), nullable=False),
        sa.Column("made_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["partner_id"], partners, name=op.f("fk_feed_addresses_partner_id_partners")),
        sa.ForeignKeyConstraint(["creative_id"], creatives, name=op.f("fk_feed_addresses_creative_id_creatives")),
        sa.PrimaryKeyConstraint("partner_id", "creative_id", name=op.f("pk_feed_addresses")),
        sa.UniqueConstraint("code", name=op.f("uq_feed_addresses_code")),
    )
    op.create_index(op.f("ix_feed_addresses_creative_id"), "feed_addresses", ["creative_id"])


_ONE_CHANGE = {name: sa.text("status = 'proposed'") for name in ("postgresql_where", "sqlite_where")}


def _changes_with_a_reason() -> None:
    """A shared goal may replace an agreed one, and a note may say what it is the reason for. None of those from before does."""
    with op.batch_alter_table("partner_goals") as batch_op:
        batch_op.add_column(sa.Column("replaces_id", sa.Uuid(), nullable=True))
        of_goals = op.f("fk_partner_goals_replaces_id_partner_goals")
        batch_op.create_foreign_key(of_goals, "partner_goals", ["replaces_id"], ["id"])
    op.create_index("uq_partner_goals_change", "partner_goals", ["replaces_id"], unique=True, **_ONE_CHANGE)
    op.add_column("annotations", sa.Column("about", sa.String(length=32), nullable=True))


def _no_changes_with_a_reason() -> None:
    """A change that is only proposed would be a goal of its own: it is declined."""
    op.execute("UPDATE partner_goals SET status = 'declined' WHERE replaces_id IS NOT NULL AND status = 'proposed'")
    with op.batch_alter_table("annotations") as batch_op:
        batch_op.drop_column("about")
    op.drop_index("uq_partner_goals_change", "partner_goals")
    with op.batch_alter_table("partner_goals") as batch_op:
        batch_op.drop_constraint(op.f("fk_partner_goals_replaces_id_partner_goals"), type_="foreignkey")
        batch_op.drop_column("replaces_id")


def _trials_of_fraud_rules() -> None:
    """Nothing was tried yet on more orders than a page waits for."""
    states = sa.Enum(
        "running",
        "stopped",
        "done",
        "failed",
        name="replay_status",
        native_enum=False,
        create_constraint=True,
        length=32,
    )
    op.create_table(
        "fraud_trials",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("status", states, nullable=False),
        *_numbers("base_version", "done", "total", kind=_amount()),
        *(sa.Column(name, db.Json, nullable=False) for name in ("wanted", "totals")),
        *(sa.Column(name, db.UtcDateTime(timezone=True), nullable=False) for name in ("starts_at", "ends_at")),
        sa.Column("cursor_at", db.UtcDateTime(timezone=True), nullable=True),
        *(sa.Column(name, sa.Uuid(), nullable=True) for name in ("cursor_id", "cursor_partner_id")),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("created_at", db.UtcDateTime(timezone=True), nullable=False),
        sa.Column("finished_at", db.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_fraud_trials_program_id_programs")),
        sa.PrimaryKeyConstraint("program_id", name=op.f("pk_fraud_trials")),
    )
    runs = sa.text("status = 'running'")
    op.create_index("ix_fraud_trials_running", "fraud_trials", ["created_at"], postgresql_where=runs, sqlite_where=runs)


_ACTS = (
    "tag", "untag", "group", "lead", "approve", "reject", "pause", "resume", "approve_commissions", "decline_commissions",
    "clear_orders", "reject_orders",
)  # fmt: skip
_ACTS_ON_CREATIVES = ("retire_creatives", "group_creatives", "move_creatives")


def _allow_acts(kinds: tuple[str, ...]) -> None:
    """What may be done with many at once."""
    with op.batch_alter_table("bulk_acts") as batch_op:
        batch_op.drop_constraint(op.f("ck_bulk_acts_bulk_kind"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_bulk_acts_bulk_kind"), sa.text(f"kind IN ({', '.join(map(repr, kinds))})")
        )


def _acts_on_creatives() -> None:
    """What an act on many is about is a partner, or a creative."""
    _allow_acts((*_ACTS, *_ACTS_ON_CREATIVES))
    with op.batch_alter_table("bulk_subjects") as batch_op:
        batch_op.alter_column("partner_id", existing_type=sa.Uuid(), nullable=True)
        batch_op.add_column(sa.Column("creative_id", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_bulk_subjects_creative_id_creatives"), "creatives", ["creative_id"], ["id"]
        )
        one = sa.text("(partner_id IS NULL) <> (creative_id IS NULL)")
        batch_op.create_check_constraint(op.f("ck_bulk_subjects_one_subject"), one)


def _no_acts_on_creatives() -> None:
    """The acts go with what became of each; what they did to creatives stays, and the history tells it."""
    op.execute("DELETE FROM bulk_subjects WHERE creative_id IS NOT NULL")
    op.execute(f"DELETE FROM bulk_acts WHERE kind IN ({', '.join(map(repr, _ACTS_ON_CREATIVES))})")  # noqa: S608 - our names
    with op.batch_alter_table("bulk_subjects") as batch_op:
        batch_op.drop_constraint(op.f("ck_bulk_subjects_one_subject"), type_="check")
        batch_op.drop_constraint(op.f("fk_bulk_subjects_creative_id_creatives"), type_="foreignkey")
        batch_op.drop_column("creative_id")
        batch_op.alter_column("partner_id", existing_type=sa.Uuid(), nullable=False)
    _allow_acts(_ACTS)


def upgrade() -> None:
    _changes_with_a_reason()
    _spans()
    _moments_of_doubt(op.get_context().dialect.name)
    _items_of_partners()
    _openings_of_newsletters()
    with op.batch_alter_table("programs") as batch_op:
        batch_op.add_column(sa.Column("application_answer_days", _amount(), server_default="3", nullable=False))
    _programs_of_dead_letters()
    _days_of_rounds(op.get_context().dialect.name)
    op.create_index("ix_clicks_labelled", "clicks", ["program_id", "occurred_at"], **_LABELLED)
    op.add_column("creatives", sa.Column("told_end_at", db.UtcDateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE creatives SET told_end_at = ends_at WHERE end_note <> ''"
    )  # retired, and those who use it were told
    _credits_with_a_second_person()
    _allow_reasons((*_REASONS, "few_sales"))
    _addresses_of_feeds()
    _trials_of_fraud_rules()
    _acts_on_creatives()


def downgrade() -> None:
    _no_acts_on_creatives()
    op.drop_table("fraud_trials")
    op.drop_table("feed_addresses")
    _no_changes_with_a_reason()
    _only_reasons_from_before()
    _no_credits_with_a_second_person()
    with op.batch_alter_table("creatives") as batch_op:
        batch_op.drop_column("told_end_at")
    op.drop_index("ix_clicks_labelled", "clicks")
    with op.batch_alter_table("duties") as batch_op:
        batch_op.drop_column("settled_on")
    op.drop_index(op.f("ix_dead_letters_program_id"), "dead_letters")
    with op.batch_alter_table("dead_letters") as batch_op:
        batch_op.drop_column("program_id")
    with op.batch_alter_table("programs") as batch_op:
        batch_op.drop_column("application_answer_days")
    _days_of_doubt()
    _weeks()
    op.drop_table("sale_days_item")
    op.drop_table("newsletter_openings")
    op.drop_table("opening_consents")
