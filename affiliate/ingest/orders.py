"""Writes of conversions, order events and refunds: each once, in whatever order they arrive. Called by `service`."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.ingest import beliefs, bulk, queries
from affiliate.ingest.beliefs import Judgement
from affiliate.ingest.models import Conversion, ConversionRevision, OrderEvent, Refund, RejectReason
from affiliate.tracking.codec import ConversionEvent, OrderStageEvent, RefundEvent

Row = dict[str, Any]
Told = TypeVar("Told", ConversionEvent, OrderStageEvent, RefundEvent)

_KINDS = {ConversionEvent: "conversion", OrderStageEvent: "order_event", RefundEvent: "refund"}
_REASONS = {Judgement.LOWER_TRUST: RejectReason.LOWER_TRUST, Judgement.CONFLICTS: RejectReason.CONFLICTING_BODY}
_SHARED = (
    "program_id",
    "order_id",
    "conversion_id",
    "amount_minor",
    "currency",
    "fingerprint",
    "is_test",
    "occurred_at",
)
_ORDER_EVENT = (*_SHARED, "received_at", "event_id", "type", "tax_minor", "shipping_minor")
_REFUND = (*_SHARED, "received_at", "refund_id", "items", "reason")
_CHANGING = (*beliefs.FACT_NAMES, "revision")


@dataclass(slots=True)
class Stored:
    """What a batch brought: how many things are new or changed, and the rows of what was refused."""

    changed: int = 0
    refused: list[Row] = field(default_factory=list)
    inserted: set[UUID] = field(default_factory=set)


@dataclass(slots=True)
class _Belief:
    """One conversion on its way through a batch: the row as stored, what is believed by now, and what came of it."""

    stored: Row
    believed: Row
    revisions: list[Row] = field(default_factory=list)
    refused: list[Row] = field(default_factory=list)

    def hear(
        self, event: ConversionEvent, *, amendments: list[Row], replaced: set[tuple[int, str]], now: datetime
    ) -> None:
        """Judge one delivery: believe it instead, refuse it, or know it already."""
        replaced = replaced | {(revision["trust"], revision["facts"]["fingerprint"]) for revision in self.revisions}
        judgement = beliefs.judge(event, believed=self.believed, replaced=replaced)
        if judgement is Judgement.REPLACES:
            facts = beliefs.replacing(event, believed=self.believed)
            self._change(beliefs.amend(facts, amendments), cause=event.delivery_id, now=now)
            return
        if judgement is Judgement.LOWER_TRUST and beliefs.adds_click(event, believed=self.believed):
            known = {name: self.believed[name] for name in beliefs.FACT_NAMES}
            self._change(known | {"click_id": event.click_id}, cause=event.delivery_id, now=now)
        if judgement in _REASONS:
            self.refused.append(_refusal(event, _REASONS[judgement]))

    def lay_over(self, amendments: list[Row], *, fresh: Collection[UUID], now: datetime) -> None:
        """Let the amendments count. One in another currency cannot, and is shown as refused."""
        facts = beliefs.amend({name: self.believed[name] for name in beliefs.FACT_NAMES}, amendments)
        if beliefs.differences(self.believed, facts):
            cause = max([one for one in amendments if one["id"] in fresh] or amendments, key=beliefs.age)
            self._change(facts, cause=cause["id"], now=now)
        self.believed = self.believed | facts
        inapplicable = [one for one in amendments if not beliefs.is_applicable(one, facts=facts)]
        self.refused += [_inapplicable(amendment, currency=facts["currency"]) for amendment in inapplicable]

    def reached(self) -> None:
        """A click that the attribution could not see is here now: ask for another, unless one is already asked for."""
        if self.believed["attributed_revision"] == self.believed["revision"]:
            self.believed["revision"] += 1

    def _change(self, facts: Row, *, cause: UUID, now: datetime) -> None:
        before = self.believed
        self.revisions.append(
            {
                "id": ids.derived(before["id"], str(cause)),
                "conversion_id": before["id"],
                "delivery_id": cause,
                "revision": before["revision"],
                "trust": before["trust"],
                "facts": {name: before[name] for name in beliefs.FACT_NAMES},
                "differences": beliefs.differences(before, facts),
                "replaced_at": now,
            }
        )
        asks = beliefs.calls_for_attribution(before, facts)
        self.believed = before | facts | {"revision": before["revision"] + asks}


def queue(session: Session, *, events: Iterable[ConversionEvent | OrderStageEvent]) -> None:
    """Wait for other batches that tell of these orders, before anything of them is written or read.

    Rows alone would not do: an order and its amendment may both be new, and neither batch sees what the other has not committed.
    """
    bulk.lock(session, bulk.Lock.ORDERS, {event.conversion_id.int for event in events})


def store_order_events(session: Session, *, events: Sequence[OrderStageEvent]) -> Stored:
    """Store the order events that are new. Another body under a known id is refused."""
    told = _by_id([(event.order_event_id, event) for event in events])
    return _store_once(session, OrderEvent, _ORDER_EVENT, told)


def store_refunds(session: Session, *, events: Sequence[RefundEvent]) -> Stored:
    """Store the refunds that are new. Another body under a known id is refused."""
    told = _by_id([(event.refund_uuid, event) for event in events])
    return _store_once(session, Refund, _REFUND, told)


def _store_once(
    session: Session, table: type[OrderEvent] | type[Refund], names: tuple[str, ...], told: dict[UUID, list[Told]]
) -> Stored:
    rows = [{"id": key} | {name: getattr(bodies[0], name) for name in names} for key, bodies in told.items()]
    inserted = set(db.insert_new(session, table, rows))
    if not told or len(inserted) == sum(map(len, told.values())):
        return Stored(len(inserted), inserted=inserted)
    stored = queries.fingerprints(session, table=table, row_ids=told.keys())
    others = [event for key, bodies in told.items() for event in bodies if event.fingerprint != stored[key]]
    return Stored(len(inserted), [_refusal(event, RejectReason.CONFLICTING_BODY) for event in others], inserted)


def store_conversions(
    session: Session,
    *,
    events: Sequence[ConversionEvent],
    order_events: Sequence[OrderStageEvent],
    fresh: Collection[UUID],
    reached_by_clicks: Collection[UUID],
    now: datetime,
) -> Stored:
    """Insert what is new, confirm or refuse what is known, let amendments count, and call for attribution where it must be asked again.

    `fresh` are the order events that this batch stored, `reached_by_clicks` the conversions whose click has only now
    arrived. Whoever tells of orders has called `queue` before; rows are locked, too, for attribution looks at them meanwhile.
    """
    told = _by_id([(event.conversion_id, event) for event in events])
    rows = [_conversion_row(bodies[0]) for bodies in told.values()]
    inserted = set(db.insert_new(session, Conversion, rows))
    amended = {event.conversion_id for event in order_events if event.order_event_id in fresh}
    amendments = _grouped(queries.amendments_of(session, conversion_ids=told.keys() | amended))
    heard_of = {key for key, bodies in told.items() if key not in inserted or len(bodies) > 1}
    reached = set(reached_by_clicks) - inserted
    if not (heard_of or amendments or reached):
        return Stored(len(inserted), inserted=inserted)
    replaced = queries.replaced_bodies(session, conversion_ids=heard_of - inserted)
    touched = []
    for row in queries.conversions_locked(session, conversion_ids=heard_of | amendments.keys() | reached):
        belief = _Belief(row, dict(row))
        own_amendments = amendments.get(row["id"], [])
        for event in told.get(row["id"], ()):
            belief.hear(event, amendments=own_amendments, replaced=replaced.get(row["id"], set()), now=now)
        belief.lay_over(own_amendments, fresh=fresh, now=now)
        if row["id"] in reached:
            belief.reached()
        touched.append(belief)
    changed = _save(session, touched)
    return Stored(len(inserted | changed), [row for belief in touched for row in belief.refused], inserted)


def _save(session: Session, touched: list[_Belief]) -> set[UUID]:
    """Write what is believed now and what was before; give the ids of the conversions that changed."""
    changed = [belief for belief in touched if belief.believed != belief.stored]
    if revisions := [row for belief in touched for row in belief.revisions]:
        session.execute(sa.insert(ConversionRevision), revisions)
    if changed:
        table = Conversion.metadata.tables[Conversion.__tablename__]
        update = (
            sa.update(table)
            .where(table.c.id == sa.bindparam("the_id"), table.c.revision == sa.bindparam("the_revision"))
            .values({name: sa.bindparam(name) for name in _CHANGING})
        )
        rows = [
            {"the_id": belief.stored["id"], "the_revision": belief.stored["revision"]}
            | {name: belief.believed[name] for name in _CHANGING}
            for belief in changed
        ]
        if session.connection().execute(update, rows).rowcount != len(rows):
            raise RuntimeError("a conversion changed under its lock")
    return {belief.stored["id"] for belief in changed}


def _by_id(pairs: list[tuple[UUID, Told]]) -> dict[UUID, list[Told]]:
    """What was told of each thing, in the order in which it reached us, whatever order the stream gives it in."""
    told: dict[UUID, list[Told]] = {}
    for key, event in sorted(pairs, key=lambda pair: (pair[0], pair[1].received_at, pair[1].delivery_id)):
        told.setdefault(key, []).append(event)
    return told


def _grouped(amendments: Iterable[Row]) -> dict[UUID, list[Row]]:
    groups: dict[UUID, list[Row]] = {}
    for amendment in amendments:
        groups.setdefault(amendment["conversion_id"], []).append(amendment)
    return groups


def _conversion_row(event: ConversionEvent) -> Row:
    names = ("program_id", "kind", "order_id")
    return {"id": event.conversion_id} | {name: getattr(event, name) for name in names} | beliefs.facts_of(event)


def _refusal(event: ConversionEvent | OrderStageEvent | RefundEvent, reason: RejectReason) -> Row:
    return {
        "id": event.delivery_id,
        "program_id": event.program_id,
        "kind": _KINDS[type(event)],
        "conversion_id": event.conversion_id,
        "reason": reason,
        "payload": beliefs.without_persons(event._asdict()),
        "received_at": event.received_at,
    }


def _inapplicable(amendment: Row, *, currency: str) -> Row:
    return {
        "id": amendment["id"],
        "program_id": amendment["program_id"],
        "kind": _KINDS[OrderStageEvent],
        "conversion_id": amendment["conversion_id"],
        "reason": RejectReason.BAD_FIELDS,
        "payload": amendment | {"errors": {"currency": [f"The order is in {currency}."]}},
        "received_at": amendment["received_at"],
    }
