"""The decision about an arrival that the tag reports: the same facts as a redirect, an id made from the browser's nonce. Pure."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from affiliate import signing
from affiliate.links import hosts
from affiliate.programs import labels, signs
from affiliate.tracking import consent as consents
from affiliate.tracking import paid
from affiliate.tracking.codec import ClickEvent, ClickSource, Consent, TouchEvent
from affiliate.tracking.decide import REFERRER_LENGTH_MAX, USER_AGENT_LENGTH_MAX, known_visitor
from affiliate.tracking.facts import LinkFacts, ProgramFacts, View
from affiliate.tracking.keys import Keys, address_facts, is_team_cookie
from affiliate.tracking.subs import clean, normalised

AGE_MAX = timedelta(days=7)
"""How long a browser may keep an arrival that it could not report: as long as its storage lasts."""
AHEAD_MAX = timedelta(minutes=5)
URL_LENGTH_MAX = 2_000

_NONCE = re.compile(r"(?P<milliseconds>[0-9]{13})\.[0-9a-z]{8,64}")
_FIELDS_MAX = 100
_UUID7 = 7 << 76 | 0b10 << 62  # version and variant
_RANDOM = (1 << 76) - 1 ^ (0b11 << 62)  # the bits of a UUIDv7 that are free


class BadNonce(ValueError):  # noqa: N818 - read as a kind
    """Not a nonce of the tag, or its moment is too old or lies ahead."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the tag reports, and what is read of the request that brought it."""

    nonce: str
    page_url: str
    referrer: str
    address: str
    user_agent: str
    cookies: str
    has_opted_out: bool
    consent: bool | None = None  # what the visitor told the shop


def click_id(program: ProgramFacts, nonce: str, *, now: datetime) -> UUID:
    """The id of the arrival: the nonce's millisecond, then what follows from program and nonce. The same nonce has the same id.

    Raises:
        BadNonce: another shape, older than a week or more than five minutes ahead.
    """
    found = _NONCE.fullmatch(nonce)
    if found is None:
        raise BadNonce(nonce)
    milliseconds = int(found["milliseconds"])
    moment = datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    if not now - AGE_MAX <= moment <= now + AHEAD_MAX:
        raise BadNonce(nonce)
    digest = hashlib.sha256(program.id.bytes + nonce.encode()).digest()
    return UUID(int=milliseconds << 80 | _UUID7 | int.from_bytes(digest[:10]) & _RANDOM)


def link_of(arrival: Arrival, ref: str | None, program: ProgramFacts, view: View) -> LinkFacts | None:
    """The link behind an arrival: by its code, or without one by the partner's confirmed site that it came from."""
    code = ref.lower() if ref else view.sites.get((program.id, _host(arrival.referrer)))
    link = view.links.get(code) if code else None
    return link if link is not None and link.program_id == program.id else None


def touch(
    arrival: Arrival, click_token: str | None, program: ProgramFacts, keys: Keys, *, now: datetime
) -> TouchEvent | None:
    """The touch of another paid channel, if the page's address tells of one. What our own redirect wrote into it tells of none.

    Nothing, too, where nothing ties it to an order: neither a visitor we may know nor a partner's click before it.

    Raises:
        BadNonce: as above.
    """
    _, query = _page(arrival.page_url)
    ours = _labels_in(query, program)
    foreign = {name: value for name, value in _first_of_each(query).items() if name not in ours}
    found = signs.channel(foreign, program.channel_signs)
    if found is None:
        return None
    refused = _consent(arrival, query, program) == "refused"
    visitor_id = None if refused else known_visitor(arrival.cookies, program, keys)
    click_before = _click_before(click_token, program, keys)
    if visitor_id is None and click_before is None:
        return None
    identifier = click_id(program, arrival.nonce, now=now)
    return TouchEvent(
        touch_id=identifier,
        program_id=program.id,
        occurred_at=datetime.fromtimestamp((identifier.int >> 80) / 1000, tz=UTC),
        channel=found[0],
        evidence=found[1],
        visitor_id=visitor_id,
        click_id=click_before,
    )


def _labels_in(query: list[tuple[str, str]], program: ProgramFacts) -> frozenset[str]:
    """The parameters that our redirect wrote: they stay in the address where the shop takes the click id out."""
    return labels.own(_first_of_each(query), program.landing_labels, program=program.slug)


def _first_of_each(query: list[tuple[str, str]]) -> dict[str, str]:
    """The parameters by their names in lower case; the first of equal names counts, empty ones are left out."""
    found: dict[str, str] = {}
    for name, value in query:
        if value:
            found.setdefault(name.lower(), value)
    return found


def _click_before(click_token: str | None, program: ProgramFacts, keys: Keys) -> UUID | None:
    try:
        return signing.read_click_token(keys.click, click_token or "", program_id=program.id)
    except signing.BadToken:
        return None


def _host(url: str) -> str:
    """The host of a referrer as sites are confirmed: lower case, without `www.`; nothing for what is no web address."""
    return (hosts.host_of(url) or "").removeprefix("www.")


def click(
    arrival: Arrival,
    link: LinkFacts,
    program: ProgramFacts,
    view: View,
    keys: Keys,
    *,
    source: ClickSource = "tag",
    now: datetime,
) -> ClickEvent:
    """The click of an arrival, at the moment that its nonce carries.

    Raises:
        BadNonce: as above.
    """
    identifier = click_id(program, arrival.nonce, now=now)
    occurred_at = datetime.fromtimestamp((identifier.int >> 80) / 1000, tz=UTC)
    page, query = _page(arrival.page_url)
    prefix, address_hash = address_facts(keys, arrival.address, now=now)
    origin, ad = view.networks.of(arrival.address), paid.facts(query)
    consent = _consent(arrival, query, program)
    return ClickEvent(
        click_id=identifier,
        program_id=program.id,
        partner_id=link.partner_id,
        link_id=link.id,
        occurred_at=occurred_at,
        source=source,
        link_state=view.state_of(link, program, now=occurred_at),
        method="POST",
        purpose=None,
        fetch_dest=None,
        visitor_id=None if consent == "refused" else known_visitor(arrival.cookies, program, keys),
        subs=link.subs | normalised(query),
        landing_url=page or link.landing_url,
        referrer=clean(arrival.referrer, REFERRER_LENGTH_MAX) or None,
        user_agent=clean(arrival.user_agent, USER_AGENT_LENGTH_MAX) or None,
        address_prefix=prefix,
        address_hash=address_hash,
        creative=ad.creative,
        ad_ids=ad.ad_ids,
        utm=ad.utm,
        country=origin.country,
        network=origin.network,
        consent=consent,
        is_own_team=is_team_cookie(arrival.cookies, program, keys),
    )


def _consent(arrival: Arrival, query: list[tuple[str, str]], program: ProgramFacts) -> Consent:
    """What the page's address, the browser and the shop's own banner say."""
    told = {} if arrival.consent is None else {"cons": str(int(arrival.consent))}
    return consents.state(dict(query) | told, has_opted_out=arrival.has_opted_out, default=program.cookie_by_default)


def _page(url: str) -> tuple[str, list[tuple[str, str]]]:
    """The page without what may be personal in its address, and the parameters in it."""
    try:
        parts = urlsplit(clean(url, URL_LENGTH_MAX))
        parameters = parse_qsl(parts.query, max_num_fields=_FIELDS_MAX)
    except ValueError:
        return "", []
    is_page = parts.scheme in {"http", "https"} and parts.netloc and "@" not in parts.netloc
    return (f"{parts.scheme}://{parts.netloc}{parts.path}" if is_page else ""), parameters
