"""The operator's page and the code speak of the same settings, commands and files."""

import re
import tomllib
from pathlib import Path

from affiliate.cli import cli

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operator.md").read_text()


def test_the_page_explains_every_setting_with_its_default() -> None:
    defaults = tomllib.loads((ROOT / "config" / "settings.toml").read_text())
    rows = dict(re.findall(r"^\| `AFFILIATE_(\w+)` \| (.*?) \|", PAGE, re.MULTILINE))
    assert {name.lower() for name in rows} == set(defaults)
    stated = {name: str(value) for name, value in defaults.items() if value not in ("", 0)}
    assert {name: rows[name.upper()].strip("`") for name in stated} == stated


def test_every_command_on_the_page_exists() -> None:
    named = set(re.findall(r"`affiliate ([\w-]+)", PAGE))
    assert named
    assert named <= set(cli.commands)


def test_every_file_that_the_readme_and_the_page_point_to_exists() -> None:
    for page in (ROOT / "README.md", ROOT / "docs" / "operator.md"):
        targets = re.findall(r"\]\(([^)#:]+)\)", page.read_text())
        assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_readme_has_every_package() -> None:
    packages = {path.parent.name for path in (ROOT / "affiliate").glob("*/__init__.py")}
    rows = re.findall(r"^\| (`.*?) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == packages
