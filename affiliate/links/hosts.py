"""Where a link may lead. Pure and strict: an address passes only if every browser reads the same host in it.

Browsers forgive a lot (WHATWG URL): backslashes, tabs, missing slashes, credentials, full-width letters, encoded dots. Each of these has been
used to make a checker and a browser see two different hosts. So nothing is repaired here: the part before the path has a tiny alphabet,
and whatever is outside of it is refused with a reason.
"""

import enum
import re
from collections.abc import Iterable
from urllib.parse import quote

URL_LENGTH_MAX = 2000

_DEFAULT_PORTS = {"http": "80", "https": "443"}
_PORT_MAX = 65_535
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]")
_SHAPE = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#]*)(?P<rest>[/?#].*)?", re.IGNORECASE | re.DOTALL)
_LABEL = r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_AUTHORITY = re.compile(
    rf"(?P<host>{_LABEL}(?:\.{_LABEL})*)(?::(?P<port>[1-9][0-9]{{0,4}}))?", re.IGNORECASE | re.ASCII
)
_BARE = re.compile(rf"{_LABEL}(?:\.{_LABEL})+(?::[1-9][0-9]{{0,4}})?(?:[/?#].*)?", re.IGNORECASE | re.DOTALL | re.ASCII)
_SAFE_IN_REST = "/?#[]@!$&'()*+,;=:%-._~|^`{}<>\""  # quote() leaves these alone: only what is not ASCII is encoded


class LandingProblem(enum.StrEnum):
    """Why an address cannot be the end of a link."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    CONTROL_CHARACTER = (
        "control_character"  # also spaces, tabs and line ends: browsers drop some of them without a word
    )
    BACKSLASH = "backslash"  # browsers read it as a slash
    NOT_ASCII = "not_ascii"  # look-alike letters; `completed` encodes those after the host
    NOT_A_WEB_ADDRESS = "not_a_web_address"  # anything but http:// and https:// with a host
    CREDENTIALS = "credentials"  # https://shop.example@other.example
    BAD_HOST = "bad_host"  # encoded dots, brackets, empty labels, a port out of range
    HOST_NOT_ALLOWED = "host_not_allowed"


def completed(text: str) -> str:
    """What a person meant when pasting an address: trimmed, `https://` in front of a bare host, letters after the host encoded.

    The answer is not yet checked: `landing_problem` says whether it may be used.
    """
    text = text.strip(" \t\r\n")
    if _BARE.fullmatch(text):
        text = f"https://{text}"
    found = _SHAPE.fullmatch(text)
    if found is None or not found["rest"]:
        return text
    try:
        return text[: found.start("rest")] + quote(found["rest"], safe=_SAFE_IN_REST + " \\")
    except UnicodeEncodeError:  # a lone surrogate cannot be encoded; landing_problem refuses it
        return text


def landing_problem(url: str, allowed_hosts: Iterable[str]) -> LandingProblem | None:
    """Why `url` may not be used, or None when it leads to one of `allowed_hosts`.

    `allowed_hosts` are compared whole, in lower case; an entry without a port means the default port of the address's scheme.
    """
    refused = _spelling_problem(url)
    if refused is not None:
        return refused
    found = _SHAPE.fullmatch(url)
    if found is None or not found["authority"]:
        return LandingProblem.NOT_A_WEB_ADDRESS
    if "@" in found["authority"]:
        return LandingProblem.CREDENTIALS
    host = _host(found["scheme"], found["authority"])
    if host is None:
        return LandingProblem.BAD_HOST
    return None if host in {entry.strip().lower() for entry in allowed_hosts} else LandingProblem.HOST_NOT_ALLOWED


def host_of(url: str) -> str | None:
    """The host (with its port, unless it is the scheme's own) of an address that is spelled well, for messages."""
    found = None if _spelling_problem(url) else _SHAPE.fullmatch(url)
    return _host(found["scheme"], found["authority"]) if found else None


def _spelling_problem(url: str) -> LandingProblem | None:
    checks = (
        (not url.strip(), LandingProblem.EMPTY),
        (len(url) > URL_LENGTH_MAX, LandingProblem.TOO_LONG),
        (_FORBIDDEN.search(url) is not None, LandingProblem.CONTROL_CHARACTER),
        ("\\" in url, LandingProblem.BACKSLASH),
        (not url.isascii(), LandingProblem.NOT_ASCII),
    )
    return next((problem for applies, problem in checks if applies), None)


def _host(scheme: str, authority: str) -> str | None:
    found = _AUTHORITY.fullmatch(authority)
    if found is None:
        return None
    host, port = found["host"].lower(), found["port"]
    if port is None or port == _DEFAULT_PORTS[scheme.lower()]:
        return host
    return f"{host}:{port}" if int(port) <= _PORT_MAX else None
