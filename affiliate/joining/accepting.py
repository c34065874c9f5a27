"""The terms that a reader is shown, and what is kept of their acceptance. Takes rows and values; reads nothing itself."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from affiliate.joining.models import PublicText
from affiliate.joining.questions import LANGUAGES

_VERSION_SHOWN = 8  # digits that tell one version from another on a page
NONE = "none"
"""The version of no terms: a form says so, for terms may be written while somebody fills it in."""


@dataclass(frozen=True, slots=True)
class Terms:
    """A text of terms. `language` is empty for the program's own, which say of themselves no language."""

    text: str
    language: str

    @property
    def version(self) -> str:
        """The fingerprint (SHA-256) by which the very text is known again; NONE where there is no text."""
        return hashlib.sha256(self.text.encode()).hexdigest() if self.text else NONE

    def plain(self, *, reader: str) -> dict[str, Any]:
        """As templates show it. `lang` is null where the reader's language is that of the text, empty where none is known."""
        lang = None if self.language == reader else self.language
        return {"text": self.text, "version": self.version, "lang": lang}


def terms_for(own: str, texts: Mapping[str, PublicText], *, reader: str) -> Terms:
    """The terms in the reader's language, else the program's own, else the first that there are.

    Only this field is looked at: a page without terms of its own does not hide those of the program.
    """
    if reader in texts and texts[reader].terms:
        return Terms(texts[reader].terms, reader)
    first = next((one for one in _written(texts)), Terms("", ""))
    return Terms(own, "") if own else first


def accepted(own: str, texts: Mapping[str, PublicText], *, version: str, reader: str) -> Terms | None:
    """The terms that a form showed, by their version; nothing if they have changed since, or where it names none."""
    shown = terms_for(own, texts, reader=reader)
    every = (shown, *([Terms(own, "")] if own else []), *_written(texts))
    return next((one for one in every if one.version == version), None)


def kept(terms: Terms, *, at: str) -> dict[str, str]:
    """What stands in an application's answers: when, in which language, and of which text."""
    return {"terms_accepted_at": at, "terms_language": terms.language, "terms_version": terms.version}


def standing(answers: Mapping[str, Any], own: str, texts: Mapping[str, PublicText]) -> dict[str, Any] | None:
    """What an application tells of its acceptance, and whether that text still stands; nothing where no version was kept."""
    version, language = answers.get("terms_version"), answers.get("terms_language", "")
    if version in {None, NONE}:
        return None
    now = texts[language].terms if language in texts else "" if language else own
    is_same = Terms(now, language).version == version
    return {"version": str(version)[:_VERSION_SHOWN], "language": language, "is_same": is_same}


def _written(texts: Mapping[str, PublicText]) -> list[Terms]:
    rows = ((one, texts[one].terms) for one in LANGUAGES if one in texts)
    return [Terms(text, one) for one, text in rows if text]
