"""The month's validation by file: what a line means, and what it does to the books, once."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from factories import NOW, make_order_event, make_partner, make_refund
from money_cast import MATURE, Books, open_books
from sqlalchemy.orm import Session

from affiliate.commissions import validating, validation_lines, validation_queries
from affiliate.commissions.life import CommissionStatus
from affiliate.commissions.models import CommissionAdjustment, ValidationFile
from affiliate.commissions.validation import Line, State, Verdict, Word, decide, read
from affiliate.errors import Invalid
from affiliate.imports import BadTable
from affiliate.ingest.models import Trust
from affiliate.payouts import service as payouts

S, V = CommissionStatus, Verdict

# --- what a line means


def test_a_file_is_read_with_any_usual_separator_and_bad_lines_stay_visible() -> None:
    text = "\ufeffOrder_ID;Status;Amount;Reason\n1;approved;;\n2;Declined;;returned\n3;approved;49.90;\n4;maybe;;\n5;approved;4,9;\n;approved;;\n"  # fmt: skip
    assert read(text.encode(), currency="EUR") == [
        Line("1", Word.APPROVED, None, ""),
        Line("2", Word.DECLINED, None, "returned"),
        Line("3", Word.APPROVED, 49_90, ""),
        Line("4", None, None, ""),
        Line("5", None, None, ""),
        Line("", None, None, ""),
    ]


@pytest.mark.parametrize("text", ["", "order,state\n1,approved\n", "order_id,status\n", "order_id,status\n" + "1,approved\n" * 50_001])  # fmt: skip
def test_what_is_no_list_of_orders_is_refused(text: str) -> None:
    with pytest.raises(BadTable):
        read(text.encode(), currency="EUR")


def state(*commissions: tuple[S, int], refunded: int = 0, reduced: int = 0) -> State:
    return State(100_00, refunded, reduced, commissions)


PENDING, PAID, REVERSED = (S.PENDING, 10_00), (S.PAID, 10_00), (S.REVERSED, 0)


@pytest.mark.parametrize(
    ("word", "amount", "stands", "verdict", "less"),
    [
        ("approved", None, state(PENDING), V.APPROVE, 0),
        ("approved", 100_00, state(PENDING), V.APPROVE, 0),
        ("approved", 80_00, state(PENDING), V.REDUCE, 20_00),
        ("approved", 80_00, state(PENDING, refunded=20_00), V.APPROVE, 0),
        ("approved", 70_00, state(PENDING, refunded=20_00), V.REDUCE, 10_00),
        ("approved", 80_00, state(PAID), V.REDUCE, 20_00),
        ("approved", 80_00, state((S.APPROVED, 8_00), reduced=20_00), V.UNCHANGED, 0),
        ("approved", 90_00, state((S.APPROVED, 8_00), reduced=20_00), V.MORE_THAN_ORDER, 0),
        ("approved", 100_01, state(PENDING), V.MORE_THAN_ORDER, 0),
        ("approved", None, state(PAID), V.UNCHANGED, 0),
        ("approved", None, state((S.DECLINED, 0)), V.REINSTATE, 0),
        ("approved", 60_00, state(REVERSED), V.REINSTATE, 40_00),
        ("approved", None, state(REVERSED, refunded=100_00), V.UNCHANGED, 0),
        ("approved", 0, state(PENDING), V.DECLINE, 0),
        ("declined", None, state(PENDING), V.DECLINE, 0),
        ("declined", None, state(PAID), V.DECLINE, 0),
        ("declined", None, state((S.DECLINED, 0)), V.UNCHANGED, 0),
        ("declined", None, state((S.PAID, 0), reduced=100_00), V.UNCHANGED, 0),
        ("approved", None, state((S.UNVERIFIED, 10_00)), V.NOT_VERIFIED, 0),
        ("approved", None, state((S.TEST, 10_00)), V.NOT_VERIFIED, 0),
        ("approved", None, state(), V.NO_COMMISSION, 0),
        ("approved", None, None, V.NO_COMMISSION, 0),
    ],
)
def test_a_line_means_what_the_order_makes_of_it(
    word: str, amount: int | None, stands: State | None, verdict: Verdict, less: int
) -> None:
    decision = decide(Line("1", Word(word), amount, ""), stands, is_known=True, seen=False)
    assert (decision.verdict, decision.less_minor) == (verdict, less)


def test_unknown_doubled_and_unreadable_lines_change_nothing() -> None:
    line = Line("1", Word.APPROVED, None, "")
    assert decide(line, None, is_known=False, seen=False).verdict is Verdict.UNKNOWN
    assert decide(line, state(PENDING), is_known=True, seen=True).verdict is Verdict.TWICE
    assert decide(Line("1", None, None, ""), state(PENDING), is_known=True, seen=False).verdict is Verdict.UNREADABLE


# --- what it does


@pytest.fixture
def books(session: Session) -> Books:
    return open_books(session)


def upload(books: Books, *lines: str, **more: Any) -> ValidationFile:
    text = "\n".join(["order_id,status,amount,reason", *lines])
    facts: dict[str, Any] = {"program_id": books.program.id, "currency": "EUR", "actor": books.alice, "now": NOW}
    return validating.upload(books.session, name="november.csv", content=text.encode(), **facts, **more)


_minutes = count()


def confirm(books: Books, file: ValidationFile, **more: Any) -> list[Verdict | None]:
    moment = NOW + timedelta(minutes=next(_minutes))
    facts: dict[str, Any] = {"program_id": books.program.id, "actor": books.alice, "now": moment}
    validating.confirm(books.session, file_id=file.id, **facts, **more)
    books.session.expire_all()
    return outcomes(books, file)


def outcomes(books: Books, file: ValidationFile) -> list[Verdict | None]:
    return [line.verdict for line in validation_lines.all_lines(books.session, file_id=file.id)]


def validate(books: Books, *lines: str) -> list[Verdict | None]:
    return confirm(books, upload(books, *lines))


def test_a_file_approves_reduces_and_declines_and_a_second_one_changes_nothing(books: Books) -> None:
    orders = [books.order(order_id=name) for name in ("a", "b", "c", "d")]
    books.work()
    lines = [
        "a,approved,,",
        "b,approved,60.00,one came back",
        "c,declined,,own purchase",
        "x,approved,,",
        "a,declined,,",
    ]
    file = upload(books, *lines)
    seen = outcomes(books, file)
    assert (books.balances(), seen) == ({"pending": 40_00}, [V.APPROVE, V.REDUCE, V.DECLINE, V.UNKNOWN, V.TWICE])
    assert confirm(books, file) == seen
    assert (file.lines_done, file.finished_at) == (5, file.confirmed_at)
    found = [books.commission(order) for order in orders]
    assert [(one.status, one.amount_minor - one.reversed_minor) for one in found] == [
        ("approved", 10_00), ("approved", 6_00), ("declined", 0), ("pending", 10_00),
    ]  # fmt: skip
    [declined] = books.session.scalars(
        sa.select(CommissionAdjustment).where(CommissionAdjustment.decline_reason.is_not(None))
    )
    assert (declined.decline_reason, declined.note) == ("own_purchase", "own purchase")
    assert books.balances() == {"approved": 16_00, "pending": 10_00}
    with pytest.raises(validating.AlreadyConfirmed):
        confirm(books, file)
    assert validate(books, *lines[:3]) == [V.UNCHANGED] * 3
    assert books.balances() == {"approved": 16_00, "pending": 10_00}
    books.assert_proven()


def test_a_long_file_is_done_in_batches_and_goes_on_after_a_kill_where_it_was(books: Books) -> None:
    orders = [books.order(order_id=name) for name in ("a", "b", "c", "d", "e")]
    books.work()
    lines = ["a,approved,,", "b,approved,60.00,", "c,declined,,", "a,declined,,", "d,approved,,"]
    file = upload(books, *lines, limit=2)
    assert outcomes(books, file) == [V.APPROVE, V.REDUCE, None, None, None]
    with pytest.raises(validating.StillReading):
        confirm(books, file)
    assert [validating.advance(books.session, limit=2, now=NOW) for _ in range(3)] == [2, 1, 0]
    assert outcomes(books, file) == [V.APPROVE, V.REDUCE, V.DECLINE, V.TWICE, V.APPROVE]
    assert books.balances() == {"pending": 50_00}
    confirm(books, file, limit=2)
    assert (file.lines_done, file.finished_at, books.balances()) == (2, None, {"approved": 16_00, "pending": 30_00})
    with books.session.begin_nested() as batch:
        assert validating.advance(books.session, limit=2, now=MATURE) == 2
        batch.rollback()  # killed before it was done
    books.session.expire_all()
    assert (file.lines_done, books.balances()) == (2, {"approved": 16_00, "pending": 30_00})
    validate(books, "d,declined,,returned")  # in between, by another file
    assert [validating.advance(books.session, limit=2, now=MATURE) for _ in range(3)] == [2, 1, 0]
    assert outcomes(books, file) == [V.APPROVE, V.REDUCE, V.DECLINE, V.TWICE, V.REINSTATE]
    assert (file.lines_done, file.finished_at) == (5, MATURE)
    assert books.balances() == {"approved": 26_00, "pending": 10_00}
    assert books.commission(orders[4]).status is S.PENDING
    books.assert_proven()


def test_what_the_shop_reduced_stays_reduced_whatever_comes_later(books: Books) -> None:
    order = books.order(order_id="a")
    books.work()
    validate(books, "a,approved,60.00,")
    make_refund(books.session, conversion=order, amount_minor=30_00)
    books.work()
    assert books.balances() == {"approved": 3_00}
    books.amend(order, partner=make_partner(books.session, program=books.program))
    books.work()
    assert books.commission(order).reversed_minor == 7_00
    books.assert_proven()


def test_an_order_that_comes_back_after_a_rejection_earns_anew(books: Books) -> None:
    order = books.order(order_id="a")
    books.work()
    validate(books, "a,declined,,not paid")
    assert validate(books, "a,approved,70.00,paid after all") == [V.REINSTATE]
    again = books.commission(order)
    assert (again.turn, again.status, again.amount_minor, again.reversed_minor) == (1, "approved", 10_00, 3_00)
    assert books.balances() == {"approved": 7_00}
    assert validate(books, "a,approved,70.00,") == [V.UNCHANGED]
    books.amend(order)  # a newer attribution does not decline it again
    books.work(now=MATURE)
    assert books.balances() == {"approved": 7_00}
    books.assert_proven()


def test_a_cancelled_order_that_comes_back_earns_anew_unless_it_is_cancelled_again(books: Books) -> None:
    order = books.order(order_id="a")
    make_order_event(books.session, conversion=order, received_at=NOW)
    books.work()
    assert books.balances() == {}
    assert validate(books, "a,approved,,") == [V.REINSTATE]
    books.work()
    assert books.balances() == {"approved": 10_00}
    make_order_event(books.session, conversion=order, received_at=NOW + timedelta(days=1))
    books.work()
    assert books.balances() == {}
    books.assert_proven()


def test_after_a_payout_a_decline_is_owed_back_and_a_return_is_earned_anew(books: Books) -> None:
    order = books.order(order_id="a")
    books.work(now=MATURE)
    _pay(books)
    assert validate(books, "a,declined,,fraud") == [V.DECLINE]
    assert books.commission(order).reversed_minor == 10_00
    assert books.balances()["clawback"] == -10_00
    assert validate(books, "a,declined,,fraud") == [V.UNCHANGED]
    assert validate(books, "a,approved,,") == [V.REINSTATE]
    assert books.balances()["approved"] == 10_00
    books.assert_proven()


def _pay(books: Books) -> None:
    facts: dict[str, Any] = {"program_id": books.program.id, "now": MATURE}
    run = payouts.propose(books.session, actor=books.alice, **facts)
    payouts.approve_run(books.session, run_id=run.id, actor=books.bob, **facts)
    payouts.mark_paid(books.session, run_id=run.id, actor=books.bob, **facts)
    books.session.expire_all()


def test_unverified_orders_and_orders_of_others_are_left_alone(books: Books, session: Session) -> None:
    books.order(order_id="a", trust=Trust.OPEN)
    elsewhere = open_books(session)
    elsewhere.order(order_id="b")
    books.work()
    assert validate(books, "a,approved,,", "b,declined,,") == [V.NOT_VERIFIED, V.UNKNOWN]
    with pytest.raises(validating.UnknownFile):
        confirm(elsewhere, upload(books, "a,approved,,"))


def test_an_amount_for_an_order_in_another_currency_is_not_understood(books: Books) -> None:
    books.order(order_id="a", currency="USD")
    books.order(order_id="b", currency="USD")
    books.work()
    assert validate(books, "a,approved,49.90,", "b,approved,,") == [V.OTHER_CURRENCY, V.APPROVE]


def test_a_file_of_nothing_is_refused(books: Books) -> None:
    with pytest.raises(BadTable):
        upload(books)


def test_a_file_takes_a_constant_number_of_statements(books: Books, count_queries: Any) -> None:
    def statements(orders: int) -> int:
        names = [books.order().order_id for _ in range(orders)]
        books.work()
        words = ["approved,,", "approved,60.00,", "declined,,"]
        file = upload(books, *(f"{name},{words[place % 3]}" for place, name in enumerate(names)))
        with count_queries() as counter:
            confirm(books, file)
        return len(counter)

    assert statements(3) == statements(30)


def test_the_median_time_of_validation_is_of_what_was_approved(books: Books) -> None:
    here = {"program_id": books.program.id}
    assert validation_queries.validation_takes(books.session, **here) is None
    books.order()
    books.work(now=MATURE)
    takes = validation_queries.validation_takes(books.session, **here)
    assert takes is not None
    assert takes.days == 30


# --- without a file


def choose(books: Books, word: Word, *, reason: str = "", **wanted: Any) -> ValidationFile:
    period = {"starts_at": NOW - timedelta(days=1), "ends_at": NOW + timedelta(days=1)} | wanted
    facts: dict[str, Any] = {"program_id": books.program.id, "actor": books.alice, "now": NOW}
    filter_ = validation_queries.Wanted(**period)
    return validating.choose(books.session, wanted=filter_, word=word, reason=reason, name="days", **facts)


def test_orders_of_some_days_are_validated_at_once_and_what_was_decided_in_between_is_told(books: Books) -> None:
    other = make_partner(books.session, program=books.program)
    first, second = (books.order(order_id=name) for name in ("a", "b"))
    books.order(order_id="late", occurred_at=NOW + timedelta(days=1))
    books.order(order_id="others", partner=other)
    books.work()
    file = choose(books, Word.APPROVED, partner_id=books.partner.id)
    assert [line.order_id for line in validation_lines.all_lines(books.session, file_id=file.id)] == ["a", "b"]
    validate(books, "a,declined,,returned")
    assert confirm(books, file) == [V.REINSTATE, V.APPROVE]
    assert books.commission(second).status is S.APPROVED
    declined = choose(books, Word.DECLINED, reason="not paid")
    assert confirm(books, declined) == [V.DECLINE]
    assert books.commission(first).status is S.APPROVED
    books.assert_proven()


@pytest.mark.parametrize(
    ("word", "wanted"), [(Word.DECLINED, {}), (Word.APPROVED, {"starts_at": NOW + timedelta(hours=1)})]
)
def test_nothing_to_validate_or_no_reason_is_refused(books: Books, word: Word, wanted: dict[str, Any]) -> None:
    books.order()
    books.work()
    with pytest.raises(Invalid):
        choose(books, word, **wanted)
