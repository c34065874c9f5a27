"""The demo, loaded by the stages' own services: whole, balanced, the same every time, and only where it belongs."""

import json
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from factories import make_program, make_user
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import db
from affiliate import settings as settings_module
from affiliate.accounts import keys
from affiliate.accounts.models import ApiKey, Grant, GrantRole, User
from affiliate.accounts.service import PasswordRefused
from affiliate.attribution.models import Attribution
from affiliate.commissions.models import Commission
from affiliate.demo import cast, place, service, story
from affiliate.ingest.models import Click, ClickHour, Conversion, DeadLetter, RejectedEvent
from affiliate.ledger import queries as ledger
from affiliate.ledger.models import LedgerAccount, LedgerTransfer
from affiliate.links.models import Link
from affiliate.mailer import OutboxMail
from affiliate.partners.models import Enrollment, EnrollmentStatus, Partner
from affiliate.payouts import proof
from affiliate.payouts.models import PayoutRun, PayoutStatus
from affiliate.programs.models import Goal, Program, ProgramStatus
from affiliate.replay import report
from affiliate.replay.engine import Question
from affiliate.settings import Settings

UNTIL = datetime(2026, 11, 16, 12, 0, tzinfo=UTC)
PASSWORD = "a sentence only this demo knows"

pytestmark = pytest.mark.timeout(600)  # ninety days take ten seconds, and several times that on a busy machine

Transaction = Callable[[], AbstractContextManager[Session]]


@dataclass
class Loaded:
    """A demo in a database of its own."""

    settings: Settings
    engine: Engine
    sheet: dict[str, Any]


def transaction_on(engine: Engine) -> Transaction:
    @contextmanager
    def transaction() -> Iterator[Session]:
        with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    return transaction


@pytest.fixture(scope="module")
def loaded(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """The demo on SQLite, loaded once for all tests that only look at it."""
    folder = tmp_path_factory.mktemp("demo")
    shutil.copy(sqlite_template, folder / "affiliate.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AFFILIATE_ENV", "development")
        patch.setenv("AFFILIATE_DATA_DIR", str(folder))
        patch.setenv("AFFILIATE_BASE_URL", "http://www.shop.localhost:8000")
        patch.setenv("AFFILIATE_DEMO_PASSWORD", PASSWORD)
        settings_module.current.cache_clear()
        settings, engine = settings_module.current(), db.make_engine(f"sqlite:///{folder / 'affiliate.db'}")
        path = service.load(settings=settings, transaction=transaction_on(engine), now=UNTIL)
        assert path == folder / "demo.json"
    settings_module.current.cache_clear()
    yield Loaded(settings, engine, json.loads(path.read_text()))
    engine.dispose()


@pytest.fixture
def look(loaded: Loaded) -> Iterator[Session]:
    """A session to look at the demo."""
    with Session(loaded.engine) as session:
        yield session


def count(session: Session, what: Any, *where: Any) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(what).where(*where)) or 0


def amounts(session: Session) -> dict[str, list[Any]]:
    """Everything in the demo that is money or a count, without ids that are random."""
    account = sa.orm.aliased(LedgerAccount)
    moved = (
        sa.select(Partner.name, account.name, sa.cast(sa.func.sum(LedgerTransfer.amount_minor), sa.BigInteger))
        .join(LedgerTransfer, LedgerTransfer.credit_account_id == account.id)
        .outerjoin(Partner, Partner.id == account.partner_id)
        .group_by(Partner.name, account.name)
    )
    earned = sa.select(
        Conversion.order_id, Commission.status, Commission.amount_minor, Commission.reversed_minor, Partner.name
    )
    earned = earned.join(Commission, Commission.conversion_id == Conversion.id).join(
        Partner, Partner.id == Commission.partner_id
    )
    orders = sa.select(Conversion.order_id, Conversion.amount_minor, Conversion.trust)
    clicks = sa.select(
        ClickHour.hour, ClickHour.verdict, sa.cast(sa.func.sum(ClickHour.clicks), sa.BigInteger)
    ).group_by(ClickHour.hour, ClickHour.verdict)
    queries = {"moved": moved, "earned": earned, "orders": orders, "clicks": clicks}
    return {name: sorted(map(repr, session.execute(query).all())) for name, query in queries.items()}


