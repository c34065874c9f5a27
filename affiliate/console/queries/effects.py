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
from affiliate.reports.queries import NOT_COUNTED


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
