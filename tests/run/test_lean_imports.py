"""What each process loads: a library that few of them ever need costs all of them memory and a slower start."""

import subprocess
import sys

import pytest

from affiliate import worker

WEB = ["flask", "flask_security", "flask_smorest", "granian", "werkzeug", "wtforms"]
RARE = [
    *["alembic", "css_inline", "currency_converter", "dkim", "markdown_it", "mjml", "openpyxl", "PIL", "psycopg"],
    *["schwifty", "sepaxml", "stdnum", "weasyprint", "webauthn"],
]
"""Loaded at their one place of use: an upload, a bank file, a migration, a mail's layout, PostgreSQL."""
ROWS = ["sqlalchemy"]


JOBS = sorted({each.func.rpartition(".")[0] for each in worker.SCHEDULE})
ENTRIES = {
    "up": (["affiliate.cli", "affiliate.up"], WEB + RARE + ROWS + ["redis", "rq"]),
    "cron": (["affiliate.cli", "affiliate.queues", "affiliate.worker"], WEB + RARE + ROWS),
    "edge": (["affiliate.tracking.edge"], WEB + RARE + ["rq"]),
    "ingest and workers": (
        ["affiliate.tables", "affiliate.worker", "affiliate.schema", "affiliate.ingest.consumer", *JOBS],
        WEB + RARE,
    ),
    "web": (["affiliate.app"], RARE),
}


@pytest.mark.parametrize("process", sorted(ENTRIES))
def test_a_process_loads_nothing_that_others_need(process: str) -> None:
    modules, unwanted = ENTRIES[process]
    ask = f"import sys; import {', '.join(modules)}; print(*sorted(sys.modules.keys() & set({unwanted!r})))"
    told = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, timeout=120)
    assert told.stdout.split() == []
