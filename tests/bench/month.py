"""Four weeks of clicks and orders on a PostgreSQL of its own, made by the database itself: millions of rows within minutes.

Each visitor clicks on the links of three partners within seconds. Every hundredth click became an order an hour later, which was
attributed and judged then. Whoever measures adds the orders of today.
"""

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))  # the helpers of the tests

import money_stages
import servers
import sqlalchemy as sa
from sqlalchemy.orm import Session

from affiliate import db, garbage, settings
from affiliate.attribution import service as attribution
from affiliate.commissions import service as commissions
from affiliate.ingest import partitions
from affiliate.programs.models import Program

NOW = money_stages.NOW
BATCH = money_stages.CONVERSIONS
DAYS = 28
BEGINS = NOW - timedelta(days=DAYS + 1)
PARTNERS = 40

_FUNCTIONS = """
    CREATE FUNCTION made(text, bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT md5($1 || $2)::uuid $$;
    CREATE FUNCTION click_id(n bigint, at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
        SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '70008' || lpad(to_hex(n), 15, '0'))::uuid
    $$
"""

_PARTNERS = """
    INSERT INTO partners (id, name, channels, created_at)
    SELECT made('partner', n), 'Partner ' || n, '[]', :before FROM generate_series(0, :partners - 1) AS n;
    INSERT INTO enrollments (id, program_id, partner_id, status, partner_class, created_at, updated_at)
    SELECT made('enrollment', n), :program, made('partner', n), 'approved', 'standard', :before, :before
    FROM generate_series(0, :partners - 1) AS n;
    INSERT INTO links (id, program_id, partner_id, code, name, landing_url, subs, status, created_at, updated_at)
    SELECT made('link', n), :program, made('partner', n), 'p' || n, '', '/', '{}', 'active', :before, :before
    FROM generate_series(0, :partners - 1) AS n
"""

_CLICKS = """
    INSERT INTO clicks (id, program_id, partner_id, link_id, occurred_at, received_at, verdict, source, visitor_id,
                        address_hash, subs, landing_url, referrer_host, country, consent)
    SELECT click_id(n, at), :program, partner_ids[n % :partners + 1], link_ids[n % :partners + 1], at, at, 'valid', 'redirect',
           made('visitor', n / 3), lpad(to_hex(n / 3), 64, 'a'), '{}', '/', '', '', 'given'
    FROM (SELECT n, :begins + (n - :first) * :step AS at FROM generate_series(CAST(:from AS bigint), CAST(:to AS bigint)) AS n) AS numbered,
         (SELECT array_agg(made('partner', n) ORDER BY n) AS partner_ids, array_agg(made('link', n) ORDER BY n) AS link_ids
          FROM generate_series(0, :partners - 1) AS n) AS owners
"""

_PAST = """
    CREATE TEMPORARY TABLE past ON COMMIT DROP AS
    SELECT n, at, made('order', n) AS id, made('partner', n % :partners) AS partner_id,
           click_id(n, at - interval '1 hour') AS click_id
    FROM (SELECT n, :begins + (n - :first) * :step + interval '1 hour' AS at
          FROM generate_series(:first, :last, 100) AS n) AS numbered;
    INSERT INTO conversions (id, program_id, kind, order_id, fingerprint, trust, source, is_test, revision, attributed_revision,
                             amount_minor, tax_minor, shipping_minor, discount_minor, currency, items, click_id, visitor_id,
                             customer_id, occurred_at, received_at)
    SELECT id, :program, 'sale', 'past-' || n, repeat('0', 64), 3, 'api', false, 1, 1,
           4990, 0, 0, 0, 'EUR', '[]', click_id, made('visitor', n / 3), 'customer-' || n, at, at FROM past;
    INSERT INTO attributions (id, conversion_id, conversion_revision, version, is_current, model, policy_version,
                              is_new_customer, trace, decided_at, commissioned_at)
    SELECT made('attribution', n), id, 1, 1, true, 'last_click', 1, true, '{}', at, at FROM past;
    INSERT INTO credits (id, attribution_id, partner_id, click_id, share_bps)
    SELECT made('credit', n), made('attribution', n), partner_id, click_id, 10000 FROM past;
    INSERT INTO fraud_places (conversion_id, program_id, connection, occurred_at)
    SELECT id, :program, lpad(to_hex(n / 3), 64, 'a'), at FROM past;
    INSERT INTO fraud_orders (conversion_id, partner_id, program_id, attribution_id, occurred_at, seconds, by_code, by_machine,
                              refunded)
    SELECT id, partner_id, :program, made('attribution', n), at, 3600, false, false, false FROM past
"""

_SUMS = """
    DELETE FROM fraud_days;
    INSERT INTO fraud_days (program_id, owner_id, day, orders, orders_by_click, orders_by_code, orders_by_machine,
                            orders_refunded)
    SELECT program_id, coalesce(partner_id, program_id), (occurred_at AT TIME ZONE 'UTC')::date, count(*), count(seconds), 0, 0, 0
    FROM fraud_orders GROUP BY GROUPING SETS ((program_id, partner_id, 3), (program_id, 3));
    DELETE FROM click_hours_partner;
    INSERT INTO click_hours_partner (program_id, partner_id, hour, verdict, shard, clicks)
    SELECT program_id, partner_id, date_trunc('hour', occurred_at), 'valid', 0, count(*) FROM clicks GROUP BY 1, 2, 3;
    DELETE FROM click_hours_program;
    INSERT INTO click_hours_program (program_id, hour, verdict, shard, clicks)
    SELECT program_id, hour, 'valid', 0, sum(clicks) FROM click_hours_partner GROUP BY 1, 2
"""

