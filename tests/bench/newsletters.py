"""Newsletter deliveries a minute: from rows to a local mail server, by one worker, with every claim and outcome committed."""

import asyncio
import contextlib
import multiprocessing
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from figures import Figure

from affiliate import db, ids, settings
from affiliate.accounts.actors import SYSTEM
from affiliate.accounts.models import User
from affiliate.accounts.roles import MemberRole
from affiliate.newsletters import jobs, service
from affiliate.newsletters.content import Block, BlockKind, Draft, IssueKind
from affiliate.newsletters.models import DeliveryStatus, NewsletterDelivery
from affiliate.newsletters.segments import Segment
from affiliate.partners.models import Enrollment, EnrollmentStatus, Member, Partner
from affiliate.programs.models import Program, ProgramStatus

READERS = int(os.environ.get("BENCH_READERS", "3000"))
GOAL = 10_000
_PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
_ANSWERS = {b"EHLO": b"250-sink\r\n250 PIPELINING\r\n", b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}


def measure() -> Iterator[Figure]:
    """Deliveries a minute into a sink on this machine: as they are, and signed with DKIM (RSA 2048)."""
    for name, is_signed in (("", False), (", signed", True)):
        per_minute, cpu_ms = _measured(is_signed=is_signed)
        yield Figure(f"newsletter deliveries a minute, SQLite{name}", per_minute, f">= {GOAL:,}")
        yield Figure(f"newsletter delivery{name}: CPU ms of the worker", cpu_ms)


def _measured(*, is_signed: bool) -> tuple[float, float]:
    """Deliveries a minute, and milliseconds of this process's CPU for each."""
    with tempfile.TemporaryDirectory(prefix="affiliate-bench-") as folder:
        sink = multiprocessing.get_context("spawn").Process(target=serve, args=(port := _free_port(),), daemon=True)
        sink.start()
        before = dict(os.environ)
        os.environ.update(_environment(Path(folder), port, is_signed=is_signed))
        settings.current.cache_clear()
        db.dispose()
        try:
            return _sent(port)
        finally:
            db.dispose()
            os.environ.clear()
            os.environ.update(before)
            settings.current.cache_clear()
            sink.terminate()
            sink.join()


def _environment(folder: Path, port: int, *, is_signed: bool) -> dict[str, str]:
    values = {"ENV": "test", "DATA_DIR": str(folder), "DATABASE_URL": f"sqlite:///{folder}/bench.db"}
    values |= {
        "SMTP_URL": f"smtp://127.0.0.1:{port}",
        "NEWSLETTER_RATE": "100000",
        "MAIL_FROM": "Bench <b@bench.example>",
    }
    if is_signed:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        form = (
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        (folder / "dkim.pem").write_bytes(key.private_bytes(*form))
        values |= {"DKIM_SELECTOR": "bench", "DKIM_KEY_FILE": str(folder / "dkim.pem")}
    return {f"AFFILIATE_{name}": value for name, value in values.items()}


def _sent(port: int) -> tuple[float, float]:
    engine = db.make_engine(settings.current().database_url)
    with engine.connect() as connection:
        config = Config(toml_file=str(_PYPROJECT))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()
    _fill()
    while jobs.release():
        pass
    _wait_for(port)
    began, used = time.perf_counter(), time.process_time()
    while jobs.send():
        pass
    seconds, used = time.perf_counter() - began, time.process_time() - used
    with db.reading() as session:
        done = session.scalar(sa.select(sa.func.count()).where(NewsletterDelivery.status == DeliveryStatus.SENT))
    if done != READERS:
        raise RuntimeError(f"{done} of {READERS} were sent")
    return READERS / seconds * 60, used / READERS * 1_000


def _fill() -> None:
    ago = datetime.now(UTC) - timedelta(hours=1)
    program_id = ids.new()
    people = [(ids.new(), ids.new(), number) for number in range(READERS)]
    with db.transaction() as session:
        program = Program(id=program_id, slug="bench", name="Bench", status=ProgramStatus.LIVE, currency="EUR")
        program.shop_url, program.allowed_hosts = "https://www.shop.example/", ["www.shop.example"]
        program.created_at = program.updated_at = ago
        session.add(program)
        session.flush()
        session.execute(sa.insert(User), [_person(user_id, number, ago) for user_id, _, number in people])
        named = [{"id": partner_id, "name": f"Partner {number}", "created_at": ago} for _, partner_id, number in people]
        session.execute(sa.insert(Partner), named)
        link = {"role": MemberRole.OWNER, "created_at": ago}
        session.execute(
            sa.insert(Member), [{"id": ids.new(), "user_id": u, "partner_id": p} | link for u, p, _ in people]
        )
        joined = {"program_id": program_id, "status": EnrollmentStatus.APPROVED, "created_at": ago, "updated_at": ago}
        session.execute(sa.insert(Enrollment), [{"id": ids.new(), "partner_id": p} | joined for _, p, _ in people])
    with db.transaction() as session:
        here = {"program_id": program_id, "now": ago}
        issue = service.create_issue(session, kind=IssueKind.NEWS, language="en", actor=SYSTEM, **here)
        body = "Dear {first_name} of {partner_name},\n\n" + "Here is what helps you most. " * 20
        blocks = [Block(f"block{n}", BlockKind.NEWS, {"en": {"title": f"News {n}", "body": body}}) for n in range(4)]
        draft = Draft("en", {"en": {"subject": "News for {first_name}", "preheader": "What is new"}}, blocks)
        known = {"issue_id": issue.id, "seen_version": 1, **here}
        service.save(session, draft=draft, segment=Segment(), kind=IssueKind.NEWS, in_archive=True, **known)
        known["seen_version"] = 2
        service.schedule(session, send_at=None, send_wall=None, keeps_quiet_hours=False, actor=SYSTEM, **known)


def _person(user_id: object, number: int, ago: datetime) -> dict[str, object]:
    names = {"email": f"reader{number}@example.test", "name": f"Reader {number}", "fs_uniquifier": f"reader{number}"}
    return {"id": user_id, "active": True, "created_at": ago, **names}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the sink did not start")


def serve(port: int) -> None:
    """A mail server that takes everything and keeps nothing, in a process of its own."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await say(reader, writer)
        writer.close()

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        while line := await reader.readline():
            word = line[:4].upper()
            writer.write(_ANSWERS.get(word, b"250 OK\r\n"))
            if word == b"DATA":
                await reader.readuntil(b"\r\n.\r\n")
                writer.write(b"250 OK\r\n")
            if word == b"QUIT":
                break

    async def listen() -> None:
        async with await asyncio.start_server(talk, "127.0.0.1", port, limit=1 << 22) as server:
            await server.serve_forever()

    asyncio.run(listen())
