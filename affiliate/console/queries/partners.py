"""Enrollments of a program, and one partner's page."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, folding
from affiliate.accounts.models import User
from affiliate.accounts.roles import MemberRole
from affiliate.attribution.models import Attribution, ChannelLoss, Credit
from affiliate.console import paging
from affiliate.console.queries.beside import PLACE
from affiliate.console.queries.beside import beside as side_by_side
from affiliate.ingest.models import ClickHour, ClickVerdict, Conversion
from affiliate.links.models import Link
from affiliate.partners.models import Application, Enrollment, EnrollmentStatus, Member, Partner, PartnerTerms
from affiliate.payouts.models import Payout
from affiliate.steering import choosing
from affiliate.steering.models import PartnerMomentum

LINKS_SHOWN = 20
PEOPLE_SHOWN = 20
PAYOUTS_SHOWN = 5
COUNTRIES_SHOWN = 250

which = choosing.which
chosen = choosing.chosen


def applied(*, who: str = "", source: str = "", country: str = "") -> list[sa.ColumnElement[bool]]:
    """The conditions of the filters of the list of applications on an enrollment; none where nothing is filtered.

    `who` is a part of the partner's name or of the mail of one of its people.
    """
    of_partner = Partner.id == Enrollment.partner_id
    found: list[sa.ColumnElement[bool]] = []
    if who:
        named = sa.exists().where(of_partner, folding.holds(Partner.name, who))
        mailed = sa.exists().where(
            Member.partner_id == Enrollment.partner_id, User.id == Member.user_id, folding.holds(User.email, who)
        )  # fmt: skip
        found.append(sa.or_(named.correlate(Enrollment), mailed.correlate(Enrollment)))
    if source:
        came = (Application.enrollment_id == Enrollment.id, Application.is_current, Application.source == source)
        found.append(sa.exists().where(*came).correlate(Enrollment))
    if country:
        found.append(sa.exists().where(of_partner, Partner.country == country).correlate(Enrollment))
    return found


def countries(session: Session, *, program_id: UUID) -> Sequence[str]:
    """The countries that the partners and applicants of a program named, by their two letters."""
    told = sa.select(Partner.country).join(Enrollment, Enrollment.partner_id == Partner.id).distinct()
    known = told.where(Enrollment.program_id == program_id, Partner.country.is_not(None), Partner.country != "")
    return [code for code in session.scalars(known.order_by(Partner.country).limit(COUNTRIES_SHOWN)) if code]


def enrollments(
    session: Session,
    *,
    program_id: UUID,
    status: EnrollmentStatus,
    which: Sequence[sa.ColumnElement[bool]] = (),
    cursor: paging.Cursor | None,
) -> paging.Page:
    """Enrollments of one status, newest first, with what the applicant wrote."""
    columns = (
        Enrollment.id, Enrollment.partner_id, Enrollment.created_at.label("at"), Enrollment.reason, Enrollment.decided_at,
        Partner.name, Partner.website, Partner.country, Application.answers,
    )  # fmt: skip
    statement = (
        sa.select(*columns)
        .join(Partner, Partner.id == Enrollment.partner_id)
        .outerjoin(Application, sa.and_(Application.enrollment_id == Enrollment.id, Application.is_current))
        .where(*chosen(program_id=program_id, statuses=[status], which=which))
    )
    return paging.page_of(session, statement, by=Enrollment.created_at, identifier=Enrollment.id, cursor=cursor)


def listed(
    session: Session,
    *,
    program_id: UUID,
    statuses: Sequence[EnrollmentStatus],
    which: Sequence[sa.ColumnElement[bool]] = (),
    name: str = "",
    cursor: paging.Cursor | None,
    size: int = paging.PAGE_SIZE,
) -> paging.Page:
    """The partners of a program, those first that earned most as momentum was judged last; rows of id (of the enrollment) and partner.

    By a stored number, so that a page costs the same however much was clicked and sold.
    """
    rank = sa.func.coalesce(PartnerMomentum.earned_minor, -1)
    judged = sa.and_(
        PartnerMomentum.program_id == Enrollment.program_id, PartnerMomentum.partner_id == Enrollment.partner_id
    )
    statement = sa.select(Enrollment.id, Enrollment.partner_id, rank.label("at")).outerjoin(PartnerMomentum, judged)
    wanted = statement.where(*chosen(program_id=program_id, statuses=statuses, which=which, name=name))
    return paging.page_of(session, wanted, by=rank, identifier=Enrollment.id, cursor=cursor, size=size)


def matching(
    session: Session,
    *,
    program_id: UUID,
    statuses: Sequence[EnrollmentStatus],
    which: Sequence[sa.ColumnElement[bool]] = (),
    name: str = "",
    limit: int,
) -> Sequence[UUID]:
    """All partners that the list would show, page by page."""
    wanted = sa.select(Enrollment.partner_id).where(
        *chosen(program_id=program_id, statuses=statuses, which=which, name=name)
    )
    return session.scalars(wanted.order_by(Enrollment.created_at, Enrollment.id).limit(limit)).all()


def of_one(session: Session, *, program_id: UUID, partner_id: UUID) -> Any | None:
    """A partner with its enrollment, application, group and the name of who decided; none of another program."""
    decided_by = sa.orm.aliased(User)
    terms = sa.and_(PartnerTerms.partner_id == Partner.id, PartnerTerms.program_id == Enrollment.program_id)
    statement = (
        sa.select(Partner, Enrollment, Application, decided_by.name.label("decided_by"), PartnerTerms.group_name)
        .join(Enrollment, Enrollment.partner_id == Partner.id)
        .outerjoin(Application, sa.and_(Application.enrollment_id == Enrollment.id, Application.is_current))
        .outerjoin(decided_by, decided_by.id == Enrollment.decided_by_id)
        .outerjoin(PartnerTerms, terms)
        .where(Partner.id == partner_id, Enrollment.program_id == program_id)
    )
    return session.execute(statement).one_or_none()


def people_and_payouts(session: Session, *, program_id: UUID, partner_id: UUID) -> tuple[Sequence[Any], Sequence[Any]]:
    """Names and addresses of a partner's people, and its newest payouts, in one trip."""
    first, newest = (
        sa.func.row_number().over(order_by=column) for column in (Member.created_at, Payout.created_at.desc())
    )
    people: Any = sa.select(first.label(PLACE), User.name, User.email, Member.role)
    mine = (Payout.program_id == program_id, Payout.partner_id == partner_id)
    columns = (Payout.id, Payout.run_id, Payout.status, Payout.amount_minor, Payout.currency, Payout.created_at)
    payouts: Any = sa.select(newest.label(PLACE), *columns).where(*mine)
    members = people.join(Member, Member.user_id == User.id).where(Member.partner_id == partner_id)
    found = side_by_side(
        session,
        {
            "people": members.order_by(PLACE).limit(PEOPLE_SHOWN),
            "payouts": payouts.order_by(PLACE).limit(PAYOUTS_SHOWN),
        },
    )
    return found["people"], found["payouts"]


