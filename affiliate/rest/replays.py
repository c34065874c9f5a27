"""The API's routes on attribution: the program's policies, and trying another one on its own past, in money."""

from collections.abc import Mapping
from typing import Any

from affiliate.accounts import access
from affiliate.attribution import queries as attribution
from affiliate.replay import asking, report, service
from affiliate.replay import queries as replay_queries
from affiliate.replay.engine import Totals
from affiliate.replay.models import Replay
from affiliate.rest import queries, replay_schemas
from affiliate.rest.blueprint import blueprint, found, key_program_id, parsed_id
from affiliate.web import orm, request_now

_COLUMNS = ("id", "status", "terms", "starts_at", "ends_at", "orders", "error", "created_at", "finished_at")


@blueprint.get("/attribution-policies")
@access.key("reports:read")
@blueprint.response(200, replay_schemas.PolicySchema(many=True))
def attribution_policies() -> Any:
    """The versions of the attribution policy, the newest first. A program without any has the usual one, version 1."""
    return attribution.policy_rows(orm.session, program_id=key_program_id())


@blueprint.get("/replays")
@access.key("reports:read")
@blueprint.response(200, replay_schemas.ReplaySchema(many=True))
def replays() -> list[dict[str, Any]]:
    """The last replays of the program, the newest first."""
    return [_shown(row) for row in replay_queries.replays(orm.session, program_id=key_program_id())]


@blueprint.post("/replays")
@access.key("admin")
@blueprint.arguments(replay_schemas.ReplayAsked)
@blueprint.response(202, replay_schemas.ReplaySchema)
def start_replay(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Decide stored orders again under other terms; a job does it. 409 while another replay of the program runs."""
    program = queries.program(orm.session, program_id=key_program_id())
    days = {name: wanted[name].isoformat() if wanted.get(name) else None for name in ("first", "until")}
    terms = replay_schemas.asked_terms(wanted)
    question = asking.question(orm.session, program=program, terms=terms, **days, now=request_now())
    replay = service.start(
        orm.session,
        program_id=program.id,
        policy=question.policy,
        starts_at=question.starts_at,
        ends_at=question.ends_at,
        actor=access.actor(),
        now=request_now(),
    )
    return _shown(replay)


@blueprint.get("/replays/<replay_id>")
@access.key("reports:read")
@blueprint.response(200, replay_schemas.ReplaySchema)
def one_replay(replay_id: str) -> dict[str, Any]:
    """How far a replay is, and what it found."""
    wanted = parsed_id("rpl", replay_id, "replay")
    row = replay_queries.replay(orm.session, replay_id=wanted, program_id=key_program_id())
    return _shown(found(row, "replay"))


@blueprint.post("/replays/<replay_id>/stop")
@access.key("admin")
@blueprint.response(200, replay_schemas.ReplaySchema)
def stop_replay(replay_id: str) -> dict[str, Any]:
    """Stop a replay where it is. 409 when it does not run."""
    wanted, here = parsed_id("rpl", replay_id, "replay"), key_program_id()
    service.stop(orm.session, replay_id=wanted, program_id=here, actor=access.actor(), now=request_now())
    return _shown(found(replay_queries.replay(orm.session, replay_id=wanted, program_id=here), "replay"))


def _shown(row: Replay) -> dict[str, Any]:
    totals = Totals.of(row.totals)
    currency = queries.program(orm.session, program_id=row.program_id).currency
    return {name: getattr(row, name) for name in _COLUMNS} | {
        "conversions": totals.orders,
        "changed_conversions": totals.changed,
        "partners": report.lines(totals, currency=currency),
    }
