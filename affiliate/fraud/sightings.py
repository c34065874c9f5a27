"""From where partners' people sign in, kept as keyed hashes for some weeks: an order from there may be their own."""

from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask, request
from flask_login import user_logged_in
from sqlalchemy.orm import Session

from affiliate import web
from affiliate.partners import marks
from affiliate.partners.models import MarkKind, Member
from affiliate.tracking.keys import Keys, address_facts

_A_SESSION = timedelta(days=14)
"""A session goes on for so long, perhaps into the month whose key is another one."""


def init_app(app: Flask) -> None:
    """Note the sign-ins of this app."""
    user_logged_in.connect(_note, app)


def _note(app: Flask, user: Any, **_: Any) -> None:
    keys = Keys.of(app.extensions["affiliate_settings"].secret_key)
    note(
        web.orm.session, user_id=user.id, address=request.remote_addr or "", user_agent=request.user_agent.string,
        keys=keys, now=web.request_now(),
    )  # fmt: skip


def note(session: Session, *, user_id: UUID, address: str, user_agent: str, keys: Keys, now: datetime) -> None:
    """Mark the partners of a person with the connection and the browser that it signs in from.

    Only with an address of the public net: behind a proxy that is not declared everybody would seem to be one.
    """
    if not _is_public(address):
        return
    partner_ids = session.scalars(sa.select(Member.partner_id).where(Member.user_id == user_id)).all()
    if not partner_ids:
        return
    connections = {address_facts(keys, address, now=at)[1] for at in (now, now + _A_SESSION)}
    for connection in sorted(one for one in connections if one):
        marks.note(session, partner_ids=partner_ids, kind=MarkKind.CONNECTION, mark=connection, now=now)
        device = marks.device(connection, user_agent)
        marks.note(session, partner_ids=partner_ids, kind=MarkKind.DEVICE, mark=device, now=now)


def _is_public(address: str) -> bool:
    try:
        return ip_address(address).is_global
    except ValueError:
        return False
