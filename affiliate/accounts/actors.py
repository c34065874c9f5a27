"""Who acts: a person, a key, or the system itself. Every state change names its actor."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Actor:
    """A person (`user`), an API key (`key`) or a job of ours (`system`, without id).

    `acting_for` is the partner on whose behalf somebody of the program's team acts.
    """

    kind: Literal["user", "key", "system"]
    id: UUID | None
    acting_for: UUID | None = None


SYSTEM = Actor(kind="system", id=None)
"""Jobs and commands that no person started, and visitors who are not signed in."""
