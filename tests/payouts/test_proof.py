"""The proof finds every kind of tampering and says where; a sound history it passes in silence."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from factories import make_refund
from money_cast import MATURE, Books, books_of, open_books
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.commissions.models import Commission, CommissionAdjustment
from affiliate.ledger import queries as ledger
from affiliate.ledger.findings import FINDINGS_MAX, Findings
from affiliate.ledger.models import LedgerAccount, LedgerTransfer
from affiliate.payouts import jobs, proof, service
from affiliate.payouts.models import Payout, PayoutRun
from affiliate.settings import Settings

PAYDAY = MATURE + timedelta(days=1)


def write_history(session: Session) -> None:
    """A history with everything in it: paid, netted, proposed, sent, cancelled, refunded, pending."""
    books = open_books(session)
    refunded, *_ = [books.order() for _ in range(3)]
    books.work(now=MATURE)
    pay(books)
    make_refund(session, conversion=refunded, amount_minor=50_00)
    books.order(amount_minor=200_00)
    books.work(now=MATURE)
    pay(books)  # nets the clawback
    books.order()
    books.work(now=MATURE)
    cancel(books, propose(books))
    approve(books, propose(books))
    books.order()
    books.work(now=MATURE)
    propose(books)
    late = books.order(occurred_at=PAYDAY)
    make_refund(session, conversion=late, amount_minor=10_00)
    books.work(now=PAYDAY)


@pytest.fixture
def furnish() -> Callable[[Session], None]:
    """The history lies in every database."""
    return write_history


@pytest.fixture
def books(session: Session) -> Books:
    """The history."""
    return books_of(session)


def propose(books: Books) -> PayoutRun:
    return service.propose(books.session, program_id=books.program.id, actor=books.alice, now=PAYDAY)


def approve(books: Books, run: PayoutRun) -> None:
    service.approve_run(books.session, run_id=run.id, program_id=run.program_id, actor=books.bob, now=PAYDAY)


def cancel(books: Books, run: PayoutRun) -> None:
    facts = {"run_id": run.id, "program_id": run.program_id, "actor": books.bob, "now": PAYDAY}
    service.cancel_run(books.session, **facts, reason="Wrong day.")


def pay(books: Books) -> None:
    run = propose(books)
    approve(books, run)
    service.mark_paid(books.session, run_id=run.id, program_id=run.program_id, actor=books.bob, now=PAYDAY)


def tamper(books: Books, statement: Any) -> list[str]:
    """What the proof finds after somebody with the database's own password edited rows."""
    session = books.session
    if session.get_bind().dialect.name == "sqlite":
        for name in session.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            session.execute(sa.text(f"DROP TRIGGER {name}"))
        session.execute(sa.text("PRAGMA ignore_check_constraints = ON"))
        session.execute(sa.text("PRAGMA defer_foreign_keys = ON"))
    else:
        session.execute(sa.text("SET session_replication_role = replica"))
    session.execute(statement)
    return proof.verify(session).findings


def transfers_in(session: Session) -> int:
    return session.scalars(sa.select(sa.func.count()).select_from(LedgerTransfer)).one()


def first(table: Any, **where: Any) -> Any:
    """The id of one row of a table."""
    return sa.select(table.id).filter_by(**where).order_by(table.id).limit(1).scalar_subquery()


def test_a_sound_history_has_no_findings_and_counts_its_transfers(books: Books) -> None:
    found = proof.verify(books.session)
    assert found.findings == []
    assert found.transfers == transfers_in(books.session) > 0
    balances = books.balances()
    assert all(balances[name] for name in ("pending", "approved", "in_transit", "paid"))


@pytest.mark.parametrize(
    "change", [{"amount_minor": 1}, {"currency": "PLN"}, {"posted_at": PAYDAY + timedelta(days=9)}, {"leg": 7}]
)
def test_an_edited_transfer_is_named(books: Books, change: dict[str, Any]) -> None:
    (transfer_id,) = books.session.scalars(sa.select(LedgerTransfer.id).filter_by(kind="settle").limit(1))
    found = tamper(books, sa.update(LedgerTransfer).where(LedgerTransfer.id == transfer_id).values(change))
    assert f"Transfer {ids.public('led', transfer_id)} was changed: its content does not match its hash." in found


