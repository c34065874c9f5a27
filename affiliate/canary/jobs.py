"""The jobs of the canary. Calls go out while no transaction is open; each outcome is written in a short one of its own."""

from datetime import datetime, timedelta

from affiliate import clock, db, settings, signing
from affiliate.canary import probe, queries, service
from affiliate.canary.models import CanaryRun, CanaryState
from affiliate.canary.queries import Route, Sight
from affiliate.programs import secrets
from affiliate.tracking.keys import Keys, stamp

PATIENCE = timedelta(minutes=5)
"""How long each step may take: a conversion waits a minute at most for its click, and a killed job two."""

EVERY = timedelta(hours=1)
AGAIN_AFTER = timedelta(minutes=5)
ANSWER_WITHIN = timedelta(minutes=1)
"""How long a call may fail: while everything starts, the workers run before the web does."""

_RUNS_AT_ONCE = 10
_OTHER_KEY = "The click id is signed with another key: do all processes have the same SECRET_KEY?"


def begin_due() -> int:
    """Begin a run if the last one is an hour old, or failed a while ago: what was repaired shall not look broken for long."""
    now = clock.now()
    with db.reading() as session:
        last = queries.last_begun(session)
    pause = AGAIN_AFTER if last is not None and last.state is CanaryState.FAILED else EVERY
    return begin() if last is None or now - last.started_at >= pause else 0


def begin() -> int:
    """Plan a run; 0 when the installation has no link that counts."""
    now = clock.now()
    with db.transaction() as session:
        route = queries.route(session, now=now)
        if route is None:
            return 0
        service.plan(session, route=route, now=now)
    return 1


def proceed() -> int:
    """Look at the runs that wait: send what comes next, pass, or fail. Gives how many moved on."""
    now = clock.now()
    with db.reading() as session:
        waiting = [(run, queries.sight_of(session, run=run)) for run in queries.open_runs(session, limit=_RUNS_AT_ONCE)]
        route = queries.route(session, now=now)
    return sum(_step(run, sight, route, now=now) for run, sight in waiting)


def _step(run: CanaryRun, sight: Sight, route: Route | None, *, now: datetime) -> bool:
    """Move one run on, if what it waits for is there or has not come for too long."""
    if route is None or route.program_id != run.program_id:
        return _move(run, CanaryState.FAILED, now=now, finding="The program of the test order stopped meanwhile.")
    waited = now - run.stepped_at
    try:
        reached = _reached(run, sight, route, now=now)
    except probe.ProbeFailed as failed:
        return waited >= ANSWER_WITHIN and _move(run, CanaryState.FAILED, now=now, finding=str(failed))
    if reached is not None:
        return _move(run, reached, now=now)
    return waited >= PATIENCE and _move(run, CanaryState.FAILED, now=now, finding=_what_is_missing(run, sight))


def _reached(run: CanaryRun, sight: Sight, route: Route, *, now: datetime) -> CanaryState | None:
    """The state that a run comes into now, after what has to be sent for it; null while it waits.

    Raises:
        ProbeFailed: a call was not answered as it must be.
    """
    if run.state is CanaryState.PLANNED:
        _order(run, route, now=now)
        return CanaryState.ORDERED
    if run.state is CanaryState.ORDERED and sight.amount_minor is not None:
        _postback(run, route, what="The refund", status="refunded")
        return CanaryState.REFUNDED
    if run.state is CanaryState.REFUNDED and sight.amount_minor == sight.reversed_minor is not None:
        return CanaryState.PASSED
    return None


def _order(run: CanaryRun, route: Route, *, now: datetime) -> None:
    """Send the test click, and the test order with its click id.

    Raises:
        ProbeFailed: a call was not answered as it must be.
    """
    here = settings.current()
    keys = Keys.of(here.secret_key)
    mark = stamp(keys.test, program_id=route.program_id, now=now)
    token = probe.click(tracking_url=here.tracking_url, code=route.code, stamp=mark, parameter=route.click_parameter)
    try:
        click_id = signing.read_click_token(keys.click, token, program_id=route.program_id)
    except signing.BadToken as error:
        raise probe.ProbeFailed(_OTHER_KEY) from error
    with db.transaction() as session:
        service.note_click(session, run_id=run.id, click_id=click_id)
    _postback(run, route, what="The order", click_id=token, amount=probe.AMOUNT)


def _postback(run: CanaryRun, route: Route, *, what: str, **parameters: str) -> None:
    probe.postback(
        tracking_url=settings.current().tracking_url, what=what, token=_token(route), txid=run.order_id, **parameters
    )


def _move(run: CanaryRun, to: CanaryState, *, now: datetime, finding: str | None = None) -> bool:
    with db.transaction() as session:
        moved = service.move(session, run_id=run.id, before=run.state, to=to, now=now, finding=finding)
        if moved and to is CanaryState.PASSED:
            service.clear(session, run=run)
        return moved


def _what_is_missing(run: CanaryRun, sight: Sight) -> str:
    minutes = PATIENCE // timedelta(minutes=1)
    if not sight.is_stored:
        return f"The test order was taken and is no row after {minutes} minutes: does ingest run?"
    if run.state is CanaryState.REFUNDED:
        return f"The refund has not reversed the commission after {minutes} minutes: do the workers run?"
    if sight.unattributed is not None:
        return f"The test order was credited to nobody: {sight.unattributed}."
    return f"The test order has no commission after {minutes} minutes: do the workers run?"


def _token(route: Route) -> str:
    return secrets.derived_postback_token(
        program_id=route.program_id,
        version=route.postback_token_version,
        secret_key=settings.current().secret_key,
    )
