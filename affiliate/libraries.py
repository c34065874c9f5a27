"""Whether everything that the servers load can be loaded, found out before they start: what is missing is told in words then.

It takes as long as their own start does, so what was found whole is not looked at again until Python, the packages beside it, or
what we ask for change.
"""

import hashlib
import importlib
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

_MARK = "libraries"
_WANTED = Path(__file__).parent.parent / "config" / "requirements.txt"


def check(data_dir: Path) -> None:
    """Load what the web server loads, unless that was done with these libraries already.

    Raises:
        ImportError: a package is missing, or a system library that one needs.
        OSError: the same, where a package looks for its library itself.
    """
    mark, found = data_dir / _MARK, _installed()
    with suppress(OSError):
        if mark.read_bytes() == found.encode():  # whatever a power cut has left there
            return
    importlib.import_module("affiliate.app")
    with suppress(OSError):  # a full disk: it is done again next time
        mark.write_text(found)


def _installed() -> str:
    """What tells these libraries from others: a folder's time changes with each package that comes or goes."""
    packages = Path(sysconfig.get_path("platlib"))
    wanted = hashlib.sha256(_WANTED.read_bytes()).hexdigest() if _WANTED.exists() else ""
    return f"{sys.version} {packages} {packages.stat().st_mtime_ns} {wanted}"
