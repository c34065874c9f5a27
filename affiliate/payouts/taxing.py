"""What taxes do to what partners are due: each gets the amounts of its paper, and the payment notice that says them.

Where we write the papers, each stands for what was earned, and what was taken back corrects the paper that it stood on,
under that paper's own terms. Where the partner writes its invoice, one over the difference does.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.commissions.models import Commission, CommissionAdjustment
from affiliate.payouts.models import PaperState, Payout
from affiliate.payouts.schedule import Due
from affiliate.programs.models import Program
from affiliate.taxes import figures, queries
from affiliate.taxes.figures import Figures, PaperKind
from affiliate.taxes.models import TaxProfile, TaxSettings
from affiliate.taxes.queries import Position

FORMAT = 1
"""The version of the notice's form."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What was clawed back from one payout with papers of ours: so much now, so much before, of its invoice's terms and sum."""

    payout_id: UUID
    notice: dict[str, Any]
    less_minor: int
    before_minor: int

    @property
    def left_minor(self) -> int:
        """What its invoice still says after earlier corrections."""
        taxable_minor: int = self.notice["invoice"]["taxable_minor"]
        return taxable_minor - self.before_minor

    def figures(self) -> Figures:
        """The amounts of the correction."""
        return figures.correction(
            figures.read_terms(self.notice["terms"]),
            taxable_minor=self.notice["invoice"]["taxable_minor"],
            corrected_minor=self.before_minor,
            less_minor=self.less_minor,
        )


def taxed(
    session: Session, *, program: Program, dues: Sequence[Due], clawbacks: sa.ColumnElement[bool], now: datetime
) -> list[Due]:
    """The dues with the amounts and the notice of their paper. `clawbacks` says which adjustments are not netted yet."""
    settings = queries.settings_of(session, program_id=program.id)
    if settings is None:
        return list(dues)
    day = now.astimezone(ZoneInfo(program.time_zone)).date()
    partner_ids = [due.partner_id for due in dues]
    positions = queries.positions(session, program_id=program.id, partner_ids=partner_ids, day=day)
    ours = [key for key, each in positions.items() if each.terms.paper is not PaperKind.OWN_INVOICE]
    taken = _taken(session, partner_ids=ours, clawbacks=clawbacks)
    found = []
    for due in dues:
        position = positions.get(due.partner_id)
        if position is None:
            found.append(replace(due, lacks_profile=settings.demands_profile))
        else:
            found.append(_with_paper(due, position, taken.get(due.partner_id, ()), settings, program, now))
    return found


def _with_paper(  # noqa: PLR0917 - all of one due
    due: Due, position: Position, taken: Sequence[Taken], settings: TaxSettings, program: Program, now: datetime
) -> Due:
    corrections = [(each.payout_id, each.figures()) for each in _given_back(taken, owed_minor=due.clawed_back_minor)]
    corrected = sum((each for _key, each in corrections), Figures(0))
    invoice = figures.figures(position.terms, taxable_minor=max(due.taxable_minor + corrected.taxable_minor, 0))
    total = invoice - corrected
    is_own = position.terms.paper is PaperKind.OWN_INVOICE
    notice = {
        "format": FORMAT,
        "issued_at": now.isoformat(),
        "currency": due.currency,
        "text": settings.text or program.name,
        "buyer": _buyer(settings),
        "seller": _seller(position.profile, due.partner_name),
        "rule": position.rule and {name: getattr(position.rule, name) for name in ("code", "name", "note")},
        "terms": position.terms.plain(),
        "invoice": invoice.plain(),
        "corrections": [{"payout": ids.public("pay", key)} | each.plain() for key, each in corrections],
        "total": total.plain(),
    }
    return replace(
        due, vat_minor=total.vat_minor, stamp_minor=total.stamp_minor, withheld_minor=total.withheld_minor,
        paper=PaperState.AWAITED if is_own else PaperState.DUE, notice=notice,
    )  # fmt: skip


def _given_back(taken: Sequence[Taken], *, owed_minor: int) -> list[Taken]:
    """What this payout nets of it, the oldest papers first, and never more than a paper says.

    What was written off the partner keeps, so the paper that it stands on keeps it too.
    """
    found = []
    for each in taken:
        less_minor = min(each.less_minor, owed_minor, each.left_minor)
        if less_minor > 0:
            found.append(replace(each, less_minor=less_minor))
            owed_minor -= less_minor
    return found


def _buyer(settings: TaxSettings) -> dict[str, Any]:
    names = ("legal_name", "address", "country", "vat_id", "tax_number")
    return {name: getattr(settings, name) for name in names}


def _seller(profile: TaxProfile, partner_name: str) -> dict[str, Any]:
    names = ("legal_name", "address", "country", "vat_id", "tax_number", "is_company", "locale")
    agreed = profile.agreed_at.isoformat() if profile.agreed_at else None
    facts = {name: getattr(profile, name) for name in names}
    return facts | {"partner": partner_name, "profile": str(profile.id), "agreed_at": agreed}


def _taken(
    session: Session, *, partner_ids: Sequence[UUID], clawbacks: sa.ColumnElement[bool]
) -> Mapping[UUID, Sequence[Taken]]:
    """What these partners give back from payouts that we wrote papers for, by partner, the oldest payout first."""
    found: defaultdict[UUID, list[Taken]] = defaultdict(list)
    if not partner_ids:
        return found
    total = sa.func.sum(CommissionAdjustment.amount_minor)
    here = db.among(session, CommissionAdjustment.partner_id, partner_ids)
    mine = (
        sa.select(CommissionAdjustment.partner_id, Commission.payout_id, sa.cast(total, sa.BigInteger))
        .join(Commission, Commission.id == CommissionAdjustment.commission_id)
        .join(Payout, Payout.id == Commission.payout_id)
        .where(clawbacks, here, Payout.paper.in_((PaperState.DUE, PaperState.ISSUED)))
        .group_by(CommissionAdjustment.partner_id, Commission.payout_id)
        .order_by(Commission.payout_id)
    )
    rows = [(partner_id, payout_id, minor) for partner_id, payout_id, minor in session.execute(mine) if payout_id]
    payout_ids = {payout_id for _partner_id, payout_id, _minor in rows if payout_id}
    notices, before = _notices(session, payout_ids), _corrected(session, payout_ids)
    for partner_id, payout_id, less_minor in rows:
        if payout_id:
            found[partner_id].append(Taken(payout_id, notices[payout_id], less_minor, before[payout_id]))
    return found


def _corrected(session: Session, payout_ids: Collection[UUID]) -> Counter[UUID]:
    """What the notices of later payouts have taken back from the papers of these until now."""
    later = (
        sa.select(CommissionAdjustment.payout_id)
        .join(Commission, Commission.id == CommissionAdjustment.commission_id)
        .where(db.among(session, Commission.payout_id, payout_ids), CommissionAdjustment.payout_id.is_not(None))
        .distinct()
    )
    found = Counter[UUID]()
    for notice in _notices(session, [key for key in session.scalars(later) if key]).values():
        for part in notice.get("corrections", ()):
            found[ids.parse("pay", part["payout"])] += part["taxable_minor"]
    return found


def _notices(session: Session, payout_ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    rows = sa.select(Payout.id, Payout.notice).where(db.among(session, Payout.id, payout_ids))
    return {key: dict(value or {}) for key, value in session.execute(rows)}
