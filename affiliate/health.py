"""Health that tells the truth: `/healthz` lives without dependencies, `/readyz` names what is wrong, `/metrics` counts it."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from affiliate import schema, streams
from affiliate.accounts import access
from affiliate.canary import queries as canary_queries
from affiliate.canary.models import CanaryState
from affiliate.ingest import queries as ingest_queries
from affiliate.ledger import queries as ledger_queries
from affiliate.papers import pdf
from affiliate.papers import queries as paper_queries
from affiliate.tracking import durability, spool, tracker
from affiliate.tracking import metrics as metrics_of_tracking
from affiliate.web import orm, request_now

STREAM_WAITING_MAX = 100_000  # more than this and the pages are visibly behind
STREAM_SECONDS_MAX = streams.WATERMARK_LAG_MAX.total_seconds()  # orders wait no longer than this for clicks
_AWAY: tuple[type[Exception], ...] = (sa.exc.SQLAlchemyError, OSError, *streams.ERRORS)
SEALED_WITHIN = timedelta(minutes=15)
CANARY_WITHIN = timedelta(hours=3)  # it goes every hour
PROVEN_WITHIN_HOURS = 26  # every hour, or at least every night where the books are very long

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@access.public
def healthz() -> Response:
    """The process answers; nothing else is asked."""
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
@access.public
def readyz() -> tuple[Response, int]:
    """`ok`, `degraded` (links and orders are taken, something else waits or is weakened) or `down`, with each check's finding."""
    checks = {name: _guarded(check) for name, check in _CHECKS.items()}
    states = {check["status"] for check in checks.values()}
    status = "down" if "down" in states else "degraded" if "degraded" in states else "ok"
    return jsonify({"status": status, "checks": checks}), 503 if status == "down" else 200


@blueprint.get("/metrics")
@access.public
def metrics() -> Response:
    """The same facts for Prometheus, and what the tracker's processes on this machine have counted."""
    registry = CollectorRegistry()
    registry.register(_Facts())
    metrics_of_tracking.register(registry)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class _Facts(Collector):
    """What is asked when somebody looks."""

    def collect(self) -> Iterator[Metric]:
        """Every check, and the numbers behind the most important ones."""
        state = GaugeMetricFamily("affiliate_check", "1 ok, 0.5 degraded, 0 down", labels=["check"])
        checks = {name: _guarded(check) for name, check in _CHECKS.items()}
        for name, found in checks.items():
            state.add_metric([name], {"ok": 1.0, "degraded": 0.5, "down": 0.0}[found["status"]])
        yield state
        waiting = GaugeMetricFamily("affiliate_stream_waiting", "Events stored and not yet ingested", labels=["stream"])
        for stream, count in checks["streams"].get("waiting", {}).items():
            waiting.add_metric([stream], count)
        yield waiting
        lag = GaugeMetricFamily(
            "affiliate_stream_lag_seconds", "Age of the oldest event not ingested", labels=["stream"]
        )
        for stream, seconds in checks["streams"].get("lag_seconds", {}).items():
            lag.add_metric([stream], seconds)
        yield lag
        letters = checks["dead_letters"].get("count", float("nan"))
        yield GaugeMetricFamily("affiliate_dead_letters", "Events put aside: they could not be stored", value=letters)
        yield from _of_redis(checks["redis"])
        bytes_waiting = checks["spool"].get("bytes", float("nan"))
        yield GaugeMetricFamily("affiliate_spool_bytes", "Events that wait on disk, in bytes", value=bytes_waiting)


def _of_redis(found: dict[str, Any]) -> Iterator[Metric]:
    """Whether the Redis of the streams keeps what it acknowledges; not a number while it does not answer."""
    persists, evicts = found.get("persists", float("nan")), found.get("evicts", float("nan"))
    yield GaugeMetricFamily("affiliate_redis_persists", "1 if every acknowledged event is on its disk", value=persists)
    yield GaugeMetricFamily("affiliate_redis_evicts", "1 if it throws events out when it is full", value=evicts)


