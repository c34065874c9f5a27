"""Every write of ingest: batches of events become rows, each once and in any order; what cannot be stored is put aside."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.ingest import clicks, orders, queries, steps
from affiliate.ingest.clickrules import ClickVerdict
from affiliate.ingest.models import ChannelTouch, DeadLetter, RejectedEvent, RejectReason
from affiliate.tracking import codec

_ERROR_LENGTH_MAX = 2_000
EventOf = TypeVar("EventOf", bound=codec.Event)


@dataclass(frozen=True, slots=True)
class Stored:
    """How many things of a batch are new, or (conversions) changed. A redelivery is all zeros."""

    clicks: int = 0
    conversions: int = 0
    order_events: int = 0
    refunds: int = 0
    rejected: int = 0
    steps: int = 0

    def __add__(self, other: "Stored") -> "Stored":
        return Stored(*(getattr(self, part.name) + getattr(other, part.name) for part in fields(self)))

    def __bool__(self) -> bool:
        return self != Stored()


@dataclass(frozen=True, slots=True)
class Ready:
    """A batch of events by kind, with all that can be made of them before the database is asked."""

    clicks: clicks.Ready
    others: dict[type[Any], list[Any]]
    now: datetime

    def of(self, kind: type[EventOf]) -> list[EventOf]:
        """The events of a kind that is not clicks."""
        return self.others.get(kind, [])


def prepare(events: Sequence[codec.Event], *, now: datetime) -> Ready:
    """What `store` takes. It needs no database, so that it can be made while the batch before is stored."""
    by_kind: dict[type[Any], list[Any]] = {}
    for event in events:
        by_kind.setdefault(type(event), []).append(event)
    return Ready(clicks.prepare(events=by_kind.pop(codec.ClickEvent, ()), now=now), by_kind, now)


def store_batch(session: Session, *, events: Sequence[codec.Event], now: datetime) -> Stored:
    """Store what is new in these events: `store` of what `prepare` makes."""
    return store(session, prepare(events, now=now))


def store(session: Session, ready: Ready) -> Stored:
    """Store what is new in these events. The rows depend on the events alone, not on their order, batches or repetition.

    Between two bodies of one trust under one id the first to come wins; inside a batch that is the first received.
    """
    now = ready.now
    stored_clicks = clicks.store(session, ready.clicks)
    new_touches = _store_touches(session, ready.of(codec.TouchEvent))
    told, late_steps = steps.split(ready.of(codec.StepEvent), now=now)
    new_steps = steps.store(session, events=told, now=now)
    stages = ready.of(codec.OrderStageEvent)
    orders.queue(session, events=[*ready.of(codec.ConversionEvent), *stages])
    order_events = orders.store_order_events(session, events=stages)
    refunds = orders.store_refunds(session, events=ready.of(codec.RefundEvent))
    conversions = orders.store_conversions(
        session,
        events=ready.of(codec.ConversionEvent),
        order_events=stages,
        fresh=order_events.inserted,
        reached_by_clicks=queries.conversions_reached_by(session, reaches=[*stored_clicks.new, *new_touches]),
        now=now,
    )
    refused = [_rejected_row(event) for event in ready.of(codec.RejectedEvent)]
    refused += [_too_late(click, now=now) for click in stored_clicks.past_retention]
    refused += [_too_late_step(step, now=now) for step in late_steps]
    refused += order_events.refused + refunds.refused + conversions.refused
    rejected = db.insert_new(session, RejectedEvent, sorted(refused, key=lambda row: row["id"]))
    return Stored(
        len(stored_clicks.new), conversions.changed, order_events.changed, refunds.changed, len(rejected), new_steps
    )


def _store_touches(session: Session, events: list[codec.TouchEvent]) -> list[codec.TouchEvent]:
    if events:
        db.announce(session, clicks.CLICKS_IN_HAND)
    rows = [{"id": event.touch_id} | {name: getattr(event, name) for name in _TOUCH} for event in events]
    new = set(db.insert_new(session, ChannelTouch, rows))
    return [event for event in events if event.touch_id in new]


_TOUCH = ("program_id", "visitor_id", "click_id", "channel", "evidence", "occurred_at")


def _too_late(click: codec.ClickEvent, *, now: datetime) -> orders.Row:
    """Its month is gone or going: it is shown, and counts nowhere."""
    payload = {"link_id": click.link_id, "partner_id": click.partner_id, "occurred_at": click.occurred_at}
    return {
        "id": click.click_id,
        "program_id": click.program_id,
        "kind": "click",
        "conversion_id": None,
        "reason": RejectReason.PAST_RETENTION,
        "payload": payload,
        "received_at": now,
    }


def _too_late_step(step: codec.StepEvent, *, now: datetime) -> orders.Row:
    """The visit that it is of is past its term."""
    return {
        "id": ids.derived(step.click_id, "step", step.step),
        "program_id": step.program_id,
        "kind": "step",
        "conversion_id": None,
        "reason": RejectReason.PAST_RETENTION,
        "payload": {"step": step.step},
        "received_at": now,
    }


def _rejected_row(event: codec.RejectedEvent) -> orders.Row:
    return {
        "id": event.delivery_id,
        "program_id": event.program_id,
        "kind": event.kind,
        "conversion_id": None,
        "reason": RejectReason(event.reason),
        "payload": event.payload,
        "received_at": event.received_at,
    }


def overrule(session: Session, *, click_id: UUID, expected: ClickVerdict, verdict: ClickVerdict, now: datetime) -> bool:
    """Change the verdict on a click, for a person or a rule that knows better; False when it is not `expected` any more.

    The rollups move with it, no rule of ingest touches it again, and the orders it reaches get another attribution.

    Raises:
        ValueError: from or to a test, which is in no count.
    """
    if not clicks.overrule(session, click_id=click_id, expected=expected, verdict=verdict, now=now):
        return False
    reached = queries.conversions_reached_by(session, reaches=[queries.reach_of(session, click_id=click_id)])
    orders.store_conversions(session, events=[], order_events=[], fresh=(), reached_by_clicks=reached, now=now)
    return True


def put_aside(
    session: Session, *, stream: str, entry_id: str, payload: bytes, error: str, program_id: UUID | None = None,
    now: datetime,
) -> None:  # fmt: skip
    """Keep an event that cannot be stored, with its error and the program that it names, so that the rest flows."""
    kept = base64.b64encode(payload[: codec.EVENT_BYTES_MAX + 1]).decode()  # what is longer was no event of ours
    row = {"id": ids.new(), "program_id": program_id, "stream": stream, "entry_id": entry_id, "payload": kept}
    db.insert_new(session, DeadLetter, [row | {"error": error, "failed_at": now}])


def describe(error: Exception) -> str:
    """What went wrong, for a dead letter."""
    text = f"{type(error).__name__}: {error}"[:_ERROR_LENGTH_MAX]
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")  # no database takes the rest
