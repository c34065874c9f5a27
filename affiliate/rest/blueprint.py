"""The API's blueprint, and what its routes share: the key's program, public ids in addresses, pages of rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

from flask import g
from flask_smorest import Blueprint
from webargs.flaskparser import FlaskParser

from affiliate import errors, ids
from affiliate.accounts import access
from affiliate.api import paged
from affiliate.rest.scope import Whose
from affiliate.tracking.body import read_json


class _StrictParser(FlaskParser):
    """Bodies are read as strictly as those of orders: no NUL, no key twice, no depth."""

    def load_json(self, req: Any, schema: Any) -> Any:  # noqa: ARG002 - the library's signature
        """The JSON value in the body."""
        return read_json(req)


class _Blueprint(Blueprint):
    ARGUMENTS_PARSER = _StrictParser()


blueprint = _Blueprint("rest", __name__, url_prefix="/api/v1", description="Read what the program holds")
Row = TypeVar("Row")
View = TypeVar("View", bound=Callable[..., Any])
Answer = tuple[list[Any], int, dict[str, str]]


class NoSuchThing(errors.NotFound):
    """Nothing with this id in the key's program."""

    def __init__(self, noun: str) -> None:
        super().__init__(f"There is no {noun} with this id in the program of your key.")


def any_key(scope: str) -> Callable[[View], View]:
    """`access.any_key`, told in the OpenAPI document: the program's keys and those of partners."""

    def mark(view: View) -> View:
        told: Callable[[View], View] = blueprint.doc(security=[{"key": [scope]}, {"partnerKey": [scope]}])
        return told(access.any_key(scope)(view))

    return mark


def key_program_id() -> UUID:
    """The program of the key that calls."""
    program_id: UUID = g.api_key.program_id
    return program_id


def whose() -> Whose:
    """Whose rows the key of this request reads."""
    return Whose(key_program_id(), g.api_key.partner_id)


def narrowed(arguments: Mapping[str, Any]) -> Whose:
    """The same, narrowed to the partner that the address asks for.

    Raises:
        NoSuchThing: the key is another partner's.
    """
    mine, asked = whose(), arguments.get("partner")
    if mine.partner_id is not None and asked not in {None, mine.partner_id}:
        raise NoSuchThing("partner")
    return replace(mine, partner_id=mine.partner_id or asked)


def found(row: Row | None, noun: str) -> Row:
    """The row, if there is one.

    Raises:
        NoSuchThing: there is none.
    """
    if row is None:
        raise NoSuchThing(noun)
    return row


def parsed_id(prefix: str, text: str, noun: str) -> UUID:
    """The id in an address.

    Raises:
        NoSuchThing: it is none of ours.
    """
    try:
        return ids.parse(prefix, text)
    except ids.BadPublicId as error:
        raise NoSuchThing(noun) from error


def answer(rows: Sequence[Any], size: int, key: str = "id") -> Answer:
    """A page of rows with its `Link` header; `key` is the path to the id by which they are ordered."""
    page, headers = paged(rows, size=size, key=lambda row: _attribute(row, key))
    return page, 200, headers


def _attribute(row: Any, path: str) -> Any:
    for name in path.split("."):
        row = getattr(row, name)
    return row
