"""Combined reports are counted a day at a time from the clicks that are kept: once, whoever is stopped or killed."""

from datetime import datetime, timedelta
from typing import Any

import event_cast
import pytest
import sqlalchemy as sa
from factories import make_click, make_commission, make_link, make_partner, make_program, tell_origin
from sqlalchemy.orm import Session

from affiliate import clock, db, ids
from affiliate.attribution.models import Credit
from affiliate.errors import Invalid
from affiliate.ingest import service as ingest
from affiliate.ingest.models import ClickVerdict
from affiliate.programs.models import Program
from affiliate.reports import breakdown, combined, combining, jobs, partner_facts, periods, queries, visitors
from affiliate.reports import combined_queries as asking
from affiliate.reports.asked import By
from affiliate.reports.combined_models import Combination, CombinationRow, CombinationStatus
from affiliate.reports.metrics import Facts, total
from affiliate.reports.periods import Period

SUBS = ["reel", "post", ""]


def busy(session: Session, now: datetime, *, zone: str = "Europe/Rome") -> Program:
    """Two partners with two links each: clicks over three days, some by machines, every fifth with a sale."""
    program = make_program(session, time_zone=zone)
    links = [make_link(session, program=program, partner=make_partner(session, program=program)) for _ in range(2)]
    for number in range(30):
        link, at = links[number % 3 % 2], now - timedelta(hours=2 * number, minutes=20)
        event = event_cast.click(
            number, program_id=link.program_id, partner_id=link.partner_id, link_id=link.id, click_id=ids.new_at(at),
            occurred_at=at, country="IT" if number % 2 else "", subs={"sub1": SUBS[number % 3]} if SUBS[number % 3] else {},
            user_agent="Googlebot/2.1" if number % 7 == 0 else event_cast.BROWSER,
        )  # fmt: skip
        ingest.store_batch(session, events=[event], now=now)
        if number % 5 == 0:
            partner = session.get_one(type(make_partner(session)), link.partner_id)
            sold = make_commission(session, program=program, partner=partner, link=link, earned_at=at)
            tell_origin(session, sold, click_id=event.click_id)
    for stretch in visitors.stale(session, since=now - timedelta(days=9), limit=500):
        visitors.count(session, stretch=stretch)
    return program


def ask(session: Session, program: Program, *things: By, days: int = 4, **changes: Any) -> Combination:
    now = clock.now()
    period = periods.last_days(days, now=now, zone=program.time_zone)
    wanted: dict[str, Any] = {
        "partner_id": None,
        "dimensions": things,
        "period": period,
        "asked_by_id": None,
        "now": now,
    }
    return combining.start(session, program_id=program.id, **wanted | changes)


def count_whole(session: Session, asked: Combination) -> None:
    """What the job does, in this session."""
    question = combining.question_of(session, asked)
    done = 0
    while (day := question.day(done)) is not None:
        counts = asking.counted(session, question, day, room=combined.ROWS_MAX)
        assert combining.save(session, question=question, days_done=done, counts=counts, now=clock.now())
        done += 1


def sums(session: Session, asked: Combination, place: int, currency: str = "EUR") -> dict[str, Facts]:
    """Its rows added up by one of its labels."""
    found: dict[str, Facts] = {}
    for row in session.scalars(sa.select(CombinationRow).where(CombinationRow.combination_id == asked.id)):
        facts = Facts(
            currency, row.clicks_raw, row.clicks_valid, row.conversions, row.revenue_minor, row.earned_minor,
            row.reversed_minor,
        )  # fmt: skip
        found[row.labels[place]] = found.get(row.labels[place], Facts(currency)) + facts
    return found


@pytest.mark.parametrize("zone", ["Europe/Rome", "Asia/Kolkata"])
def test_the_numbers_of_a_program_are_those_of_its_rollups(session: Session, zone: str) -> None:
    now = clock.now()
    program = busy(session, now, zone=zone)
    asked = ask(session, program, By.DAY, By.PARTNER, By.COUNTRY)
    count_whole(session, asked)
    period = Period(asked.first, asked.last + timedelta(days=1), zone)
    here: dict[str, Any] = {"program_id": program.id, "period": period, "currency": "EUR"}
    by_day = queries.facts_by_day(session, **here, with_costs=False)
    found = sums(session, asked, 0)
    assert {day.isoformat(): facts for day, facts in by_day.items() if not facts.is_quiet} == found
    assert total(found.values(), currency="EUR").clicks_raw > 20
    assert sums(session, asked, 2) == breakdown.facts_by_country(session, **here)
    by_partner = {
        one.partner_id.hex: (one.facts.clicks_raw, one.facts.conversions, one.facts.earned_minor)
        for one in partner_facts.facts_by_partner(session, **here, limit=10)
        if one.facts.clicks_raw
    }
    told = {key: (one.clicks_raw, one.conversions, one.earned_minor) for key, one in sums(session, asked, 1).items()}
    assert told == by_partner


def test_a_partners_report_holds_nothing_of_others(session: Session) -> None:
    program = busy(session, clock.now())
    partner_id = session.scalars(sa.select(Credit.partner_id).order_by(Credit.id).limit(1)).one()
    asked = ask(session, program, By.LINK, By.SUB, partner_id=partner_id)
    count_whole(session, asked)
    period = Period(asked.first, asked.last + timedelta(days=1), program.time_zone)
    mine: dict[str, Any] = {"program_id": program.id, "partner_id": partner_id, "period": period, "currency": "EUR"}
    assert sums(session, asked, 1) == breakdown.facts_by_sub(session, **mine)
    assert sums(session, asked, 0) == {
        link_id.hex: facts for link_id, facts in breakdown.facts_by_link(session, **mine).items() if link_id
    }
    (link_id,) = breakdown.facts_by_link(session, **mine)
    assert link_id is not None
    assert breakdown.facts_by_sub_of_link(session, **mine, link_id=link_id) == breakdown.facts_by_sub(session, **mine)


