"""Papers that we write, on both databases: numbers without gaps, corrections to the cent, one paper each for ever."""

import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from factories import make_partner, make_program, make_refund
from money_cast import MATURE, Books, open_books
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from tax_cast import make_buyer, make_profile, make_rule

from affiliate.money import Money
from affiliate.papers import issuing, queries
from affiliate.papers.models import DocumentKind, Paper, PaperSeries
from affiliate.partners.models import Enrollment, EnrollmentStatus
from affiliate.payouts import adjusting, service, waiting
from affiliate.payouts.models import AdjustmentKind, PaperState, Payout, PayoutRun
from affiliate.payouts.queries import preview
from affiliate.payouts.schedule import Blocked
from affiliate.taxes.figures import PaperKind

PAYDAY = MATURE + timedelta(days=1)


def open_taxed(session: Session, *, paper: PaperKind = PaperKind.SELF_BILLING, **rule: Any) -> Books:
    """A program that writes papers, and its partner under a rule: 22 % VAT, 23 % withheld of one half."""
    books = open_books(session)
    make_buyer(session, books.program)
    make_rule(session, books.program, **rule)
    make_profile(session, books.program, books.partner.id, paper=paper)
    return books


def earn(books: Books, **fields: Any) -> Any:
    conversion = books.order(**fields)
    books.work(now=MATURE)
    return conversion


def propose(books: Books) -> PayoutRun:
    return service.propose(books.session, program_id=books.program.id, actor=books.alice, now=PAYDAY)


def step(books: Books, act: Any, run: PayoutRun, **facts: Any) -> None:
    act(books.session, run_id=run.id, program_id=books.program.id, actor=books.bob, now=PAYDAY, **facts)
    books.session.expire_all()
    books.assert_proven()


def issue(books: Books) -> list[tuple[str, int, int, int]]:
    """Run the job; gives number, taxable, VAT and withheld of every paper in the order of writing."""
    issuing.issue_due(books.session, limit=10, now=PAYDAY)
    issuing.take_back(books.session, limit=10, now=PAYDAY)
    books.session.flush()
    papers = books.session.scalars(sa.select(Paper)).all()
    found = [(p.document["number"], p.taxable_minor, p.vat_minor, p.withheld_minor) for p in papers]
    return sorted(found, key=lambda each: (each[0].split("-")[0], each[0]))


def pay(books: Books) -> PayoutRun:
    run = propose(books)
    step(books, service.approve_run, run)
    step(books, service.mark_paid, run)
    return run


def enter(books: Books, minor: int, kind: AdjustmentKind) -> None:
    """An entry by hand; a write-off while the partner is away for a moment."""
    mine = sa.update(Enrollment).where(Enrollment.partner_id == books.partner.id)
    said = {"program_id": books.program.id, "now": PAYDAY}
    facts = said | {"partner_id": books.partner.id, "kind": kind, "amount": Money(minor, "EUR"), "reason": "So be it."}
    books.session.execute(mine.values(status=EnrollmentStatus.PAUSED))
    entry = adjusting.enter(books.session, **facts, actor=books.alice)
    adjusting.approve(books.session, **said, adjustment_id=entry.id, actor=books.bob)
    books.session.execute(mine.values(status=EnrollmentStatus.APPROVED))
    books.assert_proven()


def test_withholding_splits_the_payout_between_partner_and_state_in_the_ledger(session: Session) -> None:
    books = open_taxed(session)
    earn(books)  # 10.00 of commission: VAT 2.20, withheld 23 % of 5.00 = 1.15
    run = propose(books)
    assert run.total_minor == 12_20
    books.assert_proven()
    step(books, service.approve_run, run)
    assert books.balances() == {"in_transit": 11_05, "tax_payable": 1_15}
    step(books, service.mark_paid, run)
    assert books.balances() == {"paid": 11_05, "tax_payable": 1_15}


def test_a_failed_payout_gives_tax_and_commissions_back(session: Session) -> None:
    books = open_taxed(session)
    earn(books)
    run = propose(books)
    step(books, service.approve_run, run)
    (payout,) = session.scalars(sa.select(Payout))
    step(books, service.mark_failed, run, only=[payout.id], reason="Account closed.")
    assert books.balances() == {"approved": 10_00}


def test_an_approved_payout_gets_its_paper_once(session: Session) -> None:
    books = open_taxed(session)
    earn(books)
    run = propose(books)
    assert issue(books) == []  # a proposed one may still be taken back
    step(books, service.approve_run, run)
    expected = [("SB-2026-00001", 10_00, 2_20, 1_15)]
    assert issue(books) == expected
    step(books, service.mark_paid, run)
    assert issue(books) == expected
    (paper,) = session.scalars(sa.select(Paper))
    assert (paper.kind, paper.document["seller"]["vat_id"]) == (DocumentKind.INVOICE, "IT12345670017")
    assert paper.document["figures"]["to_pay_minor"] == 11_05


