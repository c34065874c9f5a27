"""Conversions of a program: the list with its states, and everything about one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from affiliate.attribution import customers
from affiliate.attribution.customers import Act
from affiliate.attribution.models import Attribution, Credit
from affiliate.commissions import losses
from affiliate.commissions.models import Commission, CommissionAdjustment
from affiliate.console import paging
from affiliate.currencies.convert import Exchange
from affiliate.ingest.models import Conversion, ConversionRevision, OrderEvent, Refund, Trust
from affiliate.partners.models import Partner
from affiliate.programs.models import Program
from affiliate.reports import evidence

HISTORY_SHOWN = 100
Row = TypeVar("Row", ConversionRevision, Refund, OrderEvent)


class State(StrEnum):
    """What became of a conversion, as a filter."""

    CREDITED = "credited"
    UNCREDITED = "uncredited"
    WAITING = "waiting"
    UNVERIFIED = "unverified"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class OrderEvidence:
    """A conversion with its current outcome, commissions and history. `credited` are partners (id, name)."""

    program: Program
    conversion: Conversion
    attribution: Attribution | None
    credited: Sequence[tuple[UUID, str]]
    names: evidence.Names
    commissions: Sequence[Any]
    adjustments: Sequence[CommissionAdjustment]
    revisions: Sequence[ConversionRevision]
    refunds: Sequence[Refund]
    exchanges: Mapping[UUID, Exchange]  # of the refunds in another currency
    order_events: Sequence[OrderEvent]
    acts: Sequence[Act]


_CURRENT = sa.and_(Attribution.conversion_id == Conversion.id, Attribution.is_current)
_CONDITION: dict[State, sa.ColumnElement[bool]] = {
    State.CREDITED: sa.and_(~Conversion.is_test, Attribution.id.is_not(None), Attribution.reason.is_(None)),
    State.UNCREDITED: sa.and_(~Conversion.is_test, Attribution.reason.is_not(None)),
    State.WAITING: Conversion.attributed_revision < Conversion.revision,
    State.UNVERIFIED: sa.and_(~Conversion.is_test, Conversion.trust < Trust.SIGNED),
    State.TEST: Conversion.is_test.is_(sa.true()),
}


def listed(
    session: Session,
    *,
    program_id: UUID,
    state: State | None = None,
    order_id: str = "",
    cursor: paging.Cursor | None,
    size: int = paging.PAGE_SIZE,
) -> paging.Page:
    """Conversions, newest first, with the reason of their current attribution."""
    columns = (
        Conversion.id, Conversion.occurred_at.label("at"), Conversion.order_id, Conversion.kind, Conversion.amount_minor,
        Conversion.currency, Conversion.trust, Conversion.source, Conversion.is_test, Conversion.revision,
        Conversion.attributed_revision, Attribution.id.label("attribution_id"), Attribution.reason,
    )  # fmt: skip
    statement = sa.select(*columns).outerjoin(Attribution, _CURRENT).where(Conversion.program_id == program_id)
    if state is not None:
        statement = statement.where(_CONDITION[state])
    if order_id:
        statement = statement.where(Conversion.order_id == order_id)
    return paging.page_of(
        session, statement, by=Conversion.occurred_at, identifier=Conversion.id, cursor=cursor, size=size
    )


def credited(session: Session, *, attribution_ids: Sequence[UUID]) -> dict[UUID, list[tuple[UUID, str]]]:
    """The partners (id, name) credited by each attribution, the largest share first."""
    statement = (
        sa.select(Credit.attribution_id, Partner.id, Partner.name)
        .join(Partner, Partner.id == Credit.partner_id)
        .where(Credit.attribution_id.in_(attribution_ids))
        .order_by(Credit.share_bps.desc(), Partner.name)
    )
    found: dict[UUID, list[tuple[UUID, str]]] = {}
    for attribution_id, partner_id, name in session.execute(statement):
        found.setdefault(attribution_id, []).append((partner_id, name))
    return found


def of_one(session: Session, *, program: Program, conversion_id: UUID) -> OrderEvidence | None:
    """Everything about a conversion of this program, in a fixed number of queries; none of another program."""
    mine = (Conversion.id == conversion_id, Conversion.program_id == program.id)
    conversion = session.scalar(sa.select(Conversion).where(*mine))
    if conversion is None:
        return None
    is_current = (Attribution.conversion_id == conversion_id, Attribution.is_current)
    attribution = session.scalar(sa.select(Attribution).where(*is_current))
    partners = credited(session, attribution_ids=[attribution.id]) if attribution else {}
    refunds = _oldest(session, Refund, conversion_id, Refund.occurred_at)
    return OrderEvidence(
        program=program,
        conversion=conversion,
        attribution=attribution,
        credited=next(iter(partners.values()), []),
        names=evidence.names_in(session, trace=attribution.trace if attribution else {}),
        commissions=_commissions(session, conversion_id),
        adjustments=_adjustments(session, conversion_id),
        revisions=_oldest(session, ConversionRevision, conversion_id, ConversionRevision.replaced_at),
        refunds=refunds,
        exchanges=losses.exchanges(session, refund_ids=[row.id for row in refunds]),
        order_events=_oldest(session, OrderEvent, conversion_id, OrderEvent.occurred_at),
        acts=customers.other_acts(session, conversion=conversion),
    )


def _oldest(
    session: Session, table: type[Row], conversion_id: UUID, moment: InstrumentedAttribute[datetime]
) -> Sequence[Row]:
    """What belongs to a conversion, oldest first."""
    found = sa.select(table).where(table.conversion_id == conversion_id)
    return session.scalars(found.order_by(moment).limit(HISTORY_SHOWN)).all()


def _commissions(session: Session, conversion_id: UUID) -> Sequence[Any]:
    """The commissions of a conversion with their partner's name, those in force first."""
    found = sa.select(Commission, Partner.name.label("partner")).join(Partner, Partner.id == Commission.partner_id)
    ordered = found.where(Commission.conversion_id == conversion_id).order_by(
        Commission.is_live.desc(), Commission.created_at
    )
    return session.execute(ordered.limit(HISTORY_SHOWN)).all()


def _adjustments(session: Session, conversion_id: UUID) -> Sequence[CommissionAdjustment]:
    """What was taken from the commissions of a conversion, oldest first; outcomes of zero are left out."""
    taken = sa.select(CommissionAdjustment).join(Commission, Commission.id == CommissionAdjustment.commission_id)
    something = (Commission.conversion_id == conversion_id, CommissionAdjustment.amount_minor > 0)
    return session.scalars(taken.where(*something).order_by(CommissionAdjustment.created_at).limit(HISTORY_SHOWN)).all()
