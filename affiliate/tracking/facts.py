"""What the tracker knows: programs, links, enrollments and keys as plain values in memory. Pure.

What a `View` tells never changes: the directory makes a new one and puts it in the old one's place, so that a decision sees
one state from beginning to end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from affiliate.programs import signs
from affiliate.tracking.codec import LinkState
from affiliate.tracking.network import Networks
from affiliate.tracking.ways import Home, Way


@dataclass(frozen=True, slots=True)
class ProgramFacts:
    """A program as the tracker needs it. `pixel_secret` is the one of the present version, `channel_signs` are lines of `signs`."""

    id: UUID
    slug: str
    is_live: bool
    currency: str
    shop_url: str
    allowed_hosts: tuple[str, ...]
    fallback_url: str | None
    click_parameter: str
    cookie_by_default: bool
    cookie_name: str
    attribution_window_days: int
    pixel_secret: str = field(repr=False)
    postback_hash: str = field(repr=False, default="")  # of the token; no text has the hash ""
    channel_signs: tuple[str, ...] = signs.DEFAULT
    is_archived: bool = False  # no order is taken any more
    landing_labels: tuple[str, ...] = ()  # lines of `labels`
    own_host: str | None = None  # where its links and pages are as well, once that is proved


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """A link as the tracker needs it; the code is its name in the view."""

    id: UUID
    program_id: UUID
    partner_id: UUID
    landing_url: str
    subs: dict[str, str]
    is_paused: bool
    expires_at: datetime | None

    def state_at(self, now: datetime, *, standing: LinkState) -> LinkState:
        """Where it stands at this moment, when its term is looked at as well."""
        has_ended = self.expires_at is not None and self.expires_at <= now
        return "link_expired" if has_ended and standing == "active" else standing


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """An API key that is not revoked."""

    id: UUID
    program_id: UUID
    is_test: bool
    scopes: frozenset[str]
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class View:
    """Everything that the tracker knows at one moment."""

    programs: Mapping[UUID, ProgramFacts] = field(default_factory=dict)
    links: Mapping[str, LinkFacts] = field(default_factory=dict)  # by code
    approved: Mapping[tuple[UUID, UUID], UUID] = field(default_factory=dict)  # enrollment by (program, partner)
    keys: Mapping[str, KeyFacts] = field(default_factory=dict)  # by the SHA-256 of the secret
    program_ids: Mapping[str, UUID] = field(default_factory=dict)  # by slug
    hosts: Mapping[str, UUID] = field(default_factory=dict)  # program by its own host
    sites: Mapping[tuple[UUID, str], str] = field(default_factory=dict)  # code by (program, confirmed host)
    networks: Networks = field(default_factory=Networks, compare=False)
    # What clicks have found out of the above: it follows from it, and is kept for the next click (`ways`).
    ways: dict[str, Way] = field(init=False, default_factory=dict, compare=False, repr=False)  # by code
    homes: dict[UUID, Home] = field(init=False, default_factory=dict, compare=False, repr=False)  # by program

    def program(self, slug: str) -> ProgramFacts | None:
        """The program with this slug."""
        program_id = self.program_ids.get(slug)
        return None if program_id is None else self.programs.get(program_id)

    def state_of(self, link: LinkFacts, program: ProgramFacts, *, now: datetime) -> LinkState:
        """Whether a click on the link of this program can count at this moment, and if not, the first reason."""
        return link.state_at(now, standing=self.standing_of(link, program))

    def standing_of(self, link: LinkFacts, program: ProgramFacts) -> LinkState:
        """The same as long as the link has not ended by its own term."""
        if not program.is_live:
            return "program_inactive"
        if (link.program_id, link.partner_id) not in self.approved:
            return "partner_inactive"
        return "link_paused" if link.is_paused else "active"
