"""What the console reads across stages, on SQLite and PostgreSQL."""

from datetime import datetime, timedelta
from functools import partial
from itertools import product
from typing import Any

import pytest
import sqlalchemy as sa
from factories import (
    NOW,
    make_application,
    make_clicks,
    make_conversion,
    make_link,
    make_member,
    make_partner,
    make_user,
)
from money_cast import MATURE, Books, open_books
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import audit
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.mail_kinds import MailKind
from affiliate.commissions import queries as commissions
from affiliate.commissions.maturity import Milestone
from affiliate.commissions.models import Commission, CommissionStatus
from affiliate.console import paging
from affiliate.console.queries import contacts, events, lists, money, named, orders, partners, stirring, trail, work
from affiliate.console.queries.beside import beside
from affiliate.console.queries.contacts import Contact
from affiliate.creatives import queries as creatives
from affiliate.ingest.models import DeadLetter, RejectedEvent, RejectReason
from affiliate.joining.models import Invitation
from affiliate.newsletters.content import IssueKind
from affiliate.newsletters.models import DeliveryStatus, IssueStatus, NewsletterDelivery, NewsletterIssue
from affiliate.partners.models import Application, EnrollmentStatus, Member, Partner, PartnerNotice
from affiliate.payouts import service as payouts
from affiliate.payouts.models import Adjustment, AdjustmentKind, AdjustmentStatus, CostKind, PartnerCost
from affiliate.privacy.models import ErasureRequest, ErasureStatus
from affiliate.programs.models import GoalMetric
from affiliate.relations import agreeing, caring
from affiliate.relations import service as cases
from affiliate.relations.claims import Claim
from affiliate.relations.models import CaseKind, CaseStatus, Side
from affiliate.reports import remarks, statuses
from affiliate.reports.service_measures import ServiceMeasure
from affiliate.reports.shared_models import SharedReport
from affiliate.reports.written_models import Campaign, ServiceEntry


@pytest.fixture
def books(session: Session) -> Books:
    """A program with two sales (one still pending), a link and an applicant."""
    books = open_books(session)
    books.order(order_id="old", occurred_at=NOW - timedelta(days=40), amount_minor=300_00)
    books.order(order_id="new", occurred_at=NOW - timedelta(days=1))
    books.work()
    applicant = make_partner(session, program=books.program, status=EnrollmentStatus.PENDING, name="Ferro e Fuoco")
    make_application(session, program=books.program, partner=applicant, user=make_user(session))
    link = make_link(session, program=books.program, partner=books.partner)
    make_clicks(session, link=link, hour=NOW, clicks=7)
    return books


def test_what_waits_for_a_person(session: Session, books: Books) -> None:
    here = {"program_id": books.program.id}
    assert work.open_decisions(session, **here)[0] == work.OpenDecisions(
        applications=1, runs=0, reviews=0, creatives=0, cases=0
    )
    [application] = session.execute(work.applications_waiting(**here)).all()
    assert (application.name, application.answers["why"]) == ("Ferro e Fuoco", "We cook with your pots.")
    late = {"program_id": books.program.id, "now": NOW}
    assert work.overdue(session, **late, applied_before=NOW + timedelta(seconds=1)).late == 1
    at = stirring.Moments(NOW, NOW + timedelta(seconds=1), NOW, NOW.date(), NOW.date(), NOW)
    assert stirring.stirring(session, **here, at=at, letters_of=None).applications == stirring.Waiting(1, 1, None)
    session.execute(sa.update(Application).values(confirmed_at=NOW + timedelta(days=9)))  # refused, and applied again
    assert work.overdue(session, **late, applied_before=NOW + timedelta(seconds=1)).late == 0
    assert stirring.stirring(session, **here, at=at, letters_of=None).applications == stirring.Waiting(1, 0, None)
    assert session.execute(work.applications_waiting(**here)).one().waits_since == NOW + timedelta(days=9)
    soon, month = _maturing(session, **here, until=MATURE, month_ends=NOW)
    assert (soon.count, soon.amount_minor, soon.first_at) == (1, 10_00, NOW + timedelta(days=29))
    assert month == work.Validating(0, 0, 0)
    soon, month = _maturing(session, **here, until=NOW, month_ends=MATURE)
    assert soon == work.Maturing(0, 0, None)
    assert month == work.Validating(1, 10_00, 0)
    assert [work.left_after(session, **here, after=moment) for moment in (NOW, MATURE)] == [10_00, 0]
    payouts.propose(session, program_id=books.program.id, actor=books.alice, now=NOW)
    assert work.open_decisions(session, **here)[0].runs == 1
    [run] = work.open_runs(session, **here)
    assert (run.total_minor, run.partners, run.proposed_by) == (30_00, 1, "Alice")
    assert work.has_plan(session, **here)


