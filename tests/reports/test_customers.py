"""New and returning customers by month: cut in the program's zone, each order in one month. On SQLite and PostgreSQL."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from factories import make_commission, make_partner, make_program
from sqlalchemy.orm import Session

from affiliate.attribution.models import Attribution
from affiliate.commissions.models import Commission, CommissionStatus
from affiliate.programs.models import Program, ProgramStatus
from affiliate.reports import customer_store, customers, grids, jobs
from affiliate.reports.metrics import Facts
from affiliate.reports.periods import Period, last_days
from affiliate.reports.written_models import CountedGrid

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)


def test_months_are_cut_in_the_zone_and_each_order_is_in_one(session: Session) -> None:
    program = make_program(session)
    partner = make_partner(session, program=program)
    cut = datetime(2026, 9, 30, 22, 0, tzinfo=UTC)  # midnight in Rome
    for is_new, at in ((True, cut.replace(hour=21, minute=59)), (True, cut), (False, cut), (None, cut)):
        sold = make_commission(session, program=program, partner=partner, earned_at=at)
        session.get_one(Attribution, sold.attribution_id).is_new_customer = is_new
    session.flush()
    period = Period(date(2026, 8, 15), date(2026, 10, 2), "Europe/Rome")
    found = customers.by_month(session, program_id=program.id, partner_id=None, period=period, currency="EUR")
    counts = [(one.new.conversions, one.returning.conversions, one.unknown.conversions) for one in found]
    assert [one.first.isoformat() for one in found] == ["2026-08-15", "2026-09-01", "2026-10-01"]
    assert counts == [(0, 0, 0), (1, 0, 0), (1, 1, 1)]


@pytest.mark.parametrize(("months", "first"), [(1, "2026-01-01"), (2, "2025-12-01"), (12, "2025-02-01")])
def test_months_are_those_of_the_calendar(months: int, first: str) -> None:
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)
    period = customers.months_back(months, now=now, zone="Europe/Rome")
    assert period.first.isoformat() == first
    assert period.end == last_days(1, now=now, zone="Europe/Rome").end


def _sell(session: Session, program: Program, at: datetime, is_new: bool | None, **fields: Any) -> None:
    sold = make_commission(session, program=program, partner=make_partner(session, program=program), earned_at=at, **fields)  # fmt: skip
    session.get_one(Attribution, sold.attribution_id).is_new_customer = is_new
    session.flush()


def _one_by_one(session: Session, program: Program) -> dict[tuple[str, bool | None], Facts]:
    """By month of Rome and kind of customer: each commission looked at by itself."""
    found: dict[tuple[str, bool | None], Facts] = {}
    rows = sa.select(Commission, Attribution.is_new_customer).join(
        Attribution, Attribution.id == Commission.attribution_id
    )
    for sold, is_new in session.execute(rows.where(Commission.program_id == program.id)):
        if sold.status is CommissionStatus.UNVERIFIED:
            continue
        key = f"{sold.earned_at + timedelta(hours=1):%Y-%m}", is_new  # winter, but for the last days of October
        left = sold.amount_minor - sold.reversed_minor
        mine = Facts("EUR", conversions=1, revenue_minor=sold.revenue_minor, earned_minor=left, reversed_minor=sold.reversed_minor)  # fmt: skip
        found[key] = found.get(key, Facts("EUR")) + mine
    return found


def test_what_is_kept_says_what_each_commission_says(session: Session) -> None:
    program = make_program(session, time_zone="Europe/Rome")
    for days, is_new in ((0, True), (1, True), (1, None), (16, False), (40, True), (300, False)):
        _sell(session, program, NOW - timedelta(days=days), is_new)
    _sell(session, program, NOW - timedelta(days=2), True, status=CommissionStatus.REVERSED, reversed_minor=10_00)
    _sell(session, program, NOW - timedelta(days=2), True, status=CommissionStatus.UNVERIFIED)
    live, at = customer_store.shown(session, program=program, now=NOW)
    assert at == NOW
    grids.keep(session, grid=customer_store.grid_of(session, program_id=program.id, now=NOW))
    session.expire_all()
    later = NOW + timedelta(minutes=59)
    assert customer_store.shown(session, program=program, now=later) == (live, NOW)
    told = {
        (f"{one.first:%Y-%m}", is_new): facts
        for one in live
        for is_new, facts in ((True, one.new), (False, one.returning), (None, one.unknown))
        if facts.conversions
    }
    assert told == _one_by_one(session, program)
    assert len(live) == customer_store.MONTHS


def test_customers_are_counted_again_after_an_hour_also_while_the_program_is_paused(session: Session) -> None:
    program, draft = make_program(session), make_program(session, status=ProgramStatus.DRAFT)
    assert program.id in customer_store.stale(session, now=NOW, limit=50)
    assert draft.id not in customer_store.stale(session, now=NOW, limit=50)
    assert len(customer_store.stale(session, now=NOW, limit=1)) == 1
    grids.keep(session, grid=customer_store.grid_of(session, program_id=program.id, now=NOW))
    program.status = ProgramStatus.PAUSED
    session.flush()
    for minutes, is_due in ((60, False), (61, True)):
        due = customer_store.stale(session, now=NOW + timedelta(minutes=minutes), limit=50)
        assert (program.id in due) is is_due


def test_of_two_counts_at_once_the_later_one_is_kept(session: Session) -> None:
    program = make_program(session)
    earlier, later = (
        customer_store.grid_of(session, program_id=program.id, now=at) for at in (NOW, NOW + timedelta(minutes=1))
    )
    later.grid = {"months": []}
    for grid in (earlier, later, earlier):
        grids.keep(session, grid=grid)
    session.expire_all()
    assert customer_store.shown(session, program=program, now=NOW) == ([], NOW + timedelta(minutes=1))


def test_a_large_program_is_not_counted_while_somebody_waits(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    program = make_program(session)
    for _ in range(2):
        _sell(session, program, NOW, True)
    monkeypatch.setattr(grids, "SALES_READ_MAX", 2)
    assert customer_store.shown(session, program=program, now=NOW)[1] == NOW
    monkeypatch.setattr(grids, "SALES_READ_MAX", 1)
    with pytest.raises(grids.NotCounted):
        customer_store.shown(session, program=program, now=NOW)
    assert customer_store.shown(session, program=make_program(session), now=NOW)[1] == NOW
    grids.keep(session, grid=customer_store.grid_of(session, program_id=program.id, now=NOW))
    assert customer_store.shown(session, program=program, now=NOW)[0][-1].new.conversions == 2


def test_a_killed_count_has_kept_what_it_counted_and_the_next_one_counts_the_rest(
    app_session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = [make_program(app_session) for _ in range(3)]
    app_session.commit()
    count, left = customer_store.grid_of, [1]

    def grid_of(session: Session, **asked: Any) -> CountedGrid:
        """Counts one, then the process is gone."""
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return count(session, **asked)

    monkeypatch.setattr(customer_store, "grid_of", grid_of)
    with pytest.raises(KeyboardInterrupt):
        jobs.count_customers()
    monkeypatch.undo()
    assert jobs.count_customers() == len(programs) - 1
    assert jobs.count_customers() == 0
    assert app_session.query(CountedGrid).filter_by(kind=customer_store.KIND).count() == len(programs)
