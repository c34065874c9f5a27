"""The proof of the books over a hundred thousand and a million sealed transfers, on SQLite and one core."""

import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from figures import Figure
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.ledger import chain, postings, sealer
from affiliate.ledger.findings import Findings
from affiliate.ledger.models import LedgerAccount, LedgerTransfer
from affiliate.ledger.postings import AccountName
from affiliate.ledger.proof import read_transfers
from affiliate.partners.models import Partner
from affiliate.programs.models import Program, ProgramStatus

NOW = datetime(2026, 11, 16, tzinfo=UTC)
SIZES = (100_000, 1_000_000)
_PARTNERS = 1_000
_AT_ONCE = 10_000
_PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def measure() -> Iterator[Figure]:
    """Seconds for the whole proof, and how it grows."""
    seconds = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory(prefix="affiliate-bench-") as folder:
            seconds[size] = _seconds(folder, size)
        yield Figure(f"proof of {size:,} transfers, s", seconds[size], "<= 20" if size == SIZES[-1] else "")
    small, large = SIZES
    yield Figure("proof, a million against a hundred thousand (ratio)", seconds[large] / seconds[small], "<= 11.5")


def _seconds(folder: str, size: int) -> float:
    engine = db.make_engine(f"sqlite:///{folder}/bench.db")
    with engine.connect() as connection:
        config = Config(toml_file=str(_PYPROJECT))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    with Session(engine) as session:
        _fill(session, size)
        sealer.seal_all(session, key=chain.signing_key("bench"), now=NOW)
        session.commit()
        found = Findings()
        began = time.perf_counter()
        sums = read_transfers(session, findings=found, trusted=None)
        took = time.perf_counter() - began
    engine.dispose()
    if found.count or sums.sealed != size:
        raise RuntimeError(f"{found.texts()[:3]}, {sums.sealed} sealed")
    return took


def _fill(session: Session, size: int) -> None:
    program_id = ids.new()
    stamps = {"created_at": NOW, "updated_at": NOW, "shop_url": "https://www.shop.example/", "allowed_hosts": []}
    program = {"id": program_id, "slug": "bench", "name": "Bench", "status": ProgramStatus.LIVE, "currency": "EUR"}
    session.execute(sa.insert(Program), [program | stamps])
    partners = [ids.new() for _ in range(_PARTNERS)]
    session.execute(sa.insert(Partner), [{"id": each, "name": "Bench", "created_at": NOW} for each in partners])
    accounts = {(None, AccountName.EXPENSE)} | {(each, AccountName.PENDING) for each in partners}
    named = {
        (who, name): {"program_id": program_id, "partner_id": who, "name": name, "currency": "EUR"}
        for who, name in accounts
    }
    rows = {key: facts | {"id": postings.account_id(**facts)} for key, facts in named.items()}
    session.execute(sa.insert(LedgerAccount), list(rows.values()))
    expense = rows[None, AccountName.EXPENSE]["id"]
    for start in range(0, size, _AT_ONCE):
        batch = [
            _transfer(program_id, expense, rows[partners[number % _PARTNERS], AccountName.PENDING]["id"], number)
            for number in range(start, start + _AT_ONCE)
        ]
        session.execute(sa.insert(LedgerTransfer), batch)


def _transfer(program_id: object, debit: object, credit: object, number: int) -> dict[str, object]:
    cause = {"kind": "accrue", "source_kind": "commission", "source_id": ids.new(), "leg": 0}
    row = cause | {
        "id": postings.transfer_id(**cause), "program_id": program_id, "debit_account_id": debit, "credit_account_id": credit,
        "amount_minor": 10_00 + number % 7, "currency": "EUR", "posted_at": NOW + timedelta(seconds=number),
    }  # fmt: skip
    return row | {"content_hash": postings.content_hash(row)}
