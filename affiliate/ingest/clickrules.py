"""Whether a click counts, and if not, why: one ordered list of rules, and what makes an arrival a repeat. Pure."""

import enum
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from affiliate.ingest.bots import is_bot
from affiliate.tracking.codec import ClickEvent

RETENTION = timedelta(days=400)
"""How long raw clicks are kept; one that arrives later than this cannot be stored as if it were new."""

REPEAT_TERM = timedelta(seconds=10)
"""Within this term of the one before, an arrival of the same visitor on the same link is a repeat: a double click, a reload."""

_KINDS_REMEMBERED_MAX = 10_000
_AHEAD_OF_A_PERSON = ("prefetch", "prerender", "preview")


class ClickVerdict(enum.StrEnum):
    """Whether a click counts, and if not, why. Raw = valid + rejected by reason, always."""

    VALID = "valid"
    BOT = "bot"
    PREFETCH = "prefetch"
    HEAD = "head"
    EMBEDDED = "embedded"  # loaded as an image, frame or script: cookie stuffing
    DUPLICATE = "duplicate"
    OWN_TEAM = "own_team"  # a browser of the program's own people
    TEST = "test"  # made by the installation to try itself: in no count, neither as valid nor as refused
    LINK_PAUSED = "link_paused"
    LINK_EXPIRED = "link_expired"
    PARTNER_INACTIVE = "partner_inactive"
    PROGRAM_INACTIVE = "program_inactive"
    PAST_RETENTION = "past_retention"


CREDITABLE = frozenset({ClickVerdict.VALID, ClickVerdict.DUPLICATE, ClickVerdict.TEST})
"""A repeat counts once in the figures, but the customer who clicked twice carries the second click's id to the shop.
Only the installation can make a test, and only its own test orders name one."""


class _Facts(NamedTuple):
    """All that the rules look at. Thousands of clicks share them, so that each kind is judged once."""

    is_test: bool
    is_past_retention: bool
    method: str
    purpose: str | None
    source: str
    fetch_dest: str | None
    user_agent: str | None
    is_own_team: bool
    link_state: str


def _prefetch(click: _Facts) -> bool:
    return click.purpose is not None and any(word in click.purpose.lower() for word in _AHEAD_OF_A_PERSON)


def _embedded(click: _Facts) -> bool:
    """A redirect is for a page that a person opens. The tag reports from inside a page, so it is no sign there."""
    return click.source == "redirect" and click.fetch_dest is not None and click.fetch_dest.lower() != "document"


def _bot(click: _Facts) -> bool:
    return not click.user_agent or is_bot(click.user_agent)


RULES: tuple[tuple[ClickVerdict, Callable[[_Facts], bool]], ...] = (
    (ClickVerdict.TEST, lambda click: click.is_test),
    (ClickVerdict.PAST_RETENTION, lambda click: click.is_past_retention),
    (ClickVerdict.HEAD, lambda click: click.method == "HEAD"),
    (ClickVerdict.PREFETCH, _prefetch),
    (ClickVerdict.EMBEDDED, _embedded),
    (ClickVerdict.BOT, _bot),
    (ClickVerdict.OWN_TEAM, lambda click: click.is_own_team),
    (ClickVerdict.PROGRAM_INACTIVE, lambda click: click.link_state == "program_inactive"),
    (ClickVerdict.PARTNER_INACTIVE, lambda click: click.link_state == "partner_inactive"),
    (ClickVerdict.LINK_PAUSED, lambda click: click.link_state == "link_paused"),
    (ClickVerdict.LINK_EXPIRED, lambda click: click.link_state == "link_expired"),
)
"""Tried in this order; the first that applies is the verdict."""


def verdict(click: ClickEvent, *, now: datetime) -> ClickVerdict:
    """The verdict on a click by itself: `valid`, or the first rule against it. Repeats are found by `repeats`."""
    return _verdict(
        click.is_test,
        now - click.occurred_at >= RETENTION,
        click.method,
        click.purpose,
        click.source,
        click.fetch_dest,
        click.user_agent,
        click.is_own_team,
        click.link_state,
    )


@lru_cache(maxsize=_KINDS_REMEMBERED_MAX)
def _verdict(*facts: Any) -> ClickVerdict:
    click = _Facts(*facts)
    return next((reason for reason, applies in RULES if applies(click)), ClickVerdict.VALID)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What tells whether one click repeats another."""

    click_id: UUID
    link_id: UUID
    visitor_id: UUID | None
    address_hash: str | None
    user_agent: str | None
    occurred_at: datetime


def repeats(arrivals: Iterable[Arrival | ClickEvent]) -> set[UUID]:
    """The ids of those that follow another of the same visitor on the same link within the term.

    A repeat of a repeat is one too, so that the answer depends on the arrivals alone and not on their order.
    More arrivals can only make more repeats, never fewer.
    """
    found: set[UUID] = set()
    last_at: dict[Hashable, datetime] = {}
    for arrival in sorted(arrivals, key=lambda arrival: (arrival.occurred_at, arrival.click_id.int)):
        for who in _identities(arrival):
            before = last_at.get(who)
            if before is not None and arrival.occurred_at - before < REPEAT_TERM:
                found.add(arrival.click_id)
            last_at[who] = arrival.occurred_at
    return found


def _identities(arrival: Arrival | ClickEvent) -> Iterator[Hashable]:
    """Ids as numbers, which are quicker to look up."""
    if arrival.visitor_id:
        yield arrival.link_id.int, arrival.visitor_id.int
    if arrival.address_hash:
        yield arrival.link_id.int, arrival.address_hash, arrival.user_agent
