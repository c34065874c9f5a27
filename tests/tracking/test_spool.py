"""Events on disk: what comes back, what is torn, what an orphan leaves, and what happens when the disk is full."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tracking_cast import NOW, PROGRAM_ID

from affiliate import ids
from affiliate.settings import Settings
from affiliate.tracking import replay as replays
from affiliate.tracking import spool as spools
from affiliate.tracking.breaker import FAILURES_MAX, Breaker
from affiliate.tracking.codec import RejectedEvent, encode
from affiliate.tracking.replay import Replay
from affiliate.tracking.spool import Spool, SpoolUnavailable, Torn, record, records
from affiliate.tracking.wire import Entry, NotStored

MEGABYTE = 1024 * 1024


class Redis:
    """A server that takes events, or does not."""

    def __init__(self) -> None:
        self.is_away = False
        self.refuses_after: int | None = None
        self.stored: list[bytes] = []

    def append(self, entries: Sequence[Entry]) -> None:
        """Take all of them, or fail."""
        if self.is_away or (self.refuses_after is not None and len(self.stored) >= self.refuses_after):
            raise NotStored("full")
        self.stored += [payload for _, payload in entries]

    def ping(self) -> None:
        """Answer, or not."""
        if self.is_away:
            raise NotStored("away")


def events(count: int) -> list[bytes]:
    """Different events, packed."""
    event = RejectedEvent(ids.new(), PROGRAM_ID, "click", "unknown_link", {}, NOW)
    return [encode(event._replace(delivery_id=ids.new())) for _ in range(count)]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """An empty spool with room."""
    return Spool(tmp_path / "spool", bytes_max=MEGABYTE)


@pytest.fixture
def server() -> Redis:
    """A server that is there."""
    return Redis()


@pytest.fixture
def replay(spool: Spool, server: Redis, sqlite_settings: Settings) -> Replay:
    """What brings the spool to the server."""
    return Replay(spool, append=server.append, ping=server.ping, breaker=Breaker())


def put_aside(spool: Spool) -> list[bytes]:
    return [path.read_bytes() for path in sorted((spool.folder / spools.ASIDE).glob("*"))]


def files(spool: Spool) -> list[Path]:
    return sorted(spool.folder.glob(f"*{spools.SUFFIX}"))


def test_what_was_kept_comes_back_in_order_and_the_file_goes(spool: Spool, replay: Replay, server: Redis) -> None:
    sent = events(3)
    spool.append(sent[:2])
    spool.append(sent[2:])
    assert replay.once() == 3
    assert server.stored == sent
    assert files(spool) == []


def test_an_event_is_on_disk_when_its_caller_goes_on(spool: Spool) -> None:
    [sent] = events(1)
    spool.append([sent])
    [file] = files(spool)
    assert list(records(file.read_bytes())) == [sent]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_caller_goes_on_only_after_the_disk_has_said_so(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_descriptor: int) -> None:
        raise OSError("the disk is broken")

    monkeypatch.setattr(os, "fdatasync", refuse)
    with pytest.raises(SpoolUnavailable, match="broken"):
        spool.append(events(1))


def test_events_of_many_threads_are_all_kept(spool: Spool, replay: Replay, server: Redis) -> None:
    sent = events(200)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda event: spool.append([event]), sent))
    replay.once()
    assert sorted(server.stored) == sorted(sent)


def test_nothing_is_lost_when_the_server_goes_away_in_the_middle(
    spool: Spool, replay: Replay, server: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "BATCH", 2)
    sent = events(5)
    spool.append(sent)
    server.refuses_after = 2
    assert replay.once() == 0
    assert server.stored == sent[:2]
    assert len(files(spool)) == 1
    server.refuses_after = None
    assert replay.once() == 5
    assert server.stored == sent[:2] + sent  # twice in the stream is once in SQL
    assert files(spool) == []


def test_a_server_that_is_away_is_asked_by_nobody_while_the_breaker_is_open(
    spool: Spool, server: Redis, sqlite_settings: Settings
) -> None:
    breaker = Breaker()
    replay = Replay(spool, append=server.append, ping=server.ping, breaker=breaker)
    spool.append(events(1))
    server.is_away = True
    for _ in range(FAILURES_MAX):
        assert replay.once() == 0
    server.is_away = False
    assert replay.once() == 0
    breaker.succeeded()
    assert replay.once() == 1


def test_events_go_on_into_a_new_file_while_the_old_one_is_replayed(
    spool: Spool, replay: Replay, server: Redis
) -> None:
    first, second = events(2)
    spool.append([first])
    replay.once()
    spool.append([second])
    assert len(files(spool)) == 1
    replay.once()
    assert server.stored == [first, second]


def test_a_file_that_its_process_still_writes_is_left_alone(
    spool: Spool, replay: Replay, server: Redis, tmp_path: Path
) -> None:
    other = Spool(spool.folder, bytes_max=MEGABYTE)
    [sent] = events(1)
    other.append([sent])
    assert replay.once() == 0
    other.seal()
    assert replay.once() == 1
    assert server.stored == [sent]


def test_a_killed_process_leaves_its_events_to_the_others(spool: Spool, replay: Replay, server: Redis) -> None:
    [sent] = events(1)
    writes = (
        "import os, signal, sys; from pathlib import Path; from affiliate.tracking.spool import Spool; "
        "Spool(Path(sys.argv[1]), bytes_max=10**6).append([bytes.fromhex(sys.argv[2])]); os.kill(os.getpid(), signal.SIGKILL)"
    )
    died = subprocess.run([sys.executable, "-c", writes, str(spool.folder), sent.hex()], check=False)
    assert died.returncode == -signal.SIGKILL
    assert replay.once() == 1
    assert server.stored == [sent]


def test_a_torn_end_is_put_aside_and_the_rest_comes_through(spool: Spool, replay: Replay, server: Redis) -> None:
    first, second = events(2)
    spool.append([first, second])
    [file] = files(spool)
    os.truncate(file, file.stat().st_size - 3)
    assert replay.once() == 1
    assert server.stored == [first]
    assert put_aside(spool) == [record(second)[:-3]]
    assert files(spool) == []


def test_a_damaged_record_is_put_aside_alone(spool: Spool, replay: Replay, server: Redis) -> None:
    sent = events(3)
    spool.append(sent)
    [file] = files(spool)
    damaged = record(sent[1]).replace(b"2026-11", b"2027-11")  # it can still be read
    assert damaged != record(sent[1])
    file.write_bytes(record(sent[0]) + damaged + record(sent[2]))
    assert replay.once() == 2
    assert server.stored == [sent[0], sent[2]]
    assert len(put_aside(spool)) == 1


def test_what_is_no_event_is_put_aside(spool: Spool, replay: Replay, server: Redis) -> None:
    [sent] = events(1)
    spool.append([b"[99]", sent])
    assert replay.once() == 1
    assert put_aside(spool) == [b"[99]"]


def test_a_full_spool_says_so_at_once_and_takes_more_when_there_is_room(
    spool: Spool, replay: Replay, server: Redis
) -> None:
    small = Spool(spool.folder, bytes_max=2_000)
    [big] = events(1)
    small.append([big])
    with pytest.raises(SpoolUnavailable):
        small.append([big] * 20)
    small.seal()
    assert replay.once() == 1
    small.append([big])


def test_a_disk_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SpoolUnavailable):
        Spool(tmp_path / "file" / "spool", bytes_max=MEGABYTE).append(events(1))


def test_what_follows_a_write_that_failed_in_the_middle_can_be_read(
    spool: Spool, replay: Replay, server: Redis
) -> None:
    first, lost, last = events(3)
    spool.append([first])
    [file] = files(spool)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 20, limits[1]))
    try:
        with pytest.raises(SpoolUnavailable):
            spool.append([lost])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    spool.append([last])
    assert replay.once() == 2
    assert server.stored == [first, last]
    assert put_aside(spool) == [record(lost)[:20]]


def test_a_disk_that_hangs_costs_its_callers_the_deadline_only_a_few_times(spool: Spool) -> None:
    hung = Spool(spool.folder, bytes_max=MEGABYTE, deadline_seconds=0.01)
    with hung._file_lock:  # the writer waits for it as it would for the disk
        for _ in range(FAILURES_MAX):
            with pytest.raises(SpoolUnavailable):
                hung.append(events(1))
        with pytest.raises(SpoolUnavailable, match="keep up"):
            hung.submit(events(1))


def test_an_empty_file_is_left_to_its_maker_while_it_is_young(spool: Spool, replay: Replay) -> None:
    spool.append(events(1))
    new = spool.folder / f"1-new{spools.SUFFIX}"
    new.touch()
    replay.once()
    assert files(spool) == [new]
    os.utime(new, (0, 0))
    spool.append(events(1))
    replay.once()
    assert files(spool) == []


@given(payloads=st.lists(st.binary(min_size=1, max_size=50), max_size=5), cut=st.integers(0, 300))
def test_a_cut_file_gives_whole_records_and_at_most_one_torn_end(payloads: list[bytes], cut: int) -> None:
    whole = b"".join(map(record, payloads))
    found = list(records(whole[: len(whole) - cut] if cut else whole))
    torn = [piece for piece in found if isinstance(piece, Torn)]
    kept = [piece for piece in found if not isinstance(piece, Torn)]
    assert kept == payloads[: len(kept)]
    assert len(torn) <= 1
    if not cut:
        assert kept == payloads
