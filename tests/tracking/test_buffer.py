"""The way into the streams, on a real server: what is stored, what is refused, what happens when the server is away."""

import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis
import servers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tracking_cast import CLICK_ID, NOW, PROGRAM_ID, conversion

from affiliate import errors, ids, streams
from affiliate.tracking import rawlog
from affiliate.tracking.breaker import FAILURES_MAX, Breaker
from affiliate.tracking.buffer import Buffer, BufferUnavailable
from affiliate.tracking.codec import Event, RejectedEvent, Trust, decode
from affiliate.tracking.known import EventKind, KnownEvent
from affiliate.tracking.rawlog import RawRequest
from affiliate.tracking.spool import Spool, records
from affiliate.tracking.submissions import FINGERPRINT_SECONDS, Outcome, Submission
from affiliate.tracking.wire import Appender, Entry, NotStored

REQUEST = RawRequest(received_at=NOW, source="api", what="conversion", summary={"order_id": "1001"})
UNKNOWN = RejectedEvent(
    delivery_id=CLICK_ID,
    program_id=PROGRAM_ID,
    kind="conversion",
    reason="bad_signature",
    payload={"order_id": "1001"},
    received_at=NOW,
)


def buffer_on(client: redis.Redis, folder: Path, **parts: Any) -> Buffer:
    """A buffer on this server, with a spool in this folder that has room for a few events."""
    address = f"unix://{client.connection_pool.connection_kwargs['path']}"
    spool = Spool(folder / "spool", bytes_max=100_000)
    return Buffer(
        **{"append": Appender(lambda: address), "spool": spool, "breaker": Breaker(), "connection": lambda: client}
        | parts
    )


@pytest.fixture
def buffer(redis_client: redis.Redis, tmp_path: Path) -> Buffer:
    """A buffer on an empty server, with a database that knows nothing."""
    return buffer_on(redis_client, tmp_path)


@pytest.fixture
def full_disk(tmp_path: Path) -> Spool:
    """A spool that takes nothing."""
    return Spool(tmp_path / "full", bytes_max=0)


def on_disk(folder: Path) -> list[Event]:
    """The events in the spool of `buffer_on`."""
    return [
        decode(payload)
        for file in sorted((folder / "spool").glob("*.spool"))
        for payload in records(file.read_bytes())
        if isinstance(payload, bytes)
    ]


def submission(**changes: Any) -> Submission:
    """The sale of the cast, sent once more."""
    return Submission.of(conversion(**changes), REQUEST)


def stored(client: redis.Redis, stream: str = streams.order_shard(0)) -> list[Event]:
    """The events in a stream, in their order."""
    return [decode(fields[streams.FIELD]) for _, fields in client.xrange(stream)]


def test_a_new_event_is_accepted_and_stored(buffer: Buffer, redis_client: redis.Redis) -> None:
    sent = submission()
    assert buffer.submit([sent]) == [Outcome.ACCEPTED]
    assert stored(redis_client) == [sent.event]


def test_the_same_body_again_is_known_and_not_stored_twice(buffer: Buffer, redis_client: redis.Redis) -> None:
    buffer.submit([submission()])
    assert buffer.submit([submission()]) == [Outcome.KNOWN]
    assert len(stored(redis_client)) == 1


def test_another_body_for_the_same_id_is_a_conflict_and_changes_nothing(
    buffer: Buffer, redis_client: redis.Redis
) -> None:
    buffer.submit([submission()])
    assert buffer.submit([submission(amount_minor=1, fingerprint="b" * 64)]) == [Outcome.CONFLICT]
    assert buffer.submit([submission()]) == [Outcome.KNOWN]
    assert len(stored(redis_client)) == 1


def test_another_body_at_a_higher_trust_is_accepted(buffer: Buffer, redis_client: redis.Redis) -> None:
    buffer.submit([submission(trust=Trust.OPEN)])
    assert buffer.submit([submission(trust=Trust.SERVER, fingerprint="b" * 64)]) == [Outcome.ACCEPTED]
    assert len(stored(redis_client)) == 2


