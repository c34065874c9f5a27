"""Acts on many partners, commissions, orders or creatives: asked for once, done a batch a transaction, each for itself; a refusal is kept with its reason.

The first batch is done at once, so that a small choice needs no waiting; `advance` goes on with the others in a job.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from affiliate import ids
from affiliate.accounts import audit
from affiliate.accounts import queries as accounts
from affiliate.accounts.actors import SYSTEM, Actor
from affiliate.accounts.models import GrantRole
from affiliate.creatives.models import Creative
from affiliate.errors import Conflict, DomainError, Invalid, NotFound
from affiliate.partners.models import Partner
from affiliate.relations import bulk_creatives, bulk_doing, bulk_money, bulk_queries
from affiliate.relations.bulk_models import (
    OF_COMMISSIONS,
    OF_CREATIVES,
    OF_ORDERS,
    REFUSAL_LENGTH_MAX,
    BulkAct,
    BulkKind,
    BulkStatus,
    BulkSubject,
)

N_ = str  # marks a sentence for the translators
SUBJECTS_MAX = 20_000
FOUND_MAX = 200_000
"""Subjects of an act: as many as are named one by one, and as many as the database finds and notes by itself."""
BATCH = 50
"""Subjects a transaction: others wait no longer than that takes."""
_MANAGING = frozenset({GrantRole.MANAGER, GrantRole.ADMIN})
_MARKETING = _MANAGING | {GrantRole.MARKETING}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Somebody or something that an act is about; orders under review with the number of decisions that the person saw."""

    partner_id: UUID | None = None
    conversion_id: UUID | None = None
    commission_id: UUID | None = None
    seen: int | None = None
    creative_id: UUID | None = None


class NoSuchAct(NotFound):
    """There is no such act in this program."""

    def __init__(self) -> None:
        super().__init__(N_("There is no such act."))


class ActIsOver(Conflict):
    """The act is through, or was stopped."""

    code = "act_is_over"

    def __init__(self) -> None:
        super().__init__(N_("This act is over already. What it did stands below."))


class BatchTakenError(RuntimeError):
    """Somebody else has done this batch: the transaction must not count it twice."""


def start(
    session: Session, *, program_id: UUID, kind: BulkKind, arguments: Mapping[str, str],
    chosen: Collection[Chosen] | sa.Select[*tuple[Any, ...]], actor: Actor, now: datetime, limit: int = BATCH,
) -> BulkAct:  # fmt: skip
    """Begin an act on these partners, commissions, orders or creatives of a program; the first `limit` are done now.

    A statement finds columns of `Chosen`, each with its `place` from zero on: what it finds never leaves the database, and may be more.

    Raises:
        Invalid: none or too many were chosen, or what is to be done is not said.
    """
    if not isinstance(chosen, sa.Select):
        chosen = _existing(session, list(dict.fromkeys(chosen)))
        if not 0 < len(chosen) <= SUBJECTS_MAX:
            raise Invalid({"all": [_too_many(kind)]})
    if actor.id is None:
        raise ValueError("a person answers for an act on many partners")
    bulk_doing.check(session, kind=kind, arguments=arguments, program_id=program_id, now=now)
    act = BulkAct(
        id=ids.new_at(now), program_id=program_id, kind=kind, arguments=dict(arguments), status=BulkStatus.RUNNING,
        total=0, done=0, changed=0, created_by_id=actor.id, created_at=now, finished_at=None,
    )  # fmt: skip
    with session.begin_nested():
        session.add(act)
        session.flush()
        act.total = _note(session, act, chosen)
        if not 0 < act.total <= FOUND_MAX:
            raise Invalid({"all": [_too_many(kind)]})
    _record(session, "bulk.start", act, actor=actor, now=now)
    _do(session, act, limit=limit, now=now)
    return act


def _note(session: Session, act: BulkAct, chosen: Collection[Chosen] | sa.Select[*tuple[Any, ...]]) -> int:
    """Write down what the act is about, in its order; gives how many."""
    if not isinstance(chosen, sa.Select):
        rows = [{"act_id": act.id, "place": place} | asdict(one) for place, one in enumerate(chosen)]
        session.execute(sa.insert(BulkSubject), rows)
        return len(rows)
    found = chosen.limit(FOUND_MAX + 1).subquery()
    names = [column.key for column in found.c]
    rows_found = sa.select(sa.literal(act.id, BulkSubject.act_id.type), *found.c)
    noted = session.execute(sa.insert(BulkSubject).from_select(["act_id", *names], rows_found))
    return cast("CursorResult[Any]", noted).rowcount


def _existing(session: Session, chosen: Sequence[Chosen]) -> list[Chosen]:
    """Without what is nowhere: only a form that somebody has made up names it, and no row can be about it."""
    partners = bulk_queries.existing(
        session, kind=Partner, among={one.partner_id for one in chosen if one.partner_id is not None}
    )
    creatives = bulk_queries.existing(
        session, kind=Creative, among={one.creative_id for one in chosen if one.creative_id is not None}
    )
    return [one for one in chosen if one.partner_id in partners or one.creative_id in creatives]


