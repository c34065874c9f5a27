"""What partners cost beside commissions: costs on their day, posted entries at their moment, nothing else. On both databases."""

from datetime import UTC, date, datetime, timedelta

from factories import NOW
from money_cast import open_books
from sqlalchemy.orm import Session

from affiliate.accounts.actors import Actor
from affiliate.money import Money
from affiliate.payouts import adjusting, costs
from affiliate.payouts.models import AdjustmentKind, CostKind
from affiliate.reports import partner_facts, queries, spending
from affiliate.reports.metrics import METRICS
from affiliate.reports.periods import Period

LATE = datetime(2026, 11, 15, 23, 30, tzinfo=UTC)  # the 16th in Rome
PERIOD = Period(date(2026, 11, 15), date(2026, 11, 17), "Europe/Rome")


def test_costs_and_entries_make_the_return_real(session: Session) -> None:
    books = open_books(session)
    whose = {"program_id": books.program.id, "partner_id": books.partner.id}
    people: list[Actor] = [books.alice, books.bob]

    def spend(minor: int, day: date) -> None:
        facts = {"kind": CostKind.SAMPLES, "spent_on": day, "amount": Money(minor, "EUR"), "note": "Pans."}
        costs.enter_cost(session, **whose, **facts, actor=people[0], now=NOW)

    for day in (14, 15, 16, 17):
        spend(day, date(2026, 11, day))
    gone = costs.enter_cost(
        session, **whose, kind=CostKind.OTHER, spent_on=date(2026, 11, 15), amount=Money(1_000, "EUR"), note="No.",
        actor=people[0], now=NOW,
    )  # fmt: skip
    costs.remove_cost(session, cost_id=gone.id, **whose, actor=people[0], now=NOW)
    facts = {"kind": AdjustmentKind.BONUS, "amount": Money(10_00, "EUR"), "reason": "Good.", "actor": people[0]}
    entry = adjusting.enter(session, **whose, **facts, now=LATE - timedelta(days=3))
    adjusting.enter(session, **whose, **facts, now=LATE)  # waits for a second person, and counts not yet
    adjusting.approve(session, adjustment_id=entry.id, program_id=books.program.id, actor=people[1], now=LATE)
    scope = {"program_id": books.program.id, "period": PERIOD, "currency": "EUR"}
    days = queries.facts_by_day(session, **scope)
    assert [days[day].spent_minor for day in PERIOD.days] == [15, 16 + 10_00]
    assert spending.by_partner(session, **scope) == {books.partner.id: 15 + 16 + 10_00}
    books.order(occurred_at=LATE)
    books.work(now=NOW)
    (line,) = partner_facts.facts_by_partner(session, **scope, limit=9)
    assert METRICS["cost"].of(line.facts) == Money(10_00 + 31 + 10_00, "EUR")
    assert METRICS["roi"].of(line.facts) == 39_237  # (100.00 − 20.31) / 20.31
    assert METRICS["roas"].of(line.facts) == 49_237  # 100.00 / 20.31
    assert METRICS["ecpa"].of(line.facts) == Money(20_31, "EUR")  # one sale
    assert METRICS["rpc"].of(line.facts) is None  # no click
