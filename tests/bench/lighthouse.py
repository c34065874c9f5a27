"""What Lighthouse says of the pages that people open first: speed, accessibility and good practice, as a phone and as a desk see them.

An installation as `make run` makes it, with its demo, and the system's Chromium. Node and npm must be there: the first run
fetches Lighthouse, in the versions and with the hashes of `node/package-lock.json`, into DATA_DIR. Without them it says so,
and the goal counts as missed. Whole reports stay in DATA_DIR/lighthouse. The scores of speed are medians of `BENCH_LIGHTHOUSE_RUNS`
runs (3); a busy machine lowers them. Nothing here is part of the tests.
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import requests
from figures import Figure

from affiliate import settings

sys.path.insert(0, str(Path(__file__).parent.parent))  # the helpers of the tests

from installation import ANSWER_SECONDS_MAX, Installation
from pages import CHROMIUM

RUNS = int(os.environ.get("BENCH_LIGHTHOUSE_RUNS", "3"))
RUN_SECONDS_MAX = 180
_PINNED = Path(__file__).parent / "node"
_PAGES = {
    "home": "/portal/{program}/",
    "links": "/portal/{program}/links",
    "creatives": "/portal/{program}/creatives",
    "public page": "/p/{program}",
}
_SIGHTS: dict[str, list[str]] = {"phone": [], "desk": ["--preset=desktop"]}
_GOALS = {"performance": 95, "accessibility": 100, "best-practices": 100}
_CHROMIUM_FLAGS = "--headless=new --no-sandbox --disable-background-networking --no-first-run"
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"


class CannotMeasure(Exception):  # noqa: N818 - read as a kind
    """Something that is not ours is missing here."""


class _Site(NamedTuple):
    """Where the pages are, and the cookies of a partner who has signed in."""

    base_url: str
    program: str
    cookies: str


def measure() -> Iterator[Figure]:
    """Each page in both sights."""
    try:
        folder = _installed()
    except CannotMeasure as error:
        print(f"Lighthouse is not measured: {error}", file=sys.stderr)
        yield Figure("lighthouse: pages that it could look at", 0, f">= {len(_PAGES)}")
        return
    with tempfile.TemporaryDirectory(prefix="affiliate-bench-") as name:
        installation = Installation(Path(name))
        try:
            installation.start()
            site = _signed_in(installation)
            for page in _PAGES:
                for sight in _SIGHTS:
                    yield from _scores(folder, site, page, sight)
        finally:
            installation.end()


def _installed() -> Path:
    """The folder with Lighthouse in it, fetched when it is not there in the pinned version."""
    npm = shutil.which("npm")
    if shutil.which("node") is None or npm is None:
        raise CannotMeasure("it needs Node 20 or newer with npm (apt install nodejs npm).")
    if CHROMIUM is None:
        raise CannotMeasure("it needs Chromium (make chromium).")
    folder = settings.current().data_dir / "lighthouse"
    folder.mkdir(parents=True, exist_ok=True)
    pinned = (_PINNED / "package-lock.json").read_bytes()
    kept = folder / "installed-lock.json"
    if kept.exists() and kept.read_bytes() == pinned:
        return folder
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_PINNED / name, folder / name)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund"]  # its scripts would fetch a browser
    environment = os.environ | {"PUPPETEER_SKIP_DOWNLOAD": "1"}
    done = subprocess.run([npm, "ci", *quiet], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotMeasure(f"npm could not fetch it: {done.stderr.strip().splitlines()[-1:]}")
    kept.write_bytes(pinned)
    return folder


def _signed_in(installation: Installation) -> _Site:
    """Sign a partner in as its browser would."""
    person = next(one for one in installation.demo["people"] if one["role"] == "partner")
    address = f"http://127.0.0.1:{installation.port}/login"
    headers = {"Host": installation.base_url.removeprefix("http://"), "User-Agent": _AGENT}
    cookies: dict[str, str] = {}

    def ask(method: str, **rest: Any) -> requests.Response:
        told = headers | {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        answer = requests.request(
            method, address, headers=told, timeout=ANSWER_SECONDS_MAX, allow_redirects=False, **rest
        )
        cookies.update({one.name: one.value or "" for one in answer.cookies})
        return answer

    token = _TOKEN.search(ask("GET").text)
    assert token is not None
    entered = ask("POST", data={"email": person["email"], "password": person["password"], "csrf_token": token[1]})
    if entered.status_code != requests.codes.found:
        raise RuntimeError(f"the sign-in answers {entered.status_code}")
    sent = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return _Site(installation.base_url, installation.demo["program"], sent)


def _scores(folder: Path, site: _Site, page: str, sight: str) -> Iterator[Figure]:
    reports = [_report(folder, site, page, sight) for _ in range(RUNS)]
    for category, goal in _GOALS.items():
        scores = [100 * report["categories"][category]["score"] for report in reports]
        score = statistics.median(scores) if category == "performance" else min(scores)
        figure = Figure(f"{page}, {sight}: {category}", score, f">= {goal}")
        if figure.is_missed:
            print(f"  {figure.name}: {_wrong(reports[-1], category)}", file=sys.stderr)
        yield figure


def _wrong(report: dict[str, Any], category: str) -> str:
    """What lowered a score, the weightiest first."""
    counted = [one for one in report["categories"][category]["auditRefs"] if one["weight"]]
    audits = [report["audits"][one["id"]] for one in sorted(counted, key=lambda one: -one["weight"])]
    missed = [one for one in audits if one["score"] is not None and one["score"] < 1]
    return ", ".join(f"{one['id']} {one.get('displayValue', '')}".strip() for one in missed)


def _report(folder: Path, site: _Site, page: str, sight: str) -> dict[str, Any]:
    kept = folder / f"{page.replace(' ', '-')}-{sight}.json"
    cookies = [] if page == "public page" else [f"--extra-headers={json.dumps({'Cookie': site.cookies})}"]
    command = [
        "node", str(folder / "node_modules" / "lighthouse" / "cli" / "index.js"),
        site.base_url + _PAGES[page].format(program=site.program), "--quiet", "--no-enable-error-reporting",
        "--output=json", f"--output-path={kept}", f"--only-categories={','.join(_GOALS)}",
        f"--chrome-flags={_CHROMIUM_FLAGS}", *_SIGHTS[sight], *cookies,
    ]  # fmt: skip
    environment = os.environ | {"CHROME_PATH": str(CHROMIUM)}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=RUN_SECONDS_MAX, check=False
    )
    if done.returncode:
        raise RuntimeError(f"Lighthouse could not look at {page}: {done.stderr.strip()[-600:]}")
    report: dict[str, Any] = json.loads(kept.read_text())
    if report["finalDisplayedUrl"] != report["requestedUrl"]:
        raise RuntimeError(f"{page} leads to {report['finalDisplayedUrl']}")
    return report
