"""The queries of later stages that access needs: they stand above accounts, so `app` hands them in."""

from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from affiliate.accounts import bearer
from affiliate.accounts.roles import MemberRole


class ProgramOfSlug(Protocol):
    """`programs.queries.program_by_slug`."""

    def __call__(self, session: Session, *, slug: str) -> Any | None:
        """The program with this slug, or null."""


class Membership(Protocol):
    """`partners.queries.membership`."""

    def __call__(self, session: Session, *, user_id: UUID, program_id: UUID) -> tuple[Any, Any, MemberRole] | None:
        """The person's partner, its enrollment in the program unless it is rejected or banned, and the person's role."""


class Welcome(Protocol):
    """`partners.queries.is_welcome`."""

    def __call__(self, session: Session, *, partner_id: UUID, program_id: UUID) -> bool:
        """Whether the partner takes part in the program."""


@dataclass(frozen=True, slots=True)
class Resolvers:
    """All of them."""

    program_by_slug: ProgramOfSlug
    membership: Membership
    is_welcome: Welcome
    key_in_memory: bearer.KeyInMemory = bearer.no_key_in_memory
