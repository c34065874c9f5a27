"""Commands of `affiliate`, each in a process and an environment of its own, forked from one that has loaded everything.

To load took most of their time. What a command loads by itself is seen by `tests/run/test_lean_imports.py`, and wherever
tests start the long-running ones as an operator does.
"""

import json
import os
import subprocess
import sys
import tempfile
import traceback
from functools import cache
from pathlib import Path

_LOADED = (
    "affiliate.tables",
    "affiliate.up",
    "affiliate.schema",
    "affiliate.worker",
    "affiliate.ingest.consumer",
    "psycopg",
)
_SERVE = "import sys; sys.path.append({tests!r}); import commands; commands.serve()"


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """What `affiliate` with these arguments says, and how it ends."""
    with tempfile.TemporaryDirectory() as folder:
        said = [Path(folder) / name for name in ("out", "err")]
        asked = {"environment": environment, "arguments": arguments, "said": [str(path) for path in said]}
        server = _server()
        assert server.stdin
        assert server.stdout
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        told = server.stdout.readline()
        assert told, "the process that forks commands has ended"
        return subprocess.CompletedProcess(arguments, int(told), *(path.read_text() for path in said))


@cache
def _server() -> "subprocess.Popen[str]":
    """Ends when this process does: nobody asks it any more."""
    tests = Path(__file__).parent
    words = [sys.executable, "-c", _SERVE.format(tests=str(tests))]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tests.parent)


def serve() -> None:
    """Fork a command for each line that asks for one; answer with its exit code."""
    import importlib

    for name in _LOADED:
        importlib.import_module(name)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _become(**json.loads(line))
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}\n")
        sys.stdout.flush()


def _become(*, environment: dict[str, str], arguments: list[str], said: list[str]) -> None:
    """Be the command; does not return."""
    from affiliate import cli

    for number, path in enumerate((os.devnull, *said)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), number)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["affiliate", *arguments]
    code: object = 1
    try:
        cli.main()
    except SystemExit as end:
        code = end.code or 0
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1)
