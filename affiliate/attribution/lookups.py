"""The queries behind a journey: each asks for a whole batch of orders at once, and finds each order's rows by index.

The orders travel as one table of values (arrays on PostgreSQL). Clicks are found by one LATERAL join there, and by window
functions over the same join on SQLite, which has none.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.accounts.models import User
from affiliate.attribution import values
from affiliate.attribution.models import ManualCredit
from affiliate.ingest.clickrules import CREDITABLE, ClickVerdict
from affiliate.ingest.models import ChannelTouch, Click
from affiliate.links.models import Coupon, LinkStatus
from affiliate.partners.classes import PartnerClass
from affiliate.partners.models import Enrollment, EnrollmentStatus, Member

LAST_CLICKS_MAX = 40
FIRST_CLICKS_MAX = 10
OTHER_CLICKS_MAX = 10
CHANNEL_TOUCHES_MAX = 10
"""How many clicks of a visitor an order considers: the last and the first of those that may win, so that a flood of others
cannot hide one, and the last of all; and how many contacts with other channels."""

ClickRow = Any  # a row of the columns below
_CLICK = (Click.id, Click.program_id, Click.partner_id, Click.link_id, Click.occurred_at, Click.verdict, Click.source)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a partner stands in a program and since when, and what was agreed with it."""

    status: EnrollmentStatus
    since: datetime | None
    partner_class: PartnerClass
    window_days: int | None

    def took_part(self, at: datetime) -> bool:
        """Whether it took part at that moment. A partner that was paused or banned later keeps the sales of before."""
        if self.status is EnrollmentStatus.APPROVED:
            return True
        was_approved = self.status in {EnrollmentStatus.PAUSED, EnrollmentStatus.BANNED}
        return was_approved and self.since is not None and self.since > at


@dataclass(frozen=True, slots=True)
class Look:
    """Whose clicks are looked for, and from when (exclusive) until when (inclusive)."""

    order_id: UUID
    program_id: UUID
    visitor_id: UUID
    since: datetime
    until: datetime


def named_clicks(session: Session, *, click_ids: Collection[UUID]) -> dict[UUID, ClickRow]:
    """The clicks of these ids."""
    if not click_ids:
        return {}
    return {row.id: row for row in session.execute(sa.select(*_CLICK).where(db.among(session, Click.id, click_ids)))}


def visitor_clicks(session: Session, *, looks: Sequence[Look]) -> dict[UUID, dict[UUID, ClickRow]]:
    """For each order the clicks of its visitor that are considered, by id."""
    found: dict[UUID, dict[UUID, ClickRow]] = defaultdict(dict)
    if looks:
        look = values.table(session, "look", looks)
        of_visitor = (
            Click.visitor_id == look.c.visitor_id,
            Click.program_id == look.c.program_id,
            Click.occurred_at > look.c.since,
            Click.occurred_at <= look.c.until,
        )
        ask = _by_lateral if values.is_postgresql(session) else _by_windows
        for row in session.execute(ask(look, of_visitor)):
            found[row.order_id][row.id] = row
    return found


def _by_lateral(look: Any, of_visitor: Sequence[sa.ColumnElement[bool]]) -> Any:
    creditable = Click.verdict.in_(CREDITABLE)
    newest, oldest = Click.occurred_at.desc(), Click.occurred_at.asc()
    parts = (
        sa.select(*_CLICK).where(*of_visitor, creditable).order_by(newest, Click.id.desc()).limit(LAST_CLICKS_MAX),
        sa.select(*_CLICK).where(*of_visitor, creditable).order_by(oldest, Click.id).limit(FIRST_CLICKS_MAX),
        sa.select(*_CLICK).where(*of_visitor).order_by(newest, Click.id.desc()).limit(OTHER_CLICKS_MAX),
    )
    clicks = sa.union_all(*(sa.select(part.correlate(look).lateral()) for part in parts)).lateral("touch")
    return sa.select(look.c.order_id, clicks).select_from(look.join(clicks, sa.true()))


def _by_windows(look: Any, of_visitor: Sequence[sa.ColumnElement[bool]]) -> Any:
    good_first = Click.verdict.in_(CREDITABLE).desc()
    newest = (Click.occurred_at.desc(), Click.id.desc())

    def place(*order: Any) -> Any:
        return sa.func.row_number().over(partition_by=look.c.order_id, order_by=order)

    ranked = (
        sa.select(
            look.c.order_id, *_CLICK, Click.verdict.in_(CREDITABLE).label("good"),
            place(good_first, *newest).label("last"), place(good_first, Click.occurred_at, Click.id).label("first"),
            place(*newest).label("any"),
        )
        .join(look, sa.and_(*of_visitor))
        .subquery()
    )  # fmt: skip
    last, first = ranked.c["last"] <= LAST_CLICKS_MAX, ranked.c["first"] <= FIRST_CLICKS_MAX
    kept = sa.or_(sa.and_(ranked.c.good, sa.or_(last, first)), ranked.c["any"] <= OTHER_CLICKS_MAX)
    return sa.select(ranked).where(kept)