def test_a_transfer_turned_round_is_named(books: Books) -> None:
    turned = {
        "debit_account_id": LedgerTransfer.credit_account_id,
        "credit_account_id": LedgerTransfer.debit_account_id,
    }
    change = sa.update(LedgerTransfer).where(LedgerTransfer.id == first(LedgerTransfer, kind="send")).values(turned)
    found = "\n".join(tamper(books, change))
    assert "is a movement send from in_transit to approved, which does not exist" in found
    assert "account in_transit of" in found


def test_a_deleted_transfer_is_missed(books: Books) -> None:
    change = sa.delete(LedgerTransfer).where(LedgerTransfer.id == first(LedgerTransfer, kind="accrue"))
    found = "\n".join(tamper(books, change))
    assert re.search(r"calls for an accrual of \d+; the ledger has 0", found)
    assert "account expense in" in found


def test_an_account_with_another_name_is_named(books: Books) -> None:
    change = sa.update(LedgerAccount).where(LedgerAccount.name == "paid").values(name="in_transit")
    assert any("has the wrong id" in sentence for sentence in tamper(books, change))


@pytest.mark.parametrize(
    ("table", "where", "change", "sentence"),
    [
        (Commission, {"status": "pending"}, {"amount_minor": 99_00}, "calls for an accrual of 9900; the ledger has 1000"),
        (Commission, {"status": "pending"}, {"reversed_minor": 0}, "says that 0 was taken from it; its adjustments add up"),
        (Commission, {"status": "paid"}, {"status": "in_payout"}, "is in_payout, but its payout is paid"),
        (Commission, {"status": "in_payout"}, {"status": "paid"}, "is paid, but its payout is"),
        (Commission, {"status": "paid"}, {"payout_id": ids.new()}, "is paid, but its payout is None"),
        (Commission, {"status": "paid"}, {"currency": "PLN"}, "belongs to another partner, program or currency"),
        (CommissionAdjustment, {"is_clawback": True}, {"amount_minor": 1}, "calls for a movement of 1; the ledger has 500"),
        (CommissionAdjustment, {"is_clawback": True}, {"payout_id": None}, "says that 500 was netted; its clawbacks and entries add up to 0"),
        (Payout, {"status": "paid"}, {"status": "approved"}, "is approved, its run is paid"),
        (Payout, {"status": "approved"}, {"amount_minor": 1, "earned_minor": 1}, "says that 1 was earned; its commissions"),
        (PayoutRun, {"status": "proposed"}, {"total_minor": 1}, "pays 1; its payouts add up to 1000"),
    ],
)  # fmt: skip
def test_a_row_that_disagrees_with_the_others_is_named(
    books: Books, table: Any, where: dict[str, Any], change: dict[str, Any], sentence: str
) -> None:
    found = tamper(books, sa.update(table).where(table.id == first(table, **where)).values(change))
    assert any(sentence in finding for finding in found), found


def test_a_movement_without_a_cause_is_named(books: Books) -> None:
    change = sa.update(LedgerTransfer).where(LedgerTransfer.id == first(LedgerTransfer, kind="settle"))
    found = tamper(books, change.values(source_id=ids.new()))
    assert any("was caused by a payout that does not exist" in finding for finding in found)


def test_money_that_moved_without_its_commission_is_named_by_its_account(books: Books) -> None:
    account = f"account pending of {ids.public('ptn', books.partner.id)} in {ids.public('prg', books.program.id)} (EUR)"
    held = first(Commission, status="pending")
    found = tamper(books, sa.update(Commission).where(Commission.id == held).values(status="declined"))
    assert f"The {account} has a balance of 900; commissions and payouts call for 0." in found


def test_a_flood_of_findings_is_cut_and_counted() -> None:
    findings = Findings()
    for number in range(FINDINGS_MAX + 25):
        findings.add(f"Finding {number}.")
    assert len(findings.texts()) == FINDINGS_MAX + 1
    assert findings.texts()[-1] == "And 25 more."


def test_the_job_keeps_its_result(settings: Settings) -> None:
    assert jobs.prove() == 0
    with db.reading() as session:
        found = ledger.latest_proof(session)
        assert found is not None
        assert (found.transfers, found.findings) == (transfers_in(session), [])


def test_a_proof_sees_one_instant_while_others_write(engine: Engine, books: Books) -> None:
    before = transfers_in(books.session)
    books.session.rollback()
    with db.read_only(), Session(engine) as reader:
        assert proof.verify(reader).transfers == before
        with db.read_only(on=False):
            books.order()
            books.work()
            books.session.commit()
        found = proof.verify(reader)
    assert (found.transfers, found.findings) == (before, [])
    assert transfers_in(books.session) == before + 1
