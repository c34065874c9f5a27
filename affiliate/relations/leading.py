"""Who may lead a partner: experienced people; a newcomer is its deputy. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

NEWCOMER_FOR = timedelta(days=90)
"""So long after getting the role somebody is new."""


def newcomers(managers: Mapping[UUID, datetime], *, now: datetime) -> frozenset[UUID]:
    """Who is new among the managers, given since when each is one.

    Nobody is, where nobody is experienced: a small company begins with new people only.
    """
    new = frozenset(person for person, since in managers.items() if now - since < NEWCOMER_FOR)
    return frozenset() if len(new) == len(managers) else new
