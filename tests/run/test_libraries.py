"""What a start looks for among the installed libraries, and when it looks again."""

import subprocess
import sys
from pathlib import Path

from affiliate import libraries

MARK = "libraries"


def checked(folder: Path, *, before: str = "") -> list[str]:
    """Check in a process of its own; what it says: the error, and whether the application was loaded."""
    ask = f"""
import sys
from pathlib import Path
from affiliate import libraries
{before}
try:
    libraries.check(Path({str(folder)!r}))
except ImportError as error:
    print(error.name)
print("affiliate.app" in sys.modules)
"""
    told = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, timeout=120)
    return told.stdout.split()


def test_what_was_found_whole_is_not_loaded_again(tmp_path: Path) -> None:
    libraries.check(tmp_path)
    assert checked(tmp_path) == ["False"]


def test_other_libraries_are_looked_at_again(tmp_path: Path) -> None:
    libraries.check(tmp_path)
    whole = (tmp_path / MARK).read_text()
    for other in (b"of an older Python", b"\xff\xfe torn by a power cut"):
        (tmp_path / MARK).write_bytes(other)
        libraries.check(tmp_path)
        assert (tmp_path / MARK).read_text() == whole


def test_a_library_that_is_missing_is_named_at_every_start(tmp_path: Path) -> None:
    for _ in range(2):
        assert checked(tmp_path, before="sys.modules['flask'] = None")[0] == "flask"
    assert not (tmp_path / MARK).exists()


def test_where_nothing_can_be_written_the_start_goes_on(tmp_path: Path) -> None:
    assert checked(tmp_path / "gone") == ["True"]
