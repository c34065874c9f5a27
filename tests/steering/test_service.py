"""Watches that mail once, and the momentum of partners, on both databases; the figures are those of reports."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from factories import NOW, make_clicks, make_grant, make_link, make_partner, make_refund, make_user
from money_cast import Books, open_books
from sqlalchemy.orm import Session

from affiliate.accounts.models import GrantRole
from affiliate.errors import Invalid
from affiliate.mailer import OutboxMail
from affiliate.notifications import chat_service
from affiliate.notifications.chats import ChatEvent, ChatKind
from affiliate.notifications.models import ChatDelivery, ChatHook
from affiliate.partners.models import Enrollment, EnrollmentStatus
from affiliate.payouts import service as payouts
from affiliate.programs import archive
from affiliate.relations import care_queries
from affiliate.relations.care_models import PartnerCare
from affiliate.reports import risks
from affiliate.reports.momentum import Momentum, Reason
from affiliate.reports.periods import Period
from affiliate.settings import Settings
from affiliate.steering import queries, service
from affiliate.steering.models import KpiWatch, WatchState
from affiliate.steering.thresholds import Side


@pytest.fixture
def books(session: Session, settings: Settings) -> Books:
    """A program with a manager, who hears of alarms."""
    books = open_books(session)
    make_grant(
        session, user=make_user(session, email="olga@shop.example"), role=GrantRole.MANAGER, program=books.program
    )
    return books


def watch(session: Session, books: Books, **fields: Any) -> KpiWatch:
    usual = {"key": "conversions", "side": Side.BELOW, "threshold": 2, "look_back_days": 7, "volume_min": 1}
    return service.add_watch(session, program_id=books.program.id, actor=books.alice, now=NOW, **usual | fields)


def mails(session: Session) -> int:
    counted = sa.select(sa.func.count()).where(OutboxMail.subject.contains("a limit was crossed"))
    return session.scalar(counted) or 0


def test_an_alarm_mails_once_until_it_is_over_and_begins_again(session: Session, books: Books) -> None:
    seen = watch(session, books)
    books.order(order_id="1", occurred_at=NOW - timedelta(days=2))
    books.work()
    assert service.check_due(session, limit=10, now=NOW) == 1
    assert service.check_due(session, limit=10, now=NOW + timedelta(minutes=59)) == 0
    assert (seen.state, seen.value, mails(session)) == (WatchState.ALARM, 1, 1)
    service.check_due(session, limit=10, now=NOW + timedelta(hours=2))
    assert mails(session) == 1
    books.order(order_id="2", occurred_at=NOW - timedelta(days=1))
    books.work()
    service.check_due(session, limit=10, now=NOW + timedelta(hours=4))
    session.refresh(seen)
    assert seen.state is WatchState.QUIET
    service.check_due(session, limit=10, now=NOW + timedelta(days=5, hours=14))
    session.refresh(seen)
    assert (seen.state, mails(session)) == (WatchState.ALARM, 2)


def test_an_alarm_reaches_the_chats_that_asked_for_it(session: Session, books: Books) -> None:
    for name, event in (("#figures", ChatEvent.ALARM), ("#late", ChatEvent.LATE)):
        chat_service.add(
            session, program=books.program, kind=ChatKind.SLACK, name=name, url=f"https://chat.example/{event}",
            events=[event], locale="en", actor=books.alice, now=NOW,
        )  # fmt: skip
    seen = watch(session, books)
    books.order(order_id="1", occurred_at=NOW - timedelta(days=2))
    books.work()
    for hours in (0, 2):
        service.check_due(session, limit=10, now=NOW + timedelta(hours=hours))
    told = session.execute(
        sa.select(ChatHook.name, ChatDelivery.event, ChatDelivery.occasion).join(
            ChatHook, ChatHook.id == ChatDelivery.hook_id
        )
    ).all()
    assert [row.name for row in told] == ["#figures"]
    assert told[0].event is ChatEvent.ALARM
    assert told[0].occasion.startswith(f"alarm:{seen.id.hex}:")


def test_a_watch_that_is_changed_begins_anew_and_mails_again(session: Session, books: Books) -> None:
    seen = watch(session, books)
    books.order(order_id="1", occurred_at=NOW - timedelta(days=2))
    books.work()
    service.check_due(session, limit=10, now=NOW)
    same = {"program_id": books.program.id, "watch_id": seen.id, "actor": books.alice, "now": NOW}
    service.change_watch(session, **same, threshold=2, look_back_days=7, volume_min=1)
    assert seen.state is WatchState.ALARM
    service.change_watch(session, **same, threshold=3, look_back_days=7, volume_min=1)
    assert (seen.state, seen.value, seen.checked_at) == (WatchState.QUIET, None, None)
    service.check_due(session, limit=10, now=NOW)
    assert (seen.state, mails(session)) == (WatchState.ALARM, 2)
    for elsewhere in ({"program_id": books.partner.id}, {"watch_id": books.program.id}):
        with pytest.raises(service.NoSuchWatch):
            service.change_watch(session, **same | elsewhere, threshold=4, look_back_days=7, volume_min=1)
    service.remove_watch(session, **same)
    with pytest.raises(service.NoSuchWatch):
        service.change_watch(session, **same, threshold=4, look_back_days=7, volume_min=1)


def test_too_little_says_nothing_and_a_removed_watch_is_not_looked_at(session: Session, books: Books) -> None:
    seen = watch(session, books, volume_min=50)
    service.check_due(session, limit=10, now=NOW)
    assert (seen.state, mails(session)) == (WatchState.TOO_LITTLE, 0)
    service.remove_watch(session, program_id=books.program.id, watch_id=seen.id, actor=books.alice, now=NOW)
    with pytest.raises(service.NoSuchWatch):
        service.remove_watch(session, program_id=books.program.id, watch_id=seen.id, actor=books.alice, now=NOW)
    assert service.check_due(session, limit=10, now=NOW + timedelta(days=1)) == 0


def test_a_figure_that_does_not_exist_is_refused(session: Session, books: Books) -> None:
    with pytest.raises(Invalid) as refusal:
        watch(session, books, key="luck")
    assert set(refusal.value.errors) == {"key"}


def test_the_figures_about_the_whole_equal_what_one_counts_by_hand(session: Session, books: Books) -> None:
    other = make_partner(session, program=books.program, name="Second")
    link = make_link(session, program=books.program, partner=other)
    books.order(order_id="1", occurred_at=NOW - timedelta(days=2), amount_minor=100_00)
    second = books.order(order_id="2", occurred_at=NOW - timedelta(days=2), amount_minor=300_00)
    books.work()
    make_refund(session, conversion=second, amount_minor=100_00)
    books.work()
    make_clicks(session, link=link, hour=NOW - timedelta(days=2), clicks=7)
    period = Period(NOW.date() - timedelta(days=7), NOW.date(), "UTC")
    found = risks.risk_figures(session, program_id=books.program.id, period=period, currency="EUR")
    assert (found.revenue_minor, found.orders, found.top_partner) == (400_00, 2, (books.partner.id, books.partner.name))
    assert (found.top_share_bps, found.reversal_bps) == (100_00, 25_00)
    nothing = risks.risk_figures(session, program_id=other.id, period=period, currency="EUR")
    assert nothing == risks.RiskFigures(0, 0, None, None, None, None)


def test_each_approved_partner_gets_its_momentum_and_who_leaves_loses_it(
    session: Session, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PARTNERS_AT_ONCE", 2)  # so that a second statement goes on behind the first
    quiet, busy = (make_partner(session, program=books.program, name=name) for name in ("Quiet", "Busy"))
    session.execute(sa.update(Enrollment).values(created_at=NOW - timedelta(days=60)))
    link = make_link(session, program=books.program, partner=busy)
    make_clicks(session, link=link, hour=NOW - timedelta(days=3), clicks=150)
    make_clicks(session, link=link, hour=NOW - timedelta(days=40), clicks=150)
    books.order(order_id="1", occurred_at=NOW - timedelta(days=40), amount_minor=100_00)
    books.work()
    assert service.compute_due(session, now=NOW) == 3
    assert service.compute_due(session, now=NOW + timedelta(hours=5)) == 0
    found = queries.momentum_in(session, program_id=books.program.id)
    told = {row.partner_id: (row.momentum, row.reason, row.weight_minor) for row in found.values()}
    assert told == {
        quiet.id: (Momentum.NEEDS_SUPPORT, Reason.NEVER_STARTED, 0),
        busy.id: (Momentum.NEEDS_SUPPORT, Reason.CLICKS_WITHOUT_SALES, 0),
        books.partner.id: (Momentum.DORMANT, Reason.SILENT, 100_00),
    }
    risk = queries.at_risk(session, program_id=books.program.id)
    assert next(one.momentum.partner_id for one in risk) == books.partner.id
    service.look_after(session, program_id=books.program.id, partner_id=quiet.id, actor=books.alice, now=NOW)
    session.execute(
        sa.update(Enrollment).where(Enrollment.partner_id == busy.id).values(status=EnrollmentStatus.PAUSED)
    )
    assert service.compute_due(session, now=NOW + timedelta(hours=7)) == 2
    session.expire_all()
    left = queries.at_risk(session, program_id=books.program.id)
    assert [one.momentum.partner_id for one in left] == [books.partner.id]
    assert queries.counts_by_momentum(session, program_id=books.program.id)[Momentum.NEEDS_SUPPORT] == 1


def test_who_sells_far_less_to_its_clicks_than_others_do_needs_support(session: Session, books: Books) -> None:
    strong = make_partner(session, program=books.program, name="Strong")
    for partner, clicks in ((books.partner, 10_000), (strong, 100)):
        link = make_link(session, program=books.program, partner=partner)
        for days in (3, 40):
            make_clicks(session, link=link, hour=NOW - timedelta(days=days), clicks=clicks)
    for number, partner in enumerate((books.partner, *[strong] * 4)):
        books.order(partner=partner, order_id=str(number), occurred_at=NOW - timedelta(days=3))
    books.work()
    service.compute_due(session, now=NOW)
    found = queries.momentum_in(session, program_id=books.program.id)
    told = {row.partner_id: (row.momentum, row.reason, row.now, row.before) for row in found.values()}
    assert told == {
        books.partner.id: (Momentum.NEEDS_SUPPORT, Reason.FEW_SALES, 1, 200),  # between 1 of 10,000 and 4 of 100
        strong.id: (Momentum.STEADY, Reason.CLICKS_CHANGED, 100, 100),
    }


def test_managers_and_trials_are_read_on_both_databases(session: Session, books: Books) -> None:
    [olga] = care_queries.managers(session, program_id=books.program.id)
    assert (olga.name, olga.since) == ("Alice Example", NOW)
    care = PartnerCare(program_id=books.program.id, partner_id=books.partner.id, updated_at=NOW)
    care.trial_starts_on, care.trial_ends_on = NOW.date(), NOW.date() + timedelta(days=9)
    session.add(care)
    session.flush()
    books.order(order_id="1", occurred_at=NOW)
    books.work()
    [facts] = care_queries.trial_facts(session, program=books.program, rows=[care])
    assert (facts.orders, facts.earned_minor) == (1, 10_00)


def test_what_is_late_is_told_once_in_the_morning_by_mail_and_chat(session: Session, books: Books) -> None:
    program = books.program
    late = make_partner(session, program=program, status=EnrollmentStatus.PENDING, name="Late")
    long_ago = sa.update(Enrollment).where(Enrollment.partner_id == late.id).values(created_at=NOW - timedelta(days=4))
    session.execute(long_ago)
    make_partner(
        session,
        program=program,
        status=EnrollmentStatus.PENDING,
        name="Early",
        user=make_user(session, email="e@x.test"),
    )
    chat_service.add(
        session, program=program, kind=ChatKind.SLACK, name="#partners", url="https://chat.example/x",
        events=[ChatEvent.LATE], locale="it", actor=books.alice, now=NOW,
    )  # fmt: skip
    night = NOW.replace(hour=0)
    assert not service.tell_late(session, program=program, now=night)
    morning = NOW.replace(hour=12)
    assert [service.tell_late(session, program=program, now=morning) for _ in range(2)] == [True, False]
    told = session.scalars(sa.select(OutboxMail).where(OutboxMail.subject.contains("what is late today"))).all()
    assert [mail.recipient for mail in told] == ["olga@shop.example"]
    assert "Applications without an answer: 1" in told[0].body_text
    assert "/hooks/mails/" in (told[0].stop_url or "")
    assert session.scalars(sa.select(ChatDelivery.occasion)).all() == [f"late:{morning.date()}"]
    assert queries.untold(session, before=morning.date(), limit=9) == []
    assert service.tell_late(session, program=program, now=morning + timedelta(days=1))


def test_an_archived_program_is_late_with_what_it_owes_alone(session: Session, books: Books) -> None:
    program, long_ago = books.program, NOW - timedelta(days=20)
    late = make_partner(session, program=program, status=EnrollmentStatus.PENDING, name="Late")
    session.execute(sa.update(Enrollment).where(Enrollment.partner_id == late.id).values(created_at=long_ago))
    archive.archive(session, program_id=program.id, reason="Sold", actor=books.alice, now=NOW)
    books.order(occurred_at=NOW - timedelta(days=60))
    books.work()
    payouts.propose(session, program_id=program.id, actor=books.alice, now=NOW)
    assert [one.id for one in queries.untold(session, before=NOW.date(), limit=9)] == [program.id]
    later = NOW + timedelta(days=20)
    found = queries.late(session, program_id=program.id, applied_before=later, today=later.date(), now=later)
    assert found == queries.Late(applications=0, cases=0, runs=1, duties=0)


def test_a_morning_on_which_nothing_is_late_is_quiet(session: Session, books: Books) -> None:
    assert service.tell_late(session, program=books.program, now=NOW.replace(hour=12))
    assert session.scalars(sa.select(OutboxMail).where(OutboxMail.subject.contains("late"))).all() == []
