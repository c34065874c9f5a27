"""What a network address says of where somebody is: a country, and whether it is a data centre, Tor or a mobile network.

Asked at the edge before the address is cut: afterwards nobody could tell any more. The country comes from a MaxMind
file, the class from lists of networks; without them nothing is known, and nothing is guessed.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any, get_args

import maxminddb

from affiliate.tracking.eventtypes import Network

_CACHE_SIZE = 16_384
_COUNTRY_LENGTH = 2
_STRICTEST_FIRST: tuple[Network, ...] = ("tor", "datacentre", "mobile")


class BadNetworkFile(Exception):  # noqa: N818 - read as a kind
    """A file of addresses cannot be read; the message names it and the line, for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from: a country of ISO 3166 and a class of network, each null when it is not known."""

    country: str | None = None
    network: Network | None = None


class Ranges:
    """Networks as sorted ranges of numbers, so that a look-up is one bisection however many there are."""

    def __init__(self, networks: Iterable[str]) -> None:
        """Texts that are networks, or else `ValueError`."""
        self._bounds: dict[int, tuple[list[int], list[int]]] = {4: ([], []), 6: ([], [])}
        for version, first, last in sorted(map(_range, networks)):
            starts, ends = self._bounds[version]
            if starts and first <= ends[-1] + 1:  # what overlaps or touches is one range
                ends[-1] = max(ends[-1], last)
            else:
                starts.append(first)
                ends.append(last)

    def __contains__(self, address: tuple[int, int]) -> bool:
        """Whether an address, as its version and its number, lies in one of the networks."""
        version, number = address
        starts, ends = self._bounds[version]
        place = bisect_right(starts, number) - 1
        return place >= 0 and number <= ends[place]


class Networks:
    """The files of one installation, read once; the answers of the last addresses are kept in memory."""

    def __init__(
        self,
        *,
        lists: Mapping[Network, Iterable[str]] | None = None,
        country_of: Callable[[str], str | None] | None = None,
    ) -> None:
        """`lists` are networks by their class, `country_of` gives the country of an address."""
        self._ranges = {name: Ranges(lists[name]) for name in _STRICTEST_FIRST if lists and name in lists}
        self._country_of = country_of
        self.of: Callable[[str], Origin] = lru_cache(maxsize=_CACHE_SIZE)(self._of)
        """Where an address is; nothing for what is no address."""

    def _of(self, address: str) -> Origin:
        try:
            parsed = ip_address(address)
        except ValueError:
            return Origin()
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        found = (parsed.version, int(parsed))
        network = next((name for name, ranges in self._ranges.items() if found in ranges), None)
        return Origin(self._country_of(str(parsed)) if self._country_of else None, network)


def load(*, lists_folder: Path | None, geoip_file: Path | None) -> Networks:
    """Read what the operator has: `datacentre.txt`, `tor.txt`, `mobile.txt` with a network a line, and a MaxMind file.

    Raises:
        BadNetworkFile: a file that cannot be read, or a line in one that is no network.
    """
    lists = {name: _lines(lists_folder / f"{name}.txt") for name in get_args(Network)} if lists_folder else None
    return Networks(lists=lists, country_of=_country_reader(geoip_file) if geoip_file else None)


def _lines(path: Path) -> list[str]:
    """The networks of a file; a list that is not there is empty. `#` begins a remark."""
    if not path.exists():
        return []
    networks = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if text := line.partition("#")[0].strip():
            try:
                _range(text)
            except ValueError as error:
                raise BadNetworkFile(f"{path}, line {number}: {error}") from error
            networks.append(text)
    return networks


def _range(text: str) -> tuple[int, int, int]:
    network = ip_network(text, strict=False)
    return network.version, int(network.network_address), int(network.broadcast_address)


def _country_reader(path: Path) -> Callable[[str], str | None]:
    """In memory: a reader that maps the file would fail under us when the operator replaces it."""
    try:
        database = maxminddb.open_database(str(path), maxminddb.MODE_MEMORY)
    except (OSError, maxminddb.InvalidDatabaseError) as error:
        raise BadNetworkFile(f"{path} is no MaxMind file that can be read: {error}") from error

    def country_of(address: str) -> str | None:
        try:
            found: Any = database.get(address)
        except (ValueError, maxminddb.InvalidDatabaseError):  # an IPv6 address in a file for IPv4
            return None
        country = found.get("country") if isinstance(found, dict) else None
        code = country.get("iso_code") if isinstance(country, dict) else None
        return code if isinstance(code, str) and len(code) == _COUNTRY_LENGTH else None

    return country_of
