"""The first page: what needs a decision, the late first, each acted on in place or one step away. Nobody sees what he may not act on."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import g, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user
from werkzeug.wrappers.response import Response as BaseResponse

from affiliate import ids
from affiliate.accounts import access
from affiliate.canary import queries as canary
from affiliate.console import goal_sheets, goals, program, undelivered, work_list, work_people
from affiliate.console.blueprint import acted, blueprint, is_manager, latest_proof, manages_all, show, waiting
from affiliate.console.queries import events, work
from affiliate.errors import Conflict
from affiliate.papers import queries as papers
from affiliate.papers.models import FiledStatus
from affiliate.partners import service as partners
from affiliate.payouts import queries as payout_queries
from affiliate.programs.models import ProgramStatus
from affiliate.relations import care_queries
from affiliate.relations import queries as relations
from affiliate.steering import queries as steering
from affiliate.web import orm, request_now

SOON = timedelta(days=7)
REFUSED_FOR = timedelta(days=7)
SHOWN_OF_A_KIND = 10
PICKED_MAX = 100


@blueprint.get("/<slug>/")
@access.console("manager", "finance")
def today() -> str:
    """The work list, by urgency."""
    items = _items(request_now())
    chosen = request.args.get("kind", "")
    setup = program.setup_steps(g.program) if is_manager() and g.program.status is ProgramStatus.DRAFT else None
    offers = goal_sheets.offers()[:3] if setup and not setup[0]["done"] else []
    return show("today.html", setup=setup, offers=offers, **work_list.page(items, chosen))


@blueprint.post("/<slug>/today/approve")
@access.console("manager")
def approve_picked() -> BaseResponse:
    """Let several applicants in at once; whoever was decided meanwhile is left as he is, and counted."""
    picked = list(_picked())

    def act() -> str:
        here = {"program_id": g.program.id, "actor": access.actor(), "now": request_now()}
        done = 0
        for enrollment_id in work.pending_among(orm.session, program_id=g.program.id, partner_ids=picked):
            try:
                partners.approve(orm.session, enrollment_id=enrollment_id, **here)
                done += 1
            except Conflict:
                continue
        told = ngettext(
            "%(num)d partner is in. A mail tells them.", "%(num)d partners are in. A mail tells them.", done
        )
        left = len(picked) - done
        return (
            told
            if not left
            else f"{told} {ngettext('%(num)d was decided by somebody else.', '%(num)d were decided by somebody else.', left)}"
        )

    if not picked:
        return acted(url_for("console.today"), lambda: str(_("Nobody was chosen.")))
    return acted(url_for("console.today"), act)


def _picked() -> Iterator[UUID]:
    for text in request.form.getlist("partner")[:PICKED_MAX]:
        with suppress(ids.BadPublicId):
            yield ids.parse("ptn", text)


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
    found += work_list.maturing(work.maturing(session, **here, until=now + SOON))
    found += work_list.refused(work.refused_since(session, **here, since=now - REFUSED_FOR))
    return found


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
