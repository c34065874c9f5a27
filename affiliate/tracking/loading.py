"""Reading the fields of a body that has nothing wrong with it: the schema's own fields, without the library's way from one to the next.

That way costs many times what the fields themselves do. What is odd in any respect is left to the library, which says what is wrong.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from marshmallow import Schema, ValidationError, fields, missing

_SCHEMAS_MAX = 64

Reader = Callable[[Any], Any]


class Odd(Exception):  # noqa: N818 - read as a kind
    """Something about the body that its schema has to judge."""


def load(schema: Schema, value: Any) -> dict[str, Any]:
    """The fields of the value, as `schema.load` gives them.

    Raises:
        ValidationError: as by `schema.load`.
    """
    try:
        return _reader(schema)(value)
    except (Odd, KeyError, ValidationError):
        loaded: dict[str, Any] = schema.load(value)
        return loaded


@lru_cache(maxsize=_SCHEMAS_MAX)
def _reader(schema: Schema) -> Callable[[Any], dict[str, Any]]:
    """A reader for a schema without hooks and without names of its own for fields, as all of the tracker's are."""
    readers = {name: _field_reader(field) for name, field in schema.load_fields.items()}
    required = frozenset(name for name, field in schema.load_fields.items() if field.required)
    defaults = {n: field.load_default for n, field in schema.load_fields.items() if field.load_default is not missing}

    def read(value: Any) -> dict[str, Any]:
        if type(value) is not dict or not required <= value.keys():
            raise Odd
        loaded = defaults.copy()
        for name, given in value.items():
            loaded[name] = readers[name](given)
        return loaded

    return read


def _field_reader(field: fields.Field[Any]) -> Reader:
    deserialize, validators, allow_none = _deserializer(field), field.validators, field.allow_none

    def read(given: Any) -> Any:
        if given is None:
            if not allow_none:
                raise Odd
            return None
        value = deserialize(given)
        for validate in validators:
            validate(value)
        return value

    return read


def _deserializer(field: fields.Field[Any]) -> Reader:
    if isinstance(field, fields.List):
        return _list_reader(field.inner)
    if isinstance(field, fields.Nested):
        return _reader(field.schema)
    deserialize = field._deserialize  # noqa: SLF001 - what a subclass defines, and `deserialize` wraps
    return lambda given: deserialize(given, None, None)


def _list_reader(inner: fields.Field[Any]) -> Reader:
    read = _field_reader(inner)

    def read_list(given: Any) -> list[Any]:
        if type(given) is not list:
            raise Odd
        return [read(each) for each in given]

    return read_list
