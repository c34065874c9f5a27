"""Whose commissions recruiters share in: the partner's own recruiter, and those above it where a plan pays them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.commissions import plan_queries, rates, terms
from affiliate.commissions.rates import Rated
from affiliate.commissions.terms import Plan
from affiliate.partners.models import Enrollment, EnrollmentStatus


@dataclass(frozen=True, slots=True)
class Recruiters:
    """Who recruited whom by program, and which of the recruiters take part."""

    of: Mapping[UUID, Mapping[UUID, UUID]] = field(default_factory=dict)
    active: Collection[tuple[UUID, UUID]] = frozenset()

    def shares(
        self, *, program_id: UUID, partner_id: UUID, plan: Plan | None, rated: Rated
    ) -> Iterator[tuple[int, UUID, Rated]]:
        """Level (1 is the partner's own recruiter), recruiter and share. Who takes part no longer gets nothing of its level."""
        if plan is None or not (levels := len(terms.recruiting(plan.terms))):
            return
        chain = plan_queries.chain(partner_id, self.of.get(program_id, {}))
        for level, recruiter_id in enumerate(islice(chain, 1, levels + 1), start=1):
            share = rates.recruiters_share(rated, plan=plan, level=level)
            if share is not None and (program_id, recruiter_id) in self.active:
                yield level, recruiter_id, share


def of_plans(session: Session, plans: Mapping[UUID, Sequence[Plan]]) -> Recruiters:
    """The recruiters of the programs of which a plan pays some."""
    paying = [program_id for program_id, some in plans.items() if any(terms.recruiting(plan.terms) for plan in some)]
    if not paying:
        return Recruiters()
    of = {program_id: plan_queries.recruiters(session, program_id=program_id) for program_id in paying}
    active = sa.select(Enrollment.program_id, Enrollment.partner_id).where(
        Enrollment.program_id.in_(paying),
        Enrollment.partner_id.in_({recruiter for pairs in of.values() for recruiter in pairs.values()}),
        Enrollment.status == EnrollmentStatus.APPROVED,
    )
    return Recruiters(of, {(row[0], row[1]) for row in session.execute(active)})
