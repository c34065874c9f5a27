"""Every SELECT on links and coupons."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.links.models import Coupon, Link, LinkStatus


def is_usable(now: datetime) -> sa.ColumnElement[bool]:
    """Whether clicks on a link count now, as far as the link itself decides: it is not paused, and its term has not ended."""
    return sa.and_(Link.status == LinkStatus.ACTIVE, sa.or_(Link.expires_at.is_(None), Link.expires_at > now))


def link_by_code(session: Session, *, code: str) -> Link | None:
    """The link behind `/r/<code>`, whatever its state."""
    return session.scalar(sa.select(Link).where(Link.code == code.lower()))


def link_of(session: Session, *, program_id: UUID, partner_id: UUID, link_id: UUID) -> Link | None:
    """One link, if it is this partner's in this program."""
    return session.scalar(
        sa.select(Link).where(Link.id == link_id, Link.program_id == program_id, Link.partner_id == partner_id)
    )


def links_of(session: Session, *, program_id: UUID, partner_id: UUID, limit: int, offset: int = 0) -> Sequence[Link]:
    """Up to `limit` links of a partner, newest first."""
    found = sa.select(Link).where(Link.program_id == program_id, Link.partner_id == partner_id)
    return session.scalars(found.order_by(Link.id.desc()).limit(limit).offset(offset)).all()


def every_link(session: Session, *, program_id: UUID, partner_id: UUID, at_once: int) -> Iterator[Sequence[Link]]:
    """All links of a partner, newest first, so many at a time: each page begins below the last one of the page before."""
    found = sa.select(Link).where(Link.program_id == program_id, Link.partner_id == partner_id)
    newest = found.order_by(Link.id.desc()).limit(at_once)
    page = session.scalars(newest).all()
    while page:
        yield page
        page = session.scalars(newest.where(Link.id < page[-1].id)).all()


def link_count(session: Session, *, program_id: UUID, partner_id: UUID) -> int:
    """How many links a partner has in a program."""
    counted = sa.select(sa.func.count()).where(Link.program_id == program_id, Link.partner_id == partner_id)
    return session.scalar(counted) or 0


def coupons_of(session: Session, *, program_id: UUID, partner_id: UUID, limit: int) -> Sequence[Coupon]:
    """Up to `limit` coupons of a partner, newest first."""
    found = sa.select(Coupon).where(Coupon.program_id == program_id, Coupon.partner_id == partner_id)
    return session.scalars(found.order_by(Coupon.id.desc()).limit(limit)).all()


def coupon_codes(session: Session, *, coupon_ids: Collection[UUID]) -> dict[UUID, str]:
    """The codes of coupons by id."""
    found = sa.select(Coupon.id, Coupon.code).where(Coupon.id.in_(coupon_ids))
    return {row.id: row.code for row in session.execute(found)} if coupon_ids else {}


def coupon_by_code(session: Session, *, program_id: UUID, code: str) -> Coupon | None:
    """The coupon of a program with this code, whatever its case."""
    return session.scalar(sa.select(Coupon).where(Coupon.program_id == program_id, Coupon.code == code.upper()))
