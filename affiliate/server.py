"""The web server and the edge: granian, a process for each."""

import logging
import os
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.log import LogLevels

from affiliate.settings import Settings

_WEB = f"{Path(__file__).parent.parent / 'wsgi.py'}:application"
_EDGE = "affiliate.tracking.edge:application"
_COUNTERS = "metrics"
_COUNTERS_BYTES = 256 * 1024  # more than what a few processes write
_THREADS = 32  # clicks that come together are decided and written together; pages have `places`
_CONNECTIONS_MAX = 2_000  # requests of the edge under way at once; more wait in line
_STOP_SECONDS_MAX = 5
_log = logging.getLogger(__name__)
_ACCESS_FORMAT = "%(method)s %(path)s %(status)d %(dt_ms).1f ms"  # without the query: it may hold personal data


def serve(settings: Settings) -> None:
    """Answer on `HOST`:`PORT` until a signal comes; requests that are under way are finished first."""
    Granian(
        _WEB,
        port=settings.port,
        interface=Interfaces.WSGI,
        blocking_threads=_THREADS,
        **_common(settings),
    ).serve()


def serve_edge(settings: Settings) -> None:
    """The same for the edge, on `HOST` and the port after."""
    Granian(
        _EDGE,
        factory=True,
        port=settings.edge_port,
        interface=Interfaces.RSGI,
        loop=Loops.uvloop,
        backpressure=_CONNECTIONS_MAX,
        runtime_mode=RuntimeModes.st,  # one thread beside the event loop's: two more fought for the core and halved the rate
        **_common(settings),
    ).serve()


def _common(settings: Settings) -> dict[str, Any]:
    _share_counters(settings.data_dir)
    debug = settings.log_level == "DEBUG"
    return {
        "address": settings.host,
        "http": HTTPModes.http1,
        "websockets": False,
        "workers_kill_timeout": _STOP_SECONDS_MAX,
        "log_level": LogLevels.info if debug else LogLevels.warning,
        "log_access": debug,
        "log_access_format": _ACCESS_FORMAT,
        # Their lines go through our own handler.
        "log_dictconfig": {
            "handlers": {},
            "loggers": {"_granian": {"propagate": True}, "granian.access": {"level": "INFO", "propagate": True}},
        },
    }


def _share_counters(data_dir: Path) -> None:
    """Let web and edge count where each can tell the sums of both. `up` begins from zero.

    The library maps its files into memory, and a process that counts on a full disk is killed for it. Where there is no room at
    the start, each counts for itself: links go on.
    """
    folder = data_dir / _COUNTERS
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder) as probe:
            os.posix_fallocate(probe.fileno(), 0, _COUNTERS_BYTES)
    except OSError as error:
        _log.warning("each process counts for itself: %s", error)
    else:
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(folder))  # the library reads it in the worker processes
