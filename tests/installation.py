"""An installation as `make run` makes it, with its demo, started from outside on two host names that a browser takes for two sites."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import commands
import processes
import requests
from processes import command_of, eventually, lives, tree

COMMAND = [sys.executable, "-m", "affiliate.cli"]
START_SECONDS_MAX = 180  # the demo has ninety days to tell, and the machine may be busy
ANSWER_SECONDS_MAX = 60


class Installation:
    """A running tree of processes with data of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = processes.free_port()
        self.base_url = f"http://www.shop.localhost:{self.port}"
        self.tracking_url = f"http://track.shop.localhost:{self.port}"
        self.data_dir = folder / "var"
        self.said = folder / "said"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AFFILIATE_")}
        self.environment = inherited | {
            "PORT": str(self.port),
            "DATA_DIR": str(self.data_dir),
            "AFFILIATE_BASE_URL": self.base_url,
            "AFFILIATE_TRACKING_URL": self.tracking_url,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start everything, and wait until the pages answer."""
        with self.said.open("ab") as said:
            self._process = subprocess.Popen([*COMMAND, "up"], env=self.environment, stdout=said, stderr=said)
        welcome = f"answers at {self.base_url}"
        eventually(lambda: welcome in self._words(), "the welcome", seconds=START_SECONDS_MAX)

    def _words(self) -> str:
        words = self.said.read_text()
        assert self._process is not None
        assert self._process.poll() is None, f"the installation has ended:\n{words}"
        return words

    def end(self) -> None:
        """Stop it as Ctrl-C does, once; take down what is left, whatever happened."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        finally:
            processes.end(process)

    @property
    def demo(self) -> dict[str, Any]:
        """What the demo says about itself."""
        sheet: dict[str, Any] = json.loads((self.data_dir / "demo.json").read_text())
        return sheet

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of this installation."""
        return commands.run(self.environment, *arguments)

    def require_balance(self) -> None:
        """Fail with the findings if the books do not balance now."""
        proved = self.run("ledger", "verify")
        assert proved.returncode == 0, proved.stdout + proved.stderr

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Call the API with the demo's key. Python cannot resolve our host names, so it is told where they are."""
        headers = {"Host": f"www.shop.localhost:{self.port}", "Authorization": f"Bearer {self.demo['api_key']}"}
        address = f"http://127.0.0.1:{self.port}/api/v1{path}"
        return requests.request(method, address, json=body, headers=headers, timeout=ANSWER_SECONDS_MAX)

    def click(self, code: str) -> str:
        """Follow a partner's link as a browser would, and give the click id that the shop sees."""
        headers = {
            "Host": f"track.shop.localhost:{self.port}",
            "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/143.0",
        }
        address = f"http://127.0.0.1:{self.port}/r/{code}"
        answer = requests.get(address, headers=headers, allow_redirects=False, timeout=ANSWER_SECONDS_MAX)
        assert answer.status_code == 302
        return answer.headers["Location"].partition("aff_click=")[2].partition("&")[0]

    def kill(self, command: str) -> None:
        """`kill -9` of the processes with this command, and wait until they are gone."""
        found = self._pids(command)
        assert found, f"{command} does not run"
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not any(lives(pid) for pid in found), f"the end of {command}")

    def require_running(self, command: str) -> None:
        """Wait until a process with this command runs (again)."""
        eventually(lambda: bool(self._pids(command)), f"another {command}")

    def _pids(self, command: str) -> set[int]:
        assert self._process is not None
        return {pid for pid in tree(self._process.pid) if f"affiliate.cli {command}" in command_of(pid)}
