"""What the directory knows, kept on disk: known links go on after a restart while the database is away.

A file of JSON lines under DATA_DIR, for its owner alone: a head with version and moment, the facts, and a keyed checksum
over all of it. It is written beside and put in place whole. A file that is torn, changed or of another installation is none.
"""

import hashlib
import hmac
import logging
import os
import secrets
import typing
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Any
from uuid import UUID

import orjson

from affiliate import signing
from affiliate.tracking.facts import KeyFacts, LinkFacts, ProgramFacts, View
from affiliate.tracking.network import Networks
from affiliate.tracking.spool import sync_folder

VERSION = 5
BYTES_MAX = 1024 * 1024 * 1024
NAME = "links.snapshot"

_END = "end"
_log = logging.getLogger(__name__)


class Snapshot:
    """The file of one installation. Every process may write it; what is there is always whole."""

    def __init__(self, folder: Path, *, secret_key: str) -> None:
        self._path = folder / NAME
        self._key = signing.derive(secret_key, "snapshot")

    def save(self, view: View, *, as_of: datetime) -> None:
        """Put the view in place of the older one.

        Raises:
            OSError: the disk does not take it; the older one stands.
        """
        draft = self._path.with_name(f"{NAME}.{secrets.token_hex(4)}")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                for line in _sealed(_lines(view, as_of=as_of), self._key):
                    file.write(line)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
            sync_folder(self._path.parent)
        finally:
            draft.unlink(missing_ok=True)

    def as_of(self) -> datetime | None:
        """The moment of the view that is in place, so that a process need not write what another has written."""
        with suppress(OSError, ValueError, TypeError), self._path.open("rb") as file:
            _version, moment = orjson.loads(file.readline())
            return datetime.fromisoformat(moment)
        return None

    def load(self, *, networks: Networks) -> View | None:
        """The view in the file, or nothing when there is none that can be believed."""
        try:
            if self._path.stat().st_size > BYTES_MAX:
                return None
            with self._path.open("rb") as file:
                return _read(file, self._key, networks)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            _log.warning("the kept links cannot be read: %s", error)
            return None


def _lines(view: View, *, as_of: datetime) -> Iterator[Any]:
    yield [VERSION, as_of]
    for program in view.programs.values():
        yield ["program", *_values(program)]
    for code, link in view.links.items():
        yield ["link", code, *_values(link)]
    for (program_id, partner_id), enrollment_id in view.approved.items():
        yield ["approved", program_id, partner_id, enrollment_id]
    for fingerprint, key in view.keys.items():
        yield ["key", fingerprint, *_values(key)]
    for (program_id, host), code in view.sites.items():
        yield ["site", program_id, host, code]


def _sealed(documents: Iterator[Any], key: bytes) -> Iterator[bytes]:
    """The documents as lines, and a last line that only this installation can write for them."""
    seal = hmac.new(key, digestmod=hashlib.sha256)
    for document in documents:
        line = orjson.dumps(document, default=sorted) + b"\n"  # the one foreign type is a set of scopes
        seal.update(line)
        yield line
    yield orjson.dumps([_END, seal.hexdigest()])


def _read(lines: typing.BinaryIO, key: bytes, networks: Networks) -> View:
    """The view in these lines.

    Raises:
        ValueError: not whole, not ours, or of another version.
    """
    building, seal = _Building(), hmac.new(key, digestmod=hashlib.sha256)
    head = lines.readline()
    seal.update(head)
    if orjson.loads(head)[0] != VERSION:
        raise ValueError("they are of another version")
    for line in lines:
        kind, *values = orjson.loads(line)
        if kind == _END:
            if not signing.same(values[0], seal.hexdigest()):
                raise ValueError("they were changed")
            return building.view(networks)
        seal.update(line)
        building.add(kind, values)
    raise ValueError("their end is missing")


class _Building:
    """A view that grows line by line."""

    def __init__(self) -> None:
        self.programs: dict[UUID, ProgramFacts] = {}
        self.links: dict[str, LinkFacts] = {}
        self.approved: dict[tuple[UUID, UUID], UUID] = {}
        self.keys: dict[str, KeyFacts] = {}
        self.sites: dict[tuple[UUID, str], str] = {}
        self._ids: dict[str, UUID] = {}  # a program's id is one object, however many links name it

    def add(self, kind: str, values: list[Any]) -> None:
        """Take in one line."""
        if kind == "link":
            self.links[values[0]] = self._restored(LinkFacts, values[1:])
        elif kind == "approved":
            program_id, partner_id, enrollment_id = map(self._id, values)
            self.approved[program_id, partner_id] = enrollment_id
        elif kind == "key":
            self.keys[values[0]] = self._restored(KeyFacts, values[1:])
        elif kind == "program":
            program = self._restored(ProgramFacts, values)
            self.programs[program.id] = program
        elif kind == "site":
            self.sites[self._id(values[0]), values[1]] = values[2]
        else:
            raise ValueError(f"they hold a {kind!r}")

    def view(self, networks: Networks) -> View:
        """The view, when all lines are in."""
        return View(
            programs=self.programs,
            links=self.links,
            approved=self.approved,
            keys=self.keys,
            program_ids={program.slug: program.id for program in self.programs.values()},
            hosts={program.own_host: program.id for program in self.programs.values() if program.own_host},
            sites=self.sites,
            networks=networks,
        )

    def _id(self, text: str) -> UUID:
        return self._ids.get(text) or self._ids.setdefault(text, UUID(text))

    def _restored(self, facts: Any, values: list[Any]) -> Any:
        for position, read in _READERS[facts]:
            if values[position] is not None:
                values[position] = (read or self._id)(values[position])
        return facts(*values)


def _values(facts: ProgramFacts | LinkFacts | KeyFacts) -> list[Any]:
    return [getattr(facts, name) for name in _NAMES[type(facts)]]


def _reader_of(hint: Any) -> Callable[[Any], Any] | bool | None:
    """What makes a field of its JSON; null for an id, which is shared; false for what is one already."""
    if typing.get_origin(hint) is UnionType:
        hint = next(part for part in typing.get_args(hint) if part is not NoneType)
    readers: dict[Any, Callable[[Any], Any] | None] = {datetime: datetime.fromisoformat, UUID: None}
    origin = typing.get_origin(hint)
    return origin if origin in {tuple, frozenset} else readers.get(hint, False)


_NAMES = {facts: [field.name for field in fields(facts)] for facts in (ProgramFacts, LinkFacts, KeyFacts)}
_READERS: dict[Any, list[tuple[int, Any]]] = {
    facts: [
        (at, read)
        for at, hint in enumerate(typing.get_type_hints(facts).values())
        if (read := _reader_of(hint)) is not False
    ]
    for facts in _NAMES
}