def _maturing(session: Session, **asked: Any) -> tuple[work.Maturing, work.Validating]:
    found = work.coming(session, since=NOW, **asked)
    return found.soon, found.month


def test_lists_of_any_length_stand_beside_one_another_in_their_own_order(session: Session) -> None:
    for name, website in (("C", None), ("A", "https://a.example"), ("B", None)):
        make_partner(session, name=name).website = website
    session.flush()

    def placed(column: Any, *more: Any) -> Any:
        return sa.select(column, *more, sa.func.row_number().over(order_by=Partner.name).label("place"))

    lists = {
        "names": placed(Partner.name, Partner.website).order_by(Partner.name),
        "whole": placed(Partner).order_by(Partner.name).limit(2),
        "nobody": placed(Partner.id).where(Partner.name == "D"),
    }
    found = beside(session, lists)
    assert [tuple(row) for row in found["names"]] == [("A", "https://a.example"), ("B", None), ("C", None)]
    assert [row.Partner.name for row in found["whole"]] == ["A", "B"]
    assert found["nobody"] == []
    assert beside(session, {}) == {}


def test_what_awaits_its_order_is_not_approved_by_itself_and_is_validated_all_the_same(
    session: Session, books: Books
) -> None:
    here = {"program_id": books.program.id}
    waiting = books.order(order_id="cod", occurred_at=NOW - timedelta(days=33))
    books.work(now=NOW - timedelta(days=33))
    session.execute(
        sa.update(Commission)
        .where(Commission.conversion_id == waiting.id)
        .values(awaits=Milestone.PAID, status="pending")
    )
    soon, month = _maturing(session, **here, until=MATURE, month_ends=MATURE)
    assert soon == work.Maturing(1, 10_00, NOW + timedelta(days=29))
    assert month == work.Validating(2, 20_00, 1)
    assert [work.left_after(session, **here, after=moment) for moment in (NOW, MATURE)] == [20_00, 10_00]
    for due, known in ((NOW, []), (MATURE, ["new"])):
        found = money.commissions(session, **here, status=CommissionStatus.PENDING, due_before=due)
        assert [row.order_id for row in found.rows] == known
        pending = {CommissionStatus.PENDING}
        found = money.decidable(**here, statuses=pending, due_before=due)
        assert len(session.execute(found).all()) == len(known)


