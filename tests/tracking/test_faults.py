"""Real processes whose Redis, database, disk and lives fail under load: what senders were told against what was counted."""

import contextlib
import json
import random
import resource
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fault_site
import processes
import pytest
import small_disk
import sqlalchemy as sa
from fault_site import Counted, Shop, Site, Visitors, Way, frozen
from processes import eventually
from sqlalchemy.orm import Session

from affiliate import clock, db, server
from affiliate.attribution import service as attribution
from affiliate.attribution.models import Attribution, Credit, Unattributed

pytestmark = pytest.mark.timeout(600)  # processes start, on a machine that may be busy

_UNDER_WAY = 2 * server._THREADS  # more than the web server has threads
_ORDERS_UNDER_WAY = 8
Fault = Callable[[Site], contextlib.AbstractContextManager[None]]


@pytest.fixture
def site(tmp_path: Path, sqlite_url: str) -> Iterator[Site]:
    """Redis, web, edge and ingest on SQLite."""
    with fault_site.running(tmp_path, sqlite_url, "web", "edge", "ingest") as site:
        yield site


def _on(way: Way) -> Fault:
    @contextlib.contextmanager
    def broken(site: Site) -> Iterator[None]:
        site.proxy.take(way)
        yield
        site.proxy.take("open")

    return broken


@contextlib.contextmanager
def _gone(site: Site) -> Iterator[None]:
    site.kill("redis")
    yield
    site.start("redis")


def _hanging(site: Site) -> contextlib.AbstractContextManager[None]:
    return frozen(lambda: {site.running["redis"].pid})


def _configured(name: str, wrong: str, right: str) -> Fault:
    @contextlib.contextmanager
    def refusing(site: Site) -> Iterator[None]:
        site.redis.config_set(name, wrong)
        yield
        site.redis.config_set(name, right)

    return refusing


@contextlib.contextmanager
def _read_only(site: Site) -> Iterator[None]:
    site.redis.replicaof("127.0.0.1", 1)
    yield
    site.redis.replicaof("no", "one")


FAULTS: tuple[Fault, ...] = (
    _hanging,  # first, while every breaker is closed: later ones let events go to disk, and hide that nobody ends the wait
    _on("refused"), _on("reset"), _on("late"), _on("cut"), _on("silent"), _gone,
    _configured("maxmemory", "1", "0"), _read_only, _configured("min-replicas-to-write", "1", "0"),
)  # fmt: skip


def _wrongs_after(site: Site, faults: list[Fault]) -> dict[str, Any]:
    """What was lost or doubled while these befell a site under load, one after the other."""
    with Visitors(site, "web") as at_web, Visitors(site, "edge") as at_edge, Shop(site) as shop:
        loads = (at_web, at_edge, shop)
        for fault in faults:
            with fault(site):
                for load in loads:
                    load.have_gone_on(3)
            for load in loads:
                load.have_gone_on(3)
    return Counted.of(site).wrongs(shop, at_web, at_edge)


def test_however_redis_fails_nothing_is_lost_and_nothing_counts_twice(site: Site) -> None:
    assert _wrongs_after(site, [*FAULTS]) == {}


@pytest.mark.faults
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2])
def test_redis_fails_again_and_again(site: Site, seed: int) -> None:
    faults = [*FAULTS] * 5
    random.Random(seed).shuffle(faults)
    assert _wrongs_after(site, faults) == {}


def _emptied(site: Site) -> None:
    site.redis.flushall()


def _a_week_older(site: Site) -> None:
    """What Redis keeps for eight days is gone; the streams, their groups and the rows stand."""
    keys = list(site.redis.scan_iter(match="aff:*:fp:*", count=1_000))
    assert keys
    for key in keys:
        site.redis.pexpire(key, 1)
    eventually(lambda: not site.redis.exists(*keys), "the end of the fingerprints")


@pytest.mark.faults
@pytest.mark.parametrize("forget", [_emptied, _a_week_older])
def test_what_redis_has_forgotten_does_not_count_again(site: Site, forget: Callable[[Site], None]) -> None:
    with Visitors(site, "web") as at_web, Visitors(site, "edge") as at_edge, Shop(site) as shop:
        shop.have_gone_on(20)
    assert Counted.of(site).wrongs(shop, at_web, at_edge) == {}
    forget(site)
    with ThreadPoolExecutor(20) as pool:
        again = [*shop.orders] * 20
        assert list(pool.map(shop.send, again)) == [shop.orders[order_id] for order_id in again]
    assert Counted.of(site).wrongs(shop, at_web, at_edge) == {}


