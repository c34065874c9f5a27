"""What jobs say to people, each in the reader's language: a worker has no request, so the language is named."""

from functools import lru_cache
from pathlib import Path

from babel.support import NullTranslations, Translations

_FOLDER = Path(__file__).parent / "translations"


def say(sentence: str, language: str, **values: object) -> str:
    """One of our sentences, an English source marked with `N_`, in a language."""
    text = str(_catalogue(language).gettext(sentence))
    return text % values if values else text


@lru_cache(maxsize=8)
def _catalogue(language: str) -> NullTranslations:
    return Translations.load(str(_FOLDER), [language])
