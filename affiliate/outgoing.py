"""Calls that leave this machine over HTTP: to public addresses only, without redirects, bounded in time and size.

The address is resolved once, checked, and connected to, so that a name that changes between check and call leads nowhere inside.
"""

from collections.abc import Iterable

SECONDS_MAX = 20
_CONNECT_SECONDS_MAX = 5
_CHUNK = 65_536


class CallFailed(Exception):  # noqa: N818 - read as a kind
    """Nobody answered as asked; the message says what happened, for an operator."""


def get(url: str, *, bytes_max: int, loopback: bool = False) -> bytes:
    """What the address gives, over https. `loopback`: this machine may answer too, and without TLS (tests).

    Raises:
        CallFailed: no answer, a private address, a status other than 200, or more than `bytes_max`.
    """
    import requests  # a second of start for processes that never call out
    from requests_hardened import Config, Manager

    if not url.startswith("https://") and not loopback:
        raise CallFailed(f"{url} does not begin with https://")
    config = Config(
        ip_filter_enable=True, ip_filter_allow_loopback_ips=loopback, never_redirect=True,
        default_timeout=(_CONNECT_SECONDS_MAX, SECONDS_MAX), user_agent_override="affiliate",
    )  # fmt: skip
    try:
        with Manager(config).send_request("GET", url, stream=True) as answer:
            if answer.status_code != requests.codes.ok:
                raise CallFailed(f"{url} answered {answer.status_code}")
            return _bounded(answer.iter_content(_CHUNK), bytes_max)
    except (requests.RequestException, ValueError) as error:
        raise CallFailed(f"{url}: {error}") from error


def _bounded(chunks: Iterable[bytes], bytes_max: int) -> bytes:
    found = bytearray()
    for chunk in chunks:
        found += chunk
        if len(found) > bytes_max:
            raise CallFailed(f"the answer is larger than {bytes_max} bytes")
    return bytes(found)
