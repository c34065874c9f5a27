"""`make bench`: seconds, memory and ratios of a real tree on this machine; a table, and JSON lines in DATA_DIR.

Absolute figures depend on the machine; ratios are taken within one run. Nothing here passes or fails.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import commission_batches
import ledger_proof
import main_job
import money_stages
import newsletters
from figures import Figure

from affiliate import settings

SUITES: tuple[Callable[[], Iterator[Figure]], ...] = (main_job.measure, money_stages.measure, commission_batches.measure, ledger_proof.measure, newsletters.measure)


def main() -> None:
    """Run every suite, print a line as soon as it is known, and keep all of them."""
    data_dir = settings.current().data_dir
    data_dir.mkdir(parents=True, exist_ok=True)
    measured_at = datetime.now(UTC).isoformat()
    print(f"{'figure':58} {'value':>12}  goal")
    with (data_dir / "bench.jsonl").open("a") as file:
        for suite in SUITES:
            for figure in suite():
                print(f"{figure.name:58} {figure.value:>12,.3f}  {figure.goal}", flush=True)
                file.write(
                    json.dumps(
                        {"measured_at": measured_at, "name": figure.name, "value": figure.value, "goal": figure.goal}
                    )
                    + "\n"
                )
    print(f"\nKept in {data_dir / 'bench.jsonl'}.")


if __name__ == "__main__":
    main()