def test_a_person_without_vat_number_gets_a_receipt_with_stamp_duty(session: Session) -> None:
    occasional = {
        "vat_bps": 0,
        "base_share_bps": 100_00,
        "rate_bps": 20_00,
        "stamp_minor": 2_00,
        "stamp_above_minor": 77_47,
    }
    books = open_taxed(session, paper=PaperKind.RECEIPT, **occasional)
    earn(books, amount_minor=1_000_00)
    run = propose(books)
    step(books, service.approve_run, run)
    assert issue(books) == [("R-2026-00001", 100_00, 0, 20_00)]
    assert books.balances() == {"in_transit": 82_00, "tax_payable": 20_00}


def test_what_comes_back_after_the_payment_corrects_its_invoice(session: Session) -> None:
    books = open_taxed(session)
    conversion = earn(books)  # 10.00
    pay(books)
    issue(books)
    make_refund(session, conversion=conversion, amount_minor=33_33)  # 3.33 of the commission
    books.work(now=PAYDAY)
    earn(books, amount_minor=200_00)  # 20.00
    run = propose(books)
    # 20.00 + 4.40 - (3.33 + 0.73): what was added and withheld then is taken back, to the cent
    (payout,) = session.scalars(sa.select(Payout).where(Payout.run_id == run.id))
    assert (payout.earned_minor, payout.clawed_back_minor, payout.vat_minor) == (20_00, 3_33, 3_67)
    assert (payout.amount_minor, payout.withheld_minor) == (20_34, 1_92)
    step(books, service.approve_run, run)
    assert issue(books) == [
        ("SB-2026-00001", 10_00, 2_20, 1_15),
        ("SB-2026-00002", 20_00, 4_40, 2_30),
        ("SBC-2026-00001", -3_33, -73, -38),
    ]
    correction = session.scalars(sa.select(Paper).where(Paper.corrects_id.is_not(None))).one()
    assert correction.document["corrects"]["number"] == "SB-2026-00001"
    step(books, service.mark_paid, run)
    make_refund(session, conversion=conversion, amount_minor=66_67)  # the rest of it
    books.work(now=PAYDAY)
    earn(books, amount_minor=200_00)
    pay(books)
    taken = [each for each in issue(books) if each[0].startswith("SBC")]
    assert [sum(column) for column in list(zip(*taken, strict=True))[1:]] == [-10_00, -2_20, -1_15]


def test_what_is_written_off_stays_on_its_invoice_and_the_next_one_is_over_what_was_earned(session: Session) -> None:
    books = open_taxed(session)
    conversion = earn(books)  # 10.00
    pay(books)
    issue(books)
    make_refund(session, conversion=conversion, amount_minor=33_33)  # 3.33 of the commission
    books.work(now=PAYDAY)
    enter(books, 2_00, AdjustmentKind.WRITE_OFF)
    earn(books, amount_minor=200_00)
    pay(books)
    assert issue(books)[1:] == [("SB-2026-00002", 20_00, 4_40, 2_30), ("SBC-2026-00001", -1_33, -29, -15)]
    make_refund(session, conversion=conversion, amount_minor=66_67)  # the rest of it
    books.work(now=PAYDAY)
    earn(books, amount_minor=200_00)
    pay(books)
    taken = [each for each in issue(books) if each[0].startswith("SBC")]
    # together what 8.00 are less: VAT 2.20 - 0.44, withheld 1.15 - 0.23
    assert [sum(column) for column in list(zip(*taken, strict=True))[1:]] == [-8_00, -1_76, -92]


def test_a_paper_is_never_corrected_below_nothing(session: Session) -> None:
    books = open_taxed(session)
    conversion = earn(books)
    enter(books, -6_00, AdjustmentKind.CORRECTION)
    pay(books)
    assert issue(books) == [("SB-2026-00001", 4_00, 88, 46)]
    make_refund(session, conversion=conversion, amount_minor=None)  # all 10.00
    books.work(now=PAYDAY)
    earn(books, amount_minor=200_00)
    pay(books)
    assert issue(books)[1:] == [("SB-2026-00002", 14_00, 3_08, 1_61), ("SBC-2026-00001", -4_00, -88, -46)]


def test_papers_of_a_payout_that_failed_are_corrected_to_nothing_and_it_is_invoiced_anew(session: Session) -> None:
    books = open_taxed(session)
    earn(books)
    run = propose(books)
    step(books, service.approve_run, run)
    issue(books)
    step(books, service.cancel_run, run, reason="Wrong bank.")
    assert issue(books) == [("SB-2026-00001", 10_00, 2_20, 1_15), ("SBC-2026-00001", -10_00, -2_20, -1_15)]
    run = propose(books)
    step(books, service.approve_run, run)
    assert [each[0] for each in issue(books)] == ["SB-2026-00001", "SB-2026-00002", "SBC-2026-00001"]


