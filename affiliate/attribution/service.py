"""The shell of attribution: load a batch, decide each conversion, write each outcome once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.attribution import queries, rules
from affiliate.attribution.models import Attribution, Credit
from affiliate.attribution.queries import WaitingConversion
from affiliate.attribution.rules import Outcome
from affiliate.ingest.clicks import CLICKS_IN_HAND
from affiliate.ingest.models import Conversion

CANDIDATES = 4
"""How many batches are looked at, so that so many workers find work at once."""

PATIENCE = timedelta(seconds=60)
"""How long an order waits for clicks that are still on their way; a later click asks for another version."""


def attribute_waiting(session: Session, *, limit: int, clicks_until: datetime, now: datetime) -> int:
    """Attribute up to `limit` conversions; each gets exactly one Attribution for its revision, with credits or a reason.

    `clicks_until` is the instant up to which all clicks are rows. Two workers at once share the work, and a second
    run over the same rows does nothing.
    """
    candidates = queries.waiting_ids(
        session, limit=CANDIDATES * limit, received_until=max(clicks_until, now - PATIENCE)
    )
    if not candidates:
        return 0
    # Whoever stores clicks now has perhaps looked for these orders before they were there: its clicks are rows first.
    db.wait_for(session, CLICKS_IN_HAND)
    waiting = queries.waiting(session, limit=limit, conversion_ids=candidates)
    if not waiting:
        return 0
    policies = queries.policies(session, conversions=waiting)
    touches = queries.touches(session, conversions=waiting, policies=policies)
    outcomes = [
        rules.attribute(touches=touches[row.id], policy=policies[row.program_id], converted_at=row.occurred_at)
        for row in waiting
    ]
    _write(session, waiting, outcomes, now=now)
    return len(waiting)


def _write(
    session: Session, waiting: Sequence[WaitingConversion], outcomes: Sequence[Outcome], *, now: datetime
) -> None:
    before = queries.versions(session, conversions=waiting)
    session.execute(
        sa.update(Attribution)
        .where(db.among(session, Attribution.conversion_id, list(before)), Attribution.is_current)
        .values(is_current=False)
    )
    attributions, shares = [], []
    for row, outcome in zip(waiting, outcomes, strict=True):
        attribution_id = ids.derived(row.id, "attribution", str(row.revision))
        attributions.append(_attribution(attribution_id, row, outcome, version=before.get(row.id, 0) + 1, now=now))
        shares += _credits(attribution_id, outcome)
    session.execute(sa.insert(Attribution), attributions)
    if shares:
        session.execute(sa.insert(Credit), shares)
    session.execute(sa.update(Conversion), [{"id": row.id, "attributed_revision": row.revision} for row in waiting])


def _attribution(
    attribution_id: UUID, row: WaitingConversion, outcome: Outcome, *, version: int, now: datetime
) -> dict[str, Any]:
    return {
        "id": attribution_id,
        "conversion_id": row.id,
        "conversion_revision": row.revision,
        "version": version,
        "is_current": True,
        "model": rules.MODEL,
        "policy_version": outcome.trace["policy_version"],
        "reason": outcome.reason,
        "trace": outcome.trace,
        "decided_at": now,
        "commissioned_at": None,
    }


def _credits(attribution_id: UUID, outcome: Outcome) -> list[dict[str, Any]]:
    return [
        {
            "id": ids.derived(attribution_id, "credit", str(credit.partner_id)),
            "attribution_id": attribution_id,
            "partner_id": credit.partner_id,
            "link_id": credit.touch.link_id,
            "coupon_id": credit.touch.id if credit.touch.kind == "coupon" else None,
            "click_id": credit.touch.id if credit.touch.kind == "click" else None,
            "share_bps": credit.share_bps,
        }
        for credit in outcome.credits
    ]
