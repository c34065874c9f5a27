"""What was around the clicks and orders of a batch: each question is one query, bounded however hard somebody clicks.

A click and a cookie are of one program. Where they say which rows are meant, the program is not asked for: SQLite would
take its index by program and time, and read a month for each order.

Each row looks a day, a week or a month back from its own moment, so that a late judgement sees what an early one would have.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from affiliate import db
from affiliate.attribution.models import Attribution
from affiliate.fraud.facts import Claim, Crowd, Sibling
from affiliate.fraud.models import FraudPlace
from affiliate.ingest.models import Click, Conversion, ConversionRevision, RejectedEvent, RejectReason, Trust
from affiliate.partners import marks

CLICKS_SEEN_MAX = 1_000
"""More clicks of one browser in a day need not be told apart."""

CLICKS_NEAR_MAX = 200
"""Without a cookie, the partner's last clicks in which others of the same connection and device are looked for."""

CROWD_MAX = 500
"""How many orders over one connection are looked at for their customers."""

SIBLINGS_MAX = 20
_MOBILE = "mobile"
_Statement = sa.Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class ClickFacts:
    """A credited click, and the first and the number of this customer's clicks on the partner's links in the day before it."""

    occurred_at: datetime
    referrer_host: str
    network: str | None
    utm: dict[str, Any] | None
    ad_ids: dict[str, Any] | None
    connection: str | None
    device: str | None  # with the customer's consent only
    first_at: datetime
    clicks: int


def days_before(session: Session, column: Any, days: int) -> sa.ColumnElement[Any]:
    """So many days before the moment in a column."""
    if session.get_bind().dialect.name == "postgresql":
        return sa.cast(column, sa.TIMESTAMP(timezone=True)) - sa.cast(f"{days} days", sa.Interval)
    return sa.func.datetime(column, f"-{days} days")


def clicks_of(session: Session, *, click_ids: Collection[UUID]) -> dict[UUID, ClickFacts]:
    """The credited clicks, by id."""
    told = (Click.occurred_at, Click.referrer_host, Click.network, Click.utm, Click.ad_ids, Click.address_hash)
    browser = (Click.user_agent, Click.visitor_id)
    repeats = (*_of_browser(session), *_of_connection(session))
    rows = session.execute(sa.select(Click.id, *told, *browser, *repeats).where(db.among(session, Click.id, click_ids)))
    found = {}
    for click_id, at, host, network, utm, ad_ids, connection, user_agent, visitor_id, *seen in rows:
        clicks, first_at, clicks_there, first_there_at = seen
        first = min(moment for moment in (first_at, first_there_at, at) if moment is not None)
        device = marks.device(connection, user_agent) if connection and visitor_id else None
        number = max(clicks, clicks_there, 1)
        found[click_id] = ClickFacts(at, host, network, utm, ad_ids, connection, device, first, number)
    return found


def _before(session: Session, other: Any) -> tuple[sa.ColumnElement[bool], ...]:
    """The clicks on the same partner's links in the day before a click, and the click itself."""
    return (
        other.partner_id == Click.partner_id,
        other.occurred_at <= Click.occurred_at,
        other.occurred_at > days_before(session, Click.occurred_at, 1),
    )


def _of_browser(session: Session) -> tuple[Any, Any]:
    """How many clicks with the same cookie, and the first one's moment."""
    other = aliased(Click)
    same = sa.select(other.occurred_at).where(other.visitor_id == Click.visitor_id, *_before(session, other))
    return _count_and_first(same.order_by(other.occurred_at).limit(CLICKS_SEEN_MAX).correlate(Click).subquery())


def _of_connection(session: Session) -> tuple[Any, Any]:
    """The same without a cookie. Strangers in a mobile network share connection and device alike, so there it says nothing."""
    other = aliased(Click)
    columns = (other.occurred_at, other.address_hash, other.user_agent)
    in_program = other.program_id == Click.program_id  # the index by partner begins with it
    near = sa.select(*columns).where(in_program, *_before(session, other), Click.network.is_distinct_from(_MOBILE))
    last = near.order_by(other.occurred_at.desc()).limit(CLICKS_NEAR_MAX).correlate(Click).subquery()
    alike = (last.c.address_hash == Click.address_hash, last.c.user_agent == Click.user_agent)
    return _count_and_first(last, *alike)


def _count_and_first(clicks: sa.Subquery, *where: Any) -> tuple[Any, Any]:
    count, first = sa.func.count(), sa.func.min(clicks.c.occurred_at, type_=clicks.c.occurred_at.type)
    return tuple(sa.select(one).select_from(clicks).where(*where).scalar_subquery() for one in (count, first))  # type: ignore[return-value] # two of two


def siblings_of(session: Session, *, conversion_ids: Collection[UUID]) -> dict[UUID, list[Sibling]]:
    """Earlier orders in the same currency of the same click or browser within a week, the latest ones."""
    found: defaultdict[UUID, dict[UUID, Sibling]] = defaultdict(dict)
    for same in (Conversion.click_id, Conversion.visitor_id):
        for mine, other, order_id, amount_minor in session.execute(_siblings(session, same, conversion_ids)):
            found[mine][other] = Sibling(order_id=order_id, amount_minor=amount_minor)
    return {mine: list(others.values()) for mine, others in found.items()}


