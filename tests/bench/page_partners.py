"""What a site of pages has of its partners beside their clicks and orders: people, groups, claims, goals, grades, costs.

As many as there are partners, so made in the database. Statements read the table `crew`: each partner and its number.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from page_sales import DERIVED
from sqlalchemy.orm import Session

_CREW = """CREATE TEMPORARY TABLE crew ON COMMIT DROP AS
    SELECT partner_id, row_number() OVER (ORDER BY partner_id) AS n FROM enrollments
    WHERE program_id = :program AND status = 'approved'"""
_COUPONS = """INSERT INTO coupons (id, program_id, partner_id, code, status, created_at)
    SELECT pg_temp.of(partner_id, 'coupon'), :program, partner_id, 'SAVE' || n, 'active', :begun FROM crew WHERE n % 4 IN (1, 2)"""
_PEOPLE = (
    """INSERT INTO users (id, email, name, active, fs_uniquifier, created_at)
    SELECT pg_temp.of(partner_id, 'person'), 'person-' || n || '@bench.example', 'Person ' || n, true, CAST(partner_id AS text), :begun
    FROM crew""",
    """INSERT INTO members (id, user_id, partner_id, role, created_at)
    SELECT pg_temp.of(partner_id, 'member'), pg_temp.of(partner_id, 'person'), partner_id, 'owner', :begun FROM crew""",
    """INSERT INTO audit_events (id, occurred_at, program_id, actor_kind, actor_id, action, subject_kind, subject_id, details, details_hash)
    SELECT pg_temp.of(partner_id, 'approved'), :begun, :program, 'user', :person, 'enrollment.approve', 'partner', partner_id,
        CAST('{}' AS jsonb), repeat('0', 64) FROM crew ORDER BY n""",
)
_CARE = (
    """INSERT INTO partner_terms (program_id, partner_id, group_name, updated_at)
    SELECT :program, partner_id, CASE WHEN n % 6 = 1 THEN 'gold' ELSE 'silver' END, :begun FROM crew WHERE n % 3 = 1""",
    """INSERT INTO partner_tags (program_id, partner_id, tag)
    SELECT :program, partner_id, (CAST('{food,travel,video,press}' AS text[]))[1 + n % 4] FROM crew WHERE n % 5 = 1""",
    """INSERT INTO partner_care (program_id, partner_id, lead_id, trial_scope, trial_orders_min, trial_orders_max, updated_at)
    SELECT :program, partner_id, :person, '', 0, 0, :begun FROM crew WHERE n % 2 = 1""",
    """INSERT INTO partner_notes (id, program_id, partner_id, text, by_id, noted_at)
    SELECT pg_temp.of(partner_id, 'note' || word), :program, partner_id, 'We talked about the ' || word || '.', :person, :now
    FROM crew, (VALUES ('spring'), ('summer'), ('autumn')) AS words (word) WHERE n % 10 = 1""",
    """INSERT INTO duties (id, program_id, partner_id, task, side, cadence, first_on, due_on, status, rounds, created_at, updated_at)
    SELECT pg_temp.of(partner_id, 'duty'), :program, partner_id, 'Write about what is new', 'partner', 'monthly', CAST(:begun AS date),
        CAST(:now AS date) + 7, 'pending', CAST('[]' AS jsonb), :begun, :begun FROM crew WHERE n % 20 = 1""",
    """INSERT INTO partner_goals (id, program_id, partner_id, metric, target, starts_on, ends_on, status, proposed_by, decided_at, created_at)
    SELECT pg_temp.of(partner_id, 'goal'), :program, partner_id, 'sales', 20, CAST(:now AS date) - 20, CAST(:now AS date) + 10, 'agreed',
        'program', :begun, :begun FROM crew WHERE n % 50 = 1""",
    """INSERT INTO service_entries (id, program_id, partner_id, measure, number, starts_on, ends_on, note, source, created_by_id, created_at)
    SELECT pg_temp.of(partner_id, measure), :program, partner_id, measure, 100 + n % 300, CAST(:now AS date) - 30, CAST(:now AS date), '',
        'help desk', :person, :now FROM crew, (VALUES ('answer_time'), ('feedback')) AS m (measure) WHERE n % 10 = 1""",
    """INSERT INTO partner_costs (id, program_id, partner_id, kind, spent_on, amount_minor, currency, note, entered_by_id, entered_at)
    SELECT pg_temp.of(partner_id, 'cost'), :program, partner_id, 'samples', CAST(:now AS date) - 10, 2500, 'EUR', 'A pan', :person, :now
    FROM crew WHERE n % 25 = 1""",
    """INSERT INTO invitations (id, program_id, code, name, lets_in, uses, created_by_id, created_at)
    SELECT pg_temp.of(partner_id, 'invitation'), :program, 'bench' || n, 'Fair ' || n, false, 0, :person, :begun
    FROM crew WHERE n % 20 = 1 AND n < 4000""",
)
_CASES = (
    """INSERT INTO cases (id, program_id, partner_id, kind, status, order_id, claimed_minor, conversion_id, trace, answer_by, closed_at,
        closed_by_id, opened_by_id, opened_at, updated_at)
    SELECT pg_temp.of(crew.partner_id, 'case'), :program, crew.partner_id, 'wrong_amount',
        CASE WHEN n % 200 = 21 THEN 'accepted' ELSE 'open' END, CAST(order_id AS text), 9000, order_id,
        jsonb_build_object('orders', CAST('[]' AS jsonb), 'clicks', CAST('{"valid": 20}' AS jsonb)),
        CAST(:now AS timestamptz) + n % 100 * interval '1 hour', CASE WHEN n % 200 = 21 THEN CAST(:now AS timestamptz) END,
        CASE WHEN n % 200 = 21 THEN CAST(:person AS uuid) END, pg_temp.of(crew.partner_id, 'person'), at, :now
    FROM crew JOIN (SELECT DISTINCT ON (partner_id) partner_id, order_id, at FROM sold ORDER BY partner_id, n) AS theirs
        ON theirs.partner_id = crew.partner_id
    WHERE n % 20 = 1""",
    """INSERT INTO case_messages (id, case_id, side, status, text, by_id, said_at)
    SELECT pg_temp.of(id, 'first'), id, 'partner', 'open', 'The order was larger than you say.', opened_by_id, opened_at
    FROM cases WHERE program_id = :program""",
    """INSERT INTO case_messages (id, case_id, side, status, text, by_id, said_at)
    SELECT pg_temp.of(id, 'last'), id, 'program', 'accepted', 'So it was.', closed_by_id, closed_at
    FROM cases WHERE program_id = :program AND closed_at IS NOT NULL""",
)
_NOTICES = """INSERT INTO partner_notices (id, program_id, partner_id, kind, texts, path, is_passed_on, created_at)
    SELECT pg_temp.of(partner_id, 'notice' || place), :program, partner_id, 'creatives',
        CAST('{"en": {"title": "New material", "lines": ["Pans for the spring"], "act": "Look at it"}}' AS jsonb), '/portal/bench/creatives',
        true, CAST(:now AS timestamptz) - place * interval '1 day'
    FROM crew, generate_series(1, 3) AS place"""


def name_crew(session: Session, *, program_id: UUID, begun: datetime) -> None:
    """Number the partners in `crew` until the transaction ends, and give half of them a coupon each."""
    for statement in (DERIVED, _CREW, _COUPONS):
        session.execute(sa.text(statement), {"program": program_id, "begun": begun})


def claim(session: Session, *, program_id: UUID, person_id: UUID, now: datetime) -> None:
    """A case for one partner in twenty about an order of `sold`, some of them answered by that person; and notices for each."""
    for statement in (*_CASES, _NOTICES):
        session.execute(sa.text(statement), {"program": program_id, "person": person_id, "now": now})


def look_after(session: Session, *, program_id: UUID, person_id: UUID, begun: datetime, now: datetime) -> None:
    """A person for each partner, and what the manager with that id noted, agreed and graded."""
    told = {"program": program_id, "person": person_id, "begun": begun, "now": now}
    for statement in (*_PEOPLE, *_CARE):
        session.execute(sa.text(statement), told)
