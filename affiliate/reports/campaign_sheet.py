"""A campaign worked out: its days, as many before and after, the rest of the program beside them, and what may be concluded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate import exports
from affiliate.programs.models import Program
from affiliate.reports import campaign_facts, campaign_queries, lift, metrics, shop, shop_days
from affiliate.reports.campaign_facts import WHOLE, Parts
from affiliate.reports.lift import Lift, Sold, Spans
from affiliate.reports.metrics import METRICS, Facts
from affiliate.reports.periods import Period, last_days
from affiliate.reports.tables import csv_head
from affiliate.reports.written_models import Campaign

KEYS = (
    "clicks_raw", "clicks_valid", "conversions", "conversion_rate", "aov", "revenue", "new_customers", "new_share", "earnings",
    "cost", "roi", "margin", "reversal_rate",
)  # fmt: skip

_AT_ONCE = 10  # a statement names each part of its campaigns some times, and databases take a bounded number


@dataclass(frozen=True, slots=True)
class Line:
    """A campaign in a list: what it brought, and how much its sales changed against as many days before."""

    campaign: Campaign
    spans: Spans
    facts: Facts
    change_bps: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """A campaign with everything that its page tells. Spans of which no day is over have no facts."""

    campaign: Campaign
    parts: Parts
    spans: Spans
    facts: Mapping[str, Facts]  # by "before", "during", "after"
    lift: Lift
    overlapping: Sequence[Campaign]
    days: Mapping[date, Facts]

    def csv(self) -> tuple[list[str], list[list[exports.Cell]]]:
        """Head and rows of the file: a row for each span, with its days."""
        head = csv_head("span", KEYS)
        rows: list[list[exports.Cell]] = []
        for name, facts in self.facts.items():
            period = getattr(self.spans, name)
            values: list[exports.Cell] = [METRICS[key].of(facts) for key in KEYS]
            rows.append([name, period.days[0].isoformat(), period.days[-1].isoformat(), *values, facts.currency])
        return [head[0], "first", "last", *head[1:]], rows


def lines(session: Session, *, program: Program, campaigns: Sequence[Campaign], now: datetime) -> list[Line]:
    """Campaigns with what each brought; as many statements for ten as for one."""
    parts = campaign_queries.parts_of(session, campaign_ids=[one.id for one in campaigns])
    told: list[Line] = []
    for start in range(0, len(campaigns), _AT_ONCE):
        told += _lines(session, program, campaigns[start : start + _AT_ONCE], parts, now)
    return told


def _lines(
    session: Session, program: Program, campaigns: Sequence[Campaign], parts: Mapping[UUID, Parts], now: datetime
) -> list[Line]:
    found = [spans_of(program, one, now=now) for one in campaigns]
    wanted = [
        (parts[one.id], period)
        for one, spans in zip(campaigns, found, strict=True)
        for period in (spans.during, spans.before)
        if period is not None
    ]
    sums = iter(campaign_facts.sums(session, program_id=program.id, wanted=wanted, currency=program.currency))
    periods = [spans.during for spans in found if spans.during]
    margins = iter(shop_days.margins_bps(session, program_id=program.id, periods=periods))
    nothing, told = Facts(program.currency), list[Line]()
    for one, spans in zip(campaigns, found, strict=True):
        during, before = (next(sums), next(sums)) if spans.during else (nothing, nothing)
        change = metrics.change_bps(during.conversions, before.conversions)
        margin_bps = next(margins) if spans.during else None
        told.append(Line(one, spans, replace(with_cost(during, one), margin_bps=margin_bps), change))
    return told


def report(session: Session, *, program: Program, campaign: Campaign, now: datetime) -> Report:
    """One campaign in full; its spans are cut in the program's time zone."""
    parts = campaign_queries.parts_of(session, campaign_ids=[campaign.id])[campaign.id]
    spans = spans_of(program, campaign, now=now)
    periods = {name: period for name in ("before", "during", "after") if (period := getattr(spans, name)) is not None}
    beside = [] if parts.is_whole else [(WHOLE, period) for name, period in periods.items() if name != "after"]
    wanted = [*((parts, period) for period in periods.values()), *beside]
    sums = campaign_facts.sums(session, program_id=program.id, wanted=wanted, currency=program.currency)
    facts = dict(zip(periods, sums, strict=False))
    overlapping = _overlapping(session, program, campaign, parts)
    margins = _margins(session, program.id, periods)
    return Report(
        campaign=campaign,
        parts=parts,
        spans=spans,
        facts={
            name: replace(with_cost(one, campaign) if name == "during" else one, margin_bps=margins[name])
            for name, one in facts.items()
        },
        lift=lift.judge(
            _sold(facts, sums[len(periods) :]),
            spans,
            overlaps=bool(overlapping),
            has_margin=margins.get("during") is not None,
        ),
        overlapping=overlapping,
        days=_days(session, program, parts, periods),
    )


def spans_of(program: Program, campaign: Campaign, *, now: datetime) -> Spans:
    """The days of a campaign and those that it is held against, as they are now."""
    today = last_days(1, now=now, zone=program.time_zone).first
    return lift.spans(campaign.starts_on, campaign.ends_on, zone=program.time_zone, today=today)


def with_cost(facts: Facts, campaign: Campaign) -> Facts:
    """The same with what the campaign itself cost, all of it however many of its days are over."""
    return facts + Facts(campaign.currency, spent_minor=campaign.cost_minor)


def _sold(facts: Mapping[str, Facts], whole: Sequence[Facts]) -> Sold:
    before, during = (facts[name].conversions if name in facts else 0 for name in ("before", "during"))
    if not whole:
        return Sold(before, during, None, None)
    all_before, all_during = (one.conversions for one in whole)
    return Sold(before, during, all_before - before, all_during - during)


def _overlapping(session: Session, program: Program, campaign: Campaign, parts: Parts) -> list[Campaign]:
    """Other campaigns about some of the same, in its days or those before."""
    spans = lift.spans(campaign.starts_on, campaign.ends_on, zone=program.time_zone, today=date.max)
    first = spans.before.first if spans.before else campaign.starts_on
    near = campaign_queries.touching(session, program_id=program.id, first=first, end=campaign.ends_on)
    others = [one for one in near if one.id != campaign.id]
    theirs = campaign_queries.parts_of(session, campaign_ids=[one.id for one in others])
    return [one for one in others if theirs[one.id].shares_with(parts)]


def _margins(session: Session, program_id: UUID, periods: Mapping[str, Period]) -> dict[str, int | None]:
    if not periods:
        return {}
    ordered = list(periods.values())
    stretch = Period(ordered[0].first, ordered[-1].end, ordered[0].zone)
    told = shop_days.told(session, program_id=program_id, period=stretch)
    return {
        name: shop.margin_bps(one for day, one in told.items() if period.first <= day < period.end)
        for name, period in periods.items()
    }


def _days(session: Session, program: Program, parts: Parts, periods: Mapping[str, Period]) -> dict[date, Facts]:
    if not periods:
        return {}
    ordered = list(periods.values())
    stretch = Period(ordered[0].first, ordered[-1].end, ordered[0].zone)
    here = {"program_id": program.id, "currency": program.currency}
    return campaign_facts.by_day(session, parts=parts, period=stretch, **here)  # type: ignore[arg-type] # one dictionary of two kinds