def test_what_comes_is_what_each_commission_says_whichever_moment_is_the_later(session: Session, books: Books) -> None:
    for day in range(6):
        order = books.order(order_id=f"day {day}", occurred_at=NOW - timedelta(days=30 - day))
        books.work(now=NOW - timedelta(days=30 - day))
        values = {"matures_at": NOW + timedelta(days=day), "amount_minor": 1 << day, "awaits": Milestone.PAID if day % 3 == 1 else None}  # fmt: skip
        session.execute(sa.update(Commission).where(Commission.conversion_id == order.id).values(values))
    session.expire_all()
    rows = session.scalars(sa.select(Commission).where(Commission.status == CommissionStatus.PENDING)).all()
    moments = [NOW + timedelta(days=number) for number in (0, 2, 3, 9)]
    for until, month_ends in product(moments, moments):
        soon, month = _maturing(session, program_id=books.program.id, until=until, month_ends=month_ends)
        mine = [one for one in rows if one.matures_at < until and one.awaits is None]
        left = sum(one.amount_minor for one in mine)
        assert soon == work.Maturing(len(mine), left, min((one.matures_at for one in mine), default=None))
        due = [one for one in rows if one.matures_at < month_ends]
        held = sum(one.awaits is not None for one in due)
        assert month == work.Validating(len(due), sum(one.amount_minor for one in due), held)


def test_refused_events_are_counted_by_reason_since_a_moment(session: Session, books: Books) -> None:
    for hours, reason in (
        (1, RejectReason.BAD_FIELDS),
        (2, RejectReason.BAD_FIELDS),
        (3, RejectReason.CONFLICTING_BODY),
    ):
        session.add(_refused(books, reason, hours))
    session.add(_refused(books, RejectReason.BAD_FIELDS, 200))
    found = work.refused_since(session, program_id=books.program.id, since=NOW - timedelta(days=7))
    assert [(each.reason, each.count) for each in found] == [
        (RejectReason.BAD_FIELDS, 2),
        (RejectReason.CONFLICTING_BODY, 1),
    ]
    assert found[0].newest_at == NOW - timedelta(hours=1)
    beside = work.coming(session, program_id=books.program.id, until=NOW, month_ends=NOW, since=NOW - timedelta(days=7))
    assert beside.refused == found
    page = events.rejected(session, program_id=books.program.id, cursor=None)
    assert [row.at for row in page.rows] == sorted((row.at for row in page.rows), reverse=True)


def _refused(books: Books, reason: RejectReason, hours: int) -> RejectedEvent:
    facts = {"program_id": books.program.id, "kind": "conversion", "reason": reason, "payload": {}}
    return RejectedEvent(id=ids.new(), **facts, received_at=NOW - timedelta(hours=hours))


def test_dead_letters_tell_since_when_the_oldest_waits(session: Session) -> None:
    assert events.oldest_dead_letter(session, program_id=None) == (0, None)
    one, other = ids.new(), ids.new()
    for hours, program_id in ((9, None), (7, other), (5, one), (2, one)):
        row = DeadLetter(id=ids.new(), stream="aff:orders", entry_id=str(hours), payload="", error="x")
        row.failed_at, row.program_id = NOW - timedelta(hours=hours), program_id
        session.add(row)
    assert events.oldest_dead_letter(session, program_id=one) == (2, NOW - timedelta(hours=5))
    assert events.oldest_dead_letter(session, program_id=None) == (4, NOW - timedelta(hours=9))
    shown = {who: events.dead_letters(session, program_id=who, cursor=None).rows for who in (one, other, None)}
    entries = [[row.entry_id for row in rows] for rows in shown.values()]
    assert entries == [["2", "5"], ["7"], ["2", "5", "7", "9"]]


def test_commissions_are_listed_summed_and_narrowed(session: Session, books: Books) -> None:
    here = {"program_id": books.program.id}
    sums = {each.status: (each.commissions, each.left_minor) for each in statuses.totals(session, **here)}
    assert sums == {CommissionStatus.PENDING: (1, 10_00), CommissionStatus.APPROVED: (1, 30_00)}
    assert statuses.totals(session, **here, partner_id=ids.new()) == []
    listed = money.commissions(session, **here).rows
    assert [(row.order_id, row.partner) for row in listed] == [("new", books.partner.name), ("old", books.partner.name)]
    [pending] = money.commissions(session, **here, status=CommissionStatus.PENDING, due_before=MATURE).rows
    assert commissions.left_of(session, **here, commission_ids=[pending.id, ids.new()]) == {pending.id: 10_00}
    assert money.commissions(session, **here, due_before=NOW - timedelta(days=90)).rows == []


