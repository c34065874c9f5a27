"""The figures that can be watched: those of reports, and the ones about the whole. One dictionary, for board, watches and mails."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.money import Money
from affiliate.reports import metrics, queries, risks
from affiliate.reports.metrics import METRICS, Facts, Unit
from affiliate.reports.periods import Period
from affiliate.reports.risks import RiskFigures

N_ = str  # marks a sentence for the translators


@dataclass(frozen=True, slots=True)
class Figures:
    """All that was counted in some days."""

    facts: Facts
    risks: RiskFigures

    @property
    def volume(self) -> int:
        """How much happened: valid clicks and sales."""
        return self.facts.clicks_valid + self.facts.conversions


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the board. `of` gives it in its unit: minor units, basis points or things; null is unknown."""

    key: str
    label: str
    help_text: str
    unit: Unit
    less_is_better: bool
    of: Callable[[Figures], int | None]


def _metric(key: str) -> Figure:
    metric = METRICS[key]

    def value(figures: Figures) -> int | None:
        found = metric.of(figures.facts)
        return found.amount_minor if isinstance(found, Money) else None if found is None else int(found)

    return Figure(key, metric.label, metric.help_text, metric.unit, key == "cost", value)


FIGURES = {
    figure.key: figure
    for figure in (
        *map(_metric, ("clicks_valid", "conversions", "conversion_rate", "aov", "revenue", "cost", "roi")),
        Figure(
            "reversal_rate", N_("Taken back"), N_("The part of commissions that came back with returned or declined orders."),
            Unit.BPS, True, lambda figures: figures.risks.reversal_bps,
        ),
        Figure(
            "fraud_rate", N_("Doubtful orders"), N_("The part of orders that fraud rules put under review or rejected."),
            Unit.BPS, True, lambda figures: figures.risks.fraud_bps,
        ),
        Figure(
            "top_share", N_("Share of the best partner"), N_("How much of the revenue one partner brings."),
            Unit.BPS, True, lambda figures: figures.risks.top_share_bps,
        ),
    )
}  # fmt: skip
"""Every figure by its key, in the order of the board."""


def figures(session: Session, *, program_id: UUID, period: Period, currency: str) -> Figures:
    """What was counted in these days."""
    here = {"program_id": program_id, "period": period, "currency": currency}
    by_day = queries.facts_by_day(session, program_id=program_id, period=period, currency=currency)
    return Figures(metrics.total(by_day.values(), currency=currency), risks.risk_figures(session, **here))  # type: ignore[arg-type] # one dictionary of three kinds


def days_before(today: date, days: int, zone: str) -> Period:
    """The last whole days: today is not over yet."""
    return Period(today - timedelta(days=days), today, zone)
