"""The embedded Redis: where it listens, what it promises, and that no second one ever writes its files."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import processes
import pytest
import redis
from processes import eventually, lives

from affiliate import embedded
from affiliate.settings import embedded_redis_url

Start = Callable[[Path], tuple[redis.Redis, subprocess.Popen[bytes]]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start an embedded server below a folder and connect to it."""
    started = []

    def start(folder: Path) -> tuple[redis.Redis, subprocess.Popen[bytes]]:
        url = embedded_redis_url(folder)
        process = subprocess.Popen(embedded.command(data_dir=folder, url=url))
        started.append(process)
        eventually(lambda: embedded.answers(url), "an answer")
        return redis.Redis.from_url(url), process

    yield start
    for process in started:
        processes.end(process)


@pytest.fixture(params=["short", "deep", 'odd "name" %20 #?'])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Data directories whose socket can be bound, cannot (the path is too long), and needs quoting."""
    return tmp_path / (request.param if request.param != "deep" else "d" * 120)


def test_every_write_is_on_disk_before_its_answer_and_nothing_is_evicted(start: Start, folder: Path) -> None:
    client, _ = start(folder)
    settings = client.config_get("append*") | client.config_get("maxmemory-policy")
    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "always"
    assert settings["maxmemory-policy"] == "noeviction"


def test_what_was_written_survives_a_kill(start: Start, folder: Path) -> None:
    client, process = start(folder)
    client.xadd("aff:clicks", {"e": "one"})
    process.kill()
    process.wait()
    again, _ = start(folder)
    assert again.xlen("aff:clicks") == 1


def test_a_short_path_gives_a_socket_that_only_its_owner_can_use(start: Start, tmp_path: Path) -> None:
    start(tmp_path)
    assert (tmp_path / "redis" / "redis.sock").stat().st_mode & 0o777 == 0o700


def test_a_path_too_long_for_a_socket_gives_a_port_with_a_password(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 120)
    start(folder)
    url = embedded_redis_url(folder)
    assert url.startswith("redis://:")
    assert url.endswith("/0")
    without = redis.Redis.from_url("redis://" + url.rpartition("@")[2])
    with pytest.raises(redis.AuthenticationError):
        without.ping()
    assert (folder / "redis" / "address").stat().st_mode & 0o777 == 0o600


def test_the_address_is_the_same_at_every_start(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 120)
    assert embedded_redis_url(folder) == embedded_redis_url(folder)


def test_a_server_left_behind_is_ended_before_another_starts(start: Start, folder: Path) -> None:
    client, orphan = start(folder)
    client.set("kept", "yes")
    embedded.end_orphan(embedded_redis_url(folder))
    orphan.wait(processes.SECONDS_MAX)
    assert not lives(orphan.pid)
    again, _ = start(folder)
    assert again.get("kept") == b"yes"


def test_nobody_there_is_no_answer(tmp_path: Path) -> None:
    assert not embedded.answers(embedded_redis_url(tmp_path))
    embedded.end_orphan(embedded_redis_url(tmp_path))