def test_a_run_knows_its_people_and_what_each_partner_got_before(session: Session, books: Books) -> None:
    first = payouts.propose(session, program_id=books.program.id, actor=books.alice, now=NOW)
    payouts.approve_run(session, run_id=first.id, program_id=books.program.id, actor=books.bob, now=NOW)
    payouts.mark_paid(session, run_id=first.id, program_id=books.program.id, actor=books.bob, now=NOW)
    books.work(now=MATURE)
    second = payouts.propose(session, program_id=books.program.id, actor=books.bob, now=MATURE)
    session.flush()
    row = money.run(session, program_id=books.program.id, run_id=first.id)
    assert row is not None
    assert (row.proposed_by, row.approved_by, row.paid_by, row.cancelled_by) == ("Alice", "Bob", "Bob", None)
    assert money.run(session, program_id=ids.new(), run_id=first.id) is None
    assert [
        (each.amount_minor, each.before_minor)
        for each in money.payouts_page(session, run_id=first.id, cursor=None).rows
    ] == [(30_00, None)]
    assert [
        (each.amount_minor, each.before_minor)
        for each in money.payouts_page(session, run_id=second.id, cursor=None).rows
    ] == [(10_00, 30_00)]
    (sums,) = money.sums_of(session, run_id=second.id)
    assert (sums.payouts, sums.waiting, sums.earned_minor, sums.before_minor) == (1, 0, 10_00, 30_00)
    unlike = {"run_id": second.id, "times": 3, "partner_ids": []}
    assert money.unlike_before(session, **unlike) == []
    assert len(money.unlike_before(session, **unlike | {"partner_ids": [books.partner.id]})) == 1
    assert len(money.unlike_before(session, **unlike | {"times": 0})) == 1
    assert money.unlike_before(session, **unlike | {"run_id": first.id}) == []  # a first one: not read row by row
    told = [money.first_payouts(session, run_id=run.id, names_max=1) for run in (first, second)]
    assert told == [money.First(1, 30_00, [books.partner.name]), money.First(0, 0, [])]
    assert [each.partners for each in money.runs(session, program_id=books.program.id, cursor=None).rows] == [1, 1]


def test_orders_are_listed_by_state_with_their_partners(session: Session, books: Books) -> None:
    make_conversion(session, program=books.program, order_id="waiting")
    found = {
        state: orders.listed(session, program_id=books.program.id, state=state, cursor=None).rows
        for state in orders.State
    }
    assert {state.value: [row.order_id for row in rows] for state, rows in found.items()} == {
        "credited": ["new", "old"], "uncredited": [], "waiting": ["waiting"], "unverified": [], "test": [],
    }  # fmt: skip
    row = found[orders.State.CREDITED][0]
    names = orders.credited(session, attribution_ids=[row.attribution_id])
    assert names == {row.attribution_id: [(books.partner.id, books.partner.name)]}
    evidence = orders.of_one(session, program=books.program, conversion_id=row.id)
    assert evidence is not None
    assert [each.partner for each in evidence.commissions] == [books.partner.name]


def test_a_partners_page_has_links_people_and_applications(session: Session, books: Books) -> None:
    here = {"program_id": books.program.id, "partner_id": books.partner.id}
    [link] = partners.links_of(session, **here, since=NOW - timedelta(days=1), cursor=None).rows
    assert link.at == 7
    assert partners.links_of(session, **here, since=NOW + timedelta(hours=1), cursor=None).rows[0].at == 0
    assert books.partner.name in named.offered(session, **here).partners
    assert [len(rows) for rows in partners.people_and_payouts(session, **here)] == [1, 0]
    row = partners.of_one(session, **here)
    assert row is not None
    assert row.Application is None
    assert partners.of_one(session, program_id=ids.new(), partner_id=books.partner.id) is None
    page = partners.enrollments(session, program_id=books.program.id, status=EnrollmentStatus.PENDING, cursor=None)
    assert [each.name for each in page.rows] == ["Ferro e Fuoco"]


