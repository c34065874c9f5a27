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


TABLES = {
    "ingest": ["affiliate.accounts.models", "affiliate.programs.models", "affiliate.ingest.consumer"],
    "stages": worker.modules("stages"),
}
LOST = """
from sqlalchemy.orm import configure_mappers
from affiliate.db import Base
configure_mappers()
tables = Base.metadata.tables
keys = [key for table in tables.values() for key in table.foreign_keys]
print(*sorted({key.target_fullname for key in keys if key.target_fullname.partition(".")[0] not in tables}), len(tables) > 10)
"""


@pytest.mark.parametrize("process", sorted(TABLES))
def test_a_process_with_few_tables_has_all_that_its_foreign_keys_lead_to(process: str) -> None:
    ask = f"import {', '.join(TABLES[process])}\n{LOST}"
    told = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, timeout=120)
    assert told.stdout.split() == ["True"]
