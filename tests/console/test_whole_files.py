"""Files of lists hold every row, once, however few of them are read at a time."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from console_cast import Cast, public
from factories import make_commission, make_partner, make_payout
from flask.testing import FlaskClient

from affiliate import clock, exports, ids
from affiliate.console.payouts import payouts
from affiliate.console.relations import prospects
from affiliate.newsletters.models import Prospect, ProspectStatus
from affiliate.payouts.models import PayoutStatus

NAMES = ["Row-A", "Row-B", "Row-C"]
HERE = "/console/casa"


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "PART_SIZE", 1)
    for module in (payouts, prospects):
        monkeypatch.setattr(module, "EXPORT_SIZE", 1)


def listed(cast: Cast) -> str:
    for name in NAMES:
        make_partner(cast.session, program=cast.program, name=name)
    return "partners.csv?name=row-"


def ranked(cast: Cast) -> str:
    for name in NAMES:
        partner = make_partner(cast.session, program=cast.program, name=name)
        make_commission(cast.session, program=cast.program, partner=partner, earned_at=clock.now() - timedelta(days=1))
    return "performance.csv?by=partner&against=before&sort=-revenue"


def asked_for_news(cast: Cast) -> str:
    for name in NAMES:
        row = Prospect(id=ids.new(), program_id=cast.program.id, email=f"{name}@example.test", name=name, locale="en")
        row.source, row.status, row.asked_at, row.consent_text = "", ProspectStatus.ASKED, clock.now(), "Yes."
        cast.session.add(row)
    return "newsletters/prospects.csv"


def in_a_run(cast: Cast) -> str:
    return f"payouts/{public('run', _paid(cast))}.csv"


def of_a_year(cast: Cast) -> str:
    _paid(cast)
    return f"papers/{clock.now().year}.csv"


def _paid(cast: Cast) -> object:
    """A run in which all get the same."""
    made = []
    for name in NAMES:
        partner = make_partner(cast.session, program=cast.program, name=name)
        paid = {"status": PayoutStatus.PAID, "paid_at": clock.now(), "proposer": cast.mara}
        made.append(make_payout(cast.session, program=cast.program, partner=partner, **paid))
    for payout in made:
        payout.run_id = made[0].run_id
    return type("Run", (), {"id": made[0].run_id})


@pytest.mark.parametrize(
    ("made", "column"),
    [(listed, "partner"), (ranked, "partner"), (asked_for_news, "name"), (in_a_run, "partner"), (of_a_year, "partner")],
)
def test_a_file_holds_every_row_once(cast: Cast, mara: FlaskClient, made: Callable[[Cast], str], column: str) -> None:
    address = f"{HERE}/{made(cast)}"
    cast.session.commit()
    answer = mara.get(address)
    assert answer.status_code == 200
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    found = [row[column] for row in rows if row[column].startswith(("Row-", "ptn_"))]
    assert (len(found), len(set(found))) == (3, 3)