def test_the_trail_names_who_acted(session: Session, books: Books) -> None:
    facts = {"action": "goal.create", "subject_kind": "goal", "subject_id": ids.new(), "program_id": books.program.id}
    audit.record(session, actor=books.alice, **facts, now=NOW)
    session.flush()
    found = trail.events(session, program_id=books.program.id, subject_kind="goal", cursor=None).rows
    assert [(row.actor, row.action) for row in found] == [("Alice", "goal.create")]
    assert trail.subject_kinds(session, program_id=books.program.id) == ["goal"]
    assert trail.events(session, program_id=ids.new(), cursor=None).rows == []


def test_contacts_come_from_notes_cases_mails_and_newsletters(session: Session, books: Books) -> None:
    here: dict[str, Any] = {"program_id": books.program.id, "partner_id": books.partner.id}
    claim = Claim(CaseKind.MISSING_SALE, "Where is it?", "new")
    about: dict[str, Any] = {"program": books.program, "partner_id": books.partner.id}
    case = cases.open_case(session, **about, claim=claim, actor=SYSTEM, now=NOW)
    cases.answer(session, program=books.program, case_id=case.id, text="Here.", asks=False, actor=books.alice, now=NOW)
    caring.note(session, **here, text="Called.", actor=books.alice, now=NOW + timedelta(hours=2))
    _notice(session, books, at=NOW + timedelta(hours=3))
    _newsletter(session, books, at=NOW + timedelta(hours=4))
    found = contacts.of_partner(session, **here, kinds=Contact, cursor=None).rows
    assert [row.kind for row in found] == ["newsletter", "notice", "note", "case", "case"]
    assert [(row.text, row.by, row.of_program) for row in found[2:3]] == [("Called.", "Alice", None)]
    assert {(row.text, row.of_program, row.about) for row in found[3:]} == {
        ("Where is it?", False, case.id),
        ("Here.", True, case.id),
    }
    assert [row.texts["en"] for row in found[:2]] == [{"subject": "News"}, {"title": "Told", "lines": [], "act": ""}]
    assert found[0].at == NOW + timedelta(hours=4)
    some = contacts.of_partner(session, **here, kinds={Contact.NOTICE, Contact.NEWSLETTER}, cursor=None).rows
    assert [row.kind for row in some] == ["newsletter", "notice"]
    here["program_id"] = ids.new()
    assert contacts.of_partner(session, **here, kinds=Contact, cursor=None).rows == []


def _notice(session: Session, books: Books, *, at: datetime) -> None:
    texts = {"en": {"title": "Told", "lines": [], "act": ""}}
    here: dict[str, Any] = {"program_id": books.program.id, "partner_id": books.partner.id}
    for kind in (MailKind.AGREED, MailKind.CASES):  # what a case says stands as the case
        session.add(PartnerNotice(id=ids.new(), **here, kind=kind, texts=texts, path="", created_at=at))


def _newsletter(session: Session, books: Books, *, at: datetime) -> None:
    issue = NewsletterIssue(
        id=ids.new(), program_id=books.program.id, kind=IssueKind.NEWS, status=IssueStatus.SENT, language="en",
        texts={"en": {"subject": "News"}}, blocks=[], segment={}, created_at=at, updated_at=at,
    )  # fmt: skip
    session.add(issue)
    session.flush()
    make_member(session, user=make_user(session, email="second@example.test"), partner=books.partner)
    members = sa.select(Member.user_id).where(Member.partner_id == books.partner.id)
    for user_id in session.scalars(members).all():
        session.add(
            NewsletterDelivery(
                id=ids.new(), issue_id=issue.id, user_id=user_id, partner_id=books.partner.id, status=DeliveryStatus.SENT,
                due_at=at, settled_at=at,
            )
        )  # fmt: skip
    session.flush()


