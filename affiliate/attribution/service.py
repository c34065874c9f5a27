"""The shell of attribution: load a batch, decide each conversion, write each outcome once; publish and apply policies."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.attribution import journeys, queries, rules
from affiliate.attribution.journeys import HashEmail, Journey
from affiliate.attribution.models import Attribution, ChannelLoss, Credit
from affiliate.attribution.policy import Policy
from affiliate.attribution.queries import Before, Waiting
from affiliate.attribution.rules import Outcome
from affiliate.attribution.touches import Step
from affiliate.attribution.trace import Sale, newness
from affiliate.ingest import origins
from affiliate.ingest.clicks import CLICKS_IN_HAND
from affiliate.ingest.models import Conversion

CANDIDATES = 4
"""How many batches are looked at, so that so many workers find work at once."""

PATIENCE = timedelta(seconds=60)
"""How long an order waits for clicks that are still on their way; a later click asks for another version."""


def attribute_waiting(
    session: Session, *, limit: int, clicks_until: datetime, now: datetime, hash_email: HashEmail | None = None
) -> int:
    """Attribute up to `limit` conversions; each gets exactly one Attribution for its revision, with credits or a reason.

    `clicks_until` is the instant up to which all clicks are rows. Two workers at once share the work, and a second
    run over the same rows does nothing. Without `hash_email` a partner's own purchases are not known.
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
    policies = queries.policies(session, orders=(row.order for row in waiting))
    found = journeys.load(session, orders=[row.order for row in waiting], policies=policies, hash_email=hash_email)
    outcomes = [decide(row, found[row.order.id], policies[row.order.id]) for row in waiting]
    _write(session, waiting, outcomes, policies, now=now)
    return len(waiting)


def decide(row: Waiting, journey: Journey, policy: Policy) -> Outcome:
    """The outcome of one order."""
    order = row.order
    is_known = bool(order.customer_id or order.email_hash)
    is_new = newness(shop_says=order.new_customer, has_earlier=journey.has_earlier, is_known=is_known)
    sale = Sale(order.occurred_at, order.kind, *is_new)
    return rules.attribute(touches=journey.touches, policy=policy, sale=sale)


def _write(
    session: Session,
    waiting: Sequence[Waiting],
    outcomes: Sequence[Outcome],
    policies: Mapping[UUID, Policy],
    *,
    now: datetime,
) -> None:
    before = queries.before(session, conversion_ids=[row.order.id for row in waiting])
    session.execute(
        sa.update(Attribution)
        .where(db.among(session, Attribution.conversion_id, list(before)), Attribution.is_current)
        .values(is_current=False),
        execution_options={"synchronize_session": False},
    )
    attributions, shares, losses = [], [], []
    for row, outcome in zip(waiting, outcomes, strict=True):
        attribution_id = ids.derived(row.order.id, "attribution", str(row.revision))
        attributions.append(_attribution(attribution_id, row, outcome, before=before.get(row.order.id), now=now))
        shares += _credits(attribution_id, outcome)
        losses += [
            {"attribution_id": attribution_id, "partner_id": partner_id, "channel": channel}
            for partner_id, channel in outcome.lost_to.items()
        ]
    session.execute(sa.insert(Attribution), attributions)
    if shares:
        session.execute(sa.insert(Credit), _with_origins(session, shares))
    if losses:
        session.execute(sa.insert(ChannelLoss), losses)
    done = [{"id": row.order.id, "attributed_revision": row.revision} for row in waiting]
    session.execute(sa.update(Conversion), done)
    _ask_later_orders(session, waiting, outcomes, before, policies)


def _attribution(
    attribution_id: UUID, row: Waiting, outcome: Outcome, *, before: Before | None, now: datetime
) -> dict[str, Any]:
    return {
        "id": attribution_id,
        "conversion_id": row.order.id,
        "conversion_revision": row.revision,
        "version": before.version + 1 if before else 1,
        "is_current": True,
        "model": outcome.trace["model"],
        "policy_version": outcome.trace["policy_version"],
        "is_new_customer": outcome.trace["new_customer"],
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


def _with_origins(session: Session, shares: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    found = origins.of_clicks(session, click_ids={share["click_id"] for share in shares if share["click_id"]})
    return [share | found.get(share["click_id"], origins.NOTHING) for share in shares]


def _ask_later_orders(
    session: Session,
    waiting: Sequence[Waiting],
    outcomes: Sequence[Outcome],
    before: Mapping[UUID, Before],
    policies: Mapping[UUID, Policy],
) -> None:
    """Ask again for later orders of the same customers, for which these now matter: an order may arrive after its successor.

    A new order makes a later one that counted as a new customer's a returning one's. Where customers are bound to
    partners, other credits may mean another partner for all that follow. Both look ahead in time only, so it ends.
    """
    asking = [
        row
        for row, outcome in zip(waiting, outcomes, strict=True)
        if (row.order.customer_id or row.order.email_hash) and _matters(row, outcome, before, policies)
    ]
    if not asking:
        return
    since: dict[tuple[UUID, str], datetime] = {}
    for row in asking:
        for who in _who(row.order):
            since[who] = min(since.get(who, row.order.occurred_at), row.order.occurred_at)
    later = [
        row
        for row in queries.later_orders(session, orders=[row.order for row in asking])
        if any(who in since and row.occurred_at > since[who] for who in _who(row))
    ]
    bound = {row.order.program_id for row in asking if _binds(policies[row.order.id])}
    as_new = queries.counted_as_new(session, conversion_ids=[row.id for row in later]) if later else set()
    ask_again(session, conversion_ids=[row.id for row in later if row.program_id in bound or row.id in as_new])


def _matters(row: Waiting, outcome: Outcome, before: Mapping[UUID, Before], policies: Mapping[UUID, Policy]) -> bool:
    known = before.get(row.order.id)
    return known is None or (_binds(policies[row.order.id]) and known.credits != outcome.trace["credits"])


def _binds(policy: Policy) -> bool:
    return not {Step.CUSTOMER, Step.EMAIL}.isdisjoint(policy.ladder)


def _who(order: Any) -> list[tuple[UUID, str]]:
    return [(order.program_id, who) for who in (order.customer_id, order.email_hash) if who]


def ask_again(session: Session, *, conversion_ids: Sequence[UUID]) -> int:
    """Ask for another version of these attributions, where none is asked for already; how many now are."""
    if not conversion_ids:
        return 0
    settled = sa.and_(
        db.among(session, Conversion.id, list(conversion_ids)), Conversion.attributed_revision == Conversion.revision
    )
    asked = sa.update(Conversion).where(settled).values(revision=Conversion.revision + 1)
    result = session.execute(asked, execution_options={"synchronize_session": False})
    return int(getattr(result, "rowcount", 0))
