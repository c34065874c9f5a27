"""The page for a link that nobody knows, where there is no Flask: one small document, in the visitor's language."""

import gettext
from functools import lru_cache
from html import escape
from pathlib import Path
from string import Template

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
    <p>$why</p>
    <p>$privacy</p>
    <p><a href="$address">$leads</a></p>
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


def language_of(accepted: str) -> str:
    """The language a browser likes best among ours (its `Accept-Language`, in the order it is written)."""
    wanted = (part.strip()[:2].lower() for part in accepted.split(","))
    return next((language for language in wanted if language in _LANGUAGES), _LANGUAGES[0])


@lru_cache(maxsize=64)
def page(language: str, *, shop_url: str | None, start_url: str) -> str:
    """The page. `shop_url` is where the visitor most likely wanted to go, if the installation has one shop only."""
    say = gettext.translation("messages", _PACKAGE / "translations", [language], fallback=True).gettext
    return _PAGE.substitute(
        language=language,
        title=escape(say(_TITLE)),
        why=escape(say(_WHY)),
        privacy=escape(say(_PRIVACY)),
        address=escape(shop_url or start_url, quote=True),
        leads=escape(say(_TO_SHOP if shop_url else _TO_START)),
    )
