"""Country and class of a network address, from files as an operator has them."""

from ipaddress import IPv4Address, ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from affiliate.tracking import network
from affiliate.tracking.network import BadNetworkFile, Networks, Origin, Ranges

NETWORKS = st.builds(
    lambda number, bits: f"{ip_address(number)}/{bits}", st.integers(0x0A000000, 0x0A0FFFFF), st.integers(10, 32)
)
ADDRESSES = st.integers(0x0A000000, 0x0A1FFFFF).map(ip_address)


@pytest.fixture
def geoip_file(tmp_path: Path) -> Path:
    """A MaxMind file that knows one network, and one without a country."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="GeoLite2-Country")
    writer.insert_network(IPSet(["203.0.113.0/24"]), {"country": {"iso_code": "IT"}})
    writer.insert_network(IPSet(["198.51.100.0/24"]), {"continent": {"code": "EU"}})
    path = tmp_path / "countries.mmdb"
    writer.to_db_file(str(path))
    return path


def test_the_country_comes_from_a_maxmind_file(geoip_file: Path) -> None:
    of = network.load(lists_folder=None, geoip_file=geoip_file).of
    assert of("203.0.113.77").country == "IT"
    assert of("::ffff:203.0.113.77").country == "IT"
    assert of("198.51.100.1").country is None
    assert of("192.0.2.1").country is None
    assert of("2001:db8::1").country is None


def test_the_class_comes_from_lists_and_the_strictest_counts(tmp_path: Path) -> None:
    (tmp_path / "tor.txt").write_text("# exits\n198.51.100.7\n\n2001:db8:7::/48 # one more\n")
    (tmp_path / "datacentre.txt").write_text("198.51.100.0/24\n")
    of = network.load(lists_folder=tmp_path, geoip_file=None).of
    assert of("198.51.100.7") == Origin(None, "tor")
    assert of("198.51.100.8") == Origin(None, "datacentre")
    assert of("2001:db8:7::1").network == "tor"
    assert of("198.51.101.0") == Origin()


def test_without_files_nothing_is_known() -> None:
    assert Networks().of("203.0.113.77") == Origin()


@pytest.mark.parametrize("text", ["", "unix:", "203.0.113.77:80", "999.1.1.1", "a" * 5_000])
def test_what_is_no_address_has_no_origin(text: str) -> None:
    assert Networks(lists={"tor": ["0.0.0.0/0"]}).of(text) == Origin()


def test_a_line_that_is_no_network_is_named(tmp_path: Path) -> None:
    (tmp_path / "mobile.txt").write_text("203.0.113.0/24\n203.0.113.0/99\n")
    with pytest.raises(BadNetworkFile, match=r"mobile\.txt, line 2"):
        network.load(lists_folder=tmp_path, geoip_file=None)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "countries.mmdb").write_bytes(b"PK")
    with pytest.raises(BadNetworkFile, match=r"countries\.mmdb"):
        network.load(lists_folder=None, geoip_file=tmp_path / "countries.mmdb")


@given(st.lists(NETWORKS, max_size=12), st.lists(ADDRESSES, min_size=1, max_size=12))
def test_a_look_up_finds_exactly_what_lies_in_one_of_the_networks(
    networks: list[str], addresses: list[IPv4Address]
) -> None:
    ranges = Ranges(networks)
    whole = [ip_network(text, strict=False) for text in networks]
    edges = [each for one in whole for each in (one.network_address, one.broadcast_address)]
    for address in [*addresses, *edges]:
        assert ((4, int(address)) in ranges) == any(address in one for one in whole)
