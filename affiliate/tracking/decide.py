"""The decision about a click: request facts, what the tracker knows, and the moment in; an answer and an event out. Pure.

Adapters (`edge`, and `wsgi` in front of Flask) only carry bytes in and out, so that all of them answer alike.
The visitor always gets somewhere: whatever is wrong with the link, the address leads on, and the event says what was wrong.
"""

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote
from uuid import UUID

from affiliate import signing
from affiliate.links import hosts
from affiliate.tracking import consent as consents
from affiliate.tracking import reading
from affiliate.tracking.codec import ClickEvent, Consent, LinkState, RejectedEvent
from affiliate.tracking.facts import LinkFacts, ProgramFacts, View
from affiliate.tracking.keys import (
    Keys,
    address_facts,
    is_fresh_stamp,
    is_team_cookie,
    read_visitor_token,
    visitor_token,
)
from affiliate.tracking.reading import Query
from affiliate.tracking.subs import clean

PASSED_ON_LENGTH_MAX = 2_000
USER_AGENT_LENGTH_MAX = 300
REFERRER_LENGTH_MAX = 500
SECONDS_PER_DAY = 86_400

_KEPT_MAX = 8_192  # landing pages in memory
_FACT_LENGTH_MAX = 40
_UNSAFE = re.compile(r"[^\x21-\x7e]")
_RESERVED = ":/?#[]@!$&'()*+,;=%-._~"


class RequestFacts(NamedTuple):
    """What is read of a request. Texts are as the client sent them; `address` is the client's, behind trusted proxies."""

    method: str
    code: str
    query: str
    is_secure: bool
    address: str
    cookies: str
    user_agent: str
    referrer: str
    purpose: str  # Sec-Purpose, or Purpose, or X-Moz
    fetch_dest: str
    has_opted_out: bool  # Sec-GPC
    fetch_site: str = ""
    fetch_user: str = ""
    fetch_mode: str = ""


class Decision(NamedTuple):
    """The answer to a click and what to record. A status of 404 has no address: the adapter shows a friendly page."""

    status: int
    location: str | None
    cookie: str | None  # a Set-Cookie value
    event: ClickEvent | RejectedEvent


class _Landing(NamedTuple):
    """An address split where the click token goes in."""

    head: str
    tail: str
    names: frozenset[str]


class _Settled(NamedTuple):
    """What is decided of a click by now."""

    click_id: UUID
    now: datetime
    state: LinkState
    landing_url: str
    visitor_id: UUID | None
    consent: Consent


def decide(
    request: RequestFacts,
    view: View,
    keys: Keys,
    *,
    now: datetime,
    click_id: UUID,
    fresh_visitor_id: Callable[[], UUID],
) -> Decision:
    """Where a click leads and what is recorded. The click's id is minted by the caller before any I/O.

    `fresh_visitor_id` is asked where somebody who agreed is seen for the first time.
    """
    link = view.links.get(request.code)
    program = view.programs.get(link.program_id) if link is not None else None
    if link is None or program is None:
        return _unknown(request, view, now=now, delivery_id=click_id)
    state = view.state_of(link, program, now=now)
    query = reading.query(request.query, program.click_parameter)
    landing = _landing(link, program, query) if state == "active" else program.fallback_url or link.landing_url
    consent = _consent(request, program, query)
    visitor_id = None
    if consents.allows(consent) and _is_visit(request):
        visitor_id = known_visitor(request.cookies, program, keys) or fresh_visitor_id()
    settled = _Settled(click_id, now, state, landing, visitor_id, consent)
    event = _event(settled, request, query, link=link, program=program, view=view, keys=keys)
    token = signing.click_token(keys.click, program_id=program.id, click_id=click_id)
    cookie = None
    if visitor_id is not None and state == "active":
        cookie = _cookie(request, program, visitor_token(keys, program_id=program.id, visitor_id=visitor_id))
    elif consent == "refused" and f"{program.cookie_name}=" in request.cookies:
        cookie = _cookie(request, program, "")
    return Decision(302, _address(landing, program.click_parameter, token, query), cookie, event)


