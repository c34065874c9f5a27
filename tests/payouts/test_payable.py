"""On both databases: what could be paid, told by the database, is what a run would be made of, decided partner by partner."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from factories import make_method, make_partner
from money_cast import MATURE, Books, open_books
from payout_cast import PAYDAY, earn, propose
from sqlalchemy.orm import Session
from tax_cast import make_buyer, make_profile, make_rule

from affiliate import ids
from affiliate.commissions.models import Commission, CommissionStatus
from affiliate.console import paging
from affiliate.console.queries import money, payouts
from affiliate.partners.models import EnrollmentStatus, Partner
from affiliate.payouts import payable, queries
from affiliate.payouts.models import PayoutBlock
from affiliate.taxes.figures import PaperKind


@pytest.fixture
def books(session: Session) -> Books:
    """Partners that each wait for another reason, and three that do not."""
    books = open_books(session, payout_min_minor=5_00)
    earn(books)
    for amount_minor in (100_00, 100_00, 300_00, 10_00):  # the last one below the minimum
        earn(books, partner=other(books), amount_minor=amount_minor)
    earn(books, partner=other(books, status=EnrollmentStatus.PAUSED))
    earn(books, partner=other(books, can_be_paid=False))
    changed = other(books, can_be_paid=False)
    make_method(session, partner=changed, usable_from=PAYDAY + timedelta(days=1))
    earn(books, partner=changed)
    stopped = other(books)
    facts = {"reason": "Asked us to wait", "blocked_by_id": books.alice.id, "blocked_at": PAYDAY}
    session.add(PayoutBlock(id=ids.new(), program_id=books.program.id, partner_id=stopped.id, **facts))
    earn(books, partner=stopped)
    books.work(now=MATURE)
    return books


def other(books: Books, **facts: Any) -> Partner:
    return make_partner(books.session, program=books.program, **facts)


def tax(books: Books, *, demands_profile: bool, **rule: Any) -> None:
    """Every second partner has a profile; the others have none."""
    make_buyer(books.session, books.program, demands_profile=demands_profile)
    make_rule(books.session, books.program, **rule)
    for partner_id in list(books.session.scalars(sa.select(Partner.id).order_by(Partner.id)))[::2]:
        make_profile(books.session, books.program, partner_id, paper=PaperKind.SELF_BILLING)


def told(books: Books, *, size: int = 50, **asked: Any) -> tuple[payouts.Upcoming, list[Any], list[Any]]:
    """The next run, and the rows of all pages of both of its lists."""
    here: dict[str, Any] = {"program": books.program, "now": PAYDAY, "size": size} | asked
    lists = {
        name: [
            row
            for page in paging.every_page(
                lambda cursor, name=name: getattr(  # type: ignore[misc]
                    payouts.upcoming(books.session, **here, **{f"{name}_at": cursor}), name
                )
            )
            for row in page.rows
        ]
        for name in ("ready", "left")
    }
    return payouts.upcoming(books.session, **here), lists["ready"], lists["left"]


@pytest.mark.parametrize(
    "taxes", [None, {}, {"demands_profile": True}, {"rate_bps": 100_00, "base_share_bps": 100_00, "vat_bps": 0}]
)
@pytest.mark.parametrize("at_once", [1, 2_000])
def test_the_database_tells_of_everybody_what_the_run_decides(
    books: Books, taxes: dict[str, Any] | None, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payable, "READ_AT_ONCE", at_once)
    if taxes is not None:
        tax(books, **{"demands_profile": False} | taxes)
    schedule = queries.preview(books.session, program_id=books.program.id, now=PAYDAY)
    found, ready, left = told(books, size=2)
    assert (found.payable.total_minor, found.payable.partners) == (schedule.total_minor, len(schedule.payable))
    assert {row.partner_id for row in ready} == {due.partner_id for due in schedule.payable}
    assert {row.partner_id for row in left} == {due.partner_id for due, _reason in schedule.blocked}
    assert (len(ready), len(left)) == (len(schedule.payable), len(schedule.blocked))
    here = payable.basis(books.session, program=books.program, now=PAYDAY)
    dues = payable.dues_of(books.session, here, partner_ids=[row.partner_id for row in (*ready, *left)])
    assert {partner_id: reason for partner_id, (_due, reason) in dues.items() if reason} == {
        due.partner_id: reason for due, reason in schedule.blocked
    }
    assert {due.partner_id: due.amount_minor for due in schedule.payable} == {
        row.partner_id: dues[row.partner_id][0].amount_minor for row in ready
    }


def test_lists_are_searched_by_partner_while_the_sum_stays_that_of_all(books: Books) -> None:
    wanted = books.session.get_one(Partner, books.partner.id)
    wanted.name = "Slow_Kitchen"
    books.session.flush()
    whole, _ready, _left = told(books)
    found, ready, left = told(books, name="w_k")
    assert ([row.partner_id for row in ready], left) == ([wanted.id], [])
    assert found.payable == whole.payable
    assert list(found.dues) == [wanted.id]


def test_a_partner_is_found_by_letters_beyond_the_plain_ones(books: Books) -> None:
    """SQLite's own `lower` leaves these as they are, and what is looked for had become small."""
    wanted = books.session.get_one(Partner, books.partner.id)
    wanted.name = "Żółta Kuchnia"
    books.session.flush()
    for name in ("Żółta", "żółta k"):
        assert [row.partner_id for row in told(books, name=name)[1]] == [wanted.id]
    run = propose(books)
    page = money.payouts_page(books.session, run_id=run.id, name="Żółta", cursor=None)
    assert [row.partner_id for row in page.rows] == [wanted.id]


def test_what_is_under_review_or_awaits_an_invoice_is_left_out_in_the_same_list(session: Session) -> None:
    books = open_books(session)
    make_buyer(session, books.program)
    make_rule(session, books.program)
    make_profile(session, books.program, books.partner.id, paper=PaperKind.OWN_INVOICE)
    earn(books)
    held = books.order(partner=other(books))
    books.work()
    session.execute(
        sa.update(Commission).where(Commission.conversion_id == held.id).values(status=CommissionStatus.UNDER_REVIEW)
    )
    propose(books)
    _found, ready, left = told(books, size=1)
    assert (ready, [(row.kind, row.at) for row in left]) == ([], [("awaited", 12_20), ("review", 10_00)])
    found = payouts.upcoming(session, program=books.program, now=PAYDAY)
    assert [payout.amount_minor for payout in found.awaited.values()] == [12_20]
    assert [review.amount_minor for review in found.reviews.values()] == [10_00]


def test_a_page_reads_the_partners_of_the_page_and_no_others(books: Books, count_queries: Any) -> None:
    with count_queries() as few:
        found = payouts.upcoming(books.session, program=books.program, now=PAYDAY, size=1)
    assert (len(found.ready.rows), len(found.left.rows), len(found.dues)) == (1, 1, 2)
    for _ in range(10):
        earn(books, partner=other(books))
    with count_queries() as many:
        payouts.upcoming(books.session, program=books.program, now=PAYDAY, size=1)
    assert len(many) == len(few)
