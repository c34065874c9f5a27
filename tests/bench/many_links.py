"""What 100,000 links cost each process that answers clicks: PSS of web and edge, before and after, and after a whole reading."""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from figures import Figure
from sqlalchemy.orm import Session

from affiliate import db, ids, tables
from affiliate.links.models import Link
from affiliate.tracking.directory import FULL_SCAN_EVERY

sys.path.insert(0, str(Path(__file__).parent.parent))  # the helpers of the tests

import factories
import fault_site
import processes
import servers

LINKS = 100_000
PARTNERS = 1_000
LIMIT_MB = 120


def measure() -> Iterator[Figure]:
    """Both processes with one link, and the same two with 100,000."""
    few, _ = _held(1)
    many, later = _held(LINKS)
    for name in ("web", "edge"):
        yield Figure(f"memory of {name} with one link, MB", few[name])
        yield Figure(f"memory of {name} for {LINKS:,} links, MB", many[name] - few[name], f"<= {LIMIT_MB}")
        grown = later[name] - few[name]
        yield Figure(f"memory of {name} for them after they were read anew, MB", grown, f"<= {LIMIT_MB}")


def _held(links: int) -> tuple[dict[str, float], dict[str, float]]:
    """The megabytes of web and edge when they know these links, and after the next whole reading."""
    with tempfile.TemporaryDirectory(prefix="affiliate-bench-") as name:
        url = f"sqlite:///{name}/affiliate.db"
        _furnish(url, links)
        with servers.valkey(Path(name)) as address, _running(Path(name), url, address) as running:
            first = {each: _pss_mb(process.pid) for each, process in running.items()}
            if links > 1:
                time.sleep((FULL_SCAN_EVERY + timedelta(seconds=10)).total_seconds())
            return first, {each: _pss_mb(process.pid) for each, process in running.items()}


@contextlib.contextmanager
def _running(folder: Path, url: str, address: str) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    port = processes.free_port()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AFFILIATE_")}
    environment = inherited | {
        "PORT": str(port), "DATA_DIR": str(folder), "AFFILIATE_DATABASE_URL": url, "AFFILIATE_REDIS_URL": address,
        "AFFILIATE_SECRET_KEY": "only-the-bench-knows-this-0123456789-abcdef",
    }  # fmt: skip
    started: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for number, name in enumerate(("web", "edge")):
            command = [sys.executable, "-m", "affiliate.cli", name]
            started[name] = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
            processes.eventually(lambda at=port + number: _knows_the_last(at), f"{name} knows the links")  # type: ignore[misc]
        yield started
    finally:
        for process in started.values():
            process.terminate()
            process.wait(30)


def _knows_the_last(port: int) -> bool:
    with contextlib.suppress(OSError):
        return fault_site.Question(port, "GET", "/r/many1").answer().click is not None
    return False


def _furnish(url: str, links: int) -> None:
    """A program whose partners share the links, each with an address of its own."""
    engine = db.make_engine(url)
    tables.Base.metadata.create_all(engine)
    now = datetime.now(UTC)
    with Session(engine) as session:
        program = factories.make_program(session)
        count = min(PARTNERS, links)
        partners = [factories.make_partner(session, program=program, can_be_paid=False).id for _ in range(count)]
        rows = [
            {
                "id": ids.new(), "program_id": program.id, "partner_id": partners[number % count], "name": "A link",
                "code": f"many{number}", "landing_url": f"https://www.shop.example/products/{number:050}",
                "subs": {"sub1": f"page-{number % 100}"} if number % 4 == 0 else {}, "status": "active",
                "created_at": now, "updated_at": now,
            }
            for number in range(1, links + 1)
        ]  # fmt: skip
        session.execute(sa.insert(Link), rows)
        session.commit()
    engine.dispose()


def _pss_mb(pid: int) -> float:
    """What the process and its children hold, in proportion to what they share."""
    time.sleep(2)
    sizes = [Path(f"/proc/{one}/smaps_rollup").read_text() for one in processes.tree(pid)]
    return sum(int(found[1]) for size in sizes if (found := re.search(r"^Pss:\s+([0-9]+)", size, re.MULTILINE))) / 1024
