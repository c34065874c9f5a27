"""Partners, links and coupons of a program by the names that people type."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.links.models import Coupon, Link
from affiliate.partners.models import Enrollment, Partner

NAMED_MAX = 20_000


def of_program(session: Session, *, program_id: UUID) -> dict[tuple[str, str], UUID]:
    """The id behind ("partner", name), ("link", code) and ("coupon", code)."""
    enrolled = sa.select(Partner.name, Partner.id).join(Enrollment, Enrollment.partner_id == Partner.id)
    asked = {
        "partner": enrolled.where(Enrollment.program_id == program_id),
        "link": sa.select(Link.code, Link.id).where(Link.program_id == program_id),
        "coupon": sa.select(Coupon.code, Coupon.id).where(Coupon.program_id == program_id),
    }
    return {
        (kind, row[0]): row[1]
        for kind, statement in asked.items()
        for row in session.execute(statement.limit(NAMED_MAX))
    }
