"""The few words that we add to a newsletter, in the reader's language. A worker has no request, so the language is named."""

from functools import lru_cache
from pathlib import Path

from babel.support import NullTranslations, Translations

from affiliate.newsletters.content import N_

_FOLDER = Path(__file__).parents[1] / "translations"

WHY = N_("You get this mail because you are a partner of %(program)s.")
STOP = N_("Stop these mails, or choose which you get")
YOUR_LINK = N_("Your link, ready to copy:")


def say(sentence: str, language: str, **values: str) -> str:
    """One of our sentences in a language."""
    text = str(_catalogue(language).gettext(sentence))
    return text % values if values else text


@lru_cache(maxsize=8)
def _catalogue(language: str) -> NullTranslations:
    return Translations.load(str(_FOLDER), [language])