def advance(session: Session, *, limit: int, now: datetime) -> int:
    """Go on with the oldest act by up to `limit` subjects; gives how many were looked at. Who may no longer do it with one ends the act."""
    act = bulk_queries.running(session)
    if act is None:
        return 0
    may = _MARKETING if act.kind in OF_CREATIVES else _MANAGING
    if may.isdisjoint(accounts.roles_in(session, user_id=act.created_by_id, program_id=act.program_id)):
        return _ended(session, act, now=now)
    return _do(session, act, limit=limit, now=now)


def stop(session: Session, *, act_id: UUID, program_id: UUID, actor: Actor, now: datetime) -> BulkAct:
    """Do nothing more of an act; what was done stays.

    Raises:
        NoSuchAct: not in this program.
        ActIsOver: it was through, or stopped, before.
    """
    mine = (BulkAct.id == act_id, BulkAct.program_id == program_id, BulkAct.status == BulkStatus.RUNNING)
    change = sa.update(BulkAct).where(*mine).values(status=BulkStatus.STOPPED, finished_at=now)
    stopped = cast("CursorResult[Any]", session.execute(change)).rowcount == 1
    act = bulk_queries.act_in(session, act_id=act_id, program_id=program_id)
    if act is None:
        raise NoSuchAct
    if not stopped:
        raise ActIsOver
    _record(session, "bulk.stop", act, actor=actor, now=now)
    return act


def _ended(session: Session, act: BulkAct, *, now: datetime) -> int:
    stop(session, act_id=act.id, program_id=act.program_id, actor=SYSTEM, now=now)
    return act.total - act.done


def _too_many(kind: BulkKind) -> str:
    if kind in OF_CREATIVES:
        return N_("Choose from 1 to 20,000 creatives.")
    if kind in OF_COMMISSIONS:
        return N_("Choose from 1 to 200,000 commissions.")
    return N_("Choose from 1 to 20,000 orders.") if kind in OF_ORDERS else N_("Choose from 1 to 20,000 partners.")


def _do(session: Session, act: BulkAct, *, limit: int, now: datetime) -> int:
    """The next subjects, in one transaction with the mark of how far the act has come: a job that is killed did nothing."""
    subjects = bulk_queries.batch(session, act_id=act.id, start=act.done, limit=limit)
    actor = Actor(kind="user", id=act.created_by_id)
    amounts = bulk_money.amounts(session, program_id=act.program_id, subjects=subjects)
    rows = [
        {"act_id": act.id, "place": one.place, "amount_minor": None}
        | _outcome(session, act, one, amounts.get(one.place), actor=actor, now=now)
        for one in sorted(subjects, key=_as_locked)
    ]
    if rows:
        session.execute(sa.update(BulkSubject), rows)
        changed = {row["place"] for row in rows if row["changed"]}
        bulk_creatives.tell(session, act=act, subjects=[one for one in subjects if one.place in changed], now=now)
    done = act.done + len(rows)
    values: dict[str, Any] = {"done": done, "changed": act.changed + sum(bool(row["changed"]) for row in rows)}
    if done == act.total:
        values |= {"status": BulkStatus.DONE, "finished_at": now}
    here = (BulkAct.id == act.id, BulkAct.status == BulkStatus.RUNNING, BulkAct.done == act.done)
    moved = session.execute(
        sa.update(BulkAct).where(*here).values(values), execution_options={"synchronize_session": False}
    )
    if cast("CursorResult[Any]", moved).rowcount != 1:
        raise BatchTakenError(act.id)
    session.refresh(act)
    return len(rows)


def _as_locked(subject: BulkSubject) -> tuple[bool, bytes]:
    """Orders by id, as ingest takes them, and creatives: in the order of a list, each could wait for what the other holds."""
    held = subject.conversion_id or subject.creative_id
    return held is not None, held.bytes if held is not None else b""


def _outcome(
    session: Session, act: BulkAct, subject: BulkSubject, amount_minor: int | None, *, actor: Actor, now: datetime
) -> dict[str, Any]:
    """Do it with one; a refusal undoes only itself."""
    try:
        with session.begin_nested():
            changed = _doing(act.kind)(
                session, kind=act.kind, arguments=act.arguments, subject=subject, program_id=act.program_id,
                actor=actor, now=now,
            )  # fmt: skip
    except DomainError as refusal:
        return {"changed": False, "refusal": _told(refusal)[:REFUSAL_LENGTH_MAX]}
    return {"changed": changed, "refusal": None, "amount_minor": amount_minor if changed else None}


def _doing(kind: BulkKind) -> Callable[..., bool]:
    if kind in OF_CREATIVES:
        return bulk_creatives.do
    return bulk_money.do if kind in OF_COMMISSIONS | OF_ORDERS else bulk_doing.do


def _told(refusal: DomainError) -> str:
    if isinstance(refusal, Invalid):
        return " ".join(text for texts in refusal.errors.values() for text in texts)
    return str(refusal)


def _record(session: Session, action: str, act: BulkAct, *, actor: Actor, now: datetime) -> None:
    audit.record(
        session, actor=actor, action=action, subject_kind="bulk_act", subject_id=act.id, program_id=act.program_id,
        details={"kind": act.kind, "count": act.total, "done": act.done}, now=now,
    )  # fmt: skip
