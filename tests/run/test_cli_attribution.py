"""`affiliate replay` and `affiliate explain` as one types them."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from factories import make_click, make_conversion, make_link, make_partner, make_plan, make_program, make_refund

from affiliate import clock, db
from affiliate.attribution import service as attribution
from affiliate.cli import cli
from affiliate.commandline import EXIT_REFUSED
from affiliate.commissions import jobs
from affiliate.commissions import service as commissions
from affiliate.commissions.models import Commission
from affiliate.currencies import service as currencies
from affiliate.currencies.convert import DayRates
from affiliate.ingest.models import Conversion
from affiliate.settings import Settings


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.fixture(autouse=True)
def order(sqlite_settings: Settings) -> None:
    """Order 10482 of 100.00, brought by Slow Kitchen at ten percent."""
    now = clock.now()
    with db.transaction() as session:
        program = make_program(session, slug="casa")
        make_plan(session, program=program, effective_from=now - timedelta(days=9))
        partner = make_partner(session, program=program, name="Slow Kitchen")
        link = make_link(session, program=program, partner=partner, name="Sunday ragù")
        click = make_click(session, link=link, occurred_at=now - timedelta(days=3))
        make_conversion(session, program=program, order_id="10482", click_id=click.id, occurred_at=now, received_at=now)
        attribution.attribute_waiting(session, limit=9, clicks_until=now, now=now)
        commissions.commission_waiting(session, limit=9, now=now)


def test_a_replay_without_a_change_changes_nothing() -> None:
    told = json.loads(run("replay", "--program", "casa", "--json").output)
    assert (told["conversions"], told["changed_conversions"]) == (1, 0)
    assert told["commission"] == {"today": "10.00", "tomorrow": "10.00", "currency": "EUR"}


def test_a_replay_of_another_window_says_what_it_costs_whom() -> None:
    told = run("replay", "--program", "casa", "--window", "2").output
    assert "1 orders decided again, 1 would change." in told
    assert "Commission: 10.00 EUR today, 0.00 EUR tomorrow." in told
    assert ": 10.00 -> 0.00" in told


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("replay", "--program", "nowhere"), "no program"),
        (("replay", "--program", "casa", "--model", "luck"), "luck"),
        (("explain", "999"), "No order '999' is known here."),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == EXIT_REFUSED
    assert said in result.output


def test_an_order_is_explained_contact_by_contact_and_line_by_line() -> None:
    told = run("explain", "10482").output
    for text in (
        "Last click, 30 days. Decided by policy 1.",
        "Signed click id: found",
        "Click on Sunday ragù, Slow Kitchen [Accepted, takes the sale]",
        "Why Slow Kitchen earns €10.00 on order 10482",
        "in force since",
        "Paid by the customer",
        "Rounding: half to even",
        "No fraud rule spoke.",
        "Judged by the usual fraud rules.",
        "Validation period ends, approved",
        "Slow Kitchen, pending: €10.00",
    ):
        assert text in told


def test_rates_of_a_file_let_a_refund_go_on_that_waited_for_them(tmp_path: Path) -> None:
    now = clock.now()
    with db.transaction() as session:
        order = session.scalars(sa.select(Conversion)).one()
        make_refund(session, conversion=order, amount_minor=100_00, currency="USD")
        commissions.reverse_waiting(session, limit=9, now=now)
    file = tmp_path / "rates.csv"
    file.write_text(f"Date,USD\n{(now - timedelta(days=1)).date()},2.0\n")
    assert "1 new rates of 1 days." in run("rates", "load", str(file)).output
    with db.transaction() as session:
        commissions.reverse_waiting(session, limit=9, now=now)
        assert session.scalars(sa.select(Commission.reversed_minor)).one() == 5_00


def test_a_refund_goes_on_whose_rate_was_stored_by_somebody_who_was_killed() -> None:
    now = clock.now()
    with db.transaction() as session:
        order = session.scalars(sa.select(Conversion)).one()
        make_refund(session, conversion=order, amount_minor=100_00, currency="USD")
        commissions.reverse_waiting(session, limit=9, now=now)
        days = [DayRates((now - timedelta(days=1)).date(), "ecb", {"USD": "2.0"})]
        currencies.store(session, days=days, now=now)
    assert jobs.refresh_rates() == 0
    with db.transaction() as session:
        commissions.reverse_waiting(session, limit=9, now=now)
        assert session.scalars(sa.select(Commission.reversed_minor)).one() == 5_00
