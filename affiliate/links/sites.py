"""Partners' own websites: a visitor from one counts for the partner's link, even without a code in the address."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Row
from sqlalchemy.orm import Session

from affiliate import db, errors, ids
from affiliate.accounts import audit
from affiliate.accounts.actors import Actor
from affiliate.links import hosts
from affiliate.links.models import ConfirmedSite, Link

SITES_SHOWN_MAX = 500


class BadSite(errors.Invalid):
    """Not the address of a website of somebody else, or no link of this program; `errors` names the field."""


class SiteTaken(errors.Conflict):
    """The site counts for a link of the program already."""

    code = "site_taken"


class NoSuchSite(errors.NotFound):
    """No website that counts, or counted, in this program."""


def sites_of(session: Session, *, program_id: UUID) -> Sequence[Row[UUID, str, str, datetime]]:
    """Id, host, code of the link and moment of each site that counts in a program, by host."""
    found = (
        sa.select(ConfirmedSite.id, ConfirmedSite.host, Link.code, ConfirmedSite.created_at)
        .join(Link, Link.id == ConfirmedSite.link_id)
        .where(ConfirmedSite.program_id == program_id, ConfirmedSite.withdrawn_at.is_(None))
    )
    return session.execute(found.order_by(ConfirmedSite.host).limit(SITES_SHOWN_MAX)).all()


def confirm(
    session: Session, *, program_id: UUID, shop_hosts: Sequence[str], url: str, code: str, actor: Actor, now: datetime
) -> None:
    """Let visitors from the site at `url` count for the link with this code. `shop_hosts` are the shop's own.

    Raises:
        BadSite: no web address, the shop itself, or no link of the program. SiteTaken: the site counts already.
    """
    host = (hosts.host_of(hosts.completed(url)) or "").removeprefix("www.")
    if not host or host in {shop.removeprefix("www.") for shop in shop_hosts}:
        raise BadSite({"url": ["Write the address of the partner's website, for example https://blog.example."]})
    link = session.scalar(sa.select(Link).where(Link.code == code.strip().lower(), Link.program_id == program_id))
    if link is None:
        raise BadSite({"code": ["There is no link with this code in the program."]})
    site_id = ids.new_at(now)
    row = {"id": site_id, "program_id": program_id, "link_id": link.id, "host": host}
    if not db.insert_new(session, ConfirmedSite, [row | {"created_at": now, "updated_at": now}]):
        raise SiteTaken(f"Visitors from {host} count for a link already. Take that site back first.")
    _record(session, "site.confirm", site_id, program_id, {"host": host, "code": link.code}, actor=actor, now=now)


def withdraw(session: Session, *, program_id: UUID, site_id: UUID, actor: Actor, now: datetime) -> None:
    """Let visitors from a site count for nobody from now on. Doing it twice changes nothing.

    Raises:
        NoSuchSite: it is not of this program.
    """
    site = session.get(ConfirmedSite, site_id)
    if site is None or site.program_id != program_id:
        raise NoSuchSite("There is no such entry.")
    withdrawn = (
        sa.update(ConfirmedSite)
        .where(ConfirmedSite.id == site_id, ConfirmedSite.withdrawn_at.is_(None))
        .values(withdrawn_at=now, updated_at=now)
        .returning(ConfirmedSite.host)
    )
    host = session.scalar(withdrawn)
    if host is not None:
        _record(session, "site.withdraw", site_id, program_id, {"host": host}, actor=actor, now=now)


def _record(
    session: Session,
    action: str,
    site_id: UUID,
    program_id: UUID,
    details: dict[str, str],
    *,
    actor: Actor,
    now: datetime,
) -> None:
    audit.record(
        session, actor=actor, action=action, subject_kind="site", subject_id=site_id, program_id=program_id,
        details=details, now=now,
    )  # fmt: skip
