"""Everything that stands behind one commission, read in a fixed number of queries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.attribution import customers
from affiliate.attribution.customers import Act
from affiliate.attribution.models import Attribution, Credit
from affiliate.commissions.models import Commission, CommissionAdjustment, OrderVerification
from affiliate.fraud import lists as fraud
from affiliate.fraud.lists import History, Ruling
from affiliate.ingest.models import Click, Conversion, ConversionRevision
from affiliate.ledger import queries as ledger
from affiliate.ledger.queries import TransferLine
from affiliate.links.models import Link
from affiliate.partners import queries as partners
from affiliate.payouts.models import Payout
from affiliate.programs.models import Program

ADJUSTMENTS_MAX = 200
REVISIONS_MAX = 50
TOUCHES_MAX = 200
"""The most touches of a trace that a page shows, the newest."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A commission with its order, outcome, what was taken from it, the books' lines, and the names that appear in it."""

    program: Program
    commission: Commission
    conversion: Conversion
    attribution: Attribution
    adjustments: Sequence[CommissionAdjustment]
    transfers: Sequence[TransferLine]
    payout: Payout | None
    link_names: dict[UUID, str]
    partner_names: dict[UUID, str]
    subs: dict[str, str]  # the sub ids of the click that this commission is credited for
    acts: Sequence[Act]  # what else the customer did that this partner is credited for
    ruling: Ruling | None  # of the fraud rules on the credit; none for tests
    review: History  # all that rules, managers and the partner said about the credit
    revisions: Sequence[ConversionRevision]  # what was believed of the order before, oldest first
    verification: OrderVerification | None  # a manager's word for the order


@dataclass(frozen=True, slots=True)
class Names:
    """Names by id, of what a trace speaks of."""

    partners: dict[UUID, str]
    links: dict[UUID, str]


def of_commission(
    session: Session, *, program: Program, commission_id: UUID, partner_id: UUID | None = None
) -> Evidence | None:
    """What explains a commission of this program, and of this partner when one is given; else None."""
    mine = [Commission.id == commission_id, Commission.program_id == program.id]
    if partner_id is not None:
        mine.append(Commission.partner_id == partner_id)
    found = (
        sa.select(Commission, Conversion, Attribution, Payout, OrderVerification)
        .join(Conversion, Conversion.id == Commission.conversion_id)
        .join(Attribution, Attribution.id == Commission.attribution_id)
        .outerjoin(Payout, Payout.id == Commission.payout_id)
        .outerjoin(OrderVerification, OrderVerification.conversion_id == Commission.conversion_id)
        .where(*mine)
    )
    row = session.execute(found).one_or_none()
    if row is None:
        return None
    commission, conversion, attribution, payout, verification = row
    said = {"conversion_id": conversion.id, "partner_id": commission.partner_id}
    review = fraud.history(session, program_id=program.id, **said)
    adjustments = _adjustments(session, commission.id)
    named = names_in(session, trace=attribution.trace, partner_ids=[commission.partner_id])
    return Evidence(
        program=program,
        commission=commission,
        conversion=conversion,
        attribution=attribution,
        adjustments=adjustments,
        transfers=ledger.transfers_of(session, source_ids=[commission.id, *(taken.id for taken in adjustments)]),
        payout=payout,
        link_names=named.links,
        partner_names=named.partners,
        subs=_subs(session, commission.credit_id),
        acts=customers.other_acts(session, conversion=conversion, credited_to=commission.partner_id),
        ruling=_ruling(session, commission, review),
        review=review,
        # What changed what is believed of an order asked for another attribution, too.
        revisions=_revisions(session, conversion.id) if conversion.revision > 1 else [],
        verification=verification,
    )


def _subs(session: Session, credit_id: UUID) -> dict[str, str]:
    found = sa.select(Click.subs).join(Credit, Credit.click_id == Click.id).where(Credit.id == credit_id)
    return dict(session.scalar(found) or {})


def names_in(session: Session, *, trace: Mapping[str, Any], partner_ids: Sequence[UUID] = ()) -> Names:
    """The names of the links and partners in an attribution's trace, and of these partners."""
    touches = trace.get("touches", [])[-TOUCHES_MAX:]
    everybody = set(partner_ids) | {UUID(t["partner_id"]) for t in touches if t.get("partner_id")}
    return Names(
        partners=partners.partner_names(session, partner_ids=list(everybody)),
        links=_link_names(session, {UUID(t["link_id"]) for t in touches if t.get("link_id")}),
    )


def _adjustments(session: Session, commission_id: UUID) -> Sequence[CommissionAdjustment]:
    found = sa.select(CommissionAdjustment).where(CommissionAdjustment.commission_id == commission_id)
    return session.scalars(found.order_by(CommissionAdjustment.created_at).limit(ADJUSTMENTS_MAX)).all()


def _ruling(session: Session, commission: Commission, review: History) -> Ruling | None:
    """Of all that was said what counts for this credit; a recruiter's share hangs on the credit of another partner."""
    if commission.level > 1:
        return fraud.ruling_on(session, credit_id=commission.credit_id)
    verdict = next((one for one in review.verdicts if one.attribution_id == commission.attribution_id), None)
    if verdict is None:
        return None
    return Ruling(verdict, next((one for one, _name in review.decisions if one.id == verdict.decision_id), None))


def _revisions(session: Session, conversion_id: UUID) -> Sequence[ConversionRevision]:
    found = sa.select(ConversionRevision).where(ConversionRevision.conversion_id == conversion_id)
    return session.scalars(found.order_by(ConversionRevision.revision).limit(REVISIONS_MAX)).all()


def _link_names(session: Session, link_ids: set[UUID]) -> dict[UUID, str]:
    if not link_ids:
        return {}
    found = session.execute(sa.select(Link.id, Link.name, Link.code).where(Link.id.in_(link_ids)))
    return {row.id: row.name or f"/r/{row.code}" for row in found}
