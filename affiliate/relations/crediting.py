"""What an order would earn a partner to whom it is credited by hand."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.attribution.models import Attribution
from affiliate.attribution.rules import CreditShare
from affiliate.attribution.touches import Step, Touch
from affiliate.ingest.models import Conversion
from affiliate.money import BPS_PER_UNIT, Money
from affiliate.programs.models import Program
from affiliate.replay import pricing


def worth(session: Session, *, program: Program, conversion_id: UUID, partner_id: UUID) -> Money:
    """What the partner would earn by the whole order as its plan stands, less what was refunded since."""
    order = session.get_one(Conversion, conversion_id)
    touch = Touch("manual", order.occurred_at, (Step.MANUAL,), partner_id=partner_id)
    current = (Attribution.conversion_id == conversion_id, Attribution.is_current)
    is_new = session.scalar(sa.select(Attribution.is_new_customer).where(*current))
    wanted = pricing.Wanted(conversion_id, [CreditShare(partner_id, BPS_PER_UNIT, touch)], is_new)
    earned = pricing.price(session, program=program, wanted=[wanted])[conversion_id]
    return Money(max(0, earned.get(partner_id, 0)), program.currency)
