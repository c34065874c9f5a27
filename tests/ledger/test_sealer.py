"""The chains on both databases: what was committed is sealed once, and no sealed row can be touched unseen."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from factories import NOW, make_partner, make_program, make_user
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import AuditEvent
from affiliate.ledger import chain, jobs, postings, proof, queries, sealer, service
from affiliate.ledger.chain import ChainName
from affiliate.ledger.findings import Findings
from affiliate.ledger.models import LedgerSeal, LedgerTransfer
from affiliate.money import Money
from affiliate.settings import Settings

SECRET = "the-secret-of-these-tests-0123456789"
KEY = chain.signing_key(SECRET)
OURS = {chain.public_key(SECRET)}


def move(session: Session, *, times: int = 1, amount_minor: int = 10_00) -> None:
    program = make_program(session)
    partner = make_partner(session, program=program)
    facts = {"program_id": program.id, "partner_id": partner.id, "amount": Money(amount_minor, "EUR")}
    made = [one for _ in range(times) for one in postings.accrue(**facts, commission_id=ids.new())]
    service.post(session, postings=made, now=NOW)
    session.commit()


def tell(session: Session, **details: Any) -> None:
    subject = make_user(session).id
    facts = {"actor": SYSTEM, "action": "user.create", "subject_kind": "user", "subject_id": subject, "now": NOW}
    audit.record(session, **facts, details=details)
    session.commit()


def seal(session: Session, chain_name: ChainName = ChainName.TRANSFERS, *, days: int = 0) -> int:
    until = sealer.horizon(session, chain=chain_name)
    session.commit()
    done = sealer.seal(session, chain=chain_name, until=until, key=KEY, now=NOW + timedelta(days=days))
    session.commit()
    return done


def findings(session: Session, trusted: set[str] | None = None) -> list[str]:
    found = Findings()
    proof.read_transfers(session, findings=found, trusted=trusted or OURS)
    proof.read_audit(session, findings=found, trusted=trusted or OURS)
    return found.texts()


def unguarded(session: Session, statement: Any) -> None:
    """What somebody with the database's own password does."""
    if session.get_bind().dialect.name == "sqlite":
        for name in session.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            session.execute(sa.text(f"DROP TRIGGER {name}"))
    else:
        session.execute(sa.text("SET session_replication_role = replica"))
    session.execute(statement, execution_options={"synchronize_session": False})


def rewritten(session: Session, position: int, **changes: Any) -> None:
    """A transfer changed by somebody who knows how its own hash is made."""
    there = session.execute(sa.select(LedgerTransfer.__table__).filter_by(position=position)).mappings().one()
    row = dict(there) | changes
    row["content_hash"] = postings.content_hash(row)
    unguarded(session, sa.update(LedgerTransfer).filter_by(position=position).values(row))


def test_committed_rows_are_sealed_once_and_each_seal_goes_on_from_the_last(session: Session) -> None:
    move(session, times=3)
    assert [seal(session), seal(session)] == [3, 0]
    move(session, times=2)
    assert seal(session) == 2
    seals = list(queries.seals(session, chain=ChainName.TRANSFERS))
    assert [(one.number, one.rows) for one in seals] == [(1, 3), (2, 2)]
    assert findings(session) == []


def test_a_long_queue_is_sealed_in_parts(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealer, "ROWS_MAX", 2)
    move(session, times=5)
    assert [seal(session) for _ in range(4)] == [2, 2, 1, 0]
    assert findings(session) == []


def test_a_changed_row_is_named_though_its_own_hash_was_made_anew(session: Session) -> None:
    move(session, times=5)
    seal(session)
    tampered = session.execute(sa.select(LedgerTransfer.position, LedgerTransfer.id).offset(2).limit(1)).one()
    rewritten(session, tampered.position, amount_minor=99_99)
    assert findings(session) == [
        f"Transfer {ids.public('led', tampered.id)} is not what seal 1 of transfers was put on.",
        "Seal 1 of transfers does not fit its rows; 1 of 5 are gone or changed.",
    ]


def test_a_deleted_row_is_missed_and_the_seals_after_it_still_hold(session: Session) -> None:
    move(session, times=3)
    seal(session)
    move(session, times=3)
    seal(session)
    unguarded(session, sa.delete(LedgerTransfer).where(LedgerTransfer.position == 2))
    assert findings(session) == ["Seal 1 of transfers does not fit its rows; 1 of 3 are gone or changed."]


