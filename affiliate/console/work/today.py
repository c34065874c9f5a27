"""The first page: what needs a decision, the late first, each acted on in place or one step away. Nobody sees what he may not act on."""

from datetime import date, datetime, timedelta
from typing import Any

from flask import g, request
from flask_login import current_user

from affiliate.accounts import access
from affiliate.canary import queries as canary
from affiliate.console.blueprint import blueprint, is_manager, latest_proof, manages_all, show, waiting
from affiliate.console.goals import goal_sheets, goals
from affiliate.console.program import program
from affiliate.console.queries import events, work
from affiliate.console.work import undelivered, work_list, work_people
from affiliate.papers import queries as papers
from affiliate.papers.models import FiledStatus
from affiliate.payouts import queries as payout_queries
from affiliate.programs.models import ProgramStatus
from affiliate.relations import care_queries
from affiliate.relations import queries as relations
from affiliate.reports.periods import start_of_day
from affiliate.steering import queries as steering
from affiliate.web import orm, request_now

SOON = timedelta(days=7)
REFUSED_FOR = timedelta(days=7)
SHOWN_OF_A_KIND = 10


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
    until = goal_sheets.today() + SOON
    there = work.stirring(orm.session, program_id=g.program.id, until=until)
    found = _money(there, now)
    found += work_list.books(latest_proof())
    found += work_list.goals(goal_sheets.behind(goals.running()))
    if is_manager():
        found += _people(now)
        found += _steering(there, until)
        found += undelivered.items(now)
    if manages_all():
        found += work_list.canary(canary.latest(orm.session))
        found += work_list.dead_letters(*events.oldest_dead_letter(orm.session))
    return found


def _money(there: work.Stirring, now: datetime) -> list[work_list.Item]:
    """A run that waits comes before the next one is thought of."""
    here: dict[str, Any] = {"program_id": g.program.id}
    found: list[work_list.Item] = []
    if waiting().runs:
        found += work_list.payouts(work.open_runs(orm.session, **here), me=current_user.id)
    else:
        found += work_list.payable(payout_queries.preview(orm.session, **here, now=now))
    if there.invoices:
        filed = papers.filed_in(orm.session, **here, status=FiledStatus.FILED, limit=SHOWN_OF_A_KIND)
        found += work_people.invoices(filed)
    return found


def _people(now: datetime) -> list[work_list.Item]:
    """What only a manager decides."""
    here: dict[str, Any] = {"program_id": g.program.id}
    session, counted = orm.session, waiting()
    found: list[work_list.Item] = []
    if counted.applications:
        found += work_list.applications(work.applications_waiting(session, **here))
    if counted.cases:
        found += work_people.cases(relations.cases(session, **here, waiting=True, limit=SHOWN_OF_A_KIND))
    if counted.reviews:
        found += work_people.reviews(counted.reviews, work.soonest_review(session, **here))
    soon, month = work.maturing(session, **here, until=now + SOON, month_ends=_month_ends())
    found += work_list.maturing(soon) + work_list.validating(month)
    found += work_list.refused(work.refused_since(session, **here, since=now - REFUSED_FOR))
    return found


def _month_ends() -> datetime:
    """When the present month is over in the program's time zone."""
    following = goal_sheets.today().replace(day=1) + timedelta(days=31)
    return start_of_day(following.replace(day=1), zone=g.program.time_zone)


def _steering(there: work.Stirring, until: date) -> list[work_list.Item]:
    """Partners, figures and deadlines that need somebody."""
    here: dict[str, Any] = {"program_id": g.program.id}
    session = orm.session
    found: list[work_list.Item] = []
    if there.at_risk:
        found += work_people.at_risk(steering.at_risk(session, **here))
    if there.alarms:
        found += work_people.alarms(steering.alarms(session, **here))
    if there.duties:
        due = care_queries.duties_due(session, **here, before=until, limit=SHOWN_OF_A_KIND)
        found += work_people.deadlines(due)
    if there.trials:
        trials = care_queries.trials(session, **here)
        facts = care_queries.trial_facts(session, program=g.program, rows=[care for care, _name in trials])
        found += work_people.on_trial(trials, facts)
    if there.goals:
        found += work_people.shared_goals(care_queries.goals_proposed(session, **here, limit=SHOWN_OF_A_KIND))
    return found
