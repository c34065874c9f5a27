"""Orders for the clicks of a site of pages, with all that follows from them, made in the database.

Made here row by row they would leave this process with a memory that no web process has, and its pages twice as slow.
"""

from uuid import UUID

import page_traces
import sqlalchemy as sa
from page_site import tell_origins
from sqlalchemy.orm import Session

DERIVED = """
    CREATE OR REPLACE FUNCTION pg_temp.of(thing uuid, what text) RETURNS uuid LANGUAGE sql IMMUTABLE AS
    $$ SELECT CAST(left(CAST(thing AS text), 15) || right(md5(what || CAST(thing AS text)), 19) AS uuid) $$
"""
"""What follows from a click has an id of its time, as ids are made: others would lie far apart in every index."""
_SOLD = """
    CREATE TEMPORARY TABLE sold ON COMMIT DROP AS
    SELECT id AS click_id, partner_id, link_id, occurred_at AS at, pg_temp.of(id, 'o') AS order_id, pg_temp.of(id, 'a') AS attribution_id,
        pg_temp.of(id, 'c') AS credit_id, pg_temp.of(id, 'm') AS commission_id, row_number() OVER (ORDER BY id) AS n,
        to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS+00:00') AS moment
    FROM (
        SELECT id, partner_id, link_id, occurred_at, row_number() OVER (ORDER BY md5(CAST(id AS text))) AS place
        FROM clicks WHERE verdict = 'valid'
    ) AS c
    WHERE mod(place, CAST(:of AS integer)) = 0 AND NOT EXISTS (SELECT FROM conversions WHERE click_id = c.id)
"""
_SELL = (
    """INSERT INTO conversions (id, program_id, kind, order_id, trust, source, is_test, revision, attributed_revision, amount_minor,
        tax_minor, shipping_minor, discount_minor, currency, click_id, customer_id, items, fingerprint, occurred_at, received_at)
    SELECT order_id, :program, 'sale', CAST(order_id AS text), 2, 'api', false, 1, 1, 8000, 0, 0, 0, 'EUR', click_id, 'c' || n % 50000,
        CAST('[{"sku": "S' || n % 200 || '", "group": "G' || n % 12 || '", "quantity": 1, "amount_minor": 8000}]' AS jsonb),
        repeat('0', 64), at, at FROM sold""",
    """INSERT INTO attributions (id, conversion_id, conversion_revision, version, is_current, model, policy_version, is_new_customer, trace,
        decided_at, commissioned_at)
    SELECT attribution_id, order_id, 1, 1, true, 'last_click', 1, n % 3 = 0,
        CAST(:decided AS jsonb) || jsonb_build_object('converted_at', moment,
            'touches', jsonb_build_array(CAST(:touch AS jsonb)
                || jsonb_build_object('id', click_id, 'at', moment, 'partner_id', partner_id, 'link_id', link_id)),
            'credits', jsonb_build_array(jsonb_build_object('partner_id', partner_id, 'share_bps', 10000))), at, at
    FROM sold""",
    """INSERT INTO credits (id, attribution_id, partner_id, link_id, coupon_id, click_id, clicked_at, share_bps)
    SELECT credit_id, attribution_id, sold.partner_id, link_id, coupons.id, click_id, at, 10000 FROM sold
    LEFT JOIN coupons ON coupons.partner_id = sold.partner_id AND n % 4 = 0""",
    """INSERT INTO commissions (id, program_id, partner_id, conversion_id, attribution_id, credit_id, level, turn, is_live, status, currency,
        base_minor, revenue_minor, amount_minor, reversed_minor, counted_currency, counted_base_minor, counted_minor, trace, earned_at,
        matures_at, approved_at, created_at)
    SELECT commission_id, :program, partner_id, order_id, attribution_id, credit_id, 1, 0, true,
        CASE WHEN n % 2 = 0 THEN 'pending' ELSE 'approved' END, 'EUR', 8000, 8000, 800, 0, 'EUR', 8000, 800, CAST(:reckoned AS jsonb), at,
        at + interval '30 days', CASE WHEN n % 2 = 1 THEN at END, at FROM sold""",
)


def sell(session: Session, *, program_id: UUID, of: int) -> None:
    """An order for one valid click of so many, with attribution, credit and commission; half of these are approved.

    Every fourth came by the partner's coupon as well, where it has one.
    The table `sold` tells of each until the transaction ends.
    """
    session.execute(sa.text(DERIVED))
    session.execute(sa.text(_SOLD), {"of": of})
    for statement in _SELL:
        session.execute(sa.text(statement), {"program": program_id} | page_traces.of_sale())
    tell_origins(session)
