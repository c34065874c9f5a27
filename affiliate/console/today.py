"""The first page: what needs a decision, the oldest first, each one step away."""

from datetime import datetime, timedelta
from typing import Any

from flask import g, request
from flask_login import current_user

from affiliate.accounts import access
from affiliate.canary import queries as canary
from affiliate.console import goals, program, work_list
from affiliate.console.blueprint import blueprint, is_manager, manages_all, show
from affiliate.console.queries import events, work
from affiliate.ledger import queries as ledger_queries
from affiliate.payouts import queries as payout_queries
from affiliate.programs.models import ProgramStatus
from affiliate.web import orm, request_now

SOON = timedelta(days=7)
REFUSED_FOR = timedelta(days=7)


@blueprint.get("/<slug>/")
@access.console("manager", "finance")
def today() -> str:
    """The work list, by urgency."""
    items = _items(request_now())
    chosen = request.args.get("kind", "")
    setup = program.setup_steps(g.program) if is_manager() and g.program.status is ProgramStatus.DRAFT else None
    return show("today.html", setup=setup, **work_list.page(items, chosen))


def _items(now: datetime) -> list[work_list.Item]:
    here: dict[str, Any] = {"program_id": g.program.id}
    session = orm.session
    found = work_list.payouts(work.open_runs(session, **here), me=current_user.id)
    found += work_list.payable(payout_queries.preview(session, **here, now=now))
    found += work_list.maturing(work.maturing(session, **here, until=now + SOON))
    found += work_list.books(ledger_queries.latest_proof(session))
    found += work_list.goals(goals.behind(goals.lines()))
    if is_manager():
        found += work_list.applications(work.applications_waiting(session, **here))
        found += work_list.refused(work.refused_since(session, **here, since=now - REFUSED_FOR))
    if manages_all():
        found += work_list.canary(canary.latest(session))
        found += work_list.dead_letters(*events.oldest_dead_letter(session))
    return found