@pytest.mark.parametrize("name", ["web", "edge"])
def test_known_links_go_on_after_a_restart_without_the_database(tmp_path: Path, sqlite_url: str, name: str) -> None:
    with fault_site.running(tmp_path, sqlite_url, name) as site:
        eventually((tmp_path / "var" / "links.snapshot").exists, "the snapshot")
        site.kill(name)
        (tmp_path / "affiliate.db").rename(tmp_path / "away.db")
        (tmp_path / "affiliate.db").mkdir()  # what cannot be opened
        site.start(name)
        assert site.get(name, "/r/anna").click


def test_each_process_gets_to_know_a_link_that_another_made(tmp_path: Path, sqlite_url: str) -> None:
    with fault_site.running(tmp_path, sqlite_url, "web", "edge") as site:
        assert [site.get(name, "/r/new").status for name in ("web", "edge")] == [404, 404]
        site.add_link("new")
        for name in ("web", "edge"):
            eventually(lambda name=name: site.get(name, "/r/new").click is not None, f"the link at {name}")  # type: ignore[misc]


@pytest.mark.faults
@pytest.mark.parametrize("name", ["web", "edge"])
def test_sigterm_under_load_fails_no_click_that_was_stored(tmp_path: Path, sqlite_url: str, name: str) -> None:
    """Two hundred clicks a second, each a twentieth of a second or more under way: about ten are, whenever the end comes."""
    with fault_site.running(tmp_path, sqlite_url, name) as site:
        site.proxy.take("slow")
        with Visitors(site, name, per_second=200, threads=40) as visitors:
            visitors.have_gone_on(300)
            assert site.stop(name) == 0
        assert visitors.wrong == []
        site.proxy.take("open")
        site.start(name, "ingest")
        assert set(visitors.told) == Counted.of(site).clicks


@pytest.mark.parametrize("name", ["web", "edge"])
def test_sigterm_fails_no_request_that_was_read(tmp_path: Path, sqlite_url: str, name: str) -> None:
    """A connection that nothing was read from is closed: its sender knows that nothing was stored."""
    with fault_site.running(tmp_path, sqlite_url, name) as site:
        site.proxy.take("slow")
        asked = [site.ask(name, "/r/anna") for _ in range(_UNDER_WAY)]
        eventually(lambda: site.has_read(name, asked), "all are read")
        assert site.stop(name) == 0
        told = {each.answer().click for each in asked}
        assert len(told - {None}) == _UNDER_WAY
        with pytest.raises(ConnectionRefusedError):
            site.ask(name, "/r/anna")
        site.proxy.take("open")
        site.start(name, "ingest")  # what went to disk waits for the next life
        assert told == Counted.of(site).clicks


def test_sigterm_fails_no_order_that_was_read(tmp_path: Path, sqlite_url: str) -> None:
    with fault_site.running(tmp_path, sqlite_url, "web") as site:
        site.proxy.take("slow")
        orders = [f"o{number}" for number in range(_ORDERS_UNDER_WAY)]
        asked = [site.ask_to_take("conversions", _order(order_id)) for order_id in orders]
        eventually(lambda: site.has_read("web", asked), "all are read")
        assert site.stop("web") == 0
        answers = [each.answer() for each in asked]
        assert {answer.status for answer in answers} == {202}
        site.proxy.take("open")
        site.start("web", "ingest")
        told = {order_id: json.loads(answer.text)["id"] for order_id, answer in zip(orders, answers, strict=True)}
        assert Counted.of(site).orders == told


def _order(order_id: str) -> dict[str, str]:
    return {"program": "ondera", "order_id": order_id, "amount": "10.50", "currency": "EUR"}


def _attributed(site: Site) -> list[tuple[int, Unattributed | None, int]]:
    """What is decided by now: the version, why nobody was credited, and how many were."""
    engine = db.make_engine(site.environment["AFFILIATE_DATABASE_URL"])
    with Session(engine) as session:
        attribution.attribute_waiting(session, limit=10, clicks_until=clock.now(), now=clock.now())
        session.commit()
        credited = sa.select(sa.func.count()).where(Credit.attribution_id == Attribution.id).scalar_subquery()
        wanted = sa.select(Attribution.version, Attribution.reason, credited).order_by(Attribution.version)
        found = [(version, reason, number) for version, reason, number in session.execute(wanted)]
    engine.dispose()
    return found