def test_a_list_gets_an_answer_for_each_item_in_its_order(buffer: Buffer, redis_client: redis.Redis) -> None:
    buffer.submit([submission(order_id="1")])
    sent = [
        submission(order_id="2"),
        submission(order_id="1"),
        submission(order_id="2", fingerprint="b" * 64),
        submission(order_id="2"),
    ]
    assert buffer.submit(sent) == [Outcome.ACCEPTED, Outcome.KNOWN, Outcome.CONFLICT, Outcome.KNOWN]
    assert [event.order_id for event in stored(redis_client)] == ["1", "2"]  # type: ignore[union-attr]


def test_nothing_to_send_is_nothing_to_do(buffer: Buffer) -> None:
    assert buffer.submit([]) == []


def test_of_twenty_deliveries_at_once_one_is_accepted(buffer: Buffer, redis_client: redis.Redis) -> None:
    with ThreadPoolExecutor(20) as pool:
        outcomes = list(pool.map(lambda _: buffer.submit([submission()])[0], range(20)))
    assert sorted(outcomes) == [Outcome.KNOWN] * 19 + [Outcome.ACCEPTED]
    assert len(stored(redis_client)) == 1


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("123"), st.sampled_from("ab")), max_size=12), st.integers(1, 5))
def test_in_whatever_order_bodies_come_the_first_of_each_id_is_stored_and_only_it(
    buffer: Buffer, redis_client: redis.Redis, deliveries: list[tuple[str, str]], at_once: int
) -> None:
    redis_client.flushall()
    first: dict[str, str] = {}
    expected = []
    for order_id, body in deliveries:
        is_new = order_id not in first
        kept = first.setdefault(order_id, body)
        expected.append(Outcome.ACCEPTED if is_new else Outcome.KNOWN if kept == body else Outcome.CONFLICT)
    sent = [submission(order_id=order_id, fingerprint=body * 64) for order_id, body in deliveries]
    outcomes = [
        outcome for start in range(0, len(sent), at_once) for outcome in buffer.submit(sent[start : start + at_once])
    ]
    assert outcomes == expected
    assert {event.order_id: event.fingerprint[0] for event in stored(redis_client)} == first  # type: ignore[union-attr]


def test_fingerprints_leave_after_eight_days(buffer: Buffer, redis_client: redis.Redis) -> None:
    sent = submission()
    buffer.submit([sent])
    assert 0 < redis_client.ttl(sent.key) <= FINGERPRINT_SECONDS == 691_200


class Rows:
    """What a database knows, and what it was asked."""

    def __init__(self, known: Mapping[UUID, KnownEvent]) -> None:
        self.known = known
        self.asked: list[tuple[EventKind, list[UUID]]] = []

    def __call__(self, kind: EventKind, identifiers: Sequence[UUID]) -> Mapping[UUID, KnownEvent]:
        self.asked.append((kind, list(identifiers)))
        return self.known


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        (KnownEvent(trust=Trust.SERVER, fingerprint="a" * 64), Outcome.KNOWN),
        (KnownEvent(trust=Trust.SERVER, fingerprint="b" * 64), Outcome.CONFLICT),
        (KnownEvent(trust=Trust.OPEN, fingerprint="b" * 64), Outcome.ACCEPTED),
    ],
)
def test_what_redis_has_forgotten_the_database_remembers(
    redis_client: redis.Redis, tmp_path: Path, row: KnownEvent, outcome: Outcome
) -> None:
    sent = submission()
    buffer = buffer_on(redis_client, tmp_path, lookup=Rows({sent.identifier: row}))
    assert buffer.submit([sent]) == [outcome]
    assert len(stored(redis_client)) == (outcome is Outcome.ACCEPTED)


