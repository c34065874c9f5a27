"""The first page: what needs a decision, the late first, each acted on in place or one step away. Nobody sees what he may not act on."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import g, request, url_for
from flask_babel import gettext as _
from flask_login import current_user

from affiliate.accounts import access
from affiliate.canary import queries as canary
from affiliate.console import paging
from affiliate.console.blueprint import arrivals_of, blueprint, cursor, is_manager, latest_proof, manages_all, show
from affiliate.console.goals import goal_sheets, goals, kpi_sheets
from affiliate.console.joining import vetting
from affiliate.console.program import program
from affiliate.console.queries import events, work
from affiliate.console.queries.beside import beside
from affiliate.console.queries.stirring import Moments, Stirring, Waiting, stirring
from affiliate.console.work import undelivered, work_list, work_people, work_rest
from affiliate.papers import queries as papers
from affiliate.papers.models import FiledStatus
from affiliate.payouts import payable
from affiliate.programs.models import ProgramStatus
from affiliate.relations import agreeing, care_queries
from affiliate.relations import queries as relations
from affiliate.relations.care_models import PartnerCare, PartnerGoal
from affiliate.relations.care_queries import DutyLine
from affiliate.reports.periods import start_of_day
from affiliate.steering import queries as steering
from affiliate.steering.queries import AtRisk
from affiliate.web import orm, request_now

SOON = timedelta(days=7)
REFUSED_FOR = timedelta(days=7)
SHOWN_OF_A_KIND = 10
SHOWN_ALONE = 100
"""How many of a kind that has no list of its own are shown when the page is narrowed to it."""


@blueprint.get("/<slug>/")
@access.console("manager", "finance")
def today() -> str:
    """The work list, by urgency."""
    items = _items(request_now())
    chosen = request.args.get("kind", "")
    setup = program.setup_steps(g.program) if is_manager() and g.program.status is ProgramStatus.DRAFT else None
    offers = goal_sheets.offers()[:3] if setup and not setup[0]["done"] else []
    return show("work/today.html", setup=setup, offers=offers, **work_list.page(items, chosen))


def _items(now: datetime) -> list[work_list.Item]:
    day = goal_sheets.today()
    applied_before = now - timedelta(days=g.program.application_answer_days)
    late_before, lost_since = now - kpi_sheets.DECIDED_WITHIN, now - undelivered.LOOKED_BACK
    at = Moments(now, applied_before, late_before, day, day + SOON, lost_since)
    there = stirring(orm.session, program_id=g.program.id, at=at, letters_of=undelivered.letters_of())
    counted = (there.applications, there.runs, there.creatives, there.cases)
    applications, runs, creatives, cases = (each.count for each in counted)
    g.waiting = work.OpenDecisions(applications, runs, there.reviews, creatives, cases)  # the navigation asks no more
    found = _money(there, now)
    found += work_list.books(latest_proof())
    found += work_list.goals(goal_sheets.behind(goals.running()))
    if is_manager():
        rows = beside(orm.session, _asked(there, at.until) | undelivered.asked(there.lost, at.lost_since))
        found += _people(there, rows, now)
        found += _steering(there, rows)
        found += undelivered.items(rows)
        found += work_list.canary(*(run for (run,) in rows.get("canary", [])))
        found += work_list.dead_letters(*rows["dead"][0])
    return found


def _money(there: Stirring, now: datetime) -> list[work_list.Item]:
    """A run that waits comes before the next one is thought of."""
    here: dict[str, Any] = {"program_id": g.program.id}
    found: list[work_list.Item] = []
    if there.runs.count:
        runs = work_list.payouts(work.open_runs(orm.session, **here), me=current_user.id)
        found += work_list.with_rest(runs, there.runs, work_rest.runs, url_for("console.payouts"))
    else:
        found += work_list.payable(payable.payable(orm.session, payable.basis(orm.session, program=g.program, now=now)))
    if there.invoices.count:
        filed = papers.filed_in(orm.session, **here, status=FiledStatus.FILED, oldest_first=True, limit=SHOWN_OF_A_KIND)
        invoices = work_people.invoices(filed)
        found += work_list.with_rest(invoices, there.invoices, work_rest.invoices, url_for("console.papers"))
    return found + work_list.adjustments(there.adjustments)


def _people(there: Stirring, rows: dict[str, list[Any]], now: datetime) -> list[work_list.Item]:
    """What only a manager decides."""
    here: dict[str, Any] = {"program_id": g.program.id}
    session = orm.session
    found: list[work_list.Item] = []
    if there.applications.count:
        applied = rows["applications"]
        applications = work_list.applications(applied, vetting.of_applications([row.id for row in applied]))
        found += work_list.with_rest(
            applications, there.applications, work_rest.applications, url_for("console.applications")
        )
    cases = work_people.cases([relations.Line(*row) for row in rows.get("cases", [])])
    found += work_list.with_rest(cases, there.cases, work_rest.cases, url_for("console.cases"))
    found += work_people.reviews(there.reviews, there.review_by)
    found += work_people.creatives(there.creatives) + work_people.erasures(there.erasures)
    coming = work.coming(session, **here, until=now + SOON, month_ends=_month_ends(), since=now - REFUSED_FOR)
    found += work_list.maturing(coming.soon) + work_list.validating(coming.month)
    return found + work_list.refused(coming.refused)


def _month_ends() -> datetime:
    """When the present month is over in the program's time zone."""
    following = goal_sheets.today().replace(day=1) + timedelta(days=31)
    return start_of_day(following.replace(day=1), zone=g.program.time_zone)


