"""The list of bots knows bots and lets people through."""

import json
from pathlib import Path

import pytest
import regex

from affiliate.ingest import bots

PEOPLE = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
]
MACHINES = [
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "python-requests/2.32.3",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36",
]


@pytest.mark.parametrize("user_agent", PEOPLE)
def test_a_browser_with_a_person_is_no_bot(user_agent: str) -> None:
    assert not bots.is_bot(user_agent)


@pytest.mark.parametrize("user_agent", MACHINES)
def test_a_machine_is_a_bot(user_agent: str) -> None:
    assert bots.is_bot(user_agent)


def test_every_pattern_of_the_list_compiles_and_its_origin_is_named() -> None:
    listed = json.loads((Path(bots.__file__).with_name("bots.json")).read_text())
    assert (listed["name"], listed["licence"]) == ("isbot", "Unlicense")
    assert len(listed["patterns"]) > 200
    for pattern in listed["patterns"]:
        regex.compile(pattern)
