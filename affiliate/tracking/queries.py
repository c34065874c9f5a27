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
    Program.landing_labels,
    Program.pixel_secret_version,
    Program.postback_token_version,
    Program.archived_at,
    Program.own_host,
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
Wanted = sa.Select[*tuple[Any, ...]]
Question = tuple[Wanted, Wanted]


def _question(wanted: Wanted, updated_at: InstrumentedAttribute[datetime]) -> Question:
    """The same for all rows and for those changed since an instant. Made once: every second they are asked beside the clicks."""
    limited = wanted.limit(sa.bindparam("limit", type_=sa.Integer))
    return limited, limited.where(updated_at >= sa.bindparam("since"))


def _newest_first(
    columns: tuple[InstrumentedAttribute[Any], ...], updated_at: InstrumentedAttribute[datetime]
) -> Question:
    return _question(sa.select(*columns).order_by(updated_at.desc()), updated_at)


_PROGRAMS = _newest_first(_PROGRAM, Program.updated_at)
_LINKS = _newest_first(_LINK, Link.updated_at)
_ENROLLMENTS = _newest_first(_ENROLLMENT, Enrollment.updated_at)
_KEYS = _newest_first(_KEY, ApiKey.updated_at)
_SITES = _question(
    sa.select(*_SITE).join(Link, Link.id == ConfirmedSite.link_id).order_by(ConfirmedSite.updated_at),
    ConfirmedSite.updated_at,
)


def programs(session: Session, *, since: datetime | None, limit: int) -> Rows:
    """The programs, newest change first."""
    return _rows(session, _PROGRAMS, since=since, limit=limit)


def links(session: Session, *, since: datetime | None, limit: int) -> Rows:
    """The links, newest change first."""
    return _rows(session, _LINKS, since=since, limit=limit)


def enrollments(session: Session, *, since: datetime | None, limit: int) -> Rows:
    """The enrollments, newest change first."""
    return _rows(session, _ENROLLMENTS, since=since, limit=limit)


def api_keys(session: Session, *, since: datetime | None, limit: int) -> Rows:
    """The API keys, newest change first, the revoked ones too: a directory must learn of the revocation."""
    return _rows(session, _KEYS, since=since, limit=limit)


def sites(session: Session, *, since: datetime | None, limit: int) -> Rows:
    """The confirmed sites of partners with the code of their link, oldest first: the newest word on a host counts."""
    return _rows(session, _SITES, since=since, limit=limit)


def _rows(session: Session, question: Question, *, since: datetime | None, limit: int) -> Rows:
    whole, changed = question
    told = {"limit": limit} if since is None else {"limit": limit, "since": since}
    asked = whole if since is None else changed
    return iter(session.connection().execute(asked, told, execution_options={"yield_per": _ROWS_AT_ONCE}))
