"""What the first page of a partner needs beside its numbers, in one trip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.commissions.models import CommissionPlan
from affiliate.joining.steps import Done
from affiliate.ledger.models import AccountName
from affiliate.ledger.queries import balance_of
from affiliate.partners.models import PartnerTerms
from affiliate.payouts.models import PaperState, Payout, PayoutMethod, PayoutPolicy, PayoutRun, PayoutStatus
from affiliate.payouts.schedule import due_on
from affiliate.reports import beginnings
from affiliate.reports.models import ProgramFigures


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a partner stands in a program. `owed_minor` came back after it was paid, and is set off against what comes next."""

    has_links: bool
    has_method: bool
    group_name: str | None
    owed_minor: int
    next_run_on: date | None
    medians: Mapping[str, str]
    validation_takes: timedelta | None
    plan_terms: Mapping[str, Any] | None
    done: Done
    popular: Sequence[str]
    has_invoice_to_send: bool


def standing(session: Session, *, program_id: UUID, partner_id: UUID, now: datetime) -> Standing:
    """Where a partner stands at this moment."""
    row = session.execute(_standing(), {"program_id": program_id, "partner_id": partner_id, "now": now}).one()
    last = row.last_run_at
    return Standing(
        has_links=row.links_since is not None,
        has_method=bool(row.has_method),
        group_name=row.group_name,
        owed_minor=-(row.balance or 0),
        next_run_on=None
        if row.cadence is None
        else due_on(row.cadence, last_run_on=last.date() if last else None, today=now.date()),
        medians=row.medians or {},
        validation_takes=None if row.takes is None else timedelta(seconds=row.takes),
        plan_terms=row.plan_terms,
        done=beginnings.done(row, can_be_paid=bool(row.has_method)),
        popular=row.popular or (),
        has_invoice_to_send=bool(row.awaited),
    )


@cache
def _standing() -> sa.Select[Any]:
    """Built once: it is a long statement, and each home page asks it."""
    told: dict[str, Any] = {name: sa.bindparam(name) for name in ("program_id", "partner_id", "now")}
    program_id, partner_id, now = told.values()
    mine = {"program_id": program_id, "partner_id": partner_id}
    runs = (PayoutRun.program_id == program_id, PayoutRun.status != PayoutStatus.CANCELLED)
    parts: dict[str, Any] = {
        "has_method": sa.exists().where(PayoutMethod.partner_id == partner_id, PayoutMethod.replaced_at.is_(None)),
        "group_name": _one(PartnerTerms.group_name, **mine),
        "balance": balance_of(**mine, name=AccountName.CLAWBACK),
        "cadence": _one(PayoutPolicy.cadence, program_id=program_id),
        "last_run_at": sa.select(sa.func.max(PayoutRun.proposed_at)).where(*runs).scalar_subquery(),
        "medians": _one(ProgramFigures.medians, program_id=program_id),
        "takes": _one(ProgramFigures.validation_seconds, program_id=program_id),
        "plan_terms": _plan_terms(program_id, now),
        "popular": _one(ProgramFigures.creatives, program_id=program_id),
        "awaited": sa.exists().where(
            Payout.program_id == program_id,
            Payout.partner_id == partner_id,
            Payout.status == PayoutStatus.PROPOSED,
            Payout.paper == PaperState.AWAITED,
        ),
        **beginnings.parts(**mine),
    }
    return sa.select(*(part.label(name) for name, part in parts.items()))


def _plan_terms(program_id: Any, now: Any) -> Any:
    """What the program pays at this moment."""
    in_force = (CommissionPlan.program_id == program_id, CommissionPlan.effective_from <= now)
    newest = sa.select(CommissionPlan.terms).where(*in_force).order_by(CommissionPlan.effective_from.desc())
    return newest.limit(1).scalar_subquery()


def _one(column: Any, **key: Any) -> Any:
    """A column of the one row with this key, as a part of the statement."""
    return sa.select(column).filter_by(**key).scalar_subquery()
