"""Every SELECT of papers: what waits, what was filed, what was issued, and the year of each partner."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.papers.models import FiledInvoice, FiledStatus, Paper
from affiliate.partners.models import Partner
from affiliate.payouts.models import PaperState, Payout, PayoutStatus
from affiliate.programs.models import Program
from affiliate.taxes.models import TaxProfile

SHOWN_MAX = 200


@dataclass(frozen=True, slots=True)
class Year:
    """What a partner was paid in a year, in minor units, and who it is for the taxes."""

    partner_id: UUID
    name: str
    legal_name: str | None
    country: str | None
    vat_id: str | None
    tax_number: str | None
    payouts: int
    taxable_minor: int
    vat_minor: int
    stamp_minor: int
    withheld_minor: int
    paid_minor: int


def payouts_in(
    session: Session, *, paper: PaperState, statuses: Sequence[PayoutStatus], limit: int
) -> Sequence[Payout]:
    """Payouts whose paper and status are these, the oldest first, so that a paper comes before its corrections."""
    found = sa.select(Payout).where(Payout.paper == paper, Payout.status.in_(statuses))
    return session.scalars(
        found.order_by(Payout.id).limit(limit).execution_options(populate_existing=True)
    ).all()  # fmt: skip


def original_of(session: Session, *, payout_id: UUID) -> Paper:
    """The invoice or receipt of a payout."""
    found = sa.select(Paper).where(Paper.payout_id == payout_id, Paper.corrects_id.is_(None))
    return session.scalars(found).one()


def papers_of_payout(session: Session, *, payout_id: UUID) -> Sequence[Paper]:
    """All papers that we wrote for a payout, in the order of writing."""
    return session.scalars(
        sa.select(Paper).where(Paper.payout_id == payout_id).order_by(Paper.issued_at, Paper.id)
    ).all()


def papers_of(
    session: Session, *, program_id: UUID, partner_id: UUID | None = None, limit: int = SHOWN_MAX
) -> list[tuple[Paper, str]]:
    """The newest papers of a program, or of one partner in it, with the partner's name."""
    mine = [Paper.program_id == program_id]
    if partner_id is not None:
        mine.append(Paper.partner_id == partner_id)
    found = sa.select(Paper, Partner.name).join(Partner, Partner.id == Paper.partner_id).where(*mine)
    rows = session.execute(found.order_by(Paper.issued_at.desc(), Paper.series, Paper.number.desc()).limit(limit))
    return [(row[0], row[1]) for row in rows]


def paper_of(session: Session, *, program_id: UUID, paper_id: UUID, partner_id: UUID | None = None) -> Paper | None:
    """One paper of a program; of one partner alone, if given."""
    mine = [Paper.id == paper_id, Paper.program_id == program_id]
    if partner_id is not None:
        mine.append(Paper.partner_id == partner_id)
    return session.scalar(sa.select(Paper).where(*mine))


def unrendered(session: Session, *, limit: int) -> Sequence[Paper]:
    """Papers without their PDF, the oldest first."""
    found = sa.select(Paper).where(Paper.file_id.is_(None))
    return session.scalars(found.order_by(Paper.issued_at).limit(limit)).all()


def unrendered_count(session: Session) -> int:
    """How many papers wait for their PDF."""
    return session.scalar(sa.select(sa.func.count()).where(Paper.file_id.is_(None))) or 0


def filed_of(session: Session, *, payout_id: UUID) -> FiledInvoice | None:
    """The newest invoice that was filed for a payout."""
    mine = sa.select(FiledInvoice).where(FiledInvoice.payout_id == payout_id)
    return session.scalar(mine.order_by(FiledInvoice.filed_at.desc(), FiledInvoice.id.desc()).limit(1))


def filed_for(session: Session, *, payout_id: UUID) -> Sequence[FiledInvoice]:
    """All invoices that were filed for a payout, the oldest first."""
    mine = sa.select(FiledInvoice).where(FiledInvoice.payout_id == payout_id)
    return session.scalars(mine.order_by(FiledInvoice.filed_at, FiledInvoice.id).limit(SHOWN_MAX)).all()


def filed_by_id(
    session: Session, *, program_id: UUID, invoice_id: UUID, partner_id: UUID | None = None
) -> FiledInvoice | None:
    """One filed invoice of a program; of one partner alone, if given."""
    mine = [FiledInvoice.id == invoice_id, FiledInvoice.program_id == program_id]
    if partner_id is not None:
        mine.append(FiledInvoice.partner_id == partner_id)
    found = sa.select(FiledInvoice).where(*mine)
    return session.scalar(found.execution_options(populate_existing=True))


