"""What the benches of pages share: an installation on PostgreSQL, clicks with their rollups in bulk, and a browser that says what a page cost.

One process, without network: a page's cost is that of the web process and of the database, without a server's wire.
"""

import contextlib
import gzip
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import sqlalchemy as sa
from flask.testing import FlaskClient
from ingest_rows import _installation
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from affiliate import db, garbage, ids, settings
from affiliate.accounts.models import User
from affiliate.app import create_app
from affiliate.attribution.models import ORIGIN, Credit
from affiliate.commissions.models import Commission
from affiliate.ingest import origins, partitions
from affiliate.ingest.models import Click
from affiliate.links.models import Link
from affiliate.programs.models import Program

sys.path.insert(0, str(Path(__file__).parent.parent))  # the helpers of the tests

import accounts_cast
import servers

_MONTHS = 4
_CLICKS_AT_ONCE = 500_000
_CLICKS = """
    INSERT INTO clicks (id, program_id, partner_id, link_id, occurred_at, received_at, verdict, source, subs, landing_url,
        referrer_host, user_agent, country, consent, creative)
    SELECT CAST(lpad(to_hex(CAST(extract(epoch FROM at) * 1000 AS bigint)), 12, '0') || '7' || substr(noise, 1, 3)
            || '8' || substr(noise, 4, 15) AS uuid),
        :program, (CAST(:partners AS uuid[]))[link], (CAST(:links AS uuid[]))[link], at, at,
        CASE WHEN n % 11 = 0 THEN 'bot' ELSE 'valid' END, 'redirect',
        CAST('{"sub1": "post-' || n % 40 || '"}' AS jsonb), 'https://www.shop.example/p/' || n % 40, 'blog' || n % 30 || '.example',
        CASE WHEN n % 2 = 0 THEN 'Mozilla/5.0 (iPhone) Mobile' ELSE 'Mozilla/5.0 (X11; Linux x86_64)' END,
        (CAST('{IT,PL,DE,FR,ES}' AS text[]))[1 + n % 5], 'given',
        CASE WHEN n % 7 = 3 THEN (CAST(:creatives AS text[]))[1 + (n / 7) % :pieces] END
    FROM (SELECT n, md5(CAST(n AS text)) AS noise,
              CASE WHEN n % 20 = 0 THEN 1 + (n / 20) % :busy ELSE 1 + n % :of END AS link,
              CAST(:ends AS timestamptz) - (n * 7919 % 5184000) * interval '1 second' AS at
          FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n OFFSET 0) AS made
"""
_HOUR = "date_trunc('hour', occurred_at, 'UTC')"
_ROLLUPS = {
    "click_hours_program (program_id": "program_id",
    "click_hours_partner (program_id, partner_id": "program_id, partner_id",
    "click_hours_link (program_id, partner_id, link_id": "program_id, partner_id, link_id",
    "click_hours_sub (program_id, partner_id, sub": "program_id, partner_id, subs->>'sub1'",
    "click_hours_country (program_id, country": "program_id, country",
    "click_hours_referrer (program_id, referrer_host": "program_id, referrer_host",
}
_BY_CREATIVE = f"""
    INSERT INTO click_hours_creative (program_id, partner_id, creative, hour, verdict, shard, clicks)
    SELECT program_id, partner_id, creative, {_HOUR}, verdict, 0, count(*) FROM clicks WHERE creative IS NOT NULL
    GROUP BY program_id, partner_id, creative, {_HOUR}, verdict ORDER BY {_HOUR}, program_id, partner_id, creative
"""  # noqa: S608 - our own names
VISITORS = {
    "country": "country",
    "device": "CASE WHEN user_agent LIKE '%Mobi%' THEN 'phone' ELSE 'computer' END",
    "referrer": "referrer_host",
}
_LANDED = f"""
    INSERT INTO landing_hours (program_id, hour, page, verdict, clicks)
    SELECT program_id, {_HOUR}, substr(landing_url, 9), verdict, count(*) FROM clicks GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""  # noqa: S608 - our own names
_MAIN = re.compile(r"<main\b.*</main>", re.DOTALL)
_LOADED = re.compile(r'(?:href|src)="(/static/[^"#]+)')


@contextlib.contextmanager
def installed(address: str, database: str, folder: Path) -> Iterator[Engine]:
    """A new, migrated database on the PostgreSQL at `address`, and a valkey, as the settings of this process."""
    folder.mkdir()
    with servers.valkey(folder) as redis_url:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {database}")
            connection.execute("ALTER SYSTEM SET autovacuum = off")  # it would hold up some rounds, and others not
            connection.execute("SELECT pg_reload_conf()")
        url = address.replace("postgresql://postgres@/postgres", f"postgresql+psycopg://postgres@/{database}")
        with _installation(url, redis_url, folder):
            yield db.make_engine(url)


def fill(
    session: Session, *, program: Program, links: Sequence[Link], creatives: Sequence[UUID], busy: int, ends: datetime, clicks: int
) -> None:  # fmt: skip
    """Make so many clicks of the 60 days before `ends`, and count them in their rollups.

    Clicks fall on the links one after the other, but every twentieth on the first `busy` of them; one in seven came by a creative.
    """
    for month in range(_MONTHS):
        partitions.ensure(session, now=ends - timedelta(days=28 * month))
    told = {
        "program": program.id, "links": [link.id for link in links], "partners": [link.partner_id for link in links],
        "of": len(links), "busy": busy, "ends": ends,
        "creatives": [ids.public("crv", one) for one in creatives], "pieces": len(creatives),
    }  # fmt: skip
    for start in range(1, clicks + 1, _CLICKS_AT_ONCE):
        session.execute(sa.text(_CLICKS), told | {"first": start, "last": min(start + _CLICKS_AT_ONCE - 1, clicks)})
    session.commit()
    session.execute(
        sa.text("SET LOCAL work_mem = '512MB'")
    )  # what is counted here at once the product counts by and by
    for table, keys in _ROLLUPS.items():  # hour after hour, as they come in
        grouped = f"SELECT {keys}, {_HOUR}, verdict, 0, count(*) FROM clicks GROUP BY {keys}, {_HOUR}, verdict ORDER BY {_HOUR}, {keys}"  # noqa: S608 - our own names
        session.execute(sa.text(f"INSERT INTO {table}, hour, verdict, shard, clicks) {grouped}"))
    keys = f"program_id, partner_id, link_id, {_HOUR}, subs->>'sub1', verdict"
    grouped = f"SELECT {keys}, count(*) FROM clicks GROUP BY {keys} ORDER BY {keys}"  # noqa: S608 - our own names
    session.execute(sa.text(f"INSERT INTO link_sub_hours {grouped}"))
    for statement in (_BY_CREATIVE, _LANDED):
        session.execute(sa.text(statement))
    keys = f"program_id, {_HOUR}, {VISITORS['device']}, verdict"
    grouped = f"SELECT {keys}, count(*) FROM clicks GROUP BY {keys} ORDER BY {keys}"  # noqa: S608 - our own names
    session.execute(sa.text(f"INSERT INTO device_hours {grouped}"))
    for kind, label in VISITORS.items():
        keys = f"program_id, partner_id, {_HOUR}, {label}, verdict"
        grouped = f"SELECT {keys}, '{kind}', count(*) FROM clicks GROUP BY {keys} ORDER BY {keys}"  # noqa: S608 - our own names
        names = "program_id, partner_id, hour, label, verdict, kind, clicks"
        session.execute(sa.text(f"INSERT INTO visitor_hours ({names}) {grouped}"))
    session.commit()


def tell_origins(session: Session) -> None:
    """What attribution keeps with each credit of what its click told, and each commission of its credit."""
    kept = {name: getattr(Credit, name) for name in ORIGIN}
    for change in (
        sa.update(Credit).where(Credit.click_id == Click.id, Credit.device == "").values(**origins.told()),
        sa.update(Commission).where(Commission.credit_id == Credit.id, Commission.device == "").values(kept),
    ):
        session.execute(change, execution_options={"synchronize_session": False})


def vacuum(engine: Engine) -> None:
    """What a server does by itself overnight; without it, plans are those of empty tables.

    Twice: whoever reads while the first begins keeps it from marking rows as seen by all, and index scans would look up each.
    Then all goes to the disk: what is written back while pages are measured takes the processor away from them.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for _ in range(2):
            connection.exec_driver_sql("VACUUM ANALYZE")
        connection.exec_driver_sql("CHECKPOINT")
    os.sync()


