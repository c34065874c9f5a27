"""Who was active in some days: what the days' own sums say, read from a row for each month."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate.ingest.day_models import DayPart
from affiliate.reports import activity
from affiliate.reports.day_models import PartnerActiveMonth, PartnerClickDay, PartnerSaleDay
from affiliate.reports.stretches import Covered

PROGRAM, OTHER = UUID(int=1), UUID(int=2)
MARTA, EWA, KAI = (UUID(int=number) for number in (11, 12, 13))
LAST, FIRST = date(2026, 9, 30), date(2026, 10, 1)
DAY = timedelta(days=1)
NOTHING = Covered([], [])


def click(session: Session, partner: UUID, day: date, valid: int = 1, program: UUID = PROGRAM) -> None:
    session.add(PartnerClickDay(program_id=program, day=day, partner_id=partner, raw=9, valid=valid))
    keep(session, day, DayPart.CLICKS, program)


def sell(session: Session, partner: UUID, day: date, conversions: int = 1) -> None:
    session.add(PartnerSaleDay(program_id=PROGRAM, day=day, partner_id=partner, conversions=conversions, visits=3))
    keep(session, day, DayPart.SALES)


def keep(session: Session, day: date, part: DayPart, program: UUID = PROGRAM) -> None:
    session.flush()
    activity.keep(session, program_id=program, part=part, day=day)


def active(session: Session, **covered: tuple[date, date]) -> set[UUID]:
    kept = {name: Covered([days], []) for name, days in covered.items()}
    both: dict[str, Any] = {"clicks": NOTHING, "sales": NOTHING} | kept
    return set(session.scalars(activity.partners(PROGRAM, **both)))


@pytest.fixture
def story(session: Session) -> Session:
    click(session, MARTA, LAST)
    click(session, EWA, FIRST)
    sell(session, EWA, LAST)
    sell(session, KAI, FIRST)
    click(session, KAI, LAST, valid=0)
    sell(session, MARTA, FIRST, conversions=0)
    click(session, KAI, LAST, program=OTHER)
    return session


def test_days_of_several_months_count_each_for_its_part(story: Session) -> None:
    assert active(story, clicks=(LAST, FIRST)) == {MARTA}
    assert active(story, clicks=(FIRST, FIRST + DAY)) == {EWA}
    assert active(story, clicks=(LAST, FIRST + DAY)) == {MARTA, EWA}
    assert active(story, sales=(LAST, FIRST)) == {EWA}
    assert active(story, clicks=(LAST, FIRST), sales=(FIRST, FIRST + DAY)) == {MARTA, KAI}
    assert active(story, clicks=(FIRST + DAY, FIRST + 31 * DAY), sales=(LAST - 29 * DAY, LAST)) == set()
    assert active(story) == set()


def test_a_day_that_is_counted_again_marks_no_one_who_was_not_active(story: Session) -> None:
    story.execute(sa.update(PartnerClickDay).where(PartnerClickDay.partner_id == EWA).values(valid=0))
    keep(story, FIRST, DayPart.CLICKS)
    assert active(story, clicks=(LAST, FIRST + DAY)) == {MARTA}
    assert active(story, sales=(LAST, FIRST + DAY)) == {EWA, KAI}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_days_of_a_program_are_marked_one_after_the_other(engine: Engine, session: Session) -> None:
    """Else each could wait for a row that the other holds."""
    click(session, MARTA, FIRST)
    with Session(engine) as another:
        another.execute(sa.text("SET LOCAL lock_timeout = '50ms'"))
        click(another, KAI, FIRST + DAY, program=OTHER)
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"):
            click(another, EWA, FIRST + DAY)


def test_a_mark_that_is_not_what_the_sums_say_is_told(story: Session) -> None:
    here = {"program_id": PROGRAM, "part": DayPart.CLICKS, "day": FIRST}
    assert activity.wrong(story, **here) == []  # type: ignore[arg-type] # one dictionary of three kinds
    story.execute(sa.update(PartnerActiveMonth).where(PartnerActiveMonth.partner_id == KAI).values(clicked=1))
    story.execute(sa.update(PartnerActiveMonth).where(PartnerActiveMonth.partner_id == EWA).values(clicked=0))
    assert activity.wrong(story, **here) == [EWA, KAI]  # type: ignore[arg-type] # one dictionary of three kinds