def test_there_is_one_live_program_with_a_goal_and_eight_partners_with_links(look: Session) -> None:
    program = look.scalars(sa.select(Program)).one()
    assert (program.slug, program.status) == (cast.PROGRAM_SLUG, ProgramStatus.LIVE)
    assert count(look, Goal) == 1
    assert count(look, Enrollment, Enrollment.status == EnrollmentStatus.APPROVED) == 8
    assert count(look, Enrollment, Enrollment.status == EnrollmentStatus.PENDING) == 2
    linked = sa.select(sa.func.count(sa.distinct(Link.partner_id))).where(Link.subs.is_not(None))
    assert look.scalar(linked) == 8


def test_every_order_is_decided_again_as_it_was(look: Session) -> None:
    @contextmanager
    def reading() -> Iterator[Session]:
        yield look

    program = look.scalars(sa.select(Program)).one()
    told = report.run(reading, question=Question(program, None, UNTIL - timedelta(days=400), UNTIL))
    assert told["conversions"] == count(look, Attribution, Attribution.is_current) > 0
    assert (told["changed_conversions"], told["changes"]) == (0, [])
    assert told["commission"]["today"] == told["commission"]["tomorrow"]


def test_commissions_stand_in_every_state_that_a_manager_meets(look: Session) -> None:
    found = set(look.scalars(sa.select(Commission.status).where(Commission.is_live)))
    assert {status.value for status in found} >= {"pending", "approved", "paid", "reversed", "unverified"}
    runs = look.scalars(sa.select(PayoutRun)).all()
    assert [run.status for run in runs] == [PayoutStatus.PAID] * 2
    assert all(run.proposed_by_id != run.approved_by_id for run in runs)


def test_nothing_was_refused_and_bots_were_kept_apart(look: Session) -> None:
    assert count(look, DeadLetter) == 0
    assert count(look, RejectedEvent) == 0
    verdicts = dict(look.execute(sa.select(Click.verdict, sa.func.count()).group_by(Click.verdict)).all())
    assert {verdict.value for verdict in verdicts} >= {"valid", "bot", "prefetch", "duplicate"}


def test_nothing_of_the_story_lies_ahead(look: Session) -> None:
    latest = [
        Click.occurred_at,
        Conversion.occurred_at,
        LedgerTransfer.posted_at,
        PayoutRun.paid_at,
        Commission.created_at,
    ]
    for column in latest:
        moment = look.scalar(sa.select(sa.func.max(column)))
        assert moment is not None
        assert UNTIL - timedelta(days=60) < moment <= UNTIL


def test_the_books_balance_and_the_pages_can_say_so_from_the_start(look: Session) -> None:
    assert proof.verify(look).findings == []
    latest = ledger.latest_proof(look)
    assert latest is not None
    assert (latest.findings, latest.checked_at) == ([], UNTIL)
    assert latest.transfers == count(look, LedgerTransfer)


def test_no_mail_of_the_past_is_left_to_be_sent(look: Session) -> None:
    assert count(look, OutboxMail) == 0


def test_the_sheet_says_what_its_contract_asks_for(loaded: Loaded, look: Session) -> None:
    assert set(loaded.sheet) == {"base_url", "program", "people", "links", "coupon", "api_key"}
    assert loaded.sheet["base_url"] == "http://www.shop.localhost:8000"
    assert loaded.sheet["program"] == cast.PROGRAM_SLUG
    assert [person["role"] for person in loaded.sheet["people"]] == [
        "admin",
        "manager",
        "finance",
        "partner",
        "partner",
    ]
    assert {person["password"] for person in loaded.sheet["people"]} == {PASSWORD}
    assert all(set(person) == {"email", "password", "role"} for person in loaded.sheet["people"])
    codes = set(look.scalars(sa.select(Link.code)))
    assert {link["code"] for link in loaded.sheet["links"]} == codes
    assert {link["partner"] for link in loaded.sheet["links"]} == {promoter.name for promoter in cast.PROMOTERS}