def number_is_used(session: Session, *, program_id: UUID, partner_id: UUID, number: str) -> bool:
    """Whether the partner has filed an invoice of this number that was not refused."""
    mine = (FiledInvoice.program_id == program_id, FiledInvoice.partner_id == partner_id)
    here = (*mine, FiledInvoice.number == number, FiledInvoice.status != FiledStatus.REFUSED)
    return bool(session.scalar(sa.select(sa.exists().where(*here))))


def filed_in(
    session: Session, *, program_id: UUID, status: FiledStatus | None = None, partner_id: UUID | None = None,
    oldest_first: bool = False, limit: int = SHOWN_MAX,
) -> list[tuple[FiledInvoice, Payout, str]]:  # fmt: skip
    """Filed invoices of a program with their payouts and partners' names, the newest first unless the oldest is asked for."""
    by_age = (FiledInvoice.filed_at, FiledInvoice.id)
    mine = [FiledInvoice.program_id == program_id]
    if status is not None:
        mine.append(FiledInvoice.status == status)
    if partner_id is not None:
        mine.append(FiledInvoice.partner_id == partner_id)
    found = (
        sa.select(FiledInvoice, Payout, Partner.name)
        .join(Payout, Payout.id == FiledInvoice.payout_id)
        .join(Partner, Partner.id == FiledInvoice.partner_id)
        .where(*mine)
        .order_by(*(by_age if oldest_first else (column.desc() for column in by_age)))
    )
    return [(row[0], row[1], row[2]) for row in session.execute(found.limit(limit))]


def awaited(
    session: Session, *, program_id: UUID, partner_id: UUID | None = None, limit: int = SHOWN_MAX
) -> list[tuple[Payout, str, FiledInvoice | None]]:
    """Payouts of proposed runs that wait for their invoice, with the one that lies with finance if there is one."""
    mine = [Payout.program_id == program_id, Payout.status == PayoutStatus.PROPOSED, Payout.paper == PaperState.AWAITED]
    if partner_id is not None:
        mine.append(Payout.partner_id == partner_id)
    filed = sa.and_(FiledInvoice.payout_id == Payout.id, FiledInvoice.status == FiledStatus.FILED)
    found = (
        sa.select(Payout, Partner.name, FiledInvoice)
        .join(Partner, Partner.id == Payout.partner_id)
        .outerjoin(FiledInvoice, filed)
        .where(*mine)
        .order_by(Partner.name, Payout.id)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(found.limit(limit))]


def years(session: Session, *, program: Program, limit: int = 20) -> list[int]:
    """The years in which the program paid anybody, the newest first."""
    paid = (Payout.program_id == program.id, Payout.status == PayoutStatus.PAID)
    first, last = session.execute(
        sa.select(sa.func.min(Payout.paid_at), sa.func.max(Payout.paid_at)).where(*paid)
    ).one()
    if first is None or last is None:
        return []
    zone = ZoneInfo(program.time_zone)
    return list(range(last.astimezone(zone).year, first.astimezone(zone).year - 1, -1))[:limit]


def year(session: Session, *, program: Program, year: int, limit: int, offset: int = 0) -> list[Year]:
    """What each partner was paid in a year of the program's time zone, by name."""
    zone = ZoneInfo(program.time_zone)
    starts_at, ends_at = (datetime(each, 1, 1, tzinfo=zone).astimezone(UTC) for each in (year, year + 1))
    taxable = Payout.earned_minor - Payout.clawed_back_minor
    amounts = (
        taxable,
        Payout.vat_minor,
        Payout.stamp_minor,
        Payout.withheld_minor,
        Payout.amount_minor - Payout.withheld_minor,
    )
    sums = (
        sa.select(Payout.partner_id, sa.func.count(), *(sa.cast(sa.func.sum(each), sa.BigInteger) for each in amounts))
        .where(Payout.program_id == program.id, Payout.status == PayoutStatus.PAID)
        .where(Payout.paid_at >= starts_at, Payout.paid_at < ends_at)
        .group_by(Payout.partner_id)
        .subquery()
    )
    who = (TaxProfile.legal_name, TaxProfile.country, TaxProfile.vat_id, TaxProfile.tax_number)
    current = sa.and_(
        TaxProfile.partner_id == Partner.id, TaxProfile.program_id == program.id, TaxProfile.replaced_at.is_(None)
    )
    found = (
        sa.select(Partner.id, Partner.name, *who, *list(sums.c)[1:])
        .join(sums, sums.c.partner_id == Partner.id)
        .outerjoin(TaxProfile, current)
        .order_by(Partner.name, Partner.id)
    )
    return [Year(*row) for row in session.execute(found.limit(limit).offset(offset))]
