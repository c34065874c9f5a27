"""What is installed is pinned and hashed, and comes from no address of our own choosing."""

import re
from pathlib import Path

import pytest

CONFIG = Path(__file__).parents[2] / "config"
NAME = re.compile(r"[A-Za-z0-9._-]+")
LOCKED = ["requirements-build", "requirements", "requirements-dev"]


def _entries(locked: str) -> list[str]:
    """The requirements of a locked file, each with its hashes, in one line."""
    text = (CONFIG / f"{locked}.txt").read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("locked", LOCKED)
def test_every_requirement_is_pinned_and_hashed(locked: str) -> None:
    entries = _entries(locked)
    loose = [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry]
    assert entries
    assert loose == []


@pytest.mark.parametrize("locked", LOCKED)
def test_no_address_of_an_index_is_locked(locked: str) -> None:
    assert "://" not in (CONFIG / f"{locked}.txt").read_text()


@pytest.mark.parametrize("locked", LOCKED)
def test_what_is_asked_for_is_locked(locked: str) -> None:
    asked = (CONFIG / f"{locked}.in").read_text().splitlines()
    names = {_plain(NAME.match(line)[0]) for line in asked if line[:1].isalnum()}
    pinned = {_plain(NAME.match(entry)[0]) for entry in _entries(locked)}
    assert names - pinned == set()


def test_both_files_pin_the_same_versions() -> None:
    def versions(locked: str) -> dict[str, str]:
        return {name: entry.split()[0] for entry in _entries(locked) for name in [_plain(NAME.match(entry)[0])]}

    server, developer = versions("requirements"), versions("requirements-dev")
    assert {name: developer.get(name) for name in server} == server
