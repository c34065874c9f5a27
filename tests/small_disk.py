"""A disk of one megabyte that can be full: real for the processes that are started on it, and for nobody else.

It is a memory file system in a mount namespace, inside a user namespace, so that nobody has to be root; where the machine
forbids such namespaces there is no such disk.
"""

import contextlib
import errno
import subprocess
from collections.abc import Iterator
from pathlib import Path

_MOUNT = 'mount -t tmpfs -o size=1m none "$0" && echo ready && exec cat'
_PIECE = bytes(4096)


class SmallDisk:
    """The disk, mounted over a folder for as long as its keeper lives."""

    def __init__(self, folder: Path, keeper: subprocess.Popen[bytes]) -> None:
        self.command = ["nsenter", f"--target={keeper.pid}", "--user", "--mount", "--preserve-credentials"]
        self.path = Path(f"/proc/{keeper.pid}/root{folder}")
        self._filler = self.path / "filler"

    def fill(self) -> None:
        """Leave no room for a single byte."""
        with self._filler.open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(_PIECE)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def free(self) -> None:
        """Make room again."""
        self._filler.unlink()


@contextlib.contextmanager
def mounted(folder: Path) -> Iterator[SmallDisk | None]:
    """A small disk over this folder; nothing where the machine allows none."""
    folder.mkdir()
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", _MOUNT, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as keeper:
        assert keeper.stdout is not None
        try:
            yield SmallDisk(folder, keeper) if keeper.stdout.readline() == b"ready\n" else None
        finally:
            keeper.kill()
