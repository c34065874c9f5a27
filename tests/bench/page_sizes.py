"""A site in two sizes, side by side: each page is opened on the one and on the other in turn, so what disturbs the machine disturbs both.

Each size has a database of its own on one PostgreSQL, and a process of its own, which stands for the web process.
"""

import contextlib
import multiprocessing
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import servers
from page_site import Cost, Visitor, installed, vacuum
from sqlalchemy.engine import Engine

_WARM_UP = 3


class Site(Protocol):
    """A program that is filled, and a person who looks at it."""

    @property
    def visitor(self) -> Visitor:
        """The person's browser."""

    @property
    def pages(self) -> Mapping[str, str]:
        """Addresses by name."""


Make = Callable[[Engine, int], Site]
"""Builds a site with so many clicks."""


class Size:
    """A site in a process of its own."""

    def __init__(self, make: Make, clicks: int, address: str, folder: Path) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        ours = multiprocessing.get_context("fork")  # the benches are no package that could be imported anew
        self._process = ours.Process(target=_serve, args=(theirs, make, clicks, address, folder), daemon=True)
        self._process.start()
        theirs.close()

    def answer(self) -> Any:
        """What the site answers, as soon as it does.

        Raises:
            RuntimeError: what went wrong over there.
        """
        found, problem = self._pipe.recv()
        if problem is not None:
            raise RuntimeError("the site of this size failed") from problem
        return found

    def ask(self, what: Callable[..., Any], *arguments: Any) -> Any:
        """The answer of a function that is called over there with the site."""
        self._pipe.send((what, arguments))
        return self.answer()

    def end(self) -> None:
        """Let the process end."""
        self._pipe.close()
        self._process.join(10)
        self._process.kill()


def _serve(pipe: Connection, make: Make, clicks: int, address: str, folder: Path) -> None:
    try:
        with installed(address, f"bench_{clicks}", folder) as engine:
            site = make(engine, clicks)
            vacuum(engine)
            pipe.send((None, None))
            while True:
                what, arguments = pipe.recv()
                pipe.send((what(site, *arguments), None))
    except EOFError:
        pass
    except Exception as error:  # noqa: BLE001 - whatever it is, the other side tells it
        with contextlib.suppress(OSError):
            pipe.send((None, error))


class Costs(NamedTuple):
    """What a page cost on both sizes, opened in turn."""

    small: list[Cost]
    large: list[Cost]

    def ratio(self) -> float:
        """The middle of what the larger one took on the clock against the smaller one, pair by pair."""
        return statistics.median(large.took / small.took for small, large in zip(self.small, self.large, strict=True))

    def ratio_of_cpu(self) -> float:
        """The same of the web process's CPU."""
        return statistics.median(large.cpu / small.cpu for small, large in zip(self.small, self.large, strict=True))


class Pair(NamedTuple):
    """Both sizes of a site."""

    small: Size
    large: Size

    def costs(self, page: str, *, times: int) -> Costs:
        """What a page costs on both so many times, after a few that nobody counts."""
        found = [(self.small.ask(_cost, page), self.large.ask(_cost, page)) for _ in range(times + _WARM_UP)]
        small, large = zip(*found[_WARM_UP:], strict=True)
        return Costs(list(small), list(large))

    def check(self, page: str, words: str) -> None:
        """See that a page of the large one says these words, a pattern: an empty one costs nothing. On the small one it would only seem dear.

        Raises:
            RuntimeError: it does not open, or does not say them.
        """
        self.large.ask(_check, page, words)

    def queries(self, page: str) -> int:
        """How many statements a page of the large one asks."""
        return int(self.large.ask(_queries, page))


def _cost(site: Site, page: str) -> Cost:
    return site.visitor.cost(site.pages[page])


def _check(site: Site, page: str, words: str) -> None:
    site.visitor.check(site.pages[page], words)


def _queries(site: Site, page: str) -> int:
    return site.visitor.queries(site.pages[page])


@contextlib.contextmanager
def pair(make: Make, *, small: int, large: int) -> Iterator[Pair]:
    """Both sizes, filled at the same time, to be asked when both are there."""
    with tempfile.TemporaryDirectory(prefix="affiliate-bench-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        (folder / "postgresql").mkdir()
        server = servers.postgresql(folder / "postgresql", memory_mb=servers.LARGE_MB)
        address = stack.enter_context(server)
        sizes = [Size(make, clicks, address, folder / str(clicks)) for clicks in (small, large)]
        for size in sizes:
            stack.callback(size.end)
        for size in sizes:
            size.answer()
        yield Pair(*sizes)