@pytest.mark.faults
def test_an_order_is_decided_again_when_its_click_comes_later_from_a_spool(site: Site) -> None:
    site.proxy.take("refused")
    token = site.get("edge", "/r/anna").token
    alone = (1, Unattributed.ALL_REFUSED, 0)
    with frozen(
        lambda: processes.tree(site.running["edge"].pid)
    ):  # it holds its file, so that nobody else brings the click
        site.proxy.take("open")
        order = {"program": "ondera", "order_id": "1", "amount": "1.00", "currency": "EUR", "click_id": token}
        assert site.report("conversions", order).status == 202
        eventually(lambda: _attributed(site) == [alone], "the order without its click")
    eventually(site.has_counted_all, "all is taken")
    assert _attributed(site) == [alone, (2, None, 1)]


@contextlib.contextmanager
def _without_growth(site: Site) -> Iterator[None]:
    """No file may grow: to a program that is the same as no room."""
    for size in (0, resource.RLIM_INFINITY):
        for name in ("web", "edge"):
            for pid in processes.tree(site.running[name].pid):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        if not size:
            yield


@contextlib.contextmanager
def _without_room(site: Site) -> Iterator[None]:
    assert site.disk is not None
    site.disk.fill()
    yield
    site.disk.free()


def _answers_without_a_disk(site: Site, fault: Fault) -> dict[str, Any]:
    """What the site answers while neither Redis nor the disk takes anything, and what it has counted in the end."""
    order = {"program": "ondera", "order_id": "1", "amount": "1.00", "currency": "EUR"}
    site.kill("redis")
    with fault(site):
        refused = site.report("conversions", order)
        visitors = [site.get(name, "/r/anna") for name in ("web", "edge")]
        pixel = site.get("web", "/t/pixel.gif?program=ondera&order_id=2&amount=1.00&currency=EUR")
    eventually(lambda: site.report("conversions", order).status == 202, "room again")
    uncounted = "affiliate_clicks_uncounted_total 2.0" in site.get("edge", "/metrics").text
    site.start("redis")
    counted = Counted.of(site)
    return {
        "order": (refused.status, refused.headers["Retry-After"]),
        "visitors": [visitor.click is not None for visitor in visitors],
        "pixel": pixel.status,
        "both are named as uncounted": uncounted,
        "counted": (set(counted.orders), counted.clicks),
    }


ORDERS_REFUSED_VISITORS_NOT = {
    "order": (503, "5"), "visitors": [True, True], "pixel": 503, "both are named as uncounted": True,
    "counted": ({"1"}, set()),
}  # fmt: skip


@pytest.mark.faults
def test_where_no_file_may_grow_orders_are_refused_and_visitors_go_on(site: Site) -> None:
    assert _answers_without_a_disk(site, _without_growth) == ORDERS_REFUSED_VISITORS_NOT


@pytest.mark.faults
def test_on_a_full_disk_orders_are_refused_and_visitors_go_on(tmp_path: Path, sqlite_url: str) -> None:
    with small_disk.mounted(tmp_path / "var") as disk:
        if disk is None:
            pytest.skip("this machine lets nobody mount a disk of its own; the limit of file sizes stands for it")
        with fault_site.running(tmp_path, sqlite_url, "web", "edge", "ingest", disk=disk) as site:
            assert _answers_without_a_disk(site, _without_room) == ORDERS_REFUSED_VISITORS_NOT
            with _without_room(site):
                for name in ("web", "edge"):
                    site.restart(name)
                    assert site.get(name, "/r/anna").click


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_while_postgresql_hangs_links_and_orders_go_on(
    tmp_path: Path, database_url: str, postgresql_server: str
) -> None:
    sockets = Path(postgresql_server.partition("host=")[2])
    pid = int((sockets.parent / "data" / "postmaster.pid").read_text().split()[0])
    with fault_site.running(tmp_path, database_url, "web", "edge") as site, ThreadPoolExecutor(2 * _PAGES) as pool:
        assert {page.status for page in pool.map(lambda _: site.get("web", "/apply/ondera"), range(_PAGES))} == {200}
        with frozen(lambda: processes.tree(pid)):
            pages = [pool.submit(site.get, "web", "/apply/ondera") for _ in range(_PAGES)]
            with Visitors(site, "web") as at_web, Visitors(site, "edge") as at_edge, Shop(site) as shop:
                for load in (at_web, at_edge, shop):
                    load.have_gone_on(10)
                assert {page.result().status for page in pages} == {503}
                assert site.get("web", "/readyz").status == 200
        eventually(lambda: site.get("web", "/apply/ondera").status == 200, "pages")
        site.start("ingest")
        assert Counted.of(site).wrongs(shop, at_web, at_edge) == {}


_PAGES = server._THREADS + 8  # more than web has threads
