"""The pages of a visitor without a shop, where there is no Flask: small documents, in the visitor's language.

One for a link that nobody knows, one for the moments in which no link is known yet.
"""

import gettext
from collections.abc import Callable
from functools import lru_cache
from html import escape
from pathlib import Path
from string import Template

HEADERS = [
    ("content-type", "text/html; charset=utf-8"),
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    ("x-content-type-options", "nosniff"),
]
AGAIN_SECONDS = 3
"""After this long the page of the waiting asks for the link again by itself."""
WAITING_HEADERS = [*HEADERS, ("refresh", str(AGAIN_SECONDS))]

_LANGUAGES = ("en", "it", "pl")
_PACKAGE = Path(__file__).parent.parent
_PAGE = Template("""\
<!doctype html>
<html lang="$language">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>$title</title>
</head>
<body>
  <main>
    <h1>$title</h1>
    $text
  </main>
</body>
</html>
""")


def N_(text: str) -> str:  # noqa: N802 - the name that collectors of translations look for
    """Mark a text for translation."""
    return text


_TITLE = N_("This partner link is not known")
_WHY = N_("It may have lost a letter on its way to you, or it is no longer offered.")
_PRIVACY = N_("Nothing is wrong with your device, and nothing about you was recorded.")
_TO_SHOP = N_("Go to the shop")
_TO_START = N_("Go to the start")
_WAIT_TITLE = N_("One moment, please")
_WAIT_WHY = N_("The way to the shop is being looked up. This page tries again by itself.")


def language_of(accepted: str) -> str:
    """The language a browser likes best among ours (its `Accept-Language`, in the order it is written)."""
    wanted = (part.strip()[:2].lower() for part in accepted.split(","))
    return next((language for language in wanted if language in _LANGUAGES), _LANGUAGES[0])


@lru_cache(maxsize=64)
def page(language: str, *, shop_url: str | None, start_url: str) -> str:
    """The page. `shop_url` is where the visitor most likely wanted to go, if the installation has one shop only."""
    address, leads = escape(shop_url or start_url, quote=True), _TO_SHOP if shop_url else _TO_START
    say = _translated(language)
    text = f"<p>{escape(say(_WHY))}</p><p>{escape(say(_PRIVACY))}</p>"
    return _document(language, say(_TITLE), f'{text}<p><a href="{address}">{escape(say(leads))}</a></p>')


@lru_cache(maxsize=len(_LANGUAGES))
def waiting(language: str) -> str:
    """The page of a process that has just started and knows no links, because the database does not answer."""
    say = _translated(language)
    return _document(language, say(_WAIT_TITLE), f"<p>{escape(say(_WAIT_WHY))}</p>")


def _translated(language: str) -> Callable[[str], str]:
    return gettext.translation("messages", _PACKAGE / "translations", [language], fallback=True).gettext


def _document(language: str, title: str, text: str) -> str:
    return _PAGE.substitute(language=language, title=escape(title), text=text)
