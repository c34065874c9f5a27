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
