"""Every SELECT of the tracker: the rows of its directory, all of them or those changed since an instant."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from affiliate.accounts.models import ApiKey
from affiliate.links.models import ConfirmedSite, Link
from affiliate.partners.models import Enrollment
from affiliate.programs.models import Program

_ROWS_AT_ONCE = 5_000

_PROGRAM = (
    Program.id,
    Program.slug,
    Program.status,
    Program.currency,
    Program.shop_url,
    Program.allowed_hosts,
    Program.fallback_url,
    Program.click_parameter,
    Program.cookie_by_default,
    Program.attribution_window_days,
    Program.channel_signs,
    Program.pixel_secret_version,
    Program.postback_token_version,
    Program.archived_at,
)
_LINK = (
    Link.id,
    Link.code,
    Link.program_id,
    Link.partner_id,
    Link.landing_url,
    Link.subs,
    Link.status,
    Link.expires_at,
)
_ENROLLMENT = (Enrollment.id, Enrollment.program_id, Enrollment.partner_id, Enrollment.status)
_KEY = (
    ApiKey.id,
    ApiKey.secret_hash,
    ApiKey.program_id,
    ApiKey.is_test,
    ApiKey.scopes,
    ApiKey.last_used_at,
    ApiKey.revoked_at,
)

_SITE = (ConfirmedSite.program_id, ConfirmedSite.host, ConfirmedSite.withdrawn_at, Link.code)

Rows = Iterator[Any]


def programs(session: Session, *, since: datetime | None, limit: int) -> Rows:
    """The programs, newest change first."""
    return _rows(session, _PROGRAM, Program.updated_at, since=since, limit=limit)


def links(session: Session, *, since: datetime | None, limit: int) -> Rows:
    """The links, newest change first."""
    return _rows(session, _LINK, Link.updated_at, since=since, limit=limit)


def enrollments(session: Session, *, since: datetime | None, limit: int) -> Rows:
    """The enrollments, newest change first."""
    return _rows(session, _ENROLLMENT, Enrollment.updated_at, since=since, limit=limit)


def api_keys(session: Session, *, since: datetime | None, limit: int) -> Rows:
    """The API keys, newest change first, the revoked ones too: a directory must learn of the revocation."""
    return _rows(session, _KEY, ApiKey.updated_at, since=since, limit=limit)


def sites(session: Session, *, since: datetime | None, limit: int) -> Rows:
    """The confirmed sites of partners with the code of their link, oldest first: the newest word on a host counts."""
    wanted = sa.select(*_SITE).join(Link, Link.id == ConfirmedSite.link_id).order_by(ConfirmedSite.updated_at)
    if since is not None:
        wanted = wanted.where(ConfirmedSite.updated_at >= since)
    return iter(session.execute(wanted.limit(limit), execution_options={"yield_per": _ROWS_AT_ONCE}))


def _rows(
    session: Session,
    columns: tuple[InstrumentedAttribute[Any], ...],
    updated_at: InstrumentedAttribute[datetime],
    *,
    since: datetime | None,
    limit: int,
) -> Rows:
    wanted = sa.select(*columns).order_by(updated_at.desc()).limit(limit)
    if since is not None:
        wanted = wanted.where(updated_at >= since)
    return iter(session.execute(wanted, execution_options={"yield_per": _ROWS_AT_ONCE}))
