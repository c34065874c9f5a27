"""Every text of code and pages exists in Italian and Polish, with the same values in it."""

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

ROOT = Path(__file__).parent.parent
KEYWORDS = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "N_": None}
KEYWORDS |= {"ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
VALUES = re.compile(r"%\(\w+\)[sd]|%[sd%]|<[^>]+>")


@cache
def texts() -> dict[tuple[str | None, str], tuple[str, ...]]:
    """All texts by context and first form, with their forms."""
    with (ROOT / "config" / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file, "babel.cfg")
    found = extract_from_dir(ROOT / "affiliate", methods, options, keywords=KEYWORDS)
    forms = {}
    for _file, _line, message, _comments, context in found:
        parts = (message,) if isinstance(message, str) else tuple(message)
        forms[(context, parts[0])] = parts
    return forms


def catalogue(language: str) -> Catalog:
    with (ROOT / "affiliate" / "translations" / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def translated(language: str, context: str | None, text: str) -> tuple[str, ...]:
    message: Message | None = catalogue_of(language).get(text, context)
    if message is None or not message.string:
        return ()
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


catalogue_of = cache(catalogue)


@pytest.mark.parametrize("language", ["it", "pl"])
def test_no_text_is_missing(language: str) -> None:
    missing = [(context, text) for context, text in texts() if not all(translated(language, context, text) or [""])]
    assert missing == []


@pytest.mark.parametrize("language", ["it", "pl"])
def test_every_plural_has_all_forms_of_the_language(language: str) -> None:
    count = catalogue_of(language).num_plurals
    wrong = [key for key, forms in texts().items() if len(forms) > 1 and len(translated(language, *key)) != count]
    assert wrong == []


@pytest.mark.parametrize("language", ["it", "pl"])
def test_a_translation_has_the_values_of_its_text(language: str) -> None:
    wrong = []
    for key, forms in texts().items():
        wanted = set(VALUES.findall(" ".join(forms)))
        for string in translated(language, *key):
            got = set(VALUES.findall(string))
            # A plural form may leave the number out ("one day"), but never hold a value that the text does not give.
            if got - wanted or (len(forms) == 1 and got != wanted):
                wrong.append((key, string))
    assert wrong == []


def test_no_sentence_is_the_same_in_both_languages() -> None:
    both = [(key, translated("it", *key), translated("pl", *key)) for key in texts()]
    assert [
        key for key, italian, polish in both if italian == polish and VALUES.sub("", italian[0]).strip().count(" ") > 1
    ] == []


@pytest.mark.parametrize("language", ["it", "pl"])
def test_nothing_is_kept_that_no_page_says(language: str) -> None:
    said = set(texts())
    kept = [message for message in catalogue_of(language) if message.id]
    dead = [
        message.id
        for message in kept
        if (message.context, message.id if isinstance(message.id, str) else message.id[0]) not in said
    ]
    assert dead == []
