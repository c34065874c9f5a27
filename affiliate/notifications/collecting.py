"""What happened becomes calls to make: the ledger is read on from where it was left, and each event written down once per address.

The ledger says everything that a partner's system wants to know, in the order in which it became true: a commission was
accrued, approved, taken back, paid. Within a program its rows are committed in the order of their positions, so a mark is
enough, and a killed job begins again where the last one committed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.ledger.models import TransferKind
from affiliate.money import Money
from affiliate.notifications import macros, queries
from affiliate.notifications.models import (
    DeliveryStatus,
    PostbackAddress,
    PostbackDelivery,
    PostbackEvent,
    PostbackMark,
)
from affiliate.notifications.queries import Facts, Movement

_EVENTS = {
    TransferKind.ACCRUE: PostbackEvent.CONVERSION,
    TransferKind.APPROVE: PostbackEvent.APPROVED,
    TransferKind.REVERSE: PostbackEvent.DECLINED,
    TransferKind.CLAW_BACK: PostbackEvent.DECLINED,
    TransferKind.SETTLE: PostbackEvent.PAID,
}
_STATUS = {PostbackEvent.CONVERSION: "pending", PostbackEvent.TEST: "pending"}
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Happening:
    """A commission and what became of it, when."""

    commission_id: UUID
    event: PostbackEvent
    at: datetime


def collect(session: Session, *, program_id: UUID, limit: int, now: datetime) -> int:
    """Read up to `limit` rows of a program's ledger on, and write the calls down that they ask for; how many rows."""
    mark = queries.mark(session, program_id=program_id)
    until = queries.newest_position(session, program_id=program_id, after=mark.position)
    addresses = queries.live(session, program_id=program_id)
    moved = queries.movements(
        session, program_id=program_id, partner_ids={each.partner_id for each in addresses},
        after=mark.position, until=until, limit=limit,
    )  # fmt: skip
    reached = moved[-1].position if len(moved) == limit else until
    here = sa.update(PostbackMark).where(PostbackMark.program_id == program_id, PostbackMark.position == mark.position)
    if session.scalar(here.values(position=reached).returning(PostbackMark.position)) is None:
        return 0  # another job was here
    for page in _pages(_happenings(session, moved)):
        _write_down(session, page, addresses, now)
    return len(moved)


def _happenings(session: Session, moved: Sequence[Movement]) -> Iterator[Happening]:
    taken = {each.source_id for each in moved if _EVENTS[each.kind] is PostbackEvent.DECLINED}
    lost = queries.lost(session, adjustment_ids=taken) if taken else {}
    for each in moved:
        event = _EVENTS[each.kind]
        if event is PostbackEvent.PAID:
            yield from (Happening(paid, event, each.posted_at) for paid in _paid(session, each.source_id))
        elif event is not PostbackEvent.DECLINED:
            yield Happening(each.source_id, event, each.posted_at)
        elif each.source_id in lost:
            yield Happening(lost[each.source_id], event, each.posted_at)


def _paid(session: Session, payout_id: UUID) -> Iterator[UUID]:
    after: UUID | None = None
    while page := queries.paid_with(session, payout_id=payout_id, after=after, limit=_PAGE):
        yield from page
        after = page[-1]


def _pages(happenings: Iterable[Happening]) -> Iterator[list[Happening]]:
    page: list[Happening] = []
    for each in happenings:
        page.append(each)
        if len(page) == _PAGE:
            yield page
            page = []
    if page:
        yield page


def _write_down(
    session: Session, happenings: Sequence[Happening], addresses: Sequence[PostbackAddress], now: datetime
) -> None:
    facts = queries.facts(session, commission_ids={each.commission_id for each in happenings})
    rows = [
        row(address, each.event, values(facts[each.commission_id], each), now, commission_id=each.commission_id)
        for each in happenings
        if each.commission_id in facts
        for address in addresses
        if _wants(address, each, facts[each.commission_id])
    ]
    db.insert_new(session, PostbackDelivery, rows)


def _wants(address: PostbackAddress, happening: Happening, facts: Facts) -> bool:
    is_new = happening.at >= address.live_since
    return is_new and facts.partner_id == address.partner_id and happening.event.value in address.events


def row(
    address: PostbackAddress, event: PostbackEvent, values: Mapping[str, str], now: datetime,
    *, commission_id: UUID | None = None,
) -> dict[str, object]:  # fmt: skip
    """A call to make as a row of the outbox."""
    delivery_id = ids.new_at(now)
    told = {**values, "event_id": ids.public("pbd", delivery_id), "random": str(delivery_id.int % 10**9)}
    return {
        "id": delivery_id, "address_id": address.id, "event": event, "commission_id": commission_id,
        "url": macros.expand(address.url, told), "status": DeliveryStatus.WAITING, "attempts": 0, "send_after": now,
        "created_at": now,
    }  # fmt: skip


def values(facts: Facts, happening: Happening) -> dict[str, str]:
    """What each macro says of a commission. Subs are the partner's own labels at the click."""
    subs = {name: str(text) for name, text in (facts.subs or {}).items() if name in macros.MACROS}
    click = ids.public("clk", facts.click_id) if facts.click_id else ""
    earned = str(Money(facts.earned_minor, facts.currency).decimal())
    paid = str(Money(facts.paid_minor, facts.currency).decimal())
    named = {
        "transaction_id": click, "click_id": click, "clickid": click,
        "offer_id": facts.program, "affiliate_id": ids.public("ptn", facts.partner_id),
        "sale_amount": paid, "amount": paid, "payout": earned, "payout_amount": earned, "currency": facts.currency,
        "order_id": facts.order_id, "txid": ids.public("cnv", facts.conversion_id),
        "event_name": happening.event.value, "goal_id": facts.kind,
        "status": _STATUS.get(happening.event, happening.event.value),
        "coupon_code": facts.coupon or "", "country": facts.country or "",
        "datetime": f"{happening.at:%Y-%m-%dT%H:%M:%SZ}", "date": f"{happening.at:%Y-%m-%d}",
        "unix": str(int(happening.at.timestamp())),
    }  # fmt: skip
    return subs | _aliases(subs) | named


def _aliases(subs: Mapping[str, str]) -> dict[str, str]:
    """The names that other trackers have for the same labels, as a click brings them in (`tracking.subs`)."""
    numbered = {f"aff_sub{number}": subs.get(f"sub{number}", "") for number in range(2, 6)}
    first, last = subs.get("sub1", ""), subs.get("sub10", "")
    return {**numbered, "aff_sub": first, "externalid": first, "source": last, "source_id": last}
