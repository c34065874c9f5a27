"""Cohorts: partners by the month they were let in, customers by their first order; each cell the same as counted one by one. On SQLite and PostgreSQL."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from factories import make_clicks, make_commission, make_link, make_partner, make_program
from sqlalchemy.orm import Session

from affiliate.commissions.models import Commission, CommissionStatus
from affiliate.ingest.models import ClickVerdict, Conversion
from affiliate.ingest.rollup_models import PartnerClickHour
from affiliate.partners.models import Enrollment, EnrollmentStatus, Partner
from affiliate.programs.models import Program, ProgramStatus
from affiliate.reports import cohort_metrics, cohort_store, cohorts, grids
from affiliate.reports.cohort_metrics import MEASURES, Cell, Kind

ZONE = "Europe/Rome"
NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 9, 30, 22, tzinfo=UTC)  # in Rome October begins
_ENDED = {CommissionStatus.REVERSED, CommissionStatus.DECLINED}


@pytest.fixture
def program(session: Session) -> Program:
    """A program on which the months of Rome begin."""
    return make_program(session, time_zone=ZONE)


def _month(at: datetime) -> str:
    return f"{at.astimezone(ZoneInfo(ZONE)):%Y-%m}"


def _after(cohort: str, month: str) -> int:
    (year, number), (later_year, later) = (map(int, text.split("-")) for text in (cohort, month))
    return (later_year - year) * 12 + later - number


def _join(session: Session, program: Program, at: datetime, **fields: Any) -> Partner:
    partner = make_partner(session, program=program, **fields)
    session.scalars(sa.select(Enrollment).where(Enrollment.partner_id == partner.id)).one().decided_at = at
    session.flush()
    return partner


def _sell(session: Session, program: Program, partner: Partner, at: datetime, customer: str | None = None, **fields: Any) -> Commission:  # fmt: skip
    sold = make_commission(session, program=program, partner=partner, earned_at=at, **fields)
    session.get_one(Conversion, sold.conversion_id).customer_id = customer
    session.flush()
    return sold


def _counted(session: Session, kind: Kind, program: Program, **narrowed: Any) -> dict[tuple[str, int], Cell]:
    """The cells with something in them, by their cohort and the months after it."""
    here: dict[str, Any] = {"program_id": program.id, "currency": "EUR", "zone": ZONE, "now": NOW}
    found = cohorts.of_customers(session, **here, **narrowed) if narrowed else cohorts.counted(session, kind, **here)
    assert [one.month for one in found] == sorted(one.month for one in found)
    assert (len(found), len(found[0].cells), len(found[-1].cells)) == (12, 12, 1)
    return {
        (one.month, after): cell for one in found for after, cell in enumerate(one.cells) if cell.orders or cell.active
    }


def test_partners_stand_in_the_month_they_were_let_in(session: Session, program: Program) -> None:
    early, late, clicker = (_join(session, program, at) for at in (MIDNIGHT - timedelta(minutes=1), MIDNIGHT, MIDNIGHT))
    _join(session, program, MIDNIGHT, status=EnrollmentStatus.PENDING)
    old = _join(session, program, MIDNIGHT - timedelta(days=400))
    for partner, at, fields in (
        (early, MIDNIGHT - timedelta(minutes=1), {}),
        (early, MIDNIGHT, {"reversed_minor": 4_00}),
        (early, NOW, {"status": CommissionStatus.REVERSED, "reversed_minor": 10_00}),
        (late, MIDNIGHT, {}),
        (late, MIDNIGHT, {"status": CommissionStatus.TEST}),
        (old, MIDNIGHT, {}),
    ):
        _sell(session, program, partner, at, **fields)
    link = make_link(session, program=program, partner=clicker)
    make_clicks(session, link=link, hour=NOW.replace(hour=9), clicks=3)
    make_clicks(session, link=link, hour=MIDNIGHT, clicks=3, verdict=ClickVerdict.BOT)
    found = _counted(session, Kind.PARTNERS, program)
    assert found == _partners_one_by_one(session)
    assert {key: (cell.size, cell.active) for key, cell in found.items()} == {
        ("2026-09", 0): (1, 1), ("2026-09", 1): (1, 1), ("2026-09", 2): (1, 1), ("2026-10", 0): (2, 1), ("2026-10", 1): (2, 1),
    }  # fmt: skip


def _partners_one_by_one(session: Session) -> dict[tuple[str, int], Cell]:
    joined = {
        one.partner_id: _month(one.decided_at)
        for one in session.scalars(sa.select(Enrollment))
        if one.status is EnrollmentStatus.APPROVED and one.decided_at and _after(_month(one.decided_at), "2026-11") < 12
    }
    active: dict[tuple[str, int], set[Any]] = defaultdict(set)
    sums: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for hour in session.scalars(sa.select(PartnerClickHour)):
        if hour.verdict is ClickVerdict.VALID and hour.partner_id in joined:
            active[joined[hour.partner_id], _after(joined[hour.partner_id], _month(hour.hour))].add(hour.partner_id)
    for one in session.scalars(sa.select(Commission)):
        if one.partner_id in joined and one.status is not CommissionStatus.TEST:
            key = joined[one.partner_id], _after(joined[one.partner_id], _month(one.earned_at))
            active[key].add(one.partner_id)
            for place, number in enumerate((1, one.status not in _ENDED, one.revenue_minor, one.amount_minor - one.reversed_minor)):  # fmt: skip
                sums[key][place] += number
    size = {month: list(joined.values()).count(month) for month in joined.values()}
    return {key: Cell(size[key[0]], len(active[key]), *sums[key]) for key in active}


def test_customers_stand_in_the_month_of_their_first_order(session: Session, program: Program) -> None:
    first, second = (_join(session, program, MIDNIGHT) for _ in range(2))
    before = MIDNIGHT - timedelta(minutes=1)
    for partner, at, customer in (
        (first, before, "anna"), (second, MIDNIGHT, "anna"), (first, NOW, "anna"), (first, NOW, "anna"),
        (second, MIDNIGHT, "bruno"), (first, NOW, "bruno"),
        (first, MIDNIGHT - timedelta(days=400), "carla"), (first, MIDNIGHT, "carla"),
        (first, MIDNIGHT, None),
    ):  # fmt: skip
        _sell(session, program, partner, at, customer)
    mailed = _sell(session, program, second, NOW)
    session.get_one(Conversion, mailed.conversion_id).email_hash = "f" * 64
    session.flush()

    def told(**narrowed: Any) -> dict[tuple[str, int], tuple[int, int, int]]:
        found = _counted(session, Kind.CUSTOMERS, program, **narrowed)
        return {key: (cell.size, cell.active, cell.orders) for key, cell in found.items()}

    annas = {("2026-09", 0): (1, 1, 1), ("2026-09", 1): (1, 1, 1), ("2026-09", 2): (1, 1, 2)}
    brunos = {("2026-10", 0): (1, 1, 1), ("2026-10", 1): (1, 1, 1), ("2026-11", 0): (1, 1, 1)}
    assert told() == annas | brunos
    assert told(partner_id=first.id) == annas  # carla began before the twelve months, bruno with somebody else
    assert told(partner_id=second.id) == brunos


def test_every_measure_of_a_cell_follows_from_what_was_counted() -> None:
    cell = Cell(size=8, active=2, orders=5, kept=4, revenue_minor=500_00, earned_minor=40_00)
    partners, customers = ({key: one.of(cell, "EUR") for key, one in MEASURES[kind].items()} for kind in Kind)
    assert (partners["active"], partners["kept"], partners["orders"]) == (2500, 8000, 5)
    assert (str(customers["revenue"]), customers["active"]) == (str(partners["revenue"]), 2500)
    assert MEASURES[Kind.CUSTOMERS]["kept"].of(Cell(3), "EUR") is None
    assert all(one.label and one.help_text and one.formula for kind in Kind for one in MEASURES[kind].values())


def test_the_warmest_cell_is_the_largest_and_nothing_is_cold() -> None:
    assert cohort_metrics.heat([0, None, 1, 50, 100, -5]) == [0, 0, 1, 3, 5, 0]
    assert cohort_metrics.heat([]) == []


def test_cohorts_are_kept_for_an_hour_also_while_the_program_is_paused(session: Session, program: Program) -> None:
    _sell(session, program, _join(session, program, MIDNIGHT), NOW, "anna")
    live, _at = cohort_store.shown(session, program=program, kind=Kind.CUSTOMERS, now=NOW)
    assert (program.id, Kind.CUSTOMERS) in cohort_store.stale(session, now=NOW, limit=50)
    grid = cohort_store.grid_of(session, program_id=program.id, kind=Kind.CUSTOMERS, now=NOW)
    grids.keep(session, grid=grid)
    session.flush()
    later = NOW + timedelta(minutes=59)
    assert cohort_store.shown(session, program=program, kind=Kind.CUSTOMERS, now=later) == (live, NOW)
    assert (program.id, Kind.CUSTOMERS) not in cohort_store.stale(session, now=later, limit=50)
    program.status = ProgramStatus.PAUSED
    assert (program.id, Kind.CUSTOMERS) in cohort_store.stale(session, now=later + timedelta(minutes=2), limit=50)
