"""The main job, as a stranger meets it: first start, second start, idle memory, and from an order to its commission."""

import contextlib
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))  # the helpers of the tests

import processes
from figures import Figure

START_SECONDS_MAX = 180
ORDERS = 20
CLICKS = 200
SETTLE_SECONDS = 10  # before memory is read: imports done, first sweeps over
_TOKEN = re.compile(r"aff_click=([^&]+)")
_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"


class _Stay(urllib.request.HTTPRedirectHandler):
    """Redirects are the answer here."""

    def redirect_request(self, *_arguments: Any) -> None:
        """Do not follow."""


_browser = urllib.request.build_opener(_Stay)


def measure() -> Iterator[Figure]:
    """Two starts in a folder of its own, and orders against the second one."""
    with tempfile.TemporaryDirectory(prefix="affiliate-bench-") as folder:
        environment = os.environ | {"DATA_DIR": folder, "PORT": str(processes.free_port())}
        with _tree(environment) as (_process, seconds):
            yield Figure("first start with the demo, s", seconds, "<= 120")
        with _tree(environment) as (process, seconds):
            yield Figure("second start, s", seconds, "<= 10")
            time.sleep(SETTLE_SECONDS)
            yield Figure("idle memory of the whole tree (PSS), MB", _pss_mb(process.pid), "<= 500")
            sheet = json.loads(Path(folder, "demo.json").read_text())
            yield from _orders(sheet)
            yield from _clicks(sheet)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            yield Figure("SIGTERM to the last process gone, s", time.monotonic() - began, "<= 10")


@contextlib.contextmanager
def _tree(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """The whole server, and how long it took until it was ready."""
    began = time.monotonic()
    command = [sys.executable, "-m", "affiliate.cli", "up"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _answers(f"http://127.0.0.1:{environment['PORT']}/readyz"):
            if process.poll() is not None or time.monotonic() - began > START_SECONDS_MAX:
                raise RuntimeError("the server did not start: try `make run`")
            time.sleep(0.05)
        yield process, time.monotonic() - began
    finally:
        process.terminate()
        process.wait(60)


def _answers(url: str) -> bool:
    with contextlib.suppress(OSError):
        return bool(_browser.open(url, timeout=5).status == 200)
    return False


def _pss_mb(root: int) -> float:
    """Proportional set size of a process and all its descendants, in MB of 1,048,576 bytes."""
    waiting, kilobytes = [root], 0
    while waiting:
        pid = waiting.pop()
        with contextlib.suppress(OSError):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            kilobytes += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                waiting += [int(child) for child in children.read_text().split()]
    return kilobytes / 1024


def _orders(sheet: dict[str, Any]) -> Iterator[Figure]:
    """From the shop's call to the commission that the API shows."""
    seconds = []
    for number in range(ORDERS):
        token = _click(sheet, sheet["links"][number % len(sheet["links"])]["code"])
        order = {
            "program": sheet["program"],
            "order_id": f"bench-{number}",
            "amount": "49.90",
            "currency": "EUR",
            "click_id": token,
        }
        began = time.monotonic()
        conversion_id = _call(sheet, "/conversions", order)["id"]
        while not _call(sheet, f"/conversions/{conversion_id}/trace", missing={}).get("commissions"):
            time.sleep(0.02)
        seconds.append(time.monotonic() - began)
    yield Figure("order to commission, median s", statistics.median(seconds), "<= 5")
    yield Figure("order to commission, slowest s", max(seconds), "<= 5")


def _clicks(sheet: dict[str, Any]) -> Iterator[Figure]:
    """One visitor after another, on a connection each: latency, not throughput."""
    seconds = []
    for _ in range(CLICKS):
        began = time.monotonic()
        _click(sheet, sheet["links"][0]["code"])
        seconds.append((time.monotonic() - began) * 1000)
    yield Figure("click stored and answered, median ms", statistics.median(seconds))
    yield Figure("click stored and answered, p99 ms", statistics.quantiles(seconds, n=100)[98])


def _click(sheet: dict[str, Any], code: str) -> str:
    request = urllib.request.Request(f"{sheet['base_url']}/r/{code}", headers={"User-Agent": _AGENT})
    try:
        _browser.open(request, timeout=10)
    except urllib.error.HTTPError as redirect:
        found = _TOKEN.search(redirect.headers["Location"])
        if found is not None:
            return found[1]
    raise RuntimeError(f"/r/{code} did not redirect with a click id")


def _call(
    sheet: dict[str, Any], path: str, body: dict[str, Any] | None = None, missing: dict[str, Any] | None = None
) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {sheet['api_key']}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{sheet['base_url']}/api/v1{path}", data=data, headers=headers)
    try:
        answer: dict[str, Any] = json.load(_browser.open(request, timeout=10))
    except urllib.error.HTTPError as error:
        if missing is None or error.code != 404:
            raise
        return missing
    return answer
