"""The shop's days: told once, replaced by what is told later, and the margin over those whose costs are known. On both databases."""

from datetime import date, datetime, timedelta

import sqlalchemy as sa
from factories import NOW, make_program
from sqlalchemy.orm import Session

from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import AuditEvent
from affiliate.programs.models import Program
from affiliate.reports import shop_days
from affiliate.reports.periods import last_days
from affiliate.reports.shop import Told

FIRST, SECOND, THIRD = (date(2026, 11, day) for day in (14, 15, 16))
PERIOD = last_days(3, now=NOW, zone="UTC")


def _tell(session: Session, program: Program, days: dict[date, Told], *, now: datetime = NOW) -> dict[date, str]:
    return shop_days.tell(session, program_id=program.id, currency="EUR", days=days, actor=SYSTEM, now=now)


def test_a_day_is_new_then_known_then_replaced_and_only_changes_are_in_the_history(session: Session) -> None:
    program, other = make_program(session), make_program(session)
    told = {FIRST: Told(10, 1_000_00), SECOND: Told(20, 2_000_00, costs_minor=500_00)}
    assert _tell(session, program, told) == dict.fromkeys(told, "new")
    assert _tell(session, program, told) == dict.fromkeys(told, "known")
    later = {SECOND: Told(20, 2_000_00, costs_minor=1_500_00), THIRD: Told(1, 9_00)}
    assert _tell(session, program, later, now=NOW + timedelta(hours=1)) == {SECOND: "replaced", THIRD: "new"}
    _tell(session, other, {FIRST: Told(1, 1_00, costs_minor=1_00)})
    assert shop_days.told(session, program_id=program.id, period=PERIOD) == told | later
    assert shop_days.margin_bps(session, program_id=program.id, period=PERIOD) == 2500
    session.flush()
    mine = sa.select(AuditEvent.details).where(AuditEvent.program_id == program.id).order_by(AuditEvent.occurred_at)
    (_first, last) = session.scalars(mine)
    assert (last["days"], last["replaced"]) == (2, 1)
    assert last["changes"] == {SECOND.isoformat(): {"costs_minor": [500_00, 1_500_00]}}


def test_days_that_are_over_and_not_told_are_missing() -> None:
    told = {FIRST: Told(1, 1_00)}
    assert shop_days.missing(told, PERIOD, today=THIRD) == [SECOND]
    assert shop_days.missing(told, PERIOD, today=THIRD + timedelta(days=1)) == [SECOND, THIRD]