def _guarded(check: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return check()
    except _AWAY as error:
        orm.session.rollback()
        return {"status": "degraded", "finding": f"{type(error).__name__}: does not answer"}


def _database() -> dict[str, Any]:
    """Without it links and orders go on, as long as this process knows the links; pages and reports wait."""
    try:
        return _schema()
    except sa.exc.SQLAlchemyError as error:
        orm.session.rollback()
        away = f"{type(error).__name__}: does not answer"
    if not tracker.current().directory.is_loaded:
        return {"status": "down", "finding": f"{away}, and no link is known yet"}
    return {"status": "degraded", "finding": f"{away}. Pages and reports wait; links and orders are taken"}


def _schema() -> dict[str, Any]:
    current, head = schema.current(orm.session), schema.head()
    if current != head:
        return {
            "status": "down",
            "finding": f"the tables are at {current}, the program wants {head}: run `affiliate db upgrade`",
        }
    return {"status": "ok"}


def _redis() -> dict[str, Any]:
    """A Redis that evicts loses events in silence; one without fsync loses them with the machine. Without any they go to disk."""
    try:
        found = durability.of(streams.client())
    except streams.ERRORS as error:
        waits = "Sign-in, jobs and new figures wait; links and orders are taken and kept on disk"
        return {"status": "degraded", "finding": f"{type(error).__name__}: does not answer. {waits}"}
    facts = asdict(found) | {"persists": found.is_full, "evicts": found.evicts}
    if found.evicts:
        return {"status": "down", "finding": str(durability.Evicts(str(found.eviction))), **facts}
    if not found.is_full:
        return {"status": "degraded", "finding": durability.WEAK, **facts}
    return {"status": "ok", **facts}


def _spool() -> dict[str, Any]:
    """Events that wait on disk of this machine, and what of them could not be read."""
    tracked = tracker.current()
    files, size = spool.waiting(tracked.spool.folder)
    aside = spool.put_aside(tracked.spool.folder)
    facts = {"files": files, "bytes": size, "put_aside": aside, "breaker": tracked.breaker_state()}
    if not tracked.spool.has_room:
        full = "the spool has reached its limit: what Redis does not take is refused"
        return {"status": "degraded" if tracked.breaker_state() == "closed" else "down", "finding": full, **facts}
    if aside:
        return {"status": "degraded", "finding": f"{aside} pieces of the spool could not be read", **facts}
    if size or tracked.breaker_state() != "closed":
        return {"status": "degraded", "finding": "events wait on disk until Redis takes them", **facts}
    return {"status": "ok", **facts}


def _streams() -> dict[str, Any]:
    """How far ingest is behind, by shard: in events, and in seconds of the oldest one."""
    client, now = streams.client(), request_now()
    names = (*streams.all_click_streams(), *streams.all_order_streams())
    found = {name: streams.backlog(client, name, now=now) for name in names}
    waiting = {name: events for name, (events, _) in found.items()}
    lag_seconds = {name: round(seconds, 1) for name, (_, seconds) in found.items()}
    behind = max(waiting.values()) > STREAM_WAITING_MAX or max(lag_seconds.values()) > STREAM_SECONDS_MAX
    facts = {"waiting": waiting, "lag_seconds": lag_seconds}
    return {"status": "degraded", "finding": "ingest is behind", **facts} if behind else {"status": "ok", **facts}


def _dead_letters() -> dict[str, Any]:
    count = ingest_queries.dead_letter_count(orm.session)
    return {"status": "degraded" if count else "ok", "count": count}


def _books() -> dict[str, Any]:
    """Books that do not balance need a person at once; visitors and orders are no help to it, so they go on."""
    proof = ledger_queries.latest_proof(orm.session)
    if proof is None:
        return {"status": "ok", "finding": "not checked yet"}
    checked: datetime = proof.checked_at
    age_hours = int((request_now() - checked).total_seconds() // 3600)
    facts = {"checked_at": checked.isoformat(), "age_hours": age_hours, "transfers": proof.transfers}
    if proof.findings:
        return {"status": "degraded", "findings": proof.findings[:10], **facts}
    if age_hours >= PROVEN_WITHIN_HOURS:
        return {"status": "degraded", "finding": f"the books were last proven {age_hours} hours ago", **facts}
    return {"status": "ok", **facts}


def _seals() -> dict[str, Any]:
    """Transfers that no seal covers could still be changed unseen."""
    waiting_since = ledger_queries.oldest_unsealed_at(orm.session)
    if waiting_since is None or request_now() - waiting_since < SEALED_WITHIN:
        return {"status": "ok"}
    return {"status": "degraded", "finding": f"transfers wait for their seal since {waiting_since.isoformat()}"}


def _canary() -> dict[str, Any]:
    """The last test order that went the whole way, where it stopped, or that none has gone for long."""
    run = canary_queries.latest(orm.session)
    if run is None:
        return {"status": "ok", "finding": "no test order has gone its way yet"}
    facts = {"started_at": run.started_at.isoformat()}
    if run.state is CanaryState.FAILED:
        return {"status": "degraded", "finding": run.finding, **facts}
    now = request_now()
    if now - run.started_at >= CANARY_WITHIN and canary_queries.route(orm.session, now=now) is not None:
        hours = (now - run.started_at) // timedelta(hours=1)
        finding = f"no test order has gone its way for {hours} hours: do cron and the workers run?"
        return {"status": "degraded", "finding": finding, **facts}
    return {"status": "ok", **facts}


def _optional() -> dict[str, Any]:
    """What waits for a library that is not there. Nothing else depends on it."""
    missing = pdf.missing()
    if missing is None:
        return {"status": "ok", "waits": {}}
    papers = paper_queries.unrendered_count(orm.session)
    return {"status": "degraded" if papers else "ok", "waits": {missing: "PDF papers"}, "papers": papers}


_CHECKS: dict[str, Callable[[], dict[str, Any]]] = {
    "database": _database,
    "redis": _redis,
    "streams": _streams,
    "spool": _spool,
    "dead_letters": _dead_letters,
    "books": _books,
    "seals": _seals,
    "canary": _canary,
    "optional": _optional,
}
