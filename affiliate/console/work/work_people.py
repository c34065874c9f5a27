"""Lines of the work list about people: cases, reviews, invoices, partners at risk, trials, deadlines, shared goals. Values in, lines out."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from flask import g, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from affiliate import formats
from affiliate.console.goals import goal_sheets, kpi_sheets
from affiliate.console.partners import care_words
from affiliate.console.queries.stirring import Waiting
from affiliate.console.work.work_list import LATE, TODAY, WEEK, Act, Item, urgency
from affiliate.creatives.models import CreativeStatus
from affiliate.papers.models import FiledInvoice
from affiliate.programs.pace import State
from affiliate.relations import care_sheets, trials
from affiliate.relations import care_words as shared
from affiliate.relations import words as case_words
from affiliate.relations.care_models import PartnerCare, PartnerGoal
from affiliate.relations.care_queries import DutyLine, TrialFacts
from affiliate.relations.models import CaseStatus
from affiliate.relations.queries import Line
from affiliate.relations.rounds import is_repeated
from affiliate.relations.trials import Standing
from affiliate.reports.board import FIGURES
from affiliate.reports.reaching import Reached
from affiliate.steering.models import KpiWatch
from affiliate.steering.queries import AtRisk
from affiliate.web import request_now

REVIEWED_EVERY = timedelta(days=30)
"""How long a shared goal may run without a word about it: it is meant to be reviewed about every month."""


def cases(rows: Sequence[Line]) -> list[Item]:
    """Each case that waits for the program, with what was promised."""
    return [_case(row) for row in rows if row.case.status is CaseStatus.OPEN]


def _case(row: Line) -> Item:
    case = row.case
    title = _("%(what)s: %(partner)s", what=case_words.kind(case.kind), partner=row.partner_name)
    detail = _("An answer is promised by %(at)s.", at=formats.instant(case.answer_by))
    url = url_for("console.case", case_id=case.id)
    return Item("case", _by(case.answer_by), "messages", title, detail, url, _("Answer"), case.opened_at)


def _by(promised: datetime) -> str:
    if promised < request_now():
        return LATE
    return TODAY if promised - request_now() < timedelta(days=1) else WEEK


def reviews(count: int, soonest: datetime | None) -> list[Item]:
    """Orders under review and appeals, in one line: they are decided many at a time."""
    if not count:
        return []
    title = ngettext("%(num)d order is under review", "%(num)d orders are under review", count)
    detail = _("No commission of them is approved or paid before you decide.")
    group = TODAY
    if soonest is not None:
        detail = _("The first answer is promised by %(day)s.", day=formats.day(soonest))
        group = _by(soonest)
    return [Item("review", group, "flag", title, detail, url_for("console.fraud"), _("Decide"))]


def creatives(found: Waiting) -> list[Item]:
    """Creatives that partners propose, in one line."""
    if not found.count or found.since is None:
        return []
    title = ngettext("%(num)d proposed creative", "%(num)d proposed creatives", found.count)
    detail = _("Nobody can use it before somebody here has looked at it.")
    url = url_for("console.creatives", status=CreativeStatus.PROPOSED.value)
    return [Item("creative", urgency(found.since), "photo", title, detail, url, _("Decide"), found.since)]


def erasures(found: Waiting) -> list[Item]:
    """Partners who want to be forgotten, in one line: the law has a term for the answer."""
    if not found.count or found.since is None:
        return []
    title = ngettext("%(num)d partner wants to be erased", "%(num)d partners want to be erased", found.count)
    detail = _("Law gives you a month to answer. Nobody is erased while money is on its way.")
    return [Item("partner", urgency(found.since), "trash", title, detail, url_for("console.erasures"), _("Decide"), found.since)]  # fmt: skip


def invoices(rows: Sequence[tuple[FiledInvoice, Any, str]]) -> list[Item]:
    """Each invoice that a partner sent and that somebody has to look at."""
    return [
        Item(
            "payout", urgency(filed.filed_at), "file-invoice",
            _("Invoice %(number)s of %(partner)s", number=filed.number, partner=name),
            _("Its payout waits for it."), url_for("console.papers"), _("Check"), filed.filed_at,
        )
        for filed, _payout, name in rows
    ]  # fmt: skip


def at_risk(rows: Sequence[AtRisk]) -> list[Item]:
    """Partners that fade, sleep or need support, those with most at stake first."""
    return [
        Item(
            "partner", WEEK, care_words.momentum(row.momentum.momentum).icon or "user",
            _("%(partner)s: %(state)s", partner=row.partner_name, state=care_words.momentum(row.momentum.momentum).word),
            " ".join([care_words.reason(row.momentum), care_words.advice(row.momentum)]),
            url_for("console.partner_care", partner_id=row.momentum.partner_id) + "#care", _("Open"), row.momentum.since,
            acts=[Act(_("I look after it"), "check", url_for("console.look_after", partner_id=row.momentum.partner_id))],
        )
        for row in rows
    ]  # fmt: skip


def alarms(rows: Sequence[KpiWatch]) -> list[Item]:
    """Figures beyond their limit."""
    return [
        Item(
            "goal", TODAY, "alert-triangle", _("%(figure)s is beyond its limit", figure=_(FIGURES[row.key].label)),
            _("It was %(value)s; the limit is %(limit)s.", value=kpi_sheets.watch(row)["value"], limit=kpi_sheets.watch(row)["limit"]),
            url_for("console.kpis"), _("Open"), row.since,
        )
        for row in rows
    ]  # fmt: skip


def deadlines(rows: Sequence[DutyLine]) -> list[Item]:
    """Responsibilities whose day has come, or comes within the week."""
    return [_deadline(row, goal_sheets.today()) for row in rows]


def _deadline(row: DutyLine, today: date) -> Item:
    duty = row.duty
    due = duty.due_on or today
    group = LATE if due < today else TODAY if due == today else WEEK
    who = row.owner_name or shared.side(duty.side)
    detail = _("%(who)s, due on %(day)s.", who=who, day=formats.day(due))
    if is_repeated(duty.rounds):
        detail = f"{detail} {_('It slips again and again: talk to them now.')}"
    url = url_for("console.partner_care", partner_id=duty.partner_id) + "#duties"
    done = url_for("console.move_duty", partner_id=duty.partner_id, duty_id=duty.id, act="done")
    title = _("%(task)s: %(partner)s", task=duty.task, partner=row.partner_name)
    return Item("deadline", group, "calendar", title, detail, url, _("Open"), acts=[Act(_("Done"), "check", done)])


def on_trial(rows: Sequence[tuple[PartnerCare, str]], facts: Sequence[TrialFacts]) -> list[Item]:
    """Partners on trial that can graduate, pass their limit, or run out of time."""
    found = [_trial(care, name, brought) for (care, name), brought in zip(rows, facts, strict=True)]
    return [item for item in found if item is not None]


def _trial(care: PartnerCare, name: str, facts: TrialFacts) -> Item | None:
    standing = trial_standing(care, facts)
    if standing is None or standing is Standing.RUNNING:
        return None
    acts = [Act(_("Graduate"), "award", url_for("console.graduate", partner_id=care.partner_id))]
    return Item(
        "partner", TODAY if standing is Standing.BEYOND else WEEK, "award", _("Trial of %(partner)s", partner=name),
        shared.trial(standing, facts.orders), url_for("console.partner_care", partner_id=care.partner_id) + "#care",
        _("Open"), acts=acts if standing is Standing.PASSED else [],
    )  # fmt: skip


def trial_standing(care: PartnerCare, facts: TrialFacts) -> Standing | None:
    """How the trial of a partner stands; none if it is on none."""
    if care.trial_ends_on is None:
        return None
    terms = trials.Trial(care.trial_ends_on, care.trial_orders_min, care.trial_orders_max)
    return trials.standing(
        terms, orders=facts.orders, earned_minor=facts.earned_minor, reversed_minor=facts.reversed_minor,
        today=goal_sheets.today(),
    )  # fmt: skip


def running_goals(rows: Sequence[tuple[PartnerGoal, str, datetime]], reached: Sequence[Reached]) -> list[Item]:
    """Shared goals that are behind, and those that nobody reviewed for a month."""
    found = [_running_goal(*row, each) for row, each in zip(rows, reached, strict=True)]
    return [item for item in found if item is not None]


def _running_goal(goal: PartnerGoal, name: str, said_at: datetime, reached: Reached) -> Item | None:
    course = care_sheets.course_of(goal, reached, today=goal_sheets.today())
    is_behind, is_silent = course.state == State.BEHIND, request_now() - said_at > REVIEWED_EVERY
    if not (is_behind or is_silent):
        return None
    title = _("Review the goal with %(partner)s", partner=name)
    told = [shared.goal(goal, g.program.currency) + "."]
    if is_behind:
        title = _("Shared goal of %(partner)s: %(state)s", partner=name, state=shared.goal_state(course.state).word)
        told += [_("%(reached)s of %(target)s.", reached=_of(goal, reached.value), target=_of(goal, goal.target))]
        told += [_("The straight line asks for %(asked)s today.", asked=_of(goal, course.line))]
    if is_silent:
        told += [
            _("Nobody has said anything about it since %(day)s: review it with the partner.", day=formats.day(said_at))
        ]
    url = url_for("console.partner_care", partner_id=goal.partner_id) + "#shared"
    return Item("goal", WEEK, "target", title, " ".join(told), url, _("Open"), said_at if is_silent else None)


def _of(goal: PartnerGoal, value: int) -> str:
    return shared.amount(goal.metric, value, g.program.currency)


def going_on(kind: str, title: str, url: str) -> Item:
    """A line that leads to those of a kind that were not judged, since only so many are at once: no decision itself."""
    return Item(kind, WEEK, "chevron-right", title, "", url, _("Look at the next ones"), stands_for=0)


def shared_goals(rows: Sequence[tuple[PartnerGoal, str]]) -> list[Item]:
    """Goals that partners propose."""
    return [
        Item(
            "goal", TODAY, "target", _("%(partner)s proposes a goal", partner=name), shared.goal(goal, g.program.currency),
            url_for("console.partner_care", partner_id=goal.partner_id) + "#shared", _("Open"), goal.created_at,
            acts=[Act(_("Agree"), "check", url_for("console.answer_goal", partner_id=goal.partner_id, goal_id=goal.id, act="agree"))],
        )
        for goal, name in rows
    ]  # fmt: skip
