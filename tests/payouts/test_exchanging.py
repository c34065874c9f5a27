"""A partner whose account is in another currency than the program: what it earned stays in the books, what leaves is turned once."""

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from bank_statements import Entry, statement
from cryptography.fernet import Fernet
from factories import NOW, make_partner, make_user
from money_cast import Books, open_books, person
from payout_cast import PAYDAY, approve, earn, propose
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.currencies import service as currencies
from affiliate.currencies.convert import DayRates
from affiliate.errors import Invalid
from affiliate.partners.models import Partner
from affiliate.payouts import details, exchanging, exporting
from affiliate.payouts.files import FileKind
from affiliate.payouts.methods import MethodKind
from affiliate.payouts.models import Payout, PayoutMethod, PayoutStatus
from affiliate.payouts.schedule import Cadence
from affiliate.payouts.vault import Vault

VAULT = Vault([Fernet.generate_key().decode()])
ACCOUNTS = {
    "PLN": "61 1090 1014 0000 0712 1981 2874",
    "EUR": "DE89370400440532013000",
    "USD": "IT60X0542811101000000123456",
}


@pytest.fixture
def books(session: Session) -> Books:
    return open_books(session)


def know_rates(books: Books) -> None:
    """Of the day before the payout, and of its own day, which does not count yet."""
    days = [
        DayRates(PAYDAY.date() - timedelta(days=before), "ecb", {"PLN": rate, "USD": "1.1"})
        for before, rate in ((1, "4.2533"), (0, "9"))
    ]
    currencies.store(books.session, days=days, now=NOW)


def pole(books: Books, currency: str | None = "PLN") -> Partner:
    owner = make_user(books.session)
    partner = make_partner(books.session, program=books.program, user=owner, can_be_paid=False)
    facts: dict[str, Any] = {"program": books.program, "partner_id": partner.id, "actor": person(owner), "now": NOW}
    details.enter_method(
        books.session,
        kind=MethodKind.BANK,
        typed={"holder": "Zofia", "account": ACCOUNTS[currency or "EUR"]},
        vault=VAULT,
        currency=currency,
        **facts,
    )
    return partner


def told(books: Books, partner: Partner) -> tuple[Any, ...]:
    payout = books.session.scalars(sa.select(Payout).where(Payout.partner_id == partner.id)).one()
    exchange = payout.exchange or {}
    amount = exchanging.amount_paid(payout)
    return (payout.amount_minor, payout.currency, amount.amount_minor, amount.currency, exchange.get("rate"))


def test_what_leaves_is_turned_by_the_rate_of_the_day_before_and_the_books_stay_as_they_are(books: Books) -> None:
    know_rates(books)
    zofia = pole(books)
    earn(books, partner=zofia)
    earn(books)
    run = propose(books)
    assert told(books, zofia) == (10_00, "EUR", 42_53, "PLN", "4.2533")
    assert told(books, books.partner) == (10_00, "EUR", 10_00, "EUR", None)
    assert run.total_minor == 20_00
    approve(books, run)
    assert books.balances(zofia) == {"in_transit": 10_00}
    books.assert_proven()


def test_without_a_rate_it_is_paid_in_the_programs_currency_and_an_unknown_currency_is_refused(books: Books) -> None:
    with pytest.raises(Invalid):
        pole(books)
    know_rates(books)
    zofia = pole(books)
    books.session.execute(sa.text("DELETE FROM exchange_rates"))
    earn(books, partner=zofia)
    propose(books)
    assert told(books, zofia) == (10_00, "EUR", 10_00, "EUR", None)


def test_files_hold_one_currency_each_and_the_banks_word_on_it_settles(books: Books) -> None:
    know_rates(books)
    zofia = pole(books)
    earn(books, partner=zofia)
    earn(books, partner=pole(books, currency=None))
    run = propose(books)
    approve(books, run)
    whose: dict[str, Any] = {"run_id": run.id, "program_id": run.program_id}
    offered = exporting.offers(books.session, **whose, vault=VAULT)
    tables = [offer for offer in offered if offer.kind is FileKind.TABLE]
    by: dict[str, Any] = {"actor": books.alice, "now": PAYDAY}
    texts = [
        exporting.export(
            books.session, **whose, **by, kind=FileKind.TABLE, vault=VAULT, part=offer.part
        ).content.decode()
        for offer in tables
    ]
    assert [("42.53,PLN" in text, "10.00,EUR" in text) for text in texts] == [(False, True), (True, False)]
    payout = books.session.scalars(sa.select(Payout).where(Payout.partner_id == zofia.id)).one()
    assert _settled(books, payout, "10.00", "EUR").other_amount == 1
    assert _settled(books, payout, "42.53", "PLN").paid == 1
    books.session.refresh(payout)
    assert payout.status is PayoutStatus.PAID
    books.assert_proven()