def test_rows_in_another_order_break_the_seal(session: Session) -> None:
    move(session, times=2)
    seal(session)
    first = sa.select(LedgerTransfer.position).order_by(LedgerTransfer.position).limit(1).scalar_subquery()
    unguarded(session, sa.update(LedgerTransfer).where(LedgerTransfer.position == first).values(position=900))
    assert any("Seal 1 of transfers" in sentence for sentence in findings(session))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"head": "0" * 64}, "Seal 2 of transfers does not fit its rows."),
        ({"sealed_at": NOW + timedelta(minutes=7)}, "Seal 2 of transfers is not what was signed."),
        ({"number": 3}, "Seal 3 of transfers does not follow on the one before it."),
    ],
)
def test_a_changed_seal_is_named(session: Session, change: dict[str, Any], sentence: str) -> None:
    for _ in range(2):
        move(session)
        seal(session)
    unguarded(session, sa.update(LedgerSeal).where(LedgerSeal.number == 2).values(change))
    assert sentence in findings(session)


def test_seals_made_anew_with_another_key_are_found(session: Session) -> None:
    move(session)
    seal(session)
    assert findings(session, trusted={"00" * 32}) == ["Seal 1 of transfers was signed with a key that is not ours."]


def test_each_day_ends_in_a_signature_that_is_checked(session: Session) -> None:
    for day in range(3):
        move(session)
        seal(session, days=day)
    unguarded(session, sa.update(LedgerSeal).where(LedgerSeal.number == 1).values(signature="00" * 64))
    assert findings(session) == ["Seal 1 of transfers is not what was signed."]


def test_the_details_of_an_audit_row_can_be_erased_and_nothing_else(session: Session) -> None:
    tell(session, reason="They asked about their daughter.")
    tell(session, reason="Other.")
    seal(session, ChainName.AUDIT)
    event = session.scalars(sa.select(AuditEvent).order_by(AuditEvent.position)).first()
    assert event is not None
    session.rollback()
    for change in (
        {"details": {}},
        {"details": {}, "salt": None, "action": "user.update"},
        {"details": {"a": 1}, "salt": None},
    ):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"):
            session.execute(sa.update(AuditEvent).where(AuditEvent.id == event.id).values(change))
        session.rollback()
    audit.erase(session, event_ids=[event.id])
    session.commit()
    told = session.scalars(sa.select(AuditEvent.details).order_by(AuditEvent.position)).all()
    assert told == [{}, {"reason": "Other."}]
    assert findings(session) == []


@pytest.mark.parametrize("change", [{"details": {"reason": "Never said."}}, {"action": "user.delete"}])
def test_a_changed_audit_row_is_named(session: Session, change: dict[str, Any]) -> None:
    tell(session, reason="Said.")
    seal(session, ChainName.AUDIT)
    (event_id,) = session.scalars(sa.select(AuditEvent.id))
    unguarded(session, sa.update(AuditEvent).values(change))
    assert any(ids.public("aud", event_id) in sentence for sentence in findings(session))


def test_a_row_that_commits_late_is_waited_for_and_not_jumped_over(session: Session, engine: Engine) -> None:
    move(session)
    program = make_program(session)
    partner = make_partner(session, program=program)
    session.commit()
    facts = {"program_id": program.id, "partner_id": partner.id, "amount": Money(1, "EUR")}
    service.post(session, postings=postings.accrue(**facts, commission_id=ids.new()), now=NOW)  # not committed

    def at_once() -> int:
        with Session(engine) as other:
            return seal(other)

    with ThreadPoolExecutor(1) as pool:
        sealing = pool.submit(at_once)
        with pytest.raises(TimeoutError):
            sealing.result(0.5)
        session.commit()
        assert sealing.result(30) == 2
    assert findings(session) == []


def test_two_sealers_at_once_make_one_seal(session: Session, engine: Engine) -> None:
    move(session, times=10)
    start = threading.Barrier(4)

    def at_once(_number: int) -> int:
        with Session(engine) as other:
            start.wait()
            return seal(other)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(at_once, range(4))) == [0, 0, 0, 10]
    assert findings(session) == []


def test_the_job_seals_both_chains_with_the_key_of_the_installation(settings: Settings, engine: Engine) -> None:
    with Session(engine) as session:
        move(session, times=2)
        tell(session)
        assert queries.oldest_unsealed_at(session) == NOW
    assert [jobs.seal(), jobs.seal()] == [3, 0]
    with db.reading() as session:
        assert findings(session, trusted={chain.public_key(settings.secret_key)}) == []
        assert queries.oldest_unsealed_at(session) is None
