"""The stored totals of a program: never another answer than its transfers give, whoever adds them up when."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from factories import NOW, make_partner, make_program
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.ledger import jobs, proof, queries, service, total_queries
from affiliate.ledger import postings as rules
from affiliate.ledger.findings import Findings
from affiliate.ledger.models import AccountName, LedgerAccount, LedgerBalance, LedgerTotal, LedgerTransfer
from affiliate.ledger.total_queries import add_up
from affiliate.money import Money
from affiliate.partners.models import Partner
from affiliate.programs.models import Program

LIMIT = 10


@pytest.fixture
def program(session: Session) -> Program:
    return make_program(session)


@pytest.fixture
def partner(session: Session, program: Program) -> Partner:
    return make_partner(session, program=program)


def earn(session: Session, program: Program, partner: Partner, minor: int, currency: str = "EUR") -> None:
    amount = Money(minor, currency)
    earned = rules.accrue(program_id=program.id, partner_id=partner.id, commission_id=uuid4(), amount=amount)
    service.post(session, postings=earned, now=NOW)


def carry(session: Session) -> int:
    """What the job does in transactions of its own; gives how many programs were behind."""
    return sum(keep(session, one) for one in total_queries.behind(session, limit=LIMIT))


def keep(session: Session, behind: Any) -> bool:
    return service.keep_total(session, behind=behind, since=total_queries.since(session, behind=behind))


@pytest.mark.parametrize("carried_after", [0, 2, 5])
@pytest.mark.parametrize("hour", range(7))
def test_balances_at_an_instant_are_those_of_the_transfers_before_it(
    session: Session, program: Program, partner: Partner, carried_after: int, hour: int
) -> None:
    at = NOW + timedelta(hours=hour)
    for number in range(5):
        amount = Money(10**number, "EUR")
        earned = rules.accrue(program_id=program.id, partner_id=partner.id, commission_id=uuid4(), amount=amount)
        service.post(session, postings=earned, now=NOW + timedelta(hours=number))
        if number + 1 == carried_after:
            carry(session)
    found = queries.program_balances_at(session, program_id=program.id, at=at)
    assert found == by_hand(session, program, before=at)
    assert found[AccountName.PENDING] == sum(10**number for number in range(min(hour, 5)))
    assert sum(found.values()) == 0


def test_of_an_instant_the_shorter_side_is_read(
    session: Session, program: Program, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(8):
        amount = Money(100, "EUR")
        earned = rules.accrue(program_id=program.id, partner_id=partner.id, commission_id=uuid4(), amount=amount)
        service.post(session, postings=earned, now=NOW + timedelta(hours=number))
    carry(session)
    asked, moved = [], total_queries.moved

    def watched(*given: Any, **narrowed: Any) -> total_queries.Totals:
        asked.append({"since", "before", "after"} & narrowed.keys())
        return moved(*given, **narrowed)

    monkeypatch.setattr(total_queries, "moved", watched)
    queries.program_balances_at(session, program_id=program.id, at=NOW + timedelta(hours=6))
    assert sorted(asked, key=str) == [{"after"}, {"since"}]
    asked.clear()
    queries.program_balances_at(session, program_id=program.id, at=NOW + timedelta(hours=1))
    assert asked == [{"before"}]


def by_hand(session: Session, program: Program, *, before: datetime | None = None) -> dict[AccountName, int]:
    """The balances, added up one transfer after the other."""
    found = dict.fromkeys(AccountName, 0)
    accounts = {one.id: one for one in session.scalars(sa.select(LedgerAccount))}
    for one in session.scalars(sa.select(LedgerTransfer).where(LedgerTransfer.program_id == program.id)):
        if one.currency == program.currency and (before is None or one.posted_at < before):
            found[accounts[one.debit_account_id].name] -= one.amount_minor
            found[accounts[one.credit_account_id].name] += one.amount_minor
    return found


def pending(session: Session, program: Program) -> dict[UUID, int]:
    """What waits on the account of each partner: stored, and posted since."""
    found: Counter[UUID] = Counter()
    for part in total_queries.balances_of_partners(program.id, name=AccountName.PENDING, currency="EUR"):
        for row in session.execute(part):
            found[row.partner_id] += row.minor
    return found


def findings(session: Session) -> list[str]:
    found = Findings()
    proof.check_totals(session, findings=found)
    return found.texts()


def test_balances_are_those_of_the_transfers_before_between_and_after_each_total(
    session: Session, program: Program, partner: Partner
) -> None:
    other = make_program(session, slug="other")
    stranger = make_partner(session, program=other, name="Stranger")
    for minor, currency in ((10_00, "EUR"), (1, "EUR"), (7, "USD"), (5_00, "EUR")):
        earn(session, program, partner, minor, currency)
        earn(session, other, stranger, 3)
        assert queries.program_balances(session, program_id=program.id) == by_hand(session, program)
        assert carry(session) == 2
        assert queries.program_balances(session, program_id=program.id) == by_hand(session, program)
        assert pending(session, program) == {partner.id: by_hand(session, program)[AccountName.PENDING]}
    assert by_hand(session, program)[AccountName.PENDING] == 15_01
    assert findings(session) == []


def test_a_total_is_gone_on_from_and_not_counted_again(session: Session, program: Program, partner: Partner) -> None:
    earn(session, program, partner, 10_00)
    carry(session)
    session.execute(sa.update(LedgerTotal).values(balances={"EUR": {"pending": 1}}))
    session.execute(sa.update(LedgerBalance).values(balance_minor=2))
    earn(session, program, partner, 5)
    assert queries.program_balances(session, program_id=program.id)[AccountName.PENDING] == 6
    assert pending(session, program) == {partner.id: 7}
    whole, of_partner = findings(session)
    assert whole.startswith("The stored totals of prg_")
    assert of_partner.startswith("The stored balance of the account pending of ptn_")


def test_totals_that_were_taken_away_are_made_anew_with_the_balances(
    session: Session, program: Program, partner: Partner
) -> None:
    earn(session, program, partner, 10_00)
    carry(session)
    session.execute(sa.update(LedgerBalance).values(balance_minor=2))
    session.execute(sa.delete(LedgerTotal))
    assert pending(session, program) == {
        partner.id: 10_00
    }  # what stands stored is not counted beside all that was posted
    carry(session)
    assert pending(session, program) == {partner.id: 10_00}
    assert findings(session) == []


def test_nothing_is_done_where_nothing_was_posted_since(session: Session, program: Program, partner: Partner) -> None:
    make_program(session, slug="quiet")
    earn(session, program, partner, 10_00)
    assert [carry(session) for _turn in range(2)] == [1, 0]


def test_who_has_read_what_another_has_carried_on_gives_way(
    session: Session, program: Program, partner: Partner
) -> None:
    read: list[Any] = []
    for _turn in range(2):  # the first total, and one that is gone on from
        earn(session, program, partner, 10_00)
        read += total_queries.behind(session, limit=LIMIT)
        assert carry(session) == 1
    assert [keep(session, one) for one in read] == [False, False]
    assert queries.program_balances(session, program_id=program.id)[AccountName.PENDING] == 20_00


def test_of_too_many_programs_those_come_first_whose_total_is_the_oldest(app_session: Session) -> None:
    """By their ids alone, which grow with time, the newest might never have a turn."""
    cast = []
    for slug in ("old", "busy", "new"):
        program = make_program(app_session, slug=slug)
        cast.append((program, make_partner(app_session, program=program)))
    for number in (1, 0):
        earn(app_session, *cast[number], 5)
        carry(app_session)
    for each in cast:
        earn(app_session, *each, 5)
    behind = total_queries.behind(app_session, limit=2)
    assert [row.program_id for row in behind] == [cast[2][0].id, cast[1][0].id]


def test_others_write_while_the_job_adds_up(app_session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    program = make_program(app_session)
    partner = make_partner(app_session, program=program)
    earn(app_session, program, partner, 10_00)
    app_session.commit()
    moved = total_queries.moved_by_account

    def interrupted(*args: Any, **asked: Any) -> list[total_queries.Moved]:
        with db.read_only(on=False), db.transaction() as session:
            earn(session, program, partner, 5)
        return moved(*args, **asked)

    with monkeypatch.context() as patched:
        patched.setattr(total_queries, "moved_by_account", interrupted)
        assert jobs.carry_totals() == 1
    assert app_session.query(LedgerTotal).one().balances["EUR"]["pending"] == 10_00
    assert queries.program_balances(app_session, program_id=program.id)[AccountName.PENDING] == 10_05


def test_adding_up_loses_no_currency_and_no_account() -> None:
    some = {"EUR": {"pending": 5, "paid": -1}, "USD": {"paid": 7}}
    others = {"EUR": {"pending": -2, "approved": 4}, "JPY": {"pending": 3}}
    together = {"EUR": {"pending": 3, "paid": -1, "approved": 4}, "USD": {"paid": 7}, "JPY": {"pending": 3}}
    assert add_up(some, others) == add_up(others, some) == together
    assert add_up({}, some) == add_up(some, {}) == some