def test_the_trail_of_a_partner_speaks_of_what_is_its_own(session: Session, books: Books) -> None:
    here: dict[str, Any] = {"program_id": books.program.id, "partner_id": books.partner.id}
    other = make_partner(session, program=books.program, name="Another")
    for partner_id in (books.partner.id, other.id):
        about: dict[str, Any] = {"program_id": books.program.id, "partner_id": partner_id}
        caring.note(session, **about, text="Called.", actor=books.alice, now=NOW)
        target = agreeing.Target(GoalMetric.SALES, 5, NOW.date(), NOW.date() + timedelta(days=9))
        who = agreeing.Who(Side.PROGRAM, books.alice)
        agreeing.propose(session, program=books.program, partner_id=partner_id, target=target, who=who, now=NOW)
    found = trail.events(session, **here, cursor=None).rows
    assert sorted(row.action for row in found) == ["partner.note", "partner_goal.propose"]
    assert trail.events(session, **here, cursor=None, size=1).older is not None
    assert trail.events(session, program_id=ids.new(), partner_id=books.partner.id, cursor=None).rows == []


def test_cases_creatives_and_campaigns_are_paged_and_narrowed(session: Session, books: Books) -> None:
    here: dict[str, Any] = {"program_id": books.program.id}
    for number in range(3):
        claim = Claim(CaseKind.MISSING_SALE, "Where is it?", str(number))
        later = NOW + timedelta(hours=number)
        cases.open_case(
            session, program=books.program, partner_id=books.partner.id, claim=claim, actor=SYSTEM, now=later
        )
        day = NOW.date() + timedelta(days=number % 2)
        session.add(
            Campaign(
                id=ids.new_at(later), **here, name=f"Autumn {number}", note="", starts_on=day, ends_on=day + timedelta(days=1),
                cost_minor=0, currency="EUR", created_at=NOW, updated_at=NOW,
            )
        )  # fmt: skip
    session.flush()
    open_ones = lists.cases(session, **here, status=CaseStatus.OPEN, cursor=None)
    assert [row.Case.order_id for row in open_ones.rows] == ["0", "1", "2"]  # the soonest promise first
    newest = lists.cases(session, **here, status=None, name=books.partner.name.upper()[:5], cursor=None)
    assert [row.Case.order_id for row in newest.rows] == ["2", "1", "0"]
    assert lists.cases(session, **here, status=CaseStatus.ASKED, cursor=None).rows == []
    assert lists.waiting_cases(session, **here) == {CaseStatus.OPEN: 3}
    seen, cursor = [], None
    while len(seen) < 9:
        page = lists.campaigns(session, **here, cursor=paging.read_cursor(cursor), size=1)
        seen += [row.Campaign.name for row in page.rows]
        cursor = page.older
        if cursor is None:
            break
    assert seen == ["Autumn 1", "Autumn 2", "Autumn 0"]
    back = lists.campaigns(session, **here, cursor=paging.read_cursor(page.newer), size=1)
    assert [row.Campaign.name for row in back.rows] == ["Autumn 2"]
    assert [row.Campaign.name for row in lists.campaigns(session, **here, name="MN 2", cursor=None, size=9).rows] == [
        "Autumn 2"
    ]
    other_list = paging.read_cursor("O99999999.00000000000000000000000000000000")  # days end before: the first page
    assert len(lists.campaigns(session, **here, cursor=other_list, size=9).rows) == 3
    wanted = creatives.Wanted(words="nothing")
    assert lists.creatives(session, **here, wanted=wanted, now=NOW, cursor=None).rows == []


