"""The decision about a click: request facts, what the tracker knows, and the moment in; an answer and an event out. Pure.

Adapters (`edge`, and `wsgi` in front of Flask) only carry bytes in and out, so that all of them answer alike.
The visitor always gets somewhere: whatever is wrong with the link, the address leads on, and the event says what was wrong.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from uuid import UUID

import msgspec

from affiliate.links import hosts
from affiliate.programs import addresses
from affiliate.tracking import reading
from affiliate.tracking.codec import ClickEvent, Consent, LinkState, RejectedEvent
from affiliate.tracking.facts import ProgramFacts, View
from affiliate.tracking.keys import Keys, address_facts, is_fresh_stamp, is_team_cookie, read_visitor_token
from affiliate.tracking.reading import Query
from affiliate.tracking.subs import clean
from affiliate.tracking.ways import Landing, Way, kept_landing, safe, way_of

PASSED_ON_LENGTH_MAX = 2_000
LABELS_LENGTH_MAX = 1_000
USER_AGENT_LENGTH_MAX = 300
REFERRER_LENGTH_MAX = 500

_KEPT_MAX = 8_192  # deep links in memory
_FACT_LENGTH_MAX = 40
_USUAL = frozenset({"document", "navigate", "cross-site", "same-site", "same-origin", "none", "?1"})
_AGREED = frozenset({"given", "default"})


class RequestFacts(msgspec.Struct, frozen=True, gc=False):  # made by C code, as the others here
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
    host: str = ""


class Decision(msgspec.Struct, frozen=True, gc=False):
    """The answer to a click and what to record. A status of 404 has no address: the adapter shows a friendly page."""

    status: int
    location: str | None
    cookie: str | None  # a Set-Cookie value
    event: ClickEvent | RejectedEvent


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
    way = way_of(request.code, view, keys)
    if way is None or (view.hosts and _is_of_another_host(way.program, request, view)):
        return _unknown(request, view, now=now, delivery_id=click_id)
    program, home = way.program, way.home
    state = way.link.state_at(now, standing=way.standing)
    query = reading.query(request.query, program.click_parameter)
    landing = way.landing if state == "active" and query.deep_link is None else _elsewhere(way, state, query)
    consent = _consent(request, program, query)
    visitor_id, cookie = None, None
    if consent in _AGREED and _is_visit(request):
        visitor_id = known_visitor(request.cookies, program, keys) or fresh_visitor_id()
        if state == "active":
            secure = "; Secure" if request.is_secure else ""
            cookie = f"{home.cookie_start}{home.visitor_token(visitor_id)}{home.cookie_life}{secure}"
    elif consent == "refused" and home.cookie_start in request.cookies:
        cookie = f"{home.cookie_start}{home.cookie_end}{'; Secure' if request.is_secure else ''}"
    event = _event(click_id, now, state, landing.url, visitor_id, consent, request, query, way, view, keys)
    labels = _labels(way, landing, query, event.subs) if way.labels and state == "active" else ""
    token = home.click_token(click_id)
    return Decision(302, _address(landing, program.click_parameter, token, query, labels), cookie, event)


def _event(  # noqa: PLR0917 - each click would pay for names
    click_id: UUID,
    now: datetime,
    state: LinkState,
    landing_url: str,
    visitor_id: UUID | None,
    consent: Consent,
    request: RequestFacts,
    query: Query,
    way: Way,
    view: View,
    keys: Keys,
) -> ClickEvent:
    """The click with everything that the request tells."""
    link, program, cookies, mark = way.link, way.program, request.cookies, query.test_mark
    prefix, address_hash = address_facts(keys, request.address, now=now)
    origin = view.networks.of(request.address)
    return ClickEvent(
        click_id,
        program.id,
        link.partner_id,
        link.id,
        now,
        "redirect",
        state,
        request.method,
        _fact(request.purpose) if request.purpose else None,
        _fact(request.fetch_dest) if request.fetch_dest else None,
        visitor_id,
        link.subs | query.subs if link.subs else query.subs,
        landing_url,
        clean(request.referrer, REFERRER_LENGTH_MAX) or None,
        clean(request.user_agent, USER_AGENT_LENGTH_MAX) or None,
        prefix,
        address_hash,
        query.ad.creative,
        query.ad.ad_ids,
        query.ad.utm,
        origin.country,
        origin.network,
        consent,
        _fact(request.fetch_site) if request.fetch_site else None,
        _fact(request.fetch_user) if request.fetch_user else None,
        _fact(request.fetch_mode) if request.fetch_mode else None,
        bool(cookies) and is_team_cookie(cookies, program, keys),
        mark is not None and is_fresh_stamp(keys.test, mark, program_id=program.id, now=now),
    )


def _fact(header: str) -> str | None:
    """What a header says; null where that is nothing."""
    return header if header in _USUAL else clean(header, _FACT_LENGTH_MAX) or None


def _unknown(request: RequestFacts, view: View, *, now: datetime, delivery_id: UUID) -> Decision:
    """No such link here. The fallback page of the host's program, or of the only one, is better than ours."""
    event = RejectedEvent(
        delivery_id=delivery_id,
        program_id=None,
        kind="click",
        reason="unknown_link",
        payload={"code": clean(request.code, _FACT_LENGTH_MAX)},
        received_at=now,
    )
    at = _program_at(request.host, view)
    here = view.programs.get(at) if at is not None else None
    if here is None and len(view.programs) == 1:
        here = next(iter(view.programs.values()))
    if here is not None and here.fallback_url:
        return Decision(302, safe(here.fallback_url), None, event)
    return Decision(404, None, None, event)


