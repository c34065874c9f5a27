"""What a change of a setting would have touched: counted from the books and rows that there are."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate.commissions.models import Commission
from affiliate.fraud.surroundings import days_before
from affiliate.ingest.models import ClickHour, ClickVerdict, Conversion, Refund
from affiliate.ledger import queries as ledger
from affiliate.links.models import Link, LinkStatus
from affiliate.payouts.models import Adjustment, PayoutRun, PayoutStatus
from affiliate.payouts.queries import payable_commissions
from affiliate.reports.queries import NOT_COUNTED
from affiliate.taxes.figures import PaperKind
from affiliate.taxes.models import TaxProfile

PROFILES_MAX = 10_000


def owed_below(session: Session, *, program_id: UUID, amount_minor: int) -> tuple[int, int]:
    """How many partners have less than this to be paid, and their sum in minor units; nothing owed does not count."""
    owed = ledger.approved_balances(program_id=program_id).subquery()
    few = sa.and_(owed.c.balance > 0, owed.c.balance < amount_minor)
    total = sa.cast(sa.func.coalesce(sa.func.sum(owed.c.balance), 0), sa.BigInteger)
    row = session.execute(sa.select(sa.func.count(), total).select_from(owed).where(few)).one()
    return row[0], row[1]


def links_to(session: Session, *, program_id: UUID, hosts: Sequence[str]) -> int:
    """How many active links lead to one of these hosts."""
    there = [
        Link.landing_url.like(sa.literal(f"{scheme}://{host}") + rest)
        for host in hosts
        for scheme in ("https", "http")
        for rest in ("", "/%", "?%")
    ]
    mine = (Link.program_id == program_id, Link.status == LinkStatus.ACTIVE, sa.or_(*there))
    return session.scalar(sa.select(sa.func.count()).where(*mine)) or 0


def earned_since(session: Session, *, program_id: UUID, since: datetime) -> tuple[int, int]:
    """Commissions of orders since then, and their sum in minor units."""
    mine = (Commission.program_id == program_id, Commission.is_live, Commission.status.not_in(NOT_COUNTED))
    total = sa.cast(sa.func.coalesce(sa.func.sum(Commission.amount_minor), 0), sa.BigInteger)
    found = sa.select(sa.func.count(), total).where(*mine, Commission.earned_at >= since)
    row = session.execute(found).one()
    return row[0], row[1]


def returns_between(session: Session, *, program_id: UUID, since: datetime, days: tuple[int, int]) -> int:
    """How many refunds since then came more than the first and at most the second number of days after their order."""
    shorter, longer = days
    late = Conversion.occurred_at < days_before(session, Refund.occurred_at, shorter)
    in_time = Conversion.occurred_at >= days_before(session, Refund.occurred_at, longer)
    mine = (Refund.program_id == program_id, Refund.occurred_at >= since, ~Refund.is_test)
    found = sa.select(sa.func.count()).select_from(Refund).join(Conversion, Conversion.id == Refund.conversion_id)
    return session.scalar(found.where(*mine, late, in_time)) or 0


def clicks_since(session: Session, *, program_id: UUID, since: datetime) -> int:
    """Valid clicks since then."""
    mine = (ClickHour.program_id == program_id, ClickHour.hour >= since, ClickHour.verdict == ClickVerdict.VALID)
    return session.scalar(sa.select(sa.func.coalesce(sa.func.sum(ClickHour.clicks), 0)).where(*mine)) or 0


def approved_by(session: Session, *, program_id: UUID, until: datetime) -> tuple[int, int]:
    """Commissions that a run could pay which takes what was approved by then, and their sum in minor units."""
    left = Commission.amount_minor - Commission.reversed_minor
    total = sa.cast(sa.func.coalesce(sa.func.sum(left), 0), sa.BigInteger)
    found = sa.select(sa.func.count(), total).where(payable_commissions(program_id, until=until))
    row = session.execute(found).one()
    return row[0], row[1]


def last_run_at(session: Session, *, program_id: UUID) -> datetime | None:
    """When the newest run was proposed that was not taken back."""
    mine = (PayoutRun.program_id == program_id, PayoutRun.status != PayoutStatus.CANCELLED)
    return session.scalar(sa.select(sa.func.max(PayoutRun.proposed_at)).where(*mine))


def runs_above(session: Session, *, program_id: UUID, since: datetime, amount_minor: int) -> tuple[int, int]:
    """How many payout runs were proposed since a moment for more than an amount, and how many in all."""
    above = sa.func.count().filter(PayoutRun.total_minor > amount_minor)
    counted = sa.select(above, sa.func.count()).where(
        PayoutRun.program_id == program_id, PayoutRun.proposed_at >= since
    )
    row = session.execute(counted).one()
    return row[0], row[1]


def entries_between(session: Session, *, program_id: UUID, since: datetime, amounts: tuple[int, int]) -> int:
    """How many entries by hand since then were above the first amount and at most the second, in minor units."""
    size = sa.func.abs(Adjustment.amount_minor)
    mine = (Adjustment.program_id == program_id, Adjustment.entered_at >= since)
    return session.scalar(sa.select(sa.func.count()).where(*mine, size > amounts[0], size <= amounts[1])) or 0


def owed_without_profile(session: Session, *, program_id: UUID) -> tuple[int, int]:
    """How many partners without a tax profile have something to be paid, and their sum in minor units."""
    owed = ledger.approved_balances(program_id=program_id).subquery()
    mine = (TaxProfile.program_id == program_id, TaxProfile.replaced_at.is_(None))
    none = ~sa.exists().where(*mine, TaxProfile.partner_id == owed.c.partner_id)
    total = sa.cast(sa.func.coalesce(sa.func.sum(owed.c.balance), 0), sa.BigInteger)
    row = session.execute(sa.select(sa.func.count(), total).select_from(owed).where(owed.c.balance > 0, none)).one()
    return row[0], row[1]


def self_billed(session: Session, *, program_id: UUID) -> int:
    """How many partners have agreed to invoices that the program writes."""
    mine = (TaxProfile.program_id == program_id, TaxProfile.replaced_at.is_(None))
    agreed = (*mine, TaxProfile.paper == PaperKind.SELF_BILLING)
    return session.scalar(sa.select(sa.func.count()).where(*agreed)) or 0


def owed_under_rule(session: Session, *, program_id: UUID, code: str) -> list[tuple[TaxProfile, int]]:
    """The tax profiles under a rule whose partners have something to be paid now, each with the sum in minor units."""
    owed = ledger.approved_balances(program_id=program_id).subquery()
    mine = (TaxProfile.program_id == program_id, TaxProfile.replaced_at.is_(None), TaxProfile.rule_code == code)
    found = sa.select(TaxProfile, owed.c.balance).join(owed, owed.c.partner_id == TaxProfile.partner_id)
    rows = session.execute(found.where(*mine, owed.c.balance > 0).order_by(TaxProfile.id).limit(PROFILES_MAX))
    return [(row[0], row[1]) for row in rows]