def channel_touches(
    session: Session, *, looks: Sequence[Look], click_ids: Collection[UUID]
) -> tuple[dict[UUID, list[Any]], dict[UUID, list[Any]]]:
    """The last contacts of each order's visitor with other paid channels, by order; and those that named a click, by it."""
    columns = (ChannelTouch.id, ChannelTouch.program_id, ChannelTouch.channel, ChannelTouch.occurred_at)
    by_order: dict[UUID, list[Any]] = defaultdict(list)
    by_click: dict[UUID, list[Any]] = defaultdict(list)
    if looks:
        look = values.table(session, "look", looks)
        of_visitor = sa.and_(
            ChannelTouch.visitor_id == look.c.visitor_id,
            ChannelTouch.program_id == look.c.program_id,
            ChannelTouch.occurred_at > look.c.since,
            ChannelTouch.occurred_at <= look.c.until,
        )
        newest = (ChannelTouch.occurred_at.desc(), ChannelTouch.id)
        place = sa.func.row_number().over(partition_by=look.c.order_id, order_by=newest).label("place")
        ranked = sa.select(look.c.order_id, *columns, place).join(look, of_visitor).subquery()
        for row in session.execute(sa.select(ranked).where(ranked.c.place <= CHANNEL_TOUCHES_MAX)):
            by_order[row.order_id].append(row)
    if click_ids:
        named = sa.select(ChannelTouch.click_id, *columns).where(db.among(session, ChannelTouch.click_id, click_ids))
        for row in session.execute(named.order_by(ChannelTouch.occurred_at, ChannelTouch.id)):
            by_click[row.click_id].append(row)
    return by_order, by_click


def coupons(session: Session, *, program_ids: Collection[UUID], codes: Collection[str]) -> dict[tuple[UUID, str], Any]:
    """The active coupons of these codes, by program and code."""
    if not codes:
        return {}
    columns = (Coupon.program_id, Coupon.code, Coupon.id, Coupon.partner_id)
    of_programs = sa.select(*columns).where(Coupon.program_id.in_(program_ids), Coupon.status == LinkStatus.ACTIVE)
    return {(row.program_id, row.code): row for row in session.execute(of_programs.where(Coupon.code.in_(codes)))}


def standings(
    session: Session, *, program_ids: Collection[UUID], partner_ids: Collection[UUID]
) -> dict[tuple[UUID, UUID], Standing]:
    """Where these partners stand in these programs, by (program, partner)."""
    if not partner_ids:
        return {}
    columns = (
        Enrollment.program_id, Enrollment.partner_id, Enrollment.status, Enrollment.decided_at,
        Enrollment.partner_class, Enrollment.attribution_window_days,
    )  # fmt: skip
    of_programs = sa.select(*columns).where(Enrollment.program_id.in_(program_ids))
    rows = session.execute(of_programs.where(db.among(session, Enrollment.partner_id, partner_ids)))
    return {(row[0], row[1]): Standing(*row[2:]) for row in rows}


def longest_promises(session: Session, *, program_ids: Collection[UUID]) -> dict[UUID, int]:
    """The longest window, in days, that any partner of each program was promised."""
    promised = sa.select(Enrollment.program_id, sa.func.max(Enrollment.attribution_window_days)).where(
        Enrollment.program_id.in_(program_ids), Enrollment.attribution_window_days.is_not(None)
    )
    return {row[0]: row[1] or 0 for row in session.execute(promised.group_by(Enrollment.program_id))}


def manual_credits(session: Session, *, conversion_ids: Collection[UUID]) -> dict[UUID, Any]:
    """The newest word of a manager about each of these orders."""
    columns = (ManualCredit.conversion_id, ManualCredit.id, ManualCredit.partner_id)
    spoken = sa.select(*columns).where(db.among(session, ManualCredit.conversion_id, conversion_ids))
    return {
        row.conversion_id: row for row in session.execute(spoken.order_by(ManualCredit.created_at, ManualCredit.id))
    }


def addresses(session: Session, *, partner_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """The e-mail addresses of the people of these partners."""
    found: dict[UUID, list[str]] = defaultdict(list)
    people = sa.select(Member.partner_id, User.email).join(User, User.id == Member.user_id)
    for partner_id, email in session.execute(people.where(db.among(session, Member.partner_id, partner_ids))):
        found[partner_id].append(email)
    return found


def is_creditable(verdict: ClickVerdict, *, is_test: bool) -> bool:
    """Whether a click of this verdict may win an order, or a test order; what was clicked for a test wins tests only."""
    return verdict in CREDITABLE and (is_test or verdict is not ClickVerdict.TEST)
