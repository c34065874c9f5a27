"""Writes of clicks: rows once, repeats found, and the rollups moved for what was really inserted. Called by `service`."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.ids import digits, repeated_digits
from affiliate.ingest import bulk, clickrules, queries, rollups, steps
from affiliate.ingest.clickrules import ClickVerdict
from affiliate.ingest.models import Click
from affiliate.ingest.referrers import host_of
from affiliate.ingest.rollups import Counted
from affiliate.tracking.codec import ClickEvent

CLICKS_IN_HAND = "clicks"
"""What a transaction announces that stores clicks and then looks for the orders they reach."""

_LOCK = 1  # before the locks of labels, and those before any row of a rollup
_NO_TEXTS = "{}"
_VALID = ClickVerdict.VALID.value  # asking an enum each time costs as much as the rest of a row
_FETCH_LENGTH_MAX = 32
_CLICKS = Click.metadata.tables[Click.__tablename__]
_COUNTED_COLUMNS = (
    *(_CLICKS.c.id, _CLICKS.c.program_id, _CLICKS.c.partner_id, _CLICKS.c.link_id, _CLICKS.c.occurred_at),
    *(_CLICKS.c.country, _CLICKS.c.creative, _CLICKS.c.referrer_host, _CLICKS.c.subs["sub1"].as_string().label("sub")),
)


@dataclass(frozen=True, slots=True)
class StoredClicks:
    """The clicks that are new, and those that came after their term."""

    new: list[ClickEvent] = field(default_factory=list)
    past_retention: list[ClickEvent] = field(default_factory=list)


def store(session: Session, *, events: Sequence[ClickEvent], now: datetime) -> StoredClicks:
    """Store what is new of these clicks.

    1. Insert each click with the verdict it deserves by itself; what is stored already is left out of all that follows.
    2. Queue behind other batches with clicks on the same links, so that of two each sees the other's when it looks for repeats.
    3. Mark the repeats, and count: new clicks under what they are now, older ones that turned out to be repeats are moved.

    It is announced, so that an order that arrives meanwhile is not judged before these clicks can be seen.
    """
    if not events:
        return StoredClicks()
    db.announce(session, CLICKS_IN_HAND)
    # By number: a UUID hashes and compares many times slower.
    numbered = sorted({event.click_id.int: event for event in events}.items())
    verdicts = [(event, clickrules.verdict(event, now=now)) for _, event in numbered]
    late = [event for event, verdict in verdicts if verdict is ClickVerdict.PAST_RETENTION]
    if late:
        verdicts = [pair for pair in verdicts if pair[1] is not ClickVerdict.PAST_RETENTION]
    instant = bulk.instant_writer(session)
    known = bulk.insert_new_clicks(
        session, lambda: (_row(event, verdict, instant(event.occurred_at), instant(now)) for event, verdict in verdicts)
    )
    if known:
        verdicts = [pair for pair in verdicts if pair[0].click_id not in known]
    valid = [event for event, verdict in verdicts if verdict is ClickVerdict.VALID]
    bulk.lock(session, _LOCK, {event.link_id.int for event in valid})
    repeated = _mark_repeats(session, valid)
    new = {event.click_id for event in valid}
    older = [row for click_id, row in repeated.items() if click_id not in new]
    rollups.count(
        session,
        new=[
            _counted(event, ClickVerdict.DUPLICATE if event.click_id in repeated else verdict)
            for event, verdict in verdicts
        ]
        if repeated
        else [_counted(event, verdict) for event, verdict in verdicts],
        moved=_moved(older, ClickVerdict.VALID, ClickVerdict.DUPLICATE),
    )
    if older:
        moved = {row.id for row in older}
        steps.move(session, click_ids=moved, before=ClickVerdict.VALID, after=ClickVerdict.DUPLICATE)
    return StoredClicks([event for event, _ in verdicts], late)


def overrule(session: Session, *, click_id: UUID, expected: ClickVerdict, verdict: ClickVerdict, now: datetime) -> bool:
    """Change the verdict on a click; the rollups move with it, and no rule touches it again. False: it is not `expected`."""
    if ClickVerdict.TEST in {expected, verdict}:
        raise ValueError("a test is in no count, and nothing else becomes one")
    link_id = session.scalar(sa.select(_CLICKS.c.link_id).where(_CLICKS.c.id == click_id))
    if link_id is None:
        return False
    bulk.lock(session, _LOCK, {link_id.int})
    changed = session.execute(
        sa.update(_CLICKS)
        .where(_CLICKS.c.id == click_id, _CLICKS.c.verdict == expected)
        .values(verdict=verdict, overruled_at=now)
        .returning(*_COUNTED_COLUMNS)
    ).all()
    rollups.count(session, new=[], moved=_moved(changed, expected, verdict))
    steps.move(session, click_ids={row.id for row in changed}, before=expected, after=verdict)
    return bool(changed)


def _row(event: ClickEvent, verdict: ClickVerdict, occurred_at: Any, now: Any) -> tuple[Any, ...]:
    """The values in the order of the columns of Click, ids as their digits: either driver takes longer over a UUID.

    Instants as the database's own writer takes them.
    """
    return (
        digits(event.click_id.int),
        repeated_digits(event.program_id.int),
        repeated_digits(event.partner_id.int),
        repeated_digits(event.link_id.int),
        occurred_at,
        now,
        _VALID if verdict is ClickVerdict.VALID else verdict.value,
        None,
        event.source,
        digits(event.visitor_id.int) if event.visitor_id else None,
        _texts(event.subs) or _NO_TEXTS,
        event.landing_url,
        event.referrer,
        host_of(event.referrer),
        event.user_agent,
        event.address_prefix,
        event.address_hash,
        event.creative,
        _texts(event.ad_ids),
        _texts(event.utm),
        event.country or "",
        event.network,
        event.consent,
        _cut(event.fetch_dest),
        _cut(event.fetch_site),
        _cut(event.fetch_user),
        _cut(event.fetch_mode),
    )


def _texts(texts: dict[str, str]) -> str | None:
    return orjson.dumps(texts).decode() if texts else None


def _cut(text: str | None) -> str | None:
    return text[:_FETCH_LENGTH_MAX] if text else None


def _counted(event: ClickEvent, verdict: ClickVerdict) -> Counted:
    return rollups.counted(event, verdict=verdict, sub=event.subs.get("sub1"), referrer_host=host_of(event.referrer))


def _moved(rows: Collection[Any], before: ClickVerdict, after: ClickVerdict) -> Counter[Counted]:
    deltas: Counter[Counted] = Counter()
    for row in rows:
        for verdict, number in ((before, -1), (after, 1)):
            deltas[rollups.counted(row, verdict=verdict, sub=row.sub, referrer_host=row.referrer_host)] += number
    return deltas


def _mark_repeats(session: Session, clicks: list[ClickEvent]) -> dict[UUID, Any]:
    """Find the repeats among these and the clicks stored around them, and mark those that were valid."""
    if not clicks:
        return {}
    found = clickrules.repeats([*clicks, *queries.arrivals_around(session, clicks=clicks)])
    if not found:
        return {}
    marked = session.execute(
        sa.update(_CLICKS)
        .where(
            db.among(session, _CLICKS.c.id, found),
            _CLICKS.c.verdict == ClickVerdict.VALID,
            _CLICKS.c.overruled_at.is_(None),
        )
        .values(verdict=ClickVerdict.DUPLICATE)
        .returning(*_COUNTED_COLUMNS)
    )
    return {row.id: row for row in marked}
