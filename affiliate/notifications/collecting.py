"""What happened becomes calls to make: the ledger is read on from where it was left, and each event written down once per address.

The ledger says everything that a partner's system wants to know, in the order in which it became true: a commission was
accrued, approved, taken back, paid. Within a program its rows are committed in the order of their positions, so a mark is
enough, and a killed job begins again where the last one committed. A payout is one row for all that it paid, so the mark
also says how far that was told.
"""

from collections.abc import Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class Happening:
    """A commission and what became of it, when."""

    commission_id: UUID
    event: PostbackEvent
    at: datetime


@dataclass(frozen=True, slots=True)
class _Reach:
    """Where a mark goes: behind a row, and behind a commission of the payout in the next one."""

    position: int
    paid_until: UUID | None = None


def collect(session: Session, *, program_id: UUID, limit: int, now: datetime) -> int:
    """Read a program's ledger on, and write the calls down that it asks for; how much was read.

    At most `limit` rows and commissions of payouts: what one payout paid may take several turns.
    """
    mark = queries.mark(session, program_id=program_id)
    begin = _Reach(mark.position, mark.paid_until)
    until = queries.newest_position(session, program_id=program_id, after=begin.position)
    addresses = queries.live(session, program_id=program_id)
    moved = queries.movements(
        session, program_id=program_id, partner_ids={each.partner_id for each in addresses},
        after=begin.position, until=until, limit=limit,
    )  # fmt: skip
    steps, reach = _steps(session, moved, begin, limit)
    if reach is None:
        reach = _Reach(moved[-1].position if len(moved) == limit else until)
    if reach == begin or not _move(session, program_id, begin, reach):
        return 0  # nothing is new, or another job was here
    _write_down(session, _happenings(session, steps), addresses, now)
    return len(steps)


def _move(session: Session, program_id: UUID, begin: _Reach, reach: _Reach) -> bool:
    here = (
        PostbackMark.program_id == program_id, PostbackMark.position == begin.position,
        PostbackMark.paid_until.is_not_distinct_from(begin.paid_until),
    )  # fmt: skip
    moving = sa.update(PostbackMark).where(*here).values(position=reach.position, paid_until=reach.paid_until)
    moving = moving.returning(PostbackMark.position).execution_options(synchronize_session=False)
    return session.scalar(moving) is not None


def _steps(
    session: Session, moved: Sequence[Movement], begin: _Reach, limit: int
) -> tuple[list[tuple[Movement, UUID]], _Reach | None]:
    """At most `limit` of the rows' sources, a payout as the commissions that it paid; and where to stop before the end."""
    steps = list[tuple[Movement, UUID]]()
    for each in moved:
        before, room = _Reach(each.position - 1), limit - len(steps)
        if not room:
            return steps, before
        if each.kind is not TransferKind.SETTLE:
            steps.append((each, each.source_id))
            continue
        after = begin.paid_until if begin.position == before.position else None
        paid = queries.paid_with(session, payout_id=each.source_id, after=after, limit=room)
        steps += [(each, commission_id) for commission_id in paid]
        if len(paid) == room:  # there may be more
            return steps, _Reach(before.position, paid[-1])
    return steps, None


def _happenings(session: Session, steps: Sequence[tuple[Movement, UUID]]) -> list[Happening]:
    taken = {source_id for each, source_id in steps if _EVENTS[each.kind] is PostbackEvent.DECLINED}
    lost = queries.lost(session, adjustment_ids=taken) if taken else {}
    told = [
        (each, lost.get(source_id) if _EVENTS[each.kind] is PostbackEvent.DECLINED else source_id)
        for each, source_id in steps
    ]
    return [Happening(told_of, _EVENTS[each.kind], each.posted_at) for each, told_of in told if told_of is not None]


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
