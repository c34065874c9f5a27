"""Under which hashes a shop may know a mailbox. Pure; kept in memory, because the same partners are asked for again and again."""

import hashlib
from collections.abc import Collection, Iterable
from functools import lru_cache
from pathlib import Path

from affiliate.fraud import identity
from affiliate.tracking.keys import Keys, email_hash

_USUAL_NAMES = (
    *("info", "mail", "office", "hello", "hi", "contact", "team", "shop", "sales", "orders", "admin", "support"),
    *("ciao", "contatti", "ordini", "ufficio", "amministrazione", "kontakt", "biuro", "sklep", "zamowienia"),
)
"""How mailboxes at a domain of one's own are often called."""

_DOMAINS_MAX = 5
_KEPT = 4_096


def hashes_of(secret: str, addresses: Iterable[str]) -> set[str]:
    """The hashes of these addresses, however their owners spelled them in the shop."""
    return {one for address in addresses for one in _of_address(secret, address)}


def hashes_nearby(secret: str, *, addresses: Collection[str], website: str | None) -> set[str]:
    """The hashes of the usual mailboxes at domains that are the partner's own: of its website, and of its people's addresses.

    Domains at which anybody gets a mailbox, and websites on somebody else's host, are nobody's own.
    """
    parts = [address.strip().lower().rpartition("@") for address in addresses]
    names = frozenset(name.partition("+")[0] for name, _, _domain in parts)
    own = {domain for _name, _, domain in parts if not is_public(domain)}
    host = identity.host_of(website)
    if host and identity.website_key(website) == host and not is_public(host):
        own.add(host)
    return {one for domain in sorted(own)[:_DOMAINS_MAX] for one in _at_domain(secret, domain, names)}


def is_public(domain: str) -> bool:
    """Whether anybody gets a mailbox at this domain."""
    return domain in _public() or identity.is_disposable(f"@{domain}")


@lru_cache(maxsize=1)
def _public() -> frozenset[str]:
    lines = (Path(__file__).parent / "public_mail.txt").read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


@lru_cache(maxsize=_KEPT)
def _of_address(secret: str, address: str) -> frozenset[str]:
    return frozenset(_hash(secret, one) for one in identity.mail_spellings(address))


@lru_cache(maxsize=_KEPT)
def _at_domain(secret: str, domain: str, names: frozenset[str]) -> frozenset[str]:
    return frozenset(_hash(secret, f"{name}@{domain}") for name in names.union(_USUAL_NAMES))


def _hash(secret: str, address: str) -> str:
    return email_hash(_keys(secret), hashlib.sha256(address.encode()).hexdigest())


@lru_cache(maxsize=1)
def _keys(secret: str) -> Keys:
    return Keys.of(secret)