_TODAY = """
    INSERT INTO conversions (id, program_id, kind, order_id, fingerprint, trust, source, is_test, revision, attributed_revision,
                             amount_minor, tax_minor, shipping_minor, discount_minor, currency, items, visitor_id,
                             customer_id, occurred_at, received_at)
    SELECT made(:name, n), :program, 'sale', :name || n, repeat('0', 64), 3, 'api', false, 1, 0,
           4990, 0, 0, 0, 'EUR', '[]', made('visitor', n * :every + :first), :name || n, :begins + (n - 1) * :step,
           :begins + (n - 1) * :step
    FROM generate_series(1, :orders) AS n
"""

_INDEXES = (
    "CREATE INDEX ix_clicks_visitor ON clicks (visitor_id, occurred_at)",
    "CREATE INDEX ix_clicks_partner ON clicks (program_id, partner_id, occurred_at)",
)


@contextlib.contextmanager
def opened() -> Iterator[None]:
    """Settings that point to a Valkey and an upgraded PostgreSQL of this bench alone."""
    with (
        tempfile.TemporaryDirectory(prefix="affiliate-bench-") as folder,
        servers.valkey(_made(Path(folder) / "valkey")) as redis_address,
        servers.postgresql(_made(Path(folder) / "server")) as address,
    ):
        before = dict(os.environ)
        url = address.replace("postgresql://", "postgresql+psycopg://")
        os.environ |= {"AFFILIATE_DATABASE_URL": url, "AFFILIATE_REDIS_URL": redis_address}
        settings.current.cache_clear()
        db.dispose()
        try:
            _found()
            garbage.settle()  # as a worker does
            yield
        finally:
            db.dispose()
            os.environ.clear()
            os.environ.update(before)
            settings.current.cache_clear()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _found() -> None:
    """A program with a plan and its partners. What the shared helper left waiting goes first and warms up."""
    with db.transaction() as session:
        money_stages.upgrade(session.get_bind().engine)
    with db.transaction() as session:
        partitions.ensure(session, now=NOW)
        money_stages.fill(session, clicks=BATCH)  # commits by itself
    with db.transaction() as session:
        _run(session, _FUNCTIONS)
        _run(session, _PARTNERS, partners=PARTNERS, before=NOW - timedelta(days=90))
    work(BATCH)


def grow(first: int, last: int, *, with_orders: bool = True) -> None:
    """Add the clicks of these numbers, spread over the four weeks, and what followed from them."""
    spread: dict[str, Any] = {
        "first": first, "last": last, "begins": BEGINS, "step": timedelta(days=DAYS) / (last - first + 1),
        "partners": PARTNERS,
    }  # fmt: skip
    with db.transaction() as session:  # an index that is made at the end costs a tenth of one that is kept
        _run(session, "DROP INDEX ix_clicks_visitor; DROP INDEX ix_clicks_partner")
    middle = (first + last) // 2
    with ThreadPoolExecutor(2) as both:
        list(both.map(partial(_insert_clicks, spread), (first, middle + 1), (middle, last)))
        list(both.map(_index, _INDEXES))
    with db.transaction() as session:
        if with_orders:
            _run(session, _PAST, **spread)
        _run(session, _SUMS)
    with db.transaction() as session:
        _run(session, "ANALYZE")


def _insert_clicks(spread: Mapping[str, Any], first: int, last: int) -> None:
    with db.transaction() as session:
        _run(session, _CLICKS, **{**spread, "from": first, "to": last})


def _index(statement: str) -> None:
    with db.transaction() as session:
        _run(session, f"SET LOCAL lock_timeout = 0; SET LOCAL maintenance_work_mem = '512MB'; {statement}")


def order(name: str, orders: int, *, clicks: int, first: int = 0, over_days: int = 0) -> None:
    """Orders of visitors all over the clicks, which wait for their attribution: all now, or spread over so many days before."""
    begins = NOW - timedelta(days=over_days)
    every, step = max(clicks // 3 // orders, 1), timedelta(days=over_days) / orders
    with db.transaction() as session:
        _run(session, _TODAY, name=name, orders=orders, every=every, first=first, begins=begins, step=step)


def work(orders: int) -> None:
    """Both stages, a batch each."""
    attribute(orders)
    commission(orders)


def attribute(orders: int) -> None:
    """Attribute so many orders at once; raises RuntimeError when there are others."""
    with db.transaction() as session:
        done = attribution.attribute_waiting(session, limit=orders, clicks_until=NOW, now=NOW)
    if done != orders:
        raise RuntimeError(f"{done} of {orders} were attributed")


def commission(orders: int) -> None:
    """Judge and commission so many at once; raises RuntimeError when there are others."""
    with db.transaction() as session:
        done = commissions.commission_waiting(session, limit=orders, now=NOW)
    if done != orders:
        raise RuntimeError(f"{done} of {orders} were commissioned")


def processor_seconds() -> float:
    """What this process and the backend that serves it have used so far: others on the machine do not change it, as they do wall time."""
    with db.reading() as session:
        backend = session.scalar(sa.text("SELECT pg_backend_pid()"))
    user, system = Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[11:13]
    return time.process_time() + (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _run(session: Session, statements: str, **values: Any) -> None:
    """Statements one by one: the driver takes one at a time once there are values."""
    known = values | {"program": session.scalar(sa.select(Program.id))}
    for statement in map(sa.text, statements.split(";")):
        session.execute(statement, {name: known[name] for name in statement.compile().params})
