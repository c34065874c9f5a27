"""Where a program's pages and links are: at its own host once that is proved, else where the installation answers. Pure.

The scheme and the port are the installation's: whatever stands in front of it serves its programs' hosts as well.
"""

from typing import Protocol
from urllib.parse import urlsplit


class Installation(Protocol):
    """What is asked of the settings."""

    @property
    def host(self) -> str:
        """Where it listens."""

    @property
    def base_url(self) -> str:
        """Where its pages are."""

    @property
    def tracking_url(self) -> str:
        """Where its links point."""


def pages(own_host: str | None, to: Installation) -> str:
    """What the address of a page begins with, without a slash at its end."""
    return _at(own_host, to.base_url)


def links(own_host: str | None, to: Installation) -> str:
    """What the address of a partner's link begins with, and of the tag."""
    return _at(own_host, to.tracking_url)


def own_hosts(to: Installation) -> frozenset[str]:
    """The hosts under which the installation itself answers."""
    found = {urlsplit(address).hostname or "" for address in (to.base_url, to.tracking_url)}
    return frozenset(found | {to.host, "localhost", "127.0.0.1"})


def host_of(header: str) -> str:
    """The host in a `Host` header, without its port, as it is stored."""
    return header.strip().lower().rpartition("]")[2].partition(":")[0].rstrip(".")


def _at(own_host: str | None, address: str) -> str:
    if not own_host:
        return address
    parts = urlsplit(address)
    return f"{parts.scheme}://{own_host}{f':{parts.port}' if parts.port else ''}"
