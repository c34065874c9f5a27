"""What becomes of the orders of a site of pages, and what comes beside them: steps, life, losses, reviews, refusals, the shop's own totals.

Statements read the table `sold` (`page_sales`), in the same transaction.
"""

from datetime import datetime
from uuid import UUID

import page_traces
import sqlalchemy as sa
from page_site import VISITORS
from sqlalchemy.orm import Session

_STEPPED = """CREATE TEMPORARY TABLE stepped ON COMMIT DROP AS
    SELECT program_id, partner_id, {device} AS device, referrer_host AS source, step, date_trunc('hour', occurred_at, 'UTC') AS hour, verdict
    FROM clicks, (VALUES ('product', '40'), ('cart', '18'), ('checkout', '0c')) AS steps (step, below)
    WHERE right(CAST(id AS text), 2) < below""".format(device=VISITORS["device"])  # noqa: S608 - our own names
_STEPS = {
    "step_hours_program": "program_id, device, step",
    "step_hours_partner": "program_id, partner_id, device, step",
    "step_hours_source": "program_id, source, partner_id, step",
}
_SHOP = """INSERT INTO shop_days (program_id, day, currency, orders, revenue_minor, visitors, new_customers, costs_minor, updated_at)
    SELECT :program, CAST(day AS date), 'EUR', own * 3, own * 30000, own * 150, own, own * 12000, :now
    FROM generate_series(CAST(:now AS date) - 89, CAST(:now AS date), interval '1 day') AS day,
        (SELECT 1 + count(*) / 60 AS own FROM sold) AS orders"""
_LIFE = """INSERT INTO order_events (id, program_id, order_id, conversion_id, event_id, type, fingerprint, is_test, occurred_at, received_at,
        taken_at)
    SELECT pg_temp.of(order_id, type), :program, CAST(order_id AS text), order_id, type, type, repeat('0', 64), false, at + after, at + after,
        at + after
    FROM sold, (VALUES ('shipped', interval '1 day'), ('delivered', interval '3 days')) AS life (type, after)
    WHERE n % 3 = 0 AND at + after < :now"""
