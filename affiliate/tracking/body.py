"""Strict reading of a request's body: what is not exactly JSON is refused before anything looks at its fields.

Python's own reader forgives what others read differently (a key twice, half a surrogate pair), and two readers that disagree
about an order are how money is lost. Numbers are left as they are: the schemas refuse floats by field.
"""

import json
from collections import Counter
from typing import Any

from marshmallow import Schema, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.wrappers import Request

from affiliate import errors
from affiliate.api import field_errors
from affiliate.tracking import loading

BODY_BYTES_MAX = 256 * 1024
LIST_BYTES_MAX = 4 * 1024 * 1024
DEPTH_MAX = 20
ERRORS_SHOWN_MAX = 50


class BadBody(errors.Malformed):
    """The bytes are not JSON as we read it; the message says what to mend."""


class BadFields(errors.Invalid):
    """JSON, but not what was asked for: fields that are missing, unknown, of the wrong shape, or senseless in this program."""


def read_json(request: Request, *, media_types: tuple[str, ...] = ("application/json",)) -> Any:
    """The JSON value in the body: an object of up to 256 KB, or a list of up to 4 MB.

    Raises:
        BadBody: malformed, a key twice, not UTF-8, NUL or half a character in a text, deeper than 20.
        RequestEntityTooLarge: too many bytes.
        UnsupportedMediaType: the body says that it is something else.
    """
    if request.mimetype and request.mimetype not in media_types:
        raise UnsupportedMediaType(f"Send the body as {media_types[0]}, not as {request.mimetype}.")
    request.max_content_length = LIST_BYTES_MAX
    return read(request.get_data(cache=False))


def read(payload: bytes) -> Any:
    """The JSON value in the bytes of a body.

    Raises:
        BadBody: as above.
        RequestEntityTooLarge: as above.
    """
    if len(payload) > BODY_BYTES_MAX and not payload.lstrip()[:1] == b"[":
        raise RequestEntityTooLarge("The body is larger than 256 KB.")
    return parse(payload)


def parse(payload: bytes) -> Any:
    """The JSON value in the bytes.

    Raises:
        BadBody: as above.
    """
    try:
        value = json.loads(payload.decode(), object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        raise BadBody("The body is not valid UTF-8.") from error
    except RecursionError as error:
        raise BadBody(_TOO_DEEP) from error
    except ValueError as error:
        raise BadBody(f"The body is not valid JSON: {error}.") from error
    if payload.count(b"[") + payload.count(b"{") > DEPTH_MAX and isinstance(value, dict | list):
        _check_depth(value, DEPTH_MAX)
    if b"\\u" in payload:  # only escapes can bring in what UTF-8 itself cannot hold
        _check_texts(value)
    return value


def load(schema: Schema, value: Any) -> dict[str, Any]:
    """The fields of the value, each checked.

    Raises:
        BadFields: names those that are wrong.
    """
    try:
        return loading.load(schema, value)
    except ValidationError as error:
        wrong = field_errors(error.messages)
        raise BadFields(dict(list(wrong.items())[:ERRORS_SHOWN_MAX])) from error


_TOO_DEEP = f"The body is nested deeper than {DEPTH_MAX} levels."


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise BadBody(f"The key {twice[:60]!r} stands twice in one object.")
    return found


def _check_depth(value: Any, left: int) -> None:
    if left == 0:
        raise BadBody(_TOO_DEEP)
    for inner in value.values() if type(value) is dict else value:
        kind = type(inner)
        if kind is dict or kind is list:  # a call for each text would cost a list more than reading it
            _check_depth(inner, left - 1)


def _check_texts(value: Any) -> None:
    if isinstance(value, str):
        if "\0" in value or not _is_whole(value):
            raise BadBody("A text holds a NUL or half a character.")
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check_texts(name)
            _check_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_texts(inner)


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