def test_taxes_cost_no_statement_per_partner(session: Session, count_queries: Any) -> None:
    books = open_taxed(session)

    def statements(partners: int) -> int:
        for number in range(partners):
            partner = make_partner(session, program=books.program)
            make_profile(session, books.program, partner.id, paper=PaperKind.RECEIPT)
            books.order(partner=partner, amount_minor=100_00 + 100 * partners + number)
        books.work(now=MATURE)
        with count_queries() as counter:
            propose(books)
        return len(counter)

    assert statements(2) == statements(12)


# --- the partner's own invoice


def test_a_run_is_not_approved_while_an_invoice_is_awaited_and_what_waits_can_be_set_aside(session: Session) -> None:
    books = open_taxed(session, paper=PaperKind.OWN_INVOICE)
    earn(books)
    books.order(partner=make_partner(session, program=books.program), amount_minor=500_00)  # without a profile
    books.work(now=MATURE)
    run = propose(books)
    assert run.total_minor == 12_20 + 50_00
    with pytest.raises(waiting.PapersMissing):
        step(books, service.approve_run, run)
    apart = waiting.set_aside(session, run_id=run.id, program_id=books.program.id, actor=books.bob, now=PAYDAY)
    assert (run.total_minor, apart.total_minor, apart.proposed_by_id) == (50_00, 12_20, books.alice.id)
    with pytest.raises(waiting.NothingWaits):
        waiting.set_aside(session, run_id=apart.id, program_id=books.program.id, actor=books.bob, now=PAYDAY)
    step(books, service.approve_run, run)
    (payout,) = session.scalars(sa.select(Payout).where(Payout.run_id == apart.id))
    assert waiting.accept_paper(session, payout_id=payout.id)
    assert not waiting.accept_paper(session, payout_id=payout.id)
    step(books, service.approve_run, apart)
    assert issue(books) == []


def test_a_program_may_pay_nobody_without_a_tax_profile(session: Session) -> None:
    books = open_books(session)
    earn(books)
    make_buyer(session, books.program, demands_profile=True)
    ((_due, reason),) = preview(session, program_id=books.program.id, now=PAYDAY).blocked
    assert reason is Blocked.TAX_PROFILE_MISSING
    make_rule(session, books.program)
    make_profile(session, books.program, books.partner.id)
    assert preview(session, program_id=books.program.id, now=PAYDAY).blocked == []


# --- numbers


def test_two_at_once_leave_no_gap_and_a_broken_one_gives_its_number_back(engine: Engine) -> None:
    with Session(engine) as session:
        program_id = make_program(session).id
        session.commit()
    found, start = [], threading.Barrier(4)

    def count(breaks: bool) -> None:
        start.wait()
        for _ in range(5):
            with Session(engine) as session:
                number = issuing.next_number(session, program_id=program_id, series="SB", year=2026)
                if breaks:
                    session.rollback()
                else:
                    session.commit()
                    found.append(number)

    threads = [threading.Thread(target=count, args=(breaks,)) for breaks in (False, False, False, True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(1, 16))
    with Session(engine) as session:
        assert session.scalars(sa.select(PaperSeries.last_number)).all() == [15]


def test_two_jobs_at_once_write_each_paper_once(engine: Engine) -> None:
    with Session(engine, expire_on_commit=False) as session:
        books = open_taxed(session)
        for number in range(6):
            partner = make_partner(session, program=books.program)
            make_profile(session, books.program, partner.id, paper=PaperKind.RECEIPT)
            books.order(partner=partner, amount_minor=100_00 + number)
        books.work(now=MATURE)
        run = propose(books)
        step(books, service.approve_run, run)
        session.commit()

    def work() -> None:
        with Session(engine) as session:
            issuing.issue_due(session, limit=10, now=PAYDAY)
            session.commit()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Session(engine) as session:
        assert sorted(session.scalars(sa.select(Paper.number))) == [1, 2, 3, 4, 5, 6]
        assert set(session.scalars(sa.select(Payout.paper))) == {PaperState.ISSUED}


def test_the_year_of_each_partner_adds_up(session: Session) -> None:
    books = open_taxed(session)
    earn(books)
    pay(books)
    ((row),) = queries.year(session, program=books.program, year=PAYDAY.year, limit=10)
    assert (row.name, row.vat_id, row.payouts) == (books.partner.name, "IT12345670017", 1)
    assert (row.taxable_minor, row.vat_minor, row.withheld_minor, row.paid_minor) == (10_00, 2_20, 1_15, 11_05)
    assert queries.year(session, program=books.program, year=PAYDAY.year - 1, limit=10) == []
    assert queries.years(session, program=books.program) == [PAYDAY.year]