def test_the_database_is_asked_once_for_what_redis_does_not_know(redis_client: redis.Redis, tmp_path: Path) -> None:
    rows = Rows({})
    buffer = buffer_on(redis_client, tmp_path, lookup=rows)
    buffer.submit([submission(order_id="1")])
    buffer.submit([submission(order_id=order_id) for order_id in "123"])
    conversions = {order: ids.conversion(program_id=PROGRAM_ID, kind="sale", order_id=order) for order in "123"}
    assert rows.asked == [("conversion", [conversions["1"]]), ("conversion", [conversions["2"], conversions["3"]])]


def test_each_request_is_shown_to_the_developer_with_its_answer(buffer: Buffer, redis_client: redis.Redis) -> None:
    buffer.submit([submission(), submission(), submission(fingerprint="b" * 64)])
    buffer.log([replace(REQUEST, status=422, reason="amount: too many decimals")], program_id=PROGRAM_ID)
    shown = rawlog.last(redis_client, program_id=PROGRAM_ID)
    assert [(request.status, request.reason) for request in shown] == [
        (422, "amount: too many decimals"),
        (409, "conflicting_body"),
        (200, ""),
        (202, ""),
    ]
    assert shown[0].received_at == NOW
    assert shown[0].summary == {"order_id": "1001"}


def test_the_log_holds_the_last_500_requests_and_nobody_elses(buffer: Buffer, redis_client: redis.Redis) -> None:
    buffer.submit([submission(order_id=str(number)) for number in range(600)])
    assert redis_client.xlen(streams.raw_log_key(PROGRAM_ID)) == 500
    assert len(rawlog.last(redis_client, program_id=PROGRAM_ID, limit=10)) == 10
    assert rawlog.last(redis_client, program_id=CLICK_ID) == []


def test_the_log_says_nothing_about_the_customer() -> None:
    body = {
        "order_id": "1001",
        "amount": "49.90",
        "customer_id": "c7",
        "email_sha256": "f" * 64,
        "items": [1],
        "coupon": None,
    }
    assert rawlog.summary_of(body) == {"order_id": "1001", "amount": "49.90"}
    assert len(rawlog.summary_of({"order_id": "x" * 5_000})["order_id"]) == 120


def test_a_refused_delivery_is_kept_and_shown(buffer: Buffer, redis_client: redis.Redis) -> None:
    buffer.reject(UNKNOWN, request=replace(REQUEST, status=200))
    assert stored(redis_client) == [UNKNOWN]
    assert rawlog.last(redis_client, program_id=PROGRAM_ID)[0].reason == "bad_signature"
    buffer.reject(UNKNOWN._replace(program_id=None), request=REQUEST)
    assert len(stored(redis_client)) == 2


def test_a_click_is_stored(buffer: Buffer, redis_client: redis.Redis) -> None:
    buffer.click(UNKNOWN._replace(kind="click", reason="unknown_link"))
    assert len(stored(redis_client, streams.click_shard(0))) == 1


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[redis.Redis]:
    """A client with the deadline of the tracker, on a server that a test may freeze, fill or end."""
    with servers.valkey(tmp_path) as address:
        yield streams._client(address, 0.2)


@pytest.mark.parametrize("stop", [signal.SIGSTOP, signal.SIGKILL])
def test_what_a_server_that_hangs_or_is_gone_does_not_take_waits_on_disk(
    own_server: redis.Redis, tmp_path: Path, stop: signal.Signals
) -> None:
    buffer = buffer_on(own_server, tmp_path)
    os.kill(own_server.info()["process_id"], stop)
    sent = submission()
    buffer.click(UNKNOWN)
    assert buffer.submit([sent]) == [Outcome.ACCEPTED]
    buffer.reject(UNKNOWN, request=REQUEST)
    buffer.log([REQUEST], program_id=PROGRAM_ID)
    assert on_disk(tmp_path) == [UNKNOWN, sent.event, UNKNOWN]


