"""The migrations: one head, the same tables as the models on both databases, and no row lost on the way."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from appeal_cast import AppealWorld
from creative_cast import make_creative
from factories import (
    NOW,
    make_attribution,
    make_click,
    make_clicks,
    make_conversion,
    make_link,
    make_partner,
    make_program,
    make_refund,
    make_user,
)
from money_cast import MATURE, open_books
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session

from affiliate import clock, db, schema
from affiliate.accounts.models import AuditEvent
from affiliate.attribution.models import Credit
from affiliate.commissions.models import Commission
from affiliate.creatives.models import Creative
from affiliate.fraud.models import FraudAppeal, FraudDecision
from affiliate.fraud.signals import Verdict
from affiliate.ingest.day_models import DayPart
from affiliate.ingest.models import ClickVerdict
from affiliate.ledger import chain, sealer
from affiliate.ledger.models import LedgerTotal, LedgerTransfer
from affiliate.links.models import Link
from affiliate.partners.models import Partner
from affiliate.payouts import proof, service
from affiliate.payouts.models import Payout
from affiliate.programs.models import Program
from affiliate.relations import queries as relations
from affiliate.relations import words
from affiliate.relations.bulk_models import BulkAct, BulkKind, BulkStatus, BulkSubject
from affiliate.relations.care_models import Duty, DutyStatus
from affiliate.relations.models import Case, CaseMessage, CaseStatus, Side
from affiliate.relations.rounds import Cadence
from affiliate.reports.day_models import CountedDay, ShopKind, ShopSaleDay
from affiliate.reports.landing_models import DeviceHour
from affiliate.reports.models import VisitorHour, VisitorKind
from affiliate.reports.momentum import Momentum, Reason
from affiliate.steering.models import PartnerMomentum

PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"
FIRST = "0001"
LIVED_IN = {table.__tablename__ for table in (AuditEvent, Commission, Link, LedgerTransfer, Partner, Payout)}
Rows = dict[str, tuple[set[str], list[dict[str, Any]]]]
"""Of each table, its columns and its rows."""


def live(engine: Engine) -> None:
    """A program with a partner, clicks and orders, one of them refunded, a run that was paid, and its books sealed."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        books = open_books(session)
        link = make_link(session, program=books.program, partner=books.partner)
        make_clicks(session, link=link, hour=NOW, clicks=3)
        refunded, _kept = books.order(), books.order(amount_minor=70_00)
        books.work(now=MATURE)
        whose: dict[str, Any] = {"program_id": books.program.id, "now": MATURE + timedelta(days=1)}
        run = service.propose(session, **whose, actor=books.alice)
        service.approve_run(session, **whose, run_id=run.id, actor=books.bob)
        service.mark_paid(session, **whose, run_id=run.id, actor=books.alice)
        make_refund(session, conversion=refunded, amount_minor=None)
        books.work(now=MATURE)
        sealer.seal_all(session, key=chain.signing_key("a secret of this test"), now=MATURE)


def rows_of(connection: Connection) -> Rows:
    """Everything that stands in the database."""
    found: Rows = {}
    for name in sa.inspect(connection).get_table_names():
        rows = connection.execute(sa.select(sa.text("*")).select_from(sa.table(name)))
        found[name] = set(rows.keys()), [dict(row) for row in rows.mappings()]
    connection.rollback()
    del found["alembic_version"]
    return found


def within(rows: Rows, like: Rows) -> dict[str, list[str]]:
    """The rows in the tables and columns that the other has, too."""
    return {
        name: sorted(repr({column: row[column] for column in sorted(columns)}) for row in rows[name][1])
        for name, (columns, _) in like.items()
    }


def triggers_of(connection: Connection) -> list[Any]:
    """The triggers, and the tables they guard."""
    asked = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
    if connection.dialect.name == "postgresql":
        asked = "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2"
    found = [tuple(row) for row in connection.exec_driver_sql(asked)]
    connection.rollback()
    return found


