"""Numbers by day, link and partner equal the rows they count. On SQLite and PostgreSQL."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from factories import NOW, make_clicks, make_commission, make_link, make_partner, make_payout, make_program, make_user
from sqlalchemy.orm import Session

from affiliate.commissions.models import CommissionStatus
from affiliate.ingest.models import ClickVerdict
from affiliate.ingest.rollup_models import SubClickHour
from affiliate.partners.models import Partner
from affiliate.payouts.models import PayoutStatus
from affiliate.programs.models import Program
from affiliate.reports import breakdown, partner_facts, queries, sales
from affiliate.reports.metrics import Facts, total
from affiliate.reports.periods import Period, last_days

pytestmark = pytest.mark.usefixtures("session")
HOUR = NOW.replace(minute=0)


@pytest.fixture
def program(session: Session) -> Program:
    return make_program(session)


@pytest.fixture
def partner(session: Session, program: Program) -> Partner:
    return make_partner(session, program=program, name="Marta")


def test_a_day_holds_what_was_clicked_and_earned_on_it(session: Session, program: Program, partner: Partner) -> None:
    link = make_link(session, program=program, partner=partner)
    make_clicks(session, link=link, hour=HOUR, clicks=5)
    make_clicks(session, link=link, hour=HOUR, clicks=2, verdict=ClickVerdict.BOT)
    make_clicks(session, link=link, hour=HOUR - timedelta(days=1), clicks=3)
    make_commission(session, program=program, partner=partner, amount_minor=7_20)
    make_commission(session, program=program, partner=partner, amount_minor=5_00, reversed_minor=2_00)
    make_commission(session, program=program, partner=partner, amount_minor=1_00, earned_at=NOW - timedelta(days=1))
    period = last_days(3, now=NOW, zone="UTC")
    days = queries.facts_by_day(session, program_id=program.id, partner_id=partner.id, period=period, currency="EUR")
    assert days == {
        date(2026, 11, 14): Facts("EUR"),
        date(2026, 11, 15): Facts("EUR", 3, 3, 1, 100_00, 1_00),
        date(2026, 11, 16): Facts("EUR", 7, 5, 2, 200_00, 10_20, reversed_minor=2_00),
    }


@pytest.mark.parametrize(("zone", "day"), [("Europe/Rome", 17), ("UTC", 16), ("America/New_York", 16)])
def test_days_are_cut_in_the_zone(session: Session, program: Program, partner: Partner, zone: str, day: int) -> None:
    late = datetime(2026, 11, 16, 23, 0, 0, 999_999, tzinfo=UTC)
    link = make_link(session, program=program, partner=partner)
    make_clicks(session, link=link, hour=late.replace(microsecond=0), clicks=1)
    make_commission(session, program=program, partner=partner, earned_at=late)
    period = last_days(3, now=NOW + timedelta(days=1), zone=zone)
    days = queries.facts_by_day(session, program_id=program.id, period=period, currency="EUR")
    assert days[date(2026, 11, day)] == Facts("EUR", 1, 1, 1, 100_00, 10_00)
    assert total(days.values(), currency="EUR").conversions == 1


def test_a_zone_of_half_an_hour_loses_nothing_at_its_edges(
    session: Session, program: Program, partner: Partner
) -> None:
    zone = "Asia/Kolkata"  # its days begin at 18:30 UTC
    period = last_days(1, now=NOW, zone=zone)
    for second in (-1, 0, 86_399, 86_400):
        make_commission(
            session, program=program, partner=partner, earned_at=period.starts_at + timedelta(seconds=second)
        )
    days = queries.facts_by_day(session, program_id=program.id, partner_id=partner.id, period=period, currency="EUR")
    assert [facts.conversions for facts in days.values()] == [2]


@pytest.mark.parametrize(
    "fields", [{"status": CommissionStatus.TEST}, {"status": CommissionStatus.UNVERIFIED}, {"is_live": False}]
)
def test_what_is_a_test_or_unverified_or_superseded_counts_nowhere(
    session: Session, program: Program, partner: Partner, fields: dict[str, object]
) -> None:
    make_commission(session, program=program, partner=partner, **fields)
    period = last_days(1, now=NOW, zone="UTC")
    days = queries.facts_by_day(session, program_id=program.id, partner_id=partner.id, period=period, currency="EUR")
    assert total(days.values(), currency="EUR") == Facts("EUR")


def test_revenue_is_what_orders_were_worth_in_the_programs_currency_and_recruiters_add_none(
    session: Session, program: Program, partner: Partner
) -> None:
    make_commission(session, program=program, partner=partner, revenue_minor=80_00)
    make_commission(session, program=program, partner=partner, level=2, amount_minor=1_00)
    period = last_days(1, now=NOW, zone="UTC")
    days = queries.facts_by_day(session, program_id=program.id, partner_id=partner.id, period=period, currency="EUR")
    sold = {"conversions": 2, "revenue_minor": 80_00, "earned_minor": 11_00}
    assert total(days.values(), currency="EUR") == Facts("EUR", **sold)


def test_another_partner_and_another_program_do_not_count(session: Session, program: Program, partner: Partner) -> None:
    other = make_partner(session, program=program, name="Ewa")
    elsewhere = make_program(session)
    make_clicks(session, link=make_link(session, program=program, partner=other), hour=HOUR, clicks=9)
    make_commission(session, program=program, partner=other, amount_minor=9_00)
    make_commission(session, program=elsewhere, partner=partner)
    period = last_days(1, now=NOW, zone="UTC")
    own = queries.facts_by_day(session, program_id=program.id, partner_id=partner.id, period=period, currency="EUR")
    whole = queries.facts_by_day(session, program_id=program.id, period=period, currency="EUR")
    assert total(own.values(), currency="EUR") == Facts("EUR")
    assert total(whole.values(), currency="EUR") == Facts("EUR", 9, 9, 1, 100_00, 9_00)
    table = partner_facts.facts_by_partner(session, program_id=program.id, period=period, currency="EUR", limit=10)
    assert [(line.partner_name, line.facts.earned_minor, line.facts.clicks_valid) for line in table] == [
        ("Ewa", 9_00, 9),
        ("Marta", 0, 0),
    ]


def test_a_link_counts_its_own_clicks_and_sales(session: Session, program: Program, partner: Partner) -> None:
    first, second = (make_link(session, program=program, partner=partner) for _ in range(2))
    make_clicks(session, link=first, hour=HOUR, clicks=4)
    make_commission(session, program=program, partner=partner, link=first)
    make_commission(session, program=program, partner=partner)  # by coupon: of no link
    found = queries.facts_by_link(
        session, program_id=program.id, partner_id=partner.id, link_ids=[first.id, second.id], currency="EUR"
    )
    assert found == {first.id: Facts("EUR", 4, 4, 1, 100_00, 10_00), second.id: Facts("EUR")}


def test_commissions_are_summed_by_status_with_what_is_left_of_them(
    session: Session, program: Program, partner: Partner
) -> None:
    make_commission(session, program=program, partner=partner, amount_minor=4_00)
    make_commission(session, program=program, partner=partner, amount_minor=6_00, reversed_minor=1_00)
    make_commission(session, program=program, partner=partner, amount_minor=9_00, status=CommissionStatus.PAID)
    piles = sales.piles(session, wanted=sales.Wanted(program.id, partner.id))
    assert (piles[CommissionStatus.PENDING].count, piles[CommissionStatus.PENDING].amount_minor) == (2, 9_00)
    assert piles[CommissionStatus.PAID].amount_minor == 9_00
    assert piles[CommissionStatus.REVERSED] == sales.Pile()


def test_payouts_are_summed_by_status_and_by_the_day_of_payment(
    session: Session, program: Program, partner: Partner
) -> None:
    proposer = make_user(session)
    common = {"program": program, "partner": partner, "proposer": proposer}
    make_payout(session, **common, status=PayoutStatus.PAID, paid_at=NOW)
    make_payout(session, **common, status=PayoutStatus.PAID, paid_at=NOW - timedelta(days=400))
    make_payout(session, **common, status=PayoutStatus.APPROVED, amount_minor=7_00)
    mine = {"program_id": program.id, "partner_id": partner.id}
    piles = sales.payout_piles(session, **mine, paid_since=NOW - timedelta(days=30))
    assert piles[PayoutStatus.PAID] == sales.Pile(1, 50_00, NOW)
    assert piles[PayoutStatus.PROPOSED] + piles[PayoutStatus.APPROVED] == sales.Pile(1, 7_00)
    assert sales.payout_piles(session, **mine)[PayoutStatus.PAID].count == 2


@pytest.mark.parametrize(("first", "hours"), [(date(2026, 3, 28), [24, 23, 24]), (date(2026, 10, 24), [24, 25, 24])])
def test_days_on_which_clocks_change_have_their_own_hours(session: Session, first: date, hours: list[int]) -> None:
    program = make_program(session, time_zone="Europe/Rome")
    partner = make_partner(session, program=program)
    link = make_link(session, program=program, partner=partner)
    period = Period(first, first + timedelta(days=3), "Europe/Rome")
    hour = period.starts_at
    while hour < period.ends_at:
        make_clicks(session, link=link, hour=hour, clicks=1)
        hour += timedelta(hours=1)
    for moment in (period.starts_at, period.ends_at - timedelta(minutes=1)):
        make_commission(session, program=program, partner=partner, earned_at=moment)
    mine = {"program_id": program.id, "partner_id": partner.id}
    found = queries.facts_by_day(session, **mine, period=period, currency="EUR")
    assert [facts.clicks_raw for facts in found.values()] == hours
    assert [facts.conversions for facts in found.values()] == [1, 0, 1]


def test_a_row_of_the_first_so_many_has_all_of_its_clicks_and_sales(
    session: Session, program: Program, partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breakdown, "ROWS_MAX", 2)
    here: dict[str, Any] = {"program_id": program.id, "partner_id": partner.id}
    for sub, clicks, sold in (("sells", 1, 3), ("both", 5, 2), ("clicked", 9, 0), ("least", 2, 1)):
        session.add(SubClickHour(**here, sub=sub, hour=HOUR, verdict=ClickVerdict.VALID, shard=0, clicks=clicks))
        for _ in range(sold):
            make_commission(session, program=program, partner=partner, earned_at=NOW, sub1=sub)
    session.flush()
    period = Period(NOW.date(), NOW.date() + timedelta(days=1), "UTC")
    found = breakdown.facts_by_sub(session, **here, period=period, currency="EUR")
    told = {sub: (facts.clicks_valid, facts.conversions) for sub, facts in found.items()}
    assert told == {"sells": (1, 3), "both": (5, 2)}