class Cost(NamedTuple):
    """What opening a page took, in seconds: on the clock, and of this process's CPU."""

    took: float
    cpu: float


def p95_ms(seconds: Iterable[float]) -> float:
    """The time that one page in twenty exceeds, in milliseconds."""
    ordered = sorted(seconds)
    return ordered[int(len(ordered) * 0.95)] * 1_000


class Visitor:
    """A person who is signed in, at an application that has loaded and settled as the web process has."""

    def __init__(self, person: User) -> None:
        app = create_app(settings.current())
        app.config.update(WTF_CSRF_ENABLED=False)
        self.browser: FlaskClient = app.test_client()
        accounts_cast.sign_in(self.browser, person)
        garbage.settle()

    def queries(self, address: str) -> int:
        """How many statements the page asks."""
        found: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.startswith(("SET ", "BEGIN")):
                found.append(statement)

        sa.event.listen(Engine, "before_cursor_execute", note)
        self.cost(address)
        sa.event.remove(Engine, "before_cursor_execute", note)
        return len(found)

    def check(self, address: str, words: str) -> None:
        """See that the page opens and says these words, a pattern, in its main part.

        Raises:
            RuntimeError: it does not open, or does not say them.
        """
        answer = self.browser.get(address)
        main = _MAIN.search(answer.text)
        if answer.status_code != HTTPStatus.OK or main is None or re.search(words, main[0]) is None:
            raise RuntimeError(f"{address} answers {answer.status_code}, without “{words}”")

    def weight_kb(self, address: str) -> float:
        """Kilobytes, compressed, of the page and of all that it loads at once; charts come when they are seen."""
        page = self.browser.get(address).text
        loaded = {path.replace("&amp;", "&") for path in _LOADED.findall(page)}
        bodies = [page.encode(), *(self.browser.get(path).data for path in sorted(loaded))]
        return sum(min(len(gzip.compress(body)), len(body)) for body in bodies) / 1024

    def cost(self, address: str) -> Cost:
        """What opening the page costs now."""
        began, worked = time.perf_counter(), time.process_time()
        answer = self.browser.get(address)
        cost = Cost(time.perf_counter() - began, time.process_time() - worked)
        if answer.status_code != HTTPStatus.OK:
            raise RuntimeError(f"{address} answers {answer.status_code}")
        return cost
