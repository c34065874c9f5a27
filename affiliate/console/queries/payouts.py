"""Who could be paid now and who is left out, for lists: filtered and summed by the database, a page at a time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, folding
from affiliate.console import paging
from affiliate.payouts import payable
from affiliate.payouts import queries as payout_queries
from affiliate.payouts.models import Payout
from affiliate.payouts.payable import Payable
from affiliate.payouts.queries import Policy, Review
from affiliate.payouts.schedule import Blocked, Due
from affiliate.programs.models import Program


@dataclass(frozen=True, slots=True)
class Upcoming:
    """The next run as it would be proposed: its sum, a page of who is in it and one of who is left out, and what these rows are of."""

    policy: Policy
    payable: Payable
    ready: paging.Page
    left: paging.Page
    dues: Mapping[UUID, tuple[Due, Blocked | None]]
    awaited: Mapping[UUID, Payout]
    reviews: Mapping[UUID, Review]


def upcoming(
    session: Session,
    *,
    program: Program,
    now: datetime,
    name: str = "",
    ready_at: paging.Cursor | None = None,
    left_at: paging.Cursor | None = None,
    size: int = paging.PAGE_SIZE,
) -> Upcoming:
    """The next run, the largest first: what is due before taxes. `name`: only partners called so; the sum is of all."""
    here = payable.basis(session, program=program, now=now)
    dues = payable.due_rows(here)
    sums = payable.payable(session, here) if here.settings is not None else None
    but = sums.overtaxed if sums else ()
    ready_asked = _asked(payable.ready_rows(session, dues, here, but=but), name, ready_at, size)
    left_asked = _asked(payable.left_rows(session, dues, here, overtaxed=but), name, left_at, size)
    parts = [_part("ready", ready_asked.statement), _part("left", left_asked.statement)]
    found = _read(session, parts if sums else [*_summed(payable.sum_rows(dues, here)), *parts])
    sums = sums or Payable(*(found[one][0].at for one in ("total", "number")))
    ready, left = ready_asked.page_of_any_order(found["ready"]), left_asked.page_of_any_order(found["left"])
    of_kind = {kind: [row for row in left.rows if row.kind == kind] for kind in ("due", "awaited", "review")}
    asked = [row.partner_id for row in (*ready.rows, *of_kind["due"])]
    return Upcoming(
        policy=here.policy,
        payable=sums,
        ready=ready,
        left=left,
        dues=payable.dues_of(session, here, partner_ids=asked),
        awaited=_payouts(session, [row.id for row in of_kind["awaited"]]),
        reviews=_reviews(session, program.id, [row.partner_id for row in of_kind["review"]]),
    )


def _read(session: Session, parts: Sequence[sa.Select[Any]]) -> Mapping[str, list[Any]]:
    """The rows of all parts by the name of each, in one trip: the dues that they share are added up once."""
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for row in session.execute(sa.union_all(*parts)):
        found[row.part].append(row)
    return found


def _part(part: str, rows: sa.Select[Any]) -> sa.Select[Any]:
    found = rows.subquery().c
    return sa.select(
        sa.literal(part).label("part"), found.kind, found.id, found.partner_id, found.name, found.at.label("at")
    )


def _summed(sums: sa.Select[Any]) -> list[sa.Select[Any]]:
    """The sum and the number as rows of their own, of the shape of the others, reckoned once."""
    found = sums.cte("sums").c
    nobody = (sa.cast(sa.null(), sa.Uuid).label(name) for name in ("id", "partner_id"))
    empty = (sa.literal("").label("kind"), *nobody, sa.literal("").label("name"))
    return [sa.select(sa.literal(name).label("part"), *empty, found[name].label("at")) for name in ("total", "number")]


def _asked(found: Any, name: str, cursor: paging.Cursor | None, size: int) -> paging.Asked:
    rows = found.subquery()
    wanted = sa.select(rows)
    if name:
        wanted = wanted.where(folding.holds(rows.c.name, name))
    return paging.asked_for(wanted, by=rows.c.at, identifier=rows.c.id, cursor=cursor, size=size)


def _payouts(session: Session, payout_ids: list[UUID]) -> dict[UUID, Payout]:
    if not payout_ids:
        return {}
    found = session.scalars(sa.select(Payout).where(db.among(session, Payout.id, payout_ids)))
    return {payout.id: payout for payout in found}


def _reviews(session: Session, program_id: UUID, partner_ids: list[UUID]) -> dict[UUID, Review]:
    if not partner_ids:
        return {}
    found = payout_queries.under_review(session, program_id=program_id, partner_ids=partner_ids)
    return {review.partner_id: review for review in found}


def last_paid(session: Session, *, program_id: UUID, partner_ids: list[UUID]) -> dict[UUID, int]:
    """What the last payout of each of these partners that arrived was over, in minor units, by the partner's id."""
    paid = (
        Payout.program_id == program_id,
        Payout.paid_at.is_not(None),
        db.among(session, Payout.partner_id, partner_ids),
    )
    newest = sa.select(Payout.partner_id, sa.func.max(Payout.created_at).label("at")).where(*paid)
    last = newest.group_by(Payout.partner_id).subquery()
    same = (last.c.partner_id == Payout.partner_id, last.c.at == Payout.created_at)
    rows = session.execute(sa.select(Payout.partner_id, Payout.amount_minor).join(last, sa.and_(*same)).where(*paid))
    return {row.partner_id: row.amount_minor for row in rows}
