"""Logs: lines for people or JSON for machines, on standard error, from every process alike."""

import json
import logging
import sys
from datetime import UTC, datetime

_TEXT = "%(asctime)s %(levelname)-7s %(message)s"


class _Json(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


def configure(*, level: str, form: str) -> None:
    """Send every logger of this process to standard error; `form` is text or json."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else logging.Formatter(_TEXT, "%H:%M:%S"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for library in ("alembic", "rq"):  # they tell each step
        logging.getLogger(library).setLevel(max(logging.WARNING, logging.getLogger().level))
