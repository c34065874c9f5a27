"""The canary's calls: what a visitor's browser and another tracker would send, over HTTP to the address that they use."""

import http.client
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

DEADLINE_SECONDS = 10.0
AMOUNT = "100"
"""Of the test order, in whole units: an amount in every currency."""

_AGENT = "Affiliate-Canary/1"
_ANSWER_LENGTH_MAX = 300


class ProbeFailed(Exception):  # noqa: N818 - read as a kind
    """A call was not answered as it must be; the message says which and how."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    location: str
    text: str


class _Stay(urllib.request.HTTPRedirectHandler):
    """The redirect is the answer: the shop's page is none of ours."""

    def redirect_request(self, *_arguments: Any, **_named: Any) -> None:
        """Follow nothing."""


def click(*, tracking_url: str, code: str, stamp: str, parameter: str) -> str:
    """The click token that a test click on a link gets.

    Raises:
        ProbeFailed: no redirect, or none with a click id in it.
    """
    answer = _get(f"{tracking_url}/r/{quote(code, safe='')}?{urlencode({'aff_test': stamp})}", what="The click")
    token = parse_qs(urlsplit(answer.location).query).get(parameter, [""])[0]
    if answer.status != http.client.FOUND or not token:
        raise ProbeFailed(f"The click was answered with {answer.status} and no click id.")
    return token


def postback(*, tracking_url: str, what: str, **parameters: str) -> None:
    """Report the test order, or what became of it.

    Raises:
        ProbeFailed: it was not accepted.
    """
    answer = _get(f"{tracking_url}/t/postback?{urlencode(parameters | {'test': '1'})}", what=what)
    if answer.status != http.client.OK:
        raise ProbeFailed(f"{what} was answered with {answer.status}: {answer.text}")


def _get(url: str, *, what: str) -> _Answer:
    request = urllib.request.Request(url, headers={"User-Agent": _AGENT})  # noqa: S310 - our own address, from the settings
    opener = urllib.request.build_opener(_Stay)
    try:
        with opener.open(request, timeout=DEADLINE_SECONDS) as answer:
            return _Answer(answer.status, "", _text(answer.read(_ANSWER_LENGTH_MAX)))
    except urllib.error.HTTPError as refused:
        with refused:
            return _Answer(refused.code, refused.headers.get("Location", ""), _text(refused.read(_ANSWER_LENGTH_MAX)))
    except (OSError, http.client.HTTPException) as error:
        raise ProbeFailed(f"{what} got no answer: {error}") from error


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")