def config_for(connection: Connection) -> Config:
    config = Config(toml_file=str(PYPROJECT))
    config.attributes["connection"] = connection
    return config


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(Config(toml_file=str(PYPROJECT))).get_heads()) == 1


def test_models_and_migrations_agree(engine: Engine) -> None:
    with engine.connect() as connection:
        command.check(config_for(connection))  # raises what differs
    with Session(engine) as session:
        assert schema.current(session) == schema.head()


def test_all_goes_down_and_up_again(engine: Engine) -> None:
    with engine.connect() as connection:
        config = config_for(connection)
        command.downgrade(config, "base")
        command.upgrade(config, "head")
        command.check(config)
    with Session(engine) as session:
        assert schema.current(session) == schema.head()


def test_the_program_knows_its_own_revision_and_the_databases_without_alembic(engine: Engine) -> None:
    assert schema.head() == ScriptDirectory.from_config(Config(toml_file=str(PYPROJECT))).get_current_head()
    with Session(engine) as session:
        assert schema.current(session) == schema.head()
        session.execute(sa.text("DROP TABLE alembic_version"))
        assert schema.current(session) is None


def test_a_way_down_and_up_again_loses_no_row_no_proof_and_no_trigger(engine: Engine) -> None:
    live(engine)
    with engine.connect() as connection:
        config, before, triggers = config_for(connection), rows_of(connection), triggers_of(connection)
        assert {name for name, (_, rows) in before.items() if rows} >= LIVED_IN
        command.downgrade(config, FIRST)
        below = rows_of(connection)
        assert within(below, below) == within(before, below)
        command.upgrade(config, "head")
        assert within(rows_of(connection), below) == within(before, below)
        assert triggers_of(connection) == triggers
    with Session(engine) as session:
        assert proof.verify(session).findings == []
        with pytest.raises(sa.exc.DatabaseError, match="append-only"):
            session.execute(sa.update(LedgerTransfer).values(amount_minor=1))


def test_clicks_by_device_stand_for_days_that_the_job_leaves_out(engine: Engine) -> None:
    """They come from those of the partners. The last weeks are the job's, which counts them with the pages of arrival."""
    with engine.connect() as connection:
        command.downgrade(config_for(connection), "0002")
    counted, today = (
        (("device", "phone", 3), ("device", "phone", 4), ("device", "", 1), ("country", "IT", 7)),
        clock.now(),
    )
    with Session(engine) as session, session.begin():
        program_id = uuid4()
        for hour in (today - timedelta(days=60), today):
            hours = {"program_id": program_id, "hour": hour.replace(minute=0, second=0, microsecond=0)}
            for kind, label, clicks in counted:
                of = {"partner_id": uuid4(), "kind": VisitorKind(kind), "label": label, "verdict": ClickVerdict.VALID}
                session.add(VisitorHour(**hours, **of, clicks=clicks))
    with engine.connect() as connection:
        command.upgrade(config_for(connection), "head")
    with Session(engine) as session:
        found = session.execute(
            sa.select(DeviceHour.device, DeviceHour.clicks).where(DeviceHour.program_id == program_id)
        )
        assert sorted(tuple(row) for row in found) == [("", 1), ("phone", 7)]


def test_credits_from_before_learn_what_their_clicks_told(engine: Engine) -> None:
    told = sa.select(Credit.sub1, Credit.country, Credit.device, Credit.referrer_host, Credit.creative)
    with Session(engine) as session, session.begin():
        program = make_program(session)
        partner = make_partner(session, program=program)
        link = make_link(session, program=program, partner=partner)
        for agent in ("Mozilla/5.0 (iPad) Mobile", "Mozilla/5.0 (iPhone) Mobile", "Mozilla/5.0 (X11)", None):
            came = {"subs": {"sub1": "s" * 101}, "country": "IT", "referrer_host": "blog.example", "creative": "crv_a"}
            click = make_click(session, link=link, user_agent=agent, **(came if agent else {}))
            order = make_conversion(session, program=program, click_id=click.id)
            make_attribution(session, conversion=order, partner=partner, link=link)
        before = sorted(tuple(row) for row in session.execute(told))
    same = [("s" * 100, "IT", device, "blog.example", "crv_a") for device in ("computer", "phone", "tablet")]
    assert before == [("",) * 5, *same]
    with engine.connect() as connection:
        command.downgrade(config_for(connection), "0002")
        command.upgrade(config_for(connection), "head")
    with Session(engine) as session:
        assert sorted(tuple(row) for row in session.execute(told)) == before


