"""Clicks of one turn of the event loop are decided together, and each for itself."""

import asyncio
import contextlib
import gc
import weakref

import pytest
from shop_cast import Shop

from affiliate.settings import Settings
from affiliate.tracking.codec import ClickEvent, decode
from affiliate.tracking.committer import Job
from affiliate.tracking.grouping import Click, Grouping
from affiliate.tracking.parts import Parts
from affiliate.tracking.wire import NotStored


class Headers(dict[str, str]):
    """As granian tells of them."""


class TornHeaders(Headers):
    """What a client sent that is no text."""

    def items(self) -> None:  # type: ignore[override]  # it comes to no items
        """As granian says it."""
        raise ValueError("failed to convert header to a str")


class Scope:
    """A request for the link of Anna."""

    method, path, scheme, client = "GET", "/r/anna", "http", "203.0.113.77:4711"

    def __init__(self, name: str, headers: Headers | None = None) -> None:
        self.query_string = f"sub1={name}"
        self.headers = headers or Headers()


@pytest.fixture
def parts(shop: Shop, sqlite_settings: Settings) -> Parts:
    """The tracker of the shop's installation, its links read."""
    parts = Parts.of(sqlite_settings)
    parts.directory.start()
    return parts


def taken(parts: Parts, *scopes: Scope) -> tuple[list[Click], list[Job]]:
    """The clicks of requests that come in one turn, and what was sent of them."""
    sent: list[Job] = []

    async def take_all() -> list[Click]:
        grouping = Grouping(parts, sent.append, trusted_proxies=0)
        clicks = [grouping.take(scope) for scope in scopes]
        await asyncio.sleep(0)
        return clicks

    return asyncio.run(take_all()), sent


def names_in(jobs: list[Job]) -> list[str]:
    """The sub ids of the events that were sent."""
    events = [decode(job.payload) for job in jobs]
    return [event.subs["sub1"] for event in events if isinstance(event, ClickEvent)]


def test_clicks_of_one_turn_go_out_in_their_order_with_an_id_each(parts: Parts) -> None:
    clicks, sent = taken(parts, *(Scope(name) for name in "abc"))
    assert names_in(sent) == ["a", "b", "c"]
    assert len({decode(job.payload)[0] for job in sent}) == 3
    assert [click.done.done() for click in clicks] == [False, False, False]  # nothing acknowledged them


def test_a_click_that_cannot_be_read_fails_alone(parts: Parts) -> None:
    clicks, sent = taken(parts, Scope("a"), Scope("b", TornHeaders(a="b")), Scope("c"))
    assert names_in(sent) == ["a", "c"]
    assert [click.done.done() for click in clicks] == [False, True, False]
    assert isinstance(clicks[1].done.exception(), ValueError)


def test_a_click_that_cannot_be_sent_fails_and_the_next_ones_are_sent(parts: Parts) -> None:
    sent: list[Job] = []

    def send(job: Job) -> None:
        if b"torn" in job.payload:
            raise OSError("nowhere to")
        sent.append(job)

    async def take_all() -> list[Click]:
        grouping = Grouping(parts, send, trusted_proxies=0)
        clicks = [grouping.take(Scope(name)) for name in ("torn", "b")]
        await asyncio.sleep(0)
        return clicks

    torn, _ = asyncio.run(take_all())
    assert isinstance(torn.done.exception(), OSError)
    assert names_in(sent) == ["b"]


def test_a_click_that_failed_is_forgotten_with_its_request(parts: Parts) -> None:
    """Its error holds the frame that waited for it, and the frame the click: a ring that the collector has to find."""

    async def wait(grouping: Grouping, scope: Scope) -> None:
        click = grouping.take(scope)
        with contextlib.suppress(NotStored):
            await click.done

    def refuse(job: Job) -> None:
        job.fail(NotStored("away"))

    async def come_and_go() -> list[weakref.ref[Scope]]:
        grouping, scopes = Grouping(parts, refuse, trusted_proxies=0), [Scope(name) for name in "abc"]
        kept = [weakref.ref(scope) for scope in scopes]
        await asyncio.gather(*(wait(grouping, scope) for scope in scopes))
        return kept

    kept = asyncio.run(come_and_go())
    gc.collect()
    assert [scope() for scope in kept] == [None] * 3
