"""The fraud rules over a mixed month with two percent of fraud: how much of it they find, how many honest orders they stop, at what cost.

Every rule has its fraud in it (`fraud_kinds`), and beside each what only looks like it. Fraud that is seen by its pattern passes until
the pattern is there, and that counts as not found.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from figures import Figure
from fraud_kinds import KINDS
from fraud_story import BEGINS, DAYS, Month
from money_stages import upgrade
from sqlalchemy.orm import Session

from affiliate import db, ids
from affiliate.attribution.models import Attribution, Credit
from affiliate.fraud import counting, judging
from affiliate.fraud.models import FraudVerdict
from affiliate.fraud.signals import Verdict
from affiliate.ingest.models import Conversion, Refund

MONTH_LATER = BEGINS + timedelta(days=DAYS + 31)


def measure() -> Iterator[Figure]:
    """Precision and recall in percent, what was found of each kind, and the cost of a credit, on SQLite."""
    with tempfile.TemporaryDirectory(prefix="affiliate-bench-") as folder:
        engine = db.make_engine(f"sqlite:///{folder}/bench.db")
        upgrade(engine)
        with Session(engine, expire_on_commit=False) as session:
            month = Month(session)
            month.found()
            for day in range(DAYS):
                month.honest_day(day)
            for kind in KINDS:
                kind(month)
            month.insert()
            seconds = _judge(session, month)
            stopped = _stopped(session)
        engine.dispose()
    found = stopped.keys() & month.frauds.keys()
    yield Figure("fraud rules: orders of the month", len(month.orders))
    yield Figure("fraud rules: of these fraud, %", 100 * len(month.frauds) / len(month.orders))
    yield from _by_kind(month, found)
    wrongly = Counter(rule for order, rule in stopped.items() if order not in month.frauds)
    for rule, number in wrongly.most_common():
        yield Figure(f"fraud rules: stopped wrongly by {rule}", number)
    yield Figure("fraud rules: precision, %", 100 * len(found) / len(stopped), ">= 90")
    yield Figure("fraud rules: recall, %", 100 * len(found) / len(month.frauds), ">= 70")
    yield Figure("fraud rules: µs a credit", seconds / len(month.orders) * 1_000_000)


def _by_kind(month: Month, found: Collection[UUID]) -> Iterator[Figure]:
    there, seen = Counter(month.frauds.values()), Counter(month.frauds[order] for order in found)
    for kind, number in there.items():
        yield Figure(f"fraud rules: found of {number} {kind}", seen[kind])


def _stopped(session: Session) -> dict[UUID, str]:
    """The rule that stopped each order that does not pass."""
    current = sa.and_(Attribution.id == FraudVerdict.attribution_id, Attribution.is_current)
    wanted = sa.select(FraudVerdict.conversion_id, FraudVerdict.reason).join(Attribution, current)
    rows = session.execute(wanted.where(FraudVerdict.verdict != Verdict.PASS))
    return {row[0]: row[1] or "" for row in rows}


def _judge(session: Session, month: Month) -> float:
    """Judge each day's orders on their evening and take what came back by then; the seconds that took. Late ones are asked again."""
    began = time.perf_counter()
    for day in range(DAYS):
        evening = BEGINS + timedelta(days=day + 1)
        yesterday = evening - timedelta(days=1)
        of_day = [order for order, at in month.orders.items() if yesterday <= at < evening]
        judging.judge(session, conversion_ids=of_day, now=evening)
        returned = sa.select(Refund.conversion_id).where(Refund.received_at >= yesterday, Refund.received_at < evening)
        counting.note_refunds(session, conversion_ids=session.scalars(returned).all())
        session.commit()
    seconds = time.perf_counter() - began
    for order in sorted(month.late):
        _ask_again(session, order)
    judging.judge(session, conversion_ids=month.late, now=MONTH_LATER)
    session.commit()
    return seconds


def _ask_again(session: Session, conversion_id: UUID) -> None:
    """A second version of an order's attribution, with the same credit."""
    before = session.scalars(sa.select(Attribution).where(Attribution.conversion_id == conversion_id)).one()
    credit = session.scalars(sa.select(Credit).where(Credit.attribution_id == before.id)).one()
    told = {"model": before.model, "policy_version": 1, "is_new_customer": True, "trace": {}, "decided_at": MONTH_LATER}
    before.is_current = False
    session.flush()
    again = Attribution(
        id=ids.new(), conversion_id=conversion_id, conversion_revision=2, version=2, is_current=True, **told
    )
    session.add(again)
    session.flush()
    session.add(
        Credit(
            id=ids.new(), attribution_id=again.id, partner_id=credit.partner_id, click_id=credit.click_id,
            share_bps=credit.share_bps,
        )
    )  # fmt: skip
    session.execute(
        sa.update(Conversion).where(Conversion.id == conversion_id).values(revision=2, attributed_revision=2)
    )