def _siblings(session: Session, same: Any, conversion_ids: Collection[UUID]) -> _Statement:
    other = aliased(Conversion)
    earlier = sa.or_(
        other.occurred_at < Conversion.occurred_at,
        sa.and_(other.occurred_at == Conversion.occurred_at, other.id < Conversion.id),
    )
    alike = (
        getattr(other, same.key) == same, other.kind == Conversion.kind, other.currency == Conversion.currency,
        earlier, other.occurred_at > days_before(session, Conversion.occurred_at, 7), other.is_test.is_(False),
    )  # fmt: skip
    wanted = db.among(session, Conversion.id, conversion_ids)
    if session.get_bind().dialect.name == "postgresql":
        last = sa.select(other.id, other.order_id, other.amount_minor).where(*alike).order_by(other.occurred_at.desc())
        beside = last.limit(SIBLINGS_MAX).correlate(Conversion).lateral()
        return sa.select(Conversion.id, *beside.c).join(beside, sa.true()).where(wanted)
    place = sa.func.row_number().over(partition_by=Conversion.id, order_by=other.occurred_at.desc())
    ranked = sa.select(
        Conversion.id.label("mine"), other.id.label("other"), other.order_id, other.amount_minor, place.label("place")
    )
    joined = ranked.join(other, sa.and_(*alike)).where(wanted).subquery()
    columns = (joined.c.mine, joined.c.other, joined.c.order_id, joined.c.amount_minor)
    return sa.select(*columns).where(joined.c.place <= SIBLINGS_MAX)


def crowds_of(session: Session, *, conversion_ids: Collection[UUID]) -> dict[UUID, Crowd]:
    """How many new customers ordered within a month from the browser, and over the connection, of each of these orders."""
    browser, connection = _from_browser(session), _over_connection(session)
    rows = session.execute(
        sa.select(Conversion.id, browser, connection)
        .outerjoin(FraudPlace, FraudPlace.conversion_id == Conversion.id)
        .where(
            db.among(session, Conversion.id, conversion_ids),
            sa.or_(Conversion.visitor_id.is_not(None), FraudPlace.connection.is_not(None)),
        )
    )
    return {row[0]: Crowd(of_browser=row[1], of_connection=row[2]) for row in rows}


def _new_customers(session: Session, other: Any) -> _Statement:
    """The customers of new-customer orders in the month up to this one, each under the name that the shop gives them."""
    who = sa.func.coalesce(other.customer_id, other.email_hash)
    is_new = sa.exists().where(
        Attribution.conversion_id == other.id, Attribution.is_current, Attribution.is_new_customer.is_(True)
    )
    return sa.select(who.label("who")).where(
        who.is_not(None), other.is_test.is_(False), is_new,
        other.occurred_at <= Conversion.occurred_at, other.occurred_at > days_before(session, Conversion.occurred_at, 30),
    )  # fmt: skip


def _from_browser(session: Session) -> sa.ColumnElement[int]:
    other = aliased(Conversion)
    return _counted(_new_customers(session, other).where(other.visitor_id == Conversion.visitor_id))


def _over_connection(session: Session) -> sa.ColumnElement[int]:
    other, place = aliased(Conversion), aliased(FraudPlace)
    month = (
        place.occurred_at <= Conversion.occurred_at,
        place.occurred_at > days_before(session, Conversion.occurred_at, 30),
    )
    alike = (place.connection == FraudPlace.connection, place.program_id == FraudPlace.program_id)
    same = sa.select(place.conversion_id).where(*alike, *month)
    last = same.order_by(place.occurred_at.desc()).limit(CROWD_MAX).correlate(Conversion, FraudPlace).subquery()
    return _counted(_new_customers(session, other).join(last, last.c.conversion_id == other.id))


def _counted(people: _Statement) -> sa.ColumnElement[int]:
    found = people.limit(CROWD_MAX).correlate(Conversion, FraudPlace).subquery()
    return sa.select(sa.func.count(found.c.who.distinct())).scalar_subquery()


def claims_of(session: Session, *, conversion_ids: Collection[UUID]) -> dict[UUID, list[Claim]]:
    """Where pages without a signature had said another amount or currency than the source that then replaced them."""
    told = sa.select(ConversionRevision.conversion_id, ConversionRevision.facts, ConversionRevision.differences)
    rows = session.execute(
        told.join(Conversion, Conversion.id == ConversionRevision.conversion_id).where(
            db.among(session, ConversionRevision.conversion_id, conversion_ids),
            ConversionRevision.trust < Trust.SIGNED,
            Conversion.trust >= Trust.SIGNED,
        )
    )
    found: defaultdict[UUID, list[Claim]] = defaultdict(list)
    for conversion_id, facts, differences in rows:
        if not differences.keys().isdisjoint(("amount_minor", "currency")):
            found[conversion_id].append(_claim(facts, differences))
    return found


def _claim(facts: dict[str, Any], differences: dict[str, Sequence[Any]]) -> Claim:
    after = {
        name: differences[name][1] if name in differences else facts[name] for name in ("amount_minor", "currency")
    }
    return Claim(
        amount_minor=facts["amount_minor"], currency=facts["currency"],
        confirmed_minor=after["amount_minor"], confirmed_currency=after["currency"],
    )  # fmt: skip


def conflicts_of(session: Session, *, conversion_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many reports of each order told other facts at the same trust, and were not believed."""
    told = (
        db.among(session, RejectedEvent.conversion_id, conversion_ids),
        RejectedEvent.kind == "conversion",
        RejectedEvent.reason == RejectReason.CONFLICTING_BODY,
    )
    count = sa.select(RejectedEvent.conversion_id, sa.func.count()).where(*told).group_by(RejectedEvent.conversion_id)
    return {row[0]: row[1] for row in session.execute(count) if row[0] is not None}
