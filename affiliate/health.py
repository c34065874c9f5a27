"""Health that tells the truth: `/healthz` lives without dependencies, `/readyz` names what is wrong, `/metrics` counts it."""

import importlib.util
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from affiliate import streams
from affiliate.accounts import access
from affiliate.canary import queries as canary_queries
from affiliate.canary.models import CanaryState
from affiliate.ingest import queries as ingest_queries
from affiliate.ledger import queries as ledger_queries
from affiliate.tracking.metrics import UNCOUNTED
from affiliate.web import orm, request_now

_PYPROJECT = Path(__file__).parent.parent / "pyproject.toml"
STREAM_WAITING_MAX = 100_000  # more than this and the pages are visibly behind
SEALED_WITHIN = timedelta(minutes=15)

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@access.public
def healthz() -> Response:
    """The process answers; nothing else is asked."""
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
@access.public
def readyz() -> tuple[Response, int]:
    """`ok`, `degraded` (works, with a promise weakened) or `down`, with the finding of each check."""
    checks = {name: _guarded(check) for name, check in _CHECKS.items()}
    states = {check["status"] for check in checks.values()}
    status = "down" if "down" in states else "degraded" if "degraded" in states else "ok"
    return jsonify({"status": status, "checks": checks}), 503 if status == "down" else 200


@blueprint.get("/metrics")
@access.public
def metrics() -> Response:
    """The same facts for Prometheus."""
    registry = CollectorRegistry()
    state = Gauge("affiliate_check", "1 ok, 0.5 degraded, 0 down", ["check"], registry=registry)
    for name, check in _CHECKS.items():
        state.labels(name).set({"ok": 1, "degraded": 0.5, "down": 0}[_guarded(check)["status"]])
    waiting = Gauge("affiliate_stream_waiting", "Events stored and not yet ingested", ["stream"], registry=registry)
    for name in (*streams.all_click_streams(), *streams.all_order_streams()):
        waiting.labels(name).set(_waiting().get(name, float("nan")))
    letters = Gauge("affiliate_dead_letters", "Events put aside because they could not be stored", registry=registry)
    letters.set(ingest_queries.dead_letter_count(orm.session))
    registry.register(UNCOUNTED)
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _guarded(check: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return check()
    except (sa.exc.SQLAlchemyError, *streams.ERRORS, OSError) as error:
        orm.session.rollback()
        return {"status": "down", "finding": f"{type(error).__name__}: does not answer"}


def _database() -> dict[str, Any]:
    current = MigrationContext.configure(orm.session.connection()).get_current_revision()
    head = ScriptDirectory.from_config(Config(toml_file=str(_PYPROJECT))).get_current_head()
    if current != head:
        return {
            "status": "down",
            "finding": f"the tables are at {current}, the program wants {head}: run `affiliate db upgrade`",
        }
    return {"status": "ok"}


def _redis() -> dict[str, Any]:
    """A Redis that evicts loses events in silence; one without fsync loses them with the machine."""
    client = streams.client()
    policy = client.config_get("maxmemory-policy").get("maxmemory-policy", "unknown")
    if policy != "noeviction":
        return {"status": "down", "finding": f"maxmemory-policy is {policy}: events could vanish. Set noeviction."}
    durable = client.config_get("append*")
    if durable.get("appendonly") != "yes" or durable.get("appendfsync") != "always":
        return {
            "status": "degraded",
            "finding": "durability: an acknowledged event may be lost when the machine fails. Set appendonly yes, appendfsync always.",
        }
    return {"status": "ok"}


def _waiting() -> dict[str, int]:
    client = streams.client()
    return {name: int(client.xlen(name)) for name in (*streams.all_click_streams(), *streams.all_order_streams())}


def _streams() -> dict[str, Any]:
    waiting = _waiting()
    behind = max(waiting.values()) > STREAM_WAITING_MAX
    return {"status": "degraded" if behind else "ok", "waiting": waiting}


def _dead_letters() -> dict[str, Any]:
    count = ingest_queries.dead_letter_count(orm.session)
    return {"status": "degraded" if count else "ok", "count": count}


def _books() -> dict[str, Any]:
    proof = ledger_queries.latest_proof(orm.session)
    if proof is None:
        return {"status": "ok", "finding": "not checked yet"}
    checked: datetime = proof.checked_at
    age_hours = int((request_now() - checked).total_seconds() // 3600)
    facts = {"checked_at": checked.isoformat(), "age_hours": age_hours, "transfers": proof.transfers}
    return {"status": "down" if proof.findings else "ok", "findings": proof.findings[:10], **facts}


def _seals() -> dict[str, Any]:
    """Transfers that no seal covers could still be changed unseen."""
    waiting_since = ledger_queries.oldest_unsealed_at(orm.session)
    if waiting_since is None or request_now() - waiting_since < SEALED_WITHIN:
        return {"status": "ok"}
    return {"status": "degraded", "finding": f"transfers wait for their seal since {waiting_since.isoformat()}"}


def _canary() -> dict[str, Any]:
    """The last test order that went the whole way, or where it stopped."""
    run = canary_queries.latest(orm.session)
    if run is None:
        return {"status": "ok", "finding": "no test order has gone its way yet"}
    failed = run.state is CanaryState.FAILED
    return {
        "status": "degraded" if failed else "ok",
        "started_at": run.started_at.isoformat(),
        **({"finding": run.finding} if failed else {}),
    }


def _optional() -> dict[str, Any]:
    """What waits for a library that is not there. Nothing else depends on it."""
    missing = [name for name in _OPTIONAL if importlib.util.find_spec(name) is None]
    return {"status": "ok", "waits": {name: _OPTIONAL[name] for name in missing}}


_OPTIONAL = {"weasyprint": "PDF papers"}
_CHECKS: dict[str, Callable[[], dict[str, Any]]] = {
    "database": _database,
    "redis": _redis,
    "streams": _streams,
    "dead_letters": _dead_letters,
    "books": _books,
    "seals": _seals,
    "canary": _canary,
    "optional": _optional,
}
