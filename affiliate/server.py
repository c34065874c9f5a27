"""The web server: granian, one process, a few threads."""

import os
from pathlib import Path

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from affiliate.settings import Settings

_TARGET = f"{Path(__file__).parent.parent / 'wsgi.py'}:application"
_THREADS_MAX = 8  # fewer than the database connections of one process
_STOP_SECONDS_MAX = 5
_ACCESS_FORMAT = "%(method)s %(path)s %(status)d %(dt_ms).1f ms"  # without the query: it may hold personal data


def serve(settings: Settings) -> None:
    """Answer on `HOST`:`PORT` until a signal comes; requests that are under way are finished first."""
    debug = settings.log_level == "DEBUG"
    Granian(
        _TARGET,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        websockets=False,
        blocking_threads=min(_THREADS_MAX, 2 * (os.cpu_count() or 1) + 1),
        workers_kill_timeout=_STOP_SECONDS_MAX,
        log_level=LogLevels.info if debug else LogLevels.warning,
        log_access=debug,
        log_access_format=_ACCESS_FORMAT,
        # Their lines go through our own handler.
        log_dictconfig={
            "handlers": {},
            "loggers": {"_granian": {"propagate": True}, "granian.access": {"level": "INFO", "propagate": True}},
        },
    ).serve()
