"""The command line: help everywhere, keys and people, and one sentence for what is wrong."""

from pathlib import Path

import click
import event_cast
import factories
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from affiliate import clock, db, ids, schema
from affiliate.accounts import keys, queries, service
from affiliate.accounts.models import ApiKey, AuditEvent, Grant, GrantRole, User
from affiliate.cli import cli
from affiliate.commandline import EXIT_REFUSED
from affiliate.ingest import service as ingest
from affiliate.ingest.clickrules import ClickVerdict
from affiliate.ingest.rollup_models import PartnerClickHour
from affiliate.ledger import chain
from affiliate.payouts import vault
from affiliate.settings import Settings
from affiliate.tracking import codec

PASSWORD = "a harbour at four in the morning"


def _run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(cli, arguments, input=typed)


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command and group, as one types it."""
    found = [path]
    for name, command in group.commands.items():
        found += _commands(command, (*path, name)) if isinstance(command, click.Group) else [(*path, name)]
    return found


@pytest.mark.parametrize("path", _commands(cli), ids=" ".join)
def test_every_command_says_what_it_does(path: tuple[str, ...]) -> None:
    result = _run(*path, "--help")
    assert result.exit_code == 0
    assert result.output.splitlines()[2].strip()


def test_a_person_of_the_team_gets_an_account_and_a_role(sqlite_settings: Settings) -> None:
    options = ["--email", "Ada@Example.com", "--name", "Ada", "--role", "admin"]
    result = _run("user", "create", *options, typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert result.exit_code == 0, result.output
    assert PASSWORD not in result.output
    with db.reading() as session:
        person = session.scalars(sa.select(User)).one()
        grant = session.scalars(sa.select(Grant)).one()
    assert (person.email, person.name) == ("ada@example.com", "Ada")
    assert (grant.user_id, grant.role, grant.program_id) == (person.id, GrantRole.ADMIN, None)


def test_a_role_can_be_for_one_program(sqlite_settings: Settings) -> None:
    with db.transaction() as session:
        program_id = factories.make_program(session, slug="tea").id
    options = ["--email", "mo@example.com", "--name", "Mo", "--role", "manager", "--program", "tea"]
    result = _run("user", "create", *options, "--password", PASSWORD)
    assert result.exit_code == 0, result.output
    with db.reading() as session:
        assert session.scalars(sa.select(Grant.program_id)).one() == program_id


def test_a_lost_second_factor_is_switched_off_and_every_session_ended(sqlite_settings: Settings) -> None:
    with db.transaction() as session:
        person = factories.make_user(
            session, email="ada@example.com", tf_primary_method="authenticator", tf_totp_secret="x"
        )
        service.start_session(session, user_id=person.id, device="", now=factories.NOW)
    result = _run("user", "second-factor-off", "--email", "ada@example.com")
    assert result.exit_code == 0, result.output
    with db.reading() as session:
        found = session.scalars(sa.select(User)).one()
        assert (found.tf_primary_method, found.tf_totp_secret) == (None, None)
        assert queries.live_sessions(session, user_id=found.id, now=factories.NOW) == []
    assert _run("user", "second-factor-off", "--email", "nobody@example.com").exit_code == EXIT_REFUSED


def test_a_new_key_is_printed_alone_and_works(sqlite_settings: Settings) -> None:
    with db.transaction() as session:
        program_id = factories.make_program(session, slug="tea").id
        person_id = factories.make_user(session, email="dev@example.com").id
    scopes = "conversions:write, conversions:read"
    result = _run("apikey", "create", "--email", "dev@example.com", "--program", "tea", "--scopes", scopes)
    assert result.exit_code == 0, result.output
    [secret] = result.stdout.splitlines()
    with db.reading() as session:
        key = session.scalars(sa.select(ApiKey)).one()
    assert key.secret_hash == keys.fingerprint(secret)
    assert (key.program_id, key.created_by_id, key.is_test) == (program_id, person_id, False)
    assert key.scopes == ["conversions:read", "conversions:write"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("apikey", "create", "--email", "x@example.com", "--program", "tea", "--scopes", "admin"),
            "Nobody here has the address",
        ),
        (("user", "create", "--email", "a@b.c", "--name", "A", "--role", "admin", "--password", "short"), "at least"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(sqlite_settings: Settings, arguments: tuple[str, ...], said: str) -> None:
    result = _run(*arguments)
    assert result.exit_code == EXIT_REFUSED
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert said in line


def test_a_key_for_a_program_that_does_not_exist_is_refused(sqlite_settings: Settings) -> None:
    with db.transaction() as session:
        factories.make_user(session, email="dev@example.com")
    result = _run("apikey", "create", "--email", "dev@example.com", "--program", "tea", "--scopes", "admin")
    assert result.exit_code == EXIT_REFUSED
    assert "There is no program 'tea'." in result.stderr


def test_books_that_balance_are_proved(sqlite_settings: Settings) -> None:
    result = _run("ledger", "verify")
    assert result.exit_code == 0, result.output
    assert result.stdout == "The books balance: 0 transfers, 0 of them sealed.\n"


def test_the_key_that_checks_the_seals_is_printed_alone(sqlite_settings: Settings) -> None:
    assert _run("ledger", "key").stdout.strip() == chain.public_key(sqlite_settings.secret_key)


def test_the_ledger_is_exported_in_both_forms(sqlite_settings: Settings) -> None:
    with db.transaction() as session:
        factories.make_program(session, slug="casa", name="Casa")
    assert _run("ledger", "export", "--program", "casa").stdout == 'option "title" "Casa"\n'
    assert _run("ledger", "export", "--program", "casa", "--format", "csv").stdout.startswith("posting,posted_at,")


def test_a_limit_bounds_what_somebody_may_approve(sqlite_settings: Settings) -> None:
    with db.transaction() as session:
        program = factories.make_program(session, slug="casa")
        for name in ("finn", "nobody"):
            factories.make_user(session, email=f"{name}@example.com")
        finn = queries.user_by_email(session, email="finn@example.com")
        assert finn is not None
        factories.make_grant(session, user=finn, role=GrantRole.FINANCE, program=program)
    limit = ("payouts", "limit", "--program", "casa", "--amount")
    assert "up to 500.00" in _run(*limit, "500.00", "--email", "finn@example.com").stdout
    with db.reading() as session:
        assert session.scalars(sa.select(Grant.payout_limit_minor)).all() == [500_00]
    assert _run(*limit, "x", "--email", "finn@example.com").exit_code == EXIT_REFUSED
    assert _run(*limit, "1.00", "--email", "nobody@example.com").exit_code == EXIT_REFUSED


def test_the_vault_gets_new_keys_and_its_own_is_printed(sqlite_settings: Settings) -> None:
    assert _run("payouts", "key").stdout.strip() == vault.derived_key(sqlite_settings.secret_key)
    assert _run("payouts", "rekey").stdout == "0 records are under the newest key.\n"


def test_a_migrated_database_passes_the_check(sqlite_settings: Settings) -> None:
    assert _run("db", "check").exit_code == 0
    assert _run("db", "current").stdout == f"{schema.head()}\n"
    assert _run("db", "upgrade").stdout == f"The database stands at {schema.head()}.\n"


def test_a_fault_of_ours_keeps_its_traceback(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("affiliate.schema.upgrade", lambda: 1 // 0)
    assert isinstance(_run("db", "upgrade").exception, ZeroDivisionError)


def test_the_rollups_are_recounted(sqlite_settings: Settings) -> None:
    with db.transaction() as session:
        ingest.store_batch(session, events=[event_cast.click(1, occurred_at=clock.now())], now=clock.now())
    result = _run("verify")
    assert result.exit_code == 0, result.output
    assert "1 clicks" in result.output
    with db.transaction() as session:
        session.execute(sa.text("UPDATE click_hours_program SET clicks = 7"))
    result = _run("verify")
    assert result.exit_code == EXIT_REFUSED
    assert "click_hours_program" in result.output
    assert "7 counted, 1 clicks" in result.output


def test_dead_letters_are_listed_shown_tried_again_and_thrown_away(settings: Settings) -> None:
    good = codec.encode(event_cast.click(1, occurred_at=clock.now()))
    with db.transaction() as session:
        for number, payload in enumerate((good, b"no event")):
            ingest.put_aside(
                session, stream="s", entry_id=f"{number}-0", payload=payload, error=f"E{number}", now=clock.now()
            )
    listed = _run("dead-letters", "list").output
    good_id, bad_id = (line.split()[0] for line in listed.splitlines())
    assert ("E0" in listed, "E1" in listed) == (True, True)
    assert event_cast.BROWSER in _run("dead-letters", "show", good_id).output
    assert _run("dead-letters", "replay").exit_code == EXIT_REFUSED
    assert _run("dead-letters", "replay", good_id).output.startswith("1 stored, 0 failed")
    assert _run("dead-letters", "replay", "--all").exit_code == EXIT_REFUSED
    assert "no event" in _run("dead-letters", "show", bad_id).output
    assert _run("dead-letters", "discard", bad_id, "--reason", "not ours").exit_code == 0
    assert _run("dead-letters", "discard", bad_id, "--reason", "not ours").exit_code == EXIT_REFUSED
    assert _run("dead-letters", "list").output == ""
    with db.reading() as session:
        actions = list(session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.id)))
    assert actions == ["dead_letters.replay", "dead_letters.discard"]


def test_a_person_who_knows_better_overrules_the_verdict_on_a_click(settings: Settings) -> None:
    click = event_cast.click(1, occurred_at=clock.now())
    with db.transaction() as session:
        factories.make_program(session, id=click.program_id)
        ingest.store_batch(session, events=[click], now=clock.now())
    name = ids.public("clk", click.click_id)
    assert _run("overrule-click", name, "--to", "human", "--reason", "x").exit_code == EXIT_REFUSED
    assert _run("overrule-click", "clk_x", "--to", "bot", "--reason", "x").exit_code == EXIT_REFUSED
    done = _run("overrule-click", name, "--to", "bot", "--reason", "A crawler of ours.")
    assert (done.exit_code, done.output) == (0, "It was valid, and is bot.\n")
    assert "the click is bot" in _run("overrule-click", name, "--to", "bot", "--reason", "x").output
    assert _run("verify").exit_code == 0
    with db.reading() as session:
        told = session.scalars(sa.select(AuditEvent)).one()
        assert session.execute(sa.select(PartnerClickHour.clicks).where(PartnerClickHour.verdict == ClickVerdict.BOT)).scalars().one() == 1  # fmt: skip
    assert told.details == {"from": "valid", "to": "bot", "reason": "A crawler of ours."}


def test_orders_of_a_table_are_taken_and_each_refusal_is_said(sqlite_settings: Settings, tmp_path: Path) -> None:
    with db.transaction() as session:
        factories.make_program(session, slug="tea")
    table = tmp_path / "orders.csv"
    table.write_text("order_id,amount\n1001,5\n1002,1.999\n")
    result = _run("import-orders", str(table), "--program", "tea")
    assert result.exit_code == 1
    assert "1 taken, 0 known, 1 refused" in result.output
    assert "line 3, order 1002: amount: Write an amount of zero or more" in result.output
