"""Strengths and weaknesses: what the program is strong and weak at in the last whole days, in sentences, and what changed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from flask import Response, g, url_for
from flask_babel import gettext as _

from affiliate import exports
from affiliate.accounts import access
from affiliate.console import presenters, roles
from affiliate.console.blueprint import blueprint, can, show
from affiliate.console.goals import goal_sheets, goals
from affiliate.console.performance import performance_kept, performance_pages
from affiliate.console.queries import work
from affiliate.money import BPS_PER_UNIT, divide_half_even
from affiliate.programs.pace import State
from affiliate.reports import board, remarks, strength_readings, strength_words
from affiliate.reports import strengths as rule
from affiliate.reports.momentum import AT_RISK
from affiliate.reports.periods import Period
from affiliate.reports.remarks import Mark
from affiliate.reports.strengths import Figure, Finding, Reading, Side, Topic
from affiliate.steering import queries as steering
from affiliate.web import orm, request_now

_DAYS_MAX = 90
_HEAD = ("topic", "side", "figure", "of", "against", "compared", "spans", "before", "change")


@blueprint.get("/<slug>/performance/strengths")
@access.console(*roles.EVERYBODY)
def strengths() -> str:
    """The findings, the weaknesses first, each with its figure, what it is held against, what changed and why, and a next step."""
    period = _period()
    readings = _readings(period)
    found, marks = rule.findings(readings), _marks(period)
    lines = {side: [_line(one, marks) for one in found if one.side is side] for side in Side}
    return show(
        "performance/strengths.html",
        pages=performance_pages.chips(),
        span_chips=presenters.span_chips()[:3],
        days=len(period.days),
        answer=_answer(found),
        groups=[(_("Weak at"), lines[Side.WEAK]), (_("Strong at"), lines[Side.STRONG]), (_("Between"), lines[Side.NEITHER])],
        is_empty=not any(one.topic not in _ALWAYS for one in found),
        unknown=[strength_words.topic(one) for one in rule.unknown(readings)],
        marks=[_mark(one) for one in marks if one.about is None],
        may_note=can("annotate", "POST"),
        keep_form=performance_kept.page_form("strengths"),
        csv_url=url_for("console.strengths_file", kind="csv", days=len(period.days)),
        xlsx_url=url_for("console.strengths_file", kind="xlsx", days=len(period.days)),
    )  # fmt: skip


@blueprint.get("/<slug>/performance/strengths.<any(csv, xlsx):kind>")
@access.console(*roles.EVERYBODY)
def strengths_file(kind: str) -> Response:
    """A row for each finding; figures are in the unit of their topic: things, minor units, basis points, or seconds."""
    rows = (
        [
            one.topic.value, one.side.value, one.now, one.of, one.against.value, one.compared, one.spans, one.before,
            one.change.value,
        ]
        for one in rule.findings(_readings(_period()))
    )  # fmt: skip
    return exports.response(kind, "strengths", _HEAD, rows)


_ALWAYS = frozenset({Topic.GOALS, Topic.LATE, Topic.MOMENTUM})
"""Topics that speak also where nothing was sold yet."""


def _period() -> Period:
    return board.days_before(goal_sheets.today(), min(presenters.span(), _DAYS_MAX), g.program.time_zone)


def _readings(period: Period) -> list[Reading]:
    return [
        *strength_readings.of_program(orm.session, program=g.program, period=period),
        _at_risk(),
        _late(),
        _behind(),
    ]


def _at_risk() -> Reading:
    counts = steering.counts_by_momentum(orm.session, program_id=g.program.id)
    every, risky = sum(counts.values()), sum(counts[state] for state in AT_RISK)
    return Reading(
        Topic.MOMENTUM, Figure(divide_half_even(risky * BPS_PER_UNIT, every) if every else None, every)
    )  # fmt: skip


def _late() -> Reading:
    now, promised = request_now(), timedelta(days=g.program.application_answer_days)
    found = work.overdue(orm.session, program_id=g.program.id, applied_before=now - promised, now=now)
    return Reading(Topic.LATE, Figure(found.late, found.waiting))


def _behind() -> Reading:
    """The goals that have begun and are not over, and those of them that are behind, or a limit that is passed."""
    begun = [line for line in goals.running() if line["state"] is not State.TO_COME]
    behind = [line for line in begun if line["state"] in {State.BEHIND, State.MISSED}]
    return Reading(Topic.GOALS, Figure(len(behind), len(begun)))


def _marks(period: Period) -> list[Mark]:
    """What happened from the beginning of the days before on, the latest of it: what was changed then shows in these."""
    days = Period(period.before.first, goal_sheets.today() + timedelta(days=1), period.zone)
    return remarks.marked(orm.session, program_id=g.program.id, period=days, latest=True)


def _answer(found: Sequence[Finding]) -> str | None:
    """The sentence of the page."""
    strong, weak = (
        [strength_words.named(one.topic, side) for one in found if one.side is side]
        for side in (Side.STRONG, Side.WEAK)
    )
    if not strong and not weak:
        return None
    return _("Strong: %(strong)s. Weak: %(weak)s.", strong=", ".join(strong) or "–", weak=", ".join(weak) or "–")


def _line(found: Finding, marks: Sequence[Mark]) -> dict[str, Any]:
    currency = g.program.currency
    return {
        "topic": strength_words.named(found.topic, found.side),
        "told": strength_words.told(found, currency),
        "compared": strength_words.compared(found, currency),
        "change": strength_words.change(found, currency),
        "sign": strength_words.changed(found.change),
        "step": strength_words.step(found),
        "url": _url(found.topic),
        "reasons": [_mark(one) for one in marks if one.about is found.topic],
        "note_url": url_for("console.annotations", about=found.topic.value),
    }


def _mark(one: Mark) -> dict[str, Any]:
    return {"day": one.day, "text": _("Campaign: %(name)s", name=one.text) if one.is_campaign else one.text}


def _url(topic: Topic) -> str | None:
    """The page that shows the figure, if the person may open it."""
    pages: dict[Topic, tuple[str, dict[str, Any]]] = {
        Topic.NEW_CUSTOMERS: ("customers_by_month", {}),
        Topic.REVERSALS: ("product_pages", {}),
        Topic.DOUBTFUL: ("fraud", {}),
        Topic.ONE_PARTNER: ("kpis", {}),
        Topic.ABANDONMENT: ("funnel", {}),
        Topic.MOMENTUM: ("partners", {}),
        Topic.APPROVAL: ("validation", {}),
        Topic.LATE: ("today", {}),
        Topic.GOALS: ("goals", {}),
    }
    page, values = pages.get(topic, ("performance", {"by": "partner", "compare": "before"}))
    return url_for(f"console.{page}", **values) if can(page) else None
