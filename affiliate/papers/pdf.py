"""Papers as tagged PDF (PDF/UA-1), in the partner's language, drawn by WeasyPrint.

The library needs pango of the system. Where either is missing, papers are numbered all the same and wait for their PDF.
"""

import ctypes
import ctypes.util
import importlib.util
import logging
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal
from babel.support import Translations
from jinja2 import Environment, FileSystemLoader

from affiliate.money import Money

_PACKAGE = Path(__file__).parent.parent
_CHATTY = {  # every table of every font; every step; our own style sheet's rules for browsers
    "fontTools": logging.WARNING,
    "weasyprint.progress": logging.WARNING,
    "weasyprint": logging.ERROR,
}
_FONTS = _PACKAGE.parent / "static" / "vendor" / "instrument-sans-5.3.0"
_LIBRARY = "pangoft2-1.0"
_PERCENT_PLACES = 2


@lru_cache(maxsize=1)
def missing() -> str | None:
    """What of WeasyPrint and pango is not there, or nothing."""
    if importlib.util.find_spec("weasyprint") is None:
        return "weasyprint"
    for name in (f"lib{_LIBRARY}.so.0", ctypes.util.find_library(_LIBRARY)):
        try:
            if name:
                ctypes.CDLL(name)
                return None
        except OSError:
            continue
    return "pango"


def render(document: Mapping[str, Any]) -> bytes:
    """The paper as PDF."""
    import weasyprint  # half a second and 40 MB that only this job needs

    for name, level in _CHATTY.items():
        logging.getLogger(name).setLevel(level)
    page = weasyprint.HTML(string=html(document), base_url=_FONTS.as_uri() + "/", url_fetcher=_fetcher())
    content: bytes = page.write_pdf(pdf_variant="pdf/ua-1")
    return content


def html(document: Mapping[str, Any]) -> str:
    """The page that is drawn."""
    locale = Locale.parse(document["locale"])
    environment = _environment(document["locale"])
    return environment.get_template("papers/paper.html").render(
        paper=document,
        figures=document["figures"],
        language=locale.language,
        money=lambda minor: _money(minor, document["currency"], locale),
        percent=lambda bps: _percent(bps, locale),
        day=lambda text: format_date(date.fromisoformat(text), "long", locale=locale),
        country=lambda code: str(locale.territories.get(code, code)),
    )


@lru_cache(maxsize=8)
def _environment(locale: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_PACKAGE / "templates"), autoescape=True, extensions=["jinja2.ext.i18n"]
    )
    found = Translations.load(_PACKAGE / "translations", [locale])
    environment.install_gettext_translations(found, newstyle=True)  # type: ignore[attr-defined] # added by the extension
    return environment


def _money(minor: int, currency: str, locale: Locale) -> str:
    return format_currency(Money(minor, currency).decimal(), currency, locale=locale).replace("-", "−")


def _percent(bps: int, locale: Locale) -> str:
    return format_decimal(Money(bps, "EUR").decimal(), format="#,##0.##", locale=locale) + "\u00a0%"


def _fetcher() -> Any:
    """Reads our fonts and nothing else: no text on a paper makes this machine call anybody or open a file."""
    from weasyprint.urls import URLFetcher

    class Fonts(URLFetcher):  # type: ignore[misc] # the library is not typed
        def fetch(self, url: str, headers: Any = None) -> Any:
            if not url.startswith(_FONTS.as_uri() + "/") or ".." in url:
                raise ValueError(f"papers fetch nothing: {url}")
            return super().fetch(url, headers)

    return Fonts(allowed_protocols={"file"})
