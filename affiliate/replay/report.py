"""A replay told: in one go for the command line, and its sums by partner for the page."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.money import Money
from affiliate.replay import engine
from affiliate.replay.engine import Change, Question, Totals

BATCH = 1_000
CHANGES_TOLD = 100


Reading = Callable[[], AbstractContextManager[Session]]
"""Opens a reading transaction."""


@dataclass(frozen=True, slots=True)
class Line:
    """What a partner earns today and would earn tomorrow."""

    partner_id: UUID
    today: Money
    tomorrow: Money

    @property
    def difference(self) -> Money:
        """How much more."""
        return self.tomorrow - self.today


def lines(totals: Totals, *, currency: str) -> list[Line]:
    """The partners by how much changes for them, the most first."""
    partners = totals.today.keys() | totals.tomorrow.keys()
    found = [
        Line(one, Money(totals.today.get(one, 0), currency), Money(totals.tomorrow.get(one, 0), currency))
        for one in partners
    ]
    return sorted(
        found, key=lambda line: (-abs(line.difference.amount_minor), -line.today.amount_minor, line.partner_id)
    )


def run(reading: Reading, *, question: Question) -> dict[str, Any]:
    """The whole replay at once, as JSON: sums, and the first changed orders with both outcomes."""
    totals, told, after = Totals(), list[dict[str, Any]](), None
    while True:
        with reading() as session:
            step = engine.step(session, question=question, totals=totals, after=after, limit=BATCH)
        told += [_change(change, question.program.currency) for change in step.changes[: CHANGES_TOLD - len(told)]]
        after = step.cursor
        if after is None:
            return _document(question, totals, told)


def summary(told: Mapping[str, Any]) -> str:
    """The document of `run` in a few lines."""
    money = told["commission"]
    head = f"{told['conversions']} orders decided again, {told['changed_conversions']} would change."
    sums = f"Commission: {money['today']} {money['currency']} today, {money['tomorrow']} {money['currency']} tomorrow."
    moved = [line for line in told["partners"] if line["today"] != line["tomorrow"]]
    return "\n".join([head, sums, *(f"  {line['id']}: {line['today']} -> {line['tomorrow']}" for line in moved)])


def _document(question: Question, totals: Totals, told: list[dict[str, Any]]) -> dict[str, Any]:
    currency = question.program.currency
    whole = [Money(sum(sums.values()), currency) for sums in (totals.today, totals.tomorrow)]
    return {
        "program": question.program.slug,
        "from": question.starts_at.isoformat(),
        "to": question.ends_at.isoformat(),
        "policy": question.policy.terms if question.policy else None,
        "conversions": totals.orders,
        "changed_conversions": totals.changed,
        "commission": {"today": whole[0].text(), "tomorrow": whole[1].text(), "currency": currency},
        "partners": [
            {"id": ids.public("ptn", line.partner_id), "today": line.today.text(), "tomorrow": line.tomorrow.text()}
            for line in lines(totals, currency=currency)
        ],
        "changes": told,
    }


def _change(change: Change, currency: str) -> dict[str, Any]:
    def told(earned: Mapping[UUID, int]) -> dict[str, str]:
        return {ids.public("ptn", one): Money(minor, currency).text() for one, minor in sorted(earned.items())}

    return {
        "conversion": ids.public("cnv", change.decided.order.id),
        "today": {"commission": told(change.today), "trace": change.decided.then.trace},
        "tomorrow": {"commission": told(change.tomorrow), "trace": change.again.outcome.trace},
    }
