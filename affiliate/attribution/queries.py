"""What attribution reads: the conversions that wait, and all their touches in a fixed number of queries per batch."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db
from affiliate.attribution.models import Attribution
from affiliate.attribution.rules import Policy, Step, Touch, TouchRefusal
from affiliate.ingest.clickrules import CREDITABLE
from affiliate.ingest.models import Click, ClickVerdict, Conversion
from affiliate.links.models import Coupon, LinkStatus
from affiliate.partners.models import Enrollment, EnrollmentStatus
from affiliate.programs.models import Program

VISITOR_CLICKS_MAX = 50
"""How many clicks of a visitor an order considers: those that may win first, so that a flood of others cannot hide one."""

WINDOWS_BACK = 2
"""Clicks up to this many windows old are considered, so that the trace can tell whoever came too late by how much."""


@dataclass(frozen=True, slots=True)
class WaitingConversion:
    """A conversion whose present revision has no attribution, with what says who may have brought it."""

    id: UUID
    program_id: UUID
    revision: int
    occurred_at: datetime
    click_id: UUID | None
    click_refusal: str | None
    visitor_id: UUID | None
    coupon: str | None


_WAITS = sa.text("attributed_revision < revision")  # as the partial index says it


def waiting_ids(session: Session, *, limit: int, received_until: datetime) -> list[UUID]:
    """The conversions that wait, oldest first."""
    due = sa.select(Conversion.id).where(_WAITS, Conversion.received_at <= received_until)
    return list(session.scalars(due.order_by(Conversion.received_at).limit(limit)))


def waiting(session: Session, *, limit: int, conversion_ids: Collection[UUID]) -> list[WaitingConversion]:
    """Those of the conversions that still wait, oldest first, locked; what another worker holds is left to it."""
    columns = [getattr(Conversion, name) for name in WaitingConversion.__dataclass_fields__]
    statement = (
        sa.select(*columns)
        .where(_WAITS, db.among(session, Conversion.id, conversion_ids))
        .order_by(Conversion.received_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [WaitingConversion(*row) for row in session.execute(statement)]


def policies(session: Session, *, conversions: Sequence[WaitingConversion]) -> dict[UUID, Policy]:
    """What each program says about who wins, now."""
    columns = (Program.id, Program.policy_version, Program.attribution_window_days)
    rows = session.execute(sa.select(*columns).where(Program.id.in_({row.program_id for row in conversions})))
    return {program_id: Policy(version, timedelta(days=days)) for program_id, version, days in rows}


def versions(session: Session, *, conversions: Sequence[WaitingConversion]) -> dict[UUID, int]:
    """The newest version that each conversion has; those without one are missing."""
    newest = sa.select(Attribution.conversion_id, sa.func.max(Attribution.version)).group_by(Attribution.conversion_id)
    rows = session.execute(newest.where(db.among(session, Attribution.conversion_id, [row.id for row in conversions])))
    return {row[0]: row[1] for row in rows}


def touches(
    session: Session, *, conversions: Sequence[WaitingConversion], policies: Mapping[UUID, Policy]
) -> dict[UUID, list[Touch]]:
    """The touches of each conversion, refused ones too. Four queries, whatever the batch."""
    named, seen = _named_clicks(session, conversions), _visitor_clicks(session, conversions, policies)
    coupons = _coupons(session, conversions)
    standings = _standings(session, conversions)
    found: dict[UUID, list[Touch]] = {}
    for row in conversions:
        claims = [*_claimed(row, named, standings), *_coupon_touch(row, coupons, standings)]
        claimed_ids = {touch.id for touch in claims}
        visits = (
            _click_touch(row, click, Step.VISITOR, standings) for click in seen[row.id] if click.id not in claimed_ids
        )
        found[row.id] = [*claims, *visits]
    return found


_ClickRow = sa.Row[UUID, UUID, UUID, UUID, datetime, ClickVerdict]
_CLICK_COLUMNS = (Click.id, Click.program_id, Click.partner_id, Click.link_id, Click.occurred_at, Click.verdict)
_Standings = Mapping[tuple[UUID, UUID], "_Standing"]


@dataclass(frozen=True, slots=True)
class _Standing:
    """Where a partner stands in a program, and since when."""

    status: EnrollmentStatus
    since: datetime | None

    def took_part(self, at: datetime) -> bool:
        """Whether it took part at that moment. A partner that was paused or banned later keeps the sales of before."""
        if self.status is EnrollmentStatus.APPROVED:
            return True
        was_approved = self.status in {EnrollmentStatus.PAUSED, EnrollmentStatus.BANNED}
        return was_approved and self.since is not None and self.since > at


def _named_clicks(session: Session, conversions: Sequence[WaitingConversion]) -> dict[UUID, _ClickRow]:
    wanted = [row.click_id for row in conversions if row.click_id is not None]
    rows = session.execute(sa.select(*_CLICK_COLUMNS).where(db.among(session, Click.id, wanted))) if wanted else ()
    return {row.id: row for row in rows}


def _visitor_clicks(
    session: Session, conversions: Sequence[WaitingConversion], policies: Mapping[UUID, Policy]
) -> Mapping[UUID, list[_ClickRow]]:
    found: dict[UUID, list[_ClickRow]] = defaultdict(list)
    earliest = {
        row.id: row.occurred_at - WINDOWS_BACK * policies[row.program_id].window
        for row in conversions
        if row.visitor_id is not None
    }
    if not earliest:
        return found
    best_first = (Click.verdict.in_(CREDITABLE).desc(), Click.occurred_at.desc())
    place = sa.func.row_number().over(partition_by=Conversion.id, order_by=best_first)
    ranked = (
        sa.select(*_CLICK_COLUMNS, Conversion.id.label("conversion_id"), place.label("place"))
        .join(Conversion, sa.and_(Conversion.visitor_id == Click.visitor_id, Conversion.program_id == Click.program_id))
        .where(
            db.among(session, Conversion.id, list(earliest)),
            Click.occurred_at > min(earliest.values()),
            Click.occurred_at <= Conversion.occurred_at,
        )
        .subquery()
    )
    for row in session.execute(sa.select(ranked).where(ranked.c.place <= VISITOR_CLICKS_MAX)):
        if row.occurred_at > earliest[row.conversion_id]:
            found[row.conversion_id].append(row)
    return found


def _coupons(session: Session, conversions: Sequence[WaitingConversion]) -> dict[tuple[UUID, str], Coupon]:
    codes = {row.coupon.upper() for row in conversions if row.coupon}
    if not codes:
        return {}
    programs = {row.program_id for row in conversions}
    rows = session.scalars(sa.select(Coupon).where(Coupon.program_id.in_(programs), Coupon.code.in_(codes)))
    return {(row.program_id, row.code): row for row in rows if row.status is LinkStatus.ACTIVE}


def _standings(session: Session, conversions: Sequence[WaitingConversion]) -> dict[tuple[UUID, UUID], _Standing]:
    """Where the partners of these programs stand, by (program, partner)."""
    programs = {row.program_id for row in conversions}
    columns = (Enrollment.program_id, Enrollment.partner_id, Enrollment.status, Enrollment.decided_at)
    rows = session.execute(sa.select(*columns).where(Enrollment.program_id.in_(programs)))
    return {(row[0], row[1]): _Standing(row[2], row[3]) for row in rows}


def _took_part(row: WaitingConversion, partner_id: UUID, standings: _Standings) -> bool:
    standing = standings.get((row.program_id, partner_id))
    return standing is not None and standing.took_part(row.occurred_at)


def _claimed(row: WaitingConversion, named: Mapping[UUID, _ClickRow], standings: _Standings) -> list[Touch]:
    """The click that the order names, or why its name was not believed."""
    if row.click_refusal is not None:
        return [Touch("click", row.occurred_at, Step.CLICK_ID, flaw=TouchRefusal.TAMPERED_CLICK_ID)]
    if row.click_id is None:
        return []
    click = named.get(row.click_id)
    if click is None or click.program_id != row.program_id:
        return [Touch("click", row.occurred_at, Step.CLICK_ID, id=row.click_id, flaw=TouchRefusal.UNKNOWN_CLICK)]
    return [_click_touch(row, click, Step.CLICK_ID, standings)]


def _click_touch(row: WaitingConversion, click: _ClickRow, step: Step, standings: _Standings) -> Touch:
    flaw = None
    if click.verdict not in CREDITABLE:
        flaw = TouchRefusal.NOT_VALID
    elif not _took_part(row, click.partner_id, standings):
        flaw = TouchRefusal.PARTNER_INACTIVE
    return Touch(
        "click", click.occurred_at, step, id=click.id, partner_id=click.partner_id, link_id=click.link_id, flaw=flaw
    )


def _coupon_touch(
    row: WaitingConversion, coupons: Mapping[tuple[UUID, str], Coupon], standings: _Standings
) -> list[Touch]:
    if not row.coupon:
        return []
    code = row.coupon.upper()
    coupon = coupons.get((row.program_id, code))
    if coupon is None:
        return [Touch("coupon", row.occurred_at, Step.COUPON, code=code, flaw=TouchRefusal.UNKNOWN_COUPON)]
    flaw = None if _took_part(row, coupon.partner_id, standings) else TouchRefusal.PARTNER_INACTIVE
    return [
        Touch("coupon", row.occurred_at, Step.COUPON, id=coupon.id, code=code, partner_id=coupon.partner_id, flaw=flaw)
    ]
