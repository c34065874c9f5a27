"""How large a run each person may approve: amounts on the grants of a program. Nobody changes the own one."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.accounts.models import Grant, GrantRole, User
from affiliate.errors import Forbidden, Invalid, NotFound
from affiliate.money import Money
from affiliate.payouts.holding import changed

N_ = str  # marks a sentence for the translators
_ROLES = (GrantRole.MANAGER, GrantRole.FINANCE, GrantRole.ADMIN)


class OwnLimit(Forbidden):
    """It would be the actor's own limit."""

    code = "own_limit"


class NoRoleHere(NotFound):
    """The person has no role of its own in this program."""

    code = "no_role_here"


@dataclass(frozen=True, slots=True)
class Approver:
    """A person who may approve runs here. `limit_minor` is in the program's currency, None for any amount.

    A role in all programs is bounded by no program: `is_everywhere`.
    """

    user_id: UUID
    name: str
    email: str
    roles: tuple[GrantRole, ...]
    limit_minor: int | None
    is_everywhere: bool


def approval_limit(session: Session, *, user_id: UUID, program_id: UUID) -> int | None:
    """The largest run in minor units that this person may approve here, the best of its grants; None is any."""
    limits = session.scalars(sa.select(Grant.payout_limit_minor).where(Grant.user_id == user_id, *_here(program_id)))
    return _best(limits.all())


def approvers(session: Session, *, program_id: UUID) -> list[Approver]:
    """Everybody who may approve runs of a program, by name."""
    found: defaultdict[UUID, list[tuple[User, Grant]]] = defaultdict(list)
    rows = sa.select(User, Grant).join(Grant, Grant.user_id == User.id).where(User.active, *_here(program_id))
    for user, grant in session.execute(rows.order_by(User.name, User.email, Grant.role)):
        found[user.id].append((user, grant))
    return [_approver(held) for held in found.values()]


def set_limit(
    session: Session, *, user_id: UUID, program_id: UUID, limit: Money | None, actor: Actor, now: datetime
) -> None:
    """The largest run that a person's roles in this program let it approve; without one, any.

    Raises:
        OwnLimit: the actor is that person.
        NoRoleHere: it has no role of its own in this program.
        Invalid: the limit is below zero.
    """
    if actor.kind == "user" and actor.id == user_id:
        raise OwnLimit(N_("Nobody changes the own limit. Ask a colleague to do it."))
    if limit is not None and limit.amount_minor < 0:
        raise Invalid({"amount": [N_("Write an amount of zero or more.")]})
    mine = (Grant.user_id == user_id, Grant.program_id == program_id, Grant.role.in_(_ROLES))
    before = session.scalars(sa.select(Grant.payout_limit_minor).where(*mine)).all()
    minor = None if limit is None else limit.amount_minor
    if not changed(session, sa.update(Grant).where(*mine).values(payout_limit_minor=minor)):
        raise NoRoleHere(N_("This person has no role of its own in this program."))
    told = {"before": {"payout_limit_minor": _best(before)}, "after": {"payout_limit_minor": minor}}
    audit.record(
        session, actor=actor, action="grant.limit", subject_kind="user", subject_id=user_id,
        program_id=program_id, details=told, now=now,
    )  # fmt: skip


def _here(program_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return Grant.role.in_(_ROLES), sa.or_(Grant.program_id == program_id, Grant.program_id.is_(None))


def _best(limits: Sequence[int | None]) -> int | None:
    found = [limit for limit in limits if limit is not None]
    return max(found) if len(found) == len(limits) and found else None


def _approver(held: list[tuple[User, Grant]]) -> Approver:
    user, grants = held[0][0], [grant for _user, grant in held]
    roles = tuple(dict.fromkeys(grant.role for grant in grants))
    is_everywhere = any(grant.program_id is None for grant in grants)
    limit_minor = _best([grant.payout_limit_minor for grant in grants])
    return Approver(user.id, user.name, user.email, roles, limit_minor, is_everywhere)
