"""The figures by which a program's strengths and weaknesses are judged, as far as reports know them: the sums that other pages read.

The sums of up to seven spans are taken by day as every report takes them, from days that stand counted; risks and the funnel are
asked of two spans, as their own pages ask them.
"""

from collections.abc import Callable, Sequence
from itertools import dropwhile, islice
from typing import Any

from sqlalchemy.orm import Session

from affiliate.money import Money
from affiliate.programs.models import Program
from affiliate.reports import funnel as funnels
from affiliate.reports import funnel_queries, metrics, queries, risks
from affiliate.reports.funnel import Funnel, Stage
from affiliate.reports.metrics import METRICS, Facts
from affiliate.reports.models import ProgramFigures
from affiliate.reports.periods import DAYS_MAX, Period
from affiliate.reports.risks import Shares
from affiliate.reports.strengths import Figure, Reading, Topic

EARLIER_MAX = 6
"""How many spans before make the program's own middle, if they fit into a report."""

_BY_DAY: tuple[tuple[Topic, str, Callable[[Facts], int]], ...] = (
    (Topic.CONVERSION_RATE, "conversion_rate", lambda facts: facts.clicks_valid),
    (Topic.BASKET, "aov", lambda facts: facts.conversions),
    (Topic.ROI, "roi", lambda facts: facts.conversions),
    (Topic.NEW_CUSTOMERS, "new_share", lambda facts: facts.known_customers),
    (Topic.REVERSALS, "reversal_rate", lambda facts: facts.conversions),
)
"""Figures that are a part of something, and of how many things."""


def of_program(session: Session, *, program: Program, period: Period) -> list[Reading]:
    """What reports know of these days and of those before."""
    here: dict[str, Any] = {"program_id": program.id, "currency": program.currency}
    every = spans(period)
    by_day = queries.facts_by_day(session, period=Period(every[-1].first, period.end, period.zone), **here)
    sums = [metrics.total((by_day[day] for day in span.days), currency=program.currency) for span in every]
    both = [period, period.before]
    return [
        *by_sums(sums),
        *_by_risks(risks.shares(session, periods=both, **here)),
        _abandoned(funnel_queries.of_periods(session, program_id=program.id, periods=both)),
        _approval(session.get(ProgramFigures, program.id)),
    ]


def spans(period: Period) -> list[Period]:
    """These days and the spans of as many before them, the newest first; as many as fit into a report."""
    found, most = [period], min(EARLIER_MAX + 1, DAYS_MAX // len(period.days))
    while len(found) < max(most, 2):
        found.append(found[-1].before)
    return found


def by_sums(sums: Sequence[Facts]) -> list[Reading]:
    """The readings of what was counted in the spans, the newest first. Spans before anything happened are none."""
    now, earlier = sums[0], list(dropwhile(lambda one: one.is_quiet, reversed(sums[1:])))[::-1]
    most = max(one.conversions for one in sums)  # a fall to nothing is a finding, too
    found = [
        _reading(topic, [Figure(_number(key, one), most) for one in (now, *earlier)])
        for topic, key in ((Topic.REVENUE, "revenue"), (Topic.SALES, "conversions"))
    ]
    return found + [
        _reading(topic, [Figure(_number(key, one), of(one)) for one in (now, *earlier)]) for topic, key, of in _BY_DAY
    ]


def _reading(topic: Topic, figures: Sequence[Figure]) -> Reading:
    return Reading(topic, figures[0], tuple(islice(figures, 1, None)))


def _number(key: str, facts: Facts) -> int | None:
    value = METRICS[key].of(facts)
    return value.amount_minor if isinstance(value, Money) else None if value is None else int(value)


def _by_risks(found: Sequence[Shares]) -> list[Reading]:
    return [
        _reading(Topic.DOUBTFUL, [Figure(one.fraud_bps, one.judged) for one in found]),
        _reading(Topic.ONE_PARTNER, [Figure(one.top_share_bps, one.orders) for one in found]),
    ]


def _abandoned(found: Sequence[Funnel]) -> Reading:
    return _reading(Topic.ABANDONMENT, [_left(one) for one in found])


def _left(found: Funnel) -> Figure:
    """Of the visits that came to the last step before the order, the part that ended there; unknown where pages tell no steps."""
    line = next(one for one in funnels.lines(found) if one.stage is Stage.ORDER)
    if not found.tells_steps or line.left is None or line.number is None:
        return Figure(None)
    return Figure(line.abandoned_bps, line.left + line.number)


def _approval(found: ProgramFigures | None) -> Reading:
    """The middle time of the last approvals, as it was computed last; earlier ones are not kept."""
    return Reading(Topic.APPROVAL, Figure(found.validation_seconds if found else None))