_LOST = (
    """INSERT INTO conversions (id, program_id, kind, order_id, trust, source, is_test, revision, attributed_revision, amount_minor, tax_minor,
        shipping_minor, discount_minor, currency, click_id, customer_id, channel, items, fingerprint, occurred_at, received_at)
    SELECT pg_temp.of(order_id, 'lost'), :program, 'sale', 'lost-' || CAST(order_id AS text), 2, 'api', false, 1, 1, 8000, 0, 0, 0, 'EUR',
        click_id, 'l' || n, 'search_ads', CAST('[]' AS jsonb), repeat('0', 64), at, at FROM sold WHERE n % 10 = 5""",
    """INSERT INTO attributions (id, conversion_id, conversion_revision, version, is_current, model, policy_version, is_new_customer, reason,
        trace, decided_at, commissioned_at)
    SELECT pg_temp.of(attribution_id, 'lost'), pg_temp.of(order_id, 'lost'), 1, 1, true, 'last_click', 1, false, 'other_channel',
        CAST(:decided AS jsonb) || jsonb_build_object('converted_at', moment, 'touches', jsonb_build_array(CAST(:click AS jsonb)
                || jsonb_build_object('id', click_id, 'at', moment, 'partner_id', partner_id, 'link_id', link_id),
            CAST(:channel AS jsonb) || jsonb_build_object('at', moment))), at, at FROM sold WHERE n % 10 = 5""",
    """INSERT INTO channel_losses (attribution_id, partner_id, channel)
    SELECT pg_temp.of(attribution_id, 'lost'), partner_id, 'search_ads' FROM sold WHERE n % 10 = 5""",
    """INSERT INTO channel_touches (id, program_id, click_id, channel, evidence, occurred_at)
    SELECT pg_temp.of(click_id, 'touch'), :program, click_id, 'search_ads', 'gclid', at FROM sold WHERE n % 10 = 5""",
)
_REFUSED = (
    """INSERT INTO rejected_events (id, program_id, kind, conversion_id, reason, payload, received_at)
    SELECT pg_temp.of(order_id, 'again'), :program, 'conversion', order_id, 'conflicting_body',
        jsonb_build_object('order_id', CAST(order_id AS text), 'amount', '90.00'), at FROM sold WHERE n % 100 = 1""",
    """INSERT INTO dead_letters (id, program_id, stream, entry_id, payload, error, failed_at)
    SELECT pg_temp.of(order_id, 'letter'), :program, 'conversions', '0-' || n, '{}', 'value too long', at FROM sold WHERE n % 300 = 1""",
)
_CHECKED = (
    """INSERT INTO validation_files (id, program_id, name, lines_total, lines_checked, lines_done, uploaded_by_id, uploaded_at, confirmed_by_id,
        confirmed_at, finished_at)
    SELECT pg_temp.of(:program, 'file' || place), :program, 'orders-' || place || '.csv', 300, 300, 300, :person, at, :person, at, at
    FROM (SELECT place, CAST(:now AS timestamptz) - place * interval '3 days' AS at FROM generate_series(1, 20) AS place) AS files""",
    """INSERT INTO validation_lines (file_id, number, order_id, word, reason, is_repeated, verdict)
    SELECT pg_temp.of(:program, 'file' || n / 300), n % 300, CAST(order_id AS text), 'approved', '', false, 'unchanged'
    FROM sold WHERE n / 300 BETWEEN 1 AND 20""",
)
_FINDING = (
    '[{"rule": "too_fast", "action": "flag", "evidence": {"seconds": 3, "as_fast_before": 6, "of_last_orders": 9}}]'
)
_JUDGED = (
    """INSERT INTO fraud_decisions (id, program_id, conversion_id, partner_id, number, verdict, note, decided_by_id, decided_at)
    SELECT pg_temp.of(order_id, 'decided'), :program, order_id, partner_id, 1, 'pass', 'The shop knows the customer.', :person, at
    FROM sold WHERE n % 200 = 0""",
    """INSERT INTO fraud_verdicts (id, program_id, conversion_id, attribution_id, partner_id, verdict, reason, findings, settings_version,
        decision_id, answer_by, judged_at)
    SELECT pg_temp.of(order_id, 'verdict'), :program, order_id, attribution_id, partner_id,
        CASE WHEN n % 200 = 0 THEN 'pass' ELSE 'flag' END, 'too_fast', CAST(:finding AS jsonb), 0,
        CASE WHEN n % 200 = 0 THEN pg_temp.of(order_id, 'decided') END,
        CASE WHEN n % 200 = 100 THEN CAST(:now AS timestamptz) + n % 70 * interval '1 hour' END, at
    FROM sold WHERE n % 100 = 0""",
    """INSERT INTO fraud_orders (conversion_id, partner_id, program_id, attribution_id, occurred_at, seconds, by_code, by_machine, refunded)
    SELECT order_id, partner_id, :program, attribution_id, at, 60 + n % 600, false, false, n % 20 = 0 FROM sold""",
    """INSERT INTO fraud_days (program_id, owner_id, day, orders, orders_by_click, orders_by_code, orders_by_machine, orders_refunded)
    SELECT :program, owner_id, CAST(at AT TIME ZONE 'UTC' AS date) AS day, count(*), count(*), 0, 0, count(*) FILTER (WHERE n % 20 = 0)
    FROM sold, LATERAL (VALUES (partner_id), (CAST(:program AS uuid))) AS owners (owner_id) GROUP BY owner_id, day""",
)


def step(session: Session) -> None:
    """How far the visits of the clicks came, by hour: a quarter looked at a product, half of these filled a cart or paid."""
    session.execute(sa.text(_STEPPED))
    for table, keys in _STEPS.items():
        counted = f"SELECT {keys}, hour, verdict, 0, count(*) FROM stepped GROUP BY {keys}, hour, verdict ORDER BY hour, {keys}"  # noqa: S608 - our own names
        session.execute(sa.text(f"INSERT INTO {table} ({keys}, hour, verdict, shard, clicks) {counted}"))


def follow(session: Session, *, program_id: UUID, person_id: UUID, now: datetime) -> None:
    """What happened to the orders in `sold`, and beside them. One in a hundred was looked at for fraud; that person let half of these pass."""
    told = {"program": program_id, "person": person_id, "now": now, "finding": _FINDING} | page_traces.of_loss()
    for statement in (_SHOP, _LIFE, *_LOST, *_REFUSED, *_CHECKED, *_JUDGED):
        session.execute(sa.text(statement), told)
