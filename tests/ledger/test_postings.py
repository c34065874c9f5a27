"""Each movement of money: from where, to where, never of nothing, never backwards."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from affiliate.ledger import postings
from affiliate.ledger.postings import ALLOWED, AccountName, Posting, TransferKind
from affiliate.money import Money

WHOSE = {"program_id": UUID(int=1), "partner_id": UUID(int=2)}
SOURCE = UUID(int=3)
EUR = Money(10_00, "EUR")
NAMES = {"debit", "credit"}


def moved(made: list[Posting]) -> list[tuple[str, str, str, int]]:
    return [(one.kind.value, one.debit.value, one.credit.value, one.amount.amount_minor) for one in made]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (postings.accrue(**WHOSE, commission_id=SOURCE, amount=EUR), ("accrue", "expense", "pending", 10_00)),
        (postings.approve(**WHOSE, commission_id=SOURCE, amount=EUR), ("approve", "pending", "approved", 10_00)),
        (
            postings.reverse(**WHOSE, adjustment_id=SOURCE, amount=EUR, taken_from=AccountName.PENDING),
            ("reverse", "pending", "expense", 10_00),
        ),
        (
            postings.reverse(**WHOSE, adjustment_id=SOURCE, amount=EUR, taken_from=AccountName.APPROVED),
            ("reverse", "approved", "expense", 10_00),
        ),
        (postings.claw_back(**WHOSE, adjustment_id=SOURCE, amount=EUR), ("claw_back", "clawback", "expense", 10_00)),
        (postings.absorb(**WHOSE, adjustment_id=SOURCE, amount=EUR), ("offset", "approved", "clawback", 10_00)),
        (postings.offset(**WHOSE, payout_id=SOURCE, amount=EUR), ("offset", "approved", "clawback", 10_00)),
        (postings.send(**WHOSE, payout_id=SOURCE, amount=EUR), ("send", "approved", "in_transit", 10_00)),
        (postings.settle(**WHOSE, payout_id=SOURCE, amount=EUR), ("settle", "in_transit", "paid", 10_00)),
        (postings.withhold(**WHOSE, payout_id=SOURCE, amount=EUR), ("withhold", "approved", "tax_payable", 10_00)),
        (postings.adjust(**WHOSE, manual_id=SOURCE, amount=EUR), ("adjust", "adjustments", "approved", 10_00)),
        (postings.adjust(**WHOSE, manual_id=SOURCE, amount=-EUR), ("adjust", "clawback", "adjustments", 10_00)),
        (postings.write_off(**WHOSE, manual_id=SOURCE, amount=EUR), ("write_off", "write_off", "clawback", 10_00)),
    ],
)
def test_money_moves_between_the_accounts_of_its_kind(made: list[Posting], expected: tuple[str, str, str, int]) -> None:
    assert moved(made) == [expected]


def test_a_failed_payout_gives_back_what_was_sent_and_withheld_and_owes_again_what_was_netted() -> None:
    parts = {"netted": Money(3_00, "EUR"), "withheld": Money(2_00, "EUR"), "added": Money(1_00, "EUR")}
    made = postings.fail(**WHOSE, payout_id=SOURCE, sent=EUR, **parts)
    expected = [("in_transit", "approved", 10_00), ("clawback", "approved", 3_00)]
    expected += [("tax_payable", "approved", 2_00), ("approved", "vat", 1_00)]
    assert moved(made) == [("fail", *each) for each in expected]
    assert [one.leg for one in made] == [0, postings.FAIL_NETTED, postings.FAIL_WITHHELD, postings.FAIL_ADDED]


def test_a_movement_of_nothing_posts_nothing() -> None:
    nothing = Money(0, "EUR")
    assert postings.accrue(**WHOSE, commission_id=SOURCE, amount=nothing) == []
    made = postings.fail(**WHOSE, payout_id=SOURCE, sent=EUR, netted=nothing, withheld=nothing, added=nothing)
    assert moved(made) == [("fail", "in_transit", "approved", 10_00)]


def test_money_never_moves_backwards() -> None:
    with pytest.raises(ValueError, match="forward"):
        postings.send(**WHOSE, payout_id=SOURCE, amount=Money(-1, "EUR"))


def test_money_that_is_on_its_way_cannot_be_reversed_from_there() -> None:
    with pytest.raises(ValueError, match="in_transit"):
        postings.reverse(**WHOSE, adjustment_id=SOURCE, amount=EUR, taken_from=AccountName.IN_TRANSIT)


def test_every_kind_of_movement_has_its_accounts() -> None:
    assert ALLOWED.keys() == set(TransferKind)


def test_an_account_is_known_by_what_it_is() -> None:
    def account(**changes: Any) -> UUID:
        facts = {**WHOSE, "name": "pending", "currency": "EUR"}
        return postings.account_id(**facts | changes)

    others = [account(partner_id=None), account(name="approved"), account(currency="PLN"), account(program_id=SOURCE)]
    assert account() == account()
    assert len({account(), *others}) == 5


def test_no_movement_reaches_the_rounding_account() -> None:
    reached = {name for pairs in ALLOWED.values() for pair in pairs for name in pair}
    assert set(AccountName) - reached == {AccountName.ROUNDING}


TRANSFER = {
    "id": UUID(int=1),
    "program_id": UUID(int=2),
    "kind": TransferKind.SEND,
    "debit_account_id": UUID(int=3),
    "credit_account_id": UUID(int=4),
    "amount_minor": 10_00,
    "currency": "EUR",
    "source_kind": "payout",
    "source_id": UUID(int=5),
    "leg": 0,
    "posted_at": datetime(2026, 11, 16, 12, 0, tzinfo=UTC),
}


@pytest.mark.parametrize(
    "change",
    [
        {"id": UUID(int=9)},
        {"program_id": UUID(int=9)},
        {"kind": TransferKind.SETTLE},
        {"debit_account_id": UUID(int=9)},
        {"credit_account_id": UUID(int=9)},
        {"amount_minor": 10_01},
        {"currency": "PLN"},
        {"source_kind": "commission"},
        {"source_id": UUID(int=9)},
        {"leg": 1},
        {"posted_at": datetime(2026, 11, 16, 12, 0, 0, 1, tzinfo=UTC)},
    ],
)
def test_the_content_hash_covers_every_field(change: dict[str, Any]) -> None:
    assert set(postings.HASHED) == TRANSFER.keys()
    assert postings.content_hash(TRANSFER | change) != postings.content_hash(TRANSFER)


def test_the_content_hash_is_the_same_in_every_time_zone() -> None:
    elsewhere = TRANSFER["posted_at"].astimezone(timezone(timedelta(hours=9)))
    assert postings.content_hash(TRANSFER | {"posted_at": elsewhere}) == postings.content_hash(TRANSFER)