def beside(session: Session, *, program_id: UUID, partner_ids: Sequence[UUID]) -> dict[UUID, Any]:
    """Website, country, the first owner's address and the group of these partners, by id."""
    if not partner_ids:
        return {}
    first = (
        sa.select(User.email)
        .join(Member, Member.user_id == User.id)
        .where(Member.partner_id == Partner.id, Member.role == MemberRole.OWNER)
        .order_by(Member.id)
        .limit(1)
        .correlate(Partner)
        .scalar_subquery()
    )
    terms = sa.and_(PartnerTerms.partner_id == Partner.id, PartnerTerms.program_id == program_id)
    found = sa.select(Partner.id, Partner.website, Partner.country, first.label("email"), PartnerTerms.group_name)
    these = db.among(session, Partner.id, partner_ids)
    return {row.id: row for row in session.execute(found.outerjoin(PartnerTerms, terms).where(these))}


def links_of(
    session: Session,
    *,
    program_id: UUID,
    partner_id: UUID,
    since: datetime,
    text: str = "",
    cursor: paging.Cursor | None,
) -> paging.Page:
    """A partner's links with their valid clicks since a moment, the busiest first; those whose name, code or page hold the text."""
    counted = sa.cast(sa.func.coalesce(sa.func.sum(ClickHour.clicks), 0), sa.BigInteger)
    whose = (
        ClickHour.program_id == program_id,
        ClickHour.partner_id == partner_id,
    )  # the first columns of the only index
    here = sa.and_(
        *whose, ClickHour.link_id == Link.id, ClickHour.verdict == ClickVerdict.VALID, ClickHour.hour >= since
    )
    statement = (
        sa.select(Link.id, Link.code, Link.name, Link.landing_url, Link.status, counted.label("at"))
        .outerjoin(ClickHour, here)
        .where(Link.program_id == program_id, Link.partner_id == partner_id)
        .group_by(Link.id)
    )
    if text:
        statement = statement.where(
            sa.or_(*(folding.holds(each, text) for each in (Link.name, Link.code, Link.landing_url)))
        )
    links: Any = statement.subquery()  # clicks are a sum: only around it can a page begin beside one
    found = sa.select(*links.c)
    return paging.page_of(session, found, by=links.c.at, identifier=links.c.id, cursor=cursor, size=LINKS_SHOWN)


def lost_to_channels(
    session: Session, *, program_id: UUID, partner_id: UUID, starts_at: datetime, ends_at: datetime
) -> tuple[int, int]:
    """The orders of a period that another paid channel took from the partner, and those that it is credited for.

    The latter are many, and nobody asks for them where none was taken: then they are not counted.
    """

    def orders(table: Any) -> sa.ScalarSelect[int]:
        counted = (
            sa.select(sa.func.count(sa.distinct(Attribution.conversion_id)))
            .join(table, table.attribution_id == Attribution.id)
            .join(Conversion, Conversion.id == Attribution.conversion_id)
            .where(table.partner_id == partner_id, Conversion.program_id == program_id, Attribution.is_current)
            .where(Conversion.occurred_at >= starts_at, Conversion.occurred_at < ends_at, sa.not_(Conversion.is_test))
        )
        return counted.scalar_subquery()

    lost = sa.select(orders(ChannelLoss).label("lost")).cte()
    row = session.execute(sa.select(lost.c.lost, sa.case((lost.c.lost > 0, orders(Credit)), else_=0))).one()
    return row[0], row[1]