def test_clicks_and_sales_meet_by_any_sub_id_and_those_of_another_partners_click_are_not_told(session: Session) -> None:
    now = clock.now()
    program = make_program(session)
    partner, recruiter = (make_partner(session, program=program) for _ in range(2))
    link, at = make_link(session, program=program, partner=partner), now - timedelta(hours=30)
    told = {"sub1": "reel", "sub2": "knives", "sub10": "x" * 150}
    click = make_click(session, link=link, occurred_at=at, subs=told)
    make_click(session, link=link, occurred_at=at, subs={"sub2": "pans"}, verdict=ClickVerdict.BOT)
    make_click(session, link=link, occurred_at=at)
    for earner in (partner, recruiter):
        sold = make_commission(session, program=program, partner=earner, link=link, earned_at=at)
        tell_origin(session, sold, click_id=click.id, sub1="reel")
    make_commission(session, program=program, partner=partner, earned_at=at)
    asked = ask(session, program, By.PARTNER, By.SUB, By.SUB2, By.SUB10)
    count_whole(session, asked)
    rows = session.scalars(sa.select(CombinationRow).where(CombinationRow.combination_id == asked.id))
    assert {tuple(row.labels): (row.clicks_raw, row.clicks_valid, row.conversions) for row in rows} == {
        (partner.id.hex, "reel", "knives", "x" * 100): (1, 1, 1),
        (partner.id.hex, "", "pans", ""): (1, 0, 0),
        (partner.id.hex, "", "", ""): (1, 1, 1),
        (recruiter.id.hex, "reel", "", ""): (0, 0, 1),
    }


def test_days_beyond_what_is_kept_are_refused(session: Session) -> None:
    program, now = make_program(session), clock.now()
    since = combining.kept_since(now=now, zone=program.time_zone)
    ask(session, program, By.DAY, By.LINK, period=Period(since, since + timedelta(days=3), program.time_zone))
    early = Period(since - timedelta(days=1), since + timedelta(days=3), program.time_zone)
    with pytest.raises(Invalid):
        ask(session, program, By.DAY, By.LINK, period=early)


def test_one_report_of_an_owner_is_counted_at_a_time_and_ten_are_kept(app_session: Session) -> None:
    program = make_program(app_session)
    for _ in range(asking.SHOWN_MAX + 2):
        last = ask(app_session, program, By.DAY, By.LINK)
        with pytest.raises(combining.CombinationRuns):
            ask(app_session, program, By.DAY, By.LINK)
        combining.stop(app_session, combination_id=last.id, program_id=program.id, partner_id=None)
    found = asking.combinations(app_session, program_id=program.id, partner_id=None)
    assert (len(found), found[0].id) == (asking.SHOWN_MAX, last.id)
    assert app_session.scalar(sa.select(sa.func.count()).select_from(Combination)) == asking.SHOWN_MAX


def test_a_report_that_is_stopped_or_killed_goes_on_where_it_was(
    app_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = busy(app_session, clock.now())
    asked = ask(app_session, program, By.LINK, By.SUB, days=5)
    app_session.commit()
    owner: dict[str, Any] = {"program_id": program.id, "partner_id": None}
    monkeypatch.setattr(jobs, "SLICE_SECONDS", 0.0)  # a day each time
    assert jobs.combine() == 0
    jobs._combine_day()
    with db.reading() as other:
        read = other.get_one(Combination, asked.id).days_done
        question = combining.question_of(other, other.get_one(Combination, asked.id))
        day = question.day(read)
        assert day is not None
        counts = asking.counted(other, question, day, room=combined.ROWS_MAX)
    combining.stop(app_session, combination_id=asked.id, **owner)
    app_session.commit()
    with db.transaction() as killed:  # it had read a day when it was stopped
        assert not combining.save(killed, question=question, days_done=read, counts=counts, now=clock.now())
    assert not jobs._combine_day()
    combining.resume(app_session, combination_id=asked.id, **owner)
    app_session.commit()
    with db.transaction() as first:
        assert combining.save(first, question=question, days_done=read, counts=counts, now=clock.now())
    with db.transaction() as second:  # a worker that was thought dead
        assert not combining.save(second, question=question, days_done=read, counts=counts, now=clock.now())
    while jobs._combine_day():
        pass
    app_session.expire_all()
    done = app_session.get_one(Combination, asked.id)
    assert (done.status, done.days_done, done.finished_at is not None) == (CombinationStatus.DONE, 5, True)
    assert done.rows == app_session.scalar(sa.select(sa.func.count()).select_from(CombinationRow))
    period = Period(done.first, done.last + timedelta(days=1), program.time_zone)
    expected = queries.facts_by_day(app_session, program_id=program.id, period=period, currency="EUR", with_costs=False)
    assert total(sums(app_session, done, 0).values(), currency="EUR") == total(expected.values(), currency="EUR")


def test_what_cannot_be_counted_says_why_and_can_be_tried_again(
    app_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask(app_session, make_program(app_session), By.DAY, By.LINK)
    app_session.commit()

    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(asking, "counted", breaks)
        jobs.combine()
    app_session.expire_all()
    failed = app_session.get_one(Combination, asked.id)
    assert (failed.status, failed.error) == (CombinationStatus.FAILED, "RuntimeError: the disk is full")
    combining.resume(app_session, combination_id=asked.id, program_id=asked.program_id, partner_id=None)
    app_session.commit()
    while jobs.combine():
        pass
    app_session.expire_all()
    assert app_session.get_one(Combination, asked.id).status is CombinationStatus.DONE
