"""What templates, style sheets and scripts refer to exists, and the content policy holds in them."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "static"
TEMPLATES = sorted((ROOT / "affiliate").rglob("templates/**/*.html"))
PAGES = [path for path in TEMPLATES if "mail" not in path.parts and path.name != "paper.html"]  # drawn, never served
STYLES = sorted((STATIC / "css").glob("*.css"))
ICONS = set(re.findall(r'<symbol id="i-([a-z0-9-]+)"', (STATIC / "icons.svg").read_text()))

ICON_CALL = re.compile(r'\bicon\("([a-z0-9-]+)"')
STATIC_CALL = re.compile(r"""static_url\(['"]([^'"~]+)['"]\)""")
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son(?:click|change|submit|input|load|error|focus|blur|key\w+|mouse\w+)=|javascript:|\bhx-on[:=]|\bjs:"
)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_names_only_icons_of_the_sprite(path: Path) -> None:
    assert set(ICON_CALL.findall(path.read_text())) <= ICONS


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_names_only_static_files_that_exist(path: Path) -> None:
    missing = [name for name in STATIC_CALL.findall(path.read_text()) if not (STATIC / name).is_file()]
    assert missing == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_a_page_has_no_inline_script_or_style(path: Path) -> None:
    without_comments = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)
    assert INLINE.findall(without_comments) == []


@pytest.mark.parametrize("path", STYLES, ids=name_of)
def test_a_style_sheet_refers_only_to_files_that_exist(path: Path) -> None:
    files = re.findall(r'url\((?!"data:)([^)]+)\)', path.read_text())
    assert [file for file in files if not (path.parent / file).is_file()] == []


def test_the_list_at_the_top_of_the_sprite_is_what_it_holds() -> None:
    comment = re.search(r"into this list\.\n(.*?)\n-->", (STATIC / "icons.svg").read_text(), re.DOTALL)
    assert comment is not None
    assert set(comment.group(1).split()) == ICONS


@pytest.mark.parametrize("path", [path for path in TEMPLATES if "console" in path.parts], ids=name_of)
def test_a_page_of_the_console_with_a_chart_offers_its_numbers_as_files(path: Path) -> None:
    text = path.read_text()
    assert "ui.chart(" not in text or "xlsx" in text or "files" in text