def test_days_that_were_counted_without_the_sums_of_the_shop_are_counted_anew(engine: Engine) -> None:
    """Clicks by partner stay counted: nothing about them is new."""
    with Session(engine) as session, session.begin():
        program = make_program(session)
        sums: dict[str, Any] = {"orders": 1, "revenue": 1, "label": "pan", "kind": ShopKind.SKU}
        session.add(ShopSaleDay(program_id=program.id, day=NOW.date(), **sums))
        for part in DayPart:
            key = {"program_id": program.id, "part": part, "version": 3, "counted_at": NOW}
            session.add(CountedDay(**key, day=NOW.date(), currency="EUR", until=NOW))
    with engine.connect() as connection:
        command.downgrade(config_for(connection), "0004")
        command.upgrade(config_for(connection), "head")
    with Session(engine) as session:
        assert session.scalars(sa.select(CountedDay.part)).all() == [DayPart.CLICKS]
        assert session.scalars(sa.select(ShopSaleDay)).all() == []


def test_a_day_that_was_counted_up_to_the_hour_does_not_pass_for_a_whole_one_before(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        program = make_program(session)
        for part in DayPart:
            key = {"program_id": program.id, "part": part, "version": 3, "counted_at": NOW}
            session.add(CountedDay(**key, day=NOW.date(), currency="EUR", until=NOW))
    with engine.connect() as connection:
        command.downgrade(config_for(connection), "0005")
        assert connection.scalars(sa.text("SELECT part FROM counted_days")).all() == ["clicks"]


def test_totals_from_before_are_carried_anew_with_the_balances_of_partners(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        program_id = make_program(session, landing_labels=["utm_source={program}"]).id
    with engine.connect() as connection:
        command.downgrade(config_for(connection), "0006")
    with Session(engine) as session, session.begin():
        columns = (sa.column("program_id", sa.Uuid), sa.column("position"), sa.column("balances", sa.JSON))
        row = {"program_id": program_id, "position": 7, "balances": {}}
        session.execute(sa.insert(sa.table("ledger_totals", *columns)).values(row))
    with engine.connect() as connection:
        command.upgrade(config_for(connection), "head")
        assert connection.scalar(sa.select(sa.func.count()).select_from(LedgerTotal)) == 0
        assert connection.scalar(sa.select(Program.landing_labels)) == []  # off, as for every program of before


def test_the_last_round_of_duties_from_before_has_a_day(engine: Engine) -> None:
    day = NOW.date()
    with Session(engine) as session, session.begin():
        program = make_program(session)
        partner = make_partner(session, program=program)
        for task, rounds, due_on in (("none", [], None), ("over", ["late"], None), ("due", ["missed"], day)):
            told: dict[str, Any] = {"side": Side.PARTNER, "cadence": Cadence.ONCE, "status": DutyStatus.PENDING}
            told |= {"task": task, "rounds": rounds, "due_on": due_on, "created_at": NOW, "updated_at": NOW}
            session.add(Duty(id=uuid4(), program_id=program.id, partner_id=partner.id, **told))
    with engine.connect() as connection:
        command.downgrade(config_for(connection), "0004")
        command.upgrade(config_for(connection), "head")
    with Session(engine) as session:
        found = session.execute(sa.select(Duty.task, Duty.settled_on)).all()
        assert dict(tuple(row) for row in found) == {"none": None, "over": day, "due": None}


def test_who_was_told_of_a_creatives_end_before_is_not_told_again(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        program = make_program(session)
        for title, note in (("retired", "Take the new one."), ("dated", "")):
            end = NOW + timedelta(days=9)
            make_creative(session, program=program, now=NOW, title=title, ends_at=end).end_note = note
    with engine.connect() as connection:
        command.downgrade(config_for(connection), "0004")
        command.upgrade(config_for(connection), "head")
    with Session(engine) as session:
        told = sa.select(Creative.title).where(Creative.told_end_at == Creative.ends_at)
        assert session.scalars(told).all() == ["retired"]


def test_a_partner_that_was_judged_by_a_rule_that_goes_waits_to_be_judged_anew(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        program = make_program(session)
        for name, why in (("Few", Reason.FEW_SALES), ("Silent", Reason.SILENT)):
            judged: dict[str, Any] = {"momentum": Momentum.NEEDS_SUPPORT, "reason": why, "now": 1, "before": 9}
            judged |= {"weight_minor": 0, "since": NOW, "computed_at": NOW}
            partner = make_partner(session, program=program, name=name)
            session.add(PartnerMomentum(program_id=program.id, partner_id=partner.id, **judged))
    with engine.connect() as connection:
        command.downgrade(config_for(connection), "0005")
        refused = sa.text("UPDATE partner_momentum SET reason = 'few_sales'")
        with pytest.raises(sa.exc.IntegrityError), connection.begin():
            connection.execute(refused)
        command.upgrade(config_for(connection), "head")
    with Session(engine) as session:
        assert session.scalars(sa.select(PartnerMomentum.reason)).all() == [Reason.SILENT]
        session.execute(refused)


def test_acts_on_creatives_go_with_what_became_of_each_and_those_on_partners_stay(engine: Engine) -> None:
    with Session(engine, expire_on_commit=False) as session, session.begin():
        program, actor = make_program(session), make_user(session)
        partner, creative = make_partner(session, program=program), make_creative(session, program=program, now=NOW)
        for kind, about in ((BulkKind.TAG, {"partner_id": partner.id}), (BulkKind.MOVE_CREATIVES, {"creative_id": creative.id})):  # fmt: skip
            asked: dict[str, Any] = {
                "kind": kind,
                "arguments": {},
                "status": BulkStatus.DONE,
                "created_by_id": actor.id,
            }
            act = BulkAct(id=uuid4(), program_id=program.id, total=1, done=1, changed=1, created_at=NOW, **asked)
            session.add(act)
            session.flush()
            session.add(BulkSubject(act_id=act.id, place=0, changed=True, **about))
    for about in ({}, {"partner_id": partner.id, "creative_id": creative.id}):
        with Session(engine) as session, pytest.raises(sa.exc.IntegrityError):
            session.execute(sa.insert(BulkSubject).values(act_id=act.id, place=1, **about))
    with engine.connect() as connection:
        command.downgrade(config_for(connection), "0005")
        refused = sa.text("UPDATE bulk_acts SET kind = 'move_creatives'")
        with pytest.raises(sa.exc.IntegrityError), connection.begin():
            connection.execute(refused)
        command.upgrade(config_for(connection), "head")
    with Session(engine) as session:
        assert session.scalars(sa.select(BulkAct.kind)).all() == [BulkKind.TAG]
        assert session.scalars(sa.select(BulkSubject.partner_id)).all() == [partner.id]


def test_appeals_from_before_are_cases_with_what_was_said(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        world = AppealWorld(session)
        world.decide(Verdict.REJECT)
        declined = world.appeal(text="Look again.")
        world.decide(Verdict.PASS, seen=1)
        late = world.doubtful(order_id="10483")
        world.work()
        waiting = world.appeal(order_id=late.order_id)
        world.doubtful(order_id=late.order_id, kind="lead")
        world.work()
        world.appeal(order_id=late.order_id, text="And this one.")
        asked = sa.select(Case.order_id, Case.status, Case.conversion_id).order_by(Case.order_id, Case.conversion_id)
        told = sa.select(CaseMessage.side, CaseMessage.text, CaseMessage.status).order_by(CaseMessage.text)
        cases, said = session.execute(asked).all(), session.execute(told).all()
        assert [case.status for case in cases] == [declined.status, waiting.status, waiting.status]
    with engine.connect() as connection:
        config = config_for(connection)
        command.downgrade(config, "0004")
        with Session(engine) as session:
            assert session.scalar(sa.text("SELECT COUNT(*) FROM cases")) == 0
        command.upgrade(config, "head")
    with Session(engine) as session:
        assert session.execute(asked).all() == cases
        assert session.execute(told).all() == said


def test_an_appeal_that_put_a_sale_under_review_was_heard_and_none_is_overdue_by_the_upgrade(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        world = AppealWorld(session)
        world.decide(Verdict.REJECT)
        world.appeal(text="Look again.")
        world.decide(Verdict.FLAG, seen=1)
        heard = sa.select(FraudDecision.id).where(FraudDecision.verdict == Verdict.FLAG)
        # Before there were cases such a word closed the appeal.
        session.execute(sa.update(FraudAppeal).values(decision_id=heard.scalar_subquery()))
        world.doubtful(order_id="10483")
        world.work()
        world.appeal(order_id="10483")
    with engine.connect() as connection:
        command.downgrade(config_for(connection), "0004")
        command.upgrade(config_for(connection), "head")
    with Session(engine) as session:
        over, waiting = session.scalars(sa.select(Case).order_by(Case.closed_at.is_(None))).all()
        assert (over.status, over.order_id) == (CaseStatus.ACCEPTED, "10482")
        assert (waiting.status, waiting.order_id) == (CaseStatus.OPEN, "10483")
        assert not words.is_late(waiting, now=clock.now())
        due = relations.to_remind(
            session, now=clock.now() + timedelta(days=9), soon=waiting.answer_by + timedelta(days=1), limit=9
        )
        assert due == []


MIGRATION = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "later", "{head}"
def upgrade():
    {act}
"""
REBUILDS = """with op.batch_alter_table("partners", recreate="always") as batch:
        batch.add_column(sa.Column("nickname", sa.String(10)))"""
LOSES = 'op.execute("DELETE FROM partners")'


def later(config: Config, folder: Path, act: str) -> None:
    """Another migration, on top of ours."""
    (folder / "later.py").write_text(MIGRATION.format(head=schema.head(), act=act))
    places = (PYPROJECT.parent / "migrations" / "versions", folder)
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", os.pathsep.join(map(str, places)))


@pytest.fixture
def lived_in(sqlite_url: str) -> Any:
    """An SQLite database with rows that refer to one another."""
    engine = db.make_engine(sqlite_url)
    live(engine)
    yield engine
    engine.dispose()


def test_a_table_is_built_anew_and_what_refers_to_its_rows_stays(lived_in: Engine, tmp_path: Path) -> None:
    with lived_in.connect() as connection:
        config, before = config_for(connection), rows_of(connection)
        later(config, tmp_path, REBUILDS)
        command.upgrade(config, "later")
        after = rows_of(connection)
        assert within(after, before) == within(before, before)
        assert after["partners"][0] - before["partners"][0] == {"nickname"}
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_migration_that_leaves_rows_without_what_they_refer_to_is_taken_back(
    lived_in: Engine, tmp_path: Path
) -> None:
    with lived_in.connect() as connection:
        config, before = config_for(connection), rows_of(connection)
        later(config, tmp_path, LOSES)
        with pytest.raises(RuntimeError, match="to partners"):
            command.upgrade(config, "later")
        assert rows_of(connection) == before
    with Session(lived_in) as session:
        assert schema.current(session) == schema.head()


def test_a_migration_inside_somebody_elses_transaction_is_refused(lived_in: Engine) -> None:
    with lived_in.connect() as connection, connection.begin(), pytest.raises(RuntimeError, match="own transaction"):
        command.upgrade(config_for(connection), "head")
