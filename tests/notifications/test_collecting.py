"""What the ledger says becomes calls: once each, of what the address wants, from when it was switched on."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from factories import NOW, make_click, make_link, make_partner, make_refund
from money_cast import MATURE, Books, open_books
from payout_cast import PAYDAY, approve, earn, pay, propose
from postback_cast import make_address
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.accounts.actors import SYSTEM
from affiliate.notifications import collecting, jobs, queries, service
from affiliate.notifications.models import PostbackAddress, PostbackDelivery, PostbackEvent

URL = (
    "https://track.example/p?cid={sub1}&payout={payout}&sum={amount}&s={status}&tx={txid}&o={order_id}&click={click_id}"
)


def calls(session: Session) -> list[PostbackDelivery]:
    return list(session.scalars(sa.select(PostbackDelivery).order_by(PostbackDelivery.id)))


def events(session: Session) -> list[PostbackEvent]:
    return sorted(call.event for call in calls(session))


def collect(books: Books, limit: int = 500) -> int:
    programs = queries.behind(books.session)
    return sum(collecting.collect(books.session, program_id=each, limit=limit, now=PAYDAY) for each in programs)


def test_each_step_of_a_commission_is_told_once_with_the_labels_of_its_click(session: Session) -> None:
    books = open_books(session)
    make_address(session, books.program, books.partner, URL)
    link = make_link(session, program=books.program, partner=books.partner)
    click = make_click(session, link=link, subs={"sub1": "a&b=1"}, country="IT")
    earn(books, click_id=click.id, order_id="A-1", customer_id="c-77")
    assert collect(books) == 2
    run = propose(books)
    approve(books, run)
    pay(books, run)
    assert collect(books) == 1
    assert collect(books) == 0
    told = {call.event: parse_qs(urlsplit(call.url).query) for call in calls(session)}
    assert set(told) == {PostbackEvent.CONVERSION, PostbackEvent.APPROVED, PostbackEvent.PAID}
    first = told[PostbackEvent.CONVERSION]
    assert (first["cid"], first["payout"], first["sum"], first["s"]) == (["a&b=1"], ["10.00"], ["100.00"], ["pending"])
    assert (first["o"], told[PostbackEvent.PAID]["s"]) == (["A-1"], ["paid"])
    assert first["click"][0].startswith("clk_")
    assert first["tx"] == told[PostbackEvent.PAID]["tx"]
    assert not any("c-77" in call.url for call in calls(session))


def test_a_refund_of_all_is_told_and_one_of_a_part_is_not(session: Session) -> None:
    books = open_books(session)
    make_address(session, books.program, books.partner, URL, events=[PostbackEvent.DECLINED])
    whole, part = books.order(), books.order()
    books.work()
    for conversion, amount in ((whole, None), (part, 40_00)):
        make_refund(session, conversion=conversion, amount_minor=amount)
    books.work()
    collect(books)
    (call,) = calls(session)
    assert (call.event, f"o={whole.order_id}&" in call.url) == (PostbackEvent.DECLINED, True)


def test_an_order_that_is_amended_is_not_told_as_taken_back(session: Session) -> None:
    books = open_books(session)
    make_address(session, books.program, books.partner, URL)
    conversion = books.order()
    books.work()
    books.amend(conversion, amount_minor=150_00)
    books.work()
    collect(books)
    assert set(events(session)) == {PostbackEvent.CONVERSION}


def test_nobody_hears_of_others_or_of_what_was_before(session: Session) -> None:
    books = open_books(session)
    other = make_partner(session, program=books.program)
    books.order()
    books.work()
    late = make_address(session, books.program, books.partner, URL, now=NOW + timedelta(days=1))
    books.order(partner=other)
    books.work(now=NOW + timedelta(days=2))
    assert collect(books) == 0
    assert calls(session) == []
    books.work(now=MATURE)
    collect(books)
    assert [(call.address_id, call.event) for call in calls(session)] == [(late.id, PostbackEvent.APPROVED)]


def test_what_happens_while_an_address_is_off_is_told_to_nobody(session: Session) -> None:
    books = open_books(session)
    address = make_address(session, books.program, books.partner, URL)
    service.switch_off(session, address=address, actor=SYSTEM, now=NOW)
    books.order()
    books.work()
    service.switch_on(session, address=address, actor=SYSTEM, now=NOW + timedelta(days=1))
    collect(books)
    assert calls(session) == []
    session.expire_all()
    assert session.scalars(sa.select(PostbackAddress.switched_off_at)).one() is None


def test_a_small_limit_reads_on_where_it_stopped(session: Session) -> None:
    books = open_books(session)
    make_address(session, books.program, books.partner, URL)
    for _ in range(3):
        books.order()
    books.work(now=MATURE)
    assert [collect(books, limit=4), collect(books, limit=4), collect(books, limit=4)] == [4, 2, 0]
    assert len(calls(session)) == 6


def test_what_one_payout_paid_is_told_in_turns_of_so_many_each_commission_once(session: Session) -> None:
    books = open_books(session)
    other = make_partner(session, program=books.program)
    for partner in (books.partner, other):
        make_address(session, books.program, partner, URL, events=[PostbackEvent.PAID])
    for number in range(5):
        earn(books, order_id=f"A-{number}")
    earn(books, partner=other)
    run = propose(books)
    approve(books, run)
    collect(books)
    pay(books, run)
    turns = []
    while queries.behind(session):
        before = len(calls(session))
        collect(books, limit=2)
        turns.append(len(calls(session)) - before)
    assert max(turns) <= 2
    assert len(calls(session)) == sum(turns) == 6


def test_a_payout_told_in_part_whose_partner_wants_no_more_hides_nothing_of_the_next(session: Session) -> None:
    books = open_books(session)
    other = make_partner(session, program=books.program)
    addresses = [
        make_address(session, books.program, partner, URL, events=[PostbackEvent.PAID])
        for partner in (books.partner, other)
    ]
    for partner in (other, books.partner) * 2:
        earn(books, partner=partner)
    run = propose(books)
    approve(books, run)
    collect(books)
    pay(books, run)
    collect(books, limit=1)
    (first,) = calls(session)
    off, on = sorted(addresses, key=lambda address: address.id != first.address_id)
    service.switch_off(session, address=off, actor=SYSTEM, now=PAYDAY)
    while queries.behind(session):
        collect(books, limit=9)
    assert sorted(call.address_id for call in calls(session)) == sorted([first.address_id, on.id, on.id])


@pytest.mark.usefixtures("sqlite_settings")
def test_where_nothing_is_new_whoever_writes_holds_nobody_up() -> None:
    with db.transaction() as session:
        books = open_books(session)
        make_address(session, books.program, books.partner, URL)
        books.order()
        books.work()
    assert jobs.collect() == 1
    with db.transaction() as session:  # SQLite has one writer at a time
        newest = "SELECT position FROM ledger_transfers WHERE program_id = '' AND position > 0 ORDER BY position DESC"
        plan = session.execute(sa.text(f"EXPLAIN QUERY PLAN {newest}")).all()
        assert jobs.collect() == 0
    assert "ix_ledger_transfers_of_program" in str(plan)
