"""The vendored front end is what it was when it was taken in: every file has its hash, every folder its licence."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).parents[2] / "static" / "vendor"
PACKAGES: list[dict[str, Any]] = json.loads((VENDOR / "manifest.json").read_text())


def sha384(path: Path) -> str:
    return "sha384-" + base64.b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()


def test_every_file_is_in_the_manifest_with_the_hash_it_has() -> None:
    listed = {
        f"{package['folder']}/{name}": digest for package in PACKAGES for name, digest in package["files"].items()
    }
    present = {
        str(path.relative_to(VENDOR)): sha384(path)
        for path in VENDOR.rglob("*")
        if path.is_file() and path.parent != VENDOR
    }
    assert present == listed


def test_nothing_lies_loose_beside_the_manifest() -> None:
    assert [path.name for path in VENDOR.iterdir() if path.is_file()] == ["manifest.json"]


def test_every_folder_is_named_after_its_version_and_has_a_licence() -> None:
    for package in PACKAGES:
        assert package["folder"].endswith(f"-{package['version']}"), package["folder"]
        assert package["licence"], package["folder"]
        assert "LICENSE" in package["files"], package["folder"]