def test_what_is_written_down_is_paged_on_both_databases(session: Session, books: Books) -> None:
    here: dict[str, Any] = {"program_id": books.program.id}
    who: dict[str, Any] = {"actor": books.alice, "now": NOW}
    about = {**here, "partner_id": books.partner.id}
    user = make_user(session, name="Zoe", email="zoe@example.test")
    for number in range(51):
        day, at = NOW.date() - timedelta(days=number), NOW - timedelta(hours=number)
        remarks.note(session, **here, day=day, text=str(number), **who)
        session.add(
            ServiceEntry(
                id=ids.new(), **about, measure=ServiceMeasure.ON_TIME, number=number, starts_on=day,
                ends_on=day + timedelta(days=1), note="", source="", created_at=NOW, created_by_id=user.id,
            )
        )  # fmt: skip
        session.add(Invitation(id=ids.new(), **here, code=f"c{number}", name=str(number), created_at=at))
        session.add(
            ErasureRequest(
                id=ids.new(), **about, asked_by_id=user.id, asked_at=at, status=ErasureStatus.REFUSED, decided_at=NOW
            )
        )
        session.add(
            Adjustment(
                id=ids.new(), **about, kind=AdjustmentKind.BONUS, amount_minor=number + 1, currency="EUR", reason="So.",
                status=AdjustmentStatus.DECLINED, entered_by_id=user.id, entered_at=at, decided_at=NOW,
            )
        )  # fmt: skip
        session.add(
            Adjustment(
                id=ids.new(), **about, kind=AdjustmentKind.BONUS, amount_minor=number + 1, currency="EUR", reason="So.",
                status=AdjustmentStatus.PROPOSED, entered_by_id=user.id, entered_at=at,
            )
        )  # fmt: skip
        session.add(
            PartnerCost(
                id=ids.new(), **about, kind=CostKind.SAMPLES, spent_on=day, amount_minor=number + 1, currency="EUR",
                note="", entered_by_id=user.id, entered_at=at,
            )
        )  # fmt: skip
        session.add(
            SharedReport(
                id=ids.new(), **here, title=str(number), arguments={}, time_zone="UTC", names_partners=False, ends_at=at,
                views=0, created_by_id=user.id, created_at=at,
            )
        )  # fmt: skip
    session.flush()
    reads: dict[str, tuple[Any, Any]] = {
        "notes": (partial(lists.notes_on_days, session, **here), lambda row: int(row.text)),
        "service": (partial(lists.service_entries, session, **here), lambda row: row.ServiceEntry.number),
        "invitations": (partial(lists.invitations, session, **here), lambda row: int(row.Invitation.name)),
        "erasures": (partial(lists.erasures, session, **here, waits=False), lambda row: (NOW - row.at).seconds // 3600 + (NOW - row.at).days * 24),
        "entries": (partial(lists.adjustments, session, **here, waits=False), lambda row: row.Adjustment.amount_minor - 1),
        "waiting": (partial(lists.adjustments, session, **here, waits=True), lambda row: row.Adjustment.amount_minor - 1),
        "costs": (partial(lists.costs, session, **about), lambda row: row.PartnerCost.amount_minor - 1),
        "shared": (partial(lists.shared_reports, session, **here), lambda row: int(row.SharedReport.title)),
    }  # fmt: skip
    for name, (read, told) in reads.items():
        rows = [told(row) for row in paging.every_row(lambda at, read=read: read(cursor=at))]  # type: ignore[misc]
        assert rows == list(range(51)), name
        assert len(read(cursor=None).rows) == paging.PAGE_SIZE
    elsewhere: dict[str, Any] = {"program_id": ids.new(), "cursor": None}
    assert lists.papers(session, **here, cursor=None).rows == []
    for read in (
        lists.notes_on_days,
        lists.service_entries,
        lists.invitations,
        lists.adjustments,
        lists.papers,
        lists.shared_reports,
    ):
        assert read(session, **elsewhere).rows == []
    assert lists.erasures(session, **here, waits=True, cursor=None).rows == []
