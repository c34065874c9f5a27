"""Which partners of a program a choice means: by tag, group, momentum, lead, status, name, or as it was saved.

It stands here because a choice speaks of tags and of momentum. Reports are narrowed by it, and get it handed in; newsletters,
which stand above, ask it themselves.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import folding
from affiliate.partners.models import Enrollment, EnrollmentStatus, Partner, PartnerTerms
from affiliate.relations.care_models import PartnerCare, PartnerSegment, PartnerTag
from affiliate.reports.momentum import Momentum
from affiliate.steering.models import PartnerMomentum

LISTED = (EnrollmentStatus.APPROVED, EnrollmentStatus.PAUSED, EnrollmentStatus.BANNED)
"""Who stands in lists of partners unless a status is asked for."""
_NAME_LENGTH_MAX = 120

Conditions = list[sa.ColumnElement[bool]]
"""What an enrollment fulfils; none where nothing is chosen."""


def narrowed(session: Session, program_id: UUID, narrowing: Mapping[str, str]) -> Conditions:
    """What a report is narrowed to, by tag, group and saved choice. A choice that is not there any more holds nobody."""
    found = which(program_id=program_id, tag=narrowing.get("tag", ""), group=narrowing.get("group", ""))
    if "segment" not in narrowing:
        return found
    saved = of_saved(session, program_id, narrowing["segment"])
    return [*found, *([sa.false()] if saved is None else saved)]


def of_saved(session: Session, program_id: UUID, segment: str) -> Conditions | None:
    """What enrollments of a saved choice fulfil; null where it is not there any more."""
    filters = _saved(session, program_id, segment)
    return None if filters is None else _of_filters(program_id, filters)


def statuses_of_saved(session: Session, program_id: UUID, segment: str) -> Sequence[EnrollmentStatus] | None:
    """The statuses that a saved choice holds; null where it is not there any more."""
    filters = _saved(session, program_id, segment)
    return None if filters is None else _statuses(filters)


def which(
    *, program_id: UUID, tag: str = "", group: str = "", momentum: Momentum | None = None, lead_id: UUID | None = None
) -> Conditions:
    """The conditions of the filters of a list on an enrollment; none where nothing is filtered."""

    def has(table: Any, condition: Any) -> sa.ColumnElement[bool]:
        return sa.exists().where(
            table.program_id == program_id, table.partner_id == Enrollment.partner_id, condition
        ).correlate(Enrollment)  # fmt: skip

    found: Conditions = []
    if tag:
        found.append(has(PartnerTag, PartnerTag.tag == tag))
    if group:
        found.append(has(PartnerTerms, PartnerTerms.group_name == group))
    if momentum is not None:
        found.append(has(PartnerMomentum, PartnerMomentum.momentum == momentum))
    if lead_id is not None:
        found.append(has(PartnerCare, PartnerCare.lead_id == lead_id))
    return found


def chosen(
    *,
    program_id: UUID,
    statuses: Sequence[EnrollmentStatus],
    which: Sequence[sa.ColumnElement[bool]] = (),
    name: str = "",
) -> Conditions:
    """What enrollments of a list fulfil."""
    found: Conditions = [Enrollment.program_id == program_id, Enrollment.status.in_(statuses), *which]
    if name:
        holds = folding.holds(Partner.name, name)
        found.append(sa.exists().where(Partner.id == Enrollment.partner_id, holds).correlate(Enrollment))
    return found


def _of_filters(program_id: UUID, typed: Mapping[str, str]) -> Conditions:
    momentum = typed.get("momentum", "")
    found = which(
        program_id=program_id, tag=typed.get("tag", ""), group=typed.get("group", ""),
        momentum=Momentum(momentum) if momentum in set(Momentum) else None, lead_id=_uuid(typed.get("lead", "")),
    )  # fmt: skip
    name = typed.get("name", "").strip()[:_NAME_LENGTH_MAX]
    return chosen(program_id=program_id, statuses=_statuses(typed), which=found, name=name)


def _statuses(typed: Mapping[str, str]) -> Sequence[EnrollmentStatus]:
    status = typed.get("status", "")
    return (EnrollmentStatus(status),) if status in set(EnrollmentStatus) else LISTED


def _saved(session: Session, program_id: UUID, text: str) -> dict[str, str] | None:
    mine = (PartnerSegment.id == _uuid(text), PartnerSegment.program_id == program_id)
    filters = session.scalar(sa.select(PartnerSegment.filters).where(*mine))
    return None if filters is None else {name: str(value) for name, value in filters.items()}


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
