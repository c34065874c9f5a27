"""A product feed with a partner's links as an answer: the same one in the portal and at the partner's own address."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import Response, request
from sqlalchemy.orm import Session

from affiliate import files, ids
from affiliate.accounts import access
from affiliate.creatives import codes, feeds
from affiliate.creatives.kinds import CreativeKind
from affiliate.creatives.queries import Shown
from affiliate.links import queries as links
from affiliate.links.models import Link, LinkStatus
from affiliate.programs import addresses
from affiliate.programs.models import Program

LINKS_MAX = 100
_TYPES = {"csv": "text/csv", "xml": "application/xml", "json": "application/json"}


@dataclass(frozen=True, slots=True)
class Mine:
    """The partner's link that a feed carries, if there is one, all to choose from, and when any of them last changed."""

    chosen: Link | None
    usable: Sequence[Link]
    changed_at: datetime | None


def links_for(session: Session, *, program_id: UUID, partner_id: UUID, named: str | None, now: datetime) -> Mine:
    """The link that the address names, however old, else the newest, of those that count now."""
    here: dict[str, Any] = {"program_id": program_id, "partner_id": partner_id}
    every = list(links.links_of(session, **here, limit=LINKS_MAX))
    wanted = ids.read("lnk", named or "")
    if wanted is not None and all(link.id != wanted for link in every):
        older = links.link_of(session, **here, link_id=wanted)
        every += [older] if older is not None else []
    usable = [
        link
        for link in every
        if link.status is LinkStatus.ACTIVE and (link.expires_at is None or link.expires_at > now)
    ]
    chosen = next((link for link in usable if link.id == wanted), None)
    return Mine(chosen or next(iter(usable), None), usable, _changed_at(every, now))


def _changed_at(every: Iterable[Link], now: datetime) -> datetime | None:
    expired = (link.expires_at for link in every if link.expires_at is not None and link.expires_at <= now)
    return max([*(link.updated_at for link in every), *expired], default=None)


def response(
    session: Session, shown: Shown, *, program: Program, mine: Mine, kind: str, to: addresses.Installation
) -> Response:
    """The feed as `csv`, `xml` or `json`, written while it is sent; 304 without it for whoever has it already.

    Raises:
        NotHere: the creative is no feed, or the partner has no link that counts.
    """
    creative, of = shown
    if creative.kind is not CreativeKind.FEED or of.file_id is None or mine.chosen is None:
        raise access.NotHere
    own = codes.own_link(
        f"{addresses.links(program.own_host, to)}/r/{mine.chosen.code}", creative=ids.public("crv", creative.id)
    )
    answer = Response(mimetype=_TYPES[kind])
    answer.automatically_set_content_length = (
        False  # it would be told that of the empty one, as long as it is no answer yet
    )
    answer.headers["Content-Disposition"] = f'attachment; filename="{program.slug}-products.{kind}"'
    answer.set_etag(_tag(of.id, creative.title, own, kind, version("affiliate")))
    answer.last_modified = max(filter(None, (of.created_at, creative.updated_at, program.updated_at, mine.changed_at)))
    answer.make_conditional(request)
    if answer.status_code != HTTPStatus.NOT_MODIFIED:
        answer.response = _body(session, shown, kind, own)
    return answer


def _body(session: Session, shown: Shown, kind: str, own: str) -> Iterable[bytes]:
    creative, of = shown
    kept = files.file_by_id(session, file_id=of.file_id) if of.file_id else None
    if kept is None:
        raise access.NotHere

    def link_of(url: str) -> str:
        return f"{own}&url={quote(url, safe='')}"  # each product has its own page

    return feeds.written(kind, feeds.kept(kept.content), title=creative.title, link_of=link_of)


def _tag(*parts: Any) -> str:
    """Another one as soon as anything that stands in the file is another."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]
