"""Testing a link: what a click on it would do and what would be recorded, by the code that decides real clicks. Nothing is counted."""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit
from uuid import UUID

from flask import g, request
from flask_babel import gettext as _

from affiliate import formats, ids, outgoing
from affiliate.accounts import access
from affiliate.accounts.roles import PROMOTES
from affiliate.portal.blueprint import blueprint, settings, show
from affiliate.portal.links import found_link
from affiliate.programs import addresses
from affiliate.tracking import tracker
from affiliate.tracking.codec import ClickEvent
from affiliate.tracking.decide import RequestFacts, decide
from affiliate.web import orm, reads_only, request_now

HOPS_MAX = 5
SECONDS_MAX = 6.0
"""For all hops together: somebody waits, and so does a worker of ours."""
_SECONDS_MIN = 0.01  # of who comes too late: cut at once, and told like any other
_QUERY_LENGTH_MAX = 500
_LEADS_ON = frozenset({301, 302, 303, 307, 308})
_FINE = range(200, 300)


@dataclass(frozen=True, slots=True)
class _Hop:
    """One address on the way, and what it answered; `problem` when it did not."""

    url: str
    status: int | None
    problem: str = ""


@blueprint.get('/<slug>/links/<public("lnk"):link_id>/test')
@access.partner_with(PROMOTES)
def test_link(link_id: UUID) -> str:
    """The form: what stands behind the link's address, if anything."""
    return _page(link_id, "", None)


@blueprint.post('/<slug>/links/<public("lnk"):link_id>/test')
@access.partner
@reads_only
def try_link(link_id: UUID) -> str:
    """Decide about a click of a visitor who is seen for the first time, then go where it leads. No click is written."""
    query = request.form.get("query", "").strip().lstrip("?")[:_QUERY_LENGTH_MAX]
    found = found_link(link_id)
    parameter, facts = g.program.click_parameter, _visit(found.code, query)
    known = tracker.current()
    known.directory.reload(now=request_now())
    decision = decide(
        facts, known.directory.view, known.keys, now=request_now(), click_id=ids.new_at(request_now()),
        fresh_visitor_id=ids.new,
    )  # fmt: skip
    orm.session.rollback()  # the shop may take its time: no transaction waits for it
    hops = _follow(decision.location or "")
    event = decision.event
    told = _recorded(event) if isinstance(event, ClickEvent) else {}
    return _page(link_id, query, told | _arrival(hops, parameter))


def _visit(code: str, query: str) -> RequestFacts:
    """A person's browser that opens the link, from nowhere and without a cookie."""
    agent = request.headers.get("User-Agent", "")
    return RequestFacts("GET", code, query, True, "", "", agent, "", "", "document", False)


def _follow(url: str) -> list[_Hop]:
    """The addresses on the way, each asked once, up to five of them and at public hosts only."""
    hops: list[_Hop] = []
    deadline = time.monotonic() + SECONDS_MAX
    loopback = settings().env != "production"  # the demo shop is on this machine
    while url and len(hops) < HOPS_MAX:
        try:
            left = max(deadline - time.monotonic(), _SECONDS_MIN)
            answer = outgoing.call(url, headers={}, seconds_max=left, characters_max=0, loopback=loopback)
        except outgoing.CallFailed as failed:
            return [*hops, _Hop(url, None, formats.call_problem(str(failed)))]
        hops.append(_Hop(url, answer.status))
        leads_on = answer.status in _LEADS_ON and answer.location
        url = _joined(url, answer.location or "") if leads_on else ""
    return hops


def _joined(url: str, location: str) -> str:
    """Where a redirect leads; what is no address is given back as it is, and the call to it tells why."""
    try:
        return urljoin(url, location)
    except ValueError:
        return location


def _recorded(event: ClickEvent) -> dict[str, Any]:
    """What the click would be: whether it counts, with which labels."""
    reasons = {
        "active": None,
        "program_inactive": _("The program is paused."),
        "partner_inactive": _("Your membership is paused."),
        "link_paused": _("This link is paused."),
        "link_expired": _("This link has ended."),
    }
    return {"counts": event.link_state == "active", "reason": reasons[event.link_state], "subs": dict(event.subs)}


def _arrival(hops: list[_Hop], parameter: str) -> dict[str, Any]:
    """Where a visitor ends, and whether the click id comes along: without it the sale finds its click by the cookie alone."""
    last = hops[-1] if hops else None
    arrived = last is not None and last.status is not None
    carried = arrived and parameter in dict(parse_qsl(urlsplit(last.url).query)) if last else False
    return {
        "hops": [{"url": hop.url, "status": hop.status, "problem": hop.problem} for hop in hops],
        "is_reached": arrived,
        "is_open": arrived and last is not None and last.status in _FINE,
        "has_click_id": carried,
        "parameter": parameter,
    }


def _page(link_id: UUID, query: str, result: dict[str, Any] | None) -> str:
    found = found_link(link_id)
    name = found.name or found.code
    address = f"{addresses.links(g.program.own_host, settings())}/r/{found.code}"
    return show("test_link.html", name=name, link_id=link_id, address=address, query=query, result=result)
