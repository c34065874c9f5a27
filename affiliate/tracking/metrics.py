"""What the tracker counts about itself, over all of its processes on this machine.

Where `PROMETHEUS_MULTIPROC_DIR` names a folder, each process writes into a small file of its own there, so that one page can tell the sums, and what a process counted
before it died stays counted until the next start.
"""

import os

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.multiprocess import MultiProcessCollector

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # read by the library when a metric is made

ACCEPTED = Counter("affiliate_events_accepted", "Events that Redis acknowledged before the answer")
SPOOLED = Counter("affiliate_events_spooled", "Events kept on disk, because Redis did not take them")
REPLAYED = Counter("affiliate_events_replayed", "Events brought from disk into the streams")
TORN = Counter("affiliate_events_put_aside", "Pieces of spool files that could not be read and were put aside")
REFUSED = Counter("affiliate_events_refused", "Events that no durable place took: the sender was told to try again")
UNCOUNTED = Counter(
    "affiliate_clicks_uncounted", "Clicks answered that no place could store, or whose link was not known yet"
)
BREAKER = Gauge(
    "affiliate_breaker_open",
    "1 while a process goes on without Redis",
    multiprocess_mode="mostrecent",
)
COUNTERS = (ACCEPTED, SPOOLED, REPLAYED, TORN, REFUSED, UNCOUNTED)


def register(registry: CollectorRegistry) -> None:
    """Add the sums over all processes to what a page tells; those of this process where they are not shared."""
    if os.environ.get(_FOLDER):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library leaves it untyped
        return
    for metric in (*COUNTERS, BREAKER):
        registry.register(metric)
