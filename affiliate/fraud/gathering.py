"""The facts of a batch of credits, from a number of queries that does not depend on the batch."""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.fraud import circles, counting, history, identity, surroundings
from affiliate.fraud.circles import Circles
from affiliate.fraud.facts import Claim, Contact, Crowd, Facts, Order, ProgramFacts, Sibling, Today
from affiliate.fraud.history import TIMES_MAX, History, Owner, Span
from affiliate.fraud.policy import Policy
from affiliate.fraud.queries import CreditRow, Pair
from affiliate.fraud.surroundings import ClickFacts
from affiliate.ingest.models import Trust
from affiliate.programs.models import Program

TAMPERED = "tampered_click_id"


@dataclass(frozen=True, slots=True)
class _Found:
    """What the queries brought, each by its own key."""

    clicks: Mapping[UUID, ClickFacts]
    siblings: Mapping[UUID, list[Sibling]]
    crowds: Mapping[UUID, Crowd]
    claims: Mapping[UUID, list[Claim]]
    conflicts: Mapping[UUID, int]
    circles: Circles
    history: History
    places: Mapping[Pair, tuple[int, int]]
    times: Mapping[Owner, Sequence[int]]
    batch_times: Mapping[Owner, Sequence[tuple[datetime, int]]]
    programs: Mapping[UUID, ProgramFacts]


def facts_of(
    session: Session, *, credits_: Sequence[CreditRow], policies: Mapping[UUID, Policy], now: datetime
) -> dict[tuple[UUID, UUID], Facts]:
    """The facts of each credit, by attribution and partner."""
    if not credits_:
        return {}
    found = _find(session, credits_, policies)
    return {(row.attribution_id, row.partner_id): _facts(row, found, now) for row in credits_}


def _find(session: Session, credits_: Sequence[CreditRow], policies: Mapping[UUID, Policy]) -> _Found:
    span = Span(min(row.occurred_at for row in credits_), max(row.occurred_at for row in credits_))
    conversion_ids = {row.conversion_id for row in credits_}
    partner_ids, program_ids = {row.partner_id for row in credits_}, {row.program_id for row in credits_}
    who: dict[str, Any] = {"program_ids": program_ids, "partner_ids": partner_ids, "span": span}
    return _Found(
        clicks=surroundings.clicks_of(session, click_ids={row.click_id for row in credits_ if row.click_id}),
        siblings=surroundings.siblings_of(session, conversion_ids=conversion_ids),
        crowds=surroundings.crowds_of(session, conversion_ids=conversion_ids),
        claims=surroundings.claims_of(session, conversion_ids=conversion_ids),
        conflicts=surroundings.conflicts_of(session, conversion_ids=conversion_ids),
        circles=circles.of(session, credits_=credits_),
        history=history.of(session, **who),
        places=history.places(session, conversion_ids=conversion_ids, **who),
        times=history.times(session, owners={(row.program_id, row.partner_id) for row in credits_}, span=span),
        batch_times=_batch_times(credits_),
        programs=_programs(session, program_ids, policies),
    )


def _programs(
    session: Session, program_ids: Collection[UUID], policies: Mapping[UUID, Policy]
) -> dict[UUID, ProgramFacts]:
    columns = (Program.id, Program.shop_url, Program.allowed_hosts, Program.attribution_window_days)
    return {
        program_id: ProgramFacts(
            hosts=tuple(dict.fromkeys((identity.host_of(shop_url), *map(identity.host_of, allowed_hosts)))),
            window_seconds=window_days * 86_400,
            brand_terms=policies[program_id].brand_terms,
            banned_hosts=policies[program_id].banned_hosts,
        )
        for program_id, shop_url, allowed_hosts, window_days in session.execute(
            sa.select(*columns).where(Program.id.in_(program_ids))
        )
    }


def _batch_times(credits_: Sequence[CreditRow]) -> dict[Owner, list[tuple[datetime, int]]]:
    """Moment and seconds from click to order of each partner's orders in this batch."""
    found: dict[Owner, list[tuple[datetime, int]]] = {}
    for row in credits_:
        if row.click_id is not None:
            told = (row.occurred_at, counting.seconds_between(row.click_id, row.occurred_at))
            found.setdefault((row.program_id, row.partner_id), []).append(told)
    return {owner: sorted(told) for owner, told in found.items()}


def _facts(row: CreditRow, found: _Found, now: datetime) -> Facts:
    owner = (row.program_id, row.partner_id)
    click = found.clicks.get(row.click_id) if row.click_id else None
    return Facts(
        order=_order(row, found, now),
        contact=_contact(row, click),
        by_code=row.click_id is None and row.coupon_id is not None,
        own=found.circles.own(row, click),
        ring=found.circles.ring(row),
        crowd=found.crowds.get(row.conversion_id, Crowd()),
        partner=found.circles.facts[owner],
        past=found.history.before(owner, row.occurred_at),
        program_past=found.history.before((row.program_id, None), row.occurred_at),
        today=_today(row, found),
        program=found.programs[row.program_id],
        times=_times(owner, row.occurred_at, found),
        program_times=tuple(found.times.get((row.program_id, None), ())),
    )


def _order(row: CreditRow, found: _Found, now: datetime) -> Order:
    return Order(
        order_id=row.order_id,
        amount_minor=row.amount_minor,
        currency=row.currency,
        tax_minor=row.tax_minor,
        shipping_minor=row.shipping_minor,
        is_verified=row.trust >= Trust.SIGNED,
        days_since_report=max((now - row.received_at) // timedelta(days=1), 0),
        has_tampered_click=row.click_refusal == TAMPERED,
        claims=tuple(found.claims.get(row.conversion_id, ())),
        siblings=tuple(found.siblings.get(row.conversion_id, ())),
        conflicts=found.conflicts.get(row.conversion_id, 0),
    )


def _contact(row: CreditRow, click: ClickFacts | None) -> Contact | None:
    if click is None:
        return None
    paid = click.ad_ids or (click.utm or {}).get("medium", "").lower() in {"cpc", "ppc", "paid", "paidsearch", "sem"}
    return Contact(
        seconds_to_order=max(int((row.occurred_at - click.first_at).total_seconds()), 0),
        clicks_of_customer=click.clicks,
        referrer_host=identity.host_of(click.referrer_host),
        network=click.network,
        search_term=(click.utm or {}).get("term", "") if paid else "",
    )


def _today(row: CreditRow, found: _Found) -> Today:
    place, place_by_code = found.places.get(row.pair, (1, 0))
    mine = found.history.on((row.program_id, row.partner_id), row.occurred_at)
    all_of_them = found.history.on((row.program_id, None), row.occurred_at)
    return Today(
        place=place,
        place_by_code=place_by_code,
        clicks=mine.clicks,
        orders_by_machine=mine.orders_by_machine,
        orders_of_others=max(all_of_them.orders - mine.orders, 0),
    )


def _times(owner: Owner, at: datetime, found: _Found) -> tuple[int, ...]:
    """Of the partner's last orders before this one: those of the batch first, then those before the batch."""
    told = found.batch_times.get(owner, ())
    until = bisect_left(told, (at, -1))
    in_batch = [seconds for _, seconds in reversed(told[max(until - TIMES_MAX, 0) : until])]
    return tuple((*in_batch, *found.times.get(owner, ()))[:TIMES_MAX])
