"""The parts of a page for one of four people: tiles and panels of rows, plain values for one template."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from affiliate.console.blueprint import can, show
from affiliate.console.navigation import views
from affiliate.console.words import Sign

Cell = str | int | Sign | None


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a panel: its name (a link where `url` is given), what stands below it, and its cells."""

    name: str
    cells: Sequence[Any] = ()
    url: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A table with a name, the heads of its columns and where all of it stands; `empty` is said where there is no row."""

    key: str
    title: str
    heads: Sequence[str]
    rows: Sequence[Row]
    empty: str
    more: tuple[str, str] | None = None  # label and address


def tile(label: str, value: Any, *, page: str = "", url: str | None = None, note: str | None = None) -> dict[str, Any]:
    """A number, which leads to its rows where the person may open that page."""
    return {"label": label, "value": value, "url": url if page and can(page) else None, "note": note}


def more(page: str, url: str) -> tuple[str, str] | None:
    """The way to all rows, for who may open that page."""
    return (str(_("See all")), url) if can(page) else None


def page(title: str, sentence: str, *, tiles: Sequence[dict[str, Any]], panels: Sequence[Panel], **parts: Any) -> str:
    """The page, with the ways to the other ones that the person may open."""
    chips = list(views(can))
    return show("work/view.html", title=title, sentence=sentence, views=chips, tiles=tiles, panels=panels, **parts)