def _event(
    settled: _Settled,
    request: RequestFacts,
    query: Query,
    *,
    link: LinkFacts,
    program: ProgramFacts,
    view: View,
    keys: Keys,
) -> ClickEvent:
    """The click with everything that the request tells."""
    prefix, address_hash = address_facts(keys, request.address, now=settled.now)
    origin = view.networks.of(request.address)
    mark = query.test_mark
    return ClickEvent(  # in their order: by name they take three times as long
        settled.click_id,
        program.id,
        link.partner_id,
        link.id,
        settled.now,
        "redirect",
        settled.state,
        request.method,
        _fact(request.purpose),
        _fact(request.fetch_dest),
        settled.visitor_id,
        link.subs | query.subs,
        settled.landing_url,
        clean(request.referrer, REFERRER_LENGTH_MAX) or None,
        clean(request.user_agent, USER_AGENT_LENGTH_MAX) or None,
        prefix,
        address_hash,
        query.ad.creative,
        query.ad.ad_ids,
        query.ad.utm,
        origin.country,
        origin.network,
        settled.consent,
        _fact(request.fetch_site),
        _fact(request.fetch_user),
        _fact(request.fetch_mode),
        is_team_cookie(request.cookies, program, keys),
        mark is not None and is_fresh_stamp(keys.test, mark, program_id=program.id, now=settled.now),
    )


def _fact(header: str) -> str | None:
    """What a header says, null where it is not sent."""
    return clean(header, _FACT_LENGTH_MAX) or None if header else None


def _unknown(request: RequestFacts, view: View, *, now: datetime, delivery_id: UUID) -> Decision:
    """No such link. Where the installation has one program, its fallback page is better than ours."""
    event = RejectedEvent(
        delivery_id=delivery_id,
        program_id=None,
        kind="click",
        reason="unknown_link",
        payload={"code": clean(request.code, _FACT_LENGTH_MAX)},
        received_at=now,
    )
    only = next(iter(view.programs.values())) if len(view.programs) == 1 else None
    if only is not None and only.fallback_url:
        return Decision(302, _safe(only.fallback_url), None, event)
    return Decision(404, None, None, event)


def _consent(request: RequestFacts, program: ProgramFacts, query: Query) -> Consent:
    """What the address says, unless the browser refuses (Sec-GPC); where neither does, the program's default."""
    if request.has_opted_out:
        return "refused"
    return "default" if query.consent == "none" and program.cookie_by_default else query.consent


def _landing(link: LinkFacts, program: ProgramFacts, query: Query) -> str:
    """The deep link if it is allowed, else the link's own page."""
    if query.deep_link is None:
        return link.landing_url
    return _allowed(query.deep_link, program.allowed_hosts) or link.landing_url


@lru_cache(maxsize=_KEPT_MAX)
def _allowed(deep_link: str, allowed_hosts: tuple[str, ...]) -> str | None:
    wanted = hosts.completed(deep_link)
    return wanted if hosts.landing_problem(wanted, allowed_hosts) is None else None


def _is_visit(request: RequestFacts) -> bool:
    """Whether a person's browser opens a page: no HEAD, no prefetch, no image or frame in somebody's page."""
    return request.method == "GET" and not request.purpose and request.fetch_dest in {"", "document"}


def known_visitor(cookies: str, program: ProgramFacts, keys: Keys) -> UUID | None:
    """The visitor id in a `Cookie` header, if this program set it."""
    if program.cookie_name not in cookies:
        return None
    for pair in cookies.split(";"):
        name, _, value = pair.strip().partition("=")
        if name == program.cookie_name:
            return read_visitor_token(keys, value, program_id=program.id)
    return None


def _cookie(request: RequestFacts, program: ProgramFacts, value: str) -> str:
    """The tracking cookie for the program's attribution window; without a value, its end."""
    seconds = program.attribution_window_days * SECONDS_PER_DAY if value else 0
    secure = "; Secure" if request.is_secure else ""
    return f"{program.cookie_name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def _address(landing: str, click_parameter: str, token: str, query: Query) -> str:
    """The landing page with its own query, what the visitor's address carried beside it, and the click token."""
    split = _split(landing, click_parameter)
    carried = ""
    if query.passed_on:
        added = [pair for name, pair in query.passed_on if name not in split.names]
        if added and sum(map(len, added)) <= PASSED_ON_LENGTH_MAX:
            carried = f"{'&'.join(added)}&"
    return f"{split.head}{carried}{click_parameter}={token}{split.tail}"


@lru_cache(maxsize=_KEPT_MAX)
def _split(landing: str, click_parameter: str) -> _Landing:
    base, hash_mark, fragment = landing.partition("#")
    path, _, query = base.partition("?")
    kept = [part for part in query.split("&") if part and part.partition("=")[0] != click_parameter]
    names = frozenset(part.partition("=")[0] for part in kept)
    head = "".join([path, "?", *(f"{part}&" for part in kept)])
    return _Landing(_safe(head), _safe(f"{hash_mark}{fragment}"), names)


def _safe(url: str) -> str:
    """The address as a header can carry it: nothing but visible ASCII, whatever was stored."""
    return quote(url, safe=_RESERVED) if _UNSAFE.search(url) else url
