"""What a click on a link will be answered with, as far as it does not depend on who clicks. Pure.

Worked out with the first click on a link and kept beside the view that it follows from: every click would pay for it again.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote
from uuid import UUID

from affiliate import ids, signing
from affiliate.programs import labels
from affiliate.programs.labels import Label
from affiliate.tracking.eventtypes import LinkState
from affiliate.tracking.keys import Keys, visitor_tokens

if TYPE_CHECKING:
    from affiliate.tracking.facts import LinkFacts, ProgramFacts, View

SECONDS_PER_DAY = 86_400
WAYS_MAX = 16_384
"""Links of one view that are kept; with more in use all are worked out anew, now and then."""

_LANDINGS_MAX = 8_192
_UNSAFE = re.compile(r"[^\x21-\x7e]")
_RESERVED = ":/?#[]@!$&'()*+,;=%-._~"


class Landing(NamedTuple):
    """A landing page split where the click token goes in: its bytes before, from `#` on, and the parameters that it has."""

    url: str
    head: str
    tail: str
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Home:
    """What is the same for all links of a program. `cookie_life` stands between the cookie's value and `Secure`."""

    program: "ProgramFacts"
    keys: Keys
    click_token: Callable[[UUID], str] = field(repr=False)
    visitor_token: Callable[[UUID], str] = field(repr=False)
    cookie_start: str
    cookie_life: str
    cookie_end: str  # its life when a visitor refuses it


@dataclass(frozen=True, slots=True)
class Way:
    """A link, its program and the page behind it. `standing` is as long as the link has not ended by its own term."""

    link: "LinkFacts"
    program: "ProgramFacts"
    home: Home
    standing: LinkState
    landing: Landing
    labels: tuple[Label, ...]  # for the shop's web analytics


def way_of(code: str, view: "View", keys: Keys) -> Way | None:
    """The way of the link with this code; nothing for a code that nobody knows."""
    kept = view.ways.get(code)
    return kept if kept is not None and kept.home.keys is keys else _worked_out(code, view, keys)


def landing(url: str, click_parameter: str) -> Landing:
    """The page, ready for a click token under this name. What is stored there under the same name goes."""
    base, hash_mark, fragment = url.partition("#")
    path, _, query = base.partition("?")
    kept = [part for part in query.split("&") if part and part.partition("=")[0] != click_parameter]
    names = frozenset(part.partition("=")[0] for part in kept)
    head = "".join([path, "?", *(f"{part}&" for part in kept)])
    return Landing(url, safe(head), safe(f"{hash_mark}{fragment}"), names)


kept_landing = lru_cache(maxsize=_LANDINGS_MAX)(landing)
"""The same for a page that may come again: a deep link, a program's fallback page."""


def safe(url: str) -> str:
    """The address as a header can carry it: nothing but visible ASCII, whatever was stored."""
    return quote(url, safe=_RESERVED) if _UNSAFE.search(url) else url


def _worked_out(code: str, view: "View", keys: Keys) -> Way | None:
    link = view.links.get(code)
    program = view.programs.get(link.program_id) if link is not None else None
    if link is None or program is None:
        return None
    home = view.homes.get(program.id)
    if home is None or home.keys is not keys:
        home = view.homes[program.id] = _home(program, keys)
    if len(view.ways) >= WAYS_MAX:
        view.ways.clear()
    page = landing(link.landing_url, program.click_parameter)
    way = view.ways[code] = Way(
        link, program, home, view.standing_of(link, program), page, _labels(code, link, program)
    )
    return way


def _labels(code: str, link: "LinkFacts", program: "ProgramFacts") -> tuple[Label, ...]:
    if not program.landing_labels:
        return ()
    partner = ids.public("ptn", link.partner_id)
    return labels.of_link(
        program.landing_labels, program=program.slug, partner=partner, link=code, without=program.click_parameter
    )


def _home(program: "ProgramFacts", keys: Keys) -> Home:
    ends = "; Path=/; Max-Age={}; HttpOnly; SameSite=Lax".format
    return Home(
        program=program,
        keys=keys,
        click_token=signing.click_tokens(keys.click, program_id=program.id),
        visitor_token=visitor_tokens(keys, program_id=program.id),
        cookie_start=f"{program.cookie_name}=",
        cookie_life=ends(program.attribution_window_days * SECONDS_PER_DAY),
        cookie_end=ends(0),
    )
