"""Known bots by their user agent: the pattern list of isbot, kept as data with its version and licence."""

import json
from functools import lru_cache
from pathlib import Path

import regex  # two of the patterns are beyond `re`

_LIST = Path(__file__).with_name("bots.json")
_CACHE_SIZE = 10_000  # a browser's text costs half a millisecond to clear; a day brings a few thousand different ones


@lru_cache(maxsize=1)
def _pattern() -> "regex.Pattern[str]":
    return regex.compile("|".join(json.loads(_LIST.read_text())["patterns"]), regex.IGNORECASE)


@lru_cache(maxsize=_CACHE_SIZE)
def is_bot(user_agent: str) -> bool:
    """Whether the text is that of a crawler, a library, a monitor or a browser without a person."""
    return _pattern().search(user_agent) is not None