def test_the_bank_files_of_a_run_each_have_an_id_of_their_own(books: Books) -> None:
    know_rates(books)
    for currency in ACCOUNTS:
        earn(books, partner=pole(books, currency))
    account: dict[str, Any] = {"payer_name": "Casa Ondera", "payer_account": ACCOUNTS["EUR"]}
    policy: dict[str, Any] = {"cadence": Cadence.MANUAL, "net_days": 0, "is_one_person": False}
    whose: dict[str, Any] = {"program_id": books.program.id, "vault": VAULT}
    details.set_policy(books.session, **whose, **policy, **account, actor=books.alice, now=NOW)
    run = propose(books)
    approve(books, run)
    found = []
    for offer in exporting.offers(books.session, **whose, run_id=run.id):
        if offer.kind in {FileKind.SEPA, FileKind.TRANSFERS}:
            step: dict[str, Any] = {"kind": offer.kind, "part": offer.part, "actor": books.alice, "now": PAYDAY}
            content = exporting.export(books.session, **whose, **step, run_id=run.id).content.decode()
            found.append(tuple(re.findall(r"<(?:MsgId|PmtInfId)>([A-Za-z0-9-]{,35})<", content)))
    shared = ids.public("run", run.id).replace("_", "-")
    assert found == [(f"{shared}-{currency}",) * 2 for currency in ("EUR", "PLN", "USD")]


@pytest.mark.parametrize(
    ("amount", "asked", "version", "paid"),
    [
        ("10.03 EUR", "42.53 PLN", "02", True),
        ("10.00 EUR", "42.54 PLN", "08", False),
        ("11.60 USD", "", "02", True),
    ],
)
def test_the_banks_word_counts_as_it_was_asked_and_in_its_own_currency_says_nothing(
    books: Books, amount: str, asked: str, version: str, *, paid: bool
) -> None:
    payout = _on_its_way(books)
    told = statement(Entry(payout.id, amount, asked), version=version)
    assert _told_by_bank(books, payout, told) == exporting.Tally(paid=paid, other_amount=not paid)


def test_what_came_back_has_failed_whatever_is_left_of_it(books: Books) -> None:
    payout = _on_its_way(books)
    back = statement(Entry(payout.id, "40.00 PLN", returned="AC04"))
    assert _told_by_bank(books, payout, back) == exporting.Tally(failed=1)
    assert books.session.get_one(Payout, payout.id, populate_existing=True).reason == "AC04"


def _on_its_way(books: Books) -> Payout:
    """A payout of 42.53 PLN, approved."""
    know_rates(books)
    earn(books, partner=pole(books))
    approve(books, propose(books))
    return books.session.scalars(sa.select(Payout)).one()


def _settled(books: Books, payout: Payout, amount: str, currency: str) -> exporting.Tally:
    """What a statement of the bank does that tells of this amount."""
    return _told_by_bank(books, payout, statement(Entry(payout.id, f"{amount} {currency}")))


def _told_by_bank(books: Books, payout: Payout, told: str) -> exporting.Tally:
    """What a statement does that tells this of the payout."""
    whose: dict[str, Any] = {"run_id": payout.run_id, "program_id": payout.program_id}
    return exporting.import_results(books.session, **whose, content=told.encode(), actor=books.alice, now=PAYDAY)


def test_tax_that_is_withheld_does_not_leave(books: Books) -> None:
    know_rates(books)
    pole(books)
    method = books.session.scalars(sa.select(PayoutMethod).where(PayoutMethod.currency == "PLN")).one()
    row = {"method_id": method.id, "currency": "EUR", "amount_minor": 10_00, "withheld_minor": 2_30}
    (turned,) = exchanging.turned(books.session, rows=[row], now=PAYDAY)
    assert (turned["paid_currency"], turned["paid_minor"]) == ("PLN", 32_75)


@pytest.mark.parametrize(
    ("amount_minor", "currency", "paid"),
    [(42_53, "PLN", ("EUR", 10_00)), (1, "PLN", (None, None)), (10_00, "EUR", (None, None))],
)
def test_an_account_in_euro_is_paid_so_by_every_program_but_never_nothing(
    books: Books, amount_minor: int, currency: str, paid: tuple[str | None, int | None]
) -> None:
    know_rates(books)
    pole(books, "EUR")
    method = books.session.scalars(sa.select(PayoutMethod).where(PayoutMethod.currency == "EUR")).one()
    row = {"method_id": method.id, "currency": currency, "amount_minor": amount_minor, "withheld_minor": 0}
    (turned,) = exchanging.turned(books.session, rows=[row], now=PAYDAY)
    assert (turned["paid_currency"], turned["paid_minor"]) == paid
