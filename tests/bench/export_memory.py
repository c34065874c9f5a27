"""By how many megabytes an export makes a web process grow, in a process of its own: what others had to remember hides nothing.

`python export_memory.py EMAIL ADDRESS` prints it; settings are those of the environment.
"""

import subprocess
import sys
from http import HTTPStatus
from pathlib import Path

import sqlalchemy as sa
from page_site import Visitor

from affiliate import db
from affiliate.accounts.models import User

_LINES_MIN = 2
_STATUS, _FORGET_PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def grown_mb(email: str, address: str) -> float:
    """What a new process needed for the export at this address, opened by the person with this e-mail."""
    command = [sys.executable, __file__, email, address]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _grown_mb(email: str, address: str) -> float:
    """The most memory of this process while it exports, beyond what it had before; the bytes are thrown away."""
    with db.reading() as session:
        visitor = Visitor(session.scalars(sa.select(User).where(User.email == email)).one())
    _FORGET_PEAK.write_text("5")
    before = _peak_kb()
    answer = visitor.browser.get(address, buffered=False)
    lines = sum(chunk.count(b"\n") for chunk in answer.iter_encoded())
    answer.close()
    if answer.status_code != HTTPStatus.OK or lines < _LINES_MIN:
        raise RuntimeError(f"{address} answers {answer.status_code} with {lines} lines")
    return (_peak_kb() - before) / 1024


def _peak_kb() -> int:
    return int(_STATUS.read_text().partition("VmHWM:")[2].split()[0])


if __name__ == "__main__":
    print(_grown_mb(*sys.argv[1:]))