def test_an_outage_is_waited_for_only_twice(own_server: redis.Redis, tmp_path: Path) -> None:
    asked: list[Sequence[Entry]] = []

    def refuse(entries: Sequence[Entry], *, until: float | None = None) -> None:
        asked.append(entries)
        raise NotStored

    buffer = buffer_on(own_server, tmp_path, append=refuse)
    for _ in range(FAILURES_MAX + 3):
        buffer.click(UNKNOWN)
    buffer.submit([submission()])
    assert len(asked) == FAILURES_MAX
    assert len(on_disk(tmp_path)) == FAILURES_MAX + 4


@pytest.mark.parametrize(("fingerprint", "outcome"), [("a" * 64, Outcome.KNOWN), ("b" * 64, Outcome.CONFLICT)])
def test_without_redis_the_database_knows_what_came_before(
    own_server: redis.Redis, tmp_path: Path, fingerprint: str, outcome: Outcome
) -> None:
    sent, new = submission(), submission(order_id="new")
    rows = Rows({sent.identifier: KnownEvent(trust=Trust.SERVER, fingerprint=fingerprint)})
    buffer = buffer_on(own_server, tmp_path, lookup=rows)
    os.kill(own_server.info()["process_id"], signal.SIGKILL)
    assert buffer.submit([sent, new]) == [outcome, Outcome.ACCEPTED]
    assert on_disk(tmp_path) == [new.event]


def test_without_redis_and_disk_nothing_is_acknowledged(
    own_server: redis.Redis, tmp_path: Path, full_disk: Spool
) -> None:
    buffer = buffer_on(own_server, tmp_path, spool=full_disk)
    os.kill(own_server.info()["process_id"], signal.SIGKILL)
    for store in (
        lambda: buffer.click(UNKNOWN),
        lambda: buffer.submit([submission()]),
        lambda: buffer.reject(UNKNOWN, request=REQUEST),
    ):
        with pytest.raises(BufferUnavailable) as caught:
            store()
        assert isinstance(caught.value, errors.Unavailable)


def _fill(server: redis.Redis) -> None:
    server.config_set("maxmemory", "1")


def _make_read_only(server: redis.Redis) -> None:
    server.replicaof("127.0.0.1", 1)


@pytest.mark.parametrize("spoil", [_fill, _make_read_only])
def test_what_a_full_or_read_only_server_refuses_waits_on_disk(
    own_server: redis.Redis, tmp_path: Path, spoil: Callable[[redis.Redis], None]
) -> None:
    buffer = buffer_on(own_server, tmp_path)
    buffer.submit([submission(order_id="before")])
    spoil(own_server)
    sent = submission(order_id="full")
    assert buffer.submit([sent]) == [Outcome.ACCEPTED]
    buffer.click(UNKNOWN)
    assert on_disk(tmp_path) == [sent.event, UNKNOWN]
    assert own_server.get(sent.key) is None


def test_an_emptied_server_goes_on(buffer: Buffer, redis_client: redis.Redis) -> None:
    buffer.submit([submission()])
    buffer.click(UNKNOWN)
    redis_client.flushall()
    redis_client.script_flush()
    assert buffer.submit([submission()]) == [Outcome.ACCEPTED]
    buffer.click(UNKNOWN)
    assert len(stored(redis_client)) == 2


def test_what_was_acknowledged_outlives_the_death_of_the_server(tmp_path: Path) -> None:
    sent = submission()
    with servers.valkey(tmp_path) as address:
        client = redis.Redis.from_url(address)
        buffer_on(client, tmp_path).submit([sent])
        os.kill(client.info()["process_id"], signal.SIGKILL)
    with servers.valkey(tmp_path) as address:
        client = redis.Redis.from_url(address)
        assert stored(client) == [sent.event]
        assert buffer_on(client, tmp_path).submit([submission()]) == [Outcome.KNOWN]
