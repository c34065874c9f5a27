"""`make bench`: seconds, memory and ratios of a real tree on this machine; a table, and JSON lines in DATA_DIR.

Absolute figures depend on the machine; ratios are taken within one run. It fails when a goal is missed. Names of suites as
arguments (`tests/bench clicks main_job`) run these alone.
"""

import json
import os
import platform
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import attribution_scale
import clicks
import commission_batches
import console_pages
import fraud_month
import ingest_rows
import ledger_proof
import lighthouse
import main_job
import many_links
import money_stages
import newsletters
import orders_api
import payout_run
import portal_pages
import replay_month
from figures import Figure

from affiliate import settings

Suite = Callable[[], Iterator[Figure]]
SUITES: tuple[Suite, ...] = (
    main_job.measure,
    clicks.measure,
    many_links.measure,
    ingest_rows.measure,
    money_stages.measure,
    attribution_scale.measure,
    replay_month.measure,
    commission_batches.measure,
    fraud_month.measure,
    ledger_proof.measure,
    payout_run.measure,
    newsletters.measure,
    orders_api.measure,
    portal_pages.measure,
    console_pages.measure,
    lighthouse.measure,
)


def main(names: list[str]) -> int:
    """Run the suites, print a line as soon as it is known, keep all of them; the number of goals missed."""
    data_dir = settings.current().data_dir
    data_dir.mkdir(parents=True, exist_ok=True)
    suites = [suite for suite in SUITES if not names or suite.__module__ in names]
    missed = 0
    measured_at = datetime.now(UTC).isoformat()
    print(_machine())
    print(f"{'figure':58} {'value':>12}  goal")
    with (data_dir / "bench.jsonl").open("a") as file:
        for suite in suites:
            for figure in _figures(suite):
                missed += figure.is_missed
                mark = "  MISSED" if figure.is_missed else ""
                print(f"{figure.name:58} {figure.value:>12,.3f}  {figure.goal}{mark}", flush=True)
                file.write(
                    json.dumps(
                        {"measured_at": measured_at, "name": figure.name, "value": figure.value, "goal": figure.goal}
                    )
                    + "\n"
                )
    print(f"\nKept in {data_dir / 'bench.jsonl'}. Goals missed: {missed}.")
    return missed


def _figures(suite: Suite) -> Iterator[Figure]:
    """Those of a suite; one that fails is a goal that was missed, and the others are measured."""
    try:
        yield from suite()
    except Exception:  # noqa: BLE001 - whatever it is, it is told
        traceback.print_exc()
        yield Figure(f"{suite.__module__} ended by itself", 0, ">= 1")


def _machine() -> str:
    """What absolute figures depend on."""
    said = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = re.search(r"model name\s*: (.*)", said)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    name = model[1] if model else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores, {memory} GB, {platform.system()} {platform.release()}, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
