"""The host of the page that a click came from. Pure."""

from functools import lru_cache
from urllib.parse import urlsplit

HOST_LENGTH_MAX = 100
_CACHE_SIZE = 10_000


@lru_cache(maxsize=_CACHE_SIZE)
def host_of(referrer: str | None) -> str:
    """The host in lower case and without `www.`; empty for none, and for what is no address."""
    if not referrer:
        return ""
    try:
        host = urlsplit(referrer).hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")[:HOST_LENGTH_MAX]
