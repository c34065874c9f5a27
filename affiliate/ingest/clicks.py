"""Writes of clicks: rows once, repeats found, and the rollups moved for what was really inserted. Called by `service`."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.ids import digits
from affiliate.ingest import bulk, clickrules, queries, rollups, steps
from affiliate.ingest.clickrules import ClickVerdict
from affiliate.ingest.models import Click
from affiliate.ingest.referrers import host_of
from affiliate.ingest.rollups import Counted
from affiliate.tracking.codec import ClickEvent

CLICKS_IN_HAND = "clicks"
"""What a transaction announces that stores clicks and then looks for the orders they reach."""

_NO_TEXTS = "{}"
_VALID, _DUPLICATE = ClickVerdict.VALID.value, ClickVerdict.DUPLICATE.value
_FETCH_LENGTH_MAX = 32
_CLICKS = Click.metadata.tables[Click.__tablename__]
_COUNTED_COLUMNS = (
    *(_CLICKS.c.id, _CLICKS.c.program_id, _CLICKS.c.partner_id, _CLICKS.c.link_id, _CLICKS.c.occurred_at),
    *(_CLICKS.c.country, _CLICKS.c.creative, _CLICKS.c.referrer_host, _CLICKS.c.subs),
)


@dataclass(frozen=True, slots=True)
class Ready:
    """Clicks with all that can be made of them before the database is asked: each with its row and what it counts under, by id."""

    events: list[ClickEvent]
    rows: list[bulk.Values]
    keys: list[Counted]
    past_retention: list[ClickEvent]


@dataclass(frozen=True, slots=True)
class StoredClicks:
    """The clicks that are new, and those that came after their term."""

    new: Sequence[ClickEvent] = ()
    past_retention: Sequence[ClickEvent] = ()


def prepare(*, events: Sequence[ClickEvent], now: datetime) -> Ready:
    """Judge each click by itself, and make its row."""
    # By number: a UUID hashes and compares many times slower.
    numbered = sorted({event.click_id.int: event for event in events}.items())
    judged = [(event, clickrules.verdict(event, now=now)) for _, event in numbered]
    late = [event for event, verdict in judged if verdict is ClickVerdict.PAST_RETENTION]
    if late:
        judged = [pair for pair in judged if pair[1] is not ClickVerdict.PAST_RETENTION]
    keys = [rollups.counted(event, verdict=verdict, host=host_of(event.referrer)) for event, verdict in judged]
    rows = [_row(event, key, now) for (event, _), key in zip(judged, keys, strict=True)]
    return Ready([event for event, _ in judged], rows, keys, late)


def store(session: Session, ready: Ready) -> StoredClicks:
    """Store what is new of these clicks.

    1. Insert each click with the verdict it deserves by itself; what is stored already is left out of all that follows.
    2. Queue behind other batches with clicks on the same links, so that of two each sees the other's when it looks for repeats.
    3. Mark the repeats, and count: new clicks under what they are now, older ones that turned out to be repeats are moved.

    It is announced, so that an order that arrives meanwhile is not judged before these clicks can be seen.
    """
    if not ready.events:
        return StoredClicks((), ready.past_retention)
    db.announce(session, CLICKS_IN_HAND)
    known = bulk.insert_new_clicks(session, ready.rows)
    events, keys = ready.events, ready.keys
    if known:
        new = [(event, key) for event, key in zip(events, keys, strict=True) if event.click_id not in known]
        events, keys = [event for event, _ in new], [key for _, key in new]
    valid = [event for event, key in zip(events, keys, strict=True) if key.verdict == _VALID]
    bulk.lock(session, bulk.Lock.CLICKS, {event.link_id.int for event in valid})
    repeated = _mark_repeats(session, valid)
    older = list(repeated.values())
    if repeated:
        own = {event.click_id for event in valid}
        older = [row for click_id, row in repeated.items() if click_id not in own]
        keys = [
            key._replace(verdict=_DUPLICATE) if event.click_id in repeated else key
            for event, key in zip(events, keys, strict=True)
        ]
    rollups.count(session, new=keys, moved=_moved(older, ClickVerdict.VALID, ClickVerdict.DUPLICATE))
    if older:
        moved = {row.id for row in older}
        steps.move(session, click_ids=moved, before=ClickVerdict.VALID, after=ClickVerdict.DUPLICATE)
    return StoredClicks(events, ready.past_retention)


def overrule(session: Session, *, click_id: UUID, expected: ClickVerdict, verdict: ClickVerdict, now: datetime) -> bool:
    """Change the verdict on a click; the rollups move with it, and no rule touches it again. False: it is not `expected`."""
    if ClickVerdict.TEST in {expected, verdict}:
        raise ValueError("a test is in no count, and nothing else becomes one")
    link_id = session.scalar(sa.select(_CLICKS.c.link_id).where(_CLICKS.c.id == click_id))
    if link_id is None:
        return False
    bulk.lock(session, bulk.Lock.CLICKS, {link_id.int})
    changed = session.execute(
        sa.update(_CLICKS)
        .where(_CLICKS.c.id == click_id, _CLICKS.c.verdict == expected)
        .values(verdict=verdict, overruled_at=now)
        .returning(*_COUNTED_COLUMNS)
    ).all()
    rollups.count(session, new=[], moved=_moved(changed, expected, verdict))
    steps.move(session, click_ids={row.id for row in changed}, before=expected, after=verdict)
    return bool(changed)


def _row(event: ClickEvent, key: Counted, now: datetime) -> bulk.Values:
    """The values in the order of the columns of Click, ids as their digits: either driver takes longer over a UUID."""
    return (
        digits(event.click_id.int),
        key.program_id,
        key.partner_id,
        key.link_id,
        event.occurred_at,
        now,
        key.verdict,
        None,
        event.source,
        digits(event.visitor_id.int) if event.visitor_id else None,
        orjson.dumps(event.subs).decode() if event.subs else _NO_TEXTS,
        event.landing_url,
        event.referrer,
        key.referrer_host,
        event.user_agent,
        event.address_prefix,
        event.address_hash,
        event.creative,
        orjson.dumps(event.ad_ids).decode() if event.ad_ids else None,
        orjson.dumps(event.utm).decode() if event.utm else None,
        key.country,
        event.network,
        event.consent,
        *_cut(event.fetch_dest, event.fetch_site, event.fetch_user, event.fetch_mode),
    )


@lru_cache(maxsize=1024)
def _cut(*texts: str | None) -> tuple[str | None, ...]:
    return tuple(text[:_FETCH_LENGTH_MAX] if text else None for text in texts)


def _moved(rows: Collection[Any], before: ClickVerdict, after: ClickVerdict) -> Counter[Counted]:
    deltas: Counter[Counted] = Counter()
    for row in rows:
        for verdict, number in ((before, -1), (after, 1)):
            deltas[rollups.counted(row, verdict=verdict, host=row.referrer_host)] += number
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
