"""The tracker's keys, all derived from the installation's secret, and what is signed or hashed with them. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Protocol
from uuid import UUID

from affiliate import signing

STAMP_TERM = timedelta(minutes=5)
"""How long a stamp may be used."""

_SIGNATURE_LENGTH = 16  # hexadecimal digits
_MOMENT_LENGTH_MAX = 11
_TEAM_COOKIE = "aff_team_"
_VISITOR = "vis"
_PURPOSES = ("click", "visitor", "email", "team", "test click")


class ProgramName(Protocol):
    """What a program is called: its facts in memory, or its row."""

    @property
    def id(self) -> UUID:
        """The program's id."""
        ...

    @property
    def slug(self) -> str:
        """The program's short name."""
        ...


@dataclass(frozen=True, slots=True)
class Keys:
    """A key for each purpose."""

    secret: str = field(repr=False)
    click: bytes = field(repr=False)
    visitor: bytes = field(repr=False)
    email: bytes = field(repr=False)
    team: bytes = field(repr=False)
    test: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: str) -> "Keys":
        """The keys of an installation with this secret."""
        return cls(secret, *(signing.derive(secret, purpose) for purpose in _PURPOSES))


def visitor_token(keys: Keys, *, program_id: UUID, visitor_id: UUID) -> str:
    """The value of the tracking cookie: the visitor id and a signature for this program."""
    return signing.token(keys.visitor, _VISITOR, program_id=program_id, identifier=visitor_id)


def visitor_tokens(keys: Keys, *, program_id: UUID) -> Callable[[UUID], str]:
    """What makes the values of the tracking cookies of one program."""
    return signing.tokens(keys.visitor, _VISITOR, program_id=program_id)


def read_visitor_token(keys: Keys, token: str, *, program_id: UUID) -> UUID | None:
    """The visitor id of a cookie that we signed for this program, or nothing."""
    try:
        return signing.read_token(keys.visitor, _VISITOR, token, program_id=program_id)
    except signing.BadToken:
        return None


def team_cookie(program: ProgramName, keys: Keys) -> tuple[str, str]:
    """Name and value of the cookie of a browser whose clicks do not count, because somebody of the program's team uses it."""
    return f"{_TEAM_COOKIE}{program.slug}", signing.keyed_hash(keys.team, str(program.id))[:_SIGNATURE_LENGTH]


def is_team_cookie(cookies: str, program: ProgramName, keys: Keys) -> bool:
    """Whether a `Cookie` header says that this browser belongs to the program's team."""
    if _TEAM_COOKIE not in cookies:
        return False
    name, value = team_cookie(program, keys)
    found = (pair.strip().partition("=") for pair in cookies.split(";"))
    return any(key == name and signing.same(given, value) for key, _, given in found)


def stamp(key: bytes, *, program_id: UUID, now: datetime) -> str:
    """A proof, good for a few minutes, that this installation speaks: for a test click, or to join a program's team."""
    moment = str(int(now.timestamp()))
    return f"{moment}.{_stamp_signature(key, program_id, moment)}"


def is_fresh_stamp(key: bytes, text: str, *, program_id: UUID, now: datetime) -> bool:
    """Whether we made this stamp for this program, moments ago."""
    moment, _, signature = text.partition(".")
    if not moment.isascii() or not moment.isdigit() or len(moment) > _MOMENT_LENGTH_MAX:
        return False
    made_at = datetime.fromtimestamp(int(moment), tz=UTC)
    return abs(now - made_at) < STAMP_TERM and signing.same(signature, _stamp_signature(key, program_id, moment))


def _stamp_signature(key: bytes, program_id: UUID, moment: str) -> str:
    return signing.keyed_hash(key, f"{program_id}:{moment}")[:_SIGNATURE_LENGTH]


def address_facts(keys: Keys, address: str, *, now: datetime) -> tuple[str | None, str | None]:
    """What is kept of a network address: its /24 or /48, and a hash whose key changes every month (UTC)."""
    return _address_facts(keys.secret, now.year, now.month, address)


def email_hash(keys: Keys, email_sha256: str) -> str:
    """A shop's hash of an e-mail address, keyed again: whoever sees our tables cannot test addresses against it."""
    return signing.keyed_hash(keys.email, email_sha256.lower())


@lru_cache(maxsize=4)
def _monthly(secret: str, year: int, month: int) -> bytes:
    return signing.derive(secret, f"address {year}-{month:02}")


@lru_cache(maxsize=4096)
def _address_facts(secret: str, year: int, month: int, text: str) -> tuple[str | None, str | None]:
    """Of the address in its one spelling; nothing for what is no address (the peer of a socket file)."""
    try:
        address = ip_address(text)
    except ValueError:
        return None, None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    bits = 24 if isinstance(address, IPv4Address) else 48
    hidden = address.max_prefixlen - bits
    prefix = f"{type(address)(int(address) >> hidden << hidden)}/{bits}"
    return prefix, signing.keyed_hash(_monthly(secret, year, month), str(address))