def test_the_sheet_is_for_its_owner_only(loaded: Loaded) -> None:
    assert stat.S_IMODE((loaded.settings.data_dir / "demo.json").stat().st_mode) == 0o600


def test_the_key_writes_orders_and_reads_them_and_no_more(loaded: Loaded, look: Session) -> None:
    key = look.scalars(sa.select(ApiKey)).one()
    assert key.secret_hash == keys.fingerprint(loaded.sheet["api_key"])
    assert not key.is_test
    assert {"conversions:write", "conversions:read", "reports:read"} <= set(key.scopes)
    assert {"admin", "payouts:write", "partners:write"}.isdisjoint(key.scopes)


def test_a_deputy_stands_in_for_the_manager(look: Session) -> None:
    managers = sa.select(User.email).join(Grant, Grant.user_id == User.id).where(Grant.role == GrantRole.MANAGER)
    assert set(look.scalars(managers)) == {"manager@casa-ondera.example", cast.DEPUTY.email}


def test_the_people_of_the_sheet_can_sign_in(loaded: Loaded, look: Session) -> None:
    for person in loaded.sheet["people"]:
        user = look.scalars(sa.select(User).where(User.email == person["email"])).one()
        assert user.active
        assert user.password is not None
        assert count(look, Grant, Grant.user_id == user.id, Grant.role == GrantRole(person["role"])) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_same_seed_makes_the_same_money_again_and_on_the_other_database(
    settings: Settings, engine: Engine, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "DAYS", 35)  # as far as the first payout: all ninety have their tests above
    told, sqlite = [], db.make_engine(sqlite_url)
    for one in (engine, sqlite):
        service.load(settings=settings, transaction=transaction_on(one), now=UNTIL)
        with Session(one) as session:
            told.append(amounts(session))
            assert proof.verify(session).findings == []
            assert count(session, PayoutRun, PayoutRun.status == PayoutStatus.PAID) == 1
    sqlite.dispose()
    assert told[0] == told[1]


def test_the_demo_is_refused_in_production(session: Session, settings: Settings) -> None:
    with pytest.raises(place.DemoRefused, match="not for production"):
        place.refuse_unless_safe(session, replace(settings, env="production"))


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "::", "shop.example"])  # noqa: S104 - what is refused
def test_the_demo_is_refused_where_others_can_reach_it(
    sqlite_settings: Settings, app_session: Session, host: str
) -> None:
    with pytest.raises(place.DemoRefused, match=f"HOST is {host}"):
        place.refuse_unless_safe(app_session, replace(sqlite_settings, host=host))


@pytest.mark.parametrize("make", [make_user, make_program])
def test_the_demo_is_refused_beside_anything_else(
    session: Session, settings: Settings, make: Callable[..., Any]
) -> None:
    place.refuse_unless_safe(session, settings)
    make(session)
    with pytest.raises(place.DemoRefused, match="not empty"):
        place.refuse_unless_safe(session, settings)


def test_a_refused_demo_leaves_nothing_behind(session: Session, settings: Settings) -> None:
    make_user(session)
    session.commit()
    with pytest.raises(place.DemoRefused):
        service.load(settings=settings, transaction=db.transaction, now=UNTIL)
    assert count(session, Program) == 0
    assert not (settings.data_dir / "demo.json").exists()


def test_a_password_that_anybody_would_guess_is_refused_before_anything_is_made(
    session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFFILIATE_DEMO_PASSWORD", "short")
    with pytest.raises(PasswordRefused):
        service.load(settings=settings, transaction=db.transaction, now=UNTIL)
    assert count(session, User) == 0
