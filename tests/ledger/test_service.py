"""Posting on both databases: once per cause, balances as sums, and rows that nobody can edit."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from factories import NOW, make_partner, make_program, make_user
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.accounts import audit
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import AuditEvent
from affiliate.ledger import postings as rules
from affiliate.ledger import queries, service
from affiliate.ledger.models import LedgerAccount, LedgerTransfer
from affiliate.ledger.postings import AccountName
from affiliate.money import Money
from affiliate.partners.models import Partner
from affiliate.programs.models import Program

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def program(session: Session) -> Program:
    return make_program(session)


@pytest.fixture
def partner(session: Session, program: Program) -> Partner:
    return make_partner(session, program=program)


def accrue(
    program: Program, partner: Partner, amount_minor: int = 10_00, source: UUID | None = None, currency: str = "EUR"
) -> list[rules.Posting]:
    amount = Money(amount_minor, currency)
    commission_id = source or uuid4()
    return rules.accrue(program_id=program.id, partner_id=partner.id, commission_id=commission_id, amount=amount)


def test_posting_moves_the_balance_of_two_accounts(session: Session, program: Program, partner: Partner) -> None:
    assert service.post(session, postings=accrue(program, partner), now=NOW) == 1
    balances = queries.balances_of(session, program_id=program.id, partner_id=partner.id)
    assert balances == {name: 10_00 if name is AccountName.PENDING else 0 for name in queries.PARTNER_ACCOUNTS}
    assert queries.program_balances(session, program_id=program.id)[AccountName.EXPENSE] == -10_00


def test_posting_twice_does_nothing_twice(session: Session, program: Program, partner: Partner) -> None:
    postings = accrue(program, partner)
    done = [service.post(session, postings=postings, now=now) for now in (NOW, LATER)]
    assert done == [1, 0]
    (transfer,) = session.scalars(sa.select(LedgerTransfer))
    assert transfer.posted_at == NOW


def test_a_batch_half_of_which_is_known_posts_the_other_half(
    session: Session, program: Program, partner: Partner
) -> None:
    first, second = accrue(program, partner), accrue(program, partner)
    service.post(session, postings=first, now=NOW)
    assert service.post(session, postings=first + second, now=LATER) == 1


@pytest.mark.parametrize("change", [{"amount_minor": 10_01}, {"currency": "PLN"}])
def test_the_same_cause_with_other_content_is_refused(
    session: Session, program: Program, partner: Partner, change: dict[str, Any]
) -> None:
    source = uuid4()
    service.post(session, postings=accrue(program, partner, source=source), now=NOW)
    with pytest.raises(service.PostedDifferently):
        service.post(session, postings=accrue(program, partner, source=source, **change), now=LATER)


def test_the_same_cause_for_another_partner_is_refused(session: Session, program: Program, partner: Partner) -> None:
    source, other = uuid4(), make_partner(session, program=program)
    service.post(session, postings=accrue(program, partner, source=source), now=NOW)
    with pytest.raises(service.PostedDifferently):
        service.post(session, postings=accrue(program, other, source=source), now=NOW)


def test_one_batch_cannot_contradict_itself(session: Session, program: Program, partner: Partner) -> None:
    source = uuid4()
    with pytest.raises(service.PostedDifferently):
        service.post(
            session, postings=accrue(program, partner, 1, source) + accrue(program, partner, 2, source), now=NOW
        )


def test_nothing_to_post_touches_nothing(session: Session) -> None:
    assert service.post(session, postings=[], now=NOW) == 0


def test_a_large_batch_is_written_in_a_few_statements(
    session: Session, program: Program, partner: Partner, count_queries: Any
) -> None:
    postings = [posting for _ in range(3_000) for posting in accrue(program, partner, 1)]
    with count_queries() as counter:
        assert service.post(session, postings=postings, now=NOW) == 3_000
        assert service.post(session, postings=postings, now=NOW) == 0
    assert len(counter) < 20
    assert queries.balances_of(session, program_id=program.id, partner_id=partner.id)[AccountName.PENDING] == 3_000


@pytest.mark.parametrize("statement", ["UPDATE {} SET amount_minor = 1", "DELETE FROM {}"])
def test_the_database_refuses_to_edit_or_delete_a_transfer(
    session: Session, program: Program, partner: Partner, statement: str
) -> None:
    service.post(session, postings=accrue(program, partner), now=NOW)
    session.commit()
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        session.execute(sa.text(statement.format("ledger_transfers")))
    session.rollback()
    assert session.scalars(sa.select(LedgerTransfer.amount_minor)).all() == [10_00]


@pytest.mark.parametrize("statement", ["UPDATE {} SET action = 'nothing.happened'", "DELETE FROM {}"])
def test_the_database_refuses_to_edit_or_delete_an_audit_row(session: Session, statement: str) -> None:
    subject = make_user(session).id
    audit.record(session, actor=SYSTEM, action="user.create", subject_kind="user", subject_id=subject, now=NOW)
    session.commit()
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        session.execute(sa.text(statement.format("audit_events")))
    session.rollback()
    assert session.scalars(sa.select(AuditEvent.action)).all() == ["user.create"]


@pytest.mark.parametrize("change", [{"amount_minor": 0}, {"amount_minor": -1}, {"credit_account_id": None}])
def test_the_database_refuses_a_transfer_of_nothing_backwards_or_in_a_circle(
    session: Session, program: Program, partner: Partner, change: dict[str, Any]
) -> None:
    service.post(session, postings=accrue(program, partner), now=NOW)
    there = session.execute(sa.select(LedgerTransfer.__table__)).mappings().one()
    row = dict(there) | {"id": uuid4(), "source_id": uuid4(), "position": 1_000} | change
    row["credit_account_id"] = row["credit_account_id"] or row["debit_account_id"]
    with pytest.raises(sa.exc.IntegrityError):
        session.execute(sa.insert(LedgerTransfer).values(row))


def other_currency(session: Session, program: Program, partner: Partner) -> UUID:
    service.post(session, postings=accrue(program, partner, currency="PLN"), now=NOW)
    return account(session, "pending", currency="PLN")


def other_program(session: Session, _program: Program, _partner: Partner) -> UUID:
    elsewhere = make_program(session)
    service.post(session, postings=accrue(elsewhere, make_partner(session, program=elsewhere)), now=NOW)
    return account(session, "pending", program_id=elsewhere.id)


def account(session: Session, name: str, **facts: Any) -> UUID:
    return session.scalars(sa.select(LedgerAccount.id).filter_by(name=name, **facts)).one()


@pytest.mark.parametrize("credited", [other_currency, other_program])
def test_the_database_refuses_a_transfer_between_currencies_or_programs(
    session: Session, program: Program, partner: Partner, credited: Any
) -> None:
    service.post(session, postings=accrue(program, partner), now=NOW)
    there = session.execute(sa.select(LedgerTransfer.__table__)).mappings().one()
    row = dict(there) | {"id": uuid4(), "source_id": uuid4(), "position": 1_000}
    row["credit_account_id"] = credited(session, program, partner)
    with pytest.raises(sa.exc.IntegrityError):
        session.execute(sa.insert(LedgerTransfer).values(row))


@pytest.mark.parametrize("statement", ["UPDATE ledger_accounts SET name = 'paid'", "DELETE FROM ledger_accounts"])
def test_the_database_refuses_to_edit_or_delete_an_account(
    session: Session, program: Program, partner: Partner, statement: str
) -> None:
    service.post(session, postings=accrue(program, partner), now=NOW)
    session.commit()
    with pytest.raises(sa.exc.DBAPIError, match="append-only"):
        session.execute(sa.text(statement))


def test_sqlite_replaces_no_transfer_in_the_guise_of_an_insert(sqlite_url: str) -> None:
    engine = db.make_engine(sqlite_url)
    with Session(engine) as session:
        program = make_program(session)
        service.post(session, postings=accrue(program, make_partner(session, program=program)), now=NOW)
        session.commit()
        there = dict(session.execute(sa.select(LedgerTransfer.__table__)).mappings().one())
        replacing = sa.insert(LedgerTransfer).prefix_with("OR REPLACE")
        for change in ({}, {"id": uuid4()}):
            session.execute(replacing.values(there | change | {"amount_minor": 1}))
        assert session.scalars(sa.select(LedgerTransfer.amount_minor)).all() == [10_00]
    engine.dispose()


def test_accounts_of_another_currency_are_apart_and_not_in_the_balances(
    session: Session, program: Program, partner: Partner
) -> None:
    service.post(session, postings=accrue(program, partner) + accrue(program, partner, currency="PLN"), now=NOW)
    assert session.scalar(sa.select(sa.func.count()).select_from(LedgerAccount)) == 4
    balances = queries.balances_of(session, program_id=program.id, partner_id=partner.id)
    assert balances[AccountName.PENDING] == 10_00


def test_the_balances_of_some_partners_come_in_one_query(
    session: Session, program: Program, count_queries: Any
) -> None:
    partners = [make_partner(session, program=program) for _ in range(3)]
    for number, partner in enumerate(partners, start=1):
        service.post(session, postings=accrue(program, partner, number), now=NOW)
    with count_queries() as counter:
        found = queries.balances_of_partners(
            session, program_id=program.id, partner_ids=[partner.id for partner in partners[1:]]
        )
    assert {key: value[AccountName.PENDING] for key, value in found.items()} == {
        partner.id: number for number, partner in enumerate(partners[1:], start=2)
    }
    assert len(counter) == 1


def test_the_transfers_of_a_cause_name_their_accounts(session: Session, program: Program, partner: Partner) -> None:
    source = uuid4()
    service.post(session, postings=accrue(program, partner, source=source) + accrue(program, partner), now=NOW)
    (line,) = queries.transfers_of(session, source_ids=[source])
    assert (line.debit, line.credit, line.amount_minor, line.partner_id) == ("expense", "pending", 10_00, partner.id)
    assert queries.transfers_of(session, source_ids=[]) == []


def test_transfers_are_paged_newest_first_and_each_comes_once(
    session: Session, program: Program, partner: Partner
) -> None:
    other = make_partner(session, program=program)
    for minute in range(3):
        batch = accrue(program, partner, minute + 1) + accrue(program, partner, minute + 1) + accrue(program, other)
        service.post(session, postings=batch, now=NOW + timedelta(minutes=minute))
    whose = {"program_id": program.id, "partner_id": partner.id}
    seen = queries.transfers(session, **whose, limit=4)
    rest = queries.transfers(session, **whose, before=seen[-1].id, limit=4)
    assert [line.amount_minor for line in seen + rest] == [3, 3, 2, 2, 1, 1]
    assert len({line.id for line in seen + rest}) == 6
    assert len(queries.transfers(session, program_id=program.id)) == 9


def test_the_latest_proof_is_the_newest(session: Session) -> None:
    assert queries.latest_proof(session) is None
    service.record_proof(session, transfers=2, findings=["Something."], now=LATER)
    service.record_proof(session, transfers=1, findings=[], now=NOW)
    proof = queries.latest_proof(session)
    assert proof is not None
    assert (proof.checked_at, proof.transfers, proof.findings) == (LATER, 2, ["Something."])
