"""Whom a mail is from: the installation, or a program under a name, and maybe an address, of its own."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from email.utils import parseaddr
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session


class Named(Protocol):
    """What a mail needs to know of the program that it belongs to."""

    @property
    def id(self) -> UUID:
        """Its id."""

    @property
    def name(self) -> str:
        """Its name, for the head of a letter."""


@dataclass(frozen=True, slots=True)
class Of:
    """The same, where only these two were read."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Sender:
    """How a program signs its mails. `address` is proved; null where mails leave under the installation's."""

    name: str
    address: str | None = None
    reply_to: str | None = None


Senders = Callable[[Session, Collection[UUID]], Mapping[UUID, Sender]]
"""The senders of these programs."""


def from_field(installation: str, own: Sender | None) -> Address:
    """The From of a mail. `installation` is MAIL_FROM: a name and an address.

    Raises:
        ValueError: an address that is none, or a line break in it.
    """
    name, address = parseaddr(installation)
    if own is None:
        return Address(name, addr_spec=address)
    return Address(own.name or name, addr_spec=own.address or address)


def domain_of(field: str) -> str:
    """The domain of an address, with or without a name before it."""
    return parseaddr(field)[1].rpartition("@")[2].lower()


def signing_domains(installation: str, address: str) -> tuple[str, ...]:
    """The domains for which a mail from this address is signed: the installation's, and the address's own where that differs.

    DMARC compares the sender's domain with the signature's. A domain below the installation's is like it to receivers. For
    any other the mail carries a second signature, which holds once that domain publishes the installation's key; until
    then receivers pass over it, and the first one holds, though for another domain than the sender's.
    """
    ours, own = domain_of(installation), domain_of(address)
    return (ours,) if own == ours or own.endswith(f".{ours}") else (ours, own)
