"""New and returning customers by month: cut in the program's zone, each order in one month. On SQLite and PostgreSQL."""

from datetime import UTC, date, datetime

import pytest
from factories import make_commission, make_partner, make_program
from sqlalchemy.orm import Session

from affiliate.attribution.models import Attribution
from affiliate.reports import customers
from affiliate.reports.periods import Period, last_days


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