def _asked(there: Stirring, until: date) -> dict[str, sa.Select[*tuple[Any, ...]]]:
    """The short lists of what a manager looks after; who manages all programs looks after the installation's own test order, too."""
    here = g.program.id
    lists = {
        "applications": (there.applications, work.applications_waiting(here)),
        "cases": (there.cases, relations.waiting_cases(here, limit=SHOWN_OF_A_KIND)),
        "at_risk": (there.at_risk, steering.at_risk_placed(here, limit=_most("partner"))),
        "alarms": (there.alarms, steering.alarms(here)),
        "duties": (there.duties, care_queries.duties_due(here, before=until, limit=_most("deadline"))),
        "trials": (there.trials, care_queries.trials_placed(here, after=_after("partner"))),
        "goals": (there.goals, care_queries.goals_proposed(here, limit=_most("goal"))),
        "running": (there.running, care_queries.goals_running(here, today=goal_sheets.today(), after=_after("goal"))),
    }
    asked = {name: rows for name, (waiting, rows) in lists.items() if waiting.count}
    asked["dead"] = events.dead_letters_placed(arrivals_of())
    return asked | ({"canary": canary.latest_placed()} if manages_all() else {})


def _steering(there: Stirring, rows: dict[str, list[Any]]) -> list[work_list.Item]:
    """Partners, figures and deadlines that need somebody."""
    at_risk = work_people.at_risk([AtRisk(*row) for row in rows.get("at_risk", [])])
    found = work_list.with_rest(at_risk, there.at_risk, work_rest.at_risk, _alone("partner"))
    found += work_people.alarms([watch for (watch,) in rows.get("alarms", [])])
    duties = work_people.deadlines([DutyLine(*row) for row in rows.get("duties", [])])
    found += work_list.with_rest(duties, there.duties, work_rest.deadlines, _alone("deadline"))
    if "trials" in rows:
        found += _trials(rows["trials"])
    if "running" in rows:
        found += _running_goals(rows["running"])
    proposed = work_people.shared_goals(rows.get("goals", []))
    return found + work_list.with_rest(proposed, there.goals, work_rest.shared_goals, _alone("goal"))


def _trials(trials: list[tuple[PartnerCare, str]]) -> list[work_list.Item]:
    """So many are judged as one statement does, since only the judgement tells which need somebody; a line leads on to the others."""
    judged = trials[: care_queries.TRIALS_MAX]
    facts = care_queries.trial_facts(orm.session, program=g.program, rows=[care for care, _name in judged])
    found = work_people.on_trial(judged, facts)
    shown = found if _is_alone("partner") else found[: _most("partner")]  # narrowed, nothing comes between two looks
    told = work_list.with_rest(shown, Waiting(len(found), 0, None), work_rest.trials, _alone("partner"))
    if len(trials) > len(judged):
        last = judged[-1][0]
        told.append(_going_on("partner", _("More partners are on trial"), last.trial_ends_on, last.partner_id))
    return told


def _running_goals(rows: list[tuple[PartnerGoal, str, datetime]]) -> list[work_list.Item]:
    """As many are judged as `care_queries.RUNNING_MAX`, however many run; a line leads on to the others."""
    judged = rows[: care_queries.RUNNING_MAX]
    goals_of_them = [goal for goal, _name, _said_at in judged]
    reached = agreeing.progress(orm.session, program=g.program, goals=goals_of_them)
    found = work_people.running_goals(judged, reached)
    shown = found if _is_alone("goal") else found[: _most("goal")]
    told = work_list.with_rest(shown, Waiting(len(found), 0, None), work_rest.running_goals, _alone("goal"))
    if len(rows) > len(judged):
        last = goals_of_them[-1]
        told.append(_going_on("goal", _("More shared goals run"), last.ends_on, last.id))
    return told


def _going_on(kind: str, title: str, day: date | None, identifier: UUID) -> work_list.Item:
    """Where those stand that end after the last one that was judged."""
    place = paging.Cursor("older", (day or date.max).toordinal(), identifier)
    return work_people.going_on(kind, title, url_for("console.today", kind=kind, page=place.text()))


def _after(kind: str) -> tuple[date, UUID] | None:
    """The last one of a kind that was judged on the page before, of the page that is narrowed to it."""
    place = cursor() if _is_alone(kind) else None
    if place is None or not isinstance(place.at, int) or not 0 < place.at <= date.max.toordinal():
        return None
    return date.fromordinal(place.at), place.id


def _is_alone(kind: str) -> bool:
    """Whether the page is narrowed to this kind."""
    return request.args.get("kind") == kind


def _most(kind: str) -> int:
    """How many of a kind stand on the page."""
    return SHOWN_ALONE if _is_alone(kind) else SHOWN_OF_A_KIND


def _alone(kind: str) -> str:
    """Where more of a kind stand that has no list of its own: this page, narrowed to it; nowhere from there."""
    return "" if _is_alone(kind) else url_for("console.today", kind=kind)
