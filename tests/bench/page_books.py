"""The books of the orders of a site of pages: movements that agree with their commissions, and a payout run of a month ago.

Statements read the tables `sold` (`page_sales`) and `crew` (`page_partners`), in the same transaction.
"""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

_RUN_DAYS_AGO = 30
_MOVE = """INSERT INTO ledger_transfers (id, program_id, kind, debit_account_id, credit_account_id, amount_minor, currency, source_kind,
        source_id, leg, posted_at, content_hash)"""
_REVIEWED = """UPDATE commissions SET status = 'under_review' FROM sold WHERE sold.commission_id = commissions.id AND n % 200 = 100"""
_BOOK = (
    """INSERT INTO ledger_accounts (id, program_id, partner_id, name, currency)
    SELECT CAST(md5(name || CAST(partner_id AS text)) AS uuid), :program, partner_id, name, 'EUR'
    FROM (SELECT DISTINCT partner_id FROM sold) AS p, (VALUES ('pending'), ('approved')) AS names (name)
    ON CONFLICT DO NOTHING""",
    """INSERT INTO ledger_accounts (id, program_id, partner_id, name, currency)
    VALUES (CAST(md5('expense') AS uuid), :program, NULL, 'expense', 'EUR') ON CONFLICT DO NOTHING""",
    f"""{_MOVE} SELECT pg_temp.of(commission_id, 't'), :program, 'accrue', CAST(md5('expense') AS uuid),
        CAST(md5('pending' || CAST(partner_id AS text)) AS uuid), 800, 'EUR', 'commission', commission_id, 0, at, repeat('0', 64)
    FROM sold""",  # noqa: S608 - our own names
    f"""{_MOVE} SELECT pg_temp.of(commission_id, 'u'), :program, 'approve',
        CAST(md5('pending' || CAST(partner_id AS text)) AS uuid), CAST(md5('approved' || CAST(partner_id AS text)) AS uuid), 800, 'EUR',
        'commission', commission_id, 0, at, repeat('0', 64)
    FROM sold WHERE n % 2 = 1""",  # noqa: S608 - our own names
    """INSERT INTO refunds (id, program_id, order_id, conversion_id, refund_id, amount_minor, currency, items, reason, fingerprint, is_test,
        occurred_at, received_at, taken_at, is_set_aside)
    SELECT pg_temp.of(order_id, 'r'), :program, CAST(order_id AS text), order_id, 'r1', 1000, 'EUR',
        CAST('[]' AS jsonb), 'too small', repeat('0', 64), false, at, at, at, false FROM sold WHERE n % 20 = 0""",
)
_PAID = """CREATE TEMPORARY TABLE paid ON COMMIT DROP AS
    SELECT sold.partner_id, pg_temp.of(sold.partner_id, 'payout') AS payout_id, CAST(800 * count(*) AS bigint) AS minor
    FROM sold JOIN crew ON crew.partner_id = sold.partner_id
    WHERE sold.n % 2 = 1 AND crew.n % 2 = 1 AND at < :proposed GROUP BY sold.partner_id"""
_RUN = (
    """INSERT INTO payout_runs (id, program_id, currency, status, total_minor, is_single_handed, proposed_by_id, proposed_at, approved_by_id,
        approved_at, paid_by_id, paid_at)
    SELECT pg_temp.of(:program, 'run'), :program, 'EUR', 'paid', sum(minor), false, :person, :proposed, :second, :paid, :person, :paid
    FROM paid""",
    """INSERT INTO payouts (id, run_id, program_id, partner_id, currency, status, earned_minor, clawed_back_minor, amount_minor, vat_minor,
        stamp_minor, withheld_minor, paper, created_at, paid_at, method_id)
    SELECT payout_id, pg_temp.of(:program, 'run'), :program, paid.partner_id, 'EUR', 'paid', minor, 0, minor, 0, 0, 0, 'none', :proposed,
        :paid, methods.id
    FROM paid JOIN payout_methods AS methods ON methods.partner_id = paid.partner_id""",
    """UPDATE commissions SET status = 'paid', payout_id = paid.payout_id, paid_at = :paid FROM paid
    WHERE commissions.partner_id = paid.partner_id AND commissions.status = 'approved' AND commissions.earned_at < :proposed""",
    """INSERT INTO ledger_accounts (id, program_id, partner_id, name, currency)
    SELECT CAST(md5(name || CAST(partner_id AS text)) AS uuid), :program, partner_id, name, 'EUR'
    FROM paid, (VALUES ('in_transit'), ('paid')) AS names (name)""",
    f"""{_MOVE} SELECT pg_temp.of(payout_id, kind), :program, kind, CAST(md5(away || CAST(partner_id AS text)) AS uuid),
        CAST(md5(to_name || CAST(partner_id AS text)) AS uuid), minor, 'EUR', 'payout', payout_id, 0, :paid, repeat('0', 64)
    FROM paid, (VALUES ('send', 'approved', 'in_transit', 1), ('settle', 'in_transit', 'paid', 2)) AS steps (kind, away, to_name, place)
    ORDER BY place""",  # noqa: S608 - our own names
)


def book(session: Session, *, program_id: UUID, person_id: UUID, second_id: UUID, now: datetime) -> None:
    """What the orders in `sold` moved, and half of the partners paid for what was approved until a month ago.

    The one person proposed and paid the run, the second approved it.
    """
    proposed = now - timedelta(days=_RUN_DAYS_AGO)
    told = {"program": program_id, "person": person_id, "second": second_id, "proposed": proposed, "paid": proposed + timedelta(days=1)}  # fmt: skip
    for statement in (*_BOOK, _REVIEWED, _PAID, *_RUN):
        session.execute(sa.text(statement), told)