def _is_of_another_host(program: ProgramFacts, request: RequestFacts, view: View) -> bool:
    """Whether the visitor came to the own host of another program, which knows nothing of this one."""
    return _program_at(request.host, view) not in {None, program.id}


def _program_at(host: str, view: View) -> UUID | None:
    """The program whose own host this is."""
    return view.hosts.get(addresses.host_of(host)) if view.hosts else None


def _consent(request: RequestFacts, program: ProgramFacts, query: Query) -> Consent:
    """What the address says, unless the browser refuses (Sec-GPC); where neither does, the program's default."""
    if request.has_opted_out:
        return "refused"
    return "default" if query.consent == "none" and program.cookie_by_default else query.consent


def _elsewhere(way: Way, state: LinkState, query: Query) -> Landing:
    """The deep link if it is allowed, the fallback page if the link leads nowhere any more, else the link's own page."""
    program, wanted = way.program, None
    if state != "active":
        wanted = program.fallback_url
    elif query.deep_link is not None:
        wanted = _allowed(query.deep_link, program.allowed_hosts)
    return kept_landing(wanted, program.click_parameter) if wanted else way.landing


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


def _labels(way: Way, landing: Landing, query: Query, subs: Mapping[str, str]) -> str:
    """The program's labels for the shop's analytics, each with its `&`. One that the address has already stays as it is there."""
    taken = {name for name, _pair in query.passed_on}.union(landing.names)
    told = (one.of_click(subs) if one.subs else one.pair for one in way.labels if one.name not in taken)
    found = ""
    for pair in told:  # sub ids are long as visitors like, and servers before ours refuse long addresses
        if pair and len(found) + len(pair) < LABELS_LENGTH_MAX:
            found += f"{pair}&"
    return found


def _address(landing: Landing, click_parameter: str, token: str, query: Query, labels: str) -> str:
    """The landing page with its own query, what the visitor's address carried beside it, labels, and the click token."""
    carried = ""
    if query.passed_on:
        added = [pair for name, pair in query.passed_on if name not in landing.names]
        if added and sum(map(len, added)) <= PASSED_ON_LENGTH_MAX:
            carried = f"{'&'.join(added)}&"
    return f"{landing.head}{carried}{labels}{click_parameter}={token}{landing.tail}"
