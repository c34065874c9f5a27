"""What somebody in a program can be started with: roles that go together, and who may give which."""

import enum
from collections.abc import Collection

from affiliate.accounts.models import GrantRole


class Preset(enum.StrEnum):
    """A start for a person of the program."""

    READER = "reader"
    LOGISTICS = "logistics"
    TECH = "tech"
    MARKETING = "marketing"
    FINANCE = "finance"
    MANAGER = "manager"
    ALL = "all"  # one person does everything


ROLES = {
    Preset.READER: (GrantRole.READER,),
    Preset.LOGISTICS: (GrantRole.LOGISTICS,),
    Preset.TECH: (GrantRole.TECH,),
    Preset.MARKETING: (GrantRole.MARKETING,),
    Preset.FINANCE: (GrantRole.FINANCE,),
    Preset.MANAGER: (GrantRole.MANAGER,),
    Preset.ALL: (GrantRole.MANAGER, GrantRole.FINANCE),
}
"""The roles that a preset gives."""

NARROW = frozenset({GrantRole.READER, GrantRole.LOGISTICS, GrantRole.TECH, GrantRole.MARKETING})
"""Roles that change neither terms nor money: a manager gives them. Only administrators give the others."""


def may_give(held: Collection[GrantRole], role: GrantRole) -> bool:
    """Whether somebody with these roles may give this role in the program, or take it."""
    if role in {GrantRole.PARTNER, GrantRole.ADMIN}:
        return False
    return GrantRole.ADMIN in held or (GrantRole.MANAGER in held and role in NARROW)
